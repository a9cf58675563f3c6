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
    /// A value from the request would break a header field apart.
    #[error("a value of the request cannot stand in a header field")]
    ControlFromRequest,
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

/// A path, and what was written behind it: query values and a fragment.
#[derive(Debug, Clone)]
pub struct Target<R = Reference> {
    /// Up to the query.
    pub path: PathTemplate<R>,
    /// `key=value`, each by itself: one whose value is null is left out, and no other with it.
    pub query: Vec<Template<R>>,
    /// What follows `#`.
    pub fragment: Option<Template<R>>,
}

impl<R> Target<R> {
    /// The parts of `written`. Only literal `?`, `&` and `#` divide it: values never do.
    pub fn split(written: Template<R>) -> Self {
        let place = written.place;
        let mut path = Vec::new();
        let mut query: Vec<Vec<Part<R>>> = Vec::new();
        let mut fragment: Option<Vec<Part<R>>> = None;
        for part in written.parts {
            let Part::Literal(text) = part else {
                fragment.as_mut().or_else(|| query.last_mut()).unwrap_or(&mut path).push(part);
                continue;
            };
            let mut rest = &*text;
            loop {
                let divides = |found: char| match (fragment.is_some(), query.is_empty()) {
                    (true, _) => false,
                    (false, true) => matches!(found, '?' | '#'),
                    (false, false) => matches!(found, '&' | '#'),
                };
                let end = rest.find(divides);
                let (before, after) = end.and_then(|end| rest.split_at_checked(end)).unwrap_or((rest, ""));
                if !before.is_empty() {
                    let here = fragment.as_mut().or_else(|| query.last_mut()).unwrap_or(&mut path);
                    here.push(Part::Literal(before.into()));
                }
                match after.strip_prefix('#') {
                    Some(_) => fragment = Some(Vec::new()),
                    None if after.is_empty() => break,
                    None => query.push(Vec::new()),
                }
                rest = after.get(1..).unwrap_or_default();
            }
        }
        let template = |parts| Template { parts, place };
        let query = query.into_iter().filter(|pair| !pair.is_empty()).map(template).collect();
        Self { path: PathTemplate(template(path)), query, fragment: fragment.map(template) }
    }
}

/// Gives `push` a `key=value` that was written in a URL: once, never for null, and for each item of a list.
pub(super) fn write_pair(pair: &Template<Binding>, slots: &[Value], mut push: impl FnMut(&str)) -> Result<(), NotText> {
    if let [Part::Literal(key), Part::Value(binding)] = pair.parts.as_slice()
        && let Some(items) = binding.value(slots).as_list()
    {
        for item in items {
            let mut text = key.to_string();
            encode_segment(&scalar_text(item)?, &mut text);
            push(&text);
        }
        return Ok(());
    }
    if let Some(text) = pair.text(slots, encode_segment)? {
        push(&text);
    }
    Ok(())
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
