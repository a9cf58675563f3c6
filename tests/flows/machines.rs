//! Upstreams that run on several machines.

use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::site::{Options, Site};
use std::net::SocketAddr;

crate::cases!(each_machine_gets_its_share, a_machine_that_is_gone_costs_nothing_but_a_look, explain_tells_the_machines);

fn start(addresses: &[SocketAddr]) -> Site {
    let addresses: Vec<_> = addresses.iter().map(|address| format!("\"{address}\"")).collect();
    Options::default().start(&format!(
        "-- site.toml --\n[admin]\nlisten = \"127.0.0.1:0\"\n[upstreams.shop]\nbase-url = \"http://shop.example/api\"\naddresses = [{}]\nallow-private = true\nretries = 0\n\
         -- routes/index.toml --\njson = \"{{a.name}}\"\n[query.n]\n[sources.a]\nupstream = \"shop\"\npath = \"/it\"\nquery = {{ n = \"{{query.n}}\" }}\n",
        addresses.join(", ")
    ))
}

fn machine(name: &str) -> FaultServer {
    let fault = FaultServer::start();
    fault.put("/api/it", Reply::json(format!("{{\"name\":\"{name}\"}}")));
    fault
}

fn each_machine_gets_its_share() {
    let (a, b) = (machine("a"), machine("b"));
    let site = start(&[a.address(), b.address()]);
    for n in 0..20 {
        let response = site.get(&format!("/?n={n}"));
        let name = response.text();
        assert!(["\"a\"", "\"b\""].contains(&name.trim()), "{name}");
    }
    assert_eq!((a.calls("/api/it"), b.calls("/api/it")), (10, 10));
    for request in a.requests("/api/it").iter().chain(&b.requests("/api/it")) {
        assert_eq!(request.header("host"), Some("shop.example"));
    }
}

fn a_machine_that_is_gone_costs_nothing_but_a_look() {
    let (a, gone) = (machine("a"), FaultServer::refusing());
    let site = start(&[gone, a.address()]);
    for n in 0..10 {
        assert_eq!(site.get(&format!("/?n={n}")).text().trim(), "\"a\"");
    }
    let metrics = super::admin::metrics(&site);
    assert!(metrics.contains(&format!("siteserver_upstream_address_aside{{upstream=\"shop\",address=\"{gone}\"}} ")));
    let well = format!("siteserver_upstream_address_aside{{upstream=\"shop\",address=\"{}\"}} 0\n", a.address());
    assert!(metrics.contains(&well), "{metrics}");
}

fn explain_tells_the_machines() {
    let a = machine("a");
    let site = start(&[a.address()]);
    let (_, told, _) = super::explain::run(site.folder().path(), &[], &["/"]);
    assert!(told.contains(&format!("at one of: {}", a.address())), "{told}");
    assert_eq!(a.total_calls(), 0);
}
