//! Front matter: the `+++` TOML or `---` YAML that a document or a layout may begin with.
//!
//! [`split_front_matter`] finds it, and [`read_yaml`] reads the YAML kind; TOML is read by this floor's own reader from the range that is given.
//! How much of it there may be is bounded; how YAML is read is said where the value floor reads it.

use crate::diagnostic::{FileId, Finding, Place, codes};
use crate::value::{Object, Text, Value, Yaml, parse_yaml};
use std::ops::Range;

codes! {
    /// Front matter begins at the first byte of a file and is not ended.
    ///
    /// A line of `+++` or `---` at the very beginning of a file begins front matter; the same line again ends it. To begin a
    /// document with a thematic break, write `***` or leave a line before it empty.
    FRONT_MATTER_UNCLOSED = Error "front-matter/unclosed";

    /// YAML front matter that cannot be read: a mistake in its grammar, a key twice, or more of it than a page can need.
    FRONT_MATTER_SYNTAX = Error "front-matter/syntax";
}

/// The longest front matter that is read, in bytes.
pub const LONGEST_FRONT_MATTER: usize = 64 << 10;
/// How many values there may be; an alias counts as many as it stands for.
const MOST_VALUES: usize = 10_000;

/// The language of front matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MatterKind {
    /// Between lines of `+++`.
    Toml,
    /// Between lines of `---`.
    Yaml,
}

impl MatterKind {
    fn fence(self) -> &'static str {
        match self {
            Self::Toml => "+++",
            Self::Yaml => "---",
        }
    }
}

/// Where the parts of a file are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parts {
    /// The front matter, without the lines that enclose it, if the file begins with one.
    pub matter: Option<(MatterKind, Range<usize>)>,
    /// Everything after it.
    pub body: Range<usize>,
}

/// What is wrong with front matter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MatterError {
    /// The line that ends it is missing.
    #[error("front matter begins with `{0}` and is not ended")]
    Unclosed(&'static str, Range<usize>),
    /// It cannot be read.
    #[error("{0}")]
    Syntax(String, Range<usize>),
}

impl MatterError {
    /// The bytes of the file that are to blame.
    #[must_use]
    pub fn range(&self) -> Range<usize> {
        match self {
            Self::Unclosed(_, range) | Self::Syntax(_, range) => range.clone(),
        }
    }

    /// What to tell the author of `file`.
    #[must_use]
    pub fn finding(&self, file: FileId) -> Finding {
        let place = Place::new(file, self.range());
        match self {
            Self::Unclosed(fence, _) => Finding::new(&FRONT_MATTER_UNCLOSED, place, self.to_string())
                .help(format!("end it with a line of `{fence}`, or begin the file with an empty line")),
            Self::Syntax(..) => Finding::new(&FRONT_MATTER_SYNTAX, place, self.to_string()),
        }
    }
}

/// Finds the front matter of a file. Only a line at byte 0 begins one, after a byte order mark if there is one.
pub fn split_front_matter(text: &str) -> Result<Parts, MatterError> {
    let start = text.len() - text.trim_start_matches('\u{feff}').len();
    let content = text.get(start..).unwrap_or_default();
    let first = content.split_inclusive('\n').next().unwrap_or_default();
    let Some(kind) = [MatterKind::Toml, MatterKind::Yaml].into_iter().find(|kind| is_fence(first, *kind)) else {
        return Ok(Parts { matter: None, body: start..text.len() });
    };
    let begin = start + first.len();
    let mut at = begin;
    for line in content.split_inclusive('\n').skip(1) {
        let after = at + line.len();
        if is_fence(line, kind) {
            return Ok(Parts { matter: Some((kind, begin..at)), body: after..text.len() });
        }
        at = after;
    }
    Err(MatterError::Unclosed(kind.fence(), start..start + first.trim_end().len()))
}

fn is_fence(line: &str, kind: MatterKind) -> bool {
    line.trim_end_matches(['\n', '\r', ' ', '\t']) == kind.fence()
}

/// A mapping that was read, and where its keys stand in the file.
#[derive(Debug, Clone, Default)]
pub struct YamlMatter {
    /// The values.
    pub values: Object,
    /// The outermost keys, with their bytes in the file.
    pub keys: Vec<(Text, Range<usize>)>,
}

/// Reads the YAML at `range` of a file.
pub fn read_yaml(file: &str, range: Range<usize>) -> Result<YamlMatter, MatterError> {
    let text = file.get(range.clone()).unwrap_or_default();
    if text.len() > LONGEST_FRONT_MATTER {
        let message = format!("front matter is longer than {} KiB", LONGEST_FRONT_MATTER >> 10);
        return Err(MatterError::Syntax(message, range));
    }
    let in_file = |of_text: Range<usize>| range.start + of_text.start..range.start + of_text.end;
    let Yaml { value, keys, begins } =
        parse_yaml(text, MOST_VALUES).map_err(|error| MatterError::Syntax(error.message, in_file(error.range)))?;
    let values = match value {
        Value::Object(object) => object,
        // A text of comments alone is `null`.
        Value::Null => Object::default(),
        other @ (Value::Bool(_)
        | Value::Int(_)
        | Value::UInt(_)
        | Value::Float(_)
        | Value::Text(_)
        | Value::List(_)) => {
            let message = format!("front matter is a mapping, and not a {}", other.type_name());
            return Err(MatterError::Syntax(message, in_file(begins)));
        }
    };
    Ok(YamlMatter { values, keys: keys.into_iter().map(|(key, place)| (key, in_file(place))).collect() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::write_json;
    use proptest::prelude::*;

    fn parts(text: &str) -> (Option<(MatterKind, &str)>, &str) {
        let split = split_front_matter(text).unwrap();
        (split.matter.map(|(kind, range)| (kind, &text[range])), &text[split.body])
    }

    #[test]
    fn front_matter_is_split_from_the_body() {
        use MatterKind::{Toml, Yaml};
        for (text, matter, body) in [
            ("", None, ""),
            ("text", None, "text"),
            ("+++\na = 1\n+++\nbody\n", Some((Toml, "a = 1\n")), "body\n"),
            ("---\na: 1\n---\nbody\n---\nmore", Some((Yaml, "a: 1\n")), "body\n---\nmore"),
            ("---\n---\n", Some((Yaml, "")), ""),
            ("---\r\na: 1\r\n---\r\nbody", Some((Yaml, "a: 1\r\n")), "body"),
            ("\u{feff}---\na: 1\n---", Some((Yaml, "a: 1\n")), ""),
            ("\u{feff}text", None, "text"),
            ("--- \na: 1\n---\t\n", Some((Yaml, "a: 1\n")), ""),
            ("\n---\na: 1\n---\n", None, "\n---\na: 1\n---\n"),
            (" ---\na\n---\n", None, " ---\na\n---\n"),
            ("----\na\n----\n", None, "----\na\n----\n"),
            ("--- # x\na\n---\n", None, "--- # x\na\n---\n"),
            ("+++\na = '''\n---\n'''\n+++\n", Some((Toml, "a = '''\n---\n'''\n")), ""),
            ("---\na: b --- c\n  ---\n---\nbody", Some((Yaml, "a: b --- c\n  ---\n")), "body"),
        ] {
            assert_eq!(parts(text), (matter, body), "{text:?}");
        }
    }

    #[test]
    fn front_matter_that_is_not_ended_is_told() {
        for (text, range) in [("---\na: 1\n+++\n", 0..3), ("\u{feff}+++\r\na = 1", 3..6), ("---", 0..3)] {
            let error = split_front_matter(text).unwrap_err();
            assert_eq!(error.range(), range, "{text:?}");
            assert!(matches!(error, MatterError::Unclosed(..)));
        }
    }

    fn yaml(text: &str) -> Result<String, (Range<usize>, String)> {
        let read = read_yaml(text, 0..text.len()).map_err(|error| (error.range(), error.to_string()))?;
        let mut out = String::new();
        write_json(&Value::Object(read.values), &mut out);
        Ok(out)
    }

    #[test]
    fn yaml_is_read_by_the_core_schema() {
        for (text, expected) in [
            ("", "{}"),
            ("# nothing\n", "{}"),
            ("title: A page\nweight: 3\ndraft: false\n", r#"{"title":"A page","weight":3,"draft":false}"#),
            (
                "date: 2024-03-05\nanswer: no\nnothing: ~\nempty:\n",
                r#"{"date":"2024-03-05","answer":"no","nothing":null,"empty":null}"#,
            ),
            ("tags: [a, 'b', \"c\"]\n", r#"{"tags":["a","b","c"]}"#),
            ("tags:\n  - a\n  - n: 1\n    m: 2.5\n", r#"{"tags":["a",{"n":1,"m":2.5}]}"#),
            ("text: |\n  two\n  lines\nfolded: >-\n  one\n  line\n", r#"{"text":"two\nlines\n","folded":"one line"}"#),
            ("quoted: '12'\ntagged: !!str 12\n", r#"{"quoted":"12","tagged":"12"}"#),
            ("1: a\ntrue: b\n", r#"{"1":"a","true":"b"}"#),
            ("a: &x [1]\nb: *x\n", r#"{"a":[1],"b":[1]}"#),
            ("a: 1\r\nb: 2\r\n", r#"{"a":1,"b":2}"#),
        ] {
            assert_eq!(yaml(text).as_deref(), Ok(expected), "{text:?}");
        }
    }

    #[test]
    fn mistakes_in_yaml_have_their_place_in_the_file() {
        for (text, range, message) in [
            ("- a\n", 0..0, "front matter is a mapping, and not a list"),
            ("ü: 1\nü: 2\n", 6..8, "`ü` is written twice"),
            ("a: *b\n", 3..3, ""),
            ("a: .inf\n", 3..7, "the number is not finite"),
            ("a: !mine 1\n", 3..10, "tags other than YAML's own are not read"),
            ("a: !!int x\n", 3..10, "the value does not fit its tag"),
            ("? [a]\n: b\n", 2..3, "a key is a string"),
            ("a: &x {b: 1}\nc:\n  <<: *x\n", 18..20, "`<<` merges nothing in YAML 1.2"),
        ] {
            let error = yaml(text).unwrap_err();
            if message.is_empty() {
                assert!(error.0.start <= text.len(), "{text:?} {error:?}");
            } else {
                assert_eq!(error, (range, message.to_owned()), "{text:?}");
            }
        }
        let file = "---\ntitle: ü\nkey: [1\n---\n";
        let (_, range) = split_front_matter(file).unwrap().matter.unwrap();
        let error = read_yaml(file, range).unwrap_err();
        assert!(error.range().start >= 14 && error.range().end <= file.len(), "{error:?}");
    }

    #[test]
    fn the_outermost_keys_have_their_places() {
        let file = "---\ntitle: é\nmore:\n  inner: 1\nlast: 2\n---\n";
        let (_, range) = split_front_matter(file).unwrap().matter.unwrap();
        let keys: Vec<_> = read_yaml(file, range).unwrap().keys.into_iter().map(|(_, range)| &file[range]).collect();
        assert_eq!(keys, ["title", "more", "last"]);
    }

    #[test]
    fn hostile_yaml_is_refused() {
        let laughs: String = (1..30)
            .map(|n| format!("a{n}: &a{n} [{}]\n", vec![format!("*a{}", n - 1); 9].join(",")))
            .collect::<Vec<_>>()
            .concat();
        for text in [
            format!("a: {}{}", "[".repeat(200), "]".repeat(200)),
            format!("a: {}{}", "{a: ".repeat(100), "}".repeat(100)),
            (0..100).map(|depth| format!("{}a:\n", " ".repeat(depth))).collect::<Vec<_>>().concat(),
            format!("a0: &a0 [x]\n{laughs}"),
            format!("a: [{}]", vec!["1"; 20_000].join(",")),
            format!("a: {}", "x".repeat(LONGEST_FRONT_MATTER)),
            "a: &a [*a]".to_owned(),
        ] {
            assert!(yaml(&text).is_err(), "{text:.60}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_it_panic(text in "[-+\\[\\]{}&*!|>'\"#%@:,? \na-cé0-9]{0,60}") {
            if let Err(error) = read_yaml(&text, 0..text.len()) {
                prop_assert!(text.get(error.range()).is_some(), "{:?}", error);
            }
            if let Ok(parts) = split_front_matter(&text) {
                prop_assert!(text.get(parts.body).is_some());
            }
        }
    }
}
