//! Nodes to Rust types, strictly: every unknown key, every wrong type and every bad value is found, all in one pass.
//!
//! [`declare!`](crate::config::declare) makes a struct, its decoding and its list of documented keys from one text, so that
//! what is read, what is suggested and what is documented cannot differ.

use super::code;
use super::node::{Entry, Kind, Node, Table};
use super::placeholder::{Template, parse_template};
use super::scalar::{parse_duration, parse_size};
use super::schema::{Described, Schema};
use crate::diagnostic::{Finding, Findings, Place, Spanned, did_you_mean, suggest};
use crate::value::Value;
use std::time::Duration;

/// A key of a declared table.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Its documentation: Markdown.
    pub docs: &'static str,
    /// What may be written for it; a function, because tables may hold themselves.
    pub schema: fn() -> Schema,
    /// Whether `false` removes what is inherited.
    pub removable: bool,
}

/// A type that a node can be read as.
pub trait Decode: Described + Sized {
    /// Whether `false` means that the thing is not there: so it is with all but booleans.
    const REMOVABLE: bool = true;

    /// Reads `node`. What is wrong with it goes to `findings`.
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self>;
}

/// So many unknown keys of one table are told.
const MOST_UNKNOWN: usize = 100;

/// A table whose keys are declared.
pub trait Declared: Sized {
    /// One without any key, standing at `place`.
    fn empty(place: Place) -> Self;

    /// Reads one entry; `false` if no key of this table is called so.
    fn set(&mut self, entry: &Entry, findings: &mut Findings) -> bool;

    /// Its keys.
    fn keys() -> Vec<Key>;

    /// Notes that something stands for `key` which could not be read: misspelt, or of the wrong type.
    fn lose(&mut self, key: &'static str);

    /// Whether something stands for `key` which could not be read, and is told: what needs the key has no finding of its own then.
    fn is_lost(&self, key: &str) -> bool;

    /// Reads a whole table.
    fn read(table: &Table, findings: &mut Findings) -> Self {
        let mut declared = Self::empty(table.place);
        let mut unknown = 0;
        for entry in table {
            if !declared.set(entry, findings) {
                let keys = Self::keys();
                if let Some(meant) = suggest(&entry.key.value, keys.iter().map(|key| key.name)) {
                    declared.lose(meant);
                }
                unknown += 1;
                if unknown > MOST_UNKNOWN {
                    // Whatever this table is, it is not meant to be this one.
                    continue;
                }
                findings.push(unknown_key(entry, keys.iter().map(|key| key.name)));
            }
        }
        declared
    }
}

/// The finding for a key that is not among `known`.
pub fn unknown_key<'k>(entry: &Entry, known: impl IntoIterator<Item = &'k str>) -> Finding {
    let known: Vec<&str> = known.into_iter().collect();
    let name = entry.key.value.as_str();
    let help = did_you_mean(name, known.iter().copied()).unwrap_or_else(|| {
        let mut names = known;
        names.sort_unstable();
        format!("the keys here are {}", list(&names))
    });
    Finding::new(&code::UNKNOWN_KEY, entry.key.place, format!("unknown key `{name}`")).help(help)
}

/// `` `a`, `b` and `c` ``.
pub fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, others)) => format!("{} and {last}", others.join(", ")),
    }
}

/// The finding for a node of another type than `expected`.
pub fn wrong_type(node: &Node, expected: &str) -> Finding {
    let help = match expected {
        "a string" => "write it in quotes: \"…\"".to_owned(),
        "an integer" => "write a whole number without quotes: 3".to_owned(),
        "a table" => "write `{ key = … }`, or its keys below a header of its own".to_owned(),
        "an array" => "write it in brackets: [\"…\"]".to_owned(),
        other => format!("write {other}"),
    };
    Finding::new(&code::WRONG_TYPE, node.place, format!("expected {expected}, found {}", node.describe())).help(help)
}

/// Declares a table: `"key": field: Type,` with its documentation. Every field becomes an `Option`; `..name: Other` takes in
/// the keys of another declared table. Where the type says less than may be written, as `Node` does, `as Other` names the type
/// whose schema describes the key.
#[doc(hidden)]
#[macro_export]
macro_rules! __declare {
    (
        $(#[doc = $struct_docs:literal])+
        $visibility:vis struct $name:ident $(requires [$($required:literal),+])? {
            $( ..$flat:ident: $flat_type:ty, )*
            $( $(#[doc = $docs:literal])+ $key:literal: $field:ident: $type:ty $(as $described:ty)?, )*
        }
    ) => {
        $(#[doc = $struct_docs])+
        #[derive(Debug, Clone)]
        $visibility struct $name {
            /// Where the table stands.
            pub place: $crate::diagnostic::Place,
            /// Keys that something stands for which could not be read.
            pub lost: Vec<&'static str>,
            $( #[doc = "The keys that several tables share."] pub $flat: $flat_type, )*
            $( $(#[doc = $docs])+ pub $field: Option<$type>, )*
        }

        impl $crate::config::Declared for $name {
            fn empty(place: $crate::diagnostic::Place) -> Self {
                Self { place, lost: Vec::new(), $( $flat: <$flat_type as $crate::config::Declared>::empty(place), )* $( $field: None, )* }
            }

            fn set(&mut self, entry: &$crate::config::Entry, findings: &mut $crate::diagnostic::Findings) -> bool {
                match entry.key.value.as_str() {
                    $( $key => {
                        let removed = entry.node.is_false() && <$type as $crate::config::Decode>::REMOVABLE;
                        if !removed {
                            self.$field = <$type as $crate::config::Decode>::decode(&entry.node, findings);
                            if self.$field.is_none() {
                                self.lost.push($key);
                            }
                        }
                        true
                    } )*
                    _ => {
                        $( if $crate::config::Declared::set(&mut self.$flat, entry, findings) { return true; } )*
                        false
                    }
                }
            }

            fn lose(&mut self, key: &'static str) {
                self.lost.push(key);
            }

            fn is_lost(&self, key: &str) -> bool {
                self.lost.contains(&key) $( || $crate::config::Declared::is_lost(&self.$flat, key) )*
            }

            fn keys() -> Vec<$crate::config::Key> {
                #[allow(unused_mut, reason = "not every table takes in another")]
                let mut keys = vec![$( $crate::config::Key {
                    name: $key,
                    docs: concat!($($docs, "\n"),+),
                    schema: <$crate::__described!($type $(, $described)?) as $crate::config::Described>::schema,
                    removable: <$type as $crate::config::Decode>::REMOVABLE,
                } ),*];
                $( keys.extend(<$flat_type as $crate::config::Declared>::keys()); )*
                keys
            }
        }

        impl $crate::config::Described for $name {
            fn schema() -> $crate::config::Schema {
                $crate::config::Schema::Table($crate::config::TableSchema {
                    id: concat!(module_path!(), "::", stringify!($name)),
                    docs: concat!($($struct_docs, "\n"),+),
                    keys: <Self as $crate::config::Declared>::keys,
                    required: &[$($($required),+)?],
                    exclusive: &[],
                    open: false,
                })
            }
        }

        impl $crate::config::Decode for $name {
            fn decode(node: &$crate::config::Node, findings: &mut $crate::diagnostic::Findings) -> Option<Self> {
                match node.as_table() {
                    Some(table) => {
                        let mut declared = <Self as $crate::config::Declared>::read(table, findings);
                        declared.place = node.place;
                        Some(declared)
                    }
                    None => {
                        findings.push($crate::config::wrong_type(node, "a table"));
                        None
                    }
                }
            }
        }
    };
}

/// The type that describes a key: the last that is named.
#[doc(hidden)]
#[macro_export]
macro_rules! __described {
    ($type:ty) => {
        $type
    };
    ($type:ty, $described:ty) => {
        $described
    };
}

impl<T: Decode> Decode for Spanned<T> {
    const REMOVABLE: bool = T::REMOVABLE;

    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        T::decode(node, findings).map(|value| Self::new(value, node.place))
    }
}

impl Decode for bool {
    const REMOVABLE: bool = false;

    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if let Kind::Bool(value) = node.kind {
            return Some(value);
        }
        findings.push(wrong_type(node, "`true` or `false`"));
        None
    }
}

impl Decode for String {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let text = node.as_text();
        if text.is_none() {
            findings.push(wrong_type(node, "a string"));
        }
        text.filter(|text| super::unfilled::refuse_environment(text, findings)).map(|text| text.content.clone())
    }
}

impl Decode for super::node::Text {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let text = node.as_text();
        if text.is_none() {
            findings.push(wrong_type(node, "a string"));
        }
        text.cloned()
    }
}

impl Decode for Template {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        match node.as_text() {
            Some(text) => parse_template(text, node.place, findings),
            None => {
                findings.push(wrong_type(node, "a string"));
                None
            }
        }
    }
}

impl Decode for i64 {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if let Kind::Int(value) = node.kind {
            return Some(value);
        }
        findings.push(wrong_type(node, "an integer"));
        None
    }
}

macro_rules! decode_unsigned {
    ($($type:ty),+) => { $(
        impl Decode for $type {
            fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
                let number = i64::decode(node, findings)?;
                let fits = Self::try_from(number).ok();
                if fits.is_none() {
                    findings.push(out_of_range(number, 0, u64::try_from(Self::MAX).unwrap_or(u64::MAX), node.place));
                }
                fits
            }
        }
    )+ };
}
decode_unsigned!(u16, u32, u64, usize);

fn out_of_range(number: i64, least: u64, most: u64, place: Place) -> Finding {
    let help = if most >= u64::from(u32::MAX) {
        format!("write a number from {least}")
    } else {
        format!("write a number from {least} to {most}")
    };
    Finding::new(&code::OUT_OF_RANGE, place, format!("`{number}` is out of range")).help(help)
}

/// A number from `LEAST` to `MOST`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Within<const LEAST: u32, const MOST: u32>(pub u32);

impl<const LEAST: u32, const MOST: u32> Decode for Within<LEAST, MOST> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let number = i64::decode(node, findings)?;
        let fits = u32::try_from(number).ok().filter(|number| (LEAST..=MOST).contains(number));
        if fits.is_none() {
            findings.push(out_of_range(number, u64::from(LEAST), u64::from(MOST), node.place));
        }
        fits.map(Self)
    }
}

impl Decode for Duration {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        with_unit(node, "a duration", "10s", parse_duration, findings)
    }
}

/// A number of bytes, written with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl Decode for Size {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        with_unit(node, "a size", "64KiB", parse_size, findings).map(Size)
    }
}

fn with_unit<T>(
    node: &Node,
    what: &str,
    example: &str,
    parse: impl Fn(&str) -> Result<T, &'static str>,
    findings: &mut Findings,
) -> Option<T> {
    match &node.kind {
        Kind::String(text) => parse(&text.content)
            .map_err(|why| {
                let message = format!("`{}` is not {what}", text.content);
                findings.push(Finding::new(&code::BAD_VALUE, node.place, message).help(why));
            })
            .ok(),
        Kind::Int(_) | Kind::Float(_) => {
            let message = format!("{what} without its unit");
            findings.push(
                Finding::new(&code::BARE_NUMBER, node.place, message).help(format!("write it as `\"{example}\"`")),
            );
            None
        }
        Kind::Bool(_) | Kind::Datetime(_) | Kind::Array(_) | Kind::Table(_) => {
            findings.push(wrong_type(node, what));
            None
        }
    }
}

impl Decode for Node {
    const REMOVABLE: bool = false;

    fn decode(node: &Node, _: &mut Findings) -> Option<Self> {
        Some(node.clone())
    }
}

impl Decode for Value {
    const REMOVABLE: bool = false;

    fn decode(node: &Node, _: &mut Findings) -> Option<Self> {
        Some(node.to_value())
    }
}

impl Decode for Table {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let table = node.as_table();
        if table.is_none() {
            findings.push(wrong_type(node, "a table"));
        }
        table.cloned()
    }
}

impl<T: Decode> Decode for Vec<T> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if let Kind::Array(items) = &node.kind {
            return Some(items.iter().filter_map(|item| T::decode(item, findings)).collect());
        }
        findings.push(wrong_type(node, "an array"));
        None
    }
}

/// One thing, or an array of them.
#[derive(Debug, Clone)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T: Decode> Decode for OneOrMany<T> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if matches!(node.kind, Kind::Array(_)) {
            return Vec::decode(node, findings).map(Self);
        }
        T::decode(node, findings).map(|one| Self(vec![one]))
    }
}

/// A table whose keys the author invents, each with a thing of one type; `false` removes a thing.
#[derive(Debug, Clone)]
pub struct Named<T>(pub Vec<(Spanned<String>, T)>);

impl<T> Default for Named<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Decode> Decode for Named<T> {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        let Some(table) = node.as_table() else {
            findings.push(wrong_type(node, "a table"));
            return None;
        };
        let mut named = Vec::new();
        for entry in table {
            if entry.node.is_false() && T::REMOVABLE {
                continue;
            }
            if let Some(thing) = T::decode(&entry.node, findings) {
                named.push((entry.key.clone(), thing));
            }
        }
        Some(Self(named))
    }
}

/// Implements [`Decode`] for an enum whose variants are words.
#[doc(hidden)]
#[macro_export]
macro_rules! __words {
    (
        $(#[doc = $enum_docs:literal])+
        $visibility:vis enum $name:ident {
            $( $(#[doc = $docs:literal])+ $word:literal: $variant:ident, )+
        }
    ) => {
        $(#[doc = $enum_docs])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $visibility enum $name { $( $(#[doc = $docs])+ $variant ),+ }

        impl $name {
            /// The words, in the order of the variants.
            #[allow(unreachable_pub, reason = "as visible as the enum")]
            pub const WORDS: &'static [&'static str] = &[$($word),+];
        }

        impl $crate::config::Described for $name {
            fn schema() -> $crate::config::Schema {
                $crate::config::Schema::Words(vec![
                    $( $crate::config::Word { word: $word, docs: concat!($($docs, "\n"),+) } ),+
                ])
            }
        }

        impl $crate::config::Decode for $name {
            fn decode(node: &$crate::config::Node, findings: &mut $crate::diagnostic::Findings) -> Option<Self> {
                match node.as_text().map(|text| text.content.as_str()) {
                    $( Some($word) => Some(Self::$variant), )+
                    word => {
                        findings.push($crate::config::not_a_word(node, word, Self::WORDS));
                        None
                    }
                }
            }
        }
    };
}

/// The finding for a value that is none of `words`.
pub fn not_a_word(node: &Node, word: Option<&str>, words: &[&str]) -> Finding {
    let Some(word) = word else {
        return wrong_type(node, &format!("one of {}", list(words)));
    };
    Finding::new(&code::BAD_VALUE, node.place, format!("`{word}` is not one of {}", list(words)))
        .maybe_help(words.first().map(|first| format!("write one of them: \"{first}\"")))
        .maybe_help(did_you_mean(word, words.iter().copied()))
}

pub use crate::__declare as declare;
pub use crate::__words as words;

#[cfg(test)]
mod tests {
    use super::super::document::read_toml;
    use super::*;
    use crate::diagnostic::Files;

    declare! {
        /// Shared keys.
        pub struct Shared {
            /// A title.
            "title": title: String,
        }
    }

    words! {
        /// Colours.
        pub enum Colour {
            /// Red.
            "red": Red,
            /// Dark blue.
            "dark-blue": DarkBlue,
        }
    }

    declare! {
        /// An example.
        pub struct Example {
            ..shared: Shared,
            /// How long.
            "max-age": max_age: Spanned<Duration>,
            /// How many.
            "limit": limit: u16,
            /// Whether.
            "strict": strict: bool,
            /// Which.
            "colour": colour: OneOrMany<Colour>,
            /// Things by name.
            "things": things: Named<Shared>,
        }
    }

    fn read(text: &str) -> (Example, Vec<String>) {
        let mut files = Files::default();
        let mut findings = Findings::default();
        let file = files.add("a.toml", text);
        let table = read_toml(file, 0..text.len(), &files, &mut findings);
        let example = Example::read(&table, &mut findings);
        let told =
            findings.iter().map(|f| format!("{}: {} ({})", f.code.name, f.message, f.help.as_deref().unwrap_or("")));
        (example, told.collect())
    }

    #[test]
    fn what_is_declared_is_read() {
        let (example, told) = read(
            "title = 't'\nmax-age = '10s'\nlimit = 3\nstrict = false\ncolour = 'dark-blue'\n[things.a]\ntitle = 'x'\n[things]\nb = false",
        );
        assert!(told.is_empty(), "{told:?}");
        assert_eq!(example.shared.title.as_deref(), Some("t"));
        assert_eq!(example.max_age.map(|age| age.value), Some(Duration::from_secs(10)));
        assert_eq!((example.limit, example.strict), (Some(3), Some(false)));
        assert_eq!(example.colour.map(|colours| colours.0), Some(vec![Colour::DarkBlue]));
        assert_eq!(example.things.map(|things| things.0.len()), Some(1));
    }

    #[test]
    fn everything_wrong_is_found_in_one_pass() {
        let (_, told) = read(
            "titel = 1\nmax-age = 10\nlimit = -1\nstrict = 'yes'\ncolour = ['rde', 1]\nthings = 3\nmax_age = '1s'",
        );
        assert_eq!(
            told,
            [
                "config/unknown-key: unknown key `titel` (did you mean `title`?)",
                "config/bare-number: a duration without its unit (write it as `\"10s\"`)",
                "config/out-of-range: `-1` is out of range (write a number from 0 to 65535)",
                "config/wrong-type: expected `true` or `false`, found a string (write `true` or `false`)",
                "config/bad-value: `rde` is not one of `red` and `dark-blue` (did you mean `red`?)",
                "config/wrong-type: expected one of `red` and `dark-blue`, found an integer (write one of `red` and `dark-blue`)",
                "config/wrong-type: expected a table, found an integer (write `{ key = … }`, or its keys below a header of its own)",
                "config/unknown-key: unknown key `max_age` (did you mean `max-age`?)",
            ]
        );
    }
}
