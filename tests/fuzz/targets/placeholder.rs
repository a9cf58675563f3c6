//! A TOML string with placeholders: each part stands where it says, or a finding does.
#![no_main]

use libfuzzer_sys::fuzz_target;
use siteserver::config::{Part, Text, parse_template};
use siteserver::diagnostic::{Files, Findings, Place};
use siteserver_fuzz::{assert_places, parts, sow};

fuzz_target!(init: sow("placeholder"), |data: &[u8]| {
    let Some([content]) = parts(data) else { return };
    let mut files = Files::default();
    let file = files.add("site.toml", content);
    let place = Place::new(file, 0..content.len());
    let mut findings = Findings::default();
    let text = Text { content: content.to_owned(), inner: place, literal: true };
    let template = parse_template(&text, place, &mut findings);
    assert_eq!(template.is_none(), !findings.is_empty());
    assert_places(&findings, &files);
    let Some(mut template) = template else { return };
    let mut rebuilt = String::new();
    for part in &template.parts {
        match part {
            Part::Literal(text) => rebuilt.extend(text.chars().map(spelled)),
            Part::Value(reference) => {
                assert_eq!(files.snippet(reference.place), format!("{{{}}}", reference.spelled()));
                rebuilt.push_str(files.snippet(reference.place));
            }
            Part::Env(env) => rebuilt.push_str(files.snippet(env.place)),
        }
    }
    assert_eq!(rebuilt, content);
    template.resolve_environment(|env| env.default.clone().unwrap_or_default());
    assert_eq!(template.environment().count(), 0);
});

/// A character of a literal part, as it must be written.
fn spelled(character: char) -> String {
    if matches!(character, '{' | '}') { format!("{{'{character}'}}") } else { character.to_string() }
}
