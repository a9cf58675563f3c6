//! Data that is read when the site is loaded: files, chosen by a parameter or not.

use crate::support::site::Site;
use serde_json::json;

crate::cases!(files_are_read_by_their_extension, a_parameter_chooses_among_files, an_edit_of_a_file_is_seen);

const SITE: &str = r#"-- site.toml --
-- content/data/a.json --
{ "list": [{ "n": 2 }, { "n": 10 }, { "n": 1 }] }
-- content/data/b.toml --
name = "b"
since = 2026-01-02
-- content/data/c.yaml --
- { name: c, yes: no }
-- content/data/d.csv --
name,price
"Tea, green",4
Milk,12
-- routes/all.toml --
json = { a = "{a}", b = "{b}", c = "{c}", d = "{d}" }
[sources]
a = { file = "data/a.json", extract = "$.list", sort = "-n", limit = 2 }
b = { file = "data/b.toml" }
c = { file = "data/c.yaml" }
[sources.d]
file = "data/d.csv"
extract = { each = "$[*]", fields = { name = "$.name", price = { select = "$.price", type = "int" } } }
where = "item.price > 5"
[cache]
s-maxage = "1h"
-- content/words/en.toml --
hello = "Hello"
-- content/words/de.toml --
hello = "Hallo"
-- routes/words.toml --
path = "/{lang}/words"
json = "{words.hello}"
[params.lang]
enum = ["en", "de"]
[sources.words]
file = "words/{params.lang}.toml"
extract.hello = { select = "$.hello", required = true }
-- content/many/a.json --
[{ "n": 1 }, { "n": 3 }, { "n": 2 }]
-- content/many/b.json --
{ "items": [{ "n": 5 }, { "n": 4 }] }
-- routes/many.toml --
path = "/many/{which}"
json = "{many}"
[params.which]
enum = ["a", "b"]
[sources.many]
file = "many/{params.which}.json"
sort = "-n"
limit = 2
"#;

fn files_are_read_by_their_extension() {
    let site = Site::start(SITE);
    assert_eq!(
        site.get("/all").json(),
        json!({
            "a": [{ "n": 10 }, { "n": 2 }],
            "b": { "name": "b", "since": "2026-01-02" },
            "c": [{ "name": "c", "yes": "no" }],
            "d": [{ "name": "Milk", "price": 12 }],
        })
    );
}

fn a_parameter_chooses_among_files() {
    let site = Site::start(SITE);
    assert_eq!(site.get("/en/words").json(), "Hello");
    assert_eq!(site.get("/de/words").json(), "Hallo");
    assert_eq!(site.get("/fr/words").status, 404);
    assert_eq!(site.get("/many/a").json(), json!([{ "n": 3 }, { "n": 2 }]));
    assert_eq!(site.get("/many/b").json(), json!({ "items": [{ "n": 5 }, { "n": 4 }] }));
}

fn an_edit_of_a_file_is_seen() {
    let site = Site::start(SITE);
    assert_eq!(site.get("/all").json()["b"]["name"], "b", "and it is stored now");
    site.folder().write("content/data/b.toml", "name = \"new\"\n");
    super::until(&site, "/all", |response| response.json()["b"]["name"] == "new");
    site.folder().write("content/data/b.toml", "name = \n");
    site.wait_for_message(|line| line.contains("content/data/b.toml:1"));
    assert_eq!(site.get("/all").json()["b"]["name"], "new", "what cannot be read leaves the last good site running");
}
