//! A sample of an answer, tried at load: which selectors find nothing in it, and which find what does not fit.
//!
//! Nothing of it is served. A sample says what an upstream answered once, so what it tells is a warning.

use super::answer::{Reading, graphql_data};
use super::decl::Decl;
use super::extraction::{FieldDecl, is_each};
use super::{Kind, Source, code};
use crate::config::{Declared as _, Kind as NodeKind, Node, Table};
use crate::diagnostic::{FileId, Finding, Findings, Place};
use crate::extract::{Budget, Format, Selector, Type};
use crate::value::{JsonLimits, Value};

impl Source {
    /// Tries the extraction that `decl` declares on a sample: `text` is that of `file`.
    pub fn try_sample(&self, decl: &Decl, text: &str, file: FileId, findings: &mut Findings) {
        let (Kind::Http(http), Some(sample)) = (&self.kind, &decl.sample) else { return };
        let format = match http.reading {
            Reading::Plain(format) => format,
            Reading::GraphQl => Format::Json,
        };
        let unread = |place, message: String| {
            Finding::new(&code::BAD_SAMPLE, place, message).related(sample.place, "named as a sample here")
        };
        let document = match format.read(text.as_bytes(), None, JsonLimits::default()) {
            Ok(document) => document,
            Err(error) => {
                let place = Place::new(file, error.range(text).unwrap_or(0..0));
                findings.push(unread(place, format!("the sample cannot be read: {error}")));
                return;
            }
        };
        let document = match http.reading {
            Reading::Plain(_) => document,
            Reading::GraphQl => match graphql_data(&document) {
                Ok(data) => data.value,
                Err(_) => {
                    findings.push(unread(Place::new(file, 0..0), "the sample has no `data`".to_owned()));
                    return;
                }
            },
        };
        if let Some(extract) = &decl.extract {
            Trial { sample: &sample.value, findings }.extract(extract, &document);
        }
    }
}

/// What a selector came to in one document.
enum Came {
    Fits,
    /// This is there instead.
    Misfit(&'static str),
    Nothing,
}

struct Trial<'t> {
    sample: &'t str,
    findings: &'t mut Findings,
}

impl Trial<'_> {
    fn extract(&mut self, extract: &Node, document: &Value) {
        match &extract.kind {
            NodeKind::String(_) => self.select(extract, None, &[document]),
            NodeKind::Table(table) if is_each(table) => self.field(extract, &[document]),
            NodeKind::Table(table) => self.fields(table, &[document]),
            NodeKind::Int(_) | NodeKind::Float(_) | NodeKind::Bool(_) | NodeKind::Datetime(_) | NodeKind::Array(_) => {}
        }
    }

    fn fields(&mut self, fields: &Table, documents: &[&Value]) {
        for entry in fields {
            if !entry.node.is_false() {
                self.field(&entry.node, documents);
            }
        }
    }

    /// One field, in each of the documents that it is taken from.
    fn field(&mut self, field: &Node, documents: &[&Value]) {
        let Some(table) = field.as_table() else { return self.select(field, None, documents) };
        // What is wrong with the declaration was found when it was compiled.
        let decl = FieldDecl::read(table, &mut Findings::default());
        if let Some(each) = &decl.each {
            let selectors = selectors(each);
            let budget = Budget::default();
            let nodes = documents.iter().flat_map(|document| {
                selectors.iter().flat_map(|selector| selector.all(document, &budget).unwrap_or_default())
            });
            let nodes: Vec<&Value> = nodes.collect();
            if nodes.is_empty() && !selectors.is_empty() {
                return self.nothing(each);
            }
            if let Some(fields) = &decl.fields {
                self.fields(fields, &nodes);
            }
        } else if let Some(select) = &decl.select {
            let kind = decl.kind.as_ref().and_then(|name| Type::from_name(&name.value));
            self.select(select, kind, documents);
        }
    }

    fn select(&mut self, select: &Node, kind: Option<Type>, documents: &[&Value]) {
        let selectors = selectors(select);
        if selectors.is_empty() {
            return;
        }
        let came: Vec<Came> = documents.iter().map(|document| tried(&selectors, kind, document)).collect();
        let misfit = came.iter().find_map(|came| if let Came::Misfit(found) = came { Some(*found) } else { None });
        if let (Some(found), Some(kind)) = (misfit, kind) {
            let message = format!("what `{}` finds in `{}` is no `{}`", written(select), self.sample, kind.name());
            let help = format!("found: {found}; what does not fit counts as missing");
            self.findings.push(Finding::new(&code::SAMPLE_MISFIT, select.place, message).help(help));
        } else if !came.iter().any(|came| matches!(came, Came::Fits)) {
            self.nothing(select);
        }
    }

    fn nothing(&mut self, select: &Node) {
        let message = format!("`{}` finds nothing in `{}`", written(select), self.sample);
        let help = "mend the selector, or the sample if the upstream answers differently now";
        self.findings.push(Finding::new(&code::SAMPLE_FINDS_NOTHING, select.place, message).help(help));
    }
}

/// The first selector whose finding fits decides, as it does for an answer.
fn tried(selectors: &[Selector], kind: Option<Type>, document: &Value) -> Came {
    let budget = Budget::default();
    let mut came = Came::Nothing;
    for selector in selectors {
        let nodes = selector.all(document, &budget).unwrap_or_default();
        let is_list = !selector.is_singular() && kind == Some(Type::List);
        for node in nodes.into_iter().filter(|node| !node.is_null()) {
            match kind.filter(|_| !is_list) {
                Some(kind) if kind.fit(node).is_none() => came = Came::Misfit(node.type_name()),
                Some(_) | None => return Came::Fits,
            }
        }
    }
    came
}

pub(super) fn selectors(select: &Node) -> Vec<Selector> {
    let one = |node: &Node| Selector::compile(&node.as_text()?.content).ok();
    match &select.kind {
        NodeKind::Array(items) => items.iter().filter_map(one).collect(),
        NodeKind::String(_)
        | NodeKind::Int(_)
        | NodeKind::Float(_)
        | NodeKind::Bool(_)
        | NodeKind::Datetime(_)
        | NodeKind::Table(_) => one(select).into_iter().collect(),
    }
}

/// The selectors as their author wrote them.
pub(super) fn written(select: &Node) -> String {
    let text = |node: &Node| node.as_text().map(|text| text.content.clone());
    match &select.kind {
        NodeKind::Array(items) => items.iter().filter_map(text).collect::<Vec<_>>().join("`, `"),
        NodeKind::String(_)
        | NodeKind::Int(_)
        | NodeKind::Float(_)
        | NodeKind::Bool(_)
        | NodeKind::Datetime(_)
        | NodeKind::Table(_) => text(select).unwrap_or_default(),
    }
}
