//! A sign or a word that is put together of literal parts means what it means to browsers, on every way through branches and loops.

use super::shapes::Dice;
use super::support::{data, findings, html, site};
use crate::render::Limits;
use crate::value::{Object, Value};

/// Whether a layout is refused with an error.
fn is_refused(page: &str) -> bool {
    site(&[("page.html", "", page)]).findings.has_errors()
}

#[test]
fn signs_of_a_script_are_not_told_apart_where_branches_split_them() {
    for script in [
        "let t = `{% unless a %}${% endunless %}{ {{ v | json }} }`",
        "let t = `${% for i in list %}{ {{ v | json }} }{% endfor %}`",
        "x{% if a %}+{% else %}\n+{% endif %}+ /'/.y; let y = {{ v | json }}; //'",
        "a{% if a %}.{% endif %}return /'/.y; let y = {{ v | json }}; //'",
        "\n{% if a %}--{% endif %}> `\nx = `a {{ v | json }}`",
        "\n{% if a %}<{% endif %}!-- `\nx = `a {{ v | json }}`",
        "<!{% if a %}--{% endif %}<script> </script> <p>{{ v }}</p>",
        "a = 1 /{% if a %}/{% endif %} '\n; b = {{ v | json }} // '",
        "/{% for i in list %}*{% endfor %}/ '; b = {{ v | json }} //'",
        "<!{% for i in list %}-{% endfor %} '\nb = '{{ v | json }} //'",
        "{% for i in list %}`{% if a %}${% break %}{% endif %}`;{% endfor %}{ {{ v | json }} }`",
        "</scr{% if a %}ipt>{% endif %}<i title=\"{{ v | json }}\">",
        "</scr{% assign b = 1 %}ipt><i title=\"{{ v | json }}\">",
        "<{% assign b = 1 %}/script><i title=\"{{ v | json }}\">",
        "</script{% assign b = 1 %}x><i title=\"{{ v | json }}\">",
        "<!-{% assign b = 1 %}-<script></script>{{ v | json }}",
        "\nx{% case a %}{% when b, c %}> `\n; a = `+{{ v | json }};\n--{% endcase %}",
        "{{ v | json }}in /'/, y = {{ v | json }}",
        "; {{ v | json }} /'/.b; y = '{{ v | json }}'",
    ] {
        assert!(is_refused(&format!("<script>{script}</script>")), "{script}");
    }
    for script in [
        "let t = `${% if a %}{ x }{% endif %}`; b = {{ v | json }}",
        "let t = `$${ {{ v | json }} }`",
        "a = {% if a %}x{% else %}'y'{% endif %} / 2 + {{ v | json }} + '/'",
        "f({{ v | json }}{% for i in list %}, {{ v | json }}{% endfor %})",
        "let a = [{% for i in list %}{% unless forloop.first %}, {% endunless %}{{ v | json }}{% endfor %}];",
        "if (a {% if a %}<{% else %}>{% endif %} {{ v | json }}) b = {{ v | json }};",
        "{% if a %}let x = {{ v | json }};{% endif %}{% if b %}let y = {{ v | json }};{% endif %} f(/'/, {{ v | json }});",
        "{% case a %}{% when 1 %}f{% when 2 %}return{% else %}g{% endcase %}({{ v | json }}); a = {{ v | json }}",
        "a =\n{{ v | json }} / 2 + '/' + {{ v | json }}",
        "a /{% assign b = 1 %}* ' */ + {{ v | json }}",
        "{% for i in list %}{% if a %}{% continue %}{% endif %}f({{ v | json }});{% endfor %}",
    ] {
        assert_eq!(findings(&format!("<script>{script}</script>")), [""; 0], "{script}");
    }
}

#[test]
fn signs_of_the_markup_are_written_in_one_piece() {
    for page in [
        "<title>a <{{ v }}</title>",
        "<title>a </{{ v }}</title>",
        "<title>a </ti{% if a %}tle>{% endif %}{{ v }}</title>",
        "<title>a <{% render 'x' %}</title>",
        "<!-{% assign b = 1 %}- > <i title=\"--> {{ h }}\">",
        "<!-- --{% assign b = 1 %}> <i title=\"--> {{ h }}\"> -->",
        "<!--{% assign b = 1 %}> <i title=\"--> {{ h }}\"> -->",
        "</{% assign b = 1 %} a=\"> <a href='{{ v }}'>\">",
        "<svg><![CDATA[ ]{% assign b = 1 %}]> {{ v }} ]]></svg>",
        "<noscript><p title='</no{% assign b = 1 %}script>'></p></noscript>",
        "<noscript><p title='<{{ v }}'></p></noscript>",
        "<noscript><p title='</{{ v }}'></p></noscript>",
    ] {
        let all = site(&[("page.html", "", page), ("partials/x.html", "", "/title>")]);
        assert!(all.findings.has_errors(), "{page}: {:?}", all.codes());
    }
    for page in [
        "<{% if a %}ol{% else %}ul{% endif %}><li>{{ v }}</{% if a %}ol{% else %}ul{% endif %}>",
        "<!--{% if a %} x {% endif %}-->{{ v }}",
        "<!-- {% if a %}-{% endif %} -->{{ v }}",
        "<title>a < {{ v }}</title>",
        "<style>a{% if b %}{}{% endif %}</style>{{ v }}",
    ] {
        assert_eq!(findings(page), [""; 0], "{page}");
    }
}

#[test]
fn a_partial_leaves_neither_the_quotes_nor_the_tag_it_is_called_in() {
    for (page, partial) in [
        ("<script class=\"{% render 'x' %}\"></script>", "a\" src=\"{{ v }}\" data-x=\"b"),
        ("<link class=\"{% render 'x' %}\">", "a\" rel=\"stylesheet\" href=\"{{ v }}\" title=\"b"),
        ("<base target=\"{% render 'x' %}\">", "a\" href=\"{{ v }}\" id=\""),
        ("<meta class=\"{% render 'x' %}\" http-equiv=\"refresh\">", "x\" content=\"{{ v }}\" id=\""),
        ("<iframe name=\"{% render 'x' %}\"></iframe>", "a\" sandbox=\"{{ v }}\" id=\""),
        ("<a href=\"{% render 'x' %}\">", "/\" onclick=\"a()\" title=\""),
        ("<meta http-equiv=expires {% render 'x' %} content=\"{{ v }}\">", "><meta http-equiv=refresh "),
        ("<script {% render 'x' %} src=\"/a\"></script>", "{% if a %}async {% endif %}></script><script "),
    ] {
        let all = site(&[("page.html", "", page), ("partials/x.html", "", partial)]);
        assert!(all.findings.has_errors(), "{page} {partial}");
    }
    for (page, partial) in [
        ("<p class=\"{% render 'x' %}\">", "a {% if a %}b{% endif %}"),
        ("<p {% render 'x' %}>", "class=\"{{ v }}\" title='{{ v }}'"),
        ("<p title='{% render 'x' %}'>", "\"{{ v }}\""),
    ] {
        let all = site(&[("page.html", "", page), ("partials/x.html", "", partial)]);
        assert_eq!(all.codes(), [""; 0], "{page} {partial}");
    }
}

#[test]
fn what_a_library_runs_is_json() {
    for attribute in [
        "x-data=\"{ name: '{{ v }}' }\"",
        "@click=\"go('{{ v }}')\"",
        "@click=\"go({{ v }})\"",
        "@click=\"go('{{ v | json }}')\"",
        ":class=\"{{ v }}\"",
        "v-html=\"{{ v }}\"",
        "hx-on:click=\"f('{{ v }}')\"",
        "hx-vals='js:{a: \"{{ v }}\"}'",
        "hx-vals='{{ v }}'",
        "hx-vals='{\"a\": \"{{ v }}\"}'",
        "x-html='{{ v | json }}'",
        "v-bind:href.camel='{{ v | json }}'",
        "[innerHTML]='{{ v | json }}'",
        "(click)=\"go('{{ v }}')\"",
        "x-text=\"{% render 'x', v: v %}\"",
    ] {
        let all =
            site(&[("page.html", "", &format!("<p {attribute}></p>")), ("partials/x.html", "", "'{{ v }}'")]).codes();
        assert!(!all.is_empty() && all.iter().all(|found| found.starts_with("layout/run-by-library")), "{all:?}");
    }
    for attribute in [
        "x-data='{{ v | json }}'",
        "x-data=\"{ a: a && b, name: {{ v | json }} }\"",
        "@click=\"go({{ v | json }}, {{ v | size }})\"",
        "hx-vals='{{ v | json }}'",
        "hx-vals='{\"a\": {{ v | json }}}'",
        "hx-vals='js:{a: {{ v | json }}}'",
        "x-ref=\"{{ v }}\" data-controller=\"{{ v }}\" x-transition:enter=\"{{ v }}\"",
        "hx-target=\"{{ v }}\" hx-get=\"/x?q={{ v }}\"",
    ] {
        assert_eq!(findings(&format!("<p {attribute}></p>")), [""; 0], "{attribute}");
    }
    assert_eq!(
        html("<b hx-get=\"/x?q={{ v }}&page=1\" hx-post=\"{{ w }}\">", r#"{"v": "1&admin=1", "w": "javascript:1"}"#),
        "<b hx-get=\"/x?q=1%26admin%3D1&page=1\" hx-post=\"#blocked\">"
    );
}

#[test]
fn what_is_printed_in_a_script_is_a_literal_of_its_own() {
    for (script, json, expected) in [
        ("{ {{ v | json }}: {} }", r#""__proto__""#, r#"{ ["__proto__"]: {} }"#),
        ("{ a, {{ v | json }} : {} }", r#""__proto__""#, r#"{ a, ["__proto__"] : {} }"#),
        ("a ? {{ v | json }} : b", r#""__proto__""#, r#"a ? ("__proto__") : b"#),
        ("{ {{ v | json }}: {} }", r#""a""#, r#"{ "a": {} }"#),
        ("{ {{ v | json }}{% if v %}: {}{% endif %} }", r#""__proto__""#, r#"{ ("__proto__"): {} }"#),
        ("x = a-{{ v | times: -1 | json }}", "5", "x = a- -5"),
        ("x = a-{{ v | times: -1 }}", "5", "x = a- -5"),
        ("x = a+{{ v | times: -1 | json }}", "5", "x = a+-5"),
        ("x = {{ v | plus: 0 }};", r#""alert(1)""#, "x = 0;"),
        ("x = {{ v | size }};", "[1, 2]", "x = 2;"),
        ("x = {{ v | divided_by: w }};", "1", "x = NaN;"),
        ("x = [{{ v | divided_by: w | json }}];", "1", "x = [null];"),
    ] {
        let page = format!("<script>{script}</script>");
        let data = format!("{{\"v\": {json}}}");
        assert_eq!(html(&page, &data), format!("<script>{expected}</script>"), "{script}");
    }
}

#[test]
fn no_value_says_where_a_module_comes_from() {
    for script in [
        "import {{ v | json }};",
        "import a from {{ v | json }};",
        "import a from{{ v | json }};",
        "import({{ v | json }})",
        "import( {{ v | json }} + '.js')",
        "new Worker({{ v | json }})",
        "importScripts({{ v | json }})",
    ] {
        for kind in ["", " type=module"] {
            assert!(is_refused(&format!("<script{kind}>{script}</script>")), "{script}");
        }
    }
    for script in [
        "import('/js/' + {{ v | json }})",
        "import({{ '/js/a.js' | json }})",
        "import {{ '/js/a.js' | json }};",
        "Array.from({{ v | json }})",
        "o.import({{ v | json }})",
        "new Worker('/a.js', {{ v | json }})",
    ] {
        assert_eq!(findings(&format!("<script type=module>{script}</script>")), [""; 0], "{script}");
    }
}

#[test]
fn numbers_stand_in_styles() {
    for (page, json, expected) in [
        ("<p style=\"width: {{ v | times: 1 }}%\">", "12.5", "<p style=\"width: 12.5%\">"),
        ("<p style=\"--n: {{ v | plus: 0 }}\">", r#""1;x""#, "<p style=\"--n: 1\">"),
        ("<style>p { width: {{ v | at_most: 100 }}% }</style>", "250", "<style>p { width: 100% }</style>"),
        ("<style>p { width: {{ v | at_most: 100 }}% }</style>", r#""</style>""#, "<style>p { width: 0% }</style>"),
    ] {
        assert_eq!(html(page, &format!("{{\"v\": {json}}}")), expected, "{page}");
    }
    for page in [
        "<p style=\"width: {{ v }}%\">",
        "<p style=\"width: {{ v | plus: 0 | append: x }}%\">",
        "<style>{{ v | upcase }}</style>",
        "<style>{{ v | json }}</style>",
    ] {
        assert!(is_refused(page), "{page}");
    }
}

#[test]
fn tags_are_renamed_in_two_steps() {
    for (page, v, expected) in [
        (
            "{% capture c %}<h1>{{ v }}</h1><p>b</p>{% endcapture %}{{ c | replace: '<h1>', '<h2>' | replace: '</h1>', '</h2>' }}",
            "X",
            "<h2>X</h2><p>b</p>",
        ),
        (
            "{{ v | markdownify | replace: '<h1>', '<h2>' | replace: '</h1>', '</h2>' }}<p>c</p>",
            "# T\n\nb",
            "<h2>T</h2>\n<p>b</p>\n<p>c</p>",
        ),
        (
            "{% capture c %}<b>{{ v }}</b><svg><title>I</title><path/></svg>{% endcapture %}{{ c | replace: '<b>', '<i>' }}<p>c</p>",
            "X",
            "<i>X<svg><title>I</title><path/></svg></i><p>c</p>",
        ),
        (
            "{% capture c %}<div><b>{{ v }}</b></div>{% endcapture %}{{ c | remove: '</b>' }}<p>c</p>",
            "X",
            "<div><b>X</b></div><p>c</p>",
        ),
        (
            "{% capture c %}<b>{{ v }}</b>{% endcapture %}{{ c | remove: '</b>' | append: '<i>x</i>' }}",
            "X",
            "<b>X</b><i>x</i>",
        ),
    ] {
        let data = format!("{{\"v\": {}}}", serde_json::to_string(v).unwrap());
        assert_eq!(html(page, &data), expected, "{page}");
    }
}

/// What scripts are made of, most of it in less than one piece.
const PIECES: &[&str] = &[
    "a",
    "a",
    " ",
    " ",
    "\n",
    "/",
    "/",
    "*",
    "'",
    "\"",
    "`",
    "$",
    "{",
    "}",
    "(",
    ")",
    "-",
    "-",
    ">",
    "<",
    "!",
    "+",
    "+",
    ".",
    "#",
    "re",
    "turn",
    "return ",
    "i",
    "n",
    "if",
    "=",
    ";",
    "; ",
    ",",
    "\\",
    "\r",
    "[",
    "]",
    "\u{2028}",
    "im",
    "port",
    "'x'",
    "1",
    " = ",
    "b = ",
    "{{ v | json }}",
    "{{ v | json }}",
    "{{ v | json }}",
    "{{ v | json }}",
];

const BLOCKS: &[(&str, &str)] = &[
    ("{% if a %}", "{% endif %}"),
    ("{% if a %}", "{% else %}+{% endif %}"),
    ("{% unless a %}", "{% else %} {% endunless %}"),
    ("{% if b %}", "{% else %}/{% endif %}"),
    ("{% if b %}-{% else %}", "{% endif %}"),
    ("{% for i in list %}", "{% endfor %}"),
    ("{% for i in list %}", "{% if a %}{% break %}{% endif %} {% endfor %}"),
    ("{% for i in list %}{% if b %}", "{% continue %}{% endif %};{% endfor %}"),
    ("{% assign z = 1 %}", ""),
    ("{% case a %}{% when true, a %}", "{% when b, a %};{% endcase %}"),
];

fn script(dice: &mut Dice, out: &mut String, depth: usize) {
    for _ in 0..=dice.roll(6) {
        if depth < 3 && dice.roll(4) == 0 {
            let (open, close) = dice.pick(BLOCKS);
            out.push_str(open);
            script(dice, out, depth + 1);
            out.push_str(close);
        } else {
            out.push_str(dice.pick(PIECES));
        }
    }
}

/// Whatever way a layout was rendered on: a layout that says the same in one piece is not refused either.
#[test]
fn what_is_put_together_is_read_as_what_it_makes() {
    const MARK: &str = "\"xyzzy\"";
    let (seed, rounds) = Dice::seed_and_rounds();
    let mut dice = Dice::new(seed);
    let (mut tried, mut printed) = (0, 0);
    for round in 0..rounds {
        let mut layout = "<script>".to_owned();
        script(&mut dice, &mut layout, 0);
        layout.push_str("{{ v | json }}</script>");
        let one = site(&[("page.html", "", &layout)]);
        if one.findings.has_errors() {
            continue;
        }
        tried += 1;
        for (a, b, list) in
            [(true, true, "[]"), (true, false, "[1]"), (false, true, "[1,2]"), (false, false, "[1,2,3]")]
        {
            let all = [("v", Value::text("xyzzy")), ("a", Value::Bool(a)), ("b", Value::Bool(b)), ("list", data(list))];
            let all: Object = all.into_iter().collect();
            let page = one.render_value("page.html", &Value::Object(all), &Limits::default()).unwrap();
            if ["{{", "{%"].iter().any(|sign| page.contains(sign)) {
                continue;
            }
            printed += page.matches(MARK).count();
            let flat = page.replace(MARK, "{{ v | json }}");
            let found = findings(&flat);
            assert_eq!(found, [""; 0], "SHAPES_SEED={seed}, round {round}: {layout:?} makes {flat:?}");
        }
    }
    assert!(tried > rounds / 20 && printed > tried, "{tried} of {rounds} layouts, {printed} values");
}
