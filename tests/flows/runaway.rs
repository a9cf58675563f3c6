//! Layouts and data that would never end cost their own page: an error in bounded memory, while other pages are served.

use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::site::Site;
use std::fmt::Write as _;
use std::fs;

crate::cases!(what_never_ends_costs_its_own_page, a_layout_of_ten_megabytes_is_refused_and_others_are_served);

/// Layouts without end on data that is large, and what they would take.
const LAYOUTS: [(&str, &str); 10] = [
    ("loops", "{% for i in (1..1000000000) %}{{ i }}{% endfor %}"),
    (
        "loops-within",
        "{% for a in (1..9999) %}{% for b in (1..9999) %}{% for c in (1..9999) %}{% endfor %}{% endfor %}{% endfor %}",
    ),
    ("asked", "{% for i in (1..query.n) %}{{ data.text }}{% endfor %}"),
    ("doubling", "{% assign a = data.text %}{% for i in (1..99) %}{% assign a = a | append: a %}{% endfor %}{{ a }}"),
    (
        "captures",
        "{% capture a %}xx{% endcapture %}{% for i in (1..99) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}{{ a }}",
    ),
    ("reading", "{% for i in (1..99999) %}{% if data.text contains 'zz' %}{% endif %}{% endfor %}"),
    (
        "vast",
        "{% assign l = data.list %}{% for i in (1..40) %}{% assign l = l | group_by: 'x' %}{% assign l = l | concat: l %}{% endfor %}{{ l | json }}",
    ),
    (
        "lists",
        "{% assign l = data.list %}{% for i in (1..99) %}{% assign l = l | concat: l %}{% endfor %}{{ l | sort: 'x' | size }}",
    ),
    ("items", "{{ (1..1000000000) | join: data.text }}"),
    ("calls", "{% render 'deep' %}"),
];

fn what_never_ends_costs_its_own_page() {
    let fault = FaultServer::start();
    let list: Vec<String> = (0..2000).map(|at| format!("{{\"x\":{at}}}")).collect();
    let body = format!("{{\"text\":\"{}\",\"list\":[{}]}}", "a ".repeat(400_000), list.join(","));
    fault.put("/data", Reply::json(body));
    let mut archive = format!(
        "-- site.toml --\n[limits]\ndeadline = \"5m\"\n[upstreams.up]\nbase-url = \"{}\"\nallow-private = true\n-- routes/plain.toml --\npath = \"/plain\"\njson = {{ ok = true }}\n\
         -- layouts/partials/deep.html --\n{{% for i in (1..9) %}}{{% render 'deeper' %}}{{% endfor %}}\n-- layouts/partials/deeper.html --\n{}\n",
        fault.url("/"),
        "{% for i in (1..999) %}{% for j in (1..999) %}{% render 'leaf' %}{% endfor %}{% endfor %}"
    );
    archive.push_str("-- layouts/partials/leaf.html --\nx\n");
    for (name, layout) in LAYOUTS {
        write!(archive,
            "-- layouts/{name}.html --\n{layout}\n-- routes/{name}.toml --\npath = \"/{name}\"\nlayout = \"{name}.html\"\n\
             [query.n]\ntype = \"int\"\ndefault = 1000000000\n[query.to]\n[sources.data]\nupstream = \"up\"\npath = \"/data\"\nquery = {{ to = \"{{query.to}}\" }}\n"
        ).unwrap();
    }
    let site = Site::start(&archive);
    // Different pages, lest they be one.
    let mut clients: Vec<_> = (0..3).flat_map(|to| LAYOUTS.map(|(name, _)| (name, to, site.connect()))).collect();
    for (name, to, client) in &mut clients {
        client.send(format!("GET /{name}?to={to} HTTP/1.1\r\nHost: localhost\r\n\r\n")).unwrap();
    }
    for _ in 0..20 {
        assert_eq!(site.get("/plain").status, 200);
    }
    let ended = site.messages().matches("a page cannot be made").count();
    assert!(ended < clients.len(), "the others were not waited for");
    for (name, _, client) in &mut clients {
        assert_eq!(client.response().unwrap().status, 500, "{name}");
        let place = if *name == "calls" {
            "layouts/partials/deeper.html:1:".to_owned()
        } else {
            format!("layouts/{name}.html:1:")
        };
        site.wait_for_message(|line| line.contains("a page cannot be made") && line.contains(&place));
    }
    let status = fs::read_to_string(format!("/proc/{}/status", site.process())).unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the peak of the memory");
    let peak: usize = peak.trim().trim_end_matches(" kB").parse().unwrap();
    assert!(peak < 512 << 10, "{} MiB", peak >> 10);
}

fn a_layout_of_ten_megabytes_is_refused_and_others_are_served() {
    let site = Site::start(
        "-- site.toml --\n-- layouts/page.html --\n<p>{{ page.title }}</p>\n-- routes/x.toml --\npath = \"/x\"\ntitle = \"Fine\"\nlayout = \"page.html\"\n",
    );
    assert!(site.get("/x").text().contains("Fine"));
    let large = "<p>{{ page.title | append: 'b' }}</p>\n".repeat((10 << 20) / 38);
    site.folder().write("layouts/page.html", &large);
    site.wait_for_message(|messages| messages.contains("layouts/page.html"));
    assert!(site.get("/x").text().contains("<p>Fine</p>"), "the last good state answers");
}
