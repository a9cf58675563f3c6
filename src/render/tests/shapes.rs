//! Whatever a layout is and whatever is printed into it, the tree that a browser makes of the page is the one it makes of a harmless page.
//!
//! Layouts are made of pieces at random; those that are refused are none. The tree is that of the HTML standard's own algorithm.

use super::support::{data, site};
use crate::render::Limits;
use crate::value::{Object, Value};
use html5ever::tendril::TendrilSink;
use html5ever::tree_builder::TreeBuilderOpts;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};
use std::fmt::Write as _;

/// What layouts are made of.
const PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<b>",
    "<div class=\"",
    "<a href=\"",
    "<a href='",
    "<a title=",
    "<img src='",
    "<img srcset=\"",
    "<i title='",
    "\"",
    "'",
    ">",
    "/>",
    " ",
    "<",
    "</",
    "=",
    "/",
    "?q=",
    "#",
    "&amp;",
    "x",
    "0;url=",
    "<br>",
    "<table><tr><td>",
    "</table>",
    "<ul><li>",
    "<select><option value=\"",
    "<option>",
    "</select>",
    "<form action=\"",
    "<button formaction='",
    "<input value=\"",
    "<title>",
    "</title>",
    "<textarea>",
    "</textarea>",
    "<style>",
    "</style>",
    "<script>",
    "<script type=\"application/json\">",
    "<script type=module>",
    "<script src=\"/x/",
    "</script>",
    "let a = ",
    "let b = '",
    "`",
    "${",
    "}",
    "{",
    "//",
    "/*",
    "*/",
    "\n",
    "\r\n",
    "\\",
    "<!--",
    "-->",
    "--!>",
    "<!-->",
    "<![CDATA[",
    "]]>",
    "<!doctype html>",
    "<?x",
    "<svg>",
    "</svg>",
    "<svg><a xlink:href=\"",
    "<svg><title>",
    "<desc>",
    "</desc>",
    "<foreignObject>",
    "</foreignObject>",
    "<math>",
    "<mi>",
    "</mi>",
    "</math>",
    "<annotation-xml encoding=\"",
    "<iframe src=\"",
    "<iframe>",
    "</iframe>",
    "<noscript>",
    "</noscript>",
    "<xmp>",
    "</xmp>",
    "<plaintext>",
    "<template>",
    "</template>",
    "<meta http-equiv=refresh content=\"",
    "<base href=\"/",
    "<link rel=icon href='",
    "<object data='",
    " data-x=\"",
    " onclick=\"",
    " style='",
    " checked",
    " href=\"",
    "<p title='",
    "<br title=\"a\"title='",
    "{{ '<a href=' }}",
    "{{ \"<div onclick='\" }}",
    "{{ '<script>' }}",
    "{{ '</script>' }}",
    "{{ \"<p title='\" }}",
    "{{ '\"' }}",
    "{{ '<i>' }}",
    "{{ '<' | append: 'i>' }}",
    "{% assign made = '<b title=' %}",
    "{% assign made = '<script>' %}",
    "{% assign made = '<i>x</i>' %}",
    "{% cycle '<b ', '</b>' %}",
    "{% echo '<!--' %}",
    "{% render 'part', v: '<a href=' %}",
];

/// What prints.
const OUTPUTS: &[&str] = &[
    "{{ v }}",
    "{{ v }}",
    "{{ v }}",
    "{{ v }}",
    "{{ v | upcase }}",
    "{{ v | json }}",
    "{{ v | json }}",
    "{{ made }}",
    "{{ v | append: v }}",
    "{{ v | url_encode }}",
    "{% cycle v, 'x' %}",
    "{% echo v %}",
    "{% render 'part', v: v %}",
    "{% render 'wild', v: v, yes: yes, list: list %}",
    "{{ v | slice: 0, 9 }}",
    "{{ html }}",
    "{{ v | escape }}",
    "{{ v | escape_once }}",
    "{{ v }}{{ v }}",
    "/{{ v }}/{{ v }}",
    "{{ made | remove: '\"' }}",
    "{{ made | remove: \"'\" }}",
    "{{ made | remove: '</b>' }}",
    "{{ made | replace: '<b>', '<i>' }}",
    "{{ made | replace: '>', '<' }}",
    "{{ made | replace_first: '<', v }}",
    "{{ html | remove: '\"' }}",
    "{{ made | append: '<b>' | prepend: v }}",
    "{{ made | escape | remove: 'amp;' }}",
    "{{ v | newline_to_br }}",
    "{{ v | link_to: v, v }}",
    "{{ v | link_to: v, v | remove: '\"' }}",
    "{{ v | default: '<a title=' }}",
];

/// What branches.
const BLOCKS: &[(&str, &str)] = &[
    ("{% if yes %}", "{% endif %}"),
    ("{% if no %}", "{% endif %}"),
    ("{% if yes %}", "{% else %}x{% endif %}"),
    ("{% for i in list %}", "{% endfor %}"),
    ("{% unless no %}", "{% endunless %}"),
    ("{% capture made %}", "{% endcapture %}"),
    ("{% case yes %}{% when true %}", "{% endcase %}"),
];

/// What parts a piece.
const SHATTERED: &[(&str, &str)] = &[
    ("{% assign z = 1 %}", ""),
    ("{% assign z = 1 %}", ""),
    ("{% if yes %}", "{% endif %}"),
    ("{% if no %}", "{% endif %}"),
    ("{% for i in list %}", "{% endfor %}"),
    ("{% if no %}{% endif %}", ""),
];

/// What values are made of.
const VALUES: &[&str] = &[
    "<script>",
    "</script>",
    "<b>",
    "</p>",
    "\"",
    "'",
    ">",
    "<",
    "&",
    "&quot;",
    "&#34;",
    "&lt;",
    "-->",
    "<!--",
    "]]>",
    "</title>",
    "</textarea>",
    "</style>",
    "</svg>",
    "</math>",
    "</iframe>",
    "</noscript>",
    "</template>",
    "<img src=x onerror=alert(1)>",
    " onclick=alert(1) ",
    "=",
    "/",
    "\\",
    "`",
    "${x}",
    "{",
    "}",
    "\n",
    "\r",
    "\t",
    "\u{c}",
    " ",
    "\0",
    "\u{2028}",
    "javascript:",
    "alert(1)",
    "//",
    "/*",
    "*/",
    "?",
    "#",
    "%22",
    ";",
    "<![CDATA[",
    "<svg onload=alert(1)>",
    "é",
    "</",
    "<a href=javascript:x>",
];

/// What a sanitiser makes of a text in an attribute.
fn html_of(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// `SHAPES_SEED` if it is set, for what was found to be found again; how many rounds to make.
    pub(super) fn seed_and_rounds() -> (u64, usize) {
        let seed = std::env::var("SHAPES_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = seed.unwrap_or_else(|| u64::from(jiff::Timestamp::now().subsec_nanosecond().unsigned_abs()));
        (seed, if std::env::var_os("SITESERVER_PROVE").is_some() { 100_000 } else { 5_000 })
    }

    pub(super) fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap_or(0) % sides
    }

    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.roll(of.len())]
    }

    fn layout(&mut self, out: &mut String, depth: usize) {
        for _ in 0..=self.roll(6) {
            match self.roll(10) {
                0..=2 => out.push_str(self.pick(PIECES)),
                3..=4 => {
                    let piece = self.pick(PIECES);
                    self.shatter(piece, out);
                }
                5 if depth < 3 => {
                    let (open, close) = self.pick(BLOCKS);
                    out.push_str(open);
                    self.layout(out, depth + 1);
                    out.push_str(close);
                }
                _ => out.push_str(self.pick(OUTPUTS)),
            }
        }
    }

    /// A piece that is parted by what prints nothing, or one part of which is printed on some ways only.
    pub(super) fn shatter(&mut self, piece: &str, out: &mut String) {
        let at = self.roll(piece.len().max(1));
        let (open, close) = self.pick(SHATTERED);
        match piece.split_at_checked(at).filter(|_| !piece.contains('{')) {
            Some((before, behind)) => out.extend([before, open, behind, close]),
            None => out.push_str(piece),
        }
    }

    fn value(&mut self) -> String {
        // A word before, because white space alone means other things in a few elements, whoever wrote it.
        let mut value = "x".to_owned();
        for _ in 0..=self.roll(5) {
            value.push_str(self.pick(VALUES));
        }
        value
    }
}

/// The elements of a page with the names of their attributes, as a tree.
pub(super) fn shape(html: &str, scripting: bool) -> String {
    let mut out = String::new();
    draw(&tree(html, scripting).document, 0, &mut out);
    out
}

/// The tree that a browser makes of a page.
pub(super) fn tree(html: &str, scripting: bool) -> RcDom {
    let tree_builder = TreeBuilderOpts { scripting_enabled: scripting, ..TreeBuilderOpts::default() };
    parse_document(RcDom::default(), ParseOpts { tree_builder, ..ParseOpts::default() }).one(html)
}

/// The values of all attributes of this name in a page, as a browser reads them.
pub(super) fn values_of(name: &str, html: &str) -> Vec<String> {
    fn collect(name: &str, node: &Handle, out: &mut Vec<String>) {
        if let NodeData::Element { attrs, .. } = &node.data {
            let attrs = attrs.borrow();
            let found = attrs.iter().find(|attribute| &*attribute.name.local == name);
            out.extend(found.map(|attribute| attribute.value.to_string()));
        }
        node.children.borrow().iter().for_each(|child| collect(name, child, out));
    }
    let mut out = Vec::new();
    collect(name, &tree(html, true).document, &mut out);
    out
}

fn draw(node: &Handle, depth: usize, out: &mut String) {
    match &node.data {
        NodeData::Element { name, attrs, template_contents, .. } => {
            let mut names: Vec<String> =
                attrs.borrow().iter().map(|attribute| attribute.name.local.to_string()).collect();
            names.sort();
            writeln!(out, "{}<{}:{} {}>", " ".repeat(depth), name.ns, name.local, names.join(" ")).unwrap();
            if let Some(inner) = template_contents.borrow().as_ref() {
                draw(inner, depth + 1, out);
            }
        }
        NodeData::Comment { .. } => {
            writeln!(out, "{}<!---->", " ".repeat(depth)).unwrap();
        }
        NodeData::Document
        | NodeData::Doctype { .. }
        | NodeData::Text { .. }
        | NodeData::ProcessingInstruction { .. } => {}
    }
    for child in node.children.borrow().iter() {
        draw(child, depth + 1, out);
    }
}

#[test]
fn no_value_changes_the_shape_of_a_page() {
    let (seed, rounds) = Dice::seed_and_rounds();
    let mut dice = Dice::new(seed);
    let (mut tried, mut printed) = (0, 0);
    for round in 0..rounds {
        let mut layout = String::new();
        dice.layout(&mut layout, 0);
        let mut wild = String::new();
        dice.layout(&mut wild, 2);
        let wild = wild.replace("'wild'", "'part'");
        let all =
            [("page.html", "", &*layout), ("partials/part.html", "", "{{ v }}"), ("partials/wild.html", "", &*wild)];
        let one = site(&all);
        if one.findings.has_errors() {
            continue;
        }
        tried += 1;
        let render = |value: &str| {
            let list = data("[1,2]");
            let all = [
                ("v", Value::text(value)),
                ("html", Value::markup(format!("<u title=\"{}\">x</u>", html_of(value)))),
                ("yes", Value::Bool(true)),
                ("no", Value::Bool(false)),
                ("list", list),
            ];
            let all: Object = all.into_iter().collect();
            one.render_value("page.html", &Value::Object(all), &Limits::default()).unwrap()
        };
        let harmless = render("xy");
        printed += usize::from(harmless.contains("xy"));
        for _ in 0..3 {
            let value = dice.value();
            let hostile = render(&value);
            for scripting in [true, false] {
                // What a filter makes of line breaks is no news.
                let shape = |html: &str| {
                    let lines: Vec<String> = shape(html, scripting)
                        .lines()
                        .filter(|line| !line.ends_with(":br >"))
                        .map(str::to_owned)
                        .collect();
                    lines
                };
                assert_eq!(
                    shape(&hostile),
                    shape(&harmless),
                    "SHAPES_SEED={seed}, round {round}, {value:?} in {layout:?} with {wild:?} makes {hostile:?} instead of {harmless:?}"
                );
            }
        }
    }
    assert!(tried > rounds / 10 && printed > tried / 4, "{tried} of {rounds} layouts, {printed} with a value");
}
