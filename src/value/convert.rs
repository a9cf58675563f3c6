//! Into a [`Value`] from Rust's own types, and the view that the `JSONPath` evaluator has of one.

use super::{List, Object, Text, Value};
use jsonpath_rust::query::queryable::Queryable;

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        i64::try_from(value).map_or(Self::UInt(value), Self::Int)
    }
}

impl From<usize> for Value {
    fn from(value: usize) -> Self {
        Self::from(value as u64)
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Float(value)
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Text::from(value))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Text::from(value))
    }
}

impl From<Text> for Value {
    fn from(value: Text) -> Self {
        Self::Text(value)
    }
}

impl From<Vec<Self>> for Value {
    fn from(value: Vec<Self>) -> Self {
        Self::List(List::new(value))
    }
}

impl From<Object> for Value {
    fn from(value: Object) -> Self {
        Self::Object(value)
    }
}

impl<T: Into<Self>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Queryable for Value {
    fn get(&self, key: &str) -> Option<&Self> {
        Self::get(self, key)
    }

    fn as_array(&self) -> Option<&Vec<Self>> {
        if let Self::List(items) = self { Some(items) } else { None }
    }

    fn as_object(&self) -> Option<Vec<(&str, &Self)>> {
        Some(Self::as_object(self)?.iter().map(|(key, value)| (key.as_str(), value)).collect())
    }

    fn as_str(&self) -> Option<&str> {
        Self::as_str(self)
    }

    fn as_i64(&self) -> Option<i64> {
        Self::as_i64(self)
    }

    fn as_f64(&self) -> Option<f64> {
        Self::as_f64(self)
    }

    fn as_bool(&self) -> Option<bool> {
        Self::as_bool(self)
    }

    fn null() -> Self {
        Self::Null
    }
}
