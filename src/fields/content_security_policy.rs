//! `Content-Security-Policy` (CSP Level 3): from where a browser may load what a page asks for, and which inline code may run.
//!
//! It knows directives and sources as words, and how they weigh on each other; what a page needs is found out above.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// A policy: directives and their sources, each in alphabetical order, so that equal policies are written alike.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContentSecurityPolicy(BTreeMap<&'static str, BTreeSet<String>>);

/// The page's own origin.
const OWN: &str = "'self'";
/// Nothing at all.
const NOTHING: &str = "'none'";
const UNSAFE_INLINE: &str = "'unsafe-inline'";

/// Directives that say what may be loaded; `default-src` speaks for those of them that are not written.
const FETCH: [&str; 14] = [
    "child-src",
    "connect-src",
    "font-src",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "script-src",
    "script-src-elem",
    "style-src",
    "style-src-elem",
    "worker-src",
    "default-src",
];

/// What a source may be that stands in quotes, besides digests.
const KEYWORDS: [&str; 11] = [
    "'allow-duplicates'",
    "'inline-speculation-rules'",
    "'none'",
    "'report-sample'",
    "'script'",
    "'self'",
    "'strict-dynamic'",
    "'unsafe-eval'",
    "'unsafe-hashes'",
    "'unsafe-inline'",
    "'wasm-unsafe-eval'",
];

/// Why a text is not one source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SourceError {
    /// It is several, or would end the directive or the field.
    #[error("white space, commas, semicolons and what is not ASCII separate or end sources")]
    Separator,
    /// A word that means something in quotes only, and would be a host without.
    #[error("without its quotes this is the name of a host")]
    Unquoted,
    /// Words in quotes that mean nothing.
    #[error("no source is called so")]
    Unknown,
    /// A word that is to be used once, in a field that is sent to everybody.
    #[error("a nonce in a field that is the same each time keeps nobody out")]
    Nonce,
}

/// The source that is the digest of an inline text.
#[must_use]
pub fn digest_source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}

/// Whether `text` is one source, as a directive lists them.
pub fn check_source(text: &str) -> Result<(), SourceError> {
    let separates = |byte: u8| !byte.is_ascii_graphic() || matches!(byte, b',' | b';');
    if text.is_empty() || text.bytes().any(separates) {
        return Err(SourceError::Separator);
    }
    let lower = text.to_ascii_lowercase();
    if let Some(inner) = lower.strip_prefix('\'') {
        let is_digest = ["sha256-", "sha384-", "sha512-"].iter().any(|name| inner.starts_with(name));
        return match inner {
            _ if inner.starts_with("nonce-") => Err(SourceError::Nonce),
            _ if (is_digest && inner.ends_with('\'')) || KEYWORDS.contains(&lower.as_str()) => Ok(()),
            _ => Err(SourceError::Unknown),
        };
    }
    let digest_like = lower.starts_with("sha256-") || lower.starts_with("sha384-") || lower.starts_with("sha512-");
    let is_keyword = KEYWORDS.iter().any(|known| known.trim_matches('\'') == lower);
    if is_keyword || digest_like { Err(SourceError::Unquoted) } else { Ok(()) }
}

impl ContentSecurityPolicy {
    /// [`strict`](Self::strict), as it is written.
    pub const STRICT: &str = "base-uri 'none'; default-src 'self'; form-action 'self'; frame-ancestors 'self'; object-src 'none'; \
                              script-src 'none'";

    /// What suits a page without scripts that loads its parts from its own origin.
    #[must_use]
    pub fn strict() -> Self {
        let of = |source: &str| BTreeSet::from([source.to_owned()]);
        Self(BTreeMap::from([
            ("base-uri", of(NOTHING)),
            ("default-src", of(OWN)),
            ("form-action", of(OWN)),
            ("frame-ancestors", of(OWN)),
            ("object-src", of(NOTHING)),
            ("script-src", of(NOTHING)),
        ]))
    }

    /// Adds a source to a directive: to what is written for it, or to what holds while nothing is. `'none'` takes all others away.
    pub fn allow(&mut self, directive: &'static str, source: &str) {
        if !self.0.contains_key(directive) {
            let sources = self.unwritten(directive);
            self.0.insert(directive, sources);
        }
        let Some(sources) = self.0.get_mut(directive) else { return };
        if source == NOTHING {
            sources.clear();
        } else {
            sources.remove(NOTHING);
        }
        // Beside a digest browsers pass over this word, so that it would change nothing.
        let is_digest = |source: &str| source.starts_with("'sha");
        if source.eq_ignore_ascii_case(UNSAFE_INLINE) {
            sources.retain(|known| !is_digest(known));
        }
        if !(is_digest(source) && sources.contains(UNSAFE_INLINE)) {
            sources.insert(source.to_owned());
        }
    }

    /// Adds a source to `default-src`, and to what is written for anything that it would speak for.
    pub fn allow_by_default(&mut self, source: &str) {
        self.allow("default-src", source);
        let written: Vec<&'static str> = self.0.keys().copied().collect();
        for directive in written.into_iter().filter(|name| FETCH.contains(name)) {
            if !matches!(directive, "default-src" | "object-src") {
                self.allow(directive, source);
            }
        }
    }

    /// Writes a directive that has no sources.
    pub fn switch_on(&mut self, directive: &'static str) {
        self.0.entry(directive).or_default();
    }

    /// What holds for a directive that is not written.
    fn unwritten(&self, directive: &'static str) -> BTreeSet<String> {
        let written = |name: &str| self.0.get(name).cloned();
        let by_default = || written("default-src").unwrap_or_else(|| BTreeSet::from([OWN.to_owned()]));
        match directive {
            "script-src-elem" => written("script-src").unwrap_or_else(by_default),
            "style-src-elem" => written("style-src").unwrap_or_else(by_default),
            "frame-src" => written("child-src").unwrap_or_else(by_default),
            name if FETCH.contains(&name) => by_default(),
            _ => BTreeSet::new(),
        }
    }

    /// The sources that hold for a directive, the more general ones behind it considered.
    #[must_use]
    pub fn sources(&self, directive: &str) -> &BTreeSet<String> {
        static NONE: BTreeSet<String> = BTreeSet::new();
        let general: &[&str] = match directive {
            "script-src-attr" | "script-src-elem" => &["script-src", "default-src"],
            "style-src-attr" | "style-src-elem" => &["style-src", "default-src"],
            "frame-src" => &["child-src", "default-src"],
            "worker-src" => &["child-src", "script-src", "default-src"],
            name if FETCH.contains(&name) => &["default-src"],
            _ => &[],
        };
        let mut names = std::iter::once(directive).chain(general.iter().copied());
        names.find_map(|name| self.0.get(name)).unwrap_or(&NONE)
    }

    /// Whether `directive` lets inline code run of which no digest is known.
    #[must_use]
    pub fn lets_anything_inline(&self, directive: &str) -> bool {
        let sources = self.sources(directive);
        let of_attributes = directive.ends_with("-attr");
        sources.contains(UNSAFE_INLINE) || (of_attributes && sources.contains("'unsafe-hashes'"))
    }
}

impl fmt::Display for ContentSecurityPolicy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (number, (directive, sources)) in self.0.iter().enumerate() {
            formatter.write_str(if number > 0 { "; " } else { "" })?;
            formatter.write_str(directive)?;
            for source in sources {
                write!(formatter, " {source}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_added_to_what_holds_already() {
        assert_eq!(ContentSecurityPolicy::strict().to_string(), ContentSecurityPolicy::STRICT);
        for (added, expected) in [
            (&[("img-src", "data:")][..], "img-src 'self' data:"),
            (&[("object-src", "'self'")], "object-src 'self'"),
            (&[("frame-ancestors", "'none'")], "frame-ancestors 'none'"),
            (
                &[("script-src", "'sha256-a'"), ("script-src-elem", "https://a.example")],
                "script-src-elem 'sha256-a' https://a.example",
            ),
            (&[("style-src-attr", "'unsafe-inline'")], "style-src-attr 'unsafe-inline'"),
            (&[("script-src", "'sha256-a'"), ("script-src", "'unsafe-inline'")], "script-src 'unsafe-inline'"),
            (&[("report-uri", "/reports")], "report-uri /reports"),
        ] {
            let mut policy = ContentSecurityPolicy::strict();
            for (directive, source) in added {
                policy.allow(directive, source);
            }
            let written = policy.to_string();
            assert!(written.split("; ").any(|directive| directive == expected), "{written}");
        }
    }

    #[test]
    fn what_holds_by_default_holds_for_what_is_written_too() {
        let mut policy = ContentSecurityPolicy::strict();
        policy.allow("img-src", "data:");
        policy.allow_by_default("https://cdn.example");
        assert!(policy.sources("img-src").contains("https://cdn.example"));
        assert!(policy.sources("font-src").contains("https://cdn.example"));
        assert!(!policy.sources("object-src").contains("https://cdn.example"));
    }

    #[test]
    fn it_is_known_whether_inline_code_runs() {
        let mut policy = ContentSecurityPolicy::strict();
        assert!(!policy.lets_anything_inline("script-src-attr"));
        policy.allow("style-src-attr", "'unsafe-inline'");
        assert!(policy.lets_anything_inline("style-src-attr") && !policy.lets_anything_inline("style-src"));
        policy.allow("script-src", "'unsafe-inline'");
        assert!(policy.lets_anything_inline("script-src-attr"));
    }

    #[test]
    fn a_digest_is_that_of_the_specification() {
        // CSP Level 3, section 8.1.
        assert_eq!(digest_source("doSomething();"), "'sha256-RFWPLDbv2BY+rCkDzsE+0fr8ylGr2R2faWMhq4lfEQc='");
    }

    #[test]
    fn a_source_is_one_word() {
        for text in
            ["'self'", "https:", "https://a.example:8443/x/", "*.example.com", "data:", "'sha256-abc='", "/reports"]
        {
            assert_eq!(check_source(text), Ok(()), "{text}");
        }
        for (text, error) in [
            ("", SourceError::Separator),
            ("'self' data:", SourceError::Separator),
            ("a.example; script-src *", SourceError::Separator),
            ("self", SourceError::Unquoted),
            ("Unsafe-Inline", SourceError::Unquoted),
            ("sha256-abc=", SourceError::Unquoted),
            ("'selfish'", SourceError::Unknown),
            ("'nonce-abc'", SourceError::Nonce),
        ] {
            assert_eq!(check_source(text), Err(error), "{text}");
        }
    }
}
