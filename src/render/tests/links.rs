//! Whatever is printed into a link of a layout, the link leads to the same host, with the same pieces of a query.

use super::shapes::{Dice, links};
use super::support::site;
use crate::render::Limits;
use crate::value::{Object, Value};
use reqwest::Url;

/// Links, with `V` where a value is printed.
const LINKS: [&str; 23] = [
    "/s?q=V",
    "/s?q=V&amp;p=V",
    "?V=1",
    "#V",
    "/a?b#V",
    "/V",
    "/V/V",
    "/a/V/b",
    "/a/VV?c=V",
    "a/V",
    "https://h.example/V",
    "https://h.example/V/V?a=V",
    "//h.example/a?b=V",
    "/{% if v %}V{% endif %}/V",
    "/V/{% ifchanged %}V{% endifchanged %}",
    "https://h.example:80/V",
    "{{ base }}/V",
    "{{ base }}/V?a=V",
    "{% if v %}?q={% endif %}V",
    "{% if v %}/x{% endif %}/V",
    "/l{% render 'query', v: v %}&amp;sort=V",
    "/l{% render 'query', v: v %}V",
    "mailto:a@b.example,V?subject=V",
];

/// Links whose last piece may be all that is left of a URL, with a query of its own.
const RESTS: [&str; 4] = ["https://h.exampleV", "//h.exampleV/x", "{{ base }}V", "{{ base }}{% if v %}V{% endif %}"];

/// What prints a value.
const OUTPUTS: [&str; 12] = [
    "{{ v }}",
    "{{ v | escape }}",
    "{{ v | escape_once }}",
    "{{ v | escape | escape }}",
    "{{ made }}",
    "{{ made | append: 'x' }}",
    "{{ made | strip_html }}",
    "{{ v | newline_to_br }}",
    "{{ v | url_encode }}",
    "{{ v | uri_escape }}",
    "{{ encoded }}",
    "{{ v | json }}",
];

/// What values are made of.
const VALUES: [&str; 24] = [
    "//evil.example",
    "/",
    "\\",
    "&",
    "&amp;",
    "&#47;",
    "&#x2f;",
    "&sol;",
    "&colon;",
    "&#38;",
    "&num;",
    "%2f",
    "%26",
    "?",
    "#",
    "=",
    "a",
    "@evil.example",
    ":",
    "javascript:",
    "\t",
    "\n",
    "..",
    " ",
];

/// What must not change of a link: where it leads, and the names and the number of the pieces of its query.
fn skeleton(link: &str, is_rest: bool) -> (String, Option<String>, usize, bool) {
    let base = Url::parse("https://site.example/dir/page").unwrap();
    let url = base.join(link).unwrap_or_else(|error| panic!("{link}: {error}"));
    let host = url.host_str().map(str::to_owned);
    let pieces = url.query().map_or(0, |query| query.split('&').count());
    let own = (pieces, url.fragment().is_some());
    let (pieces, fragment) = if is_rest { (0, false) } else { own };
    (url.scheme().to_owned(), host, pieces, fragment)
}

#[test]
fn no_value_changes_where_a_link_leads() {
    let (seed, rounds) = Dice::seed_and_rounds();
    let mut dice = Dice::new(seed);
    for _ in 0..rounds / 4 {
        let mut link = String::new();
        let is_rest = dice.roll(8) == 0;
        let shape = if is_rest { dice.pick(&RESTS) } else { dice.pick(&LINKS) };
        for (number, part) in shape.split('V').enumerate() {
            link.push_str(if number > 0 { dice.pick(&OUTPUTS) } else { "" });
            link.push_str(part);
        }
        let assigned = "{% capture made %}{{ v }}{% endcapture %}{% assign encoded = v | url_encode %}";
        let layout = format!("{assigned}<a href=\"{link}\">x</a>");
        let page = site(&[("page.html", "", &layout), ("partials/query.html", "", "?c={{ v }}")]);
        assert!(!page.findings.has_errors(), "{layout}: {:?}", page.codes());
        let leads = |value: &str| {
            let base = Value::text("https://base.example");
            let all: Object = [("v", Value::text(value)), ("base", base)].into_iter().collect();
            let html = page.render_value("page.html", &Value::Object(all), &Limits::default()).unwrap();
            let link = links(&html).pop().unwrap_or_else(|| panic!("no link in {html}"));
            (skeleton(&link, is_rest), link)
        };
        let (harmless, _) = leads("xy");
        for _ in 0..4 {
            let value: String = (0..=dice.roll(4)).map(|_| dice.pick(&VALUES)).collect();
            let (hostile, led) = leads(&value);
            assert_eq!(hostile, harmless, "SHAPES_SEED={seed}, {value:?} in {layout} makes {led:?}");
        }
    }
}
