//! Routes of the same site as sources of others: what they answer, and what of them holds for who asks.

use super::site;
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use serde_json::json;

crate::cases!(
    a_route_is_asked_with_its_inputs,
    what_the_route_reads_is_read_by_who_asks,
    the_outcomes_of_a_route_are_the_troubles_of_its_source,
    no_value_chooses_another_route,
    a_route_of_the_same_host_is_asked,
    a_route_is_asked_however_its_path_is_spelled,
    a_page_without_a_part_of_a_route_is_degraded,
    an_edited_route_changes_the_pages_that_ask_it,
);

const PRODUCT: &str = "-- routes/api/product.toml --\npath = \"/api/products/{id}\"\njson = { id = \"{params.id}\", language = \"{query.language}\", path = \"{page.path}\", title = \"{product.items}\" }\n\
     [params.id]\ntype = \"int\"\n[query.language]\ndefault = \"en\"\n\
     [sources.product]\nupstream = \"up\"\npath = \"/json/items\"\nquery = { n = \"{params.id}\" }\nextract.items = \"$.total\"\n";

fn a_route_is_asked_with_its_inputs() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        &format!(
            "{PRODUCT}-- routes/index.toml --\nlayout = \"page.html\"\n[query.id]\n[query.language]\n\
             [sources.product]\nroute = \"/api/products/{{query.id}}\"\nquery = {{ language = \"{{query.language}}\" }}\noptional = true\n\
             [sources.taken]\nroute = \"/api/products/7/\"\nextract.n = {{ select = \"$.id\", type = \"int\" }}\n\
             -- layouts/page.html --\n{{{{ product.id }}}} {{{{ product.language }}}} {{{{ product.path }}}} {{{{ product.title }}}} {{{{ taken.n }}}}\n"
        ),
    );
    assert_eq!(site.get("/?id=3").text().trim(), "3 en /api/products/3 3 7");
    assert_eq!(site.get("/?id=3&language=fr").text().trim(), "3 fr /api/products/3 3 7");
    assert_eq!(site.get("/").text().trim(), "7");
    assert_eq!(site.get("/?id=x").text().trim(), "7", "a value of another type is the route's 404");
    assert_eq!(fault.total_calls(), 6);
}

fn what_the_route_reads_is_read_by_who_asks() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/me.toml --\njson = \"{me.headers.cookie}\"\n[sources.me]\nupstream = \"up\"\npath = \"/echo\"\nforward-cookies = [\"session\"]\n\
         -- routes/theme.toml --\njson = [\"{cookies.theme}\", \"{request.headers.accept-language}\"]\n[cookies.theme]\nenum = [\"dark\", \"light\"]\ndefault = \"light\"\n\
         -- routes/between.toml --\njson = \"{theme}\"\n[sources.theme]\nroute = \"/theme\"\n\
         -- routes/page.toml --\njson = \"{between}\"\ncache = { s-maxage = \"1h\" }\n[sources.between]\nroute = \"/between\"\n\
         -- routes/mine.toml --\njson = \"{me}\"\n[sources.me]\nroute = \"/me\"\n",
    );
    let get = |target: &str, headers: &[(&str, &str)]| site.request("GET", target, headers, b"");
    let mine = get("/mine", &[("cookie", "session=a; other=b")]);
    assert_eq!((mine.json(), mine.header("cache-control")), (json!("session=a"), Some("private, no-store")));
    assert_eq!(get("/mine", &[("cookie", "session=b")]).json(), json!("session=b"));

    let page = get("/page", &[("cookie", "theme=dark; session=x"), ("accept-language", "fr")]);
    assert_eq!(page.json(), json!(["dark", "fr"]));
    let vary = page.header("vary").unwrap_or_default().to_ascii_lowercase();
    assert!(vary.contains("cookie") && vary.contains("accept-language"), "{vary}");
    assert_eq!(get("/page", &[("cookie", "theme=light"), ("accept-language", "fr")]).json(), json!(["light", "fr"]));
    assert_eq!(get("/page", &[("cookie", "theme=dark"), ("accept-language", "de")]).json(), json!(["dark", "de"]));
    let again = get("/page", &[("cookie", "theme=dark"), ("accept-language", "fr")]);
    assert_eq!(again.json(), json!(["dark", "fr"]));
    assert!(
        again.header("cache-status").is_some_and(|status| status.contains("hit")),
        "{:?}",
        again.header("cache-status")
    );
}

fn the_outcomes_of_a_route_are_the_troubles_of_its_source() {
    let fault = FaultServer::start();
    let page = |name: &str, more: &str| {
        format!(
            "-- routes/{name}.toml --\npath = \"/{name}/{{fault}}\"\njson = \"{{a}}\"\n[sources.a]\nroute = \"/inner/{{params.fault}}\"\n{more}\n"
        )
    };
    let files = [
        "-- routes/inner.toml --\npath = \"/inner/{fault}\"\njson = \"{a.status}\"\n[sources.a]\nupstream = \"up\"\npath = \"/status/{params.fault}\"\nforward-headers = [\"authorization\"]\n\
         [[rules]]\nif = \"a.status == 201\"\nthen = { status = 410 }\n[[rules]]\nif = \"a.status == 202\"\nthen = { redirect = \"/x\" }\n"
            .to_owned(),
        page("strict", ""),
        page("optional", "optional = true"),
        page("fallback", "fallback = \"instead\""),
        page("login", "on-unauthorized = { redirect = \"/login\" }"),
        "-- routes/late.toml --\njson = \"{a}\"\n[sources.a]\nroute = \"/silent\"\n\
         -- routes/silent.toml --\ndeadline = \"200ms\"\njson = \"{a}\"\n[sources.a]\nupstream = \"up\"\npath = \"/silent\"\n\
         -- routes/gone.toml --\njson = \"{a}\"\n[sources.a]\nroute = \"/always-gone\"\n\
         -- routes/always-gone.toml --\njson = 1\nstatus = 404\n"
            .to_owned(),
    ];
    let site = site(&fault, &files.concat());
    for (target, status) in [
        ("/strict/200", 200),
        ("/strict/404", 404),
        ("/strict/500", 502),
        ("/strict/401", 401),
        ("/strict/403", 403),
        ("/strict/201", 404),
        ("/strict/202", 502),
        ("/login/401", 302),
        ("/fallback/401", 401),
        ("/late", 504),
        ("/gone", 404),
    ] {
        assert_eq!(site.request("GET", target, &[("authorization", "x")], b"").status, status, "{target}");
    }
    for fault in ["404", "500", "401", "201"] {
        assert_eq!(site.get(&format!("/optional/{fault}")).text().trim(), "null", "{fault}");
    }
    for fault in ["404", "500", "202"] {
        assert_eq!(site.get(&format!("/fallback/{fault}")).json(), json!("instead"), "{fault}");
    }
}

/// The source means the route with the parameter, whatever stands in it.
fn no_value_chooses_another_route() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/one.toml --\npath = \"/api/{id}\"\njson = { one = \"{params.id}\" }\n\
         -- routes/secret.toml --\npath = \"/api/secret\"\njson = { secret = true }\n\
         -- routes/deeper.toml --\npath = \"/api/{id}/secret\"\njson = { secret = true }\n\
         -- routes/index.toml --\njson = \"{a}\"\n[query.id]\n[sources.a]\nroute = \"/api/{query.id}\"\n[sources.a.extract]\none = \"$.one\"\n",
    );
    assert_eq!(site.get("/?id=a%20b%25").json(), json!({ "one": "a b%" }));
    for id in ["secret", "x/secret", "..", ".", "x%2Fsecret", "%2e%2e", "a%0d%0ab", "a%00b", ""] {
        let response = site.get(&format!("/?id={id}"));
        assert!(!response.text().contains("true"), "{id}: {}", response.text());
    }
    assert_eq!(site.get("/?id=secret").status, 404);
}

fn a_route_of_the_same_host_is_asked() {
    let fault = FaultServer::start();
    let of = |host: &str| {
        format!(
            "-- routes/{host}/api.toml --\npath = \"/api\"\nhost = \"{host}.example\"\njson = \"{host}\"\n\
             -- routes/{host}/page.toml --\npath = \"/page\"\nhost = \"{host}.example\"\njson = \"{{api}}\"\n[sources.api]\nroute = \"/api\"\n"
        )
    };
    let site = site(&fault, &format!("{}{}", of("a"), of("b")));
    for host in ["a", "b"] {
        let response = site.request("GET", "/page", &[("host", &format!("{host}.example"))], b"");
        assert_eq!(response.json(), json!(host));
    }
}

fn a_route_is_asked_however_its_path_is_spelled() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/cafe.toml --\npath = \"/caf\u{e9}/{id}\"\njson = \"{params.id}\"\n\
         -- routes/plain.toml --\njson = \"{a}\"\n[query.id]\ndefault = \"1\"\n[sources.a]\nroute = \"/caf\u{e9}/{query.id}\"\n\
         -- routes/escaped.toml --\njson = \"{a}\"\n[sources.a]\nroute = \"/caf%c3%A9/2\"\n",
    );
    assert_eq!(site.get("/caf%C3%A9/7").json(), json!("7"));
    assert_eq!(site.get("/plain").json(), json!("1"));
    assert_eq!(site.get("/plain?id=%C3%BC").json(), json!("\u{fc}"));
    assert_eq!(site.get("/escaped").json(), json!("2"));
}

fn a_page_without_a_part_of_a_route_is_degraded() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/inner.toml --\njson = { a = \"{a.total}\" }\n[sources.a]\nupstream = \"up\"\npath = \"/it\"\nfallback = { total = 0 }\n\
         -- routes/index.toml --\nlayout = \"page.html\"\ncache = { s-maxage = \"1h\" }\n[sources.inner]\nroute = \"/inner\"\n\
         -- layouts/page.html --\n{{ inner.a }}[{{ degraded | join: \" \" }}]\n",
    );
    fault.put("/it", Reply::json("{}").status(500));
    let page = site.get("/");
    assert_eq!((page.text().trim(), page.header("cache-control")), ("0[inner]", Some("no-store")));
    fault.put("/it", Reply::json("{\"total\":5}"));
    assert_eq!(site.get("/").text().trim(), "5[]");
    fault.put("/it", Reply::json("{}").status(500));
    assert_eq!(site.get("/").text().trim(), "5[]", "the good page is kept");
}

fn an_edited_route_changes_the_pages_that_ask_it() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/inner.toml --\njson = { a = 1 }\n-- routes/index.toml --\njson = \"{inner.a}\"\ncache = { s-maxage = \"1h\" }\n[sources.inner]\nroute = \"/inner\"\n",
    );
    assert_eq!(site.get("/").json(), json!(1));
    site.folder().write("routes/inner.toml", "json = { a = 2 }\n");
    super::until(&site, "/", |response| response.json() == json!(2));
}
