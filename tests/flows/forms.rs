//! Forms: what people send is checked, passed on once, and answered; what is not taken goes nowhere.

use super::{archive, site};
use crate::support::answers::Reply;
use crate::support::fault::FaultServer;
use crate::support::http::{Connection, Response};
use crate::support::site::{Folder, Options, Site};
use serde_json::json;
use std::fmt::Write as _;

crate::cases!(
    a_form_is_shown_sent_and_answered,
    what_does_not_fit_is_shown_again_and_sent_nowhere,
    what_is_no_form_of_the_site_is_refused,
    only_the_site_itself_may_send_its_forms,
    what_an_upstream_refuses_is_shown_with_its_words,
    what_fails_is_said_to_have_failed_and_tried_once,
    files_go_where_they_are_sent_and_none_is_left,
    tricks_with_files_go_nowhere,
    whoever_fills_in_what_nobody_sees_is_told_nothing,
    a_key_makes_of_two_requests_one,
    whoever_sends_too_often_waits,
    a_login_passes_the_session_on_and_nothing_else,
    what_was_changed_is_seen_at_once,
    several_calls_are_made_one_after_the_other,
    a_page_may_say_at_once_that_it_was_taken,
    a_form_answers_post_and_no_other_method,
    a_guard_stands_before_a_form,
    a_body_may_come_in_chunks_and_must_come_to_an_end,
    whoever_goes_away_has_sent_it_all_the_same,
    a_form_may_need_a_source,
    where_to_go_next_is_a_path_of_this_site,
    a_cookie_is_set_when_something_was_taken,
    what_is_to_be_said_is_said_once,
    no_secret_is_told_in_answer_and_no_guess_is_confirmed,
);

const FORM: &str = "application/x-www-form-urlencoded";

/// What a page of the site sends with its forms.
const OWN: (&str, &str) = ("Sec-Fetch-Site", "same-origin");

fn post(site: &Site, target: &str, body: &str) -> Response {
    site.request("POST", target, &[OWN, ("Content-Type", FORM)], body.as_bytes())
}

const CONTACT: &str = "\
-- layouts/contact.html --
<form method=\"post\">{% if form.error %}<b>{{ form.error }}</b>{% endif %}{% if form.status %}<i>{{ form.status }}</i>{% endif %}
<input name=\"email\" value=\"{{ form.values.email }}\">{{ form.errors.email }}
<textarea name=\"text\">{{ form.values.text }}</textarea>{{ form.errors.text }}
<input type=\"checkbox\" name=\"news\"{% if form.values.news %} checked{% endif %}></form>
-- layouts/thanks.html --
<p>thanks</p>
-- layouts/taken.html --
<p>thanks {{ form.values.email }} {{ form.result.id }}</p>
-- routes/thanks.toml --
layout = \"thanks.html\"
query.id = { type = \"int\", on-invalid = \"not-found\" }
-- routes/contact.toml --
layout = \"contact.html\"
[form]
send = { upstream = \"up\", path = \"/messages\" }
success = \"/thanks?id={form.result.id}\"
result = { id = \"$.id\" }
rejected = { errors.email = \"$.errors.email\", message = \"$.message\" }
[form.fields.email]
type = \"email\"
required = true
message = \"Tell us your address\"
[form.fields.text]
type = \"text\"
required = true
max-length = 20
[form.fields.news]
type = \"bool\"
";

fn contact(fault: &FaultServer) -> Site {
    fault.put("/messages", Reply::json("{\"id\":7}"));
    site(fault, CONTACT)
}

fn assert_kept_by_nobody(response: &Response) {
    assert_eq!(response.header("cache-control"), Some("private, no-store"), "{}", response.text());
    assert_eq!(response.header("etag"), None);
}

fn a_form_is_shown_sent_and_answered() {
    let fault = FaultServer::start();
    let site = contact(&fault);
    let page = site.get("/contact");
    assert_eq!((page.status, page.header("cache-control")), (200, Some("no-cache")));
    assert!(page.text().contains("name=\"email\" value=\"\">\n"), "{}", page.text());
    let sent = post(&site, "/contact", "email=a%40example.com&text=one%0D%0Atwo&news=on");
    assert_eq!((sent.status, sent.header("location")), (303, Some("/thanks?id=7")), "{}", sent.text());
    assert_kept_by_nobody(&sent);
    let [request] = &fault.requests("/messages")[..] else { panic!("not sent once") };
    assert_eq!((&*request.method, request.header("content-type")), ("POST", Some("application/json")));
    let expected = json!({"email": "a@example.com", "text": "one\ntwo", "news": true});
    assert_eq!(serde_json::from_slice::<serde_json::Value>(&request.body).unwrap(), expected);
    assert_eq!(
        (request.header("cookie"), request.header("origin"), request.header("sec-fetch-site")),
        (None, None, None)
    );
    // Nothing of what was sent stays in the page.
    assert_eq!(site.get("/contact").body, page.body);
    let line = site.wait_for_access(|log| log.contains("\"POST\""));
    assert!(line.contains("\"name\":\"send\""), "{line}");
}

fn what_does_not_fit_is_shown_again_and_sent_nowhere() {
    let fault = FaultServer::start();
    let site = contact(&fault);
    for (body, expected) in [
        ("", "value=\"\">Tell us your address\n<textarea name=\"text\"></textarea>Please fill this in."),
        ("email=nobody&text=a", "value=\"nobody\">Tell us your address\n<textarea name=\"text\">a</textarea>\n"),
        (
            "email=a%40b&text=123456789012345678901&news=on",
            "value=\"a@b\">\n<textarea name=\"text\">123456789012345678901</textarea>This must have at most 20 characters.\n<input type=\"checkbox\" name=\"news\" checked>",
        ),
        (
            "email=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E&text=a",
            "value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;\">Tell us",
        ),
    ] {
        let response = post(&site, "/contact", body);
        assert_eq!(response.status, 422, "{body}");
        assert!(response.text().contains("<i>invalid</i>"), "{}", response.text());
        assert!(response.text().contains(expected), "{body}\n{}", response.text());
        assert_kept_by_nobody(&response);
        assert!(response.header("content-security-policy").is_some());
    }
    assert_eq!(fault.total_calls(), 0);
}

fn what_is_no_form_of_the_site_is_refused() {
    let fault = FaultServer::start();
    let site = contact(&fault);
    let many = |count: usize| vec!["email=a%40b"; count].join("&");
    let long = format!("email=a%40b&text={}", "x".repeat(70_000));
    let multipart = "multipart/form-data; boundary=XX";
    for (content_type, body, status) in [
        (Some(FORM), "email=a%40b&text=a&admin=true", 400),
        (Some(FORM), "email=a%40b&email=b%40c&text=a", 400),
        (Some(FORM), "email=%ff&text=a", 400),
        (Some(FORM), "email=a%00&text=a", 400),
        (Some(FORM), &many(1001), 400),
        (Some(FORM), &long, 413),
        (Some("application/json"), "{\"email\":\"a@b\",\"text\":\"a\"}", 415),
        (Some("text/plain"), "email=a@b", 415),
        (Some("application/x-www-form-urlencoded; charset=utf-16"), "email=a", 415),
        (None, "email=a%40b&text=a", 415),
        (Some("multipart/form-data"), "--XX--", 400),
        (Some(multipart), "--XX", 400),
        (Some(multipart), "--XX\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@b\r\n--XXY--", 400),
        (
            Some(multipart),
            "--XX\r\nContent-Disposition: form-data; name=\"email\"; filename=\"a\"\r\n\r\na@b\r\n--XX--",
            400,
        ),
    ] {
        let mut fields = vec![OWN];
        fields.extend(content_type.map(|content_type| ("Content-Type", content_type)));
        let response = site.request("POST", "/contact", &fields, body.as_bytes());
        let body: String = body.chars().take(100).collect();
        assert_eq!(response.status, status, "{content_type:?} {body}: {}", response.text());
        assert_kept_by_nobody(&response);
    }
    let coded = [OWN, ("Content-Type", FORM), ("Content-Encoding", "gzip")];
    assert_eq!(site.request("POST", "/contact", &coded, b"email=a%40b&text=a").status, 415);
    assert_eq!(fault.total_calls(), 0);
}

fn only_the_site_itself_may_send_its_forms() {
    let fault = FaultServer::start();
    let site = contact(&fault);
    // The host that these tests name.
    let (own, http) = ("http://localhost", "https://localhost");
    let send = |fields: &[(&str, &str)]| {
        let mut all = vec![("Content-Type", FORM)];
        all.extend(fields);
        site.request("POST", "/contact", &all, b"email=a%40b&text=a").status
    };
    for fields in [
        &[][..],
        &[("Sec-Fetch-Site", "cross-site")],
        &[("Sec-Fetch-Site", "same-site")],
        &[("Sec-Fetch-Site", "cross-site"), ("Origin", own)],
        &[("Sec-Fetch-Site", "same-origin"), ("Sec-Fetch-Site", "cross-site")],
        &[("Origin", "null")],
        &[("Origin", "https://evil.example")],
        &[("Origin", "http://127.0.0.1")],
        &[("Origin", own), ("Origin", "https://evil.example")],
        &[("Referer", own)],
        &[("X-Requested-With", "XMLHttpRequest"), ("Cookie", "session=ada")],
    ] {
        assert_eq!(send(fields), 403, "{fields:?}");
    }
    assert_eq!(fault.total_calls(), 0);
    for fields in [&[OWN][..], &[("Sec-Fetch-Site", "none")], &[("Origin", own)], &[("Origin", http)]] {
        assert_eq!(send(fields), 303, "{fields:?}");
    }
    assert_eq!(fault.total_calls(), 4);
}

fn what_an_upstream_refuses_is_shown_with_its_words() {
    let fault = FaultServer::start();
    let site = contact(&fault);
    let said = "{\"errors\":{\"email\":[\"is <taken>\"]},\"message\":\"Not so\"}";
    for status in [400, 401, 403, 404, 409, 422] {
        fault.put("/messages", Reply::json(said).status(status));
        let response = post(&site, "/contact", "email=a%40b&text=a");
        assert_eq!(response.status, 422, "{status}");
        let text = response.text();
        assert!(
            text.contains("<b>Not so</b><i>rejected</i>") && text.contains("value=\"a@b\">is &lt;taken&gt;"),
            "{text}"
        );
    }
    fault.put("/messages", Reply::of("text/html", "<p>no").status(400));
    let response = post(&site, "/contact", "email=a%40b&text=a");
    assert!(response.status == 422 && response.text().contains("\"post\"><i>rejected</i>"), "{}", response.text());
    assert_eq!(fault.total_calls(), 7);
}

fn what_fails_is_said_to_have_failed_and_tried_once() {
    let fault = FaultServer::start();
    let site = contact(&fault);
    for reply in [
        Reply::json("{}").status(500),
        Reply::json("{}").status(503),
        Reply::json("{}").status(307).header("location", "/elsewhere"),
        Reply::json("no json"),
    ] {
        fault.put("/messages", reply);
        let response = post(&site, "/contact", "email=a%40b&text=a");
        assert_eq!(response.status, 502, "{}", response.text());
        assert!(
            response.text().contains("<i>failed</i>") && response.text().contains("value=\"a@b\""),
            "{}",
            response.text()
        );
        assert_kept_by_nobody(&response);
    }
    assert_eq!(fault.total_calls(), 4);
    // Servers of pages answer so to what they have taken. Where they would send a browser, nobody goes.
    for status in [301, 302, 303] {
        fault.put("/messages", Reply::of("text/html", "moved").status(status).header("location", "/elsewhere"));
        let response = post(&site, "/contact", "email=a%40b&text=a");
        assert_eq!((response.status, response.header("location")), (303, Some("/thanks")), "{status}");
    }
    assert_eq!(fault.calls("/elsewhere"), 0);
    let nobody = FaultServer::refusing();
    let upstream = format!("[upstreams.up]\nbase-url = \"http://{nobody}\"\nallow-private = true\n");
    let site = Site::start(&format!("-- site.toml --\n{upstream}{CONTACT}"));
    assert_eq!(post(&site, "/contact", "email=a%40b&text=a").status, 502);
}

const UPLOAD: &str = "\
-- layouts/upload.html --
<form method=\"post\" enctype=\"multipart/form-data\">{{ form.values.title }}|{{ form.errors.photo }}|{{ form.errors.extra }}</form>
-- routes/upload.toml --
layout = \"upload.html\"
[form]
send = { upstream = \"up\", path = \"/photos\", format = \"multipart\", timeout = \"20s\" }
[form.fields.title]
name = \"the title\"
[form.fields.photo]
type = \"file\"
required = true
max-size = \"300KiB\"
types = [\"image/*\"]
[form.fields.extra]
type = \"file\"
repeat = true
max-items = 2
max-size = \"1KiB\"
";

fn part(name: &str, file: Option<(&str, &str)>, content: &[u8]) -> Vec<u8> {
    let mut head = format!("--XX\r\nContent-Disposition: form-data; name=\"{name}\"");
    if let Some((called, media_type)) = file {
        write!(head, "; filename=\"{called}\"\r\nContent-Type: {media_type}").unwrap();
    }
    [head.as_bytes(), b"\r\n\r\n", content, b"\r\n"].concat()
}

fn upload(site: &Site, parts: &[Vec<u8>]) -> Response {
    let body = [parts.concat(), b"--XX--\r\n".to_vec()].concat();
    site.request("POST", "/upload", &[OWN, ("Content-Type", "multipart/form-data; boundary=XX")], &body)
}

/// A site that has a folder of its own for what is sent to it.
fn uploading(fault: &FaultServer) -> (Site, Folder) {
    let folder = Folder::new();
    fault.put("/photos", Reply::json("{}"));
    let temporary = folder.path().to_str().unwrap();
    (Options::default().env("TMPDIR", temporary).start(&archive(fault, UPLOAD)), folder)
}

fn is_empty(folder: &Folder) -> bool {
    std::fs::read_dir(folder.path()).unwrap().next().is_none()
}

fn files_go_where_they_are_sent_and_none_is_left() {
    let fault = FaultServer::start();
    let (site, folder) = uploading(&fault);
    let photo: Vec<u8> = (0..290_000_u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let odd = "..\\../a \\\"b\\\" caf\u{e9}.png";
    let response = upload(
        &site,
        &[
            part("photo", Some((odd, "image/png")), &photo),
            part("the title", None, "caf\u{e9} \"x\"".as_bytes()),
            part("extra", Some(("", "application/octet-stream")), b""),
            part("extra", Some(("one", "text/plain")), b"1"),
        ],
    );
    assert_eq!((response.status, response.header("location")), (303, Some("/upload")), "{}", response.text());
    let [request] = &fault.requests("/photos")[..] else { panic!("not sent once") };
    let content_type = request.header("content-type").unwrap();
    let boundary = content_type.strip_prefix("multipart/form-data; boundary=siteserver-").unwrap();
    assert_eq!(boundary.len(), 32);
    assert_eq!(request.header("content-length").unwrap(), request.body.len().to_string());
    let start = format!(
        "--siteserver-{boundary}\r\nContent-Disposition: form-data; name=\"the title\"\r\n\r\ncaf\u{e9} \"x\"\r\n--siteserver-{boundary}\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a %22b%22 caf\u{e9}.png\"\r\nContent-Type: image/png\r\n\r\n"
    );
    let end = format!(
        "\r\n--siteserver-{boundary}\r\nContent-Disposition: form-data; name=\"extra\"; filename=\"one\"\r\nContent-Type: text/plain\r\n\r\n1\r\n--siteserver-{boundary}--\r\n"
    );
    let expected = [start.as_bytes(), &photo, end.as_bytes()].concat();
    assert!(request.body == expected, "{}", String::from_utf8_lossy(&request.body[..600]));
    assert!(is_empty(&folder), "a file is left");
}

fn tricks_with_files_go_nowhere() {
    let fault = FaultServer::start();
    let (site, folder) = uploading(&fault);
    let photo = |length: usize| part("photo", Some(("p.png", "image/png")), &vec![b'x'; length]);
    let extra = || part("extra", Some(("e", "text/plain")), b"e");
    for (parts, status, expected) in [
        (vec![], 422, "|Please choose a file.|"),
        (vec![photo(300 * 1024 + 1)], 422, "|The file must be at most 300 KiB long.|"),
        (vec![part("photo", Some(("p.svg", "text/html")), b"<svg>")], 422, "|A file of this type is not taken.|"),
        (vec![photo(1), extra(), extra(), extra()], 422, "||There may be at most 2."),
        (
            vec![photo(1), part("extra", Some(("e", "a/b")), &[b'e'; 1025])],
            422,
            "||The file must be at most 1 KiB long.",
        ),
        (vec![photo(1), photo(1)], 400, ""),
        (vec![part("photo", None, b"p.png")], 400, ""),
        (vec![photo(1), part("../../etc/passwd", Some(("p", "a/b")), b"x")], 400, ""),
        (vec![photo(600_000)], 413, ""),
        (
            vec![
                photo(1),
                b"--XX\r\nContent-Disposition: form-data; name=\"extra\"\r\n folded: x\r\n\r\n\r\n".to_vec(),
            ],
            400,
            "",
        ),
        (vec![photo(70_000), b"--XX--\r\nand more".to_vec()], 400, ""),
        (vec![photo(1), vec![extra(); 300].concat()], 400, ""),
    ] {
        let response = upload(&site, &parts);
        assert_eq!(response.status, status, "{expected} {}", response.text());
        assert!(response.text().contains(expected), "{expected}: {}", response.text());
        assert!(is_empty(&folder), "a file is left");
    }
    // Somebody who goes in the middle of a file leaves none.
    let mut connection = site.connect();
    let body = photo(290_000);
    let head = "POST /upload HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Type: multipart/form-data; boundary=XX\r\nContent-Length: 300000\r\n\r\n";
    connection.send(head).unwrap();
    connection.send(&body[..200_000]).unwrap();
    drop(connection);
    site.wait_for_access(|log| {
        log.matches("\"POST\"").count() > 12 || log.contains("\"status\":499") || log.contains("\"status\":400")
    });
    assert!(is_empty(&folder), "a file is left");
    assert_eq!(fault.total_calls(), 0);
}

fn whoever_fills_in_what_nobody_sees_is_told_nothing() {
    let fault = FaultServer::start();
    fault.put("/messages", Reply::json("{\"id\":7}"));
    let files = CONTACT.replace("[form]\n", "[form]\nhoneypot = \"website\"\n").replace("?id={form.result.id}", "");
    let site = site(&fault, &files);
    let trapped = post(&site, "/contact", "email=a%40b&text=a&website=https%3A%2F%2Fspam.example");
    let taken = post(&site, "/contact", "email=a%40b&text=a&website=");
    assert_eq!((trapped.status, trapped.header("location")), (303, Some("/thanks")));
    assert_eq!((taken.status, taken.header("location")), (303, Some("/thanks")));
    assert_eq!(fault.total_calls(), 1);
}

fn a_key_makes_of_two_requests_one() {
    let fault = FaultServer::start();
    let files = CONTACT.replace("[form]\n", "[form]\nidempotency-key = \"once\"\n") + "[form.fields.once]\n";
    fault.put("/messages", Reply::json("{\"id\":7}"));
    let site = site(&fault, &files);
    let body = |key: &str, text: &str| format!("email=a%40b&text={text}&once={key}");
    let first = post(&site, "/contact", &body("k1", "a"));
    fault.put("/messages", Reply::json("{\"id\":8}"));
    let again = post(&site, "/contact", &body("k1", "a"));
    assert_eq!((first.header("location"), again.header("location")), (Some("/thanks?id=7"), Some("/thanks?id=7")));
    assert_eq!(fault.total_calls(), 1);
    assert_eq!(fault.requests("/messages")[0].header("idempotency-key"), Some("k1"));
    assert_eq!(post(&site, "/contact", &body("k1", "b")).status, 422);
    // Somebody else may have thought of the same key.
    let fields = [OWN, ("Content-Type", FORM), ("Cookie", "session=eve")];
    let other = site.request("POST", "/contact", &fields, body("k1", "a").as_bytes());
    assert_eq!(other.header("location"), Some("/thanks?id=8"));
    // What failed may be tried again; without a key, nothing is the same.
    fault.put("/messages", Reply::json("{}").status(500));
    assert_eq!(post(&site, "/contact", &body("k2", "a")).status, 502);
    fault.put("/messages", Reply::json("{\"id\":9}"));
    assert_eq!(post(&site, "/contact", &body("k2", "a")).status, 303);
    assert_eq!(fault.total_calls(), 4);
    // Two at once are one.
    fault.put("/messages", Reply::json("{\"id\":1}"));
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..8).map(|_| scope.spawn(|| post(&site, "/contact", &body("k3", "a")).status)).collect();
        assert!(all.into_iter().all(|status| status.join().unwrap() == 303));
    });
    assert_eq!(fault.total_calls(), 5);
}

fn whoever_sends_too_often_waits() {
    let fault = FaultServer::start();
    let limit = "[form]\nrate-limit = { requests = 3, per = \"1h\" }\n";
    fault.put("/messages", Reply::json("{\"id\":7}"));
    let site = site(&fault, &CONTACT.replace("[form]\n", limit));
    // What does not fit counts too: guesses are what it is for.
    assert_eq!(post(&site, "/contact", "email=a").status, 422);
    assert_eq!(post(&site, "/contact", "email=a%40b&text=a").status, 303);
    assert_eq!(post(&site, "/contact", "email=a%40b&text=a").status, 303);
    let refused = post(&site, "/contact", "email=a%40b&text=a");
    assert_eq!(refused.status, 429);
    let after: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=1200).contains(&after), "{after}");
    assert_eq!(site.get("/contact").status, 200);
    assert_eq!(fault.total_calls(), 2);
}

fn a_login_passes_the_session_on_and_nothing_else() {
    let fault = FaultServer::start();
    let files = "\
-- layouts/login.html --
{{ form.error }}|{{ form.values.name }}|{{ form.status }}
-- routes/login.toml --
layout = \"login.html\"
[form]
send = { upstream = \"up\", path = \"/sessions\", format = \"form\", forward-cookies = [\"device\"] }
success = \"/login\"
pass-cookies = [\"session\"]
rejected = { message = \"$.message\" }
[form.fields.name]
required = true
[form.fields.password]
type = \"password\"
required = true
";
    let mut reply = Reply::json("{}");
    for line in ["session=s3; Domain=example.com; Path=/api; Max-Age=60", "tracker=1", "session2=x"] {
        reply.headers.push(("set-cookie".to_owned(), line.to_owned()));
    }
    fault.put("/sessions", reply);
    let site = site(&fault, files);
    let fields = [OWN, ("Content-Type", FORM), ("Cookie", "device=d; other=o")];
    let sent = site.request("POST", "/login", &fields, b"name=ada&password=p%26w");
    assert_eq!((sent.status, sent.header("location")), (303, Some("/login")));
    assert_eq!(sent.headers("set-cookie"), ["session=s3; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure"]);
    let request = fault.requests("/sessions").pop().unwrap();
    assert_eq!((request.header("cookie"), &*request.body), (Some("device=d"), &b"name=ada&password=p%26w"[..]));
    fault.put("/sessions", Reply::json("{\"message\":\"Wrong\"}").status(401).header("set-cookie", "session=no"));
    let refused = post(&site, "/login", "name=ada&password=wrong");
    assert_eq!((refused.status, refused.text().trim()), (422, "Wrong|ada|rejected"));
    assert!(refused.headers("set-cookie").is_empty());
}

fn what_was_changed_is_seen_at_once() {
    let fault = FaultServer::start();
    let files = "\
-- layouts/list.html --
{{ items.n }}
-- layouts/form.html --
form
-- routes/list.toml --
layout = \"list.html\"
cache = { s-maxage = \"1h\", tags = [\"items\"] }
sources.items = { upstream = \"up\", path = \"/items\", extract.n = \"$.n\" }
-- routes/add/{name}.toml --
path = \"/add/{name}\"
layout = \"form.html\"
form = { send = { upstream = \"up\", path = \"/add\", body = false }, success = \"/list\", invalidate = [\"items\", \"of-{params.name}\"] }
";
    let site = site(&fault, files);
    fault.put("/items", Reply::json("{\"n\":1}"));
    fault.put("/add", Reply::json("{}"));
    assert_eq!(site.get("/list").text().trim(), "1");
    fault.put("/items", Reply::json("{\"n\":2}"));
    assert_eq!(site.get("/list").text().trim(), "1");
    assert_eq!(post(&site, "/add/x", "").status, 303);
    assert_eq!(site.get("/list").text().trim(), "2");
    // What was refused has changed nothing.
    fault.put("/items", Reply::json("{\"n\":3}"));
    fault.put("/add", Reply::json("{}").status(409));
    assert_eq!(post(&site, "/add/x", "").status, 422);
    assert_eq!(site.get("/list").text().trim(), "2");
}

fn several_calls_are_made_one_after_the_other() {
    let fault = FaultServer::start();
    let files = "\
-- layouts/order.html --
{{ form.status }}
-- routes/order.toml --
layout = \"order.html\"
[form]
send = [
    { name = \"order\", upstream = \"up\", path = \"/orders\", body = { sku = \"{form.sku}\", n = \"{form.n}\", tags = [\"a\", \"b\"] }, extract = { id = \"$.id\" } },
    { name = \"mail\", upstream = \"up\", path = \"/mails/{form.result.order.id}\", method = \"PUT\", query = { q = \"{form.sku}\" }, headers = { x-a = \"b\" }, extract = { ok = \"$.ok\" } },
]
success = \"/order?order={form.result.order.id}&mail={form.result.mail.ok}\"
fields.sku = { type = \"slug\", required = true }
fields.n = { type = \"int\", default = 1 }
";
    fault.put("/orders", Reply::json("{\"id\":42}"));
    fault.put("/mails/42", Reply::json("{\"ok\":true}"));
    let site = site(&fault, files);
    let sent = post(&site, "/order", "sku=a-b");
    assert_eq!((sent.status, sent.header("location")), (303, Some("/order?order=42&mail=true")), "{}", sent.text());
    let order: serde_json::Value = serde_json::from_slice(&fault.requests("/orders")[0].body).unwrap();
    assert_eq!(order, json!({"sku": "a-b", "n": 1, "tags": ["a", "b"]}));
    let mail = fault.requests("/mails/42").pop().unwrap();
    assert_eq!((&*mail.method, &*mail.target, mail.header("x-a")), ("PUT", "/mails/42?q=a-b", Some("b")));
    fault.put("/orders", Reply::json("{}").status(409));
    assert_eq!(post(&site, "/order", "sku=a-b").status, 422);
    assert_eq!((fault.calls("/orders"), fault.calls("/mails/42")), (2, 1));
}

fn a_page_may_say_at_once_that_it_was_taken() {
    let fault = FaultServer::start();
    let site = {
        fault.put("/messages", Reply::json("{\"id\":7}"));
        let success = "success = { layout = \"taken.html\" }";
        site(&fault, &CONTACT.replace("success = \"/thanks?id={form.result.id}\"", success))
    };
    let sent = post(&site, "/contact", "email=a%40b&text=a");
    assert_eq!((sent.status, sent.text().trim()), (200, "<p>thanks a@b 7</p>"));
    assert_kept_by_nobody(&sent);
}

fn a_form_answers_post_and_no_other_method() {
    let fault = FaultServer::start();
    let site = contact(&fault);
    for method in ["PUT", "DELETE", "PATCH", "PURGE", "TRACE"] {
        let response = site.request(method, "/contact", &[OWN], b"");
        assert_eq!(response.status, 405, "{method}");
    }
    let refused = site.request("PUT", "/contact", &[OWN, ("X-HTTP-Method-Override", "POST")], b"");
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD, OPTIONS, POST")));
    let options = site.request("OPTIONS", "/contact", &[], b"");
    assert_eq!((options.status, options.header("allow")), (204, Some("GET, HEAD, OPTIONS, POST")));
    assert_eq!(site.request("HEAD", "/contact", &[], b"").status, 200);
    assert_eq!(fault.total_calls(), 0);
}

fn a_guard_stands_before_a_form() {
    let fault = FaultServer::start();
    let guard = "guard = { source = \"me\", on-unauthorized = { redirect = \"/thanks\", next = \"next\" } }\nsources.me = { upstream = \"up\", path = \"/me\", forward-cookies = [\"session\"], extract.name = \"$.name\" }\n";
    let files = CONTACT
        .replace("layout = \"contact.html\"\n[form]", &format!("layout = \"contact.html\"\n{guard}[form]"))
        .replace("path = \"/messages\"", "path = \"/messages\", body = { by = \"{user.name}\" }");
    fault.put("/messages", Reply::json("{\"id\":7}"));
    let site = site(&fault, &files);
    let nobody = post(&site, "/contact", "email=a%40b&text=a");
    assert_eq!((nobody.status, nobody.header("location")), (303, Some("/thanks?next=%2Fcontact")));
    assert_eq!(fault.calls("/messages"), 0);
    let fields = [OWN, ("Content-Type", FORM), ("Cookie", "session=ada")];
    let known = site.request("POST", "/contact", &fields, b"email=a%40b&text=a");
    assert_eq!(known.status, 303, "{}", known.text());
    assert_eq!(fault.requests("/messages")[0].body, b"{\"by\":\"ada\"}");
}

fn a_body_may_come_in_chunks_and_must_come_to_an_end() {
    let fault = FaultServer::start();
    let site = contact(&fault);
    let head = format!(
        "POST /contact HTTP/1.1\r\nHost: {}\r\nSec-Fetch-Site: same-origin\r\nContent-Type: {FORM}\r\n",
        site.address()
    );
    let exchange = |rest: &str| {
        let mut connection: Connection = site.connect();
        connection.send(format!("{head}{rest}")).unwrap();
        connection.finish();
        connection.response().map(|response| response.status).ok()
    };
    let chunked = "Transfer-Encoding: chunked\r\n\r\n";
    assert_eq!(exchange(&format!("{chunked}b\r\nemail=a%40b\r\n7\r\n&text=a\r\n0\r\n\r\n")), Some(303));
    assert_eq!(fault.total_calls(), 1);
    for broken in [
        format!("{chunked}b\r\nemail=a%40b\r\n7\r\n&text=a\r\n"),
        format!("{chunked}b\r\nemail=a%40b\r\nzz\r\n&text=a\r\n0\r\n\r\n"),
        "Content-Length: 100\r\n\r\nemail=a%40b&text=a".to_owned(),
    ] {
        assert!(matches!(exchange(&broken), None | Some(400)), "{broken}");
    }
    assert_eq!(fault.total_calls(), 1);
    let slow = Options::default().set("limits.body-stall=\"300ms\"").start(&archive(&fault, CONTACT));
    let mut connection = slow.connect();
    connection.send(format!("{head}Content-Length: 18\r\n\r\nemail=a")).unwrap();
    assert_eq!(connection.response().unwrap().status, 408);
    assert_eq!(fault.total_calls(), 1);
}

fn whoever_goes_away_has_sent_it_all_the_same() {
    let fault = FaultServer::start();
    let files = CONTACT
        .replace("path = \"/messages\"", "path = \"/gate/door/status/200\"")
        .replace("result = { id = \"$.id\" }\n", "")
        .replace("?id={form.result.id}", "")
        .replace("send = {", "invalidate = \"items\"\nsend = {")
        + "-- layouts/list.html --\n{{ items.n }}\n-- routes/list.toml --\nlayout = \"list.html\"\ncache = { s-maxage = \"1h\", tags = [\"items\"] }\nsources.items = { upstream = \"up\", path = \"/items\", extract.n = \"$.n\" }\n";
    let site = site(&fault, &files);
    fault.put("/items", Reply::json("{\"n\":1}"));
    assert_eq!(site.get("/list").text().trim(), "1");
    fault.put("/items", Reply::json("{\"n\":2}"));
    let mut connection = site.connect();
    let body = "email=a%40b&text=a";
    let request = format!(
        "POST /contact HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: same-origin\r\nContent-Type: {FORM}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    connection.send(request).unwrap();
    fault.wait_for("/gate/door/status/200", 1);
    drop(connection);
    fault.release("door");
    super::until(&site, "/list", |response| response.text().trim() == "2");
}

fn a_form_may_need_a_source() {
    let fault = FaultServer::start();
    let files = CONTACT.replace("path = \"/messages\"", "path = \"/messages/{cart.id}\", body = false")
        .replace("layout = \"contact.html\"\n[form]", "layout = \"contact.html\"\nsources.cart = { upstream = \"up\", path = \"/cart\", forward-cookies = [\"session\"], extract.id = \"$.id\" }\n[form]");
    fault.put("/cart", Reply::json("{\"id\":5}"));
    fault.put("/messages/5", Reply::json("{\"id\":7}"));
    let site = site(&fault, &files);
    // The page is made without it, and is anybody's.
    assert_eq!(site.get("/contact").header("cache-control"), Some("no-cache"));
    assert_eq!(fault.calls("/cart"), 0);
    let fields = [OWN, ("Content-Type", FORM), ("Cookie", "session=ada; other=x")];
    let sent = site.request("POST", "/contact", &fields, b"email=a%40b&text=a");
    assert_eq!((sent.status, sent.header("location")), (303, Some("/thanks?id=7")), "{}", sent.text());
    assert_eq!(fault.requests("/cart")[0].header("cookie"), Some("session=ada"));
    fault.put("/cart", Reply::json("{}").status(500));
    assert_eq!(site.request("POST", "/contact", &fields, b"email=a%40b&text=a").status, 502);
    assert_eq!(fault.calls("/messages/5"), 1);
}

fn where_to_go_next_is_a_path_of_this_site() {
    let fault = FaultServer::start();
    let files = CONTACT
        .replace("\"/thanks?id={form.result.id}\"", "\"{form.next}\"")
        .replace("result = { id = \"$.id\" }\n", "")
        + "[form.fields.next]\ntype = \"path\"\n";
    fault.put("/messages", Reply::json("{\"id\":7}"));
    let site = site(&fault, &files);
    for (next, status, location) in [
        ("%2Fthanks%3Fa%3Db", 303, Some("/thanks?a=b")),
        ("", 303, Some("/contact")),
        ("%2Funknown", 422, None),
        ("%2F%2Fevil.example", 422, None),
        ("%2F%5Cevil.example", 422, None),
        ("https%3A%2F%2Fevil.example%2Fthanks", 422, None),
        ("javascript%3Aalert(1)", 422, None),
        ("%2Fthanks%0D%0ASet-Cookie%3Aa%3Db", 422, None),
    ] {
        let response = post(&site, "/contact", &format!("email=a%40b&text=a&next={next}"));
        assert_eq!((response.status, response.header("location")), (status, location), "{next}");
    }
}

fn a_cookie_is_set_when_something_was_taken() {
    let fault = FaultServer::start();
    let files = "\
-- layouts/theme.html --
{{ cookies.theme }}
-- routes/theme.toml --
layout = \"theme.html\"
cookies.theme = { enum = [\"dark\", \"light\"], default = \"light\" }
set-cookies.theme = { value = \"{form.theme}\", max-age = \"365d\" }
form = { fields.theme = { enum = [\"dark\", \"light\"], required = true } }
";
    let site = site(&fault, files);
    assert!(site.get("/theme").headers("set-cookie").is_empty());
    assert!(post(&site, "/theme", "theme=blue").headers("set-cookie").is_empty());
    let sent = post(&site, "/theme", "theme=dark");
    assert_eq!((sent.status, sent.header("location")), (303, Some("/theme")), "{}", sent.text());
    let [cookie] = sent.headers("set-cookie")[..] else { panic!("no cookie") };
    assert!(cookie.starts_with("__Host-theme=dark; "), "{cookie}");
    let seen = site.request("GET", "/theme", &[("Cookie", "__Host-theme=dark")], b"");
    assert_eq!(seen.text().trim(), "dark");
}

fn what_is_to_be_said_is_said_once() {
    let fault = FaultServer::start();
    let files = CONTACT
        .replace(
            "success = \"/thanks?id={form.result.id}\"",
            "success = { redirect = \"/thanks\", flash = \"Thanks, {form.email}: <b>\u{e9}; done\" }",
        )
        .replace("result = { id = \"$.id\" }\n", "")
        .replace("<p>thanks</p>", "[{{ request.flash }}]")
        .replace(
            "query.id = { type = \"int\", on-invalid = \"not-found\" }\n",
            "cache = { server = { s-maxage = \"1h\" } }\n",
        );
    fault.put("/messages", Reply::json("{}"));
    let site = site(&fault, &files);
    let plain = site.get("/thanks");
    assert_eq!((plain.status, plain.text().trim()), (200, "[]"));
    let sent = post(&site, "/contact", "email=a%40b&text=a");
    let [cookie] = sent.headers("set-cookie")[..] else { panic!("no cookie") };
    assert!(cookie.ends_with("; Max-Age=60; Path=/; HttpOnly; SameSite=Lax; Secure"), "{cookie}");
    let pair = cookie.split(';').next().unwrap();
    let said = site.request("GET", "/thanks", &[("Cookie", pair)], b"");
    assert_eq!(said.text().trim(), "[Thanks, a@b: &lt;b&gt;\u{e9}; done]");
    assert_eq!(said.headers("set-cookie"), ["__Host-flash=; Max-Age=0; Path=/; HttpOnly; SameSite=Lax; Secure"]);
    assert_kept_by_nobody(&said);
    let next = site.get("/thanks");
    assert_eq!((next.text().trim(), next.headers("set-cookie").len()), ("[]", 0));
    assert!(next.header("cache-status").is_some_and(|status| status.contains("hit")), "{:?}", next.headers);
    for odd in ["__Host-flash=", "__Host-flash=%0d%0a", "__Host-flash=%00", "other=x"] {
        assert_eq!(site.request("GET", "/thanks", &[("Cookie", odd)], b"").text().trim(), "[]", "{odd}");
    }
}

fn no_secret_is_told_in_answer_and_no_guess_is_confirmed() {
    const SECRET: &str = "s3cret-0123456789-abcdef";
    let fault = FaultServer::start();
    let files =
        CONTACT.replace("path = \"/messages\" }", "path = \"/messages\", headers = { x-key = \"{env.KEY}\" } }");
    let site = Options::default().env("KEY", SECRET).start(&archive(&fault, &files));
    let said = format!("{{\"message\":\"your key is {SECRET}\"}}");
    fault.put("/messages", Reply::json(said).status(400));
    let told = post(&site, "/contact", "email=a%40b&text=a");
    assert_eq!((told.status, told.text().contains(SECRET)), (500, false), "{}", told.text());
    assert_eq!(fault.requests("/messages")[0].header("x-key"), Some(SECRET));
    fault.put("/messages", Reply::json(format!("{{\"id\":\"{SECRET}\"}}")));
    let led = post(&site, "/contact", "email=a%40b&text=a");
    assert!(led.header("location").is_none_or(|location| !location.contains(SECRET)), "{:?}", led.headers);
    // Who guesses it sees what everybody sees.
    let guess = post(&site, "/contact", &format!("email={SECRET}&text=a"));
    let other = post(&site, "/contact", "email=s3cret-0123456789-abcdeg&text=a");
    assert_eq!((guess.status, other.status), (422, 422));
    assert!(guess.text().contains(SECRET));
}
