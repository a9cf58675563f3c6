//! The author's files to spanned tables: reading, TOML, scalars, placeholders, merging, decoding.
//!
//! This floor knows how declarations are written, never what they mean: no key of any table is named here except where
//! [`declare!`](declare) is handed one. A new declared table is a `declare!` in the file of the thing it declares.

mod archive;
mod binding;
mod code;
mod decode;
mod digests;
mod document;
mod environment;
mod front_matter;
mod location;
mod merge;
mod node;
mod origin;
mod pack;
mod placeholder;
mod scalar;
mod schema;
mod set;
mod shape;
mod stamp;
mod texts;
mod tree;
mod tripwire;
mod unfilled;

pub use archive::{Archive, ArchiveError, Archived};
pub use binding::{Binding, Each, NotText, Shape, scalar_text};
pub use code::CODES;
pub use code::{BAD_VALUE, MISSING_KEY, PLACEHOLDER_NOT_READ, SLIPPED_KEY, UNKNOWN_KEY, WRONG_TYPE};
pub use decode::{
    Declared, Decode, Key, Named, OneOrMany, Size, Within, declare, list, not_a_word, unknown_key, words, wrong_type,
};
pub use digests::Digests;
pub use document::read_toml;
pub use environment::{Environment, Secret, Secrets};
pub use front_matter::{
    CODES as FRONT_MATTER_CODES, FRONT_MATTER_SYNTAX, FRONT_MATTER_UNCLOSED, LONGEST_FRONT_MATTER, MatterError,
    MatterKind, Parts, YamlMatter, read_yaml, split_front_matter,
};
pub use location::{NoLocation, encode_segment};
pub use merge::{Rules, merge};
pub use node::{Entry, Kind, Node, Table, Text};
pub use origin::Origin;
pub use pack::{PackError, pack};
pub use placeholder::{Env, Part, Reference, Template, parse_template};
pub use scalar::{format_duration, parse_duration, parse_size};
pub use schema::{Described, Schema, Table as TableSchema, Text as TextSchema, Word};
pub use set::read_set;
pub use stamp::{PerFile, Stamp};
pub use texts::Texts;
pub use tree::{ContentFile, Tree, TreeFile};
pub use tripwire::Tripwire;
pub use unfilled::refuse_placeholders;
