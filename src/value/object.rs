//! Objects: values in the order of their names, found by name in logarithmic time once there are many.
//!
//! No hashing: nothing an upstream sends can make look-ups collide, and iteration never differs between runs.

use super::shape::{Shape, sorted};
use super::{Text, Value};
use std::sync::Arc;

/// An immutable object; cloning it is two reference counts.
#[derive(Debug, Clone)]
pub struct Object {
    shape: Arc<Shape>,
    /// As many as the shape has names.
    values: Arc<[Value]>,
}

impl Object {
    /// An object of these names. `values` are taken in the order of the names; missing ones are null, and more are dropped.
    #[must_use]
    pub fn shaped(shape: Arc<Shape>, values: impl IntoIterator<Item = Value>) -> Self {
        let count = shape.names().len();
        let values: Arc<[Value]> = values.into_iter().chain(std::iter::repeat(Value::Null)).take(count).collect();
        Self { shape, values }
    }

    /// An object of these names and exactly as many values.
    pub fn of(shape: Arc<Shape>, values: Arc<[Value]>) -> Self {
        debug_assert_eq!(shape.names().len(), values.len(), "a value for each name");
        Self { shape, values }
    }

    /// Its names.
    #[must_use]
    pub fn shape(&self) -> &Arc<Shape> {
        &self.shape
    }

    /// Its values, in the order of its names.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        &self.values
    }

    /// The member called `key`.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(self.shape.position(key)?)
    }

    /// The pairs, in the order they were written.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &Value)> + DoubleEndedIterator {
        self.shape.names().iter().zip(&*self.values)
    }

    /// The pair at `index` in that order.
    #[must_use]
    pub fn pair(&self, index: usize) -> Option<(&Text, &Value)> {
        self.shape.names().get(index).zip(self.values.get(index))
    }

    /// How many pairs there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

impl Default for Object {
    fn default() -> Self {
        Self { shape: Shape::empty(), values: Arc::default() }
    }
}

impl PartialEq for Object {
    /// Equal members; their order does not matter (RFC 8259, section 4).
    fn eq(&self, other: &Self) -> bool {
        if Arc::ptr_eq(&self.shape, &other.shape) {
            return Arc::ptr_eq(&self.values, &other.values) || self.values == other.values;
        }
        self.len() == other.len() && self.iter().all(|(key, value)| other.get(key) == Some(value))
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
    names: Vec<Text>,
    values: Vec<Value>,
}

impl ObjectBuilder {
    /// Room for `capacity` pairs.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self { names: Vec::with_capacity(capacity), values: Vec::with_capacity(capacity) }
    }

    /// Adds a pair.
    pub fn push(&mut self, key: impl Into<Text>, value: Value) {
        self.names.push(key.into());
        self.values.push(value);
    }

    /// The finished object.
    #[must_use]
    pub fn finish(self) -> Object {
        let Self { names, values } = self;
        match Shape::new(names.as_slice()) {
            Some(shape) => Object { shape, values: values.into() },
            None => merged(&names, values),
        }
    }
}

/// The object of names of which some are there twice.
fn merged(names: &[Text], values: Vec<Value>) -> Object {
    let mut values: Vec<Option<Value>> = values.into_iter().map(Some).collect();
    let sorted = sorted(names);
    // Equal names are neighbours there, the first of them first.
    for same in sorted.chunk_by(|&left, &right| names[left as usize] == names[right as usize]) {
        if let [first, .., last] = *same {
            values[first as usize] = values[last as usize].take();
            for &between in &same[1..same.len() - 1] {
                values[between as usize] = None;
            }
        }
    }
    let kept = names.iter().zip(values).filter_map(|(name, value)| Some((name.clone(), value?)));
    let (names, values): (Vec<Text>, Vec<Value>) = kept.unzip();
    Shape::new(names).map(|shape| Object { shape, values: values.into() }).unwrap_or_default()
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
