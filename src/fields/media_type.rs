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

    fn has_suffix(&self, suffix: &str) -> bool {
        let start = self.essence.len().checked_sub(suffix.len());
        start.and_then(|start| self.essence.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(suffix))
    }
}

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
