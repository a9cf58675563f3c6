//! What is done to lists: which items a page has, in which order, and where its neighbours are.

use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::site::Site;
use serde_json::json;

crate::cases!(
    items_are_kept_sorted_grouped_and_counted,
    a_list_is_cut_into_pages,
    neighbours_keep_the_other_values,
    stored_pages_know_their_own_neighbours,
    a_page_that_the_upstream_has_cut_is_not_cut_again,
    what_stands_in_for_a_list_is_never_past_the_end,
    a_page_past_the_end_outranks_a_failure,
    a_long_list_is_gone_through,
    a_filter_by_a_person_makes_the_page_personal,
    a_source_waits_for_what_its_filter_reads,
);

const POSTS: &str = r#"
value = [
  { title = "b", n = 10, year = 2025, tags = ["x", "y"], by = { name = "Zoe" } },
  { title = "a", n = 9, year = 2026, tags = ["y"], by = { name = "Ada" } },
  { title = "d", year = 2025, tags = [] },
  { title = "c", n = 9, year = 2026, by = { name = "Bob" } },
]
"#;

fn items_are_kept_sorted_grouped_and_counted() {
    let source = |name: &str, keys: &str| format!("[sources.{name}]{POSTS}{keys}\n");
    let site = Site::start(&format!(
        "-- site.toml --\n-- routes/x.toml --\npath = \"/{{tag}}\"\njson = {{ tagged = \"{{tagged}}\", sorted = \"{{sorted}}\", groups = \"{{groups}}\", tags = \"{{tags}}\", two = \"{{two}}\" }}\n{}{}{}{}{}",
        source("tagged", "where = \"item.tags contains params.tag\""),
        source("sorted", "sort = [\"-n\", \"item.by.name\"]"),
        source("groups", "sort = [\"-year\", \"title\"]\ngroup-by = \"year\""),
        source("tags", "group-by = \"tags\"\nsort = \"title\""),
        source("two", "limit = 2\nsort = \"title\"\nwhere = \"item.year == 2026 or item.n == 10\""),
    ));
    let titles = |list: &serde_json::Value| {
        list.as_array().unwrap().iter().map(|item| item["title"].as_str().unwrap()).collect::<String>()
    };
    let json = site.get("/y").json();
    assert_eq!(titles(&json["tagged"]), "ba");
    assert_eq!(titles(&json["sorted"]), "bacd", "numbers as numbers, equal ones by name, missing ones last");
    assert_eq!(titles(&json["two"]), "ab");
    let groups = |list: &serde_json::Value| {
        let groups = list.as_array().unwrap().iter();
        groups.map(|group| format!("{}:{}", group["name"], titles(&group["items"]))).collect::<Vec<_>>()
    };
    assert_eq!(groups(&json["groups"]), ["2026:ac", "2025:bd"]);
    assert_eq!(groups(&json["tags"]), ["\"y\":ab", "\"x\":b"], "an item is in the group of each of its tags");
    assert_eq!(titles(&site.get("/none").json()["tagged"]), "");
}

const PAGES: &str = r#"-- site.toml --
-- routes/posts.toml --
json = { titles = "{posts.items}", at = "{posts.pagination}" }
[query.page]
type = "int"
default = 1
[query.q]
[query.kind]
repeat = true
[sources.posts]
value = ["a", "b", "c", "d", "e"]
paginate = { page = "{query.page}", size = 2 }
-- routes/empty.toml --
json = { count = "{posts.items}", at = "{posts.pagination.pages}" }
[query.page]
type = "int"
[sources.posts]
value = []
paginate = { page = "{query.page}", size = 2 }
-- routes/none.toml --
path = "/none/{tag}"
json = "{posts}"
[sources.posts]
value = [{ tag = "a" }]
where = "item.tag == params.tag"
on-empty = "not-found"
"#;

fn a_list_is_cut_into_pages() {
    let site = Site::start(PAGES);
    let page = |target: &str| site.get(target).json();
    let first = page("/posts");
    assert_eq!(first["titles"], json!(["a", "b"]));
    assert_eq!(
        first["at"],
        json!({ "page": 1, "size": 2, "pages": 3, "total": 5, "prev_url": null, "next_url": "/posts?page=2" })
    );
    let last = page("/posts?page=3");
    assert_eq!(last["titles"], json!(["e"]));
    assert_eq!((&last["at"]["prev_url"], &last["at"]["next_url"]), (&json!("/posts?page=2"), &json!(null)));
    assert_eq!(page("/posts?page=2")["at"]["prev_url"], "/posts", "the first page is the canonical URL");
    for past in ["/posts?page=4", "/posts?page=0", "/posts?page=-1", "/posts?page=9223372036854775807"] {
        assert_eq!(site.get(past).status, 404, "{past}");
    }
    assert_eq!(page("/empty"), json!({ "count": [], "at": 1 }), "nothing has a first page");
    assert_eq!(site.get("/empty?page=2").status, 404);
    assert_eq!(site.get("/none/a").json(), json!([{ "tag": "a" }]));
    assert_eq!(site.get("/none/b").status, 404);
}

fn neighbours_keep_the_other_values() {
    let site = Site::start(PAGES);
    let at = |target: &str| site.get(target).json()["at"].clone();
    let middle = at("/posts?page=2&q=a%20%26b&kind=x&kind=y&other=1");
    assert_eq!(middle["prev_url"], "/posts?kind=x&kind=y&q=a%20%26b");
    assert_eq!(middle["next_url"], "/posts?kind=x&kind=y&page=3&q=a%20%26b");
    let all: Vec<_> = [middle["prev_url"].as_str(), middle["next_url"].as_str()].into_iter().flatten().collect();
    assert!(all.iter().all(|target| site.get(target).status == 200));
}

fn stored_pages_know_their_own_neighbours() {
    let site = Site::start(&PAGES.replace(
        "[query.page]\ntype = \"int\"\ndefault = 1",
        "[cache]\ns-maxage = \"1h\"\n[query.page]\ntype = \"int\"\ndefault = 1",
    ));
    for (target, next) in
        [("/posts?q=1", "/posts?page=2&q=1"), ("/posts?q=2", "/posts?page=2&q=2"), ("/posts", "/posts?page=2")]
    {
        for _ in 0..2 {
            assert_eq!(site.get(target).json()["at"]["next_url"], next, "{target}");
        }
        assert!(site.get(target).header("cache-status").is_some_and(|status| status.contains("hit")), "{target}");
    }
}

fn a_page_that_the_upstream_has_cut_is_not_cut_again() {
    let fault = FaultServer::start();
    fault.put("/items", Reply::json(r#"{"data":[{"id":3},{"id":4}],"total":5}"#));
    fault.put("/more", Reply::json(r#"{"data":[{"id":3},{"id":4}]}"#));
    fault.put("/end", Reply::json(r#"{"data":[]}"#));
    let route = |name: &str, total: &str| {
        format!(
            "-- routes/{name}.toml --\njson = \"{{a}}\"\n[query.page]\ntype = \"int\"\n[sources.a]\nupstream = \"up\"\npath = \"/{name}\"\n\
             extract.items = {{ each = \"$.data[*]\", fields = {{ id = \"$.id\" }} }}\n{total}\npaginate = {{ page = \"{{query.page}}\", size = 2, total = \"total\" }}\n"
        )
    };
    let total = "extract.total = { select = \"$.total\", type = \"int\" }";
    let site =
        super::site(&fault, &format!("{}{}{}", route("items", total), route("more", total), route("end", total)));
    let json = site.get("/items?page=2").json();
    assert_eq!(json["items"], json!([{ "id": 3 }, { "id": 4 }]));
    assert_eq!(json["total"], 5);
    assert_eq!((&json["pagination"]["pages"], &json["pagination"]["next_url"]), (&json!(3), &json!("/items?page=3")));
    assert_eq!(site.get("/items?page=4").status, 404);
    let unknown = site.get("/more?page=7").json();
    assert_eq!(
        (&unknown["pagination"]["pages"], &unknown["pagination"]["next_url"]),
        (&json!(null), &json!("/more?page=8"))
    );
    let last = site.get(&format!("/more?page={}", i64::MAX));
    assert_eq!((last.status, &last.json()["pagination"]["next_url"]), (200, &json!(null)), "no number comes after it");
    assert_eq!((site.get("/end").status, site.get("/end?page=2").status), (200, 404), "an empty page is past the end");
}

fn what_stands_in_for_a_list_is_never_past_the_end() {
    let fault = FaultServer::start();
    fault.put("/down", Reply::json("{}").status(500));
    fault.put("/odd", Reply::json(r#"{"items":7}"#));
    let route = |path: &str| {
        format!(
            "-- routes/{path}.toml --\njson = \"{{a}}\"\n[query.page]\ntype = \"int\"\n[sources.a]\nupstream = \"up\"\npath = \"/{path}\"\n\
             extract.items = \"$.items\"\nfallback = {{ items = [] }}\non-empty = \"not-found\"\npaginate = {{ page = \"{{query.page}}\", size = 2 }}\n"
        )
    };
    let site = super::site(&fault, &format!("{}{}", route("down"), route("odd")));
    let site_of_parts = super::site(
        &fault,
        "-- routes/each.toml --\njson = \"{a}\"\nvars = { ids = [1, 2] }\n[sources.a]\nupstream = \"up\"\npath = \"/down\"\n\
         query = { id = \"{item}\" }\nfor-each = \"{vars.ids}\"\nmax-items = 2\noptional = true\non-empty = \"not-found\"\n\
         -- routes/inner.toml --\njson = { items = \"{a}\" }\n[sources.a]\nupstream = \"up\"\npath = \"/down\"\nfallback = []\n\
         -- routes/asks.toml --\njson = \"{a.items}\"\n[sources.a]\nroute = \"/inner\"\non-empty = \"not-found\"\n\
         -- routes/gone.toml --\njson = \"{a}\"\nvars = { ids = [1, 2] }\n[sources.a]\nupstream = \"up\"\npath = \"/gone\"\n\
         query = { id = \"{item}\" }\nfor-each = \"{vars.ids}\"\nmax-items = 2\noptional = true\non-empty = \"not-found\"\n",
    );
    fault.put("/gone", Reply::json("{}").status(404));
    for target in ["/each", "/asks"] {
        let response = site_of_parts.get(target);
        assert_eq!((response.status, response.header("cache-control")), (200, Some("no-store")), "{target}");
        assert_eq!(response.json(), json!([]), "{target}");
    }
    assert_eq!(site_of_parts.get("/gone").status, 404, "none of the items exists");
    for target in ["/down?page=3", "/odd"] {
        let response = site.get(target);
        assert_eq!(response.status, 200, "{target}");
        assert_eq!(response.json()["items"], json!([]), "{target}");
        assert_eq!(response.header("cache-control"), Some("no-store"), "{target} is degraded");
    }
}

fn a_page_past_the_end_outranks_a_failure() {
    let fault = FaultServer::start();
    let site = super::site(
        &fault,
        r#"-- routes/index.toml --
json = ["{a}", "{z.pagination.page}"]
[query.page]
type = "int"
[sources.a]
upstream = "up"
path = "/status/500"
[sources.z]
upstream = "up"
path = "/gate/z/json/items"
on-error = "omit"
on-not-found = "omit"
paginate = { page = "{query.page}", size = 10 }
"#,
    );
    let mut client = site.connect();
    client.send(b"GET /?page=99 HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    fault.wait_for("/gate/z/json/items", 1);
    fault.wait_for("/status/500", 1);
    fault.release("z");
    assert_eq!(client.response().unwrap().status, 404, "whichever is known first");
    assert_eq!(site.get("/?page=1").status, 502);
}

fn a_long_list_is_gone_through() {
    let items: Vec<_> = (0..20_000).map(|n| json!({ "n": n, "even": n % 2 == 0 })).collect();
    let site = Site::start(&format!(
        "-- site.toml --\n-- content/long.json --\n{}\n-- routes/long.toml --\njson = \"{{long}}\"\n[query.least]\ntype = \"int\"\ndefault = 0\n\
         [sources.long]\nfile = \"long.json\"\nwhere = \"item.even and item.n >= query.least\"\nsort = \"-n\"\nlimit = 2\n",
        json!(items)
    ));
    assert_eq!(site.get("/long").json(), json!([{ "n": 19998, "even": true }, { "n": 19996, "even": true }]));
    assert_eq!(site.get("/long?least=19997").json(), json!([{ "n": 19998, "even": true }]));
}

fn a_filter_by_a_person_makes_the_page_personal() {
    let site = Site::start(
        r#"-- site.toml --
-- routes/mine.toml --
json = "{mine}"
[cookies.me]
[sources.mine]
value = [{ by = "ada", n = 1 }, { by = "bob", n = 2 }]
where = "item.by == cookies.me"
-- routes/themed.toml --
json = "{themed}"
[cookies.theme]
enum = ["light", "dark"]
[sources.themed]
value = [{ by = "dark", n = 1 }]
where = "item.by == cookies.theme"
"#,
    );
    let mine = site.request("GET", "/mine", &[("cookie", "me=bob")], b"");
    assert_eq!(mine.json(), json!([{ "by": "bob", "n": 2 }]));
    assert_eq!(mine.header("cache-control"), Some("private, no-store"));
    let themed = site.request("GET", "/themed", &[("cookie", "theme=dark")], b"");
    assert_eq!(themed.json(), json!([{ "by": "dark", "n": 1 }]));
    assert_eq!((themed.header("cache-control"), themed.header("vary")), (Some("private, no-cache"), Some("cookie")));
}

fn a_source_waits_for_what_its_filter_reads() {
    let fault = FaultServer::start();
    fault.put("/user", Reply::json(r#"{"team":"b"}"#));
    let site = super::site(
        &fault,
        r#"-- routes/team.toml --
json = "{a_first_by_name}"
[sources.a_first_by_name]
value = [{ team = "a" }, { team = "b" }]
where = "item.team == user_of_it.team"
[sources.user_of_it]
upstream = "up"
path = "/user"
"#,
    );
    assert_eq!(site.get("/team").json(), json!([{ "team": "b" }]));
}
