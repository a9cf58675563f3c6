//! The names of an object's members, apart from their values, so that objects with the same names share them.
//!
//! An answer repeats the names of its records in every record. Here they are kept once: a document of a thousand products holds
//! seven names, not seven thousand, and telling whether a name occurs twice is done once too.

use super::{Object, Origin, Text, Value};
use std::borrow::Cow;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::vec::Drain;

/// Up to this many names are searched one by one, which is faster than any index.
const LINEAR: usize = 12;

/// The distinct names of an object, in their order.
#[derive(Debug)]
pub struct Shape {
    names: Box<[Text]>,
    /// Positions in `names`, sorted by name; empty where there are few.
    sorted: Box<[u32]>,
    /// No other shape has it, before or after: what a [`Guess`] knows a shape by.
    number: u64,
}

impl Shape {
    /// The names in this order; `None` if one of them is there twice.
    pub fn new(names: impl Into<Box<[Text]>>) -> Option<Arc<Self>> {
        let names = names.into();
        if names.is_empty() {
            return Some(Self::empty());
        }
        if names.len() <= LINEAR {
            let repeated = (1..names.len()).any(|at| names[..at].contains(&names[at]));
            return (!repeated).then(|| Arc::new(Self::numbered(names, Box::default())));
        }
        let sorted = sorted(&names);
        let repeated = sorted.windows(2).any(|pair| names[pair[0] as usize] == names[pair[1] as usize]);
        (!repeated).then(|| Arc::new(Self::numbered(names, sorted)))
    }

    fn numbered(names: Box<[Text]>, sorted: Box<[u32]>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Self { names, sorted, number: NEXT.fetch_add(1, Ordering::Relaxed) }
    }

    /// No names; always the same one.
    pub fn empty() -> Arc<Self> {
        static EMPTY: LazyLock<Arc<Shape>> = LazyLock::new(|| Arc::new(Shape::numbered([].into(), [].into())));
        Arc::clone(&EMPTY)
    }

    /// The names, in their order.
    #[must_use]
    pub fn names(&self) -> &[Text] {
        &self.names
    }

    /// Where `name` stands.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        if self.sorted.is_empty() {
            return self.names.iter().position(|known| known.is(name));
        }
        let name_at = |at: u32| self.names.get(at as usize).map_or("", Text::as_str);
        let found = self.sorted.binary_search_by(|&at| name_at(at).cmp(name)).ok()?;
        self.sorted.get(found).map(|&at| at as usize)
    }
}

/// Where one name stands in the shape that it was looked for in last. The objects of a list nearly always have the same shape, so
/// that it is there in the next one, too, and nothing is compared; where it is not, nothing is lost, and neither by threads that
/// share the guess.
#[derive(Debug, Default)]
pub struct Guess(
    /// The number of the shape above [`PLACE_BITS`] of the position.
    AtomicU64,
);

/// Bits of a position. The last position is past the end of every shape that is remembered: the name is not there.
const PLACE_BITS: u32 = 16;
const NOWHERE: u64 = (1 << PLACE_BITS) - 1;

impl Guess {
    /// The member called `name`. One guess is for one name: it is never asked for another.
    #[inline]
    pub fn member<'o>(&self, object: &'o Object, name: &str) -> Option<&'o Value> {
        let seen = self.0.load(Ordering::Relaxed);
        let known = usize::try_from(seen & NOWHERE).unwrap_or(usize::MAX);
        let shape = object.shape();
        let position = if seen >> PLACE_BITS == shape.number { known } else { self.look(shape, name, known) };
        object.values().get(position)
    }

    /// Finds the name in a shape that it was not looked for in last, and remembers where; past the end if it is not there.
    fn look(&self, shape: &Shape, name: &str, guess: usize) -> usize {
        let is_there = shape.names.get(guess).is_some_and(|known| known.is(name));
        let position = if is_there { guess } else { shape.position(name).unwrap_or(usize::MAX) };
        let place = u64::try_from(position).map_or(NOWHERE, |position| position.min(NOWHERE));
        // A shape with more positions than fit is looked through each time. So would be one whose number does not fit, after
        // centuries.
        let fits = u64::try_from(shape.names.len()).is_ok_and(|length| length <= NOWHERE);
        if let Some(number) = shape.number.checked_mul(1 << PLACE_BITS).filter(|_| fits) {
            self.0.store(number | place, Ordering::Relaxed);
        }
        position
    }
}

/// Positions sorted by name; equal names by position.
pub(super) fn sorted(names: &[Text]) -> Box<[u32]> {
    let mut sorted: Box<[u32]> = (0..u32::try_from(names.len()).unwrap_or(u32::MAX)).collect();
    let name = |at: u32| names.get(at as usize).map(Text::as_str);
    sorted.sort_unstable_by(|&left, &right| name(left).cmp(&name(right)).then(left.cmp(&right)));
    sorted
}

/// The shapes that a document used last, to find the one that an object is going to have while its names are read.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// The last one used comes first.
    shapes: Vec<Arc<Shape>>,
}

/// How many shapes are remembered, and how many names one may have: records have few, and looking must stay cheap.
const REMEMBERED: usize = 8;
const LONGEST: usize = 64;

impl Recent {
    /// A shape that begins with the first `known` names of `before`, followed by `name`.
    pub(super) fn continued(&self, before: Option<&Shape>, known: usize, name: &str) -> Option<Arc<Shape>> {
        let before = before.and_then(|shape| shape.names.get(..known)).unwrap_or_default();
        let fits = |shape: &&Arc<Shape>| {
            shape.names.get(known).is_some_and(|next| next.is(name)) && shape.names.get(..known) == Some(before)
        };
        self.shapes.iter().find(fits).cloned()
    }

    /// A shape of exactly the first `known` names of `before`.
    pub(super) fn ended(&self, before: &Shape, known: usize) -> Option<Arc<Shape>> {
        let before = before.names.get(..known)?;
        self.shapes.iter().find(|shape| *shape.names == *before).cloned()
    }

    /// Remembers a shape, for the objects that follow.
    pub(super) fn remember(&mut self, shape: &Arc<Shape>) {
        if shape.names.is_empty() || shape.names.len() > LONGEST {
            return;
        }
        match self.shapes.iter().position(|known| Arc::ptr_eq(known, shape)) {
            Some(0) => {}
            Some(at) => self.shapes[..=at].rotate_right(1),
            None => {
                self.shapes.truncate(REMEMBERED - 1);
                self.shapes.insert(0, Arc::clone(shape));
            }
        }
    }
}

/// The names of one object while it is read: those of a shape that an object before it had, as long as they go on alike.
#[derive(Default)]
pub(super) struct Names<'de> {
    shape: Option<Arc<Shape>>,
    /// How many of the shape's names have been read.
    known: usize,
    /// All names read, once no shape begins with them.
    other: Vec<Cow<'de, str>>,
}

impl<'de> Names<'de> {
    /// The next name.
    pub(super) fn push(&mut self, name: Cow<'de, str>, recent: &Recent) {
        if self.other.is_empty() {
            let expected = self.shape.as_deref().and_then(|shape| shape.names().get(self.known));
            if expected.is_some_and(|expected| expected.is(&name)) {
                self.known += 1;
                return;
            }
            if let Some(shape) = recent.continued(self.shape.as_deref(), self.known, &name) {
                self.shape = Some(shape);
                self.known += 1;
                return;
            }
            let known = self.shape.iter().flat_map(|shape| &shape.names()[..self.known]);
            self.other = known.map(|name| Cow::Owned(name.to_string())).collect();
        }
        self.other.push(name);
    }

    /// The object of these names and as many values.
    pub(super) fn object(self, values: Drain<'_, Value>, recent: &mut Recent) -> Object {
        let Self { shape, known, other } = self;
        let found = match shape {
            None if other.is_empty() => return Object::default(),
            Some(shape) if other.is_empty() && shape.names().len() == known => Some(shape),
            Some(shape) if other.is_empty() => {
                recent.ended(&shape, known).or_else(|| Shape::new(&shape.names()[..known]))
            }
            Some(_) | None => Shape::new(compact(&other)),
        };
        match found {
            Some(shape) => {
                recent.remember(&shape);
                Object::of(shape, values.collect())
            }
            None => compact(&other).into_iter().zip(values).collect(),
        }
    }
}

/// The names in one buffer of their own: they outlive the body by far when records share them with those of the next.
fn compact(names: &[Cow<'_, str>]) -> Vec<Text> {
    let buffer: Arc<str> = names.concat().into();
    let mut at = 0;
    let slice = |name: &Cow<'_, str>| {
        let range = at..at + name.len();
        at = range.end;
        Text::slice_of(&buffer, buffer.get(range).unwrap_or_default(), Origin::Outside)
    };
    names.iter().map(slice).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(keys: impl IntoIterator<Item = (String, i64)>) -> Object {
        keys.into_iter().map(|(key, number)| (key, Value::Int(number))).collect()
    }

    #[test]
    fn a_guess_finds_its_name_in_every_shape() {
        let key = |number: i64| format!("key{number}");
        let few = object([(key(1), 1), (key(7), 2)]);
        let others = object([(key(7), 3), (key(1), 4)]);
        let none = object([(key(2), 5)]);
        let many = object((0..70_000).map(|number| (key(69_999 - number), number)));
        let large = object((10..70_000).map(|number| (key(number), number)));
        let guess = Guess::default();
        for _ in 0..2 {
            for (object, expected) in [
                (&few, Some(2)),
                (&few, Some(2)),
                (&none, None),
                (&none, None),
                (&others, Some(3)),
                (&Object::default(), None),
                (&many, Some(69_992)),
                (&large, None),
                (&many, Some(69_992)),
                (&few, Some(2)),
            ] {
                assert_eq!(guess.member(object, "key7"), expected.map(Value::Int).as_ref());
            }
        }
    }
}
