//! Extraction while a JSON text is read: what no field takes never becomes a value.
//!
//! Most extractions name members, and the elements of a list: `$.data.total`, `$.items[*]` with `$.name` in each. Such a one
//! can be followed while the text is read, and gives what [`Extraction::apply`](super::Extraction::apply) would give of the
//! whole document. Anything else (filters, slices, indexes, descendants) takes the document.

use super::extraction::{Each, ExtractError, Field, Fields, Path, Take};
use super::select::Selector;
use crate::value::{JsonParser, JsonSkipped, JsonValue, ReadJson, Shape, Text, Value, ignore_scalars};
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::sync::Arc;

/// What was found for one selector: null if nothing was.
pub(super) type Slot = Result<Value, ExtractError>;

/// Where the selectors of an extraction lead, all of them at once. The first selector of the first field fills the first slot,
/// and so on.
#[derive(Debug)]
pub(super) struct Projection {
    root: Node,
    slots: usize,
}

/// What is taken at one place of a document.
#[derive(Debug)]
enum Node {
    /// Something below.
    Inside(Inside),
    /// The value, for each of these slots; there is at least one.
    Whole(Box<[usize]>),
    /// A record of each element.
    Records(Box<Records>),
}

#[derive(Debug)]
struct Inside {
    names: Arc<Shape>,
    /// As many as there are names.
    nodes: Box<[Node]>,
}

#[derive(Debug)]
struct Records {
    slot: usize,
    /// The position of the field that declares them.
    field: usize,
    record: Projection,
}

/// Members that are told apart by the bits of an integer.
const MOST_MEMBERS: usize = 64;

impl Projection {
    /// The projection of a value that is selected as a whole.
    pub(super) fn of_whole(selector: &Selector) -> Option<Self> {
        let mut root = Draft::Nothing;
        root.at(&selector.names()?)?.take(0)?;
        Some(Self { root: root.finish()?, slots: 1 })
    }

    /// The projection of a list of records.
    pub(super) fn of_each(each: &Each) -> Option<Self> {
        let mut root = Draft::Nothing;
        root.records(each, 0, 0)?;
        Some(Self { root: root.finish()?, slots: 1 })
    }

    /// The projection of fields.
    pub(super) fn of_fields(fields: &Fields) -> Option<Self> {
        let mut root = Draft::Nothing;
        let mut slots = 0;
        for (position, field) in fields.fields().iter().enumerate() {
            match field {
                Field::Select(select) => {
                    for selector in &select.selectors {
                        root.at(&selector.names()?)?.take(slots)?;
                        slots += 1;
                    }
                }
                Field::Each(each) => {
                    root.records(each, slots, position)?;
                    slots += 1;
                }
            }
        }
        Some(Self { root: root.finish()?, slots })
    }

    fn empty_slots(&self) -> Box<[Slot]> {
        (0..self.slots).map(|_| Ok(Value::Null)).collect()
    }
}

/// A [`Node`] that is being put together.
enum Draft {
    Nothing,
    Inside(Vec<(Text, Self)>),
    Whole(Vec<usize>),
    Records(Box<Records>),
}

impl Draft {
    /// The node that `names` lead to; `None` if something on the way is taken as a whole.
    fn at(&mut self, names: &[&str]) -> Option<&mut Self> {
        let Some((first, rest)) = names.split_first() else { return Some(self) };
        if let Self::Nothing = self {
            *self = Self::Inside(Vec::new());
        }
        let Self::Inside(members) = self else { return None };
        let known = members.iter().position(|(name, _)| name.is(first));
        let at = known.unwrap_or_else(|| {
            members.push((Text::from(*first), Self::Nothing));
            members.len() - 1
        });
        members.get_mut(at)?.1.at(rest)
    }

    fn take(&mut self, slot: usize) -> Option<()> {
        match self {
            Self::Nothing => *self = Self::Whole(vec![slot]),
            Self::Whole(slots) => slots.push(slot),
            Self::Inside(_) | Self::Records(_) => return None,
        }
        Some(())
    }

    fn records(&mut self, each: &Each, slot: usize, field: usize) -> Option<()> {
        let place = self.at(&each.each.names_of_each()?)?;
        let Self::Nothing = place else { return None };
        let record = Projection::of_fields(&each.fields)?;
        *place = Self::Records(Box::new(Records { slot, field, record }));
        Some(())
    }

    fn finish(self) -> Option<Node> {
        match self {
            Self::Nothing => Some(Node::Inside(Inside { names: Shape::new([])?, nodes: Box::default() })),
            Self::Whole(slots) => Some(Node::Whole(slots.into())),
            Self::Records(records) => Some(Node::Records(records)),
            Self::Inside(members) if members.len() > MOST_MEMBERS => None,
            Self::Inside(members) => {
                let (names, drafts): (Vec<_>, Vec<_>) = members.into_iter().unzip();
                let nodes = drafts.into_iter().map(Self::finish).collect::<Option<_>>()?;
                Some(Node::Inside(Inside { names: Shape::new(names)?, nodes }))
            }
        }
    }
}

impl Node {
    /// Empties the slots of what is taken here: a member that is written twice is what was written last.
    fn forget(&self, slots: &mut [Slot]) {
        let mut empty = |slot: usize| {
            if let Some(slot) = slots.get_mut(slot) {
                *slot = Ok(Value::Null);
            }
        };
        match self {
            Self::Inside(inside) => inside.nodes.iter().for_each(|node| node.forget(slots)),
            Self::Whole(taken) => taken.iter().for_each(|&slot| empty(slot)),
            Self::Records(records) => empty(records.slot),
        }
    }
}

/// What declares the records in a document.
#[derive(Clone, Copy)]
pub(super) enum Declared<'r> {
    /// The extraction itself.
    Each(&'r Each),
    /// A field.
    Fields(&'r Fields),
    /// Nothing.
    Whole,
}

/// Reads a document along a projection.
pub(super) struct Reading<'r> {
    pub(super) projection: &'r Projection,
    pub(super) declared: Declared<'r>,
}

impl ReadJson for Reading<'_> {
    type Output = Box<[Slot]>;

    fn read<'de, D: Deserializer<'de>>(self, parser: &mut JsonParser<'_>, from: D) -> Result<Self::Output, D::Error> {
        let mut slots = self.projection.empty_slots();
        let Self { projection, declared } = self;
        let place = Place { declared, path: &Path::Root, slots: &mut slots, parser };
        NodeSeed { node: &projection.root, place }.deserialize(from)?;
        Ok(slots)
    }
}

/// Where the reading is, and what it fills.
struct Place<'r, 's, 'b> {
    declared: Declared<'r>,
    path: &'r Path<'r>,
    slots: &'s mut [Slot],
    parser: &'s mut JsonParser<'b>,
}

impl<'r, 'b> Place<'r, '_, 'b> {
    fn again(&mut self) -> Place<'r, '_, 'b> {
        Place { declared: self.declared, path: self.path, slots: &mut *self.slots, parser: &mut *self.parser }
    }

    fn fill(&mut self, slot: usize, found: Slot) {
        if let Some(slot) = self.slots.get_mut(slot) {
            *slot = found;
        }
    }
}

struct NodeSeed<'r, 's, 'b> {
    node: &'r Node,
    place: Place<'r, 's, 'b>,
}

impl<'de> DeserializeSeed<'de> for NodeSeed<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        let Self { node, mut place } = self;
        match node {
            Node::Inside(inside) => {
                place.parser.count()?;
                from.deserialize_any(InsideVisitor { inside, place })
            }
            Node::Whole(slots) => {
                let value = JsonValue(place.parser).deserialize(from)?;
                if let Some((last, others)) = slots.split_last() {
                    for &slot in others {
                        place.fill(slot, Ok(value.clone()));
                    }
                    place.fill(*last, Ok(value));
                }
                Ok(())
            }
            Node::Records(records) => {
                place.parser.count()?;
                from.deserialize_any(RecordsVisitor { records, place })
            }
        }
    }
}

struct InsideVisitor<'r, 's, 'b> {
    inside: &'r Inside,
    place: Place<'r, 's, 'b>,
}

impl<'de> Visitor<'de> for InsideVisitor<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    ignore_scalars!();

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<(), A::Error> {
        JsonSkipped(self.place.parser).visit_seq(sequence)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let Self { inside, mut place } = self;
        let mut seen = 0_u64;
        let mut expected = 0;
        while let Some(at) =
            members.next_key_seed(MemberSeed { names: &inside.names, expected, parser: &mut *place.parser })?
        {
            let Some((at, node)) = at.and_then(|at| Some((at, inside.nodes.get(at)?))) else {
                members.next_value_seed(JsonSkipped(&mut *place.parser))?;
                continue;
            };
            if seen & (1 << at) != 0 {
                node.forget(place.slots);
            }
            seen |= 1 << at;
            expected = at + 1;
            members.next_value_seed(NodeSeed { node, place: place.again() })?;
        }
        Ok(())
    }
}

/// Which of the names a member has.
struct MemberSeed<'r, 's, 'b> {
    names: &'r Shape,
    /// Probably this one: senders tend to keep an order.
    expected: usize,
    parser: &'s mut JsonParser<'b>,
}

impl<'de> DeserializeSeed<'de> for MemberSeed<'_, '_, '_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        self.parser.count()?;
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for MemberSeed<'_, '_, '_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a key")
    }

    fn visit_str<E>(self, name: &str) -> Result<Self::Value, E> {
        if self.names.names().get(self.expected).is_some_and(|expected| expected.is(name)) {
            return Ok(Some(self.expected));
        }
        Ok(self.names.position(name))
    }
}

struct RecordsVisitor<'r, 's, 'b> {
    records: &'r Records,
    place: Place<'r, 's, 'b>,
}

impl<'r> RecordsVisitor<'r, '_, '_> {
    /// What declares the records, and by which name.
    fn each(&self) -> Option<(&'r Each, Path<'r>)> {
        match self.place.declared {
            Declared::Each(each) => Some((each, Path::Root)),
            Declared::Fields(fields) => match fields.field(self.records.field)? {
                (name, Field::Each(each)) => Some((each, Path::Field(self.place.path, name))),
                (_, Field::Select(_)) => None,
            },
            Declared::Whole => None,
        }
    }
}

impl<'de> Visitor<'de> for RecordsVisitor<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    ignore_scalars!();

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        let Some((each, path)) = self.each() else { return JsonSkipped(self.place.parser).visit_seq(sequence) };
        let Self { records: Records { slot, record, .. }, mut place } = self;
        let mut slots = record.empty_slots();
        let begun = place.parser.begin_list();
        for index in 0.. {
            let path = Path::Record(&path, index);
            let inner = Place {
                declared: Declared::Fields(&each.fields),
                path: &path,
                slots: &mut slots,
                parser: &mut *place.parser,
            };
            if sequence.next_element_seed(NodeSeed { node: &record.root, place: inner })?.is_none() {
                break;
            }
            match each.fields.assemble(&mut Take::new(&mut slots), &path) {
                Ok(made) => place.parser.push(made),
                Err(error) => {
                    drop(place.parser.end_list(begun));
                    place.fill(*slot, Err(error));
                    // The text may still turn out not to be JSON, which is worse.
                    return JsonSkipped(place.parser).visit_seq(sequence);
                }
            }
        }
        let list = place.parser.end_list(begun);
        place.fill(*slot, Ok(list));
        Ok(())
    }

    /// `[*]` selects the members of an object too, which is rare enough to take the object first.
    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<(), A::Error> {
        let Some((each, path)) = self.each() else { return JsonSkipped(self.place.parser).visit_map(members) };
        let Self { records: Records { slot, .. }, mut place } = self;
        let object = JsonValue(&mut *place.parser).visit_map(members)?;
        let nodes = object.as_object().map(crate::value::Object::values).unwrap_or_default();
        place.fill(*slot, each.records(nodes.iter(), &path));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::extraction::{Extraction, Kept, Presence, Select};
    use super::super::kind::Type;
    use super::*;
    use crate::value::{JsonLimits, parse_json, write_json};
    use proptest::prelude::*;

    fn selector(text: &str) -> Selector {
        Selector::compile(text).unwrap()
    }

    fn select(texts: &[&str], kind: Option<Type>, presence: Presence) -> Field {
        let selectors = texts.iter().map(|text| selector(text)).collect();
        Field::Select(Select { selectors, kind, default: None, presence, take_first: false })
    }

    fn fields(named: Vec<(&str, Field)>) -> Fields {
        Fields::new(named.into_iter().map(|(name, field)| (name.into(), field)).collect()).unwrap()
    }

    fn each(each: &str, presence: Presence, named: Vec<(&str, Field)>) -> Each {
        Each { each: selector(each), fields: fields(named), presence }
    }

    use Presence::{NotFound, Optional, Required};

    /// Extractions over the members `a`, `b` and `c`, which the documents below have.
    fn extractions() -> Vec<Extraction> {
        let of_fields = |named| Extraction::new(Kept::Fields(fields(named)));
        let record = || {
            vec![
                ("id", select(&["$.a", "$.b.a"], Some(Type::Int), Optional)),
                ("deep", select(&["$.b.c"], None, Optional)),
                ("list", Field::Each(each("$.c[*]", Optional, vec![("x", select(&["$"], None, Optional))]))),
            ]
        };
        vec![
            Extraction::new(Kept::Whole(selector("$"))),
            Extraction::new(Kept::Whole(selector("$.a.b"))),
            Extraction::new(Kept::Each(each("$[*]", Optional, record()))),
            Extraction::new(Kept::Each(each("$.a[*]", Required, record()))),
            of_fields(vec![
                ("all", Field::Each(each("$.a[*]", NotFound, record()))),
                ("b", select(&["$.b"], None, Optional)),
            ]),
            of_fields(vec![
                ("a", select(&["$.a.b", "$.a.c"], Some(Type::String), Optional)),
                ("same", select(&["$.a.b"], Some(Type::List), Optional)),
                ("b", select(&["$.b.b.b", "$.c"], None, Optional)),
            ]),
            of_fields(vec![
                ("first", select(&["$.c"], Some(Type::Number), Required)),
                ("all", Field::Each(each("$.b[*]", Optional, vec![("n", select(&["$.a"], None, NotFound))]))),
            ]),
            of_fields(vec![]),
        ]
    }

    #[test]
    fn all_of_these_are_followed_and_others_take_the_document() {
        assert!(extractions().iter().all(Extraction::is_followed));
        for whole in ["$[0]", "$.a[?@.b]", "$..a", "$.a[1:]", "$.a['b','c']"] {
            assert!(!Extraction::new(Kept::Whole(selector(whole))).is_followed(), "{whole}");
        }
        let inside_of_whole = vec![("a", select(&["$.a"], None, Optional)), ("b", select(&["$.a.b"], None, Optional))];
        assert!(!Extraction::new(Kept::Fields(fields(inside_of_whole))).is_followed());
    }

    /// JSON texts in which the same few names occur everywhere, twice in one object too.
    fn document() -> impl Strategy<Value = String> {
        let scalar = prop_oneof![
            Just("null".to_owned()),
            Just("true".to_owned()),
            Just("\"12\"".to_owned()),
            Just("\"\\u0041\\n\"".to_owned()),
            Just("1.5".to_owned()),
            (-3..3_i64).prop_map(|number| number.to_string()),
        ];
        scalar.prop_recursive(5, 60, 5, |inner| {
            let name = prop_oneof![Just("\"a\""), Just("\"b\""), Just("\"c\""), Just("\"\\u0061\""), Just("\"\"")];
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(|items| format!("[{}]", items.join(","))),
                prop::collection::vec((name, inner), 0..6).prop_map(|members| {
                    let members: Vec<_> = members.iter().map(|(name, value)| format!("{name}: {value}")).collect();
                    format!("{{{}}}", members.join(","))
                }),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]

        #[test]
        fn following_gives_what_the_document_gives(text in document(), nodes in 1..60_usize, cut in 0..40_usize) {
            let text = if cut < text.len() && cut < 4 { &text[..text.len() - cut] } else { &text };
            for limits in [JsonLimits::default(), JsonLimits { nodes }] {
                for extraction in extractions() {
                    let followed = extraction.read_json(text, limits);
                    let whole = parse_json(text, limits).map(|document| extraction.apply(&document, text.len()));
                    prop_assert_eq!(told(followed), told(whole), "{} of {}", text, format!("{extraction:?}"));
                }
            }
        }
    }

    fn told<E: fmt::Display>(read: Result<Result<Value, ExtractError>, E>) -> String {
        match read {
            Ok(Ok(value)) => {
                let mut out = String::new();
                write_json(&value, &mut out);
                out
            }
            Ok(Err(error)) => format!("{error:?}"),
            Err(error) => error.to_string(),
        }
    }
}
