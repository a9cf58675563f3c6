//! The files that an author writes declarations in, and what may stand in each: for editors and for the reference.

use super::load::{documents, layouts};
use super::settings;
use crate::config::{Described as _, Schema, TableSchema};
use crate::resource;

/// A kind of file that holds declarations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Declaration {
    /// `site.toml`.
    Site,
    /// A file below `routes/`.
    Route,
    /// `_section.toml` below `routes/`.
    Section,
    /// The front matter of a document below `content/`.
    FrontMatter,
    /// The front matter of a layout below `layouts/`.
    Layout,
}

impl Declaration {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Site, Self::Route, Self::Section, Self::FrontMatter, Self::Layout];

    /// What it is called on the command line and in file names.
    pub fn name(self) -> &'static str {
        match self {
            Self::Site => "site",
            Self::Route => "route",
            Self::Section => "section",
            Self::FrontMatter => "front-matter",
            Self::Layout => "layout",
        }
    }

    /// Which file it is, in words.
    pub fn what(self) -> &'static str {
        match self {
            Self::Site => "site.toml",
            Self::Route => "The files below routes/",
            Self::Section => "_section.toml, below routes/",
            Self::FrontMatter => "The front matter of documents, below content/",
            Self::Layout => "The front matter of layouts, below layouts/",
        }
    }

    /// What may stand in it.
    pub fn schema(self) -> Schema {
        match self {
            Self::Site => settings::Decl::schema(),
            Self::Route => resource::RouteDecl::schema(),
            Self::Section => resource::SectionDecl::schema(),
            Self::FrontMatter => Schema::Table(TableSchema {
                id: concat!(module_path!(), "::FrontMatter"),
                docs: "The front matter of a document, between lines of `+++` (TOML) or `---` (YAML). Every key of it is a field of `page`.",
                keys: documents::front_matter,
                required: &[],
                exclusive: &[],
                open: true,
            }),
            Self::Layout => layouts::FrontMatter::schema(),
        }
    }
}
