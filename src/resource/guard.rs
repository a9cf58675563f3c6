//! Guards: who may have what a route answers, and what is answered to the others.
//!
//! A guard belongs to the route that a request has matched, whatever its method and whatever it asks for of it. It judges claims, which are
//! values: how they were proved is known to those who ask it. Every level adds one, and all must hold.

use super::code;
use crate::config::{
    Binding, Declared, Decode, Described, Kind, Node, OneOrMany, Reference, Schema, Table, Template, declare,
    not_a_word, wrong_type,
};
use crate::diagnostic::{Finding, Findings, Place, Spanned};
use crate::identity::{Identities, Identity};
use crate::value::{Value, write_json};
use std::fmt;
use std::sync::Arc;

/// What a route says of guards, with all levels around it.
#[derive(Debug, Clone)]
pub enum GuardsDecl {
    /// `guard = false`: everybody may have it, whatever its sections say.
    Open(Place),
    /// Those of all levels, the outermost first.
    Levels(Vec<GuardDecl>),
}

declare! {
    /// Who may have what a route answers. Guards of `[defaults]`, of sections and of the route must all hold; `guard = false` opens a route.
    pub struct GuardDecl {
        /// `"user"`: anybody who is known, which is the default. Or a table of claims, all of which must hold: a value that the claim is, or
        /// that its list holds; a list of such values, of which one is enough; `{ present = true }`.
        "require": require: Node as Require,
        /// Which of the site's identities count here: `"jwt"`, `"basic"`, `"forward"`, or a list of them; default all that it declares.
        "auth": auth: Spanned<OneOrMany<Identity>>,
        /// A source of the route that carries the visitor's credential and says who that is, instead of an identity: its value is `user`.
        "source": source: Spanned<String>,
        /// What nobody, and whoever cannot be known, is answered: `"status"` (401, the default), or `{ redirect = "/login", next = "next" }`,
        /// where the query value `next` says what was asked for. JSON routes answer 401 in any case.
        "on-unauthorized": on_unauthorized: Spanned<Refusal>,
        /// What somebody is answered who may not have it: `"status"` (403, the default), `"not-found"`, or `{ redirect = "/upgrade" }`.
        "on-forbidden": on_forbidden: Spanned<Refusal>,
    }
}

/// What may be written for `require`.
struct Require;

impl Described for Require {
    fn schema() -> Schema {
        Schema::Either(vec![Schema::words([ANYBODY]), Schema::Free])
    }
}

/// What is required of anybody who is known.
const ANYBODY: &str = "user";

/// What is answered in place of what a guard keeps back.
#[derive(Debug, Clone)]
pub enum Refusal<R = Reference> {
    /// The status alone: 401 with a challenge, or 403.
    Status,
    /// 404, as if there were nothing.
    NotFound,
    /// The visitor is sent elsewhere.
    Redirect {
        /// Where.
        target: Template<R>,
        /// The query value that says what was asked for, if any does.
        next: Option<String>,
    },
}

const REFUSALS: &[&str] = &["status", "not-found"];

declare! {
    /// Sends the visitor elsewhere.
    struct RedirectDecl requires ["redirect"] {
        /// Where: a path of this site, or a whole URL. Sent with 302, to a form that was sent with 303.
        "redirect": redirect: Template,
        /// The query value that says what was asked for: with `"next"`, `/login?next=/orders`. A query value of `type = "path"` takes it.
        "next": next: Spanned<String>,
    }
}

impl Described for Refusal {
    fn schema() -> Schema {
        Schema::Either(vec![Schema::words(REFUSALS.iter().copied()), RedirectDecl::schema()])
    }
}

impl Decode for Refusal {
    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        if let Some(table) = node.as_table() {
            if table.is_empty() {
                findings.push(wrong_type(node, "`{ redirect = \"/login\" }`"));
            }
            let RedirectDecl { redirect, next, .. } = RedirectDecl::read(table, findings);
            return Some(Self::Redirect { target: redirect?, next: next.map(|next| next.value) });
        }
        match node.as_text().map(|text| text.content.as_str()) {
            Some("status") => Some(Self::Status),
            Some("not-found") => Some(Self::NotFound),
            word => {
                findings.push(not_a_word(node, word, REFUSALS));
                None
            }
        }
    }
}

impl Described for GuardsDecl {
    fn schema() -> Schema {
        Schema::Either(vec![GuardDecl::schema(), Schema::Array(Box::new(GuardDecl::schema())), Schema::Boolean])
    }
}

impl Decode for GuardsDecl {
    const REMOVABLE: bool = false;

    fn decode(node: &Node, findings: &mut Findings) -> Option<Self> {
        match &node.kind {
            Kind::Bool(false) => Some(Self::Open(node.place)),
            Kind::Array(levels) => {
                let levels: Vec<_> = levels.iter().map(|level| GuardDecl::decode(level, findings)).collect();
                levels.into_iter().collect::<Option<_>>().map(Self::Levels)
            }
            Kind::Table(_) => GuardDecl::decode(node, findings).map(|guard| Self::Levels(vec![guard])),
            Kind::String(_) | Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Datetime(_) => {
                findings.push(wrong_type(node, "a table, or `false` for a route that is open"));
                None
            }
        }
    }
}

/// Makes a level of what one file says, so that those of several files add up when they are merged.
pub fn as_level(table: &mut Table) {
    if let Some(node) = table.node_mut("guard")
        && let Kind::Table(_) = node.kind
    {
        node.kind = Kind::Array(vec![node.clone()]);
    }
}

/// A guard of one level.
#[derive(Debug, Clone)]
pub struct Guard<R = Binding> {
    /// What must hold of whoever is known; nothing more if it is empty.
    pub claims: Vec<Claim>,
    /// Who says who asks.
    pub by: Knowing,
    /// What nobody is answered.
    pub on_unauthorized: Refusal<R>,
    /// What somebody is answered of whom not all claims hold.
    pub on_forbidden: Refusal<R>,
    /// Where it was written.
    pub place: Place,
}

/// Who says who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Knowing {
    /// These identities, as far as the site declares them.
    Identities(Identities),
    /// The source at this position.
    Source(usize),
}

/// Something that must hold of a claim.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The names that lead to it.
    pub path: Vec<Arc<str>>,
    /// What it has to be.
    pub wanted: Wanted,
}

/// What a claim has to be.
#[derive(Debug, Clone, PartialEq)]
pub enum Wanted {
    /// There, and neither null, false nor empty.
    Present,
    /// One of these values, or a list that holds one of them.
    OneOf(Vec<Value>),
}

impl Claim {
    /// Whether it holds of `user`.
    pub fn holds(&self, user: &Value) -> bool {
        let mut value = user;
        for name in &self.path {
            match value.get(name) {
                Some(inner) => value = inner,
                None => return false,
            }
        }
        match &self.wanted {
            Wanted::Present => match value {
                Value::Null | Value::Bool(false) => false,
                Value::List(items) => !items.is_empty(),
                Value::Text(text) => !text.is_empty(),
                Value::Bool(true) | Value::Int(_) | Value::UInt(_) | Value::Float(_) | Value::Object(_) => true,
            },
            Wanted::OneOf(wanted) => match value.as_list() {
                Some(items) => items.iter().any(|item| wanted.contains(item)),
                None => wanted.contains(value),
            },
        }
    }
}

/// As it would be required: `role is "admin"`, `groups is "a" or "b"`, `email is present`.
impl fmt::Display for Claim {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is ", self.path.join("."))?;
        match &self.wanted {
            Wanted::Present => formatter.write_str("present"),
            Wanted::OneOf(values) => {
                let texts: Vec<String> = values
                    .iter()
                    .map(|value| {
                        let mut text = String::new();
                        write_json(value, &mut text);
                        text
                    })
                    .collect();
                formatter.write_str(&texts.join(" or "))
            }
        }
    }
}

/// What it lets in: whoever is known, or of whom all claims hold.
impl<R> fmt::Display for Guard<R> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let claims: Vec<String> = self.claims.iter().map(ToString::to_string).collect();
        match claims.as_slice() {
            [] => formatter.write_str("whoever is known"),
            claims => write!(formatter, "a user whose {}", claims.join(", and whose ")),
        }
    }
}

impl<R> Guard<R> {
    /// Whether it lets in whoever is known as `user`.
    pub fn admits(&self, user: &Value) -> bool {
        self.claims.iter().all(|claim| claim.holds(user))
    }
}

/// What `require` says; nothing beyond being known if it is not there.
pub fn required(decl: &GuardDecl, findings: &mut Findings) -> Option<Vec<Claim>> {
    let Some(node) = &decl.require else { return Some(Vec::new()) };
    match &node.kind {
        Kind::String(text) if text.content == ANYBODY => Some(Vec::new()),
        Kind::Table(table) if !table.is_empty() => {
            let mut claims = Vec::new();
            let mut path = Vec::new();
            let is_sound = claims_of(table, &mut path, &mut claims, findings);
            is_sound.then_some(claims)
        }
        Kind::Table(_) | Kind::String(_) => {
            let message = "this requires nothing of anybody";
            let help = "require = \"user\" for whoever is known, or a claim: require = { role = \"admin\" }";
            findings.push(Finding::new(&code::BAD_REQUIREMENT, node.place, message).help(help));
            None
        }
        Kind::Array(_) | Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Datetime(_) => {
            findings.push(wrong_type(node, "`\"user\"` or a table of claims"));
            None
        }
    }
}

fn claims_of(table: &Table, path: &mut Vec<Arc<str>>, claims: &mut Vec<Claim>, findings: &mut Findings) -> bool {
    let mut is_sound = true;
    for entry in table {
        path.push(entry.key.value.as_str().into());
        let wanted = match &entry.node.kind {
            Kind::Table(inner) if is_present(inner) => Some(Wanted::Present),
            Kind::Table(inner) if inner.get("present").is_some() => {
                let message = format!("`{}` can be required to be present, and nothing else of that", path.join("."));
                let help =
                    "write { present = true }; what lets in those who lack a claim lets in everybody who leaves it out";
                findings.push(Finding::new(&code::BAD_REQUIREMENT, entry.node.place, message).help(help));
                is_sound = false;
                None
            }
            Kind::Table(inner) if !inner.is_empty() => {
                is_sound &= claims_of(inner, path, claims, findings);
                None
            }
            Kind::Array(items) if !items.is_empty() => {
                let values: Vec<_> = items.iter().map(|item| scalar(item, findings)).collect();
                let values = values.into_iter().collect::<Option<Vec<_>>>();
                is_sound &= values.is_some();
                values.map(Wanted::OneOf)
            }
            Kind::Table(_) | Kind::Array(_) => {
                let message = format!("`{}` requires nothing", path.join("."));
                let help = "a value, a list of values of which one is enough, or { present = true }";
                findings.push(Finding::new(&code::BAD_REQUIREMENT, entry.node.place, message).help(help));
                is_sound = false;
                None
            }
            Kind::String(_) | Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) | Kind::Datetime(_) => {
                let value = scalar(&entry.node, findings);
                is_sound &= value.is_some();
                value.map(|value| Wanted::OneOf(vec![value]))
            }
        };
        claims.extend(wanted.map(|wanted| Claim { path: path.clone(), wanted }));
        path.pop();
    }
    is_sound
}

/// `{ present = true }`
fn is_present(table: &Table) -> bool {
    let mut entries = table.into_iter();
    let first = entries.next().filter(|entry| entry.key.value == "present");
    entries.next().is_none() && matches!(first.map(|entry| &entry.node.kind), Some(Kind::Bool(true)))
}

fn scalar(node: &Node, findings: &mut Findings) -> Option<Value> {
    match &node.kind {
        Kind::String(text) if text.content.contains('{') => {
            let message = "a placeholder in what a guard requires";
            let help = "who may have a page is known before anything is asked for: write the value out";
            findings.push(Finding::new(&crate::config::PLACEHOLDER_NOT_READ, node.place, message).help(help));
            None
        }
        Kind::String(_) | Kind::Int(_) | Kind::Float(_) | Kind::Bool(_) => Some(node.to_value()),
        Kind::Array(_) | Kind::Table(_) | Kind::Datetime(_) => {
            findings.push(wrong_type(node, "a string, a number or a boolean"));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::read_toml;
    use crate::diagnostic::Files;

    fn claims(text: &str) -> Option<Vec<Claim>> {
        let (mut files, mut findings) = (Files::default(), Findings::default());
        let file = files.add("a.toml", text);
        let table = read_toml(file, 0..text.len(), &files, &mut findings);
        let decl = GuardDecl::read(&table, &mut findings);
        required(&decl, &mut findings)
    }

    fn value(json: &serde_json::Value) -> Value {
        use serde_json::Value as Json;
        match json {
            Json::Null => Value::Null,
            Json::Bool(said) => Value::Bool(*said),
            Json::Number(number) => Value::Int(number.as_i64().unwrap()),
            Json::String(text) => text.as_str().into(),
            Json::Array(items) => Value::list(items.iter().map(value).collect()),
            Json::Object(members) => {
                Value::Object(members.iter().map(|(name, item)| (name.as_str(), value(item))).collect())
            }
        }
    }

    #[test]
    fn claims_are_judged_by_value_set_and_presence() {
        let user = r#"{"role":"admin","groups":["a","b"],"age":7,"verified":true,"off":false,"empty":"","none":[],
            "realm":{"roles":["x"]},"nothing":null,"text":"true"}"#;
        let user = serde_json::from_str::<serde_json::Value>(user).map(|user| value(&user)).unwrap();
        for (require, expected) in [
            (r#"require = "user""#, true),
            (r#"require = { role = "admin" }"#, true),
            (r#"require = { role = "Admin" }"#, false),
            (r#"require = { role = ["staff", "admin"] }"#, true),
            (r#"require = { role = ["staff"] }"#, false),
            (r#"require = { groups = "b" }"#, true),
            (r#"require = { groups = ["c", "a"] }"#, true),
            (r#"require = { groups = "ab" }"#, false),
            (r"require = { age = 7 }", true),
            (r#"require = { age = "7" }"#, false),
            (r"require = { verified = true }", true),
            (r"require = { text = true }", false),
            (r"require = { off = false }", true),
            (r"require = { missing = false }", false),
            (r"require = { role = { present = true } }", true),
            (r"require = { off = { present = true } }", false),
            (r"require = { empty = { present = true } }", false),
            (r"require = { none = { present = true } }", false),
            (r"require = { nothing = { present = true } }", false),
            (r"require = { missing = { present = true } }", false),
            (r#"require = { realm.roles = "x" }"#, true),
            (r#"require = { realm.roles = "y" }"#, false),
            (r#"require = { role.deeper = "admin" }"#, false),
            (r#"require = { role = "admin", groups = "c" }"#, false),
        ] {
            let claims = claims(require).unwrap_or_else(|| panic!("{require}"));
            assert_eq!(claims.iter().all(|claim| claim.holds(&user)), expected, "{require}");
        }
    }

    #[test]
    fn what_requires_nothing_is_refused() {
        for require in [
            "require = {}",
            "require = { role = [] }",
            "require = { role = {} }",
            r#"require = "admin""#,
            r#"require = { role = "{vars.role}" }"#,
            "require = { role = [[1]] }",
            "require = true",
        ] {
            assert_eq!(claims(require), None, "{require}");
        }
    }
}
