//! `siteserver try`: through the real binary, as people and as programs use it, and the public suites line by line.

use crate::support::site::{Folder, binary, copy_program, is_root};
use serde_json::{Value, json};
use siteserver::value::{JsonLimits, Object, Value as Ordered, parse_json, write_json};
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

crate::cases!(
    a_template_is_rendered_with_data_and_partials,
    a_template_that_is_wrong_is_drawn_with_its_place,
    data_that_is_wrong_is_drawn_with_its_place,
    a_render_that_stops_says_where,
    a_selector_selects_values_and_their_paths,
    a_wrong_selector_and_a_wrong_document_are_drawn,
    markdown_is_common_mark_unless_asked_otherwise,
    trying_is_usage_when_it_is_not_understood,
    dates_are_in_the_zone_of_the_environment,
    each_line_is_answered_before_the_next_is_sent,
    lines_that_are_wrong_are_answered,
    a_line_is_refused_only_what_liquid_refuses,
    numbers_and_keys_come_out_as_they_went_in,
    budgets_hold_line_by_line,
    it_tries_in_an_empty_root,
    the_jsonpath_suite_passes_line_by_line,
    the_liquid_suite_passes_line_by_line,
    the_common_mark_suite_passes_line_by_line,
);

/// What a trial ended with: its exit code, its output, and what it said besides.
fn tried(folder: &Folder, arguments: &[&str], input: &str) -> (Option<i32>, String, String) {
    let mut command = binary();
    command.arg("try").args(arguments).current_dir(folder.path()).env("TZ", "UTC");
    run(&mut command, input)
}

fn run(command: &mut Command, input: &str) -> (Option<i32>, String, String) {
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary");
    let mut stdin = child.stdin.take().expect("piped");
    let input = input.to_owned();
    // Written beside the reading, or both sides could wait for room in a pipe. It may end before it has read everything.
    let writer = thread::spawn(move || stdin.write_all(input.as_bytes()).unwrap_or_default());
    let output = child.wait_with_output().expect("an end");
    writer.join().expect("no panic");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// The answers to requests.
pub(crate) fn answers(arguments: &[&str], requests: &[Value]) -> Vec<Value> {
    let input = requests.iter().map(Value::to_string).collect::<Vec<_>>().join("\n");
    let lines = raw_answers(arguments, &input);
    assert_eq!(lines.len(), requests.len(), "one answer to each line");
    lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

fn raw_answers(arguments: &[&str], input: &str) -> Vec<String> {
    let (code, out, err) = tried(&Folder::new(), &[arguments, &["--lines"]].concat(), input);
    assert_eq!(code, Some(0), "{err}");
    out.lines().map(str::to_owned).collect()
}

fn a_template_is_rendered_with_data_and_partials() {
    let folder = Folder::new();
    folder.unpack(
        r#"
-- card.html --
---
layout: base.html
---
<h1>{{ name }}</h1>{% for item in items %}{% render "parts/row", item: item %}{% endfor %}
-- partials/parts/row.html --
<b>{{ item | times: 2 }}</b>
-- partials/parts/row.txt --
not this one
-- data.json --
{"name": "A & B", "items": [1, 2.5]}
"#,
    );
    let with_data = ["liquid", "card.html", "--data", "data.json", "--partials", "partials"];
    let (code, out, err) = tried(&folder, &with_data, "");
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "<h1>A &amp; B</h1><b>2</b>\n<b>5.0</b>\n\n", ""));
    let unescaped = [&with_data[..], &["--escape", "none"]].concat();
    assert!(tried(&folder, &unescaped, "").1.starts_with("<h1>A & B</h1>"));
    let (code, out, _) = tried(&folder, &["liquid", "-"], "{{ nothing.here }}{{ 3 | times: 14 }}");
    assert_eq!((code, out.as_str()), (Some(0), "42"));
    let (_, out, _) =
        tried(&folder, &["liquid", "card.html", "--data", "-", "--partials", "partials"], r#"{"name":"x"}"#);
    assert_eq!(out, "<h1>x</h1>\n");
}

fn a_template_that_is_wrong_is_drawn_with_its_place() {
    let folder = Folder::new();
    folder.unpack("-- card.html --\n<p>{{ name | shout }}</p>\n{% if a %}\n");
    let (code, out, err) = tried(&folder, &["liquid", "card.html"], "");
    assert_eq!((code, out.as_str()), (Some(1), ""));
    for part in ["error[layout/unknown-filter]", "card.html:1:", "shout", "error[layout/unclosed]", "card.html:2:"] {
        assert!(err.contains(part), "{part} in\n{err}");
    }
    // Where no escaping is safe, a layout is refused; without escaping there is nothing to refuse.
    let script = "<script>{{ name }}</script>";
    let (code, _, err) = tried(&folder, &["liquid", "-"], script);
    assert_eq!(code, Some(1));
    assert!(err.contains("layout/unsafe-place") && err.contains("standard input:1:"), "{err}");
    assert_eq!(tried(&folder, &["liquid", "-", "--escape", "none"], script).0, Some(0));
}

fn data_that_is_wrong_is_drawn_with_its_place() {
    let folder = Folder::new();
    folder.unpack("-- a.html --\n{{ a }}\n-- wrong.json --\n{\n  \"a\": 1,\n  \"b\" 2\n}\n-- list.json --\n[1]\n");
    let (code, out, err) = tried(&folder, &["liquid", "a.html", "--data", "wrong.json"], "");
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("error[try/data]") && err.contains("wrong.json:3:"), "{err}");
    let (code, _, err) = tried(&folder, &["liquid", "a.html", "--data", "list.json"], "");
    assert_eq!(code, Some(1));
    assert!(err.contains("the data is a list, where an object is needed"), "{err}");
    let (code, _, err) = tried(&folder, &["liquid", "none.html"], "");
    assert_eq!(code, Some(1));
    assert!(err.contains("cannot read `none.html`"), "{err}");
}

fn a_render_that_stops_says_where() {
    let folder = Folder::new();
    let (code, out, err) = tried(&folder, &["liquid", "-"], "a\n{{ 'x' | divided_by: none }}");
    assert_eq!((code, out.as_str()), (Some(1), ""));
    assert!(err.contains("error[try/stopped]") && err.contains("standard input:2:"), "{err}");
    let (code, _, err) = tried(&folder, &["liquid", "-"], "{% for i in (1..1000000000) %}{% endfor %}");
    assert_eq!(code, Some(1));
    assert!(err.contains("error[try/stopped]") && err.contains("100000"), "{err}");
}

const ANSWER: &str = r#"{"items": [{"name": "b", "price": 8.0}, {"name": "a", "price": 12}], "it's": {"x\n": null}}"#;

fn a_selector_selects_values_and_their_paths() {
    let folder = Folder::new();
    folder.write("answer.json", ANSWER);
    folder.write("feed.xml", "<feed><title>One</title></feed>");
    for (arguments, expected) in [
        (&["$.items[?@.price > 8].name"][..], "\"a\"\n"),
        (&["$.items[*]"], "{\"name\":\"b\",\"price\":8.0}\n{\"name\":\"a\",\"price\":12}\n"),
        (&["$[\"it's\"].*", "--paths"], "$['it\\'s']['x\\n']\tnull\n"),
        (&["$.items[0,0].price", "--paths"], "$['items'][0]['price']\t8.0\n$['items'][0]['price']\t8.0\n"),
    ] {
        let (selector, flags) = arguments.split_first().expect("a selector");
        let (code, out, err) = tried(&folder, &[&["jsonpath", selector, "answer.json"], flags].concat(), "");
        assert_eq!((code, out.as_str(), err.as_str()), (Some(0), expected, ""), "{arguments:?}");
    }
    let (code, out, err) = tried(&folder, &["jsonpath", "$.none", "-"], ANSWER);
    assert_eq!((code, out.as_str(), err.as_str()), (Some(0), "", "nothing is selected\n"));
    let (_, out, _) = tried(&folder, &["jsonpath", "$..title", "feed.xml", "--format", "xml"], "");
    assert!(out.contains("One"), "{out}");
}

fn a_wrong_selector_and_a_wrong_document_are_drawn() {
    let folder = Folder::new();
    let (code, out, err) = tried(&folder, &["jsonpath", "$.a[?lenght(@) == 1]", "-"], "{}");
    assert_eq!((code, out.as_str()), (Some(1), ""));
    for part in ["error[extract/selector]", "selector:1:", "unknown function `lenght`", "did you mean `length`?"] {
        assert!(err.contains(part), "{part} in\n{err}");
    }
    let (code, _, err) = tried(&folder, &["jsonpath", "$", "-"], "{\"a\":}");
    assert_eq!(code, Some(1));
    assert!(err.contains("error[try/data]") && err.contains("standard input:1:"), "{err}");
    let deep = format!("{}1{}", "[1,".repeat(100), "]".repeat(100));
    let (code, _, err) = tried(&folder, &["jsonpath", "$..*..*..*..*", "-"], &deep);
    assert_eq!(code, Some(1));
    assert!(err.contains("error[try/stopped]"), "{err}");
}

fn markdown_is_common_mark_unless_asked_otherwise() {
    let folder = Folder::new();
    folder.write("page.md", "+++\ntitle = \"T\"\n+++\n\n# A title\n\n~~a~~ <b>\n\n| a |\n|---|\n");
    let html = |arguments: &[&str]| {
        let (code, out, err) = tried(&folder, &[&["markdown", "page.md"], arguments].concat(), "");
        assert_eq!((code, err.as_str()), (Some(0), ""));
        out
    };
    assert_eq!(
        html(&[]),
        "<p>+++\ntitle = &quot;T&quot;\n+++</p>\n<h1>A title</h1>\n<p>~~a~~ <b></p>\n<p>| a |\n|---|</p>\n"
    );
    let some = html(&["--options", "table,strikethrough"]);
    assert!(some.contains("<h1>A title</h1>\n<p><del>a</del> <b></p>\n<table>"), "{some}");
    let document = html(&["--as", "document"]);
    assert!(document.starts_with("<h1 id=\"a-title\">A title</h1>\n<p><del>a</del> <b></p>\n<table>"), "{document}");
    let (code, out, _) = tried(&folder, &["markdown", "-", "--as", "fetched"], "<script>x</script>*a*");
    assert_eq!((code, out.contains("script")), (Some(0), false));
}

fn trying_is_usage_when_it_is_not_understood() {
    let folder = Folder::new();
    for arguments in [
        &[][..],
        &["liquid"],
        &["liquid", "a.html", "--lines"],
        &["liquid", "a.html", "--escape", "css"],
        &["jsonpath", "$.a"],
        &["jsonpath", "$.a", "a.json", "--format", "toml"],
        &["markdown", "a.md", "--options", "tables"],
    ] {
        let (code, out, err) = tried(&folder, arguments, "");
        assert_eq!((code, out.as_str()), (Some(2), ""), "{arguments:?}: {err}");
    }
    let (code, help, _) = tried(&folder, &["--help"], "");
    assert_eq!(code, Some(0));
    assert!(help.contains("Examples:") && help.contains("try jsonpath") && help.contains("--lines"), "{help}");
}

fn dates_are_in_the_zone_of_the_environment() {
    let hour = |zone: &str| {
        let mut command = binary();
        command.args(["try", "liquid", "-"]).env("TZ", zone);
        run(&mut command, "{{ 1720000800 | date: '%H:%M' }}")
    };
    assert_eq!(hour("UTC").1, "10:00");
    assert_eq!(hour("").1, "10:00");
    assert_eq!(hour("CET-1CEST,M3.5.0,M10.5.0/3").1, "12:00");
    let (code, out, err) = hour("Nowhere/At_All");
    assert_eq!((code, out.as_str()), (Some(0), "10:00"));
    assert!(err.contains("Nowhere/At_All"), "{err}");
}

fn each_line_is_answered_before_the_next_is_sent() {
    let mut child = binary()
        .args(["try", "liquid", "--lines"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the binary");
    let mut input = child.stdin.take().expect("piped");
    let mut output = BufReader::new(child.stdout.take().expect("piped"));
    for number in 0..3 {
        writeln!(input, "{}", json!({ "template": "{{ n }}", "data": { "n": number } })).expect("room");
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        assert_eq!(line, format!("{{\"output\":\"{number}\"}}\n"));
    }
    drop(input);
    assert!(child.wait().expect("an end").success());
}

fn a_line_is_refused_only_what_liquid_refuses() {
    let folder = Folder::new();
    for (template, templates, expected) in [
        ("{{ 'a' | nope | upcase }}", json!({}), "A"),
        ("{% assign name = 'card' %}{% include name with 2 %}", json!({ "card": "<{{ card }}>" }), "<2>"),
        ("{% if false %}{% include 'none' %}{% include 'wrong' %}{% endif %}b", json!({ "wrong": "{% if %}" }), "b"),
        (
            "{% assign n = 90 %}{% include 'down' %}",
            json!({ "down": "{% assign n = n | minus: 1 %}{% if n > 0 %}{% include 'down' %}{% else %}end{% endif %}" }),
            "end",
        ),
    ] {
        let request = json!({ "template": template, "templates": templates });
        assert_eq!(
            answers(&["liquid", "--escape", "none"], &[request])[0],
            json!({ "output": expected }),
            "{template}"
        );
        // In a file, as in a site, all this is worth a finding.
        let partials = folder.path().join("partials");
        fs::create_dir_all(&partials).expect("a folder");
        for (name, text) in templates.as_object().into_iter().flatten() {
            fs::write(partials.join(format!("{name}.html")), text.as_str().unwrap_or_default()).expect("a file");
        }
        let (code, _, err) = tried(&folder, &["liquid", "-", "--escape", "none", "--partials", "partials"], template);
        assert_eq!(code, Some(1), "{template}: {err}");
    }
}

fn lines_that_are_wrong_are_answered() {
    let long = format!("{{\"template\":\"{}\"}}", "x".repeat(10 << 20));
    let requests = [
        (r#"{"template":"{% nope %}"}"#, "parse"),
        (r#"{"template":"{{ a | append }}"}"#, "render"),
        (r#"{"template":"{% render 'none' %}"}"#, "render"),
        (r#"{"template":"{% render 'a' %}","templates":{"a":"{% if %}"}}"#, "render"),
        (r#"{"template":"{{ 1 | divided_by: 0 }}"}"#, "render"),
        (&long, "parse"),
        ("", "parse"),
        ("{", "parse"),
        ("[]", "parse"),
        ("{}", "parse"),
        (r#"{"template":1}"#, "parse"),
        (r#"{"template":"","data":[]}"#, "parse"),
        (r#"{"template":"","templates":{"a":1}}"#, "parse"),
        (r#"{"template":"\ud800"}"#, "parse"),
    ];
    let input: String = requests.iter().flat_map(|(line, _)| [*line, "\n"]).collect();
    let answers = raw_answers(&["liquid"], &input);
    assert_eq!(answers.len(), requests.len());
    for ((line, stage), answer) in requests.iter().zip(answers) {
        let answer: Value = serde_json::from_str(&answer).expect("JSON");
        assert!(answer["error"].is_string(), "{line:.60}: {answer}");
        assert_eq!(answer["stage"].as_str().unwrap_or_default(), *stage, "{line:.60}: {answer}");
    }
    for (what, line) in [
        ("jsonpath", r#"{"selector":"$"}"#),
        ("jsonpath", r#"{"document":1}"#),
        ("jsonpath", r#"{"selector":"a","document":1}"#),
        ("markdown", r#"{"options":[]}"#),
        ("markdown", r#"{"markdown":"a","options":["tables"]}"#),
        ("markdown", r#"{"markdown":"a","options":"table"}"#),
    ] {
        let said = raw_answers(&[what], line);
        assert!(said.len() == 1 && said[0].starts_with("{\"error\":\""), "{line}: {said:?}");
    }
}

fn numbers_and_keys_come_out_as_they_went_in() {
    for (document, value) in [
        ("[1,1.0,-0.5,18446744073709551615,-9223372036854775808,1.5e300,5e-324]", None),
        (r#"{"z":1,"a":{"y":null,"b":[]},"":true}"#, None),
        (r#"{"a":1,"b":2,"a":3}"#, Some(r#"{"a":3,"b":2}"#)),
        (r#""\u00e9\ud834\udd1e\u0000\"\\\/""#, Some("\"é𝄞\\u0000\\\"\\\\/\"")),
    ] {
        let said = raw_answers(&["jsonpath"], &format!("{{\"selector\":\"$\",\"document\":{document}}}\n"));
        let expected = format!("{{\"values\":[{}],\"paths\":[\"$\"]}}", value.unwrap_or(document));
        assert_eq!(said, [expected]);
    }
}

fn budgets_hold_line_by_line() {
    let deep = format!("{}1{}", "[1,".repeat(100), "]".repeat(100));
    let deep: Value = serde_json::from_str(&deep).expect("JSON");
    let said = answers(
        &["jsonpath"],
        &[
            json!({ "selector": "$..*..*..*..*", "document": deep }),
            json!({ "selector": format!("$[{}]", vec!["*"; 2000].join(",")), "document": { "k".repeat(100_000): 1 } }),
            json!({ "selector": "$[0]", "document": [1] }),
        ],
    );
    assert!(said[0]["error"].is_string() && said[1]["error"].is_string(), "{:.200} {:.200}", said[0], said[1]);
    assert_eq!(said[2]["values"], json!([1]));
    let said = answers(
        &["liquid"],
        &[
            json!({ "template": "{% for i in (1..1000000000) %}x{% endfor %}" }),
            json!({ "template": "{% assign a = 'xxxxxxxx' %}{% for i in (1..40) %}{% assign a = a | append: a %}{% endfor %}{{ a }}" }),
            json!({ "template": "{% include 'a' %}", "templates": { "a": "{% include 'a' %}" } }),
            json!({ "template": "{% if a %}".repeat(100_000) }),
            json!({ "template": "ok" }),
        ],
    );
    assert!(said[..4].iter().all(|answer| answer["error"].is_string()), "{said:?}");
    assert_eq!(said[4]["output"], "ok");
    let said = answers(&["markdown"], &[json!({ "markdown": ">".repeat(100_000) }), json!({ "markdown": "a" })]);
    assert!(said[0]["error"].is_string() && said[1]["html"] == "<p>a</p>\n", "{said:?}");
}

/// One static file: no database of time zones, no terminal, nothing but itself.
fn it_tries_in_an_empty_root() {
    if !is_root() {
        println!("skipped: needs root");
        return;
    }
    let root = Folder::new();
    copy_program(binary().get_program().as_ref(), &root.path().join("siteserver"));
    let mut command = Command::new("chroot");
    command.arg(root.path()).args(["/siteserver", "try", "liquid", "-"]).env("TZ", "Europe/Berlin");
    let (code, out, err) = run(&mut command, "{{ 1720000800 | date: '%H:%M' }}");
    assert_eq!((code, out.as_str()), (Some(0), "10:00"), "{err}");
    assert!(err.contains("Europe/Berlin"), "{err}");
}

fn the_jsonpath_suite_passes_line_by_line() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/suites/jsonpath");
    let read = |name: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(folder.join(name)).expect("the suite")).expect("JSON")
    };
    let (suite, newer) = (read("cts.json"), read("newer.json"));
    let cases = [&suite, &newer].map(|suite| suite["tests"].as_array().expect("a list").as_slice()).concat();
    let requests: Vec<Value> =
        cases.iter().map(|case| json!({ "selector": case["selector"], "document": case["document"] })).collect();
    let mut failed = Vec::new();
    for (case, answer) in cases.iter().zip(answers(&["jsonpath"], &requests)) {
        let passes = if case["invalid_selector"] == true {
            answer["error"].is_string()
        } else if case["results"].is_array() {
            let pairs = case["results"]
                .as_array()
                .into_iter()
                .flatten()
                .zip(case["results_paths"].as_array().into_iter().flatten());
            pairs.into_iter().any(|(values, paths)| answer["values"] == *values && answer["paths"] == *paths)
        } else {
            answer["values"] == case["result"] && answer["paths"] == case["result_paths"]
        };
        if !passes {
            failed.push(format!("{}: {} gives {answer}", case["name"], case["selector"]));
        }
    }
    assert!(cases.len() == 703 && failed.is_empty(), "{}", failed.join("\n"));
}

/// A suite that is no part of this repository, if `SITESERVER_SUITES` names the folder that has it.
fn suite(name: &str) -> Option<Ordered> {
    let text = fs::read_to_string(Path::new(&std::env::var_os("SITESERVER_SUITES")?).join(name)).ok()?;
    Some(ordered(&text))
}

fn ordered(text: &str) -> Ordered {
    parse_json(text, JsonLimits { nodes: 1_000_000 }).expect("JSON")
}

fn the_liquid_suite_passes_line_by_line() {
    let Some(suite) = suite("golden_liquid.json") else {
        println!("skipped: SITESERVER_SUITES names no folder with golden_liquid.json");
        return;
    };
    // Read by our own values, which keep the order of keys: loops over objects show it.
    let cases = suite.get("tests").and_then(Ordered::as_list).expect("a list");
    let mut input = String::new();
    for case in cases {
        let keys = ["template", "data", "templates"].into_iter();
        let request: Object = keys.filter_map(|key| Some((key, case.get(key)?.clone()))).collect();
        write_json(&Ordered::Object(request), &mut input);
        input.push('\n');
    }
    let answers = raw_answers(&["liquid", "--escape", "none"], &input);
    assert_eq!(answers.len(), cases.len());
    let mut failed = Vec::new();
    for (case, answer) in cases.iter().zip(&answers) {
        let given = ordered(answer);
        let expected = case.get("results").and_then(Ordered::as_list);
        let expected = expected.unwrap_or_else(|| case.get("result").map_or(&[], std::slice::from_ref));
        let passes = match case.get("invalid") {
            Some(_) => given.get("error").is_some(),
            None => given.get("output").is_some_and(|output| expected.contains(output)),
        };
        if !passes {
            failed.push(format!("{}: {answer}", case.get("name").and_then(Ordered::as_str).unwrap_or_default()));
        }
    }
    // What does not pass, and why, is said where the library runs the same suite.
    assert!(failed.len() <= 1, "{} of {} do not pass:\n{}", failed.len(), cases.len(), failed.join("\n"));
}

fn the_common_mark_suite_passes_line_by_line() {
    let Some(suite) = suite("commonmark.json") else {
        println!("skipped: SITESERVER_SUITES names no folder with commonmark.json");
        return;
    };
    let cases = suite.as_list().expect("a list");
    let text = |case: &Ordered, key| case.get(key).and_then(Ordered::as_str).expect("a text").to_owned();
    let requests: Vec<Value> = cases.iter().map(|case| json!({ "markdown": text(case, "markdown") })).collect();
    for (case, answer) in cases.iter().zip(answers(&["markdown"], &requests)) {
        assert_eq!(answer["html"], text(case, "html"), "{:?}", text(case, "markdown"));
    }
}
