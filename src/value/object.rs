//! Objects: pairs in their order, found by key in logarithmic time once there are many.
//!
//! No hashing: nothing an upstream sends can make look-ups collide, and iteration never differs between runs.

use super::{Text, Value};
use std::sync::Arc;

/// Up to this many pairs are searched one by one, which is faster than any index.
const LINEAR: usize = 12;

/// An immutable object; cloning it is a reference count.
#[derive(Debug, Clone, Default)]
pub struct Object(Arc<Pairs>);

#[derive(Debug, Default)]
struct Pairs {
    pairs: Vec<(Text, Value)>,
    /// Positions in `pairs`, sorted by key; empty for small objects.
    sorted: Box<[u32]>,
}

impl Object {
    /// The member called `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.position(key).and_then(|position| self.0.pairs.get(position)).map(|(_, value)| value)
    }

    fn position(&self, key: &str) -> Option<usize> {
        let pairs = &self.0.pairs;
        if pairs.len() <= LINEAR {
            return pairs.iter().position(|(name, _)| name.is(key));
        }
        let name_at = |at: u32| pairs.get(at as usize).map_or("", |(name, _)| name.as_str());
        let found = self.0.sorted.binary_search_by(|&at| name_at(at).cmp(key)).ok()?;
        self.0.sorted.get(found).map(|&at| at as usize)
    }

    /// The pairs, in the order they were written.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Value)> + DoubleEndedIterator {
        self.0.pairs.iter().map(|(key, value)| (key, value))
    }

    /// The pair at `index` in that order.
    #[must_use]
    pub fn pair(&self, index: usize) -> Option<(&Text, &Value)> {
        self.0.pairs.get(index).map(|(key, value)| (key, value))
    }

    /// How many pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.pairs.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.pairs.is_empty()
    }
}

impl PartialEq for Object {
    /// Equal members; their order does not matter (RFC 8259, section 4).
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value)))
    }
}

impl<K: Into<Text>> FromIterator<(K, Value)> for Object {
    fn from_iter<I: IntoIterator<Item = (K, Value)>>(pairs: I) -> Self {
        let mut builder = ObjectBuilder::default();
        for (key, value) in pairs {
            builder.push(key.into(), value);
        }
        builder.finish()
    }
}

/// Collects pairs into an [`Object`]. A repeated key keeps its first place and its last value.
#[derive(Debug, Default)]
pub struct ObjectBuilder {
    pairs: Vec<(Text, Value)>,
}

impl ObjectBuilder {
    /// Room for `capacity` pairs.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { pairs: Vec::with_capacity(capacity) }
    }

    /// Adds a pair.
    pub fn push(&mut self, key: impl Into<Text>, value: Value) {
        self.pairs.push((key.into(), value));
    }

    /// The finished object.
    #[must_use]
    pub fn finish(self) -> Object {
        let pairs = self.pairs;
        if pairs.len() <= LINEAR {
            let repeated = (1..pairs.len()).any(|at| pairs[..at].iter().any(|(key, _)| *key == pairs[at].0));
            let mut pairs = if repeated { merge_few(pairs) } else { pairs };
            // Room for four that holds one would make a large answer of tiny objects three times as large.
            pairs.shrink_to_fit();
            return Object(Arc::new(Pairs { pairs, sorted: Box::default() }));
        }
        let name = |at: u32| pairs.get(at as usize).map(|(key, _)| key.as_str());
        let mut sorted: Vec<u32> = (0..u32::try_from(pairs.len()).unwrap_or(u32::MAX)).collect();
        sorted.sort_unstable_by(|&left, &right| name(left).cmp(&name(right)).then(left.cmp(&right)));
        if sorted.windows(2).any(|pair| name(pair[0]) == name(pair[1])) {
            return Self { pairs: merge_many(pairs, &sorted) }.finish();
        }
        Object(Arc::new(Pairs { pairs, sorted: sorted.into() }))
    }
}

fn merge_few(pairs: Vec<(Text, Value)>) -> Vec<(Text, Value)> {
    let mut kept: Vec<(Text, Value)> = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        match kept.iter_mut().find(|(name, _)| *name == key) {
            Some(pair) => pair.1 = value,
            None => kept.push((key, value)),
        }
    }
    kept
}

fn merge_many(pairs: Vec<(Text, Value)>, sorted: &[u32]) -> Vec<(Text, Value)> {
    let mut pairs: Vec<Option<(Text, Value)>> = pairs.into_iter().map(Some).collect();
    let mut first = 0;
    for later in 1..sorted.len() {
        let (first_at, later_at) = (sorted[first] as usize, sorted[later] as usize);
        let same = match (&pairs[first_at], &pairs[later_at]) {
            (Some((left, _)), Some((right, _))) => left == right,
            (None, _) | (_, None) => false,
        };
        if same {
            if let Some((_, value)) = pairs[later_at].take()
                && let Some(kept) = &mut pairs[first_at]
            {
                kept.1 = value;
            }
        } else {
            first = later;
        }
    }
    pairs.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(keys: &[(&str, i64)]) -> Object {
        keys.iter().map(|(key, value)| (*key, Value::Int(*value))).collect()
    }

    #[test]
    fn a_repeated_key_keeps_its_first_place_and_its_last_value() {
        let small = object(&[("a", 1), ("b", 2), ("a", 3), ("c", 4), ("a", 5)]);
        let seen: Vec<_> = small.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
        assert_eq!(seen, [("a".into(), Value::Int(5)), ("b".into(), Value::Int(2)), ("c".into(), Value::Int(4))]);
    }

    #[test]
    fn large_objects_find_every_key_and_merge_repeats() {
        let mut builder = ObjectBuilder::default();
        for round in 0..2 {
            for number in 0..1000_i64 {
                builder.push(format!("key{}", (number * 7919) % 1000), Value::Int(number + round * 1000));
            }
        }
        let large = builder.finish();
        assert_eq!(large.len(), 1000);
        assert_eq!(large.pair(0).map(|(key, _)| key.to_string()), Some("key0".into()));
        for number in 0..1000_i64 {
            let key = format!("key{}", (number * 7919) % 1000);
            assert_eq!(large.get(&key), Some(&Value::Int(number + 1000)));
        }
        assert_eq!(large.get("absent"), None);
    }

    #[test]
    fn equality_ignores_the_order_of_keys() {
        assert_eq!(object(&[("a", 1), ("b", 2)]), object(&[("b", 2), ("a", 1)]));
        assert_ne!(object(&[("a", 1)]), object(&[("a", 1), ("b", 2)]));
    }
}
