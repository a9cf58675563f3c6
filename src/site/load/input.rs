//! Declared inputs: types of parameters and query values, cookies.

use super::super::Writing;
use super::super::code;
use super::super::inputs::{CookieInput, QueryInput};
use super::jar::Jar;
use crate::config::{Named, Node};
use crate::diagnostic::{Finding, Findings, Place, Spanned, did_you_mean};
use crate::resource::{CookieDecl, Decl, OnInvalid, ParamDecl, QueryDecl};
use crate::router::{InputDecl, InputType, Kind, Pattern};
use crate::value::Value;
use std::sync::Arc;

/// Items of a repeated query value, unless `max-items` says otherwise.
const MOST_ITEMS: usize = 32;

/// Whether `name` can be said by placeholders and Liquid; a finding if not.
pub(super) fn is_snake_case(name: &Spanned<String>, findings: &mut Findings) -> bool {
    let mut bytes = name.value.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase() || byte == b'_');
    let sound = first && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !sound {
        let suggestion = snake_case(&name.value);
        let message = format!("`{}` is not a snake_case name", name.value);
        findings.push(Finding::new(&code::BAD_NAME, name.place, message).help(format!("call it `{suggestion}`")));
    }
    sound
}

/// `sortBy` and `sort-by` as `sort_by`.
fn snake_case(name: &str) -> String {
    let mut snake = String::with_capacity(name.len() + 2);
    let mut was_lower = false;
    for c in name.chars() {
        if c.is_ascii_uppercase() && was_lower {
            snake.push('_');
        }
        was_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        snake.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    }
    snake
}

/// The inputs of a route that are numbers or one of a few values, by their first words and their names.
pub(super) fn narrow(decl: &Decl) -> Vec<(&'static str, String)> {
    let is_narrow =
        |kind: &ParamDecl| kind.choices.is_some() || kind.kind.as_ref().is_some_and(|kind| kind.value == "int");
    let params = decl.params.iter().flat_map(|named| &named.0).map(|(name, kind)| ("params", name, kind));
    let query = decl.query.iter().flat_map(|named| &named.0).map(|(name, decl)| ("query", name, &decl.kind));
    let cookies = decl.cookies.iter().flat_map(|named| &named.0).map(|(name, decl)| ("cookies", name, &decl.kind));
    let all = params.chain(query).chain(cookies).filter(|(_, _, kind)| is_narrow(kind));
    all.map(|(root, name, _)| (root, name.value.clone())).collect()
}

/// A type as declared, or any string if it cannot be.
pub(super) fn compile_type(decl: &ParamDecl, findings: &mut Findings) -> InputType {
    let ParamDecl { place, lost: _, kind, pattern, choices, min, max, max_length } = decl;
    let place_of_kind = kind.as_ref().map_or(*place, |kind| kind.place);
    let kind = kind.as_ref().map_or(Kind::String, |name| {
        Kind::from_name(&name.value).unwrap_or_else(|| {
            let names: Vec<&str> = Kind::NAMES.iter().map(|(name, _)| *name).collect();
            let help = did_you_mean(&name.value, names.iter().copied())
                .unwrap_or_else(|| format!("the types are {}", crate::config::list(&names)));
            findings
                .push(Finding::new(&code::BAD_INPUT, name.place, format!("unknown type `{}`", name.value)).help(help));
            Kind::String
        })
    });
    let compiled = InputType::compile(InputDecl {
        kind,
        pattern: pattern.as_ref().map(|pattern| pattern.value.clone()),
        choices: choices.as_ref().map(|choices| choices.value.clone()),
        min: min.map(|min| min.value),
        max: max.map(|max| max.value),
        max_length: max_length.map(|length| length.value),
    });
    compiled.unwrap_or_else(|problems| {
        for problem in problems {
            use crate::router::InputProblem as Problem;
            let place = match &problem {
                Problem::Pattern(_) => pattern.as_ref().map(|pattern| pattern.place),
                Problem::NoChoices | Problem::ChoiceTwice(_) | Problem::ChoiceMisfit(_) => {
                    choices.as_ref().map(|choices| choices.place)
                }
                Problem::BoundOfText("max", _) | Problem::EmptyRange => max.map(|max| max.place),
                Problem::BoundOfText(..) => min.map(|min| min.place),
                Problem::NoLength => max_length.map(|length| length.place),
            };
            let help = match &problem {
                Problem::Pattern(_) => {
                    "parentheses and brackets are closed, and a sign that is meant as such has a `\\` before it"
                }
                Problem::NoChoices => "write the values there are: enum = [\"asc\", \"desc\"]",
                Problem::ChoiceTwice(_) => "write each value once",
                Problem::ChoiceMisfit(_) => "write values that fit the type, or another `type`",
                Problem::BoundOfText(..) => "bounds are for `type = \"int\"`; `max-length` bounds a text",
                Problem::EmptyRange => "raise `max`, or lower `min`",
                Problem::NoLength => "leave it out, or write how many characters there may be",
            };
            let place = place.unwrap_or(place_of_kind);
            findings.push(Finding::new(&code::BAD_INPUT, place, problem.to_string()).help(help));
        }
        InputType::default()
    })
}

/// Gives the parameters of every pattern their types; whether all could be given. If not `all_patterns` could be read, any of them may
/// have a parameter that none of the others has.
pub(super) fn constrain(
    params: Option<&Named<ParamDecl>>,
    patterns: &mut [(Pattern, Place)],
    all_patterns: bool,
    findings: &mut Findings,
) -> bool {
    let before = findings.len();
    for (name, decl) in params.iter().flat_map(|named| &named.0) {
        let kind = compile_type(decl, findings);
        let mut known = !all_patterns;
        for (pattern, _) in patterns.iter_mut() {
            if pattern.names().any(|other| other == name.value) {
                known = true;
                if let Err(error) = pattern.constrain(&name.value, kind.clone()) {
                    let help = "fewer values, or a parameter without `enum`";
                    findings.push(Finding::new(&code::BAD_INPUT, name.place, error.to_string()).help(help));
                }
            }
        }
        if !known {
            let names: Vec<&str> = patterns.iter().flat_map(|(pattern, _)| pattern.names()).collect();
            let help = did_you_mean(&name.value, names)
                .unwrap_or_else(|| format!("name it in the path: `{{{}}}`", name.value));
            let message = format!("the path has no parameter `{}`", name.value);
            findings.push(Finding::new(&code::UNKNOWN_PARAM, name.place, message).help(help));
        }
    }
    findings.len() == before
}

/// Finds a type of the rest parameter that does not fit what a folder holds: nobody could ask for that.
pub(super) fn fits_held(
    params: Option<&Named<ParamDecl>>,
    patterns: &[(Pattern, Place)],
    names: &[String],
    findings: &mut Findings,
) {
    let Some((pattern, _)) = patterns.first() else { return };
    let Some(kind) = pattern.rest_name().and_then(|name| pattern.input_type(name)) else { return };
    let decls = params.iter().flat_map(|named| &named.0);
    let decl = decls.into_iter().find(|(name, _)| Some(&*name.value) == pattern.rest_name());
    // The folder itself is an empty rest, which every type lets pass.
    let misfit = names.iter().find(|name| !name.is_empty() && !kind.fits(name));
    if let (Some((name, _)), Some(misfit)) = (decl, misfit) {
        let message = format!("`{misfit}` is in the folder, and does not fit the type of `{}`", name.value);
        let help = format!("leave [params.{}] out: what the folder holds is what there is", name.value);
        findings.push(Finding::new(&code::BAD_INPUT, name.place, message).help(help));
    }
}

/// The declared query values, sorted by name.
pub(super) fn query(decls: Option<&Named<QueryDecl>>, findings: &mut Findings) -> Vec<QueryInput> {
    let mut inputs = Vec::new();
    for (name, decl) in decls.iter().flat_map(|named| &named.0) {
        if !is_snake_case(name, findings) {
            continue;
        }
        let kind = compile_type(&decl.kind, findings);
        let repeats = decl.repeat.is_some_and(|repeat| repeat.value);
        if let (Some(most), false) = (decl.max_items, repeats) {
            findings.push(
                Finding::new(&code::BAD_INPUT, most.place, "`max-items` without `repeat = true`")
                    .help("a value that is no list has one item"),
            );
        }
        let default = default(decl.default.as_ref(), &kind, repeats, findings);
        let default = if default.is_null() && repeats { Value::list(Vec::new()) } else { default };
        let most = decl.max_items.map_or(MOST_ITEMS, |most| most.value);
        if let (Some(zero), true) = (decl.max_items.filter(|_| most == 0), repeats) {
            findings.push(
                Finding::new(&code::BAD_INPUT, zero.place, "a list of at most no items")
                    .help("write how many there may be, or leave it out: 32"),
            );
        } else if let (Some(written), true) = (&decl.default, default.as_list().is_some_and(|it| it.len() > most)) {
            let message = format!("the default has more items than a request could send, which are {most} at most");
            let finding =
                Finding::new(&code::BAD_INPUT, written.place, message).help("shorten it, or raise `max-items`");
            findings.push(match decl.max_items {
                Some(most) => finding.related(most.place, "the most items"),
                None => finding,
            });
        }
        inputs.push(QueryInput {
            name: name.value.as_str().into(),
            key: decl.name.as_ref().map_or(name.value.as_str(), |key| key.value.as_str()).into(),
            kind,
            default,
            repeat: repeats.then_some(most),
            on_invalid: decl.on_invalid.map_or(OnInvalid::Default, |on_invalid| on_invalid.value),
            is_read: false,
        });
    }
    inputs.sort_by(|left, right| left.name.cmp(&right.name));
    inputs
}

/// The value that stands for an absent one; a finding if no request could send it.
fn default(written: Option<&Node>, kind: &InputType, repeats: bool, findings: &mut Findings) -> Value {
    let Some(node) = written else { return Value::Null };
    crate::config::refuse_placeholders(node, "a default", findings);
    let value = node.to_value();
    if !fits_default(kind, &value, repeats) {
        let message = "the default does not fit the type";
        let help = "write what a request could send that fits; without a default, an absent value is null";
        findings.push(Finding::new(&code::BAD_INPUT, node.place, message).help(help));
    }
    value
}

fn fits_default(kind: &InputType, value: &Value, repeats: bool) -> bool {
    if repeats {
        return value.as_list().is_some_and(|items| items.iter().all(|item| fits_default(kind, item, false)));
    }
    // A request that sends an empty text has sent nothing, for which nothing may stand.
    let is_nothing = value.as_str() == Some("") && kind.is_text();
    is_nothing
        || crate::config::scalar_text(value).is_ok_and(|text| kind.check(&text).is_some_and(|fitted| fitted == *value))
}

/// The declared cookies, sorted by name.
pub(super) fn cookies(decls: Option<&Named<CookieDecl>>, jar: &Jar, findings: &mut Findings) -> Vec<CookieInput> {
    let mut inputs = Vec::new();
    for (name, decl) in decls.iter().flat_map(|named| &named.0) {
        if !is_snake_case(name, findings) {
            continue;
        }
        let kind = compile_type(&decl.kind, findings);
        let said = decl.name.as_ref().map(|key| key.value.as_str());
        let known = jar.known(&name.value, said);
        inputs.push(CookieInput {
            name: name.value.as_str().into(),
            key: known.map_or_else(|| said.unwrap_or(&name.value).into(), |known| Arc::clone(&known.name)),
            written: match known {
                None => Writing::Foreign,
                Some(known) => known.seal.map_or(Writing::Encoded, Writing::Proven),
            },
            default: default(decl.default.as_ref(), &kind, false, findings),
            kind,
            is_read: false,
        });
    }
    inputs.sort_by(|left, right| left.name.cmp(&right.name));
    inputs
}
