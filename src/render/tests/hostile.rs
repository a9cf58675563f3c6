//! Input that is meant to hurt ends as a finding or as an error, and never takes the process with it.

use super::support::{context, data, liquid, site};
use crate::diagnostic::{Files, Findings, Place};
use crate::render::{Condition, Fragment, Limits, RenderError, TooMuchWork, Work};
use crate::value::Value;
use proptest::prelude::*;

fn render(template: &str) -> Result<String, RenderError> {
    let page = site(&[("page.html", "", template)]);
    page.render_with("page.html", "{}", &Limits::default())
}

#[test]
fn nesting_without_end_is_a_finding() {
    let many = 100_000;
    for template in [
        "{% if a %}".repeat(many),
        "{% for a in b %}".repeat(many),
        "{% liquid ".repeat(100) + &"if a\n".repeat(many),
        "{% capture a %}".repeat(many),
        "{% case a %}{% when 1 %}".repeat(30_000),
        format!("{{{{ {} }}}}", "a[".repeat(many)),
        format!("{{{{ {}1 }}}}", "(".repeat(many)),
        format!("{{% if {} %}}", "(".repeat(many)),
        "{% endif %}".repeat(1000),
        "{% comment %}".repeat(many.min(80_000)),
        "{{".repeat(many),
        "{%".repeat(many),
    ] {
        assert!(Fragment::parse(&template, &[]).is_err(), "{template:.20}");
    }
    let long = format!("{{{{ a {} }}}}", "| upcase ".repeat(many));
    assert!(Fragment::parse(&long, &[]).is_ok());
    let long = format!("{{% if {} a %}}{{% endif %}}", "a and ".repeat(many));
    assert!(Fragment::parse(&long, &[]).is_ok());
    for piece in [" ", "{{ a }}", "{% if a %}{% endif %}", "<p>{{ a | append: 'b' }}</p>\n"] {
        assert!(Fragment::parse(&piece.repeat((10 << 20) / piece.len()), &[]).is_err());
    }
}

#[test]
fn loops_and_doubling_end() {
    for template in [
        "{% for i in (1..1000000000) %}{% endfor %}",
        "{% for i in (1..1000) %}{% for j in (1..1000) %}{% endfor %}{% endfor %}",
        "{{ (1..1000000000) | join: ',' }}",
        "{{ (1..1000000000) | json }}",
        "{% tablerow i in (1..1000000000) %}{% endtablerow %}",
        "{{ (1..1000000000) | where_exp: 'i', 'i > 1' }}",
        "{{ (1..90000) | where_exp: 'i', 'i > 1' }}{{ (1..90000) | group_by_exp: 'i', 'i' }}",
        "{{ (1..1000000000) | push: 1 }}",
    ] {
        assert!(matches!(render(template), Err(RenderError::TooManyIterations { .. })), "{template}");
    }
    for template in [
        "{% assign a = 'x' %}{% for i in (1..100) %}{% assign a = a | append: a %}{% endfor %}",
        "{% assign a = 'xxxxxxxxxx' %}{% for i in (1..100) %}{% assign a = a | replace: 'x', a %}{% endfor %}",
        "{% assign a = 'x y' | split: ' ' %}{% for i in (1..100) %}{% assign a = a | concat: a %}{% endfor %}",
        "{% for i in (1..99999) %}{{ 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' }}{% endfor %}",
        "{% capture a %}xx{% endcapture %}{% for i in (1..99) %}{% capture a %}{{ a }}{{ a }}{% endcapture %}{% endfor %}",
        "{% assign g = 'a' | split: ',' %}{% for i in (1..99999) %}{% assign g = g | group_by: 'x' %}{% endfor %}",
        "{% assign g = '' | split: '' %}{% for i in (1..99999) %}{% assign h = x | push: g %}{% assign g = h %}{% endfor %}",
        "{% assign a = 'x' | split: '' %}{% for i in (1..999) %}{% assign a = a | push: a %}{% endfor %}",
        "{% assign f = '%1024d' %}{% for i in (1..18) %}{% assign f = f | append: f %}{% endfor %}{{ 0 | date: f }}",
        "{% assign m = '*a* ' %}{% for i in (1..99999) %}{% assign m = m | append: m %}{{ m | markdownify | size }}{% endfor %}",
        "{% assign a = (1..90000) | join: a %}{% for i in (1..99) %}{% assign b = a | split: '' | join: a %}{% endfor %}",
    ] {
        let rendered = render(template);
        let stopped = matches!(rendered, Err(RenderError::OutputTooLarge { .. } | RenderError::TooMuchMade { .. }));
        assert!(stopped, "{template}");
    }
    assert_eq!(liquid("{% for i in (1..1000000000) limit: 2 %}{{ i }}{% endfor %}", "{}"), "12");
}

#[test]
fn many_items_share_what_a_page_may_cost() {
    let text = "item.name == 'a' or data.text contains item.name";
    let (_, file) = super::support::file(text);
    let mut findings = Findings::default();
    let condition = Condition::compile(text, Place::new(file, 0..text.len()), &mut findings).unwrap();
    let document = data(&format!("{{\"text\": \"{}\"}}", "a".repeat(1 << 20)));
    let item = data("{\"name\": \"ab\"}");
    let roots: Vec<&Value> =
        condition.roots().iter().map(|root| if &*root.name == "item" { &item } else { &document }).collect();
    let (limits, mut work) = (Limits::default(), Work::default());
    let holds = (0..1000).map(|_| condition.holds_within(&roots, &context(&limits), &mut work));
    let held: Vec<bool> = holds.map_while(Result::ok).collect();
    assert_eq!(held.len(), limits.read_bytes >> 20);
    assert!(!held.contains(&true));
    assert_eq!(condition.holds_within(&roots, &context(&limits), &mut work), Err(TooMuchWork));
    assert!(!condition.holds(&roots, &context(&limits)));
}

/// A list that is small, and of which a page of Petabytes could be printed.
const VAST: &str = "{% for i in (1..40) %}{% assign l = l | group_by: 'x' %}{% assign l = l | concat: l %}{% endfor %}";

#[test]
fn what_is_far_larger_than_its_parts_is_not_printed_out() {
    let page = |template: &str| {
        let page = site(&[("page.html", "", &format!("{VAST}{template}"))]);
        let limits = Limits { output_bytes: 1 << 18, made_bytes: 1 << 20, read_bytes: 16 << 20, ..Limits::default() };
        page.render_with("page.html", "{\"l\": [{\"x\": 1}], \"k\": [{\"x\": 1}]}", &limits)
    };
    for template in [
        "{{ l }}",
        "{{ l | json }}",
        "{{ l | json: pretty: true }}",
        "{{ l | uniq | size }}",
        "{{ l | join | size }}",
        "{{ l | array_to_sentence_string | size }}",
        "{{ l | append: 'x' | size }}",
        "{{ 'x' | append: l | size }}",
        "{{ l | sort_natural: 'items' | size }}",
        "{{ l | group_by: 'items' | size }}",
        "{% cycle l: 1, 2 %}",
        "{% capture x %}{{ l }}{% endcapture %}",
        "<a href=\"{{ l }}\"></a>",
    ] {
        let rendered = page(template);
        let stopped = matches!(rendered, Err(RenderError::OutputTooLarge { .. } | RenderError::TooMuchMade { .. }));
        assert!(stopped, "{template}");
    }
    // Two that are the same in every part but are not one.
    let other = VAST.replace("l =", "k =").replace("= l", "= k").replace(": l", ": k");
    for template in [
        "{% if l == k %}{% endif %}",
        "{% if l contains k %}{% endif %}{% case l %}{% when k %}{% endcase %}",
        "{{ l | where: 'items', k[0].items | size }}",
    ] {
        assert!(matches!(page(&format!("{other}{template}")), Err(RenderError::TooMuchRead { .. })), "{template}");
    }
    assert_eq!(page("{% if l == l %}{{ l.size }}{{ l | map: 'size' | join }}{% endif %}"), Ok("22 2".to_owned()));
}

#[test]
fn large_data_is_not_read_without_end() {
    let text = "a ".repeat(500_000);
    let numbers = (0..50_000).map(|number| number.to_string()).collect::<Vec<_>>().join(",");
    let data = format!(
        "{{\"s\": \"{text}\", \"t\": \"{text}\", \"n\": [{numbers}], \"spaces\": \"{}\"}}",
        " ".repeat(1_000_000)
    );
    let page = |body: &str| {
        let page = site(&[("page.html", "", &format!("{{% for i in (1..99999) %}}{body}{{% endfor %}}"))]);
        page.render_with("page.html", &data, &Limits { read_bytes: 16 << 20, ..Limits::default() })
    };
    for body in [
        "{% if s contains 'zz' %}{% endif %}",
        "{% if s == t %}{% endif %}",
        "{% if s < t %}{% endif %}",
        "{% if spaces == blank %}{% endif %}",
        "{% if n contains 'q' %}{% endif %}",
        "{% case s %}{% when t %}{% endcase %}",
        "{% assign z = s | size %}",
        "{% assign z = s | truncate: 3 %}",
        "{% assign z = s | remove: 'q' %}",
        "{% assign z = s | plus: 1 %}",
        "{% assign z = n | sum %}",
        "{% assign z = n | has: 'a' %}",
        "{% assign z = n | slice: 0, 20000 %}",
        "{% assign z = n | find: 'a', 1 %}",
        "{% assign z = s | date: '%Y' %}",
        "{% assign z = s | md5 %}",
        "{% assign z = s | number_of_words %}",
        "<a href=\"{{ 'javascript:' | append: s }}\"></a>",
    ] {
        let rendered = page(body);
        let stopped = matches!(rendered, Err(RenderError::TooMuchRead { .. } | RenderError::TooMuchMade { .. }));
        assert!(stopped, "{body}");
    }
    for body in
        ["{% assign z = n | first %}", "{% assign z = n | size %}", "{% if s %}{% endif %}", "{% assign z = s %}"]
    {
        assert_eq!(page(body), Ok(String::new()), "{body}");
    }
}

#[test]
fn partials_that_call_themselves_end() {
    let page = site(&[
        ("page.html", "", "{% render 'a' %}"),
        (
            "partials/a.html",
            "",
            "{% if true %}{% if true %}{% if true %}{% render 'a' %}{% endif %}{% endif %}{% endif %}",
        ),
    ]);
    let rendered = page.render_with("page.html", "{}", &Limits::default());
    assert!(matches!(rendered, Err(RenderError::TooDeep { .. })));
    // Two calls each, sixteen deep: stopped by the count, not by patience.
    let bodies: Vec<(String, String)> = (0..15)
        .map(|n| (format!("partials/p{n}.html"), format!("{{% render 'p{}' %}}", n + 1).repeat(8)))
        .chain([
            ("partials/p15.html".to_owned(), "x".to_owned()),
            ("page.html".to_owned(), "{% render 'p0' %}".to_owned()),
        ])
        .collect();
    let layouts: Vec<(&str, &str, &str)> =
        bodies.iter().map(|(name, body)| (name.as_str(), "", body.as_str())).collect();
    let rendered = site(&layouts).render_with("page.html", "{}", &Limits::default());
    assert!(matches!(rendered, Err(RenderError::TooManyIterations { .. })), "{rendered:?}");
}

/// Pieces of Liquid and HTML, to be thrown together.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{{-",
    "-%}",
    " ",
    "\n",
    "if ",
    "endif",
    "for ",
    "in ",
    "endfor",
    "x",
    ".y",
    "[0]",
    "['a']",
    "[x]",
    "|",
    "append: ",
    "split: ''",
    "date: '%c'",
    "where: 'a'",
    "where_exp: 'x', ",
    "'x.a'",
    "group_by_exp: 'x', \"x | size\"",
    "group_by: 'a'",
    "push: x",
    "pop: ",
    "round: ",
    "time_tag",
    "money",
    "divided_by: 0.3",
    "strip_html",
    "truncatewords: 1",
    "slice: -2, 3",
    "'%10N %é %'",
    "json",
    "'",
    "\"",
    "(1..3)",
    "1.5",
    "-",
    "==",
    "and ",
    "contains ",
    "assign ",
    "= ",
    "capture ",
    "endcapture",
    "case ",
    "when ",
    "endcase",
    "else",
    "elsif ",
    "cycle ",
    "liquid ",
    "comment ",
    "endcomment",
    "raw",
    "endraw",
    "render 'p'",
    "include 'p'",
    "with ",
    "as ",
    ":",
    ",",
    "limit: 2",
    "offset: continue",
    "reversed",
    "tablerow ",
    "endtablerow",
    "increment x",
    "ifchanged",
    "endifchanged",
    "doc",
    "enddoc",
    "#",
    "<p ",
    "<a href=\"",
    "<script>",
    "</script>",
    "<!--",
    "-->",
    ">",
    "é",
    "\u{2028}",
    "echo ",
    "break",
    "continue",
    "unless ",
    "endunless",
    "{",
    "}",
    "{% if x %}",
    "{% endif %}",
    "{{ x }}",
    "{% for x in y %}",
    "{% endfor %}",
    "{% else %}",
    "{{ x.y | upcase }}",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn soups_of_tokens_never_panic(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..40)) {
        let text = pieces.concat();
        let page = site(&[("page.html", "", &text), ("page.txt", "", &text), ("partials/p.html", "", "{{ x }}")]);
        let data = data(r#"{"x":{"y":["a",{"a":1},null]},"y":[1,"b",[2]]}"#);
        let limits = Limits { iterations: 1000, ..Limits::default() };
        for name in ["page.html", "page.txt"] {
            let rendered = page.render_value(name, &data, &limits);
            let again = page.render_value(name, &data, &limits);
            prop_assert_eq!(rendered, again);
        }
        for finding in &page.findings {
            let place = finding.place.unwrap();
            prop_assert!(page.files.text(place.file).get(place.range()).is_some(), "{:?}", finding);
        }
    }

    #[test]
    fn any_text_is_a_condition_or_a_finding(text in ".{0,60}") {
        let mut files = Files::default();
        let file = files.add("site.toml", text.as_str());
        let mut findings = Findings::default();
        match Condition::compile(&text, Place::new(file, 0..text.len()), &mut findings) {
            Some(condition) => {
                let roots = vec![&Value::Null; condition.roots().len()];
                let limits = Limits::default();
                let holds = condition.holds(&roots, &context(&limits));
                prop_assert_eq!(holds, condition.holds(&roots, &context(&limits)));
            }
            None => prop_assert!(!findings.is_empty()),
        }
    }

    #[test]
    fn what_is_printed_never_leaves_its_place(text in ".{0,20}") {
        let json = format!("{{\"x\":{}}}", {
            let mut out = String::new();
            crate::value::write_json(&Value::text(text.as_str()), &mut out);
            out
        });
        let page = super::support::html("<p>{{ x }}</p><a title='{{ x }}' href=\"{{ x }}\">", &json);
        let inner = page.strip_prefix("<p>").and_then(|rest| rest.strip_suffix("\">")).unwrap();
        let (text, rest) = inner.split_once("</p><a title='").unwrap();
        let (title, href) = rest.split_once("' href=\"").unwrap();
        prop_assert!(!text.contains(['<', '>']));
        prop_assert!(!title.contains(['\'', '<']));
        prop_assert!(!href.contains(['"', '<', ' ']));
    }
}

/// Any value at all, a few levels deep.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (0_i64..5).prop_map(Value::Int),
        Just(Value::UInt(u64::MAX)),
        any::<f64>().prop_filter("JSON has no others", |number| number.is_finite()).prop_map(Value::Float),
        ".{0,8}".prop_map(Value::text),
        Just(Value::markup("<b>&amp;</b>")),
        Just(Value::text("2024-03-05 10:20:30 +0900")),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::list),
            proptest::collection::vec(("[abc]", inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever a filter is given, it makes something or says why not, twice the same.
    #[test]
    fn every_filter_takes_every_value(input in value(), first in value(), second in value()) {
        let data = Value::Object([("i", input), ("f", first), ("s", second)].into_iter().collect());
        let limits = Limits { made_bytes: 1 << 20, output_bytes: 1 << 20, ..Limits::default() };
        for filter in crate::render::filters() {
            for arguments in ["", ": f", ": f, s", ": 'a', s", ": 'x', 'x.a'", ": 3, '…'"] {
                let template = format!("{{{{ i | {}{arguments} }}}}", filter.name);
                let Ok(fragment) = Fragment::parse(&template, &[]) else { continue };
                let rendered = fragment.render(&data, &context(&limits));
                prop_assert_eq!(rendered, fragment.render(&data, &context(&limits)), "{}", template);
            }
        }
    }
}
