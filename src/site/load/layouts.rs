//! The files of `layouts/` handed to the renderer, their front matter read.

use super::{kind, matter};
use crate::config::{Declared, Described, Schema, Table, Tree, UNKNOWN_KEY, declare};
use crate::diagnostic::{FileId, Files, Finding, Findings, Level, Spanned, did_you_mean};
use crate::render::{KeptLayouts, Layout, LayoutSource, Library};
use crate::resource::UNKNOWN_LAYOUT;
use std::collections::HashSet;
use std::sync::Arc;

declare! {
    /// The front matter of a layout.
    pub(in super::super) struct FrontMatter {
        /// The layout around this one.
        "layout": layout: Spanned<String>,
        /// `"none"`: nothing in this layout is escaped.
        "escape": escape: Spanned<String> as Escape,
    }
}

/// `escape = "none"`.
const NONE: &str = "none";

/// What `escape` may be.
struct Escape;

impl Described for Escape {
    fn schema() -> Schema {
        Schema::words([NONE])
    }
}

/// The layouts of a site, sound or not.
pub(super) struct Layouts {
    library: Library,
    /// Files with mistakes: what stands in them is not all known.
    damaged: HashSet<FileId>,
    /// Whether it is known which layouts lie around which.
    is_nesting_known: bool,
}

impl Layouts {
    /// The layout of this name; partials are none.
    pub(super) fn get(&self, name: &str) -> Option<&Arc<Layout>> {
        self.library.get(name)
    }

    /// Every layout.
    pub(super) fn all(&self) -> impl Iterator<Item = &Layout> {
        self.library.names().filter_map(|name| self.library.get(name)).map(|layout| &**layout)
    }

    /// Whether a layout is without mistakes, with all that it is made of.
    pub(super) fn is_whole(&self, layout: &Layout) -> bool {
        layout.files().iter().all(|file| !self.damaged.contains(file))
    }

    /// The finding for the name of a layout that is not there.
    pub(super) fn unknown(&self, name: &Spanned<String>) -> Finding {
        if let Some(finding) = kind::outside(&name.value, name.place, "layouts") {
            return finding;
        }
        let message = format!("there is no layout `{}`", name.value);
        let help = if name.value.starts_with("partials/") {
            "a partial is a part of layouts: name one that calls it".to_owned()
        } else {
            did_you_mean(&name.value, self.library.names())
                .unwrap_or_else(|| format!("write it: layouts/{}", name.value))
        };
        Finding::new(&UNKNOWN_LAYOUT, name.place, message).help(help)
    }

    /// What is compiled; whether all partials that are called are known to be; whether all layouts around others are.
    pub(super) fn into_parts(self) -> (Library, bool, bool) {
        (self.library, self.damaged.is_empty(), self.is_nesting_known)
    }
}

/// Finds what a partial says in its front matter that only a layout may.
fn refuse_keys_of_layouts(table: &Table, findings: &mut Findings) {
    for entry in table {
        let help = match entry.key.value.as_str() {
            "escape" => {
                "a partial is escaped for the place that it is called from: write `| raw` where a value is markup"
            }
            "layout" => "name it in the layout that calls the partial",
            _ => continue,
        };
        let message = format!("`{}` in the front matter of a partial", entry.key.value);
        findings.push(Finding::new(&UNKNOWN_KEY, entry.key.place, message).help(help));
    }
}

/// Compiles all layouts and partials, but for those that were `kept`.
pub(super) fn compile(tree: &Tree, files: &Files, kept: &KeptLayouts, findings: &mut Findings) -> Layouts {
    let before = findings.len();
    let mut sources = Vec::with_capacity(tree.layouts.len());
    for layout in &tree.layouts {
        let parts = matter::split(layout.file, files, findings);
        let mut source = LayoutSource {
            name: layout.path.clone(),
            file: layout.file,
            body: parts.body.clone(),
            outer: None,
            escape_none: false,
        };
        if let Some(table) = matter::toml(layout.file, &parts, files, findings) {
            let matter = FrontMatter::read(&table, findings);
            if layout.path.starts_with("partials/") {
                refuse_keys_of_layouts(&table, findings);
                sources.push(source);
                continue;
            }
            source.outer = matter.layout.filter(|name| match kind::outside(&name.value, name.place, "layouts") {
                Some(finding) => {
                    findings.push(finding);
                    false
                }
                None => true,
            });
            if let Some(escape) = matter.escape {
                source.escape_none = escape.value == NONE;
                if !source.escape_none {
                    let message = format!("`{}` is not a way to escape", escape.value);
                    findings.push(
                        Finding::new(&crate::config::BAD_VALUE, escape.place, message)
                            .help("leave `escape` out, or write \"none\""),
                    );
                }
            }
        }
        sources.push(source);
    }
    let library = Library::compile(&sources, files, kept, findings);
    let unread = tree.layouts.iter().filter(|layout| tree.is_unread(layout)).map(|layout| layout.file);
    let mut damaged: HashSet<FileId> = unread.collect();
    let mut is_nesting_known = damaged.is_empty();
    for place in findings.iter().skip(before).filter(|it| it.level == Level::Error).filter_map(|it| it.place) {
        damaged.insert(place.file);
        // What lies around a layout is said above its body.
        let is_above = |source: &LayoutSource| source.file == place.file && (place.start as usize) < source.body.start;
        is_nesting_known &= !sources.iter().any(is_above);
    }
    Layouts { library, damaged, is_nesting_known }
}
