//! What is known about the shape of a source's value before it is fetched: which paths into it can mean something.

use crate::value::Value;

/// The shape of a value, as far as declarations tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Known {
    /// Anything: every path below is allowed, and prints nothing if absent.
    Open,
    /// A string, a number, a boolean or a date: nothing below.
    Scalar,
    /// Exactly these members.
    Record(Vec<(String, Self)>),
    /// These members, and anything else.
    Partly(Vec<(String, Self)>),
    /// A list of values of one shape.
    ListOf(Box<Self>),
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Astray {
    /// The record at `depth` has no such member; these it has.
    NoMember {
        /// How many keys of the path lead somewhere.
        depth: usize,
        /// The members there are.
        members: Vec<String>,
    },
    /// The value at `depth` is a scalar.
    Scalar {
        /// How many keys of the path lead somewhere.
        depth: usize,
    },
}

/// What every list and string can be asked, in Liquid.
const PROPERTIES: [&str; 3] = ["size", "first", "last"];

impl Known {
    /// The shape of data that the author wrote.
    pub fn of(value: &Value) -> Self {
        match value {
            Value::Object(object) => {
                Self::Record(object.iter().map(|(key, value)| (key.to_string(), Self::of(value))).collect())
            }
            // Written lists may mix shapes; that they are lists is all that is certain.
            Value::List(_) => Self::ListOf(Box::new(Self::Open)),
            Value::Null => Self::Open,
            Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Text(_) => Self::Scalar,
        }
    }

    /// The shape of data in a file, which may be written anew at any time: what it lacks today it may have tomorrow.
    pub fn of_file(value: &Value) -> Self {
        if value.as_list().is_some() { Self::ListOf(Box::new(Self::Open)) } else { Self::Open }
    }

    /// Whether `path` ends in the `size` of a list or a text, which layouts count.
    pub fn is_counted(&self, path: &[impl AsRef<str>]) -> bool {
        let Some((last, path)) = path.split_last() else { return false };
        let mut here = self;
        for key in path {
            here = match (here, key.as_ref()) {
                (Self::Record(members) | Self::Partly(members), key) => {
                    match members.iter().find(|(name, _)| name == key) {
                        Some((_, inner)) => inner,
                        None => return false,
                    }
                }
                (Self::ListOf(item), "first" | "last") => item,
                (Self::Open | Self::Scalar | Self::ListOf(_), _) => return false,
            };
        }
        last.as_ref() == "size" && matches!(here, Self::ListOf(_) | Self::Scalar)
    }

    /// What an item is of the list that `path` leads to; `None` if that is no list.
    pub fn item_of<'p>(&self, path: impl IntoIterator<Item = &'p str>) -> Option<Self> {
        let mut here = self;
        for key in path {
            match here {
                Self::Open => return Some(Self::Open),
                Self::Record(members) => here = members.iter().find(|(name, _)| name == key).map(|(_, inner)| inner)?,
                Self::Partly(members) => match members.iter().find(|(name, _)| name == key) {
                    Some((_, inner)) => here = inner,
                    None => return Some(Self::Open),
                },
                Self::ListOf(item) if matches!(key, "first" | "last") => here = item,
                Self::ListOf(_) | Self::Scalar => return None,
            }
        }
        match here {
            Self::Open => Some(Self::Open),
            Self::ListOf(item) => Some((**item).clone()),
            Self::Record(_) | Self::Partly(_) | Self::Scalar => None,
        }
    }

    /// Follows `path`; a `None` in it is an index, or any item of a list.
    pub fn follow<'p>(&self, path: impl IntoIterator<Item = Option<&'p str>>) -> Result<(), Astray> {
        let mut here = self;
        for (depth, key) in path.into_iter().enumerate() {
            match (here, key) {
                (Self::Open, _) => return Ok(()),
                (Self::Record(members), Some(key)) => match members.iter().find(|(name, _)| name == key) {
                    Some((_, inner)) => here = inner,
                    None if key == "size" => return Ok(()),
                    None => {
                        let members = members.iter().map(|(name, _)| name.clone()).collect();
                        return Err(Astray::NoMember { depth, members });
                    }
                },
                (Self::Partly(members), Some(key)) => match members.iter().find(|(name, _)| name == key) {
                    Some((_, inner)) => here = inner,
                    None => return Ok(()),
                },
                (Self::Partly(_), None) => return Ok(()),
                (Self::ListOf(item), None) => here = item,
                (Self::ListOf(item), Some("first" | "last")) => here = item,
                (Self::ListOf(_) | Self::Scalar, Some("size")) => return Ok(()),
                (Self::ListOf(_), Some(_)) => {
                    let members = PROPERTIES.iter().map(|&name| name.to_owned()).collect();
                    return Err(Astray::NoMember { depth, members });
                }
                (Self::Scalar, _) => return Err(Astray::Scalar { depth }),
                // Iterating a record gives its pairs.
                (Self::Record(_), None) => return Ok(()),
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_followed_as_far_as_the_shape_is_known() {
        let item = Known::Record(vec![("name".into(), Known::Scalar), ("more".into(), Known::Open)]);
        let shape = Known::Record(vec![("items".into(), Known::ListOf(Box::new(item)))]);
        for (path, sound) in [
            (vec![Some("items"), None, Some("name")], true),
            (vec![Some("items"), None, Some("more"), Some("x"), None], true),
            (vec![Some("items"), Some("size")], true),
            (vec![Some("items"), Some("first"), Some("name")], true),
            (vec![Some("items"), None, Some("nmae")], false),
            (vec![Some("items"), None, Some("name"), Some("x")], false),
            (vec![Some("item")], false),
        ] {
            assert_eq!(shape.follow(path.iter().copied()).is_ok(), sound, "{path:?}");
        }
    }
}
