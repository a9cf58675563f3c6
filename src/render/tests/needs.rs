//! Whatever a layout is and whatever is printed into it: what a browser finds to load and to run in the page is known before.
//!
//! Layouts are made of pieces at random; the browser is the HTML standard's own algorithm. What it finds is in the needs of the layout, or is
//! told as an obstacle to its author.

use super::shapes::{Dice, OUTPUTS, tree};
use super::support::site;
use crate::render::{Limits, Needs, ObstacleKind, Origin, Use};
use crate::value::{Object, Value};
use base64::Engine as _;
use html5ever::ns;
use markup5ever_rcdom::{Handle, NodeData};
use std::collections::BTreeSet;

/// What layouts are made of.
const PIECES: &[&str] = &[
    "<p>",
    "</p>",
    "<div class=\"",
    "<a href=\"https://a.example/",
    "<img src=\"https://a.example/",
    "<img src='",
    "<img alt='<img src=https://b.example/>' src=https://a.example/x",
    "<img data-src='https://b.example/' src=\"/x/",
    "<IMG ALT SRC = '//b.example/",
    "<input type=image src='/",
    "<iframe src=\"https://a.example/",
    "<iframe src='",
    "<form action=\"https://b.example/",
    "<form action='",
    "<script>",
    "<script>",
    "<script type=module>",
    "<SCRIPT TYPE='text/javascript'>",
    "<script type=\"application/json\">",
    "<script data-a=\"",
    "</script>",
    "</script>",
    "</SCRIPT >",
    "<style>",
    "<style>a { }",
    "</style>",
    "<style media=\"",
    " onclick=\"a()\"",
    " style='a: b'",
    " class=x",
    " src='https://b.example/x'",
    " type=module",
    "\"",
    "'",
    ">",
    "/>",
    " ",
    "=",
    "a()",
    "let b = ",
    "/* <!-- */",
    "<!-- <script>",
    "--></script>",
    "<!--",
    "-->",
    "\r\n",
    "<title>",
    "</title>",
    "<textarea>",
    "</textarea>",
    "<xmp>",
    "</xmp>",
    "<svg>",
    "</svg>",
    "<svg><title>",
    "<desc>",
    "<table><tr><td>",
    "</table>",
];

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
    let texts = children.iter().filter_map(|child| match &child.data {
        NodeData::Text { contents } => Some(contents.borrow().to_string()),
        _ => None,
    });
    texts.collect()
}

fn find(node: &Handle, found: &mut Found) {
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
        let runs = || !attribute("type").is_some_and(|of| of.contains("json")) && attribute("src").is_none();
        match &*name.local {
            "script" if is_html && !text.is_empty() && runs() => {
                found.scripts.insert(digest(&text));
            }
            "style" if is_html && !text.is_empty() => {
                found.styles.insert(digest(&text));
            }
            _ => {}
        }
    }
    node.children.borrow().iter().for_each(|child| find(child, found));
}

/// Whether an address may be loaded by a page with these origins.
fn is_known(of: Use, address: &str, origins: &BTreeSet<(Use, Origin)>) -> bool {
    let has = |origin: Origin| origins.contains(&(of, origin));
    let is = |host: &str| address.starts_with(&format!("https://{host}")) || address.starts_with(&format!("//{host}"));
    let any = has(Origin::Anywhere) || has(Origin::Scheme("https:".to_owned()));
    if let Some(host) = ["a.example", "b.example"].into_iter().find(|host| is(host)) {
        let with_scheme = Origin::Host(format!("https://{host}"));
        return any || has(with_scheme) || has(Origin::Host(host.to_owned()));
    }
    if address.starts_with("https:") || address.starts_with("//") {
        return any;
    }
    // What is empty or begins the fragment is the page itself, or nothing.
    address.is_empty() || address.starts_with('#') || has(Origin::Own) || any
}

fn check(page: &str, needs: &Needs) -> Result<(), String> {
    let mut found = Found::default();
    find(&tree(page, true).document, &mut found);
    let origins = needs.origins(&|_| None);
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
        let mut layout = String::new();
        dice.layout(PIECES, OUTPUTS, &mut layout, 0);
        let one = site(&[("page.html", "", &layout), ("partials/part.html", "", "{{ v }}")]);
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
                panic!("SHAPES_SEED={seed}, round {round}: {message}\n{layout:?}\nmakes {page:?}\nneeds {needs:?}");
            }
        }
    }
    assert!(tried > rounds / 10 && needing > tried / 10, "{tried} of {rounds} layouts, {needing} in need of something");
}
