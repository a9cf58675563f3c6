//! What a key must be: the same for the same inputs, another for any others.

use super::*;
use crate::value::{Object, ObjectBuilder, Text};
use proptest::prelude::*;
use std::collections::HashMap;

/// A part as a caller gives it, for the properties.
#[derive(Debug, Clone)]
enum Given {
    Absent,
    Text(String),
    Bytes(Vec<u8>),
    Lines(Vec<Vec<u8>>),
    Texts(Vec<String>),
    Value(Value),
}

impl Given {
    /// Told apart exactly as the key must tell it apart; written independently of the encoding.
    fn identity(&self) -> String {
        match self {
            Self::Absent => "absent".to_owned(),
            Self::Text(text) => identity(&Value::text(text.as_str())),
            Self::Bytes(bytes) => format!("bytes {bytes:?}"),
            Self::Lines(lines) if lines.is_empty() => identity(&Value::list(Vec::new())),
            Self::Lines(lines) => format!("lines {lines:?}"),
            Self::Texts(texts) => identity(&Value::list(texts.iter().map(|text| Value::text(text.as_str())).collect())),
            Self::Value(value) => identity(value),
        }
    }

    fn write(&self, builder: &mut KeyBuilder, section: Section, name: &str) {
        match self {
            Self::Absent => builder.absent(section, name),
            Self::Text(text) => builder.text(section, name, text),
            Self::Bytes(bytes) => builder.bytes(section, name, bytes),
            Self::Lines(lines) => {
                let lines: Vec<&[u8]> = lines.iter().map(Vec::as_slice).collect();
                builder.lines(section, name, &lines)
            }
            Self::Texts(texts) => builder.texts(section, name, texts.iter().map(String::as_str)),
            Self::Value(value) => builder.value(section, name, value),
        };
    }
}

fn identity(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(value) => format!("bool {value}"),
        Value::Int(number) => format!("int {number}"),
        Value::UInt(number) => format!("uint {number}"),
        Value::Float(number) => format!("float {}", number.to_bits()),
        Value::Text(text) => format!("{:?} {:?}", text.origin(), text.as_str()),
        Value::List(items) => format!("list {:?}", items.iter().map(identity).collect::<Vec<_>>()),
        Value::Object(object) => {
            let members = object.iter().map(|(name, value)| (name.as_str().to_owned(), identity(value)));
            format!("object {:?}", members.collect::<Vec<_>>())
        }
    }
}

/// Subjects, names and values drawn from few characters, some of which the encoding itself uses, so that collisions get a chance.
fn small_text() -> impl Strategy<Value = String> {
    "[\u{0}\u{1}\u{2}\u{7}\u{a}a]{0,3}"
}

fn object(members: Vec<(String, Value)>) -> Object {
    let mut builder = ObjectBuilder::with_capacity(members.len());
    for (name, value) in members {
        builder.push(name, value);
    }
    builder.finish()
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (-2_i64..3).prop_map(Value::Int),
        (u64::MAX - 1..=u64::MAX).prop_map(Value::UInt),
        (0_u8..3).prop_map(|number| Value::Float(f64::from(number))),
        small_text().prop_map(|text| Value::Text(Text::from(text))),
        small_text().prop_map(|text| Value::Text(Text::new(text, Origin::Markup))),
    ];
    leaf.prop_recursive(2, 6, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::list),
            prop::collection::vec((small_text(), inner), 0..3).prop_map(|members| Value::Object(object(members))),
        ]
    })
}

fn given() -> impl Strategy<Value = Given> {
    prop_oneof![
        Just(Given::Absent),
        small_text().prop_map(Given::Text),
        prop::collection::vec(0_u8..4, 0..3).prop_map(Given::Bytes),
        prop::collection::vec(prop::collection::vec(0_u8..12, 0..3), 0..3).prop_map(Given::Lines),
        prop::collection::vec(small_text(), 0..3).prop_map(Given::Texts),
        value().prop_map(Given::Value),
    ]
}

fn section() -> impl Strategy<Value = Section> {
    prop_oneof![
        Just(Section::Param),
        Just(Section::Query),
        Just(Section::Header),
        Just(Section::Cookie),
        Just(Section::Variant),
    ]
}

type Tuple = (String, std::collections::BTreeMap<(Section, String), Given>);

fn tuple() -> impl Strategy<Value = Tuple> {
    (small_text(), prop::collection::btree_map((section(), small_text()), given(), 0..4))
}

fn build((subject, parts): &Tuple) -> KeyBuilder {
    let mut builder = KeyBuilder::new(subject);
    for ((section, name), given) in parts {
        given.write(&mut builder, *section, name);
    }
    builder
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn equal_tuples_have_equal_keys_and_others_never(tuples in prop::collection::vec(tuple(), 2..60)) {
        let mut seen: HashMap<Vec<u8>, String> = HashMap::new();
        for tuple in &tuples {
            let told = format!(
                "{:?} {:?}",
                tuple.0,
                tuple.1.iter().map(|(place, given)| (place, given.identity())).collect::<Vec<_>>()
            );
            let key = build(tuple).finish().to_key();
            prop_assert_eq!(&key, &build(tuple).finish().to_key());
            if let Some(before) = seen.insert(key.as_bytes().to_vec(), told.clone()) {
                prop_assert_eq!(before, told);
            }
        }
    }
}

fn key(write: impl FnOnce(&mut KeyBuilder) -> &mut KeyBuilder) -> Key {
    let mut builder = KeyBuilder::new("/repos/{owner}/{name}");
    write(&mut builder);
    builder.finish().to_key()
}

#[test]
fn what_looks_alike_is_told_apart() {
    let keys = [
        key(|key| key),
        key(|key| key.absent(Section::Query, "q")),
        key(|key| key.text(Section::Query, "q", "")),
        key(|key| key.value(Section::Query, "q", &Value::Null)),
        key(|key| key.text(Section::Query, "q", "1")),
        key(|key| key.bytes(Section::Query, "q", b"1")),
        key(|key| key.value(Section::Query, "q", &Value::Int(1))),
        key(|key| key.value(Section::Query, "q", &Value::Float(1.0))),
        key(|key| key.value(Section::Query, "q", &Value::markup("1"))),
        key(|key| key.texts(Section::Query, "q", [].into_iter())),
        key(|key| key.texts(Section::Query, "q", ["1"].into_iter())),
        key(|key| key.texts(Section::Query, "q", ["1", ""].into_iter())),
        key(|key| key.texts(Section::Query, "q", ["1,"].into_iter())),
        key(|key| key.text(Section::Param, "q", "1")),
        key(|key| key.text(Section::Cookie, "q", "1")),
        key(|key| key.text(Section::Param, "owner", "a").text(Section::Param, "owner2", "b")),
        key(|key| key.text(Section::Param, "owner", "a\u{1}\u{6}owner2\u{7}\u{1}b")),
        KeyBuilder::new("/repos/{owner}").finish().to_key(),
    ];
    for (index, left) in keys.iter().enumerate() {
        for right in &keys[index + 1..] {
            assert_ne!(left, right);
        }
    }
}

#[test]
fn a_list_given_as_texts_or_as_a_value_is_the_same() {
    let given = key(|key| key.texts(Section::Query, "tag", ["a", "b"].into_iter()));
    let list = Value::list(vec![Value::text("a"), Value::text("b")]);
    assert_eq!(given, key(|key| key.value(Section::Query, "tag", &list)));
}

#[test]
fn a_key_longer_than_the_builder_is_whole() {
    for length in [INLINE - 40, INLINE, 10 * INLINE] {
        let long = "x".repeat(length);
        let mut builder = KeyBuilder::new("page");
        builder.text(Section::Param, "a", &long).text(Section::Param, "b", "end");
        let whole = builder.finish().to_key();
        builder.restart("page");
        builder.text(Section::Param, "a", &long).text(Section::Param, "b", "End");
        assert_ne!(whole, builder.finish().to_key());
        builder.restart("page");
        builder.text(Section::Param, "a", &long).text(Section::Param, "b", "end");
        assert_eq!(whole, builder.finish().to_key());
        assert!(whole.as_bytes().len() > length);
    }
}

#[test]
fn a_lookup_stands_for_its_key() {
    let mut builder = KeyBuilder::new("page");
    builder.text(Section::Query, "q", "rust");
    let key = builder.finish().to_key();
    assert!(builder.finish().equivalent(&key) && key.lookup().equivalent(&key));
    assert_eq!(builder.finish().seeded_hash(), key.seeded_hash());
    builder.restart("page");
    builder.text(Section::Query, "q", "rusty");
    assert!(!builder.finish().equivalent(&key));
}
