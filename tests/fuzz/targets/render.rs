//! A template with a partial on data: the same output each time, within the limits, or the limit that was passed.
#![no_main]

use jiff::Timestamp;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use siteserver::diagnostic::{Files, Findings, Place};
use siteserver::render::{Context, Escape, Fragment, KeptLayouts, LayoutSource, Library, Limits, MoneyFormats};
use siteserver::site::known;
use siteserver::value::{JsonLimits, NULL, Value, parse_json};
use siteserver_fuzz::{parts, sow};

fuzz_target!(init: sow("render"), |data: &[u8]| {
    let Some([template, partial, data]) = parts(data) else { return };
    let Ok(data @ Value::Object(_)) = parse_json(data, JsonLimits::default()) else { return };
    let limits = Limits::default();
    let money = MoneyFormats::default();
    let zone = TimeZone::UTC;
    let context = Context {
        limits: &limits,
        now: Timestamp::UNIX_EPOCH,
        time_zone: &zone,
        site: known(Some("https://site.example"), &money),
    };
    for escape in [Escape::Html, Escape::None] {
        let Ok(fragment) = Fragment::parse_escaped(template, &[("p", partial)], escape) else { continue };
        let output = fragment.render(&data, &context);
        assert!(output.as_ref().map_or(0, String::len) <= limits.output_bytes);
        assert_eq!(output, fragment.render(&data, &context));
    }
    page(template, partial, &data, &context);
});

/// As a page of a site, where nothing but a limit ends a render.
fn page(template: &str, partial: &str, data: &Value, context: &Context<'_>) {
    let mut files = Files::default();
    let mut source = |name: &str, body: &str| {
        let file = files.add(name, body);
        LayoutSource { name: name.to_owned(), file, body: 0..body.len(), outer: None, escape_none: false }
    };
    let sources = [source("page.html", template), source("partials/p.html", partial)];
    let library = Library::compile(&sources, &files, &KeptLayouts::default(), &mut Findings::default());
    let layout = library.get("page.html").expect("it was compiled");
    let roots: Vec<&Value> = layout.roots().iter().map(|root| data.get(&root.name).unwrap_or(&NULL)).collect();
    let mut out = String::new();
    if let Err(error) = layout.render(&roots, context, &mut out) {
        let place: Place = error.place();
        assert!(files.text(place.file).get(place.range()).is_some(), "{error:?}");
    }
    assert!(out.len() <= context.limits.output_bytes);
}
