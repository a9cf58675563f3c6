//! What an author's own data holds that does not fit the type it is declared as.
//!
//! At a request a misfit counts as missing, because an upstream may answer anything. In a file of the site it is a mistake, and is told
//! where it stands.

use super::code;
use super::decl::Decl;
use super::extraction::{FieldDecl, is_each};
use super::sample::{selectors, written};
use crate::config::{Declared as _, Node, Table};
use crate::diagnostic::{FileId, Files, Finding, Findings, Place};
use crate::extract::{Budget, Type, csv_row};
use crate::value::{Value, write_json};
use std::path::Path;

/// A data file that was read.
#[derive(Clone, Copy)]
pub struct DataFile<'f> {
    /// Its path below `content/`.
    pub path: &'f str,
    /// Its text.
    pub file: FileId,
    /// What it holds.
    pub value: &'f Value,
}

impl Decl {
    /// Tells what of a data file does not fit the types that `extract` declares.
    pub fn doubt(&self, data: DataFile<'_>, files: &Files, findings: &mut Findings) {
        let Some(extract) = self.extract.as_ref().and_then(Node::as_table) else { return };
        let mut doubt = Doubt { data, files, findings };
        if is_each(extract) {
            doubt.field(&FieldDecl::read(extract, &mut Findings::default()), &[data.value]);
        } else {
            doubt.fields(extract, &[data.value]);
        }
    }
}

struct Doubt<'d> {
    data: DataFile<'d>,
    files: &'d Files,
    findings: &'d mut Findings,
}

impl Doubt<'_> {
    fn fields(&mut self, fields: &Table, documents: &[&Value]) {
        for entry in fields {
            if let Some(table) = entry.node.as_table() {
                // What is wrong with the declaration was found when it was compiled.
                self.field(&FieldDecl::read(table, &mut Findings::default()), documents);
            }
        }
    }

    /// One field, in each of the values that it is taken from.
    fn field(&mut self, decl: &FieldDecl, documents: &[&Value]) {
        let budget = Budget::default();
        if let (Some(each), Some(fields)) = (&decl.each, &decl.fields) {
            let selectors = selectors(each);
            let nodes = documents.iter().flat_map(|document| {
                selectors.iter().flat_map(|selector| selector.all(document, &budget).unwrap_or_default())
            });
            let nodes: Vec<&Value> = nodes.collect();
            self.fields(fields, &nodes);
            return;
        }
        let kind = decl.kind.as_ref().and_then(|name| Type::from_name(&name.value));
        let (Some(select), Some(kind)) = (&decl.select, kind) else { return };
        let selectors = selectors(select);
        let misfits = documents.iter().filter_map(|document| {
            let found = selectors.iter().flat_map(|selector| {
                let is_list = !selector.is_singular() && kind == Type::List;
                let nodes = if is_list { Vec::new() } else { selector.all(document, &budget).unwrap_or_default() };
                nodes.into_iter().filter(|node| !is_blank(node))
            });
            let found: Vec<&Value> = found.collect();
            // Of several selectors, or nodes, the first that fits is taken.
            if found.iter().any(|node| kind.fit(node).is_some()) { None } else { found.first().copied() }
        });
        let misfits: Vec<&Value> = misfits.collect();
        if let Some(first) = misfits.first() {
            self.tell(first, misfits.len() - 1, select, kind);
        }
    }

    fn tell(&mut self, misfit: &Value, others: usize, select: &Node, kind: Type) {
        let mut shown = String::new();
        write_json(misfit, &mut shown);
        let shown: String = shown.chars().take(60).collect();
        let name = written(select);
        let message =
            format!("`{shown}` in `content/{}` is no `{}`, as `{name}` should be", self.data.path, kind.name());
        let counted = match others {
            0 => String::new(),
            1 => ", and so does another one".to_owned(),
            others => format!(", and so do {others} others"),
        };
        let help = format!("it counts as missing{counted}: correct the file, or the `type`");
        let finding = match self.row_of(misfit) {
            Some(place) => Finding::new(&code::MISFIT, place, message).related(select.place, "declared here"),
            None => Finding::new(&code::MISFIT, select.place, message),
        };
        self.findings.push(finding.help(help));
    }

    /// The line of a table that a value is from.
    fn row_of(&self, value: &Value) -> Option<Place> {
        if Path::new(self.data.path).extension()? != "csv" {
            return None;
        }
        let is_in =
            |row: &Value| row.as_object().is_some_and(|row| row.iter().any(|(_, cell)| std::ptr::eq(cell, value)));
        let row = self.data.value.as_list()?.iter().position(is_in)?;
        Some(Place::new(self.data.file, csv_row(self.files.text(self.data.file), row)?))
    }
}

/// An empty cell is how a table says that there is nothing.
fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}
