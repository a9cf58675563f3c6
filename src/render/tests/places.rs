//! Browsers take a value for what the layout says it is: where they would take it for code, an instruction or an address of their own
//! choice, a layout is refused.

use super::shapes::{Dice, shape, tree};
use super::support::{findings, html, site};
use crate::render::Limits;
use crate::value::{Object, Value};
use markup5ever_rcdom::{Handle, NodeData};

/// What a browser makes of each attribute of this name.
fn attributes(page: &str, name: &str) -> Vec<String> {
    fn walk(node: &Handle, name: &str, out: &mut Vec<String>) {
        if let NodeData::Element { attrs, .. } = &node.data {
            let attributes = attrs.borrow();
            let values = attributes.iter().filter(|one| &*one.name.local == name).map(|one| one.value.to_string());
            out.extend(values);
        }
        node.children.borrow().iter().for_each(|child| walk(child, name, out));
    }
    let mut out = Vec::new();
    walk(&tree(page, true).document, name, &mut out);
    out
}

#[test]
fn no_value_says_where_a_page_goes_unless_the_layout_says_so() {
    let refused = |page: &str| findings(page).first().is_some_and(|found| found.starts_with("layout/unsafe-place"));
    for page in [
        "<meta http-equiv=refresh content=\"{{ d }};url={{ y }}\">",
        "<meta http-equiv=\"refresh\" content=\"{{ x }}\">",
        "<meta content=\"{{ x }}\" http-equiv=\"refresh\">",
        "<meta content=\"0;url={{ x }}\" http-equiv=\"refresh\">",
        "<meta http-equiv=\"{{ x }}\" content=\"0\">",
        "<meta{% if a %} http-equiv=refresh{% endif %} content=\"{{ x }}\">",
        "<meta http-equiv=\"{% if a %}refresh{% else %}expires{% endif %}\" content=\"{{ x }}\">",
        "<meta http-equiv=\"content-security-policy\" content=\"script-src {{ x }}\">",
        "<link rel=stylesheet href=\"{{ x }}\">",
        "<link href=\"{{ x }}\" rel=stylesheet>",
        "<link rel=\"{{ x }}\" href=\"/a\">",
        "<link rel=manifest href=\"//{{ x }}/a\">",
        "<iframe sandbox=\"{{ x }}\" src=\"/a\"></iframe>",
        "<script nonce=\"{{ x }}\" src=\"/a\"></script>",
    ] {
        assert!(refused(page), "{page}");
    }
    for page in [
        "<meta name=description content=\"{{ x }}\">",
        "<meta property=\"og:title\" content=\"{{ x }}\">",
        "<meta content=\"{{ x }}\" name=\"author\">",
        "<meta http-equiv=refresh content=\"5; url='{{ x }}'\">",
        "<meta http-equiv=refresh content=\"{{ '5' }}; url=/a\">",
        "<link rel=canonical href=\"{{ x }}\"><link href=\"{{ x }}\" rel=next><link rel=icon href=\"{{ x }}\">",
        "<link rel=alternate type=\"application/atom+xml\" title=\"{{ x }}\" href=\"{{ x }}\">",
        "<link rel=stylesheet href=\"/css/{{ x }}.css\">",
        "<link rel=preload as=image href=\"{{ x }}\">",
        "<iframe src=\"{{ x }}\"></iframe><script crossorigin=\"{{ x }}\" src=\"/a\"></script>",
    ] {
        assert_eq!(findings(page), [""; 0], "{page}");
    }
    let page = "<meta http-equiv=refresh content=\"5; url='{{ x }}'\">";
    let rendered = html(page, "{\"x\": \"/a';url=javascript:alert(1)\"}");
    assert_eq!(attributes(&rendered, "content"), ["5; url='/a%27;url=javascript:alert(1)'"]);
    assert_eq!(attributes(&html(page, "{\"x\": \"javascript:1\"}"), "content"), ["5; url='#blocked'"]);
}

#[test]
fn xml_is_read_by_its_own_rules() {
    let declared = site(&[("a.xml", "", "<!DOCTYPE svg [<!ENTITY x \"<b>\">]><svg>{{ x }}</svg>")]);
    assert_eq!(declared.codes(), ["layout/unsafe-place `[`"]);
    for name in ["é:a", "_a", "a"] {
        let page = site(&[("a.xml", "", &format!("<{name} x:href=\"{{{{ x }}}}\"/>"))]);
        assert_eq!(page.render("a.xml", "{\"x\": \"javascript:1\"}"), format!("<{name} x:href=\"#blocked\"/>"));
    }
}

#[test]
fn no_value_completes_a_character_reference() {
    for page in ["<a href=\"javascript&{{ x }}\">", "<a href=\"/?a=1&{{ x }}\">", "<a href='&#{{ x }}'>"] {
        assert_eq!(findings(page), ["layout/unsafe-place `{{ x }}`"], "{page}");
    }
    let data = "{\"x\": \"javascript&\", \"y\": \"lt;b>\"}";
    assert_eq!(attributes(&html("<a href=\"{{ x }}colon;alert(1)\">", data), "href"), ["javascript&colon;alert(1)"]);
    let page = html("<p title=\"&{{ y }}\">&{{ y }}</p><a href=\"/?a=1&amp;{{ y }}\">", data);
    assert_eq!(shape(&page, true), shape("<p title=\"\">x</p><a href=\"\">", true));
}

/// An object literal of JavaScript inherits from its `__proto__`; one of JSON has a member of that name.
#[test]
fn no_member_says_what_an_object_inherits() {
    let data = r#"{"x": {"__proto__": {"admin": true}}}"#;
    assert_eq!(
        html("<script>let x = {{ x | json }};</script>", data),
        r#"<script>let x = {["__proto__"]:{"admin":true}};</script>"#
    );
    assert_eq!(
        html("<script type=\"application/json\">{{ x | json }}</script>", data),
        r#"<script type="application/json">{"__proto__":{"admin":true}}</script>"#
    );
}

#[test]
fn a_noscript_is_read_in_two_ways_and_neither_is_left() {
    let page = "<head><noscript><p title=\"{{ x }}\">{{ x }}</p></noscript></head><noscript>{{ x }}</noscript>";
    let of = |value: &str| {
        let data = format!("{{\"x\": {}}}", serde_json::to_string(value).unwrap());
        [true, false].map(|scripting| shape(&html(page, &data), scripting))
    };
    for value in ["</noscript><img src=x onerror=alert(1)>", "\"></noscript><script>alert(1)</script>", "--><svg>"] {
        assert_eq!(of(value), of("x"), "{value}");
    }
}

#[test]
fn drawings_are_closed_where_they_were_begun() {
    for (page, expected) in [
        ("<svg>{% render 'x' %}</svg>", &[][..]),
        ("<div><svg></div><title>{{ x }}</title></svg>", &["layout/unsafe-place `>`"]),
        ("<svg><g>", &["layout/branch-context ``"]),
        ("<svg><g></svg>", &[]),
        ("{% if a %}<svg>{% endif %}<p>{{ x }}</p>", &[]),
        ("{% if a %}<svg>{% endif %}<style>a{}</style>", &["layout/unsafe-place `>`"]),
    ] {
        let one =
            site(&[("page.html", "", page), ("partials/x.html", "", "<path d=\"{{ d }}\"/><title>{{ x }}</title>")]);
        assert_eq!(one.codes(), expected, "{page}");
    }
    let one = site(&[("page.html", "", "{% render 'x' %}<p></p>"), ("partials/x.html", "", "<svg>")]);
    assert_eq!(one.codes(), ["layout/branch-context ``"]);
}

/// What makes drawings and formulas begin and end, and what means one thing within them and another outside.
const PIECES: &[&str] = &[
    "<svg>",
    "<svg/>",
    "</svg>",
    "<math>",
    "</math>",
    "<title>",
    "</title>",
    "<desc>",
    "</desc>",
    "<foreignObject>",
    "</foreignObject>",
    "<mi>",
    "</mi>",
    "<mtext>",
    "</mtext>",
    "<mglyph>",
    "<malignmark/>",
    "<annotation-xml>",
    "<annotation-xml encoding=text/html>",
    "<annotation-xml encoding encoding=text/html>",
    "</annotation-xml>",
    "<font>",
    "<font size=1>",
    "</font>",
    "<var>",
    "</p>",
    "<p>",
    "<br/>",
    "<div>",
    "</div>",
    "<b>",
    "</b>",
    "<g>",
    "</g>",
    "<path/>",
    "<table>",
    "<tr>",
    "</table>",
    "<select>",
    "</select>",
    "<script>",
    "<script/>",
    "</script>",
    "<style>",
    "</style>",
    "<textarea>",
    "</textarea>",
    "<xmp>",
    "</xmp>",
    "<noscript>",
    "</noscript>",
    "<template>",
    "</template>",
    "<plaintext>",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<i title=\"",
    "<i title='",
    "\">",
    "'>",
    ">",
    "/*",
    "*/",
];

const OUTPUTS: &[&str] = &["{{ v }}", "{{ v | json }}", "{{ v | json }}", "<i title=\"{{ v | json }}\">", "{{ v }}x"];

const VALUES: &[&str] = &[
    "\" onclick=\"alert(1)",
    "' onclick='alert(1)",
    "<img src=x>",
    "</script><img src=x>",
    "]]><img src=x>",
    "--><img src=x>",
    "</title></style></textarea></xmp></noscript></svg></math><img src=x>",
    "\\\"><img src=x>",
];

#[test]
fn no_value_leaves_a_drawing_or_a_formula() {
    let (seed, rounds) = Dice::seed_and_rounds();
    let mut dice = Dice::new(seed);
    let mut tried = 0;
    for round in 0..rounds {
        let mut layout = String::new();
        for _ in 0..=dice.roll(9) {
            let pieces = if dice.roll(4) == 0 { OUTPUTS } else { PIECES };
            layout.push_str(dice.pick(pieces));
        }
        layout.push_str(dice.pick(OUTPUTS));
        let one = site(&[("page.html", "", &layout)]);
        // The end of a drawing may be left out here: only what is printed matters.
        if one.findings.iter().any(|finding| finding.code.name == "layout/unsafe-place") {
            continue;
        }
        tried += 1;
        let render = |value: &str| {
            let all: Object = [("v", Value::text(value))].into_iter().collect();
            one.render_value("page.html", &Value::Object(all), &Limits::default()).unwrap()
        };
        let value = dice.pick(VALUES);
        for scripting in [true, false] {
            let (hostile, harmless) = (render(value), render("xy"));
            assert_eq!(
                shape(&hostile, scripting),
                shape(&harmless, scripting),
                "SHAPES_SEED={seed}, round {round}, {value:?} in {layout:?} makes {hostile:?} instead of {harmless:?}"
            );
        }
    }
    assert!(tried > rounds / 10, "{tried} of {rounds} layouts");
}
