//! What calls send besides their address, how their answers are read, and how often they are made.

use super::site;
use crate::support::answers::{Delivery, Reply};
use crate::support::fault::FaultServer;
use serde_json::{Value, json};

crate::cases!(
    bodies_are_typed_and_encoded,
    a_graphql_answer_is_its_data,
    a_graphql_answer_with_errors_is_kept_by_nobody,
    an_answer_is_read_in_its_format,
    a_page_of_html_is_never_data,
    a_reading_post_is_retried_and_shared_like_a_get,
    what_may_change_something_is_called_once_for_each_page,
    an_upstream_that_asks_for_patience_is_left_alone,
    what_is_said_to_one_visitor_is_said_to_nobody_else,
    a_credential_that_is_written_is_the_visitors_too,
);

/// A JSON route at `/NAME` that shows its one source `a`.
fn route(name: &str, source: &str) -> String {
    format!(
        "-- routes/{name}.toml --\njson = \"{{a}}\"\n[query.q]\n[query.n]\ntype = \"int\"\n[query.tag]\nrepeat = true\n[sources.a]\nupstream = \"up\"\n{source}\n"
    )
}

fn bodies_are_typed_and_encoded() {
    let fault = FaultServer::start();
    let files = [
        route(
            "json",
            "path = \"/echo\"\nsafe = true\nbody = { q = \"{query.q}\", n = \"{query.n}\", said = \"n is {query.n}\", tags = \"{query.tag}\", deep = [{ \"on\" = true }] }",
        ),
        route("list", "path = \"/echo\"\nsafe = true\nbody = [1, \"{query.n}\"]"),
        route(
            "form",
            "path = \"/echo\"\nsafe = true\nform = { q = \"{query.q}\", tag = \"{query.tag}\", fixed = [\"a b\", 2] }",
        ),
        route("text", "path = \"/echo\"\nsafe = true\ntext = \"say {query.q}!\""),
        route(
            "typed",
            "path = \"/echo\"\nmethod = \"PUT\"\nsafe = true\nheaders = { content-type = \"application/vnd.mine+json\" }\nbody = {}",
        ),
        route("bare", "path = \"/echo\"\nmethod = \"DELETE\""),
    ];
    let site = site(&fault, &files.concat());
    let sent = |target: &str| site.get(target).json();
    let body = |echo: &Value| serde_json::from_str::<Value>(echo["body"].as_str().unwrap()).unwrap();

    let echo = sent("/json?q=%22%7Bx%7D%0a&n=7&tag=a&tag=b");
    assert_eq!((&echo["method"], &echo["headers"]["content-type"]), (&json!("POST"), &json!("application/json")));
    let expected = json!({ "q": "\"{x}\n", "n": 7, "said": "n is 7", "tags": ["a", "b"], "deep": [{ "on": true }] });
    assert_eq!(body(&echo), expected);
    assert_eq!(body(&sent("/json"))["q"], Value::Null);
    assert_eq!(body(&sent("/list?n=5")), json!([1, 5]));

    let echo = sent("/form?q=a%26b%3Dc%20%C3%A9&tag=x&tag=y");
    assert_eq!(echo["headers"]["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(echo["body"], "q=a%26b%3Dc%20%C3%A9&tag=x&tag=y&fixed=a%20b&fixed=2");
    assert_eq!(sent("/form")["body"], "fixed=a%20b&fixed=2");

    let echo = sent("/text?q=hello");
    assert_eq!(
        (&echo["headers"]["content-type"], &echo["body"]),
        (&json!("text/plain; charset=utf-8"), &json!("say hello!"))
    );

    let echo = sent("/typed");
    assert_eq!(
        (&echo["method"], &echo["headers"]["content-type"]),
        (&json!("PUT"), &json!("application/vnd.mine+json"))
    );
    let echo = sent("/bare");
    assert_eq!((&echo["method"], &echo["body"]), (&json!("DELETE"), &json!("")));
}

fn a_graphql_answer_is_its_data() {
    let fault = FaultServer::start();
    let graphql = "graphql = '''query ($id: Int) { item(id: $id) { name } }'''\nvariables = { id = \"{query.n}\" }";
    let files = [
        route("echo", &format!("path = \"/graphql\"\nextract.name = \"$.item.name\"\n{graphql}")),
        route(
            "fallback",
            &format!(
                "path = \"/graphql\"\nextract.name = \"$.item.name\"\nfallback = {{ name = \"nobody\" }}\n{graphql}"
            ),
        ),
    ];
    let site = site(&fault, &files.concat());
    let answers = |answer: &str| fault.put("/graphql", Reply::json(answer));
    answers("{\"data\":{\"item\":{\"name\":\"x\"}}}");
    assert_eq!(site.get("/echo?n=3").json(), json!({ "name": "x" }));
    let call = fault.requests("/graphql").pop().unwrap();
    let sent: Value = serde_json::from_slice(&call.body).unwrap();
    assert_eq!(sent, json!({ "query": "query ($id: Int) { item(id: $id) { name } }", "variables": { "id": 3 } }));
    assert_eq!((call.method.as_str(), call.header("content-type")), ("POST", Some("application/json")));
    assert!(call.header("accept").is_some_and(|accept| accept.contains("application/graphql-response+json")));

    answers("{\"data\":{\"item\":{\"name\":\"part\"}},\"errors\":[{\"message\":\"secret inside\"}]}");
    let page = site.get("/echo");
    assert_eq!((page.status, page.json()), (200, json!({ "name": "part" })));
    site.wait_for_message(|line| line.contains("data and errors"));
    assert!(!site.messages().contains("secret inside"));
    for answer in
        ["{\"errors\":[{\"message\":\"no\"}]}", "{\"data\":null,\"errors\":[{}]}", "{\"data\":null}", "{}", "[]", "1"]
    {
        answers(answer);
        assert_eq!(site.get("/echo").status, 502, "{answer}");
        assert_eq!(site.get("/fallback").json(), json!({ "name": "nobody" }), "{answer}");
    }
}

/// What is missing from it is not known to be missing for long.
fn a_graphql_answer_with_errors_is_kept_by_nobody() {
    let fault = FaultServer::start();
    let site = site(
        &fault,
        "-- routes/index.toml --\nlayout = \"page.html\"\ncache = { s-maxage = \"1h\" }\n[sources.a]\nupstream = \"up\"\npath = \"/graphql\"\n\
         graphql = \"{ name }\"\nextract.name = \"$.name\"\n\
         -- routes/each.toml --\njson = \"{a}\"\n[vars]\nids = [1, 2]\n[sources.a]\nupstream = \"up\"\npath = \"/graphql\"\nquery = { id = \"{item}\" }\n\
         for-each = \"{vars.ids}\"\nmax-items = 2\ngraphql = \"{ name }\"\n\
         -- layouts/page.html --\n{{ a.name }}[{{ degraded | join: \" \" }}]\n",
    );
    fault.put("/graphql", Reply::json("{\"data\":{\"name\":\"part\"},\"errors\":[{}]}"));
    for _ in 0..2 {
        let page = site.get("/");
        assert_eq!((page.status, page.text().trim()), (200, "part[a]"));
        assert_eq!((page.header("cache-control"), page.header("etag")), (Some("no-store"), None));
    }
    assert_eq!(fault.calls("/graphql"), 2);
    assert_eq!(site.get("/each").header("cache-control"), Some("no-store"));
    fault.put("/graphql", Reply::json("{\"data\":{\"name\":\"all\"},\"errors\":[]}"));
    assert_eq!(site.get("/").text().trim(), "all[]");
    fault.put("/graphql", Reply::json("{\"data\":{\"name\":\"part\"},\"errors\":[{}]}"));
    assert_eq!(site.get("/").text().trim(), "all[]", "the good page is kept");
}

fn an_answer_is_read_in_its_format() {
    let fault = FaultServer::start();
    let files = [
        route("text", "path = \"/it\"\nformat = \"text\""),
        route("csv", "path = \"/it\"\nformat = \"csv\"\nextract.names = \"$[*].name\""),
        route("yaml", "path = \"/it\"\nformat = \"yaml\"\nextract = \"$.list\""),
        route("xml", "path = \"/it\"\nformat = \"xml\""),
        "-- routes/html.toml --\nlayout = \"html.html\"\n[sources.a]\nupstream = \"up\"\npath = \"/it\"\nformat = \"html\"\n-- layouts/html.html --\n<main>{{ a }}</main>\n".to_owned(),
    ];
    let site = site(&fault, &files.concat());
    let get = |page: &str, reply: Reply| {
        fault.put("/it", reply);
        site.get(page)
    };
    assert_eq!(get("/text", Reply::of("text/plain; charset=iso-8859-1", b"gr\xfcn".as_slice())).json(), json!("grün"));
    assert_eq!(
        get("/text", Reply::of("text/plain; charset=utf-16", b"\xff\xfeg\0\xfc\0".as_slice())).json(),
        json!("gü")
    );
    assert_eq!(get("/text", Reply::of("text/plain; charset=ebcdic", "x")).status, 502);
    assert_eq!(get("/csv", Reply::of("text/csv", "name,n\nA,1\nB,2\n")).json(), json!({ "names": ["A", "B"] }));
    assert_eq!(get("/yaml", Reply::of("application/yaml", "list: [a, b]\n")).json(), json!(["a", "b"]));
    assert_eq!(get("/yaml", Reply::of("application/yaml", "list: [a, b\n")).status, 502);
    assert_eq!(get("/xml", Reply::of("application/xml", "<a><b>1</b></a>")).status, 200);
    assert_eq!(get("/xml", Reply::of("application/xml", "<a><b>1</a>")).status, 502);
    let page = get(
        "/html",
        Reply::of("text/html; charset=utf-8", "<p onclick=\"x()\">Hi <script>alert(1)</script><b>you</b></p>"),
    );
    assert_eq!(page.text().trim(), "<main><p>Hi <b>you</b></p></main>");
    for accept in ["text/csv", "text/html", "application/yaml"] {
        assert!(
            fault.requests("/it").iter().any(|call| call.header("accept").is_some_and(|sent| sent.starts_with(accept)))
        );
    }
}

/// A login page with status 200, as careless proxies send it.
fn a_page_of_html_is_never_data() {
    let fault = FaultServer::start();
    let formats = ["json", "text", "csv", "yaml"];
    let files: Vec<_> =
        formats.iter().map(|format| route(format, &format!("path = \"/it\"\nformat = \"{format}\""))).collect();
    let site = site(&fault, &files.concat());
    let login = "<!DOCTYPE html><title>Please log in</title>";
    for media_type in ["text/html; charset=utf-8", "TEXT/HTML", "application/xhtml+xml", ""] {
        let mut reply = Reply::of(media_type, login);
        reply.headers.retain(|(_, value)| !value.is_empty());
        fault.put("/it", reply);
        for format in formats.iter().filter(|format| !media_type.is_empty() || **format == "json") {
            assert_eq!(site.get(&format!("/{format}")).status, 502, "{format} {media_type}");
            site.wait_for_access(|line| line.contains(&format!("/{format}")) && line.contains("unexpected-html"));
        }
    }
    // JSON is JSON, whatever it is called.
    for media_type in
        ["text/json", "application/problem+json", "text/plain", "text/html", "application/json; charset=utf-8"]
    {
        fault.put("/it", Reply::of(media_type, "{\"a\":1}"));
        assert_eq!(site.get("/json").json(), json!({ "a": 1 }), "{media_type}");
    }
}

fn a_reading_post_is_retried_and_shared_like_a_get() {
    let fault = FaultServer::start();
    let files = [
        route("search", "path = \"/flaky/1/echo\"\nretries = 1\nsafe = true\nbody = { q = 1 }"),
        route("both", "path = \"/gate/hold/echo\"\nsafe = true\nbody = { q = \"{query.q}\" }"),
    ];
    let site = site(&fault, &files.concat());
    assert_eq!(site.get("/search").json()["body"], "{\"q\":1}");
    assert_eq!(fault.calls("/flaky/1/echo"), 2);
    let ask = |q: &str| {
        let mut client = site.connect();
        client.send(format!("GET /both?q={q} HTTP/1.1\r\nHost: localhost\r\n\r\n")).unwrap();
        client
    };
    let mut same: Vec<_> = (0..3).map(|_| ask("same")).collect();
    fault.wait_for("/gate/hold/echo", 1);
    same.push(ask("other"));
    fault.wait_for("/gate/hold/echo", 2);
    fault.release("hold");
    for client in &mut same {
        assert_eq!(client.response().unwrap().status, 200);
    }
    let bodies: Vec<_> = fault.requests("/gate/hold/echo").iter().map(|call| call.body.clone()).collect();
    assert!(bodies.iter().filter(|body| body.as_slice() == b"{\"q\":\"same\"}").count() < 3, "{bodies:?}");
    assert!(bodies.contains(&b"{\"q\":\"other\"}".to_vec()));
}

fn what_may_change_something_is_called_once_for_each_page() {
    let fault = FaultServer::start();
    let post = |trouble: &str| format!("path = \"/{trouble}\"\nretries = 3\nbody = {{ add = 1 }}");
    let troubles =
        ["flaky/1", "flaky-reset/1", "status/503", "status/500", "status/429", "cut/9", "reset/12", "short/4"];
    let mut files: Vec<_> = troubles.iter().map(|trouble| route(&trouble.replace('/', "-"), &post(trouble))).collect();
    files.push(
        "-- routes/twice.toml --\njson = [\"{a}\", \"{b}\"]\n[sources]\n\
         a = { upstream = \"up\", path = \"/count\", method = \"POST\" }\n\
         b = { upstream = \"up\", path = \"/count\", method = \"POST\" }\n"
            .to_owned(),
    );
    let site = site(&fault, &files.concat());
    for trouble in troubles {
        let page = format!("/{}", trouble.replace('/', "-"));
        assert_eq!(site.get(&page).status, 502, "{trouble}");
        assert_eq!(fault.calls(&format!("/{trouble}")), 1, "{trouble}");
    }
    let mut counts: Vec<_> =
        site.get("/twice").json().as_array().unwrap().iter().map(|it| it["count"].clone()).collect();
    counts.sort_by_key(Value::to_string);
    assert_eq!(counts, [1, 2], "two declared calls are two calls");
}

fn a_credential_that_is_written_is_the_visitors_too() {
    let fault = FaultServer::start();
    fault.put("/me", Reply::json("{}").status(401));
    let archive = "-- routes/me.toml --\njson = \"{me}\"\n[cookies.token]\n[sources.me]\nupstream = \"up\"\npath = \"/me\"\n\
                   headers = { authorization = \"Bearer {cookies.token}\" }\non-unauthorized = { redirect = \"/login\" }\n\
                   -- routes/login.toml --\njson = {}\n";
    let site = site(&fault, archive);
    let response = site.request("GET", "/me", &[("Cookie", "token=x")], b"");
    assert_eq!((response.status, response.header("location")), (302, Some("/login")));
}

fn an_upstream_that_asks_for_patience_is_left_alone() {
    for (retry_after, calls_after) in [
        ("30", 0),
        ("1000000000", 0),
        ("99999999999999999999999999", 0),
        ("Sun, 06 Nov 1994 08:50:37 GMT", 0),
        ("Sun, 06 Nov 1994 08:49:30 GMT", 1),
        ("0", 1),
        ("soon", 1),
        ("-5", 1),
        ("30, 30", 1),
    ] {
        for status in [429, 503] {
            let fault = FaultServer::start();
            let files = [
                route("limited", "path = \"/limited\""),
                route("other", "path = \"/json/items\"\nfallback = \"instead\""),
            ];
            let site = site(&fault, &files.concat());
            let reply = Reply::json("{}").status(status).header("retry-after", retry_after);
            fault.put("/limited", reply.header("date", "Sun, 06 Nov 1994 08:49:37 GMT"));
            assert_eq!(site.get("/limited").status, 502, "{status} {retry_after}");
            assert_eq!(fault.calls("/limited"), 1, "{status} {retry_after}");
            let other = site.get("/other");
            assert_eq!(other.status, 200);
            assert_eq!(fault.calls("/json/items"), calls_after, "{status} {retry_after}");
            if calls_after == 0 {
                assert_eq!(other.json(), json!("instead"));
                site.wait_for_access(|line| line.contains("asked-to-wait"));
            }
        }
    }
}

fn what_is_said_to_one_visitor_is_said_to_nobody_else() {
    let fault = FaultServer::start();
    let files = [
        route("mine", "path = \"/limited\"\nforward-headers = [\"authorization\"]"),
        route("written", "path = \"/limited\"\nheaders = { authorization = \"{request.headers.authorization}\" }"),
        route("other", "path = \"/json/items\""),
    ];
    let site = site(&fault, &files.concat());
    fault.put("/limited", Reply::json("{}").status(429).header("retry-after", "30").delivered(Delivery::Length));
    for target in ["/mine", "/written"] {
        assert_eq!(site.request("GET", target, &[("authorization", "Bearer x")], b"").status, 502, "{target}");
        assert_eq!(site.get("/other").status, 200, "{target}");
    }
}
