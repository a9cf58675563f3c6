//! Findings drawn for a terminal, with the lines they are about.

use super::{Files, Finding, Level, Place};
use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level as Drawn, Renderer, Snippet};

/// One finding as rustc would draw it, without a final line break.
#[must_use]
pub fn draw(finding: &Finding, files: &Files, colour: bool) -> String {
    let level = match finding.level {
        Level::Error => Drawn::ERROR,
        Level::Warning => Drawn::WARNING,
        Level::Note => Drawn::NOTE,
    };
    // What an author wrote may hold control bytes; a terminal must not obey them.
    let (message, help) = (visible(&finding.message), finding.help.as_deref().map(visible));
    let related: Vec<_> = finding.related.iter().map(|related| (related.place, visible(&related.message))).collect();
    let title = level.primary_title(message.as_str()).id(finding.code.name);
    let mut group = match finding.place {
        Some(place) => title.element(snippet(files, place, AnnotationKind::Primary, None)),
        None => Group::with_title(title),
    };
    for (place, message) in &related {
        group = group.element(snippet(files, *place, AnnotationKind::Context, Some(message)));
    }
    if let Some(help) = &help {
        group = group.element(Drawn::HELP.message(help.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    renderer.decor_style(DecorStyle::Ascii).render(&[group])
}

fn snippet<'a>(
    files: &'a Files,
    place: Place,
    kind: AnnotationKind,
    label: Option<&'a str>,
) -> Snippet<'a, Annotation<'a>> {
    let text = files.text(place.file);
    let mut range = place.range();
    range.start = floor(text, range.start);
    range.end = floor(text, range.end.max(range.start));
    let annotation = kind.span(range);
    let annotation = match label {
        Some(label) => annotation.label(label),
        None => annotation,
    };
    Snippet::source(text).path(files.name(place.file)).annotation(annotation)
}

fn floor(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() && character != '\n' {
            out.extend(character.escape_default());
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    super::super::codes! {
        /// An example.
        EXAMPLE = Error "test/example";
    }

    #[test]
    fn a_finding_shows_its_line_its_help_and_its_related_place() {
        let mut files = Files::default();
        let one = files.add("site.toml", "[cache]\nsmaxage = \"10s\"\n");
        let two = files.add("routes/a.toml", "path = \"/a\"\n");
        let finding = Finding::new(&EXAMPLE, Place::new(one, 8..15), "unknown key `smaxage`")
            .help("did you mean `s-maxage`?")
            .related(Place::new(two, 0..4), "inherited by this route");
        let drawn = draw(&finding, &files, false);
        for part in [
            "error[test/example]",
            "unknown key `smaxage`",
            "site.toml:2:1",
            "^^^^^^^",
            "routes/a.toml:1:1",
            "did you mean",
        ] {
            assert!(drawn.contains(part), "{part} in\n{drawn}");
        }
    }

    #[test]
    fn control_bytes_of_the_author_do_not_reach_the_terminal() {
        let finding = Finding::anywhere(&EXAMPLE, "bad \u{1b}[31m key");
        assert!(!draw(&finding, &Files::default(), false).contains('\u{1b}'));
    }
}
