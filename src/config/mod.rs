//! The author's files to spanned tables: reading, TOML, scalars, placeholders, merging.
//!
//! This floor knows how declarations are written, never what they mean.
