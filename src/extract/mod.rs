//! Bodies to values: formats, `JSONPath` (RFC 9535), types, defaults.
//!
//! Pure: a body and a declaration in, a value or a reason out. What a reason leads to is for the floors above to say.
//!
//! To add a format, give it a variant and a function in `format/`; to add a type, the same in `kind.rs`. Lists of their
//! names, for messages and suggestions, follow from the tables there.

mod extraction;
mod format;
mod kind;
pub mod markdown;
mod pack;
mod projection;
mod sanitise;
mod select;
mod steps;

pub use extraction::{Each, ExtractError, Extraction, Field, Fields, Kept, Missing, Presence, Select};
pub use format::{Format, FormatError, Malformed, csv_row};
pub use kind::Type;
pub use pack::{apart, memory};
pub use sanitise::{LONGEST_HTML, sanitise};
pub use select::{Budget, LONGEST_SELECTOR, SelectError, Selector, TooMuchWork};
pub use steps::{Found, Step};
