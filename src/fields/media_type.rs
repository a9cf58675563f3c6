//! Media types (RFC 9110, section 8.3): reading `Content-Type`, and the type that a file's name suggests.

use super::list::{split_unquoted, token_or_quoted};
use std::borrow::Cow;

/// A `Content-Type` that was read.
#[derive(Debug, Clone, Copy)]
pub struct MediaType<'a> {
    essence: &'a str,
    parameters: &'a str,
}

impl<'a> MediaType<'a> {
    /// Reads `type/subtype; parameters`.
    pub fn parse(value: &'a str) -> Option<Self> {
        let (essence, parameters) = value.split_once(';').unwrap_or((value, ""));
        let essence = essence.trim();
        let (kind, subtype) = essence.split_once('/')?;
        let token = |text: &str| !text.is_empty() && text.bytes().all(super::list::is_token);
        (token(kind) && token(subtype)).then_some(Self { essence, parameters })
    }

    /// `type/subtype`, in the case that it was written in.
    pub fn essence(&self) -> &'a str {
        self.essence
    }

    /// Whether it is `essence`, whatever its parameters.
    pub fn is(&self, essence: &str) -> bool {
        self.essence.eq_ignore_ascii_case(essence)
    }

    /// Whether it is JSON, by name or by suffix (RFC 6839, section 3.1).
    pub fn is_json(&self) -> bool {
        self.is("application/json") || self.has_suffix("+json")
    }

    /// Whether it is XML, by name or by suffix (RFC 7303).
    pub fn is_xml(&self) -> bool {
        self.is("application/xml") || self.is("text/xml") || self.has_suffix("+xml")
    }

    /// Whether browsers show it as a document, which may hold scripts: HTML, and XML of every kind, because any element of it may be one
    /// of HTML's or of SVG's.
    pub fn is_document(&self) -> bool {
        // The last is no media type that is registered, but some browsers read it as XML.
        self.is("text/html") || self.is_xml() || self.is("text/xsl")
    }

    /// Whether browsers neither show it as a document nor run it, whatever is in it: they show text, or keep a file.
    pub fn is_inert(&self) -> bool {
        self.is_json() || INERT.iter().any(|essence| self.is(essence))
    }

    /// Whether what it says of its characters is UTF-8, or nothing.
    pub fn is_utf_8(&self) -> bool {
        let mut charsets = self.written().flatten().filter(|(name, _)| name.eq_ignore_ascii_case("charset"));
        charsets.all(|(_, value)| value.eq_ignore_ascii_case(b"utf-8"))
    }

    /// Whether its parameters are well-formed, so that nobody reads them otherwise (RFC 9110, section 5.6.6).
    pub fn is_well_formed(&self) -> bool {
        self.written().all(|parameter| parameter.is_some())
    }

    /// The parameters as they are written; none for what is no parameter.
    fn written(&self) -> impl Iterator<Item = Option<(&'a str, Cow<'a, [u8]>)>> {
        let parameters = split_unquoted(self.parameters.as_bytes(), b';').map(<[u8]>::trim_ascii);
        parameters.filter(|parameter| !parameter.is_empty()).map(|parameter| {
            let (name, value) = std::str::from_utf8(parameter).ok()?.split_once('=')?;
            let is_name = !name.is_empty() && name.bytes().all(super::list::is_token);
            is_name.then_some((name, token_or_quoted(value.as_bytes())?))
        })
    }

    /// The value of a parameter.
    pub fn parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        split_unquoted(self.parameters.as_bytes(), b';').find_map(|parameter| {
            let parameter = std::str::from_utf8(parameter).ok()?;
            let (other, value) = parameter.trim().split_once('=')?;
            if !other.eq_ignore_ascii_case(name) {
                return None;
            }
            match token_or_quoted(value.as_bytes())? {
                Cow::Borrowed(value) => std::str::from_utf8(value).ok().map(Cow::Borrowed),
                Cow::Owned(value) => String::from_utf8(value).ok().map(Cow::Owned),
            }
        })
    }

    /// The value of a parameter that is there once.
    pub fn sole_parameter(&self, name: &str) -> Option<Cow<'a, str>> {
        let mut all = self.written().flatten().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        let (Some((_, value)), None) = (all.next(), all.next()) else { return None };
        match value {
            Cow::Borrowed(value) => std::str::from_utf8(value).ok().map(Cow::Borrowed),
            Cow::Owned(value) => String::from_utf8(value).ok().map(Cow::Owned),
        }
    }

    fn has_suffix(&self, suffix: &str) -> bool {
        let start = self.essence.len().checked_sub(suffix.len());
        start.and_then(|start| self.essence.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    }
}

/// Types of text that are neither shown as documents nor run.
const INERT: &[&str] = &[
    "application/graphql",
    "application/jsonl",
    "application/n-quads",
    "application/n-triples",
    "application/octet-stream",
    "application/openmetrics-text",
    "application/pem-certificate-chain",
    "application/pgp-keys",
    "application/pgp-signature",
    "application/sql",
    "application/toml",
    "application/trig",
    "application/vnd.apple.mpegurl",
    "application/x-ndjson",
    "application/x-subrip",
    "application/x-yaml",
    "application/yaml",
    "audio/mpegurl",
    "audio/x-mpegurl",
    "text/calendar",
    "text/csv",
    "text/csv-schema",
    "text/markdown",
    "text/n3",
    "text/plain",
    "text/tab-separated-values",
    "text/turtle",
    "text/uri-list",
    "text/vcard",
    "text/vtt",
    "text/x-vcard",
    "text/x-yaml",
    "text/yaml",
];

/// What `mime_guess` does not know, or says in a way that browsers or newer RFCs do not.
const BY_EXTENSION: &[(&str, &str)] = &[
    ("atom", "application/atom+xml"),
    ("avif", "image/avif"),
    ("cjs", "text/javascript"),
    ("geojson", "application/geo+json"),
    ("js", "text/javascript"),
    ("json", "application/json"),
    ("jsonld", "application/ld+json"),
    ("jxl", "image/jxl"),
    ("map", "application/json"),
    ("markdown", "text/markdown"),
    ("md", "text/markdown"),
    ("mjs", "text/javascript"),
    ("opus", "audio/ogg"),
    ("rss", "application/rss+xml"),
    ("toml", "application/toml"),
    ("ts", "video/mp2t"),
    ("vtt", "text/vtt"),
    ("wasm", "application/wasm"),
    ("webmanifest", "application/manifest+json"),
    ("woff", "font/woff"),
    ("woff2", "font/woff2"),
    ("xml", "application/xml"),
    ("yaml", "application/yaml"),
    ("yml", "application/yaml"),
];

/// The `Content-Type` of a file by its name or path, with `charset=utf-8` for text.
pub fn content_type_of(name: &str) -> Cow<'static, str> {
    let file = name.rsplit('/').next().unwrap_or_default();
    let extension = file.rsplit_once('.').map_or("", |(_, extension)| extension);
    let known =
        BY_EXTENSION.iter().find(|(other, _)| extension.eq_ignore_ascii_case(other)).map(|(_, essence)| *essence);
    let essence = known.or_else(|| mime_guess::from_ext(extension).first_raw()).unwrap_or("application/octet-stream");
    if essence.starts_with("text/") { Cow::Owned(format!("{essence}; charset=utf-8")) } else { Cow::Borrowed(essence) }
}

/// The `Content-Type` of what a layout of this name makes, which is UTF-8 whatever it says within.
pub fn content_type_of_made(name: &str) -> Cow<'static, str> {
    let content_type = content_type_of(name);
    if is_document(&content_type) && !content_type.contains(';') {
        return Cow::Owned(format!("{content_type}; charset=utf-8"));
    }
    content_type
}

/// Whether browsers show what has this `Content-Type` as a document, which may hold scripts.
pub fn is_document(content_type: &str) -> bool {
    MediaType::parse(content_type).is_some_and(|media_type| media_type.is_document())
}

/// Whether what has this `Content-Type` is JSON of any kind.
pub fn is_json(content_type: &str) -> bool {
    MediaType::parse(content_type).is_some_and(|media_type| media_type.is_json())
}

/// Whether content of this `Content-Type` grows notably smaller by a content coding.
pub fn is_compressible(content_type: &str) -> bool {
    let Some(media_type) = MediaType::parse(content_type) else { return false };
    let others = [
        "application/javascript",
        "application/manifest+json",
        "application/rtf",
        "application/toml",
        "application/vnd.ms-fontobject",
        "application/wasm",
        "application/x-javascript",
        "application/x-ndjson",
        "application/yaml",
        "font/otf",
        "font/ttf",
        "image/bmp",
        "image/vnd.microsoft.icon",
        "image/x-icon",
    ];
    let text = media_type.essence.get(..5).is_some_and(|start| start.eq_ignore_ascii_case("text/"));
    // A coded stream of events would be held back until a block is full.
    (text && !media_type.is("text/event-stream"))
        || media_type.is_json()
        || media_type.is_xml()
        || others.iter().any(|other| media_type.is(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_browsers_may_run_scripts_in_is_known() {
        for (value, expected) in [
            ("text/html", true),
            ("Text/HTML ; charset=utf-8", true),
            ("application/xhtml+xml", true),
            ("image/SVG+XML", true),
            ("application/atom+xml; charset=utf-8", true),
            ("text/xml", true),
            ("text/xsl", true),
            ("text/plain", false),
            ("application/json", false),
            ("application/xml-dtd", false),
            ("html", false),
        ] {
            assert_eq!(is_document(value), expected, "{value}");
        }
        let is_inert = |value| MediaType::parse(value).is_some_and(|media_type| media_type.is_inert());
        for value in ["text/plain", "Text/CSV; header=present", "application/geo+json", "application/x-ndjson"] {
            assert!(is_inert(value), "{value}");
        }
        for value in [
            "text/html",
            "text/css",
            "text/javascript",
            "multipart/x-mixed-replace",
            "message/rfc822",
            "text/xsl",
            "image/svg+xml",
        ] {
            assert!(!is_inert(value), "{value}");
        }
        let is_utf_8 = |value| MediaType::parse(value).is_some_and(|media_type| media_type.is_utf_8());
        for value in ["text/plain", "text/plain; charset=UTF-8", "text/plain; a=b; charset=\"utf-8\""] {
            assert!(is_utf_8(value), "{value}");
        }
        for value in [
            "text/plain; charset=utf-16le",
            "text/plain;a=b;Charset=iso-2022-jp",
            "a/b; charset=utf-8; charset=\"utf-7\"",
        ] {
            assert!(!is_utf_8(value), "{value}");
        }
        let is_well_formed = |value| MediaType::parse(value).is_some_and(|media_type| media_type.is_well_formed());
        for value in ["text/html", "text/html;", "text/html; charset=\"utf-8\"; a=b", "multipart/mixed;boundary=x"] {
            assert!(is_well_formed(value), "{value}");
        }
        for value in ["text/html; charset = utf-7", "text/html; utf-8", "text/html; a=b c", "text/html; a=\"b"] {
            assert!(!is_well_formed(value), "{value}");
        }
    }

    #[test]
    fn what_layouts_make_is_in_utf_8() {
        assert_eq!(content_type_of_made("page.html"), "text/html; charset=utf-8");
        assert_eq!(content_type_of_made("feed.xml"), "application/xml; charset=utf-8");
        assert_eq!(content_type_of_made("data.json"), "application/json");
    }

    #[test]
    fn files_have_the_types_that_browsers_expect() {
        for (name, expected) in [
            ("index.html", "text/html; charset=utf-8"),
            ("a/b/app.MJS", "text/javascript; charset=utf-8"),
            ("style.css", "text/css; charset=utf-8"),
            ("notes.md", "text/markdown; charset=utf-8"),
            ("robots.txt", "text/plain; charset=utf-8"),
            ("logo.svg", "image/svg+xml"),
            ("photo.avif", "image/avif"),
            ("photo.webp", "image/webp"),
            ("photo.jpeg", "image/jpeg"),
            ("module.wasm", "application/wasm"),
            ("site.webmanifest", "application/manifest+json"),
            ("data.json", "application/json"),
            ("feed.xml", "application/xml"),
            ("font.woff2", "font/woff2"),
            ("archive.tar.gz", "application/gzip"),
            ("paper.pdf", "application/pdf"),
            ("clip.mp4", "video/mp4"),
            ("favicon.ico", "image/x-icon"),
            ("LICENSE", "application/octet-stream"),
            ("v1.2/LICENSE", "application/octet-stream"),
            ("odd.", "application/octet-stream"),
            ("", "application/octet-stream"),
        ] {
            assert_eq!(content_type_of(name), expected, "{name}");
        }
    }

    #[test]
    fn parameters_are_found_also_behind_quotes() {
        let html = MediaType::parse("Text/HTML ; x=\"a;charset=no\"; Charset=\"utf-8\"").unwrap();
        assert!(html.is("text/html") && !html.is_json());
        assert_eq!(html.parameter("charset").as_deref(), Some("utf-8"));
        assert_eq!(html.parameter("x").as_deref(), Some("a;charset=no"));
        assert_eq!(html.parameter("y"), None);
        assert!(MediaType::parse("application/problem+JSON").unwrap().is_json());
        for bad in ["", "text", "/html", "text/", "te xt/html", "text/html/x"] {
            assert!(MediaType::parse(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn only_what_shrinks_is_compressed() {
        for yes in ["text/html; charset=utf-8", "image/svg+xml", "application/json", "application/wasm", "font/ttf"] {
            assert!(is_compressible(yes), "{yes}");
        }
        for no in ["image/png", "font/woff2", "application/gzip", "text/event-stream", "application/octet-stream", "x"]
        {
            assert!(!is_compressible(no), "{no}");
        }
    }
}
