//! `siteserver schema --openapi`: the API of the examples, whole; believed by a validator that is not ours; and true, as far as a fuzzer that reads
//! it can find out.

use crate::support::accounts::{Example, FORM, SAME_ORIGIN};
use crate::support::proof::{is_full, scaled};
use crate::support::site::{Folder, binary};
use crate::support::tools;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

crate::cases!(
    the_api_of_an_example_is_told_whole,
    an_authors_own_schema_stands_as_it_is,
    a_site_with_errors_has_no_api,
    a_validator_that_is_not_ours_accepts_it,
    a_fuzzer_gets_no_answer_that_is_not_told,
);

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

fn told(folder: &Path) -> Value {
    let said = binary().current_dir(folder).args(["schema", "--openapi"]).output().expect("the binary");
    assert!(said.status.success(), "{}: {}", folder.display(), String::from_utf8_lossy(&said.stderr));
    serde_json::from_slice(&said.stdout).expect("JSON")
}

/// The methods of each path.
fn operations(told: &Value) -> BTreeMap<&str, BTreeSet<&str>> {
    let paths = told["paths"].as_object().expect("paths").iter();
    let methods = |item: &'_ Value| item.as_object().map(|item| item.keys().cloned().collect::<Vec<_>>());
    let known = ["get", "post", "put", "patch", "delete"];
    paths
        .map(|(path, item)| {
            let methods = methods(item).unwrap_or_default();
            (path.as_str(), known.into_iter().filter(|method| methods.iter().any(|it| it == method)).collect())
        })
        .collect()
}

fn the_api_of_an_example_is_told_whole() {
    let told = told(&example("account"));
    let form = ["get", "post"];
    let expected: BTreeMap<&str, BTreeSet<&str>> = [
        ("/account/name", &form[..]),
        ("/account/new", &form),
        ("/account/orders/{id}", &form),
        ("/account/picture", &form),
        ("/admin/users.json", &["get"]),
        ("/api/me", &["get"]),
        ("/api/orders", &form),
        ("/api/orders/{id}", &["get", "delete"]),
        ("/greeting.json", &["get"]),
        ("/login", &form),
        ("/logout", &form),
        ("/theme", &form),
    ]
    .map(|(path, methods)| (path, methods.iter().copied().collect()))
    .into();
    assert_eq!(operations(&told), expected);
    let of = |path: &str, pointer: &str| told["paths"][path].pointer(pointer).cloned().unwrap_or_default();
    // Parameters are what they are declared to be.
    assert_eq!(of("/api/orders/{id}", "/parameters/0/schema/type"), "integer");
    assert_eq!(of("/api/orders/{id}", "/parameters/0/schema/minimum"), 1);
    // Bodies hold the fields, typed and bounded, and nothing else.
    let json = of("/api/orders", "/post/requestBody/content/application~1json/schema");
    assert_eq!(json["required"], serde_json::json!(["sku"]));
    assert_eq!(json["properties"]["sku"]["pattern"], "^(?:[A-Z]{2}-[0-9]+)$");
    assert_eq!(json["properties"]["count"]["maximum"], 999);
    assert_eq!(json["additionalProperties"], false);
    let picture = of("/account/picture", "/post/requestBody/content");
    assert_eq!(
        picture.as_object().map(|kinds| kinds.keys().cloned().collect()),
        Some(vec!["multipart/form-data".to_owned()])
    );
    assert_eq!(picture["multipart/form-data"]["encoding"]["picture"]["contentType"], "image/png, image/jpeg");
    // Answers are those of the method, and of the guard.
    let answers = |path: &str, method: &str| -> BTreeSet<String> {
        of(path, &format!("/{method}/responses"))
            .as_object()
            .into_iter()
            .flatten()
            .map(|(status, _)| status.clone())
            .collect()
    };
    assert!(
        ["201", "401", "403", "415", "422", "502"]
            .iter()
            .all(|status| answers("/api/orders", "post").contains(*status))
    );
    assert!(["302", "200"].iter().all(|status| answers("/account/name", "get").contains(*status)));
    assert!(answers("/login", "post").contains("429") && !answers("/theme", "post").contains("502"));
    assert!(!answers("/greeting.json", "get").contains("401"));
    // Who may ask, and who must.
    let security = |path: &str| of(path, "/get/security").to_string();
    assert_eq!(security("/api/me"), r#"[{"cookie-session":[]},{"bearer":[]}]"#);
    assert_eq!(security("/greeting.json"), r#"[{"cookie-session":[]},{"bearer":[]},{}]"#);
    let mut names = BTreeSet::new();
    for (path, methods) in operations(&told) {
        for method in methods {
            let name = of(path, &format!("/{method}/operationId")).to_string();
            assert!(names.insert(name.clone()), "{name} names two operations");
        }
    }
}

fn a_site_with_errors_has_no_api() {
    let folder = Folder::new();
    folder.unpack("-- site.toml --\n-- routes/a.toml --\njson = \"{none}\"\n");
    let said = binary().current_dir(folder.path()).args(["schema", "--openapi"]).output().expect("the binary");
    assert_eq!((said.status.code(), said.stdout.len()), (Some(1), 0));
    assert!(String::from_utf8_lossy(&said.stderr).contains("the API is not known: 1 error"));
}

/// The programs of the folder that `OPENAPI_TOOLS` names.
fn tool(name: &str) -> Option<Command> {
    let folder = std::env::var_os("OPENAPI_TOOLS");
    if folder.is_none() {
        tools::is_missing("openapi-spec-validator and schemathesis, in the folder that OPENAPI_TOOLS names");
    }
    folder.map(|folder| Command::new(Path::new(&folder).join(name)))
}

/// A method whose author has a schema.
const OWN_SCHEMA: &str = r##"
-- site.toml --
-- routes/orders.toml --
json = {}
[methods.post]
schema = "order.schema.json"
-- order.schema.json --
{ "type": "object", "properties": { "sku": { "$ref": "#/$defs/sku" } }, "$defs": { "sku": { "type": "string" } } }
"##;

fn an_authors_own_schema_stands_as_it_is() {
    let folder = Folder::new();
    folder.unpack(OWN_SCHEMA);
    let told = told(folder.path());
    let schema = &told["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]["schema"];
    assert_eq!(schema["properties"]["sku"]["$ref"], "#/$defs/sku");
    // Its references are to itself, not to the document that it stands in.
    assert_eq!(schema["$id"], "urn:siteserver:post-orders");
}

fn a_validator_that_is_not_ours_accepts_it() {
    let folder = Folder::new();
    let examples = ["account", "shop", "upstream", "blog", "repo", "migration"].map(|name| (name, example(name)));
    for (name, site) in examples.into_iter().chain([("root", PathBuf::from(env!("CARGO_MANIFEST_DIR")))]) {
        let Some(mut validator) = tool("openapi-spec-validator") else { return };
        let path = folder.path().join(format!("{name}.json"));
        fs::write(&path, told(&site).to_string()).expect("a file");
        let said = validator.arg(&path).output().expect("the validator");
        assert!(said.status.success(), "{name}: {}", String::from_utf8_lossy(&said.stdout));
    }
    let own = Folder::new();
    own.unpack(OWN_SCHEMA);
    let path = folder.path().join("own.json");
    fs::write(&path, told(own.path()).to_string()).expect("a file");
    let Some(mut validator) = tool("openapi-spec-validator") else { return };
    let said = validator.arg(&path).output().expect("the validator");
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stdout));
    // It knows what is wrong.
    let path = folder.path().join("wrong.json");
    fs::write(&path, "{\"openapi\":\"3.1.0\",\"paths\":{\"/\":{\"get\":{\"responses\":1}}}}").expect("a file");
    let Some(mut validator) = tool("openapi-spec-validator") else { return };
    assert!(!validator.arg(&path).output().expect("the validator").status.success());
}

/// What the fuzzer holds of every answer: no 5xx, no status, field, media type or shape that is not told, no method more, and none less. It is
/// not asked whether all that fits is taken, and all else refused: a backend knows more than can be told, and a site may declare that it puts up
/// with values that do not fit.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,\
                      response_headers_conformance,unsupported_method,allow_header_conformance,missing_required_header";

/// That a credential is needed where it says so, and not any will do. With one of ours in the request it cannot tell: where there are several
/// ways to say who one is, it spoils one and leaves the others.
const IGNORED: &str = "ignored_auth";

/// Fuzzes an example with these arguments, which may depend on what it knows.
fn fuzz(name: &str, who: &str, arguments: impl FnOnce(&Example) -> Vec<String>) {
    let Some(mut fuzzer) = tool("schemathesis") else { return };
    let examples = scaled(200, 10).to_string();
    let often = ("routes/login.toml", "requests = 20", "requests = 1000000");
    let edits: Vec<_> = (name == "account").then_some(often).into_iter().collect();
    let served = Example::start_edited(name, &edits);
    let folder = Folder::new();
    let path = folder.path().join("openapi.json");
    fs::write(&path, told(served.site.folder().path()).to_string()).expect("a file");
    let said = fuzzer
        .current_dir(folder.path())
        .arg("run")
        .arg(&path)
        .args(["--url", &format!("http://{}", served.site.address())])
        // How long it takes says something of the machine.
        .args(["--max-examples", &examples, "--seed", "8", "--request-timeout", "60", "--suppress-health-check", "all"])
        .args(["--no-color", "--continue-on-failure"])
        .args(arguments(&served))
        .output()
        .expect("the fuzzer");
    let text = String::from_utf8_lossy(&said.stdout);
    println!(
        "{name}, {who}: {}",
        text.lines().rev().find(|line| line.contains("generated")).unwrap_or_default().trim()
    );
    assert!(said.status.success(), "{name}, {who}: {text}");
}

fn a_fuzzer_gets_no_answer_that_is_not_told() {
    let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    let same_origin = format!("{}: {}", SAME_ORIGIN.0, SAME_ORIGIN.1);
    let own = ["--header", &same_origin];
    for name in ["account", "shop", "upstream"] {
        fuzz(name, "nobody", |_| words(&[&own[..], &["--checks", &format!("{CHECKS},{IGNORED}")]].concat()));
    }
    fuzz("account", "a session", |served| {
        let cookie = format!("Cookie: {}", served.accounts.sign_in("root"));
        // It would sign itself out.
        words(&[&own[..], &["--header", &cookie, "--exclude-path", "/logout", "--checks", CHECKS]].concat())
    });
    fuzz("account", "a token", |served| {
        let answer = served.accounts.request("POST", "/token", &[FORM], "name=root&password=root-secret").json();
        let token = format!("Authorization: Bearer {}", answer["access_token"].as_str().expect("a token"));
        // It says nothing of where it comes from, as programs do.
        words(&["--header", &token, "--include-path-regex", r"^/api/|\.json$", "--checks", CHECKS])
    });
    if is_full() {
        fuzz("account", "nobody who says nothing", |_| words(&["--checks", CHECKS]));
    }
}
