//! Whatever is printed into a link of a layout, or is not, the link leads to the same host, with the same pieces of a query.

use super::shapes::{Dice, values_of};
use super::support::{Site, site};
use crate::render::Limits;
use crate::value::{Object, Value};
use reqwest::Url;

/// Links, with `V` where a value is printed.
const LINKS: [&str; 29] = [
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
    "/?it's/V&amp;a=V",
    "/V/p/V?a=V",
    "\n\t/V\n/V\n",
    "/V&sol;V",
    "https://{{ host }}/V?a=V",
    "{% render 'host' %}/V?a=V",
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
        let query = ("partials/query.html", "", "?c={{ v }}");
        let page = site(&[("page.html", "", &layout), query, ("partials/host.html", "", "https://h.example")]);
        assert!(!page.findings.has_errors(), "{layout}: {:?}", page.codes());
        let leads = |value: &str| {
            let base = Value::text("https://base.example");
            let all: Object =
                [("v", Value::text(value)), ("base", base), ("host", Value::text("h.example"))].into_iter().collect();
            let html = page.render_value("page.html", &Value::Object(all), &Limits::default()).unwrap();
            let link = values_of("href", &html).pop().unwrap_or_else(|| panic!("no link in {html}"));
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

/// A URL at random, and what is known of it.
struct Draft<'d> {
    dice: &'d mut Dice,
    text: String,
    /// Whether another slash of the layout would say that a host follows.
    is_behind_slash: bool,
    is_query: bool,
}

impl Draft<'_> {
    fn url(&mut self) {
        let begun = self.dice.pick(&[
            "/",
            "/",
            "/",
            "{{ base }}",
            "https://h.example",
            "https://{{ host }}",
            "https://{% render 'host' %}",
        ]);
        self.text.push_str(begun);
        if begun == "/" {
            self.is_behind_slash = true;
        } else {
            // What may be a whole URL goes on with a path: a value behind it would be the URL where it is empty.
            if begun != "{{ base }}" && self.dice.roll(3) == 0 {
                self.value();
            }
            self.slash();
        }
        for _ in 0..=self.dice.roll(6) {
            self.piece(0);
        }
    }

    fn slash(&mut self) {
        self.text.push_str(self.dice.pick(&["/", "/", "/", "/", "&#47;", "&sol;", "&#x2F;", "&#47", "\\"]));
        self.is_behind_slash = true;
    }

    fn piece(&mut self, depth: usize) {
        match self.dice.roll(12) {
            0..=3 if !self.is_behind_slash => self.slash(),
            0..=5 => self.value(),
            6 => self.text.push_str(self.dice.pick(&["\n", "\t", "&Tab;", "&NewLine;", "\r\n"])),
            7 if depth < 3 => self.block(depth),
            8 if !self.is_query && depth == 0 => {
                self.text.push_str("?a=");
                self.is_query = true;
                self.is_behind_slash = false;
            }
            _ => {
                self.text.push_str(self.dice.pick(&["p", "it's", "-x", "a b", "&amp;"]));
                self.is_behind_slash = false;
            }
        }
    }

    fn block(&mut self, depth: usize) {
        let (open, close) = self.dice.pick(&[
            ("{% if yes %}", "{% endif %}"),
            ("{% if no %}", "{% endif %}"),
            ("{% unless no %}", "{% else %}x{% endunless %}"),
            ("{% for i in list %}", "{% endfor %}"),
            ("{% ifchanged %}", "{% endifchanged %}"),
            ("{% case yes %}{% when true %}", "{% endcase %}"),
        ]);
        let before = self.is_behind_slash;
        self.text.push_str(open);
        for _ in 0..=self.dice.roll(2) {
            self.piece(depth + 1);
        }
        if open.starts_with("{% for") {
            // What ends in a slash may begin with one when it comes again.
            self.text.push('x');
            self.is_behind_slash = false;
        } else if open == "{% if no %}" {
            self.is_behind_slash = before;
        }
        self.text.push_str(close);
    }

    /// A value, or a partial that prints one, or nothing.
    fn value(&mut self) {
        let value = self.dice.pick(&["a", "b", "c"]);
        let printed = match self.dice.roll(9) {
            0 => format!("{{% render 'value', v: {value} %}}"),
            1 => format!("{{% include 'value', v: {value} %}}"),
            2 => format!("{{% render 'deep', v: {value} %}}"),
            3 => "{% render 'nothing' %}".to_owned(),
            4 => format!("{{{{ {value} | url_encode }}}}"),
            _ => format!("{{{{ {value} }}}}"),
        };
        self.text.push_str(&printed);
        // What is printed or missing there begins no host: that is what is tried.
        self.is_behind_slash = false;
    }
}

fn drafted(dice: &mut Dice) -> String {
    let mut draft = Draft { dice, text: String::new(), is_behind_slash: false, is_query: false };
    draft.url();
    draft.text
}

/// A layout with an attribute that holds URLs.
fn drafted_layout(dice: &mut Dice) -> (&'static str, String) {
    let url = drafted(dice);
    match dice.roll(6) {
        0 => ("action", format!("<form action='{}'>", url.replace("it's", "its"))),
        // No partial stands there.
        1 if !url.contains("{% render") && !url.contains("{% include") => {
            ("content", format!("<meta http-equiv=refresh content=\"0;url={url}\">"))
        }
        2 | 3 => {
            // White space ends a URL there.
            let blanks = ["\r", "\n", "\t", "&Tab;", "&NewLine;"];
            let one_word =
                |url: String| blanks.iter().fold(url.replace("a b", "ab"), |url, blank| url.replace(blank, ""));
            let (one, other) = (one_word(url), one_word(drafted(dice)));
            if dice.roll(2) == 0 {
                ("srcset", format!("<img srcset=\"{one} 1x, {other} {{{{ a }}}}w\">"))
            } else {
                ("ping", format!("<a ping=\"{one} {other}\">x</a>"))
            }
        }
        _ => ("href", format!("<a href=\"{url}\">x</a>")),
    }
}

fn drafted_site(layout: &str) -> Site {
    site(&[
        ("page.html", "", layout),
        ("partials/value.html", "", "{{ v }}"),
        ("partials/deep.html", "", "{% if v %}{% render 'value', v: v %}{% endif %}"),
        ("partials/nothing.html", "", ""),
        ("partials/host.html", "", "{{ host }}"),
    ])
}

/// Where a link leads that may be dead: scheme and host.
fn led(link: &str) -> Option<(String, Option<String>)> {
    let base = Url::parse("https://site.example/dir/page").unwrap();
    let url = base.join(link).ok()?;
    Some((url.scheme().to_owned(), url.host_str().map(str::to_owned)))
}

/// All hosts that a layout could mean.
const HOSTS: [&str; 4] = ["site.example", "h.example", "base.example", "shop.example"];

/// Values that print something, and are no more than their part.
const PLAIN: [&str; 9] =
    ["xy", "evil.example", "a b", "12:30", "it's", "a 9w, https:evil.example 8w,", "x,", "a&b=?c#", ",y"];

fn any_value(dice: &mut Dice) -> String {
    match dice.roll(4) {
        0 | 1 => String::new(),
        2 => dice.pick(&PLAIN).to_owned(),
        _ => (0..=dice.roll(3)).map(|_| dice.pick(&VALUES)).collect(),
    }
}

fn render_drafted(page: &Site, attribute: &str, values: [&str; 3], [host, start]: [&str; 2]) -> String {
    let [a, b, c] = values.map(Value::text);
    let yes = [("yes", Value::Bool(true)), ("no", Value::Bool(false)), ("list", super::support::data("[1,2]"))];
    let named = [("a", a), ("b", b), ("c", c), ("host", Value::text(host)), ("base", Value::text(start))];
    let all: Object = named.into_iter().chain(yes).collect();
    let html = page.render_value("page.html", &Value::Object(all), &Limits::default()).unwrap();
    values_of(attribute, &html).pop().unwrap_or_else(|| panic!("no {attribute} in {html}"))
}

/// The URLs of an attribute.
fn urls_in(attribute: &str, value: &str) -> Vec<String> {
    match attribute {
        "content" => vec![value.split_once("url=").map_or("", |(_, url)| url).to_owned()],
        "ping" => value.split_ascii_whitespace().map(str::to_owned).collect(),
        "srcset" => images(value).into_iter().map(|(url, _)| url).collect(),
        _ => vec![value.to_owned()],
    }
}

/// The candidates of a `srcset` with their descriptors, step by step as HTML has it (section 4.8.4.2.1).
fn images(list: &str) -> Vec<(String, String)> {
    let is_space = |character: char| matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{c}');
    let characters: Vec<char> = list.chars().collect();
    let (mut at, mut out) = (0, Vec::new());
    loop {
        while characters.get(at).is_some_and(|character| is_space(*character) || *character == ',') {
            at += 1;
        }
        if at >= characters.len() {
            return out;
        }
        let start = at;
        while characters.get(at).is_some_and(|character| !is_space(*character)) {
            at += 1;
        }
        let url: String = characters[start..at].iter().collect();
        let mut descriptors = String::new();
        if !url.ends_with(',') {
            let mut depth = false;
            while let Some(&character) = characters.get(at).filter(|character| **character != ',' || depth) {
                depth = (depth || character == '(') && character != ')';
                descriptors.push(character);
                at += 1;
            }
        }
        out.push((url.trim_end_matches(',').to_owned(), descriptors.trim().to_owned()));
    }
}

/// Whatever is printed, or is not, no link leads to a host that the layout does not say.
#[test]
fn what_is_missing_makes_no_host() {
    let (seed, rounds) = Dice::seed_and_rounds();
    let mut dice = Dice::new(seed);
    let mut tried = 0;
    for _ in 0..rounds / 2 {
        let (attribute, layout) = drafted_layout(&mut dice);
        let page = drafted_site(&layout);
        if page.findings.has_errors() {
            continue;
        }
        tried += 1;
        for _ in 0..4 {
            let values = [any_value(&mut dice), any_value(&mut dice), any_value(&mut dice)];
            let given =
                [dice.pick(&["", "shop.example"]), dice.pick(&["", "/", "/x", "https://base.example", "https:"])];
            let [a, b, c] = &values;
            let value = render_drafted(&page, attribute, [a, b, c], given);
            for url in urls_in(attribute, &value) {
                let Some((scheme, host)) = led(&url) else { continue };
                let host = host.unwrap_or_default();
                assert!(
                    scheme == "https" && HOSTS.contains(&host.as_str()),
                    "SHAPES_SEED={seed}, {values:?} and {given:?} in {layout:?} make {url:?}"
                );
            }
        }
    }
    assert!(tried > rounds / 8, "{tried} of {rounds}");
}

/// The same layout, where no two `ifchanged` print the same: whether one prints is then no matter of values.
fn told_apart(layout: &str) -> String {
    let mut parts = layout.split("{% endifchanged %}").enumerate();
    let first = parts.next().map_or("", |(_, part)| part).to_owned();
    parts.fold(first, |whole, (number, part)| format!("{whole}i{number}{{% endifchanged %}}{part}"))
}

/// What an `ifchanged` holds is gone where two values print the same, and there where they do not (`SHAPES_SEED=519817614`):
/// the text of the layout, a slash of it too, comes and goes, the host stays.
#[test]
fn what_has_not_changed_takes_its_slash_along() {
    let changes = "{% ifchanged %}{% render 'value', v: b %}/{% endifchanged %}";
    let again = "{% ifchanged %}{{ b | url_encode }}/{% endifchanged %}";
    let page = drafted_site(&format!("<a ping=\"/{changes} https://{{% render 'host' %}}/{again}\">x</a>"));
    assert!(!page.findings.has_errors(), "{:?}", page.codes());
    for (value, expected) in [("xb", "/xb/ https://shop.example/"), ("a b", "/a%20b/ https://shop.example/a+b/")] {
        assert_eq!(render_drafted(&page, "ping", ["", value, ""], ["shop.example", ""]), expected);
    }
}

/// Whatever is printed, each URL has as many pieces, and each list as many URLs, as with a harmless value.
#[test]
fn no_value_adds_a_piece() {
    let (seed, rounds) = Dice::seed_and_rounds();
    let mut dice = Dice::new(seed);
    let mut tried = 0;
    for _ in 0..rounds / 2 {
        let (attribute, layout) = drafted_layout(&mut dice);
        let layout = told_apart(&layout);
        let page = drafted_site(&layout);
        // Right behind a host a value may be all that is left of the URL.
        let has_rest = ["h.example{", "host }}{", "host' %}{"].iter().any(|rest| layout.contains(rest));
        if page.findings.has_errors() || has_rest {
            continue;
        }
        tried += 1;
        let printed = |values: [&str; 3]| {
            let value = render_drafted(&page, attribute, values, ["shop.example", "https://base.example"]);
            let pieces = |url: &String| {
                let base = Url::parse("https://site.example/dir/page").unwrap();
                let url = base.join(url).unwrap_or_else(|error| panic!("{url} of {layout}: {error}"));
                let path = url.path_segments().map_or(0, Iterator::count);
                let query = url.query().map_or(0, |query| query.split('&').count());
                (url.scheme().to_owned(), url.host_str().map(str::to_owned), path, query, url.fragment().is_some())
            };
            let urls = urls_in(attribute, &value);
            (urls.iter().map(pieces).collect::<Vec<_>>(), value)
        };
        let (harmless, _) = printed(["xa", "xb", "xc"]);
        let first = dice.roll(PLAIN.len());
        let values = [0, 1, 2].map(|number| PLAIN[(first + number) % PLAIN.len()]);
        let (hostile, value) = printed(values);
        assert_eq!(hostile, harmless, "SHAPES_SEED={seed}, {values:?} in {layout:?} make {value:?}");
    }
    assert!(tried > rounds / 8, "{tried} of {rounds}");
}

#[test]
fn no_value_completes_a_reference_behind_a_partial() {
    for link in [
        "/{{ a }}&#47{% render 'nothing' %}{{ b }}",
        "/&#47{% render 'nothing' %}{{ b }}",
        "h{% render 'nothing' %}&#47{% render 'nothing' %}{% include 'value', v: b %}",
    ] {
        for holder in ["href", "ping", "srcset"] {
            assert!(drafted_site(&format!("<a {holder}=\"{link}\">")).findings.has_errors(), "{link}");
        }
    }
}

#[test]
fn what_is_missing_is_made_up_for() {
    let data = r#"{"nothing": "", "id": 1, "b": "evil.example", "u": "my photo,", "q": "&x=1", "list": "/a,b 1x, javascript:x 2x"}"#;
    let printed = |link: &str| {
        let page = site(&[
            ("page.html", "", &format!("<a {link}>x</a>")),
            ("partials/seg.html", "", "{{ s }}"),
            ("partials/empty.html", "", ""),
            ("partials/within.html", "", "{% render 'seg', s: s %}"),
            ("partials/query.html", "", "?it's/"),
        ]);
        let html = page.render("page.html", data);
        html.trim_start_matches("<a ").trim_end_matches(">x</a>").to_owned()
    };
    for (link, expected) in [
        ("href='/{{ nothing }}/products/{{ id }}'", "href='/./products/1'"),
        ("href='/{{ id }}/products/{{ nothing }}/x'", "href='/1/products//x'"),
        ("action='/{{ nothing }}/login'", "action='/./login'"),
        ("href='/{{ nothing }}//{{ b }}'", "href='/.//evil.example'"),
        ("href='{{ nothing }}/{{ nothing }}/{{ b }}'", "href='/./evil.example'"),
        ("href='/{% if nothing != \"\" %}x{% endif %}/products'", "href='/./products'"),
        ("href=\"/{% render 'seg', s: nothing %}/{{ b }}\"", "href=\"/./evil.example\""),
        ("href=\"/{% include 'seg', s: nothing %}/{% render 'seg', s: b %}\"", "href=\"/./evil.example\""),
        ("href=\"/{% render 'empty' %}{% render 'within', s: nothing %}/x/{{ b }}\"", "href=\"/./x/evil.example\""),
        ("href=\"/{% if b %}{% render 'within', s: nothing %}{% endif %}/{{ b }}\"", "href=\"/./evil.example\""),
        ("href='\n\t/{{ nothing }}\n\t/{{ b }}\n'", "href='\n\t/\n\t./evil.example\n'"),
        ("href='/{{ nothing }}&#47;{{ b }}'", "href='/.&#47;evil.example'"),
        ("href='/{{ nothing }}&Tab;&sol;{{ b }}'", "href='/&Tab;.&sol;evil.example'"),
        ("href='https://{{ nothing }}/{{ b }}'", "href='https://#blocked/evil.example'"),
        ("href='https://{{ nothing }}{{ b }}'", "href='https://#blocked'"),
        ("href=\"https://{% render 'empty' %}/x\"", "href=\"https://#blocked/x\""),
        ("href='{{ \"https:\" }}//h.example/{{ b }}'", "href='https://h.example/evil.example'"),
        ("href='{{ nothing }}//h.example/{{ b }}'", "href='//h.example/evil.example'"),
        ("href=\"/a{% render 'query' %}{{ q }}\"", "href=\"/a?it's/%26x%3D1\""),
        ("srcset='/i/{{ u }}-4.jpg 4w, /i/{{ u }} 8w'", "srcset='/i/my%20photo%2C-4.jpg 4w, /i/my%20photo%2C 8w'"),
        ("srcset='{{ u }} 1x, /i?u={{ u | url_encode }} {{ q }}x'", "srcset='my%20photo%2C 1x, /i?u=my+photo%2C x1x'"),
        ("srcset='/{{ nothing }}/x.jpg 1x'", "srcset='/./x.jpg 1x'"),
        ("srcset='{{ list }}'", "srcset='/a,b 1x, #blocked 2x'"),
        ("srcset='{% if b %}{{ list }}{% else %}/x{% endif %}'", "srcset='/a,b 1x, #blocked 2x'"),
        ("srcset='{{ list }}, /b 3x'", "srcset='/a,b%201x,%20javascript:x%202x, /b 3x'"),
        (
            "imagesrcset='/{{ b }} 1x, https://{{ nothing }}/x 2x'",
            "imagesrcset='/evil.example 1x, https://#blocked/x 2x'",
        ),
        ("ping='/a /{{ nothing }}/{{ b }}'", "ping='/a /./evil.example'"),
        ("href='{{ \"whatsapp://send?text=a\" }}'", "href='whatsapp://send?text=a'"),
        ("src='{{ nothing | default: \"data:image/gif;base64,R0=\" }}'", "src='data:image/gif;base64,R0='"),
        ("src='{{ b | default: \"data:image/gif;base64,R0=\" | prepend: \"ftp://\" }}'", "src='#blocked'"),
        ("href='{{ \"javascript:x\" }}'", "href='#blocked'"),
        ("href='{{ \"data:text/html,\" }}{{ b }}'", "href='data:text/html,'"),
        ("href='{{ b }}{{ \":x\" }}'", "href='evil.example#blocked'"),
    ] {
        assert_eq!(printed(link), expected, "{link}");
    }
}
