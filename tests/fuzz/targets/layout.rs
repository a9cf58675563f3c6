//! Layouts and conditions compile, or the findings say where not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use siteserver::diagnostic::{Files, Findings, Place, Spanned};
use siteserver::render::{Condition, Escape, Fragment, KeptLayouts, LayoutSource, Library};
use siteserver_fuzz::{assert_places, parts, sow};

fuzz_target!(init: sow("layout"), |data: &[u8]| {
    let Some([template, partial, _]) = parts(data) else { return };
    let mut files = Files::default();
    let mut source = |name: &str, body: &str, outer: &str| {
        let file = files.add(name, body);
        let outer = (!outer.is_empty()).then(|| Spanned::new(outer.to_owned(), Place::new(file, 0..0)));
        LayoutSource { name: name.to_owned(), file, body: 0..body.len(), outer, escape_none: false }
    };
    let sources = [
        source("page.html", template, "outer.html"),
        source("page.xml", template, ""),
        source("page.txt", template, ""),
        source("outer.html", "<main>{{ content }}</main>", ""),
        source("partials/p.html", partial, ""),
        source("partials/q.html", template, ""),
    ];
    let mut findings = Findings::default();
    let library = Library::compile(&sources, &files, &KeptLayouts::default(), &mut findings);
    assert_places(&findings, &files);
    for name in library.names() {
        let layout = library.get(name).expect("one of its names");
        assert!(layout.expected_bytes() <= (template.len() * 3 + partial.len() * 100 + 1000) * 3);
    }
    if let Err(error) = Fragment::parse_escaped(template, &[("p", partial)], Escape::Xml) {
        assert!(!error.findings.is_empty());
        assert_places(&error.findings, &error.files);
    }
    let mut findings = Findings::default();
    let file = files.add("site.toml", template);
    let condition = Condition::compile(template, Place::new(file, 0..template.len()), &mut findings);
    assert_eq!(condition.is_none(), !findings.is_empty());
    assert_places(&findings, &files);
});
