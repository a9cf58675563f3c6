//! Whatever a layout is and whatever is printed into it: what a browser finds to load and to run in the page is known before.
//!
//! Layouts are made of pieces at random; the browser is the HTML standard's own algorithm. What it finds is in the needs of the layout, or is
//! told as an obstacle to its author.

use super::shapes::{Dice, tree};
use super::support::site;
use crate::render::{Limits, Needs, ObstacleKind, Origin, Use};
use crate::value::{Object, Value};
use base64::Engine as _;
use html5ever::ns;
use markup5ever_rcdom::{Handle, NodeData};
use std::collections::BTreeSet;

/// What surrounds other pieces.
const PAIRS: &[(&str, &str)] = &[
    ("<script>", "</script>"),
    ("<script>", "</script>"),
    ("<script type=module>", "</script>"),
    ("<SCRIPT TYPE='text/javascript'>", "</SCRIPT >"),
    ("<script type=\"application/json\">", "</script>"),
    ("<script ", "></script>"),
    ("<style>", "</style>"),
    ("<style ", ">a { }</style>"),
    ("<title>", "</title>"),
    ("<textarea>", "</textarea>"),
    ("<xmp>", "</xmp>"),
    ("<table><tr><td>", "</table>"),
    ("<!--", "-->"),
    ("<p", ">"),
    ("<img", ">"),
    ("<img ", "/>"),
    ("<iframe ", "></iframe>"),
    ("<form ", ">"),
    ("<img src=\"", "\">"),
    ("<input type=image src='", "'>"),
    ("<iframe src=\"", "\"></iframe>"),
    ("<form action='", "'>"),
    (" src='", "'"),
    (" src=\"https://a.example/", "\""),
    (" action=\"", "\""),
    (" data-src='", "'"),
    (" class=\"", "\""),
    ("{% if yes %}", "{% endif %}"),
    ("{% if yes %}", "{% endif %}"),
    ("{% if no %}", "{% else %}x{% endif %}"),
    ("{% if no %}x{% else %}", "{% endif %}"),
    ("{% for i in list %}", "{% endfor %}"),
    ("{% for i in list %}", "{% break %}{% endfor %}"),
    ("{% capture made %}", "{% endcapture %}"),
    ("{% case yes %}{% when true %}", "{% else %} class=y{% endcase %}"),
];

/// What stands by itself.
const PIECES: &[&str] = &[
    "<IMG ALT SRC = '//b.example/x'>",
    "<img alt='<img src=https://b.example/>' src=https://a.example/x>",
    "https://a.example/",
    "https://b.example/x",
    "//b.example/",
    "/x/",
    " onclick=\"a()\"",
    " style='a: b'",
    " class=x",
    " src='https://b.example/x'",
    " type=module",
    " type='x/json'",
    "a()",
    "let b = ",
    ";",
    "\r\n",
    "/* <!-- */",
    "<!-- <script> </script> -->",
    "<!-- </script>",
    // Within drawings browsers read tags in scripts and styles, too; nobody writes any there.
    "<svg><style>a { }</style><script/><title><b></title></svg>",
    "=",
    "{{ v }}",
    "{{ v }}",
    "{{ v | json }}",
    "{{ made }}",
    "{{ html }}",
    "{% render 'part', v: v %}",
    "{% render 'image' %}",
    "{% render 'image' for list %}",
    "{% comment %}x{% endcomment %}",
    " {%- assign a = 1 -%} ",
];

/// Partials that layouts call.
const PARTIALS: [(&str, &str, &str); 2] =
    [("partials/part.html", "", "{{ v }}"), ("partials/image.html", "", "<img src='https://c.example/x'>")];

fn layout(dice: &mut Dice, out: &mut String, depth: usize) {
    for _ in 0..=dice.roll(3) {
        if depth < 4 && dice.roll(2) == 0 {
            let (open, close) = dice.pick(PAIRS);
            out.push_str(open);
            layout(dice, out, depth + 1);
            out.push_str(close);
        } else {
            out.push_str(dice.pick(PIECES));
        }
    }
}

/// What values are made of.
const VALUES: &[&str] = &[
    "x",
    "https://evil.example/",
    "//evil.example/",
    "javascript:a()",
    "<script>a()</script>",
    "\"",
    "'",
    ">",
    " ",
    "/",
];

fn value(dice: &mut Dice) -> String {
    (0..=dice.roll(3)).map(|_| dice.pick(VALUES)).collect()
}

/// What a page has that must have been known: scripts and styles by their digests, addresses, attributes that are code.
#[derive(Default)]
struct Found {
    scripts: BTreeSet<String>,
    styles: BTreeSet<String>,
    addresses: BTreeSet<(Use, String)>,
    handlers: usize,
    style_attributes: usize,
}

fn digest(text: &str) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    format!("'sha256-{}'", base64::engine::general_purpose::STANDARD.encode(digest))
}

fn text_of(node: &Handle) -> String {
    let children = node.children.borrow();
    let mut texts = String::new();
    for child in children.iter() {
        if let NodeData::Text { contents } = &child.data {
            texts.push_str(&contents.borrow());
        }
    }
    texts
}

/// Adds what `node` of `page` has.
fn find(node: &Handle, page: &str, found: &mut Found) {
    if let NodeData::Element { name, attrs, .. } = &node.data {
        let attributes = attrs.borrow();
        let attribute = |wanted: &str| {
            let found = attributes.iter().find(|attribute| &*attribute.name.local == wanted);
            found.map(|attribute| attribute.value.to_string())
        };
        let is_html = name.ns == ns!(html);
        found.handlers += attributes.iter().filter(|attribute| attribute.name.local.starts_with("on")).count();
        found.style_attributes += usize::from(attribute("style").is_some());
        let of = match &*name.local {
            "img" | "input" => Some(("src", Use::Image)),
            "iframe" => Some(("src", Use::Frame)),
            "form" => Some(("action", Use::Form)),
            "script" => Some(("src", Use::Script)),
            _ => None,
        };
        if let Some((wanted, of)) = of.filter(|_| is_html) {
            found.addresses.extend(attribute(wanted).map(|address| (of, address)));
        }
        let text = text_of(node);
        let of_code = |kind: String| ["", "module", "text/javascript"].contains(&kind.trim());
        let runs = || attribute("type").is_none_or(of_code) && attribute("src").is_none();
        match &*name.local {
            // One that the page ends in does not run.
            "script" if is_html && !text.is_empty() && runs() && !page.ends_with(&text) => {
                found.scripts.insert(digest(&text));
            }
            "style" if is_html && !text.is_empty() && !page.ends_with(&text) => {
                found.styles.insert(digest(&text));
            }
            _ => {}
        }
    }
    node.children.borrow().iter().for_each(|child| find(child, page, found));
}

/// Whether an address may be loaded by a page with these origins.
fn is_known(of: Use, address: &str, origins: &BTreeSet<(Use, Origin)>) -> bool {
    let has = |origin: Origin| origins.contains(&(of, origin));
    let is = |host: &str| address.starts_with(&format!("https://{host}")) || address.starts_with(&format!("//{host}"));
    let any = has(Origin::Anywhere) || has(Origin::Scheme("https:".to_owned()));
    if let Some(host) = ["a.example", "b.example", "c.example"].into_iter().find(|host| is(host)) {
        let with_scheme = Origin::Host(format!("https://{host}"));
        return any || has(with_scheme) || has(Origin::Host(host.to_owned()));
    }
    if address.starts_with("https:") || address.starts_with("//") {
        return any;
    }
    let has_scheme = address.find([':', '/', '?', '#']).is_some_and(|at| address.as_bytes()[at] == b':');
    // What is empty or begins the fragment is the page itself, or nothing.
    has_scheme || address.is_empty() || address.starts_with('#') || has(Origin::Own) || any
}

fn check(page: &str, needs: &Needs) -> Result<(), String> {
    let mut found = Found::default();
    find(&tree(page, true).document, &page.replace("\r\n", "\n"), &mut found);
    let mut origins = needs.origins(&|_| None);
    if needs.has_scripts() {
        // A page that has any script may load more from where it comes from.
        origins.insert((Use::Script, Origin::Own));
    }
    let told = |kind: ObstacleKind| needs.obstacles().iter().any(|obstacle| obstacle.kind == kind);
    let known: BTreeSet<&str> = needs.scripts().collect();
    if !told(ObstacleKind::Script) && found.scripts.iter().any(|digest| !known.contains(digest.as_str())) {
        return Err(format!("a script is not known: {:?}", found.scripts));
    }
    let known: BTreeSet<&str> = needs.styles().collect();
    if !told(ObstacleKind::Style) && found.styles.iter().any(|digest| !known.contains(digest.as_str())) {
        return Err("a style is not known".to_owned());
    }
    if found.handlers > 0 && !told(ObstacleKind::Handler) {
        return Err("an event handler is not known".to_owned());
    }
    if found.style_attributes > 0 && !told(ObstacleKind::StyleAttribute) {
        return Err("a style attribute is not known".to_owned());
    }
    let unknown = found.addresses.into_iter().find(|(of, address)| !is_known(*of, address.trim(), &origins));
    unknown.map_or(Ok(()), |(of, address)| Err(format!("{of:?} {address:?} is not known: {origins:?}")))
}

#[test]
fn what_a_page_loads_and_runs_is_known_before() {
    let (seed, rounds) = Dice::seed_and_rounds();
    let mut dice = Dice::new(seed);
    let (mut tried, mut needing) = (0, 0);
    for round in 0..rounds {
        let mut text = String::new();
        layout(&mut dice, &mut text, 0);
        let [part, image] = PARTIALS;
        let one = site(&[("page.html", "", &text), part, image]);
        if one.findings.has_errors() {
            continue;
        }
        let needs = one.layout("page.html").needs();
        tried += 1;
        needing += usize::from(needs.scripts().next().is_some() || !needs.origins(&|_| None).is_empty());
        for _ in 0..3 {
            let value = value(&mut dice);
            let all = [
                ("v", Value::text(value.as_str())),
                ("html", Value::markup("<u>x</u>")),
                ("yes", Value::Bool(dice.roll(2) == 0)),
                ("no", Value::Bool(dice.roll(2) == 0)),
                ("list", super::support::data("[1,2]")),
            ];
            let all: Object = all.into_iter().collect();
            let page = one.render_value("page.html", &Value::Object(all), &Limits::default()).unwrap();
            if let Err(message) = check(&page, needs) {
                panic!("SHAPES_SEED={seed}, round {round}: {message}\n{text:?}\nmakes {page:?}\nneeds {needs:?}");
            }
        }
    }
    assert!(tried > rounds / 10 && needing > tried / 10, "{tried} of {rounds} layouts, {needing} in need of something");
}
