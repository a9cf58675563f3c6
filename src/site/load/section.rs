//! What a route inherits: `[defaults]`, then each `_section.toml` from the outermost folder to its own.

use super::super::code;
use super::slipped;
use crate::config::{Declared as _, Kind, Node, Table, Tree, TreeFile, merge, read_toml, wrong_type};
use crate::diagnostic::{Files, Finding, Findings, Place};
use crate::resource::{Decl, MERGE, as_level};
use std::collections::HashMap;

/// The sections of a site, by folder.
pub(super) struct Sections {
    /// Merged with everything outside them; the empty name is `routes/` itself.
    merged: HashMap<String, Table>,
    /// Folders whose section could not be read: what their routes lack is no mistake of theirs.
    broken: Vec<String>,
    /// Those that no route inherits, merged with nothing.
    idle: Vec<Table>,
    /// The folders of those that have a guard of their own, and where that is.
    guarded: Vec<(String, Place)>,
}

/// What sections name.
#[derive(Default)]
pub(super) struct Mentions {
    pub(super) layouts: Vec<String>,
    pub(super) upstreams: Vec<String>,
}

impl Mentions {
    /// Adds the layouts of a section's error pages, which are shown where no route is.
    pub(super) fn of_errors(&mut self, decl: &Decl) {
        let named = decl.errors.iter().flat_map(|named| &named.0);
        self.layouts.extend(named.map(|(_, layout)| layout.value.clone()));
    }

    /// Adds all that a section names: one without routes is probably in the wrong place.
    pub(super) fn of_all(&mut self, decl: &Decl) {
        self.layouts.extend(decl.layout.iter().map(|layout| layout.value.clone()));
        let sources = decl.sources.iter().flat_map(|named| &named.0);
        self.upstreams.extend(sources.filter_map(|(_, source)| Some(source.upstream.as_ref()?.value.clone())));
        let passed_on = decl.proxy.iter().chain(super::route::otherwise(decl));
        self.upstreams.extend(passed_on.map(|name| name.value.clone()));
    }
}

/// Whether a file below `routes/` is a section and not a route.
pub(super) fn is_section(path: &str) -> bool {
    path.rsplit('/').next() == Some("_section.toml")
}

/// The table of `[defaults]`.
pub(super) fn table_of(node: &Node, findings: &mut Findings) -> Option<Table> {
    if let Kind::Table(table) = &node.kind {
        let mut table = table.clone();
        as_level(&mut table);
        return Some(table);
    }
    findings.push(wrong_type(node, "a table"));
    None
}

impl Sections {
    /// Reads all sections. Files come sorted by path, so that an outer section is met before those within it.
    pub(super) fn read(tree: &Tree, defaults: Option<&Table>, files: &Files, findings: &mut Findings) -> Self {
        if let Some(defaults) = defaults {
            refuse_path(defaults, findings);
        }
        let nowhere = tree.site.map(|site| Place::new(site, 0..0));
        let outermost = defaults.cloned().or_else(|| nowhere.map(Table::empty));
        let merged = outermost.map(|table| (String::new(), table)).into_iter().collect();
        let mut sections = Self { merged, broken: Vec::new(), idle: Vec::new(), guarded: Vec::new() };
        sections.idle.extend(defaults.filter(|_| !has_routes(tree, "")).cloned());
        let mut found: Vec<&TreeFile> = tree.routes.iter().filter(|file| is_section(&file.path)).collect();
        found.sort_by_key(|file| file.path.matches('/').count());
        for file in found {
            let folder = folder_of(&file.path);
            let Some(table) = own(file, files, findings) else {
                sections.broken.push(folder.to_owned());
                continue;
            };
            refuse_path(&table, findings);
            if let Some(guard) = table.get("guard").filter(|guard| !guard.node.is_false()) {
                sections.guarded.push((folder.to_owned(), guard.node.place));
            }
            if !has_routes(tree, folder) {
                let place = Place::new(file.file, 0..0);
                let message = format!("no route lies in `routes/{folder}` or below");
                findings.push(
                    Finding::new(&code::UNUSED_SECTION, place, message)
                        .help("move the section to the folder of its routes, or remove it"),
                );
                sections.idle.push(table.clone());
            }
            let mut merged = sections.around(folder).clone();
            merge(&mut merged, &table, &MERGE);
            sections.merged.insert(folder.to_owned(), merged);
        }
        sections
    }

    /// Each section's folder and what applies there; the empty name for what applies to every route.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Table)> {
        let mut all: Vec<_> = self.merged.iter().map(|(folder, table)| (folder.as_str(), table)).collect();
        all.sort_by_key(|(folder, _)| *folder);
        all.into_iter()
    }

    /// Those that no route inherits, each by itself.
    pub(super) fn idle(&self) -> &[Table] {
        &self.idle
    }

    /// The folders of those that have a guard of their own, and where that is.
    pub(super) fn guarded(&self) -> &[(String, Place)] {
        &self.guarded
    }

    /// Whether all could be read.
    pub(super) fn are_read(&self) -> bool {
        self.broken.is_empty()
    }

    /// A route's own table, merged into what it inherits; `None` if either could not be read.
    pub(super) fn merged(&self, file: &TreeFile, files: &Files, findings: &mut Findings) -> Option<Table> {
        let own = own(file, files, findings)?;
        if self.broken.iter().any(|folder| is_within(folder_of(&file.path), folder)) {
            // What the route lacks may stand there, but what it has can be read.
            Decl::read(&own, findings);
            return None;
        }
        let mut merged = self.around(folder_of(&file.path)).clone();
        merge(&mut merged, &own, &MERGE);
        merged.place = own.place;
        Some(merged)
    }

    /// The innermost section around a folder.
    fn around(&self, folder: &str) -> &Table {
        let mut folder = folder;
        loop {
            if let Some(table) = self.merged.get(folder) {
                return table;
            }
            folder = folder.rsplit_once('/').map_or("", |(outer, _)| outer);
        }
    }
}

/// A path belongs to one route.
fn refuse_path(table: &Table, findings: &mut Findings) {
    if let Some(path) = table.get("path") {
        findings.push(
            Finding::new(&code::SECTION_PATH, path.key.place, "a `path` that several routes would inherit")
                .help("write it in the route; without one, its URL is its place below `routes/`"),
        );
    }
}

/// Whether any route lies in `folder` or below. Files come sorted by path.
fn has_routes(tree: &Tree, folder: &str) -> bool {
    let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
    let first = tree.routes.partition_point(|file| *file.path < *prefix);
    let below = tree.routes.iter().skip(first).take_while(|file| file.path.starts_with(&prefix));
    below.into_iter().any(|file| !is_section(&file.path))
}

/// The table of one file; `None` if it is not TOML, because what could be read of it says too little.
pub(super) fn own(file: &TreeFile, files: &Files, findings: &mut Findings) -> Option<Table> {
    let before = findings.len();
    let mut table = read_toml(file.file, 0..files.text(file.file).len(), files, findings);
    let is_sound = findings.len() == before;
    as_level(&mut table);
    if is_sound {
        slipped::warn(&table, files, findings);
    }
    is_sound.then_some(table)
}

fn is_within(folder: &str, outer: &str) -> bool {
    outer.is_empty() || folder.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn folder_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}
