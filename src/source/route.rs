//! A source that is a JSON route of the same site, asked in process: no socket, no bytes, its value as it is.
//!
//! Which route that is is known at load: literal segments and placeholders are compared with its pattern, never with values.
//! So everything that the route reads, and whose data it shows, is known of the source as well.

use super::body::{link_pairs, write_pairs};
use super::decl::Decl;
use super::http::{encoded, query_values};
use super::piece::{Pieces, refuse_secrets};
use super::target::{NoCall, PathTemplate};
use super::{Context, code};
use crate::config::{BAD_VALUE, Binding, Part, Reference};
use crate::diagnostic::{Finding, Findings, Place};
use crate::value::Value;
use http::header::{self, HeaderName};

/// A source that is a route of the same site.
#[derive(Debug, Clone)]
pub struct InProcess<R = Reference> {
    path: PathTemplate<R>,
    /// The path as the author wrote it, without a final slash.
    pub written: String,
    query: Vec<(String, Vec<Pieces<R>>)>,
    /// The keys of its query, and where they stand.
    pub query_keys: Vec<(String, Place)>,
    /// Where the path was written.
    pub place: Place,
    /// What the site knows of the route.
    pub asked: Asked,
}

/// The route that is asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    /// Its position.
    pub route: usize,
    /// The header fields of the visitor's request that it reads, or sends along.
    pub visitor: Vec<HeaderName>,
    /// The way by which one person's data reaches its answer, if it does.
    pub personal: Option<Vec<Step>>,
}

/// A step on the way from a person to a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What holds the person's data, as an author would say it: `cookies.session`, `sources.me`.
    pub value: String,
    /// What takes it from there, and how.
    pub how: String,
    /// Where that is written.
    pub place: Place,
}

impl InProcess {
    pub(super) fn compile(decl: &Decl, context: &Context<'_>, findings: &mut Findings) -> Option<Self> {
        let route = decl.route.as_ref()?;
        let template = &route.value;
        refuse_secrets(template, "the path of a route", context.environment, findings);
        let is_path = matches!(template.parts.first(), Some(Part::Literal(text)) if text.starts_with('/'));
        let divided = |part: &Part| matches!(part, Part::Literal(text) if text.contains(['?', '#']));
        let is_sound = is_path && !template.parts.iter().any(divided);
        if !is_sound {
            let message = "not the path of a route of this site";
            let help = "route = \"/api/products/{params.id}\"; query values stand in `query = { … }`";
            findings.push(Finding::new(&BAD_VALUE, route.place, message).help(help));
        }
        let named = || decl.query.iter().flat_map(|named| &named.0);
        let asking = Self {
            path: PathTemplate(template.clone()),
            written: template.as_written().trim_end_matches('/').to_owned(),
            query: named().map(|(name, node)| (encoded(&name.value), query_values(node, context, findings))).collect(),
            query_keys: named().map(|(name, _)| (name.value.clone(), name.place)).collect(),
            place: route.place,
            asked: Asked::default(),
        };
        asking.refuse_secrets(findings);
        is_sound.then_some(asking)
    }

    /// What the placeholders refer to.
    pub fn references(&self) -> Vec<&Reference> {
        let query = self.query.iter().flat_map(|(_, values)| values).flat_map(Pieces::references);
        self.path_references().into_iter().chain(query).collect()
    }

    /// What the placeholders of the path refer to.
    pub(super) fn path_references(&self) -> Vec<&Reference> {
        self.path.0.references().collect()
    }

    pub(super) fn link(&self, resolve: &mut impl FnMut(&Reference) -> Option<Binding>) -> Option<InProcess<Binding>> {
        let path = self.path.link(resolve);
        let query = link_pairs(&self.query, resolve);
        Some(InProcess {
            path: path?,
            written: self.written.clone(),
            query: query?,
            query_keys: self.query_keys.clone(),
            place: self.place,
            asked: self.asked.clone(),
        })
    }

    /// Finds secrets in the query: they could reach a page by way of the route.
    fn refuse_secrets(&self, findings: &mut Findings) {
        for pieces in self.query.iter().flat_map(|(_, values)| values).filter(|it| it.secrets().next().is_some()) {
            let message = "a variable of the environment in the query of a route";
            let help = "secrets may stand in `headers` and `query` of upstreams and of sources that call them";
            findings.push(Finding::new(&code::SECRET_OUT_OF_PLACE, pieces.place, message).help(help));
        }
    }
}

impl<R> InProcess<R> {
    /// Whether a cookie of the visitor's is read or sent along.
    pub fn reads_cookies(&self) -> bool {
        self.asked.visitor.contains(&header::COOKIE)
    }
}

impl InProcess<Binding> {
    /// The target as far as it is known before other sources have their values: `spell` names those of values that are not known.
    pub fn sketch(&self, slots: &[Value], spell: &impl Fn(&Binding) -> Option<String>) -> Result<String, NoCall> {
        let spelled = |values: &Vec<Pieces<Binding>>| values.iter().map(|value| value.spelled(spell)).collect();
        let path = PathTemplate(self.path.0.spelled(spell));
        let query = self.query.iter().map(|(key, values)| (key.clone(), spelled(values))).collect();
        Self { path, query, ..self.clone() }.target(slots)
    }

    /// The target of one request: a path and a query.
    pub fn target(&self, slots: &[Value]) -> Result<String, NoCall> {
        let mut target = String::with_capacity(64);
        self.path.write(slots, &mut target)?;
        let mut separator = '?';
        write_pairs(&self.query, slots, |pair| {
            target.push(separator);
            target.push_str(pair);
            separator = '&';
        })?;
        Ok(target)
    }
}
