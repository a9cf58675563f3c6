//! Header and query values: literal text, values and secrets side by side.

use super::code;
use super::target::NoCall;
use crate::config::{Binding, Environment, NotText, Part, Reference, Secret, Shape, Template, scalar_text};
use crate::diagnostic::{Finding, Findings, Place};
use crate::value::Value;
use std::sync::Arc;

/// A piece of a header or query value.
#[derive(Debug, Clone)]
pub enum Piece<R = Reference> {
    /// Text as written.
    Literal(Arc<str>),
    /// A value.
    Value(R),
    /// A variable of the environment.
    Secret(Secret),
    /// One that is declared as no secret.
    Public(Arc<str>),
}

/// A header or query value.
#[derive(Debug, Clone)]
pub struct Pieces<R = Reference> {
    /// Its pieces in turn.
    pub pieces: Vec<Piece<R>>,
    /// Where it was written.
    pub place: Place,
}

impl Pieces {
    /// A template with the environment read, whose variables become secrets unless they are declared as none.
    pub fn compile(template: &Template, environment: &Environment, findings: &mut Findings) -> Self {
        let piece = |part: &Part| match part {
            Part::Literal(text) => Piece::Literal(Arc::clone(text)),
            Part::Value(reference) => Piece::Value(reference.clone()),
            Part::Env(env) if environment.is_public(&env.name) => {
                Piece::Public(environment.resolve(env, findings).into())
            }
            Part::Env(env) => Piece::Secret(environment.secret(env, findings)),
        };
        Self { pieces: template.parts.iter().map(piece).collect(), place: template.place }
    }

    /// The same value with placeholders resolved.
    pub fn link(&self, resolve: &mut impl FnMut(&Reference) -> Option<Binding>) -> Option<Pieces<Binding>> {
        let mut pieces = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            pieces.push(match piece {
                Piece::Literal(text) => Piece::Literal(Arc::clone(text)),
                Piece::Value(reference) => Piece::Value(resolve(reference)?),
                Piece::Secret(secret) => Piece::Secret(secret.clone()),
                Piece::Public(text) => Piece::Public(Arc::clone(text)),
            });
        }
        Some(Pieces { pieces, place: self.place })
    }

    /// What does not change with the request: literal text and secrets, one after the other.
    pub fn fixed_text(&self) -> String {
        let fixed = |piece: &Piece| match piece {
            Piece::Literal(text) | Piece::Public(text) => text.to_string(),
            Piece::Secret(secret) => secret.expose().to_owned(),
            Piece::Value(_) => String::new(),
        };
        self.pieces.iter().map(fixed).collect()
    }

    /// What the placeholders refer to.
    pub fn references(&self) -> impl Iterator<Item = &Reference> {
        self.pieces.iter().filter_map(|piece| if let Piece::Value(reference) = piece { Some(reference) } else { None })
    }
}

impl<R> Pieces<R> {
    /// The secrets in it.
    pub fn secrets(&self) -> impl Iterator<Item = &Secret> {
        self.pieces.iter().filter_map(|piece| if let Piece::Secret(secret) = piece { Some(secret) } else { None })
    }
}

/// What stands for a secret where people read.
const HIDDEN: &str = "(secret)";

impl Pieces<Binding> {
    /// The same value for people: without secrets, and in place of each value that `spell` has a text for, that text.
    pub(super) fn spelled(&self, spell: &impl Fn(&Binding) -> Option<String>) -> Self {
        let piece = |piece: &Piece<Binding>| match piece {
            Piece::Secret(_) => Piece::Literal(HIDDEN.into()),
            Piece::Value(binding) => spell(binding).map_or_else(|| piece.clone(), |text| Piece::Literal(text.into())),
            Piece::Literal(_) | Piece::Public(_) => piece.clone(),
        };
        Self { pieces: self.pieces.iter().map(piece).collect(), place: self.place }
    }

    /// The value, each piece that is not literal through `encode`; `None` as soon as a value is `null`.
    pub fn text(&self, slots: &[Value], encode: impl Fn(&str, &mut String)) -> Result<Option<String>, NotText> {
        let mut out = String::new();
        for piece in &self.pieces {
            match piece {
                Piece::Literal(text) => out.push_str(text),
                Piece::Secret(secret) => encode(secret.expose(), &mut out),
                Piece::Public(text) => encode(text, &mut out),
                Piece::Value(binding) => {
                    let value = binding.value(slots);
                    if value.is_null() {
                        return Ok(None);
                    }
                    encode(&scalar_text(value)?, &mut out);
                }
            }
        }
        Ok(Some(out))
    }

    /// Whose fault it is that the text cannot stand in a header field: the request's, if a value that it sent holds a control byte.
    pub fn forbidden(&self, slots: &[Value]) -> NoCall {
        let of_request = |piece: &Piece<Binding>| match piece {
            Piece::Value(binding) => binding.has_control_of_request(slots),
            Piece::Literal(_) | Piece::Secret(_) | Piece::Public(_) => false,
        };
        if self.pieces.iter().any(of_request) { NoCall::ControlFromRequest } else { NoCall::ForbiddenFromData }
    }

    /// The one value that this consists of: a list of them repeats the key of a query.
    pub fn as_single(&self) -> Option<&Binding> {
        if let [Piece::Value(binding)] = self.pieces.as_slice() { Some(binding) } else { None }
    }
}

/// What to do about a secret that stands where none may.
pub fn way_out(name: &str) -> String {
    format!(
        "secrets may stand in `headers` and `query` of upstreams and sources; if it is none, say so in site.toml: [env.{name}] public = true"
    )
}

/// Finds every secret of the environment in a string where a secret may not stand.
pub fn refuse_secrets(template: &Template, where_it_is: &str, environment: &Environment, findings: &mut Findings) {
    for env in template.environment().filter(|env| !environment.is_public(&env.name)) {
        let message = format!("`{{env.{}}}` in {where_it_is}", env.name);
        findings.push(Finding::new(&code::SECRET_OUT_OF_PLACE, env.place, message).help(way_out(&env.name)));
    }
}

/// The same for every string of a shape.
pub fn refuse_secrets_in(shape: &Shape, where_it_is: &str, environment: &Environment, findings: &mut Findings) {
    match shape {
        Shape::Literal(_) => {}
        Shape::Template(template) => refuse_secrets(template, where_it_is, environment, findings),
        Shape::Each(each) => refuse_secrets_in(&each.record, where_it_is, environment, findings),
        Shape::List(items) => items.iter().for_each(|item| refuse_secrets_in(item, where_it_is, environment, findings)),
        Shape::Object(members) => {
            for (_, member) in members {
                refuse_secrets_in(member, where_it_is, environment, findings);
            }
        }
    }
}
