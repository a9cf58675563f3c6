//! Full-text search: texts in, an index, and for what somebody types the pages that have its words, best first.
//!
//! It is pure, and knows nothing of files, routes, requests or Markdown. [`passages`] takes a page's HTML apart into what readers see; an
//! [`Index`] is built of them once and never changes; a [`Query`] is what is typed, within bounds. Words are compared without case and
//! accents (`fold`). Everything that a search does is bounded by the constants of this folder, whatever is typed.

mod excerpt;
mod find;
mod fold;
mod index;
mod passage;
mod query;
mod words;

pub use excerpt::{Budget, Piece};
pub use find::{Hit, MOST_FOUND};
pub use index::{Index, Page};
pub use passage::{Passage, passages};
pub use query::{LONGEST_QUERY, MOST_WORDS, Query};

#[cfg(test)]
mod tests;
