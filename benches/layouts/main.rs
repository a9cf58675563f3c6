//! Measures what rendering a page costs: one page of some 15 KB with thirty items and two partials, from the same data, by siteserver,
//! by askama (templates compiled to machine code), by minijinja and by the `liquid` crate.
//!
//! Times are printed as ratios to askama's, the least of many rounds in turns within one process; requests for memory are counted.
//! One line has a hundred times the data, none of which is printed. Another is the same layouts with `escape = "none"`, and what
//! escaping costs is the ratio of the two. Last come the requests for memory of single outputs.

use anyhow::{Context as _, Result, anyhow, ensure};
use askama::Template as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use siteserver::config::{Secret, Tripwire};
use siteserver::diagnostic::{Files, Findings};
use siteserver::render::{Buffer, Context, Fragment, KeptLayouts, LayoutSource, Library, Limits, Site as Known};
use siteserver::value::{JsonLimits, Value, parse_json};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use std::alloc::System;
use std::fmt::Write as _;
use std::hint::black_box;
use std::io::{Write as _, stdout};
use std::time::{Duration, Instant};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Rounds, unless `ROUNDS` says otherwise.
const ROUNDS: usize = 300;
/// Renders in each.
const RENDERS: u32 = 20;
/// Items on the page.
const ITEMS: usize = 30;

/// The page's data as askama's template takes it; the other engines take the same as JSON, or what they make of it.
#[derive(Serialize, Deserialize, askama::Template)]
#[template(config = "benches/layouts/jinja/askama.toml", path = "page.html")]
struct Data {
    site: Site,
    page: Page,
    shop: Shop,
}

#[derive(Serialize, Deserialize)]
struct Site {
    name: String,
    links: Vec<Link>,
}

#[derive(Serialize, Deserialize)]
struct Link {
    url: String,
    title: String,
}

#[derive(Serialize, Deserialize)]
struct Page {
    title: String,
    description: String,
    year: u32,
}

#[derive(Serialize, Deserialize)]
struct Shop {
    total: u32,
    items: Vec<Item>,
}

#[derive(Serialize, Deserialize)]
struct Item {
    id: u32,
    url: String,
    title: String,
    summary: String,
    price: f64,
    stock: u32,
    sale: bool,
    author: Author,
    tags: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Author {
    url: String,
    name: String,
}

fn data() -> Data {
    let links = ["Home", "Articles", "Authors", "About", "Contact"];
    let link = |title: &str| Link { url: format!("/{}", title.to_lowercase()), title: title.to_owned() };
    let item = |number: usize| Item {
        id: 1000 + u32::try_from(number).unwrap_or(0),
        url: format!("/articles/article-{number}?from=list&at={number}"),
        title: format!("Article {number}: \"Ropes & Anvils\""),
        summary: format!(
            "What everybody should know of number {number}: it is as heavy as it looks, longer than it need be, and is delivered on Tuesdays by friendly people."
        ),
        price: 9.5 + f64::from(u32::try_from(number).unwrap_or(0)),
        stock: u32::try_from(number % 7).unwrap_or(0),
        sale: number.is_multiple_of(3),
        author: Author { url: format!("/authors/{}", number % 5), name: format!("Author O'Number {}", number % 5) },
        tags: ["tools", "heavy", "outdoors"].map(str::to_owned).to_vec(),
    };
    Data {
        site: Site { name: "Acme & Sons".to_owned(), links: links.map(link).into() },
        page: Page {
            title: "All articles".to_owned(),
            description: "Everything that is sold <here>".to_owned(),
            year: 2026,
        },
        shop: Shop { total: 30, items: (0..ITEMS).map(item).collect() },
    }
}

const NAMES: [&str; 3] = ["page.html", "card.html", "author.html"];
/// askama reads the same files.
const JINJA: [&str; 3] =
    [include_str!("jinja/page.html"), include_str!("jinja/card.html"), include_str!("jinja/author.html")];
const LIQUID: [&str; 3] =
    [include_str!("liquid/page.html"), include_str!("liquid/card.html"), include_str!("liquid/author.html")];
const SITESERVER: [(&str, &str); 3] = [
    ("page.html", include_str!("siteserver/page.html")),
    ("partials/card.html", include_str!("siteserver/partials/card.html")),
    ("partials/author.html", include_str!("siteserver/partials/author.html")),
];

/// An engine with its template and data at hand: renders once.
type Render<'a> = Box<dyn Fn() -> Result<Vec<u8>> + 'a>;

struct Engine<'a> {
    name: &'static str,
    render: Render<'a>,
    least: Duration,
}

impl<'a> Engine<'a> {
    fn new(name: &'static str, render: impl Fn() -> Result<Vec<u8>> + 'a) -> Self {
        Self { name, render: Box::new(render), least: Duration::MAX }
    }

    fn round(&mut self) -> Result<()> {
        let begun = Instant::now();
        for _ in 0..RENDERS {
            black_box((self.render)()?);
        }
        self.least = self.least.min(begun.elapsed());
        Ok(())
    }

    fn allocations(&self) -> Result<usize> {
        let region = Region::new(ALLOCATOR);
        black_box((self.render)()?);
        let change = region.change();
        Ok(change.allocations + change.reallocations)
    }
}

/// The layouts, compiled; with `escape = "none"` in the front matter of each, if so.
fn library(escape_none: bool) -> Result<Library> {
    let mut files = Files::default();
    let sources: Vec<LayoutSource> = SITESERVER
        .iter()
        .map(|(name, text)| LayoutSource {
            name: (*name).to_owned(),
            file: files.add(*name, *text),
            body: 0..text.len(),
            outer: None,
            escape_none,
        })
        .collect();
    let mut findings = Findings::default();
    let library = Library::compile(&sources, &files, &KeptLayouts::default(), &mut findings);
    ensure!(!findings.has_errors(), "{:?}", findings.iter().next());
    Ok(library)
}

/// The same object with a hundred times as much in it that no layout prints.
fn heavier(json: &str) -> Result<String> {
    let mut more = json.strip_suffix('}').context("an object")?.to_owned();
    more.push_str(",\"unprinted\":[");
    for number in 0..100 {
        write!(more, "{}{json}", if number > 0 { "," } else { "" })?;
    }
    more.push_str("]}");
    // Members of items, too: what stands between what is printed.
    Ok(more.replace("\"price\":", "\"unprinted\":{\"a\":[1,2,3],\"b\":{\"c\":\"some more text\"}},\"price\":"))
}

/// Outputs that are printed often, and what is in the data for them.
const OUTPUTS: [&str; 6] = ["i", "number", "text", "date | date: '%Y-%m-%d'", "number | times: 2", "number | round: 1"];
const PRINTED: &str = r#"{"number": 1234.56, "text": "Ropes & Anvils", "date": "2026-03-05T10:20:30Z"}"#;

/// How often one more of an output asks for memory.
fn allocations_of(output: &str, context: &Context<'_>) -> Result<usize> {
    let data = parse_json(PRINTED, JsonLimits { nodes: usize::MAX })?;
    let count = |times: usize| {
        let text = format!("{{% for i in (1..{times}) %}}{{{{ {output} }}}}{{% endfor %}}");
        let fragment = Fragment::parse(&text, &[]).map_err(|error| anyhow!("{:?}", error.findings))?;
        let region = Region::new(ALLOCATOR);
        black_box(fragment.render(&data, context)?);
        let change = region.change();
        anyhow::Ok(change.allocations + change.reallocations)
    };
    // That the page grows is a handful, and lost in the division.
    Ok((count(1100)? - count(100)?) / 1000)
}

fn main() -> Result<()> {
    let rounds = std::env::var("ROUNDS").ok().map_or(Ok(ROUNDS), |rounds| rounds.parse()).context("ROUNDS")?;
    let data = data();
    let json = serde_json::to_string(&data)?;
    let parsed = |json: &str| parse_json(json, JsonLimits { nodes: usize::MAX });
    let (value, large) = (parsed(&json)?, parsed(&heavier(&json)?)?);

    let (escaping, bare) = (library(false)?, library(true)?);
    let limits = Limits::default();
    let (now, site) = (Timestamp::UNIX_EPOCH, Known::default());
    let context = Context { limits: &limits, now, time_zone: &TimeZone::UTC, site };
    let ours = |library: &Library, value: &Value| {
        let layout = library.get("page.html").context("page.html")?;
        let null = Value::Null;
        let roots: Vec<&Value> = layout.roots().iter().map(|root| value.get(&root.name).unwrap_or(&null)).collect();
        let mut out = Buffer::with_capacity(layout.expected_bytes());
        layout.render(&roots, &context, &mut out)?;
        Ok(out.into_bytes())
    };

    // Looked through for the values of secrets, as every page is before it leaves.
    let tripwire = |secrets: usize| {
        let secret = |at: usize| {
            (format!("S{at}"), Secret::new(format!("{}-{}", at * 7_919, at.wrapping_mul(0x9e37_79b9_7f4a_7c15))))
        };
        let secrets: Vec<(String, Secret)> = (1..=secrets).map(secret).collect();
        Tripwire::new(secrets.iter().map(|(name, secret)| (name.as_str(), secret)))
    };
    let watched = |tripwire: &Tripwire| {
        let page = ours(&escaping, &value)?;
        ensure!(tripwire.find(&page).is_none(), "a page without secrets holds one");
        Ok(page)
    };
    let (one, sixteen, hundred) = (tripwire(1), tripwire(16), tripwire(100));

    let mut jinja = minijinja::Environment::new();
    for (name, text) in NAMES.iter().zip(JINJA) {
        jinja.add_template(name, text)?;
    }
    let jinja_page = jinja.get_template("page.html")?;
    let jinja_data = minijinja::Value::from(minijinja::value::Serde(&data));

    let mut partials = liquid::partials::EagerCompiler::<liquid::partials::InMemorySource>::empty();
    for (name, text) in ["card", "author"].iter().zip(LIQUID.iter().skip(1)) {
        partials.add(*name, *text);
    }
    let parser = liquid::ParserBuilder::with_stdlib().partials(partials).build()?;
    let liquid_page = parser.parse(LIQUID[0])?;
    let liquid_data = liquid::to_object(&data)?;

    let mut engines = [
        Engine::new("askama", || data.render().map(String::into_bytes).map_err(|error| anyhow!("{error}"))),
        Engine::new("siteserver", || ours(&escaping, &value)),
        Engine::new("siteserver, data x 100", || ours(&escaping, &large)),
        Engine::new("siteserver, escape none", || ours(&bare, &value)),
        Engine::new("siteserver, 1 secret", || watched(&one)),
        Engine::new("siteserver, 16 secrets", || watched(&sixteen)),
        Engine::new("siteserver, 100 secrets", || watched(&hundred)),
        Engine::new("minijinja", || Ok(jinja_page.render(&jinja_data)?.into_bytes())),
        Engine::new("liquid", || Ok(liquid_page.render(&liquid_data)?.into_bytes())),
    ];
    let expected = (engines[0].render)()?;
    for engine in &engines {
        ensure!(plain(&(engine.render)()?) == plain(&expected), "{} renders another page", engine.name);
    }
    for _ in 0..rounds {
        for engine in &mut engines {
            engine.round()?;
        }
    }
    let mut out = stdout();
    writeln!(out, "a page of {} bytes with {ITEMS} items and two partials", expected.len())?;
    writeln!(out, "{:<24} {:>8} {:>12}", "", "time", "allocations")?;
    let first = engines[0].least.as_secs_f64();
    for engine in &engines {
        let ratio = engine.least.as_secs_f64() / first;
        writeln!(out, "{:<24} {ratio:>6.2} x {:>12}", engine.name, engine.allocations()?)?;
    }
    let [_, escaped, _, unescaped, ..] = &engines;
    writeln!(out, "escaped / unescaped {:>11.2} x", escaped.least.as_secs_f64() / unescaped.least.as_secs_f64())?;
    for output in OUTPUTS {
        let output_text = format!("{{{{ {output} }}}}");
        writeln!(out, "{output_text:<34} {:>12}", allocations_of(output, &context)?)?;
    }
    Ok(())
}

/// A page without what engines may write in several ways: the spelling of character references, and white space, which some of them trim
/// at the ends of partials.
fn plain(page: &[u8]) -> String {
    let references = [
        ("&#34;", "\""),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&#x2f;", "/"),
        ("&#38;", "&"),
        ("&amp;", "&"),
        ("&#60;", "<"),
        ("&lt;", "<"),
        ("&#62;", ">"),
        ("&gt;", ">"),
    ];
    let text = references.iter().fold(String::from_utf8_lossy(page).into_owned(), |text, (reference, character)| {
        text.replace(reference, character)
    });
    text.split_whitespace().collect()
}
