//! What somebody types, as words that a page must have.
//!
//! Nothing typed is a mistake. What is beyond the bounds is left out.

use super::words::words;

/// How many characters are read.
pub const LONGEST_QUERY: usize = 200;

/// How many words are looked for.
pub const MOST_WORDS: usize = 12;

/// A beginning of a word is looked for from this many characters on; fewer are a word.
const SHORTEST_BEGINNING: usize = 2;

/// What is looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// All of them must be there.
    pub(super) parts: Vec<Part>,
}

/// A word, or several that follow each other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) words: Vec<Wanted>,
}

/// A word that is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Its folded spelling.
    pub(super) term: String,
    /// Another one.
    pub(super) other: Option<String>,
    /// Whether words that begin with it do.
    pub(super) is_beginning: bool,
}

impl Wanted {
    /// Whether `term` is what is wanted.
    pub(super) fn is(&self, term: &str) -> bool {
        let is = |wanted: &str| if self.is_beginning { term.starts_with(wanted) } else { term == wanted };
        is(&self.term) || self.other.as_deref().is_some_and(is)
    }
}

impl Query {
    /// Reads what was typed: words, and `"words in quotes"`, which follow each other. So do those that only punctuation parts, as in
    /// `on-error`. The last word may be the beginning of one, unless something follows it.
    #[must_use]
    pub fn parse(typed: &str) -> Self {
        let end = typed.char_indices().nth(LONGEST_QUERY).map_or(typed.len(), |(at, _)| at);
        let typed = typed.get(..end).unwrap_or_default();
        let mut query = Self::default();
        let mut left = MOST_WORDS;
        for (at, stretch) in typed.split(is_quote).enumerate() {
            if at % 2 == 1 {
                query.add(stretch, &mut left);
            } else {
                stretch.split_whitespace().for_each(|chunk| query.add(chunk, &mut left));
            }
        }
        let is_open = typed.ends_with(char::is_alphanumeric) && left > 0;
        if let Some(last) = query.parts.last_mut().and_then(|part| part.words.last_mut())
            && is_open
            && last.term.chars().nth(SHORTEST_BEGINNING - 1).is_some()
        {
            last.is_beginning = true;
        }
        let mut parts: Vec<Part> = Vec::with_capacity(query.parts.len());
        for part in query.parts {
            if !parts.contains(&part) {
                parts.push(part);
            }
        }
        Self { parts }
    }

    /// Whether nothing is looked for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Adds the words of `text`, which follow each other, as far as there is room for them.
    fn add(&mut self, text: &str, left: &mut usize) {
        let mut part = Part { words: Vec::new() };
        words(text, |word| {
            if word.is_tail || *left == 0 {
                return;
            }
            *left -= 1;
            // One character of a script without spaces stands within pairs.
            let is_beginning = word.is_dense && word.term.chars().nth(1).is_none();
            part.words.push(Wanted { term: word.term.to_owned(), other: word.other.map(str::to_owned), is_beginning });
        });
        if !part.words.is_empty() {
            self.parts.push(part);
        }
    }
}

fn is_quote(character: char) -> bool {
    matches!(character, '"' | '“' | '”' | '„' | '‟' | '«' | '»' | '＂')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn spelled(typed: &str) -> String {
        let word = |wanted: &Wanted| {
            let other = wanted.other.as_ref().map(|other| format!("/{other}")).unwrap_or_default();
            format!("{}{other}{}", wanted.term, if wanted.is_beginning { "*" } else { "" })
        };
        let part = |part: &Part| part.words.iter().map(word).collect::<Vec<_>>().join("+");
        Query::parse(typed).parts.iter().map(part).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_typed_is_read() {
        for (typed, expected) in [
            ("", ""),
            ("   ", ""),
            ("\"\" - !", ""),
            ("limits", "limits*"),
            ("limits ", "limits"),
            ("Cache Limits", "cache limits*"),
            ("a", "a"),
            ("page a", "page a"),
            ("on-error", "on+error*"),
            ("\"stale while\" page", "stale+while page*"),
            ("\"stale while", "stale+while*"),
            ("\"stale while\"", "stale+while"),
            ("„Größe des“", "grosse/groesse+des"),
            ("page page pages", "page pages*"),
            ("日本語", "日本+本語*"),
            ("語", "語*"),
            ("Rust入門 x", "rust+入門 x"),
        ] {
            assert_eq!(spelled(typed), expected, "{typed}");
        }
    }

    #[test]
    fn what_is_too_much_is_left_out() {
        let many = (0..99).map(|number| format!("w{number}")).collect::<Vec<_>>().join(" ");
        let query = Query::parse(&many);
        assert_eq!(query.parts.len(), MOST_WORDS);
        assert!(query.parts.iter().all(|part| !part.words[0].is_beginning), "the last one is not the last one typed");
        let quoted = format!("\"{many}\"");
        assert_eq!(Query::parse(&quoted).parts[0].words.len(), MOST_WORDS);
        assert_eq!(spelled(&format!("{}tail", " ".repeat(LONGEST_QUERY))), "");
    }

    proptest! {
        #[test]
        fn anything_can_be_typed(typed in "[a-z \"“日本語äß'-]{0,300}|.{0,300}") {
            let query = Query::parse(&typed);
            let count: usize = query.parts.iter().map(|part| part.words.len()).sum();
            prop_assert!(count <= MOST_WORDS);
        }
    }
}
