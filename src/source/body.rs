//! What a call sends besides its address and its header fields: a method, and a body as JSON, form, text or GraphQL.
//!
//! A page is made as often as anybody asks for it, so what it calls should only read. GET does; other methods do if the
//! declaration says so (`safe = true`), and are then repeated and shared like GET. Otherwise a call is made once for each page
//! that is made, never repeated and never shared (RFC 9110, section 9.2).

use super::code;
use super::decl::QueryValue;
use super::http::{encoded, query_values};
use super::piece::{Pieces, refuse_secrets, refuse_secrets_in};
use super::target::encode_segment;
use super::{Context, NoCall};
use crate::config::{
    Binding, Named, Node, NotText, Part, Reference, Shape, Template, Text, declare, scalar_text, words,
};
use crate::diagnostic::{Finding, Findings, Place, Spanned};
use crate::extract;
use crate::value::{ObjectBuilder, Value, write_json};
use bytes::Bytes;
use http::header::HeaderValue;
use std::sync::Arc;

declare! {
    /// What a call sends, and what it expects back.
    pub struct SendingDecl {
        /// The method; default `"GET"`, with a body `"POST"`.
        "method": method: Spanned<Method>,
        /// Whether a call of another method than GET only reads; default `false`, but a GraphQL document without a mutation does. Only such calls are repeated, and shared by requests that make them at the same time.
        "safe": safe: Spanned<bool>,
        /// The body as JSON: any TOML, its strings with placeholders. A string that is one placeholder keeps its type.
        "body": body: Spanned<Shape>,
        /// The body as a form (`application/x-www-form-urlencoded`). A list repeats its key; null leaves it out.
        "form": form: Spanned<Named<Node>> as Named<QueryValue>,
        /// The body as text, with placeholders; null is empty.
        "text": text: Spanned<Template>,
        /// A GraphQL document that is posted with `variables`; its braces are its own, no placeholders. The source's value is the answer's `data`.
        "graphql": graphql: Text,
        /// The variables of `graphql`: any TOML, its strings with placeholders.
        "variables": variables: Spanned<Shape>,
        /// How the answer is read; default `"json"`.
        "format": format: Spanned<FormatWord>,
    }
}

words! {
    /// A method that a source may call with.
    pub enum Method {
        /// Reads.
        "GET": Get,
        /// Does what the upstream makes of its body.
        "POST": Post,
        /// Puts the body in the place of what is there.
        "PUT": Put,
        /// Changes a part of what is there.
        "PATCH": Patch,
        /// Removes what is there.
        "DELETE": Delete,
    }
}

words! {
    /// How an answer is read.
    pub enum FormatWord {
        /// JSON.
        "json": Json,
        /// The whole body as one string.
        "text": Text,
        /// HTML, sanitised; markup in layouts.
        "html": Html,
        /// Comma-separated values: a list of objects, named by the first row.
        "csv": Csv,
        /// One YAML document.
        "yaml": Yaml,
        /// XML: an object that holds the outermost element.
        "xml": Xml,
    }
}

impl FormatWord {
    /// The format that is meant.
    pub(super) fn format(self) -> extract::Format {
        match self {
            Self::Json => extract::Format::Json,
            Self::Text => extract::Format::Text,
            Self::Html => extract::Format::Html,
            Self::Csv => extract::Format::Csv,
            Self::Yaml => extract::Format::Yaml,
            Self::Xml => extract::Format::Xml,
        }
    }
}

impl Method {
    fn method(self) -> http::Method {
        match self {
            Self::Get => http::Method::GET,
            Self::Post => http::Method::POST,
            Self::Put => http::Method::PUT,
            Self::Patch => http::Method::PATCH,
            Self::Delete => http::Method::DELETE,
        }
    }
}

/// What a call sends.
#[derive(Debug, Clone)]
pub(super) struct Sent<R = Reference> {
    pub(super) method: http::Method,
    /// Whether the call only reads.
    pub(super) safe: bool,
    pub(super) body: Option<Body<R>>,
}

/// A body with placeholders.
#[derive(Debug, Clone)]
pub(super) enum Body<R = Reference> {
    Json(Shape<R>),
    Form(Vec<(String, Vec<Pieces<R>>)>),
    Text(Template<R>),
    GraphQl { document: Arc<str>, variables: Shape<R> },
}

impl Sent {
    pub(super) fn compile(decl: &SendingDecl, context: &Context<'_>, findings: &mut Findings) -> Option<Self> {
        let body = Body::compile(decl, context, findings);
        let default = if first_body(decl).is_some() { Method::Post } else { Method::Get };
        let word = decl.method.as_ref().map_or(default, |method| method.value);
        if let (Method::Get, Some(method), Some(place)) = (word, &decl.method, first_body(decl)) {
            let message = "a body on a GET";
            findings.push(
                Finding::new(&code::BODY_WITH_GET, place, message)
                    .related(method.place, "the method")
                    .help("leave `method` out: with a body it is POST; or send query values: `query = { … }`"),
            );
            return None;
        }
        let reads =
            word == Method::Get || matches!(&body, Some(Some(Body::GraphQl { document, .. })) if only_reads(document));
        let safe = reads || decl.safe.as_ref().is_some_and(|safe| safe.value);
        if let Some(written) = decl.safe.as_ref().filter(|safe| reads && !safe.value) {
            let what = if word == Method::Get { "a GET" } else { "a GraphQL document without a mutation" };
            let message = format!("`safe = false` on {what}, which only reads");
            let help = "leave it out; a call that changes something is a POST, PUT, PATCH or DELETE, or a mutation";
            findings.push(Finding::new(&code::SAFE, written.place, message).help(help));
        }
        // What a body that cannot be read would do is not known.
        if !safe && body.is_some() && !context.is_sent {
            let place = decl.method.as_ref().map(|method| method.place).or_else(|| first_body(decl));
            let message = format!("a {} that may change something, each time a page is made", word.method());
            let help = "if it only reads, say so: `safe = true`; it is then repeated and shared like a GET";
            if let Some(place) = place {
                findings.push(Finding::new(&code::UNSAFE_METHOD, place, message).help(help));
            }
        }
        Some(Self { method: word.method(), safe, body: body? })
    }
}

/// Where the first of the keys stands that make a body.
fn first_body(decl: &SendingDecl) -> Option<Place> {
    bodies(decl).into_iter().find_map(|(_, place)| place)
}

fn bodies(decl: &SendingDecl) -> [(&'static str, Option<Place>); 4] {
    [
        ("body", decl.body.as_ref().map(|body| body.place)),
        ("form", decl.form.as_ref().map(|form| form.place)),
        ("text", decl.text.as_ref().map(|text| text.place)),
        ("graphql", decl.graphql.as_ref().map(|document| document.inner)),
    ]
}

impl SendingDecl {
    /// Each key that is written, and where.
    pub(super) fn written(&self) -> Vec<(&'static str, Option<Place>)> {
        let mut written = vec![
            ("method", self.method.as_ref().map(|method| method.place)),
            ("safe", self.safe.as_ref().map(|safe| safe.place)),
            ("variables", self.variables.as_ref().map(|variables| variables.place)),
            ("format", self.format.as_ref().map(|format| format.place)),
        ];
        written.extend(bodies(self));
        written
    }
}

impl Body {
    /// The one body that is declared; the outer `None` after a finding.
    #[expect(clippy::option_option, reason = "no body is fine, and is not the same as one that is wrong")]
    fn compile(decl: &SendingDecl, context: &Context<'_>, findings: &mut Findings) -> Option<Option<Self>> {
        let mut written = bodies(decl).into_iter().filter_map(|(key, place)| Some((key, place?)));
        if let (Some((first, first_place)), Some((second, place))) = (written.next(), written.next()) {
            let message = format!("a call with both `{first}` and `{second}`");
            findings.push(
                Finding::new(&code::TWO_BODIES, place, message)
                    .related(first_place, "the other")
                    .help("a call has one body: keep one"),
            );
            return None;
        }
        if let (Some(variables), None) = (&decl.variables, &decl.graphql) {
            let message = "`variables` without `graphql`";
            findings.push(Finding::new(&code::TWO_BODIES, variables.place, message).help("JSON is sent as `body`"));
            return None;
        }
        let what = "the body of a call";
        Some(if let Some(shape) = &decl.body {
            refuse_secrets_in(&shape.value, what, context.environment, findings);
            Some(Self::Json(shape.value.clone()))
        } else if let Some(form) = &decl.form {
            let fields =
                form.value.0.iter().map(|(name, node)| (encoded(&name.value), query_values(node, context, findings)));
            let fields: Vec<_> = fields.collect();
            for pieces in fields.iter().flat_map(|(_, values)| values).filter(|value| value.secrets().next().is_some())
            {
                let message = format!("a variable of the environment in {what}");
                let help = "secrets may stand in `headers` and `query` of upstreams and sources";
                findings.push(Finding::new(&code::SECRET_OUT_OF_PLACE, pieces.place, message).help(help));
            }
            Some(Self::Form(fields))
        } else if let Some(text) = &decl.text {
            refuse_secrets(&text.value, what, context.environment, findings);
            Some(Self::Text(text.value.clone()))
        } else if let Some(document) = &decl.graphql {
            let variables = decl.variables.as_ref().map(|variables| variables.value.clone());
            let variables = variables.unwrap_or_else(|| Shape::Literal(ObjectBuilder::default().finish().into()));
            refuse_secrets_in(&variables, what, context.environment, findings);
            Some(Self::GraphQl { document: document.content.as_str().into(), variables })
        } else {
            None
        })
    }

    pub(super) fn references(&self) -> Vec<&Reference> {
        match self {
            Self::Json(shape) | Self::GraphQl { variables: shape, .. } => shape.references(),
            Self::Form(fields) => fields.iter().flat_map(|(_, values)| values).flat_map(Pieces::references).collect(),
            Self::Text(template) => template.references().collect(),
        }
    }

    fn link(&self, resolve: &mut impl FnMut(&Reference) -> Option<Binding>) -> Option<Body<Binding>> {
        Some(match self {
            Self::Json(shape) => Body::Json(shape.try_map(resolve)?),
            Self::Form(fields) => Body::Form(link_pairs(fields, resolve)?),
            Self::Text(template) => Body::Text(template.try_map(resolve)?),
            Self::GraphQl { document, variables } => {
                Body::GraphQl { document: Arc::clone(document), variables: variables.try_map(resolve)? }
            }
        })
    }
}

/// Names and their values with placeholders resolved; every one of them is looked at.
pub(super) fn link_pairs(
    pairs: &[(String, Vec<Pieces>)],
    resolve: &mut impl FnMut(&Reference) -> Option<Binding>,
) -> Option<Vec<(String, Vec<Pieces<Binding>>)>> {
    let mut linked = Vec::with_capacity(pairs.len());
    for (name, values) in pairs {
        let values: Vec<_> = values.iter().map(|value| value.link(resolve)).collect();
        linked.push((name.clone(), values.into_iter().collect::<Option<Vec<_>>>()));
    }
    linked.into_iter().map(|(name, values)| Some((name, values?))).collect()
}

/// Gives `push` each `name=value`, encoded: once, never for null, and for each item of a list.
pub(super) fn write_pairs(
    pairs: &[(String, Vec<Pieces<Binding>>)],
    slots: &[Value],
    mut push: impl FnMut(&str),
) -> Result<(), NotText> {
    for (name, values) in pairs {
        for value in values {
            if let Some(items) = value.as_single().and_then(|binding| binding.value(slots).as_list()) {
                for item in items {
                    push(&format!("{name}={}", encoded(&scalar_text(item)?)));
                }
            } else if let Some(text) = value.text(slots, encode_segment)? {
                push(&format!("{name}={text}"));
            }
        }
    }
    Ok(())
}

impl Sent {
    pub(super) fn link(&self, resolve: &mut impl FnMut(&Reference) -> Option<Binding>) -> Option<Sent<Binding>> {
        let body = match &self.body {
            Some(body) => Some(body.link(resolve)?),
            None => None,
        };
        Some(Sent { method: self.method.clone(), safe: self.safe, body })
    }
}

impl<R> Body<R> {
    /// Its media type, unless the declaration names another.
    pub(super) fn content_type(&self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::Json(_) | Self::GraphQl { .. } => "application/json",
            Self::Form(_) => "application/x-www-form-urlencoded",
            Self::Text(_) => "text/plain; charset=utf-8",
        })
    }
}

impl Body<Binding> {
    /// The bytes for one request.
    pub(super) fn bytes(&self, slots: &[Value]) -> Result<Bytes, NoCall> {
        let mut out = String::new();
        match self {
            Self::Json(shape) => write_json(&shape.value(slots)?, &mut out),
            Self::Form(fields) => write_pairs(fields, slots, |pair| {
                if !out.is_empty() {
                    out.push('&');
                }
                out.push_str(pair);
            })?,
            Self::Text(template) => {
                for part in &template.parts {
                    match part {
                        Part::Literal(text) => out.push_str(text),
                        Part::Value(binding) => out.push_str(&scalar_text(binding.value(slots))?),
                        Part::Env(_) => {}
                    }
                }
            }
            Self::GraphQl { document, variables } => {
                let mut object = ObjectBuilder::with_capacity(2);
                object.push("query", Value::text(Arc::clone(document)));
                object.push("variables", variables.value(slots)?);
                write_json(&object.finish().into(), &mut out);
            }
        }
        Ok(out.into())
    }
}

/// Whether no operation of a GraphQL document is a mutation: the word stands outside of all braces, strings and comments.
fn only_reads(document: &str) -> bool {
    let mut depth = 0_usize;
    let mut rest = document;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '{' | '(' => {
                depth += 1;
                1
            }
            '}' | ')' => {
                depth = depth.saturating_sub(1);
                1
            }
            '#' => rest.find(['\n', '\r']).unwrap_or(rest.len()),
            '"' => string_length(rest),
            _ if is_name(first) => {
                let length = rest.find(|character| !is_name(character)).unwrap_or(rest.len());
                if depth == 0 && rest.get(..length) == Some("mutation") {
                    return false;
                }
                length
            }
            other => other.len_utf8(),
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    true
}

fn is_name(character: char) -> bool {
    character.is_ascii_alphanumeric() || character == '_'
}

/// The length of the string that `text` begins with, quotes included.
fn string_length(text: &str) -> usize {
    if let Some(block) = text.strip_prefix("\"\"\"") {
        let mut at = 0;
        while let Some(found) = block.get(at..).and_then(|rest| rest.find("\"\"\"")) {
            let end = at + found;
            if !block.get(..end).is_some_and(|before| before.ends_with('\\')) {
                return end + 6;
            }
            at = end + 3;
        }
        return text.len();
    }
    let mut escaped = false;
    let end = text.char_indices().skip(1).find(|&(_, character)| {
        let ends = matches!(character, '"' | '\n') && !escaped;
        escaped = character == '\\' && !escaped;
        ends
    });
    end.map_or(text.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_has_its_word() {
        let names: Vec<_> = extract::Format::names().collect();
        let mut words = FormatWord::WORDS.to_vec();
        words.sort_unstable();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        assert_eq!(words, sorted);
        for word in
            [FormatWord::Json, FormatWord::Text, FormatWord::Html, FormatWord::Csv, FormatWord::Yaml, FormatWord::Xml]
        {
            let name = FormatWord::WORDS[word as usize];
            assert_eq!(Some(word.format()), extract::Format::from_name(name));
        }
    }

    #[test]
    fn a_mutation_is_told_from_what_is_only_called_so() {
        for (document, reads) in [
            ("{ me { name } }", true),
            ("query { mutation }", true),
            ("query Q($a: String = \"mutation\") { a }", true),
            ("# mutation\nquery { a }", true),
            ("query A { a } \"\"\" mutation \\\"\"\" mutation \"\"\" query B { b }", true),
            ("mutation { add }", false),
            ("query A { a } mutation B { b }", false),
            ("fragment F on mutations { a } query { ...F }", true),
            ("\"a\\\" mutation\" mutation { b }", false),
        ] {
            assert_eq!(only_reads(document), reads, "{document}");
        }
    }
}
