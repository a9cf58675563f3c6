//! Short ways to compile and render in tests.

use crate::diagnostic::{FileId, Files, Findings, Place, Spanned};
use crate::render::{
    AssetUrls, Buffer, Context, Escape, Fragment, KeptLayouts, Layout, LayoutSource, Library, Limits, MoneyFormat,
    MoneyFormats, RenderError, Site as Known,
};
use crate::value::{JsonLimits, Value, parse_json};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::sync::{Arc, LazyLock};

static ZONE: TimeZone = TimeZone::UTC;
static MONEY: LazyLock<MoneyFormats> = LazyLock::new(|| MoneyFormats {
    plain: MoneyFormat::parse("${{ amount }}").unwrap(),
    with_currency: MoneyFormat::parse("${{ amount }} CAD").unwrap(),
});

static ASSETS: LazyLock<AssetUrls> = LazyLock::new(|| {
    let published =
        [("site.css", "/assets/site.3f2a9c1b4d5e.css"), ("a b&é.js", "/assets/a%20b&%C3%A9.3f2a9c1b4d5e.js")];
    published.into_iter().map(|(name, url)| (name.into(), url.into())).collect()
});

/// `CommonMark` by the library: this floor knows none.
#[expect(clippy::unnecessary_wraps, reason = "the signature of what a floor above gives")]
fn markdown(text: &str) -> Option<String> {
    let mut html = String::new();
    pulldown_cmark::html::push_html(&mut html, pulldown_cmark::Parser::new(text));
    Some(html)
}

pub(super) fn data(json: &str) -> Value {
    parse_json(json, JsonLimits::default()).unwrap_or_else(|error| panic!("{error}: {json}"))
}

pub(super) fn context(limits: &Limits) -> Context<'_> {
    Context {
        limits,
        now: Timestamp::from_second(1_709_634_030).unwrap(),
        time_zone: &ZONE,
        site: Known {
            url: Some("https://site.example"),
            money: Some(&MONEY),
            markdown: Some(markdown),
            assets: Some(&ASSETS),
        },
    }
}

/// A template on its own, compiled as a site does.
pub(super) fn liquid(template: &str, json: &str) -> String {
    let mut files = Files::default();
    let place = Place::new(files.add("template", template), 0..template.len());
    let fragment = Fragment::compile(place, &[], &files, Escape::None)
        .unwrap_or_else(|findings| panic!("{template}: {findings:?}"));
    fragment.render(&data(json), &context(&Limits::default())).unwrap_or_else(|error| panic!("{template}: {error}"))
}

/// Files of `layouts/`, each a name, the layout around it (`""` for none) and a body.
pub(super) struct Site {
    pub(super) library: Library,
    pub(super) files: Files,
    pub(super) findings: Findings,
}

pub(super) fn site(layouts: &[(&str, &str, &str)]) -> Site {
    let mut files = Files::default();
    let sources: Vec<LayoutSource> = layouts
        .iter()
        .map(|(name, outer, body)| {
            let file = files.add(*name, *body);
            let place = Place::new(file, 0..0);
            let outer = (!outer.is_empty()).then(|| Spanned::new((*outer).to_owned(), place));
            LayoutSource { name: (*name).to_owned(), file, body: 0..body.len(), outer, escape_none: false }
        })
        .collect();
    let mut findings = Findings::default();
    let library = Library::compile(&sources, &files, &KeptLayouts::default(), &mut findings);
    findings.sort();
    Site { library, files, findings }
}

impl Site {
    pub(super) fn layout(&self, name: &str) -> &Arc<Layout> {
        self.library.get(name).unwrap_or_else(|| panic!("no layout {name}"))
    }

    /// The codes of all findings, with what they point at.
    pub(super) fn codes(&self) -> Vec<String> {
        self.findings
            .iter()
            .map(|finding| {
                let snippet = finding.place.map_or("", |place| self.files.snippet(place));
                format!("{} `{snippet}`", finding.code.name)
            })
            .collect()
    }

    pub(super) fn render_with(&self, name: &str, json: &str, limits: &Limits) -> Result<String, RenderError> {
        let data = data(json);
        self.render_value(name, &data, limits)
    }

    pub(super) fn render_value(&self, name: &str, data: &Value, limits: &Limits) -> Result<String, RenderError> {
        let layout = self.layout(name);
        let roots: Vec<&Value> =
            layout.roots().iter().map(|root| data.get(&root.name).unwrap_or(&crate::value::NULL)).collect();
        let mut out = Buffer::default();
        layout.render(&roots, &context(limits), &mut out).map(|()| out.into_string())
    }

    pub(super) fn render(&self, name: &str, json: &str) -> String {
        assert!(self.findings.is_empty(), "{:?}", self.codes());
        self.render_with(name, json, &Limits::default()).unwrap_or_else(|error| panic!("{error}"))
    }
}

/// One `.html` layout.
pub(super) fn html(body: &str, json: &str) -> String {
    site(&[("page.html", "", body)]).render("page.html", json)
}

/// What findings one `.html` layout has.
pub(super) fn findings(body: &str) -> Vec<String> {
    site(&[("page.html", "", body)]).codes()
}

/// A file id for conditions.
pub(super) fn file(text: &str) -> (Files, FileId) {
    let mut files = Files::default();
    let id = files.add("site.toml", text);
    (files, id)
}
