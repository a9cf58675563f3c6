//! Whom a request came from, as the access log has it: the connection, or what trusted proxies say, and no page either way.

use crate::support::http::compose;
use crate::support::site::{Options, Site};
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

crate::cases!(
    nobody_is_believed_unless_declared,
    trusted_proxies_are_believed,
    a_unix_socket_has_no_address_but_may_bring_one,
    no_page_reads_the_address,
);

const ARCHIVE: &str = r#"
-- site.toml --
-- routes/page.toml --
path = "/{name}"
[json]
name = "{params.name}"
path = "{request.path}"
"#;

/// What the log says of the request for `/name`.
fn client(site: &Site, name: &str, fields: &[(&str, &str)]) -> serde_json::Value {
    assert_eq!(site.request("GET", &format!("/{name}"), fields, b"").status, 200);
    logged(site, name)
}

fn logged(site: &Site, name: &str) -> serde_json::Value {
    let line = site.wait_for_access(|line| line.contains(&format!("\"/{name}\"")));
    serde_json::from_str::<serde_json::Value>(&line).unwrap()["client"].clone()
}

fn nobody_is_believed_unless_declared() {
    let site = Site::start(ARCHIVE);
    for (name, fields) in [
        ("plain", &[][..]),
        ("customary", &[("x-forwarded-for", "1.1.1.1")]),
        ("standard", &[("forwarded", "for=1.1.1.1")]),
        ("others", &[("x-real-ip", "1.1.1.1"), ("true-client-ip", "1.1.1.1"), ("cf-connecting-ip", "1.1.1.1")]),
    ] {
        assert_eq!(client(&site, name, fields), "127.0.0.1", "{name}");
    }
}

fn trusted_proxies_are_believed() {
    let site = Options::default().set("server.trusted-proxies=[\"127.0.0.0/8\", \"10.0.0.0/8\"]").start(ARCHIVE);
    for (name, fields, expected) in [
        ("plain", &[][..], "127.0.0.1"),
        ("customary", &[("x-forwarded-for", "6.6.6.6, 192.0.2.1, 10.0.0.1")], "192.0.2.1"),
        ("standard", &[("forwarded", "for=6.6.6.6, for=\"[2001:db8::1]:443\"; proto=https")], "2001:db8::1"),
        ("mapped", &[("x-forwarded-for", "::ffff:192.0.2.1")], "192.0.2.1"),
        ("malformed", &[("x-forwarded-for", "192.0.2.1, <script>")], "127.0.0.1"),
        ("both", &[("x-forwarded-for", "192.0.2.1"), ("forwarded", "for=6.6.6.6")], "127.0.0.1"),
        ("others", &[("x-real-ip", "6.6.6.6")], "127.0.0.1"),
    ] {
        assert_eq!(client(&site, name, fields), expected, "{name}");
    }
    // What is refused before it is read came from the connection.
    let mut connection = site.connect();
    connection.send("GET /bad HTTP/1.1\r\nHost: a\r\nHost: b\r\nX-Forwarded-For: 6.6.6.6\r\n\r\n").unwrap();
    assert_eq!(connection.response().unwrap().status, 400);
    assert_eq!(logged(&site, "bad"), "127.0.0.1");
}

fn a_unix_socket_has_no_address_but_may_bring_one() {
    for (trusted, expected) in [("[]", serde_json::Value::Null), ("[\"unix:\"]", "192.0.2.1".into())] {
        let folder = crate::support::site::Folder::new();
        folder.unpack(ARCHIVE);
        let path = folder.path().join("site.sock");
        let listen = format!("server.listen=[\"127.0.0.1:0\", \"unix:{}\"]", path.display());
        let options = Options::default().set(&listen).set(&format!("server.trusted-proxies={trusted}"));
        let site = options.serve(folder);
        for (name, fields, expected) in [
            ("forwarded", &[("x-forwarded-for", "192.0.2.1"), ("connection", "close")][..], &expected),
            ("plain", &[("connection", "close")], &serde_json::Value::Null),
        ] {
            let mut stream = UnixStream::connect(&path).unwrap();
            stream.write_all(&compose("GET", &format!("/{name}"), fields, b"")).unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
            assert_eq!(logged(&site, name), *expected, "{name}");
        }
    }
}

/// It is no field of `request`, so that no page can come to depend on it.
fn no_page_reads_the_address() {
    for name in ["ip", "address", "client", "remote_addr", "peer"] {
        let folder = crate::support::site::Folder::new();
        folder.unpack(&format!(
            "-- site.toml --\n-- routes/a.toml --\nlayout = \"a.html\"\n-- layouts/a.html --\n{{{{ request.{name} }}}}\n"
        ));
        let mut check = crate::support::site::binary();
        let said = check.arg("--config").arg(folder.path().join("site.toml")).arg("check").output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.status.code() == Some(1) && text.contains("name/unknown-field"), "{name}: {text}");
    }
}
