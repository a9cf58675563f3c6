//! A source that is had once for each item of a list: `for-each = "{list.ids}"`.
//!
//! Items keep their order, and each has the source's outcomes: one that is omitted is left out. A list that is longer than
//! the declaration allows is not cut, which would hide data: the source is in trouble.

use super::Trouble;
use super::code;
use crate::config::{BAD_VALUE, Binding, Declared as _, MISSING_KEY, Reference, Template, declare};
use crate::diagnostic::{Finding, Findings, Place, Spanned};
use crate::value::Value;

/// The most items that a declaration may allow.
const MOST: usize = 1000;

/// What an item is called in placeholders.
pub const ITEM: &str = "item";

declare! {
    /// Making a source's call for each item of a list.
    pub struct EachDecl {
        /// A list, such as `"{list.ids}"`: one call for each `{item}` of it, together; the source's value is the list of what they gave, in the same order.
        "for-each": for_each: Spanned<Template>,
        /// How many items the list of `for-each` may have, at most 1000; a longer one is an error of the source.
        "max-items": max_items: Spanned<usize>,
    }
}

/// A list, for each item of which a source is had.
#[derive(Debug, Clone)]
pub struct ForEach<R = Reference> {
    /// The list.
    pub list: R,
    /// How many items it may have.
    pub most: usize,
    /// Where it was written.
    pub place: Place,
}

impl EachDecl {
    /// Whether the source's value is a list of what each item gave.
    pub(super) fn is_written(&self) -> bool {
        self.for_each.is_some()
    }

    /// Each key that is written, and where.
    pub(super) fn written(&self) -> [(&'static str, Option<Place>); 2] {
        [
            ("for-each", self.for_each.as_ref().map(|list| list.place)),
            ("max-items", self.max_items.as_ref().map(|most| most.place)),
        ]
    }
}

impl ForEach {
    /// The list that is declared, if one is; the outer `None` after a finding.
    #[expect(clippy::option_option, reason = "no list is fine, and is not the same as one that is wrong")]
    pub(super) fn compile(decl: &EachDecl, findings: &mut Findings) -> Option<Option<Self>> {
        let (list, most) = match (&decl.for_each, &decl.max_items) {
            (None, None) => return Some(None),
            (Some(list), Some(most)) => (list, most),
            (Some(_), None) if decl.is_lost("max-items") => return None,
            (None, Some(_)) if decl.is_lost("for-each") => return None,
            (Some(list), None) => {
                let message = "`for-each` without `max-items`";
                let help = "say how many calls one page may make: max-items = 20";
                findings.push(Finding::new(&MISSING_KEY, list.place, message).help(help));
                return None;
            }
            (None, Some(most)) => {
                let message = "`max-items` without `for-each`";
                findings.push(Finding::new(&MISSING_KEY, most.place, message).help("for-each = \"{list.ids}\""));
                return None;
            }
        };
        if !(1..=MOST).contains(&most.value) {
            let message = format!("`{}` is not between 1 and {MOST}", most.value);
            findings.push(Finding::new(&BAD_VALUE, most.place, message));
            return None;
        }
        let Some(reference) = list.value.as_single().filter(|reference| reference.root != ITEM) else {
            let message = "`for-each` is not one placeholder that names a list";
            findings.push(Finding::new(&code::NOT_A_LIST, list.place, message).help("for-each = \"{list.ids}\""));
            return None;
        };
        Some(Some(Self { list: reference.clone(), most: most.value, place: list.place }))
    }

    pub(super) fn link(&self, resolve: &mut impl FnMut(&Reference) -> Option<Binding>) -> Option<ForEach<Binding>> {
        Some(ForEach { list: resolve(&self.list)?, most: self.most, place: self.place })
    }
}

impl ForEach<Binding> {
    /// The items; none if there is no list.
    pub fn items<'s>(&self, slots: &'s [Value]) -> Result<&'s [Value], Trouble> {
        let error = |reason| Trouble::Error { late: false, reason };
        match self.list.value(slots) {
            Value::Null => Ok(&[]),
            Value::List(items) if items.len() > self.most => Err(error("too-many-items")),
            Value::List(items) => Ok(items),
            Value::Bool(_) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Text(_) | Value::Object(_) => {
                Err(error("not-a-list"))
            }
        }
    }
}

/// Finds every `{item}` where no item is, in a template that is read for the whole source.
pub(super) fn refuse_items(template: &Template, what: &str, findings: &mut Findings) {
    for reference in template.references().filter(|reference| reference.root == ITEM) {
        let message = format!("`{{{}}}` in {what}", reference.spelled());
        let help = "an item is read in `url`, `path`, `query`, `headers` and body of the source that has `for-each`";
        findings.push(Finding::new(&crate::config::PLACEHOLDER_NOT_READ, reference.place, message).help(help));
    }
}
