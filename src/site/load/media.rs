//! The media types of answers: what a route says, if its values are written for that, or what the extension of its layout does.
//!
//! What browsers show as a document is made by a layout that escapes for it, and what they run holds nothing from outside. Whatever is
//! made here is UTF-8 (RFC 9110, section 8.3.2).

use super::super::code;
use super::documents::ShownTree;
use super::kind::Shown;
use super::layouts::Layouts;
use crate::config::{BAD_VALUE, Tree};
use crate::diagnostic::{Finding, Findings, Place};
use crate::fields::{MediaType, content_type_of_made, is_document, is_json};
use crate::render::Layout;
use crate::resource::Decl;
use http::HeaderValue;
use std::borrow::Cow;

/// First words whose values come from nobody but those who write the site and run it.
const OF_AUTHORS: [&str; 3] = ["env", "site", "vars"];

/// What a document is without a layout.
const HTML: &str = "text/html; charset=utf-8";

/// The media type of the route's answers; of a tree's, of those documents whose layout makes no other.
pub(super) fn content_type(shown: &Shown, decl: &Decl, findings: &mut Findings) -> Option<HeaderValue> {
    let made = |layout: Option<&Layout>| layout.map_or(HTML.into(), |layout| content_type_of_made(layout.name()));
    let derived = match shown {
        Shown::Page(layout) => made(Some(layout.as_ref()?)),
        Shown::Document(document) => made(document.layout.as_deref()),
        Shown::Tree(_) => HTML.into(),
        Shown::Json(..) => "application/json".into(),
        Shown::Files { .. } | Shown::Redirect(_) | Shown::Proxy(_) | Shown::Unclear => return None,
    };
    let Some(written) = &decl.content_type else { return HeaderValue::from_str(&derived).ok() };
    let is_authored = !matches!(shown, Shown::Json(..)) && shown.layouts().all(is_authored);
    // Of a tree each layout has to be right for it, and the documents without one.
    let judged = if let Shown::Tree(tree) = shown {
        let is_bare = tree.documents.iter().any(|page| page.layout.is_none());
        let bare = std::iter::once(derived).filter(|_| is_bare);
        let all = bare.chain(tree.layouts.iter().map(|layout| made(Some(layout))));
        all.map(|derived| judge(&written.value, &derived, is_authored)).reduce(Result::and)
    } else {
        Some(judge(&written.value, &derived, is_authored))
    };
    match judged? {
        Ok(value) => HeaderValue::from_str(&value).ok(),
        Err((message, help)) => {
            findings.push(Finding::new(&BAD_VALUE, written.place, message).help(help));
            None
        }
    }
}

/// The media type that each layout of a tree makes, where it is another than that of the route.
pub(super) fn of_tree(tree: &ShownTree, decl: &Decl) -> Vec<Option<HeaderValue>> {
    let other = |layout: &Layout| {
        let made = content_type_of_made(layout.name());
        let is_other = decl.content_type.is_none() && made != HTML;
        HeaderValue::from_str(&made).ok().filter(|_| is_other)
    };
    tree.layouts.iter().map(|layout| other(layout)).collect()
}

/// The value of the field for a media type whose `text` is written where `derived` would be sent; else what is wrong with it, and what to do.
fn judge<'w>(text: &'w str, derived: &str, is_authored: bool) -> Result<Cow<'w, str>, (String, &'static str)> {
    let is_value = HeaderValue::from_str(text).is_ok();
    let Some(media_type) = MediaType::parse(text).filter(|it| is_value && it.is_well_formed()) else {
        return Err((format!("`{text}` is not a media type"), "content-type = \"application/atom+xml\""));
    };
    if !media_type.is_utf_8() {
        let message = format!("`{text}` says another charset than that of the answers");
        return Err((message, "leave `charset` out: answers are in UTF-8, and say so"));
    }
    if media_type.is_document() {
        if !is_escaped_for(derived, &media_type) {
            let message = format!("as `{text}` this would be markup, for which its values are not escaped");
            let help = "`text/html` is made by a layout whose name ends in `.html`, and what is XML by one that ends in `.xml`";
            return Err((message, help));
        }
    } else if media_type.is_json() && !is_json(derived) && !is_authored {
        let message = format!("`{text}` is JSON, for which values are not escaped here");
        return Err((message, "JSON is made by a layout whose name ends in `.json`, or by `json` in the route"));
    } else if !media_type.is_inert() && !is_authored {
        return Err((neither(text), OTHERWISE));
    }
    let is_text = media_type.is_document() || text.get(..5).is_some_and(|kind| kind.eq_ignore_ascii_case("text/"));
    if is_text && media_type.parameter("charset").is_none() {
        return Ok(Cow::Owned(format!("{}; charset=utf-8", text.trim_end_matches([';', ' ']))));
    }
    Ok(Cow::Borrowed(text))
}

/// What to do about a type that is neither markup nor inert.
const OTHERWISE: &str = "print data as JSON, for a script that stays the same; or print nothing but `site`, `vars` and `env`; or answer for it: \
                         `escape = \"none\"` in the layout's front matter";

fn neither(media_type: &str) -> String {
    format!("`{media_type}` is neither markup nor plain data, and values are not escaped for it")
}

/// Whether what a resource escapes for by itself is right for markup of another type: HTML and XML read names, references and what is
/// no tag by rules of their own, so that neither's serve for the other.
fn is_escaped_for(derived: &str, written: &MediaType<'_>) -> bool {
    is_document(derived) && derived.starts_with("text/html") == written.is("text/html")
}

/// Whether nothing is printed but what the author has written, or the author answers for it.
fn is_authored(layout: &Layout) -> bool {
    layout.is_unescaped() || layout.roots().iter().all(|root| OF_AUTHORS.contains(&&*root.name))
}

/// Tells of layouts whose extension gives a type that their values are not escaped for.
pub(super) fn check_layouts(tree: &Tree, layouts: &Layouts, findings: &mut Findings) {
    for file in &tree.layouts {
        let Some(layout) = layouts.get(&file.path) else { continue };
        let content_type = content_type_of_made(layout.name());
        let extension = layout.extension();
        let found = if is_document(&content_type) && !matches!(extension, "html" | "xml") {
            let (escaped, written) = match content_type.split_once(';') {
                Some(("text/html", _)) => ("html", String::new()),
                Some((essence, _)) => ("xml", format!(", and say `content-type = \"{essence}\"` in its route")),
                None => ("xml", String::new()),
            };
            let help = format!("let its name end in `.{escaped}`{written}");
            Some((format!("in a layout `.{extension}` values are not escaped, and browsers read it as markup"), help))
        } else {
            let is_inert = MediaType::parse(&content_type).is_none_or(|it| it.is_document() || it.is_inert());
            (!is_inert && !is_authored(layout))
                .then(|| (neither(content_type.split(';').next().unwrap_or_default()), OTHERWISE.to_owned()))
        };
        if let Some((message, help)) = found {
            findings.push(Finding::new(&code::UNESCAPED_FORMAT, Place::new(file.file, 0..0), message).help(help));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(written: &str, derived: &str, is_authored: bool) -> Option<String> {
        judge(written, derived, is_authored).ok().map(Cow::into_owned)
    }

    #[test]
    fn only_what_neither_is_shown_nor_runs_is_written_as_it_comes() {
        for (written, expected) in [
            ("text/plain", Some("text/plain; charset=utf-8")),
            ("Text/Markdown;variant=GFM", Some("Text/Markdown;variant=GFM; charset=utf-8")),
            ("text/calendar; charset=UTF-8", Some("text/calendar; charset=UTF-8")),
            ("application/x-ndjson", Some("application/x-ndjson")),
            ("application/feed+json", None),
            ("application/importmap+json", None),
            ("text/html", None),
            ("image/svg+xml", None),
            ("text/xsl", None),
            ("text/css", None),
            ("text/javascript", None),
            ("multipart/x-mixed-replace; boundary=a", None),
            ("message/rfc822", None),
            ("application/pdf", None),
            ("text/plain; charset=utf-7", None),
            ("text/plain; charset=\"iso-2022-jp\"", None),
            ("text", None),
            ("text/pl ain", None),
            ("text/plain\n", None),
        ] {
            assert_eq!(judged(written, "text/plain; charset=utf-8", false).as_deref(), expected, "{written}");
        }
    }

    #[test]
    fn markup_and_what_the_author_writes_may_be_more() {
        let (html, xml) = ("text/html; charset=utf-8", "application/xml; charset=utf-8");
        let xhtml = Some("application/xhtml+xml; charset=utf-8".to_owned());
        assert_eq!(judged("application/xhtml+xml", html, false), None);
        assert_eq!(judged("image/svg+xml", html, true), None, "XML has other names for the same");
        assert_eq!(judged("application/xhtml+xml", xml, false), xhtml);
        assert_eq!(judged("text/html", xml, false), None);
        assert_eq!(judged("text/javascript", html, false), None);
        let json = Some("application/feed+json".to_owned());
        assert_eq!(judged("application/feed+json", "application/json", false), json);
        assert_eq!(judged("application/feed+json", "application/ld+json", false), json);
        assert_eq!(judged("application/feed+json", "text/plain", true), json);
        assert_eq!(judged("text/javascript", "text/plain", true).as_deref(), Some("text/javascript; charset=utf-8"));
        assert_eq!(judged("text/html", "text/plain", true), None, "names say what is markup");
    }
}
