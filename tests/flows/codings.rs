//! Content codings (RFC 9110, sections 8.4 and 12.5.3): what is coded, into what, and which validator goes with it.

use crate::support::http::{Connection, Response};
use crate::support::site::Site;
use std::collections::BTreeMap;
use std::io::Read;

crate::cases!(
    each_coding_decodes_to_the_same_bytes,
    each_coding_has_a_validator_of_its_own,
    an_unchanged_coding_is_a_304_of_that_coding,
    head_has_the_fields_of_get,
    what_would_not_get_smaller_is_sent_as_it_is,
    a_personal_page_is_coded_for_its_person,
);

/// What is long enough to be coded, and whether it is kept: who sends a page once makes no `br` of it.
const CODED: [(&str, Keeps); 6] = [
    ("/stored", Keeps::Codings),
    ("/live", Keeps::Nothing),
    ("/document", Keeps::Codings),
    ("/data", Keeps::Nothing),
    ("/assets/site.css", Keeps::Codings),
    ("/assets/long.js", Keeps::Codings),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    Codings,
    Nothing,
}

/// `Accept-Encoding`, what is sent of that which is kept, and of that which is not.
const NEGOTIATED: [(&str, &str, &str); 19] = [
    ("br", "br", "identity"),
    ("gzip", "gzip", "gzip"),
    ("x-gzip", "gzip", "gzip"),
    ("zstd", "zstd", "zstd"),
    ("identity", "identity", "identity"),
    ("gzip, deflate, br, zstd", "br", "zstd"),
    ("gzip, deflate, br", "br", "gzip"),
    ("br;q=0.2, gzip;q=0.8", "gzip", "gzip"),
    ("zstd;q=0.5, br;q=0.9, gzip;q=0.1", "br", "zstd"),
    ("identity;q=1, br;q=0.5, zstd;q=0.5", "identity", "identity"),
    ("*", "br", "zstd"),
    ("*;q=0", "identity", "identity"),
    ("br;q=0, zstd;q=0, *", "gzip", "gzip"),
    ("identity;q=0", "identity", "identity"),
    ("identity;q=0, gzip;q=0.1", "gzip", "gzip"),
    ("gzip;q=0", "identity", "identity"),
    ("deflate, compress", "identity", "identity"),
    ("br;q=2, gzip;q=one", "identity", "identity"),
    (",,;,=;q", "identity", "identity"),
];

/// A site that has each kind of what can be coded, and what cannot.
fn start() -> Site {
    let list = "{% for i in (1..200) %}<li class=\"item\">Number {{ i }} &amp; so on</li>\n{% endfor %}";
    let line = ".button { color: white; background: black }\n";
    let (css, script) = (line.repeat(100), "export const answer = 42; // and so on\n".repeat(2_000));
    let sentence = "One more sentence about siteserver.\n\n".repeat(50);
    let words = "\"a word\", ".repeat(100);
    Site::start(&format!(
        r#"-- site.toml --
-- layouts/list.html --
<h1>{{{{ page.title }}}}</h1>
{list}
-- layouts/document.html --
<main>{{{{ content }}}}</main>
-- layouts/small.html --
<p>small</p>
-- layouts/personal.html --
<h1>{{{{ cookies.name }}}}</h1>
{list}
-- routes/stored.toml --
layout = "list.html"
title = "Stored"
[cache]
s-maxage = "1h"
-- routes/live.toml --
layout = "list.html"
title = "Live"
-- routes/document.toml --
content = "document.md"
layout = "document.html"
[cache]
s-maxage = "1h"
-- content/document.md --
# A document

{sentence}
-- routes/data.toml --
json = [{words}"the last"]
-- routes/assets.toml --
path = "/assets/{{*file}}"
files = "assets"
-- content/assets/site.css --
{css}
-- content/assets/long.js --
{script}
-- content/assets/picture.png --
{css}
-- content/assets/small.css --
a {{ color: red }}
-- routes/small.toml --
layout = "small.html"
-- routes/small-stored.toml --
layout = "small.html"
[cache]
s-maxage = "1h"
-- routes/personal.toml --
layout = "personal.html"
[cookies.name]
"#
    ))
}

fn get(connection: &mut Connection, target: &str, accept: &str) -> Response {
    connection.request("GET", target, &[("accept-encoding", accept)], b"")
}

fn coding(response: &Response) -> &str {
    response.header("content-encoding").unwrap_or("identity")
}

fn decoded(response: &Response) -> Vec<u8> {
    let (mut plain, coded) = (Vec::new(), response.body.as_slice());
    match coding(response) {
        "identity" => plain.extend_from_slice(coded),
        "gzip" => drop(flate2::read::GzDecoder::new(coded).read_to_end(&mut plain).unwrap()),
        "br" => drop(brotli::Decompressor::new(coded, 4096).read_to_end(&mut plain).unwrap()),
        "zstd" => plain = zstd::stream::decode_all(coded).unwrap(),
        other => panic!("`{other}` was never asked for"),
    }
    plain
}

fn varies_by_coding(response: &Response) -> bool {
    let lines = response.headers("vary");
    lines.iter().flat_map(|line| line.split(',')).any(|name| name.trim().eq_ignore_ascii_case("accept-encoding"))
}

fn each_coding_decodes_to_the_same_bytes() {
    let site = start();
    let mut connection = site.connect();
    for (target, keeps) in CODED {
        let plain = connection.get(target);
        assert_eq!((plain.status, coding(&plain)), (200, "identity"), "{target}: nothing was asked for");
        assert!(varies_by_coding(&plain), "{target}: {:?}", plain.headers);
        // Twice: what was just made, and what was made before.
        for (accept, kept, once) in NEGOTIATED.iter().chain(&NEGOTIATED) {
            let response = get(&mut connection, target, accept);
            let expected = if keeps == Keeps::Codings { kept } else { once };
            assert_eq!((response.status, coding(&response)), (200, *expected), "{target} {accept}");
            assert!(decoded(&response) == plain.body, "{target} {accept}: other bytes");
            assert!(varies_by_coding(&response), "{target} {accept}: {:?}", response.headers);
            assert_eq!(response.header("content-type"), plain.header("content-type"), "{target} {accept}");
            if *expected != "identity" {
                assert!(response.body.len() < plain.body.len(), "{target} {accept}");
            }
        }
    }
}

fn each_coding_has_a_validator_of_its_own() {
    let site = start();
    let mut connection = site.connect();
    for (target, keeps) in CODED {
        let mut tags: BTreeMap<String, String> = BTreeMap::new();
        for (accept, ..) in NEGOTIATED {
            let response = get(&mut connection, target, accept);
            let tag = response.header("etag").unwrap_or_else(|| panic!("{target} {accept}: {:?}", response.headers));
            assert!(
                tag.starts_with('"') && tag.ends_with('"') && tag.len() > 2,
                "{target} {accept}: {tag} is not strong"
            );
            let known = tags.entry(coding(&response).to_owned()).or_insert_with(|| tag.to_owned());
            assert_eq!(known, tag, "{target} {accept}: the same bytes, another tag");
        }
        assert_eq!(tags.len(), if keeps == Keeps::Codings { 4 } else { 3 }, "{target}: {tags:?}");
        let mut values: Vec<&String> = tags.values().collect();
        values.sort();
        values.dedup();
        assert_eq!(values.len(), tags.len(), "{target}: {tags:?}");
    }
}

fn an_unchanged_coding_is_a_304_of_that_coding() {
    let site = start();
    let mut connection = site.connect();
    for (target, _) in CODED {
        for accept in ["identity", "gzip", "zstd", "br"] {
            let response = get(&mut connection, target, accept);
            let tag = response.header("etag").unwrap().to_owned();
            for (method, condition) in [
                ("GET", tag.clone()),
                ("HEAD", tag.clone()),
                ("GET", format!("\"other\", {tag}")),
                ("GET", format!("W/{tag}")),
                ("GET", "*".to_owned()),
            ] {
                let headers = [("accept-encoding", accept), ("if-none-match", condition.as_str())];
                let unchanged = connection.request(method, target, &headers, b"");
                let said = format!("{method} {target} {accept} {condition}: {:?}", unchanged.headers);
                assert_eq!((unchanged.status, unchanged.header("etag")), (304, Some(tag.as_str())), "{said}");
                assert!(varies_by_coding(&unchanged), "{said}");
                assert_eq!(unchanged.header("cache-control"), response.header("cache-control"), "{said}");
                assert_eq!(unchanged.header("content-encoding"), None, "{said}");
            }
        }
        // The tag of one coding says nothing of another.
        let gzip = get(&mut connection, target, "gzip").header("etag").unwrap().to_owned();
        for accept in ["identity", "zstd"] {
            let headers = [("accept-encoding", accept), ("if-none-match", gzip.as_str())];
            let response = connection.request("GET", target, &headers, b"");
            assert_eq!((response.status, coding(&response)), (200, accept), "{target}");
        }
    }
}

/// The fields of an answer, but for those that no two answers share.
fn lasting(response: &Response) -> Vec<(&str, &str)> {
    let passing = |name: &str| matches!(name, "date" | "age" | "cache-status" | "x-request-id");
    let pairs = response.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let mut pairs: Vec<_> = pairs.filter(|(name, _)| !passing(name)).collect();
    pairs.sort_unstable();
    pairs
}

fn head_has_the_fields_of_get() {
    let site = start();
    let mut connection = site.connect();
    let others = ["/assets/picture.png", "/assets/small.css", "/small", "/small-stored", "/personal", "/nothing"];
    for target in CODED.iter().map(|(target, _)| *target).chain(others) {
        for accept in ["identity", "gzip", "zstd", "br", "identity;q=0"] {
            // The one who asks first only asks for the fields.
            let first = connection.request("HEAD", target, &[("accept-encoding", accept)], b"");
            let get = get(&mut connection, target, accept);
            let second = connection.request("HEAD", target, &[("accept-encoding", accept)], b"");
            for head in [first, second] {
                assert_eq!(head.status, get.status, "{target} {accept}");
                if get.status == 200 {
                    assert_eq!(lasting(&head), lasting(&get), "{target} {accept}");
                    assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()), "{target}");
                }
            }
        }
    }
}

fn what_would_not_get_smaller_is_sent_as_it_is() {
    let site = start();
    let mut connection = site.connect();
    for target in ["/assets/picture.png", "/assets/small.css", "/small", "/small-stored"] {
        let plain = connection.get(target);
        assert_eq!(plain.status, 200, "{target}");
        for accept in ["br", "gzip", "zstd", "*", "identity;q=0, gzip"] {
            let response = get(&mut connection, target, accept);
            assert_eq!((response.status, coding(&response)), (200, "identity"), "{target} {accept}");
            assert_eq!(response.body, plain.body, "{target} {accept}");
            assert_eq!(response.header("etag"), plain.header("etag"), "{target} {accept}");
            // There is one representation, so caches need not tell requests apart.
            assert!(!varies_by_coding(&response), "{target} {accept}");
        }
    }
}

fn a_personal_page_is_coded_for_its_person() {
    let site = start();
    let mut connection = site.connect();
    for name in ["ada", "grace"] {
        let plain = connection.request("GET", "/personal", &[("cookie", &format!("name={name}"))], b"");
        assert!(plain.text().contains(&format!("<h1>{name}</h1>")));
        for accept in ["gzip", "zstd"] {
            let headers = [("cookie", format!("name={name}")), ("accept-encoding", accept.to_owned())];
            let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
            let response = connection.request("GET", "/personal", &headers, b"");
            assert_eq!(coding(&response), accept);
            assert!(decoded(&response) == plain.body, "{name} {accept}: other bytes");
            assert_eq!(response.header("cache-control"), Some("private, no-store"));
            assert_eq!(response.header("etag"), None);
            assert!(varies_by_coding(&response));
        }
    }
}
