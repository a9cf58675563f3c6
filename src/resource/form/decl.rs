//! What an author writes below `[form.fields.name]`, and of a member of JSON that is sent.

use crate::config::{Described, Node, Schema, Size, declare};
use crate::diagnostic::Spanned;

use super::FieldKind;

declare! {
    /// A field of a form, or a member of the JSON that a method takes. What is sent and not declared is refused.
    pub struct FieldDecl {
        /// `"string"` (one line), `"text"`, `"int"`, `"number"`, `"bool"`, `"date"`, `"email"`, `"url"`, `"uuid"`, `"slug"`, `"path"` (of this
        /// site), `"password"` or `"file"`; of JSON also `"object"` and `"list"`. Default string.
        "type": kind: Spanned<String> as KindName,
        /// Whether it must be there; of a bool, whether it must be true. Default `false`.
        "required": required: Spanned<bool>,
        /// The least number, or the first date.
        "min": min: Node as Bound,
        /// The greatest number, or the last date.
        "max": max: Node as Bound,
        /// The fewest characters.
        "min-length": min_length: Spanned<usize>,
        /// The most characters.
        "max-length": max_length: Spanned<usize>,
        /// A regular expression that the whole text matches.
        "pattern": pattern: Spanned<String>,
        /// The only values there are.
        "enum": choices: Spanned<Vec<String>>,
        /// The value when none is sent; a page shows it before anything is.
        "default": default: Node,
        /// Its name in what is sent, when that differs.
        "name": name: Spanned<String>,
        /// Whether it is a list: each value of its name is an item.
        "repeat": repeat: Spanned<bool>,
        /// How many items the list may have; default 32.
        "max-items": max_items: Spanned<usize>,
        /// What is said of a value that does not fit, instead of what is wrong with it.
        "message": message: Spanned<String>,
        /// How long a file may be; default `"1MiB"`.
        "max-size": max_size: Spanned<Size>,
        /// The media types that a file may say it has: `["image/png", "image/*"]`. Any, if this is not written. Nobody looks into the file.
        "types": types: Spanned<Vec<String>>,
    }
}

/// The name of a type.
struct KindName;

impl Described for KindName {
    fn schema() -> Schema {
        Schema::words(FieldKind::NAMES.iter().map(|(name, _)| *name))
    }
}

/// A number, or a date.
struct Bound;

impl Described for Bound {
    fn schema() -> Schema {
        Schema::Either(vec![Schema::Number, Schema::text("a date such as `\"2026-11-21\"`", None)])
    }
}
