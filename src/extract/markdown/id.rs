//! Ids of headings, as GitHub makes them: from their text, numbered when they repeat.

use std::collections::HashMap;

/// The ids of one document.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Each id that is taken, and the last number given to one that began like it.
    taken: HashMap<String, u32>,
}

impl Ids {
    /// An id for a heading that reads `title`.
    pub(super) fn for_title(&mut self, prefix: &str, title: &str) -> String {
        let slug = slug(title);
        self.unique(format!("{prefix}{}", if slug.is_empty() { "section" } else { &slug }))
    }

    /// `id`, or the first `id-1`, `id-2` … that is free.
    pub(super) fn unique(&mut self, id: String) -> String {
        let Some(last) = self.taken.get(&id).copied() else {
            self.taken.insert(id.clone(), 0);
            return id;
        };
        let mut number = last + 1;
        while self.taken.contains_key(&format!("{id}-{number}")) {
            number += 1;
        }
        let numbered = format!("{id}-{number}");
        self.taken.insert(id, number);
        self.taken.insert(numbered.clone(), 0);
        numbered
    }
}

/// Letters and digits in lower case, `-` and `_`; spaces become `-`, and everything else is left out.
fn slug(title: &str) -> String {
    let mut slug = String::with_capacity(title.len());
    for character in title.trim().chars() {
        match character {
            '-' | '_' => slug.push(character),
            _ if character.is_whitespace() => slug.push('-'),
            _ if character.is_alphanumeric() => slug.extend(character.to_lowercase()),
            _ => {}
        }
    }
    slug
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_made_and_numbered() {
        let mut ids = Ids::default();
        for (title, expected) in [
            ("Hello, World!", "hello-world"),
            ("Hello World", "hello-world-1"),
            ("hello world", "hello-world-2"),
            ("Hello-World-1", "hello-world-1-1"),
            ("Größe & Gewicht", "größe--gewicht"),
            ("`std::fs` in_use", "stdfs-in_use"),
            ("日本語", "日本語"),
            ("!?", "section"),
            ("", "section-1"),
        ] {
            assert_eq!(ids.for_title("", title), expected, "{title}");
        }
    }
}
