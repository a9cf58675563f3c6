//! The files of `layouts/` handed to the renderer, their front matter read.

use super::{kind, matter};
use crate::config::{Declared, Described, Schema, Tree, declare};
use crate::diagnostic::{Files, Finding, Findings, Spanned};
use crate::render::{KeptLayouts, LayoutSource, Library};

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

/// Compiles all layouts and partials, but for those that were `kept`.
pub(super) fn compile(tree: &Tree, files: &Files, kept: &KeptLayouts, findings: &mut Findings) -> Library {
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
    Library::compile(&sources, files, kept, findings)
}
