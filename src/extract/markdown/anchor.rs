//! What a fragment of a URL can name in HTML: the `id` of any element, and the `name` of an old anchor.
//!
//! The text is not understood, only searched: a name too many lets a wrong link pass, a name too few would blame a right one.

/// The names in `html`, sorted, each once.
pub fn anchors(html: &str) -> Box<[Box<str>]> {
    let mut names: Vec<Box<str>> = Vec::new();
    let bytes = html.as_bytes();
    for at in memchr::memchr_iter(b'=', bytes) {
        let before = html.get(..at).unwrap_or_default().trim_end_matches([' ', '\n', '\t']);
        let attribute = ["id", "name"].iter().find_map(|attribute| {
            let start = before.len().checked_sub(attribute.len())?;
            let is_named = before.get(start..)?.eq_ignore_ascii_case(attribute);
            let separator = start.checked_sub(1).and_then(|at| bytes.get(at))?;
            (is_named && separator.is_ascii_whitespace()).then_some(())
        });
        if attribute.is_some() {
            let value = html.get(at + 1..).unwrap_or_default().trim_start_matches([' ', '\n', '\t']);
            let ends = |end: char| move |found: char| found == end;
            let value = match value.bytes().next() {
                Some(b'"') => value.split(ends('"')).nth(1),
                Some(b'\'') => value.split(ends('\'')).nth(1),
                Some(_) => value.split([' ', '\n', '\t', '>']).next(),
                None => None,
            };
            names.extend(value.filter(|value| !value.is_empty()).map(|value| unescaped(value).into()));
        }
    }
    names.sort_unstable();
    names.dedup();
    names.into()
}

/// The references that writing HTML makes, undone.
fn unescaped(value: &str) -> String {
    value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::anchors;

    #[test]
    fn names_are_found_however_they_are_written() {
        for (html, expected) in [
            ("", &[] as &[&str]),
            ("<h2 id=\"b\">B</h2><h2 class=\"x\" id=\"a\">A</h2>", &["a", "b"]),
            ("<a name='old'></a><A\nID = up></A>", &["old", "up"]),
            ("<p id=\"a&amp;b\" data-id=\"no\" grid=\"no\">", &["a&b"]),
            ("<p id=\"\"><p id=", &[]),
            ("<p id=\"a\"><p id=\"a\">", &["a"]),
            ("<p>ü = id=\"größe\"", &["größe"]),
        ] {
            let found = anchors(html);
            assert_eq!(found.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), expected, "{html}");
        }
    }
}
