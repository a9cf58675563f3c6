//! The author's files to spanned tables: reading, TOML, scalars, placeholders, merging.
//!
//! This floor knows how declarations are written, never what they mean.

mod front_matter;

pub use front_matter::{
    CODES as FRONT_MATTER_CODES, FRONT_MATTER_SYNTAX, FRONT_MATTER_UNCLOSED, LONGEST_FRONT_MATTER, MatterError,
    MatterKind, Parts, YamlMatter, read_yaml, split_front_matter,
};
