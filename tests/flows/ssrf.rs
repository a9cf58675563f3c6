//! Calls to addresses that the site has not declared: this machine, its network, the cloud's. Refused before anything is sent, however the
//! address is written, whoever names it and whatever the environment says; a server that listens there sees no connection.

use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::Response;
use crate::support::site::{Folder, Options, Site, is_root};
use std::fmt::Write as _;
use std::fs;
use std::process::Command;

crate::cases!(
    addresses_are_refused_however_they_are_written,
    what_is_no_address_does_not_load,
    names_are_refused_by_what_they_stand_for,
    redirects_lead_nowhere_private,
    proxies_of_the_environment_are_not_asked,
    no_value_of_a_request_moves_the_host,
    private_addresses_are_reached_only_as_declared,
);

/// This machine, in every way that a URL can say so, and where nobody should ever ask.
const WRITTEN: &[&str] = &[
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "0x7f.1",
    "0x7f.0.0.0x1",
    "0x7f000001",
    "0X7F000001",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "127.000.000.001",
    "0.0.0.0",
    "0",
    "0x0",
    "%31%32%37.0.0.1",
    "127%2e0%2e0%2e1",
    "①②⑦.⓪.⓪.①",
    "１２７.0.0.1",
    "127。0。0。1",
    "127｡0｡0｡1",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7f00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:1::1]",
    "[2001:0:7f00:1::]",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "any.localhost",
    "loCALhost",
    "ｌocalhost",
    "10.0.0.1",
    "10.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.257",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "169.254.43518",
    "168.63.129.16",
    "[::ffff:169.254.169.254]",
    "[64:ff9b::a9fe:a9fe]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "[febf::1]",
    "[fc00::1]",
    "[fdff::1]",
    "[fec0::1]",
    "[ff02::1]",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "198.18.0.1",
    "192.0.0.192",
    "[2001:db8::1]",
    "[100::1]",
];

/// A route for each host: `/0`, `/1`, …, all to `port`, that shows whether the source came.
fn sources<'a>(hosts: impl IntoIterator<Item = &'a str>, port: u16) -> String {
    let mut archive = "-- site.toml --\n".to_owned();
    for (number, host) in hosts.into_iter().enumerate() {
        write!(
            archive,
            "-- routes/{number}.toml --\n[sources.a]\nurl = \"http://{host}:{port}/\"\non-error = \"omit\"\nretries = 0\n\
             [json]\na = \"{{a}}\"\n"
        )
        .unwrap();
    }
    archive
}

/// Asks for `/number` and says what became of the source.
fn outcome(site: &Site, number: usize) -> (Response, String) {
    let response = site.get(&format!("/{number}"));
    let line = site.wait_for_access(|line| line.contains(&format!("\"path\":\"/{number}\"")));
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    (response, line["sources"][0]["outcome"].as_str().unwrap().to_owned())
}

fn addresses_are_refused_however_they_are_written() {
    let server = FaultServer::start();
    let site = Site::start(&sources(WRITTEN.iter().copied(), server.address().port()));
    for (number, host) in WRITTEN.iter().enumerate() {
        let (response, outcome) = outcome(&site, number);
        assert_eq!((response.status, response.text()), (200, "{\"a\":null}"), "{host}");
        assert_eq!(outcome, "refused-address", "{host}");
    }
    assert_eq!(server.connections(), 0);
    // Written as they are, `check` says so before anybody asks.
    let told = site.messages().matches("source/private-address").count();
    assert_eq!(told, WRITTEN.len());
}

fn what_is_no_address_does_not_load() {
    for host in [
        "[fe80::1%eth0]",
        "[fe80::1%25eth0]",
        "256.0.0.1",
        "127.0.0.1.1",
        "0x7g.1",
        "1.2.3.4.5",
        "4294967296",
        "0xfffffffff",
        "[::1",
        "[127.0.0.1]",
        "user@127.0.0.1",
        "example.com@127.0.0.1",
        "a b",
        "",
        "{query.host}",
        "{query.host}.example.com",
        "example.com:{query.port}",
    ] {
        let folder = Folder::new();
        folder.unpack(&format!(
            "-- site.toml --\n-- routes/a.toml --\nquery.host = {{}}\nquery.port = {{}}\n[sources.a]\nurl = \"http://{host}/\"\n[json]\na = \"{{a}}\"\n"
        ));
        let mut check = crate::support::site::binary();
        let said = check.arg("--config").arg(folder.path().join("site.toml")).arg("check").output().unwrap();
        let text = String::from_utf8_lossy(&said.stdout).into_owned();
        assert!(said.status.code() == Some(1) && text.contains("source/bad-address"), "{host}: {text}");
    }
}

/// Names in a hosts file of this one process.
fn names_are_refused_by_what_they_stand_for() {
    if !is_root() || !Command::new("unshare").args(["-m", "true"]).status().is_ok_and(|status| status.success()) {
        println!("skipped: needs root");
        return;
    }
    let names = [
        ("loopback.test", "127.0.0.1"),
        ("loopback6.test", "::1"),
        ("mapped.test", "::ffff:127.0.0.1"),
        ("translated.test", "64:ff9b::7f00:1"),
        ("tunnelled.test", "2002:7f00:1::"),
        ("here.test", "0.0.0.0"),
        ("private.test", "10.0.0.1"),
        ("shared.test", "100.64.0.1"),
        ("metadata.test", "169.254.169.254"),
        ("unique.test", "fd00:ec2::254"),
        ("link.test", "fe80::1"),
    ];
    let server = FaultServer::start();
    let folder = Folder::new();
    folder.unpack(&sources(
        names.iter().map(|(name, _)| *name).chain(["LOOPBACK.test", "loopback.test."]),
        server.address().port(),
    ));
    let hosts = names.map(|(name, address)| format!("{address} {name}")).join("\n");
    fs::write(folder.path().join("hosts"), hosts).unwrap();
    let mount = format!("mount --bind {} /etc/hosts && exec \"$@\"", folder.path().join("hosts").display());
    let site = Options::default().under(&["unshare", "-m", "sh", "-c", &mount, "sh"]).serve(folder);
    for number in 0..names.len() + 2 {
        let (response, outcome) = outcome(&site, number);
        assert_eq!((response.status, response.text()), (200, "{\"a\":null}"), "{number}");
        assert_eq!(outcome, "refused-address", "{number}: {:?}", names.get(number));
    }
    assert_eq!(server.connections(), 0);
}

fn redirects_lead_nowhere_private() {
    let (public, private) = (FaultServer::start(), FaultServer::start());
    let mut archive = "-- site.toml --\n".to_owned();
    let statuses = [301, 302, 303, 307, 308];
    for (number, status) in statuses.iter().enumerate() {
        let reply = Reply::json("{}").status(*status).header("location", &private.url("/secret"));
        public.put(&format!("/{status}"), reply);
        write!(
            archive,
            "-- routes/{number}.toml --\n[sources.a]\nurl = \"{}\"\nallow-private = true\non-error = \"omit\"\nretries = 0\n\
             [json]\na = \"{{a}}\"\n",
            public.url(&format!("/{status}"))
        )
        .unwrap();
    }
    let site = Site::start(&archive);
    for (number, status) in statuses.iter().enumerate() {
        assert_eq!(outcome(&site, number).0.text(), "{\"a\":null}", "{status}");
        assert_eq!(public.calls(&format!("/{status}")), 1);
    }
    assert_eq!(private.connections(), 0);
}

fn proxies_of_the_environment_are_not_asked() {
    let (server, proxy) = (FaultServer::start(), FaultServer::start());
    let mut options = Options::default();
    for name in ["http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"] {
        options = options.env(name, &proxy.url(""));
    }
    options = options.env("no_proxy", "").env("REQUEST_METHOD", "GET");
    let site = options.start(&format!(
        "-- site.toml --\n-- routes/0.toml --\n[sources.a]\nurl = \"{}\"\nallow-private = true\nextract.path = \"$.path\"\n\
         [json]\na = \"{{a.path}}\"\n-- routes/1.toml --\n[sources.a]\nurl = \"http://169.254.169.254/\"\non-error = \"omit\"\n\
         [json]\na = \"{{a}}\"\n-- routes/2.toml --\n[sources.a]\nurl = \"https://name.invalid/\"\non-error = \"omit\"\n\
         retries = 0\n[json]\na = \"{{a}}\"\n",
        server.url("/echo")
    ));
    assert_eq!(outcome(&site, 0).0.text(), "{\"a\":\"/echo\"}");
    assert_eq!(outcome(&site, 1).1, "refused-address");
    assert_eq!(outcome(&site, 2).0.text(), "{\"a\":null}");
    assert_eq!((server.total_calls(), proxy.connections()), (1, 0));
}

fn no_value_of_a_request_moves_the_host() {
    let (server, other) = (FaultServer::start(), FaultServer::start());
    let site = Site::start(&format!(
        "-- site.toml --\n[upstreams.up]\nbase-url = \"{0}\"\nallow-private = true\nretries = 0\n\
         -- routes/rest.toml --\npath = \"/rest/{{*v}}\"\n[sources.a]\nupstream = \"up\"\npath = \"/{{params.v}}\"\non-error = \"omit\"\n\
         on-not-found = \"omit\"\n[json]\na = \"{{a}}\"\n\
         -- routes/query.toml --\nquery.v = {{}}\n[sources.a]\nupstream = \"up\"\npath = \"/{{query.v}}\"\non-error = \"omit\"\n\
         on-not-found = \"omit\"\n[json]\na = \"{{a}}\"\n\
         -- routes/behind.toml --\nquery.v = {{}}\n[sources.a]\nurl = \"{0}/x{{query.v}}\"\non-error = \"omit\"\non-not-found = \"omit\"\n\
         allow-private = true\n[json]\na = \"{{a}}\"\n",
        server.url("")
    ));
    let host = other.address();
    for value in [
        format!("@{host}/"),
        format!("/{host}/"),
        format!("//{host}/"),
        format!("http://{host}/"),
        format!(":80@{host}"),
        format!("\\\\{host}\\"),
        format!("..//{host}"),
        format!("?@{host}"),
        format!("#@{host}"),
        format!("%0d%0aHost:{host}"),
        format!("\r\nHost: {host}"),
        format!(".{host}"),
    ] {
        let coded = value.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
        for target in [format!("/rest/{coded}"), format!("/query?v={coded}"), format!("/behind?v={coded}")] {
            let mut response = site.get(&target);
            if let Some(location) = response.header("location").map(str::to_owned) {
                assert!(location.starts_with("/rest/"), "{location}");
                response = site.get(&location);
            }
            assert!(matches!(response.status, 200 | 400 | 404), "{target}: {}", response.status);
        }
    }
    assert_eq!(other.connections(), 0);
}

fn private_addresses_are_reached_only_as_declared() {
    let server = FaultServer::start();
    let url = server.url("/json/items");
    let source = |allow: &str| {
        format!("[sources.a]\nurl = \"{url}\"\n{allow}\non-error = \"omit\"\nretries = 0\n[json]\na = \"{{a}}\"\n")
    };
    let site = Site::start(&format!(
        "-- site.toml --\n[upstreams.up]\nbase-url = \"{}\"\nallow-private = true\nretries = 0\n\
         -- routes/0.toml --\n{}-- routes/1.toml --\n{}-- routes/2.toml --\n{}\
         -- routes/3.toml --\n[sources.a]\nupstream = \"up\"\npath = \"/json/items\"\nallow-private = false\non-error = \"omit\"\n\
         [json]\na = \"{{a}}\"\n-- routes/4.toml --\n[sources.a]\nupstream = \"up\"\npath = \"/json/items\"\n[json]\na = \"{{a}}\"\n",
        server.url(""),
        source(""),
        source("allow-private = false"),
        source("allow-private = true"),
    ));
    for (number, reached) in [(0, false), (1, false), (2, true), (3, false), (4, true), (0, false)] {
        assert_eq!(outcome(&site, number).0.text() != "{\"a\":null}", reached, "{number}");
    }
    assert_eq!(server.total_calls(), 2, "what one source may, another may not");
}
