//! Where a call goes: a literal origin, a path and a query whose placeholders are encoded for their position.
//!
//! A value can never change the shape of the URL: it stays within its segment or its query value, or the call is not made.

pub use crate::config::encode_segment;
use crate::config::{Binding, NotText, Part, Reference, Template, scalar_text};
use crate::value::Value;

/// Why a call is not made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoCall {
    /// A value in the path is `null`.
    #[error("a value in the path is null")]
    NullInPath,
    /// A value from the request cannot stand in a path: empty, `.`, `..`, or with `/`, `\` or a control byte.
    #[error("a value of the request cannot stand in a path")]
    ForbiddenFromRequest,
    /// A value from another source cannot stand in a path.
    #[error("a value of a source cannot stand in a path")]
    ForbiddenFromData,
    /// A list or an object where text must stand.
    #[error("a list or an object where text must stand")]
    NotText,
}

impl From<NotText> for NoCall {
    fn from(NotText: NotText) -> Self {
        Self::NotText
    }
}

/// A path with placeholders.
#[derive(Debug, Clone)]
pub struct PathTemplate<R = Reference>(pub Template<R>);

impl PathTemplate {
    /// The same path with placeholders resolved.
    pub fn link(&self, resolve: &mut impl FnMut(&Reference) -> Option<Binding>) -> Option<PathTemplate<Binding>> {
        self.0.try_map(resolve).map(PathTemplate)
    }
}

impl PathTemplate<Binding> {
    /// Appends the path.
    pub fn write(&self, slots: &[Value], out: &mut String) -> Result<(), NoCall> {
        let start = out.len();
        let mut worst = None;
        for part in &self.0.parts {
            match part {
                Part::Literal(text) => out.push_str(text),
                Part::Value(binding) => {
                    if let Err(why) = write_value(binding, slots, out) {
                        // A null decides over a forbidden value, which is decided after all parts are known.
                        if why == NoCall::NullInPath || why == NoCall::NotText {
                            return Err(why);
                        }
                        worst = Some(why);
                    }
                }
                Part::Env(_) => {}
            }
        }
        if let Some(why) = worst {
            return Err(why);
        }
        // Two harmless values side by side may still make a dot segment.
        let has_dots = |path: &str| path.split('/').any(|segment| matches!(segment, "." | ".."));
        if out.get(start..).is_some_and(has_dots) {
            return Err(NoCall::ForbiddenFromRequest);
        }
        Ok(())
    }
}

fn write_value(binding: &Binding, slots: &[Value], out: &mut String) -> Result<(), NoCall> {
    let value = binding.value(slots);
    if value.is_null() {
        return Err(NoCall::NullInPath);
    }
    let text = scalar_text(value)?;
    let forbidden = if binding.from_request { NoCall::ForbiddenFromRequest } else { NoCall::ForbiddenFromData };
    if binding.is_rest {
        for (at, segment) in text.split('/').enumerate() {
            if at > 0 {
                out.push('/');
            }
            if !text.is_empty() && is_forbidden(segment) {
                return Err(forbidden);
            }
            encode_segment(segment, out);
        }
        return Ok(());
    }
    if is_forbidden(&text) {
        return Err(forbidden);
    }
    encode_segment(&text, out);
    Ok(())
}

fn is_forbidden(segment: &str) -> bool {
    matches!(segment, "" | "." | "..") || segment.bytes().any(|byte| byte < 0x20 || matches!(byte, b'/' | b'\\' | 0x7f))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Files, Place};
    use std::sync::Arc;

    fn written(parts: &[&str], values: &[&str]) -> Result<String, NoCall> {
        let place = Place::new(Files::default().add("a", ""), 0..0);
        let mut slot = 0;
        let parts = parts.iter().map(|part| match *part {
            "$" | "$rest" | "$data" => {
                slot += 1;
                let keys = Box::default();
                Part::Value(Binding { slot: slot - 1, keys, from_request: *part != "$data", is_rest: *part == "$rest" })
            }
            text => Part::Literal(Arc::from(text)),
        });
        let path = PathTemplate(Template { parts: parts.collect(), place });
        let slots: Vec<Value> = values.iter().map(|text| Value::text(*text)).collect();
        let mut out = String::new();
        path.write(&slots, &mut out).map(|()| out)
    }

    #[test]
    fn values_stay_within_their_segment() {
        for (parts, values, expected) in [
            (vec!["/r/", "$", "/x"], vec!["a b?#é"], Ok("/r/a%20b%3F%23%C3%A9/x")),
            (vec!["/r/", "$"], vec![".."], Err(NoCall::ForbiddenFromRequest)),
            (vec!["/r/", "$"], vec![""], Err(NoCall::ForbiddenFromRequest)),
            (vec!["/r/", "$"], vec!["a/b"], Err(NoCall::ForbiddenFromRequest)),
            (vec!["/r/", "$"], vec!["a\\b"], Err(NoCall::ForbiddenFromRequest)),
            (vec!["/r/", "$"], vec!["a\r\nb"], Err(NoCall::ForbiddenFromRequest)),
            (vec!["/r/", "$data"], vec!["a/b"], Err(NoCall::ForbiddenFromData)),
            (vec!["/r/", ".", "$data"], vec!["x"], Ok("/r/.x")),
            (vec!["/r/", "$rest"], vec!["a/b c"], Ok("/r/a/b%20c")),
            (vec!["/r/", "$rest"], vec![""], Ok("/r/")),
            (vec!["/r/", "$rest"], vec!["a/../b"], Err(NoCall::ForbiddenFromRequest)),
            (vec!["/r/", "$rest"], vec!["a//b"], Err(NoCall::ForbiddenFromRequest)),
        ] {
            assert_eq!(written(&parts, &values), expected.map(str::to_owned), "{parts:?} {values:?}");
        }
    }
}
