//! Where a route's files lie, by its URL: `/shop/{sku}` is `routes/shop/sku.toml`.

use crate::router::{Pattern, decode};
use anyhow::bail;

/// The URL of a new route.
#[derive(Debug)]
pub(super) struct Asked {
    /// Its path, as it was written, without a slash at its end.
    pub(super) path: String,
    pub(super) pattern: Pattern,
    /// Its file below `routes/` without the extension, and its layout's below `layouts/`: `shop/sku`.
    pub(super) place: String,
    /// Whether the file's place says its path.
    pub(super) is_said_by_place: bool,
}

impl Asked {
    /// Reads a path.
    pub(super) fn of(path: &str) -> anyhow::Result<Self> {
        let path = if path.len() > 1 { path.trim_end_matches('/') } else { path };
        let pattern = match Pattern::parse(path) {
            Ok(pattern) => pattern,
            Err(errors) => {
                let problem = errors.first().map(ToString::to_string).unwrap_or_default();
                bail!("`{path}` is no path of a route: {problem}");
            }
        };
        let place = place(path);
        let said = if place == "index" { "/".to_owned() } else { format!("/{place}") };
        Ok(Self { is_said_by_place: said == decode(path), path: path.to_owned(), pattern, place })
    }

    /// The last word of the path.
    pub(super) fn name(&self) -> &str {
        self.place.rsplit('/').next().unwrap_or(&self.place)
    }

    /// What stands before the rest parameter, if the path ends in one.
    pub(super) fn folder(&self) -> Option<&str> {
        self.pattern.rest_name().and_then(|_| self.path.rsplit_once('/')).map(|(folder, _)| folder)
    }
}

/// The words of a path as the names of folders and a file.
fn place(path: &str) -> String {
    let mut words: Vec<String> = path.split('/').filter(|segment| !segment.is_empty()).map(word).collect();
    // The rest has no name of its own: the folder is what it is called by.
    if path.ends_with('}') && path.contains("{*") && words.len() > 1 {
        words.pop();
    }
    // `_section` says something else, and `index` is the folder; so is what begins with a dot nobody's file.
    match words.last_mut() {
        None => "index".to_owned(),
        Some(last) => {
            if last == "index" {
                "index-page".clone_into(last);
            }
            words.join("/")
        }
    }
}

/// A segment as a name: `{slug}.html` is `slug`, `feed.xml` is `feed`, `caf%C3%A9` is `café`.
fn word(segment: &str) -> String {
    let inner = match segment.split_once('{') {
        Some((_, rest)) => rest.split('}').next().unwrap_or_default().trim_start_matches('*'),
        None => segment.trim_start_matches('.').split('.').next().unwrap_or_default(),
    };
    // Beside letters and digits many scripts write words with marks of their own.
    let is_kept = |c: &char| match c {
        '-' | '_' => true,
        c if c.is_ascii() => c.is_ascii_alphanumeric(),
        c => !c.is_whitespace() && !c.is_control(),
    };
    let plain: String = decode(inner).chars().map(|c| if is_kept(&c) { c } else { '-' }).collect();
    let plain = plain.trim_start_matches(['_', '-']);
    if plain.is_empty() { "page".to_owned() } else { plain.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_lie_where_their_urls_say() {
        for (path, place, is_said) in [
            ("/", "index", true),
            ("/about", "about", true),
            ("/about/", "about", true),
            ("/हिन्दी", "हिन्दी", true),
            ("/cafe\u{301}", "cafe\u{301}", true),
            ("/a/b", "a/b", true),
            ("/shop/{sku}", "shop/sku", false),
            ("/{lang}/news", "lang/news", false),
            ("/docs/{*page}", "docs", false),
            ("/{*rest}", "rest", false),
            ("/feed.xml", "feed", false),
            ("/pages/{slug}.html", "pages/slug", false),
            ("/_section", "section", false),
            ("/.well-known/security.txt", "well-known/security", false),
            ("/a/index", "a/index-page", false),
            ("/caf%C3%A9", "café", true),
            ("/über-uns/größe", "über-uns/größe", true),
            ("/a%20b", "a-b", false),
            ("/\u{2615}", "\u{2615}", true),
            ("/%21", "page", false),
        ] {
            let asked = Asked::of(path).unwrap();
            assert_eq!((asked.place.as_str(), asked.is_said_by_place), (place, is_said), "{path}");
        }
        assert_eq!(Asked::of("/docs/{*page}").unwrap().folder(), Some("/docs"));
        assert_eq!(Asked::of("/docs/{page}").unwrap().folder(), None);
        for path in ["about", "/a//b", "/a?b", "/{a", "/../etc/passwd", "/{*a}/b"] {
            assert!(Asked::of(path).is_err(), "{path}");
        }
    }
}
