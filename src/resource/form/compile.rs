//! Declared fields as what they are judged by, and what is wrong with the declarations.

use regex::Regex;
use std::collections::HashMap;

use super::decl::FieldDecl;
use super::field::{Field, FieldKind, Fields, Wire, is_above};
use crate::config::{Named, Node, refuse_placeholders};
use crate::diagnostic::{Finding, Findings, Place, Spanned, did_you_mean};
use crate::resource::code::FORM_FIELD;
use crate::value::Value;

/// Names that say something else in `form`.
pub(super) const RESERVED: [&str; 5] = ["error", "errors", "result", "status", "values"];

/// Items of a list that says nothing of how many it may have.
const MOST_ITEMS: usize = 32;

/// The length of a file that says nothing of how long it may be.
const MOST_BYTES: u64 = 1 << 20;

/// A pattern compiles to at most this many bytes.
const PATTERN_SIZE: usize = 256 * 1024;

impl Fields {
    /// The fields that are declared, as they come by `wire`.
    pub fn compile(decls: Option<&Named<FieldDecl>>, wire: Wire, findings: &mut Findings) -> Self {
        let mut fields: Vec<Field> = Vec::new();
        let mut keys: HashMap<String, Place> = HashMap::new();
        for (name, decl) in decls.iter().flat_map(|named| &named.0) {
            let field = Compiling { decl, wire, findings }.field(name);
            if RESERVED.contains(&name.value.as_str()) {
                let message = format!("`form.{}` says something else", name.value);
                let help = "call the field otherwise; `name` says what it is called in what is sent";
                findings.push(Finding::new(&FORM_FIELD, name.place, message).help(help));
                continue;
            }
            if let Some(before) = keys.insert(field.key.to_string(), name.place) {
                let message = format!("two fields are sent as `{}`", field.key);
                let finding = Finding::new(&FORM_FIELD, name.place, message).related(before, "the other one");
                findings.push(finding.help("give one of them another `name`"));
                continue;
            }
            fields.push(field);
        }
        Self::new(fields)
    }
}

struct Compiling<'c> {
    decl: &'c FieldDecl,
    wire: Wire,
    findings: &'c mut Findings,
}

impl Compiling<'_> {
    fn wrong(&mut self, place: Place, message: impl Into<String>, help: impl Into<String>) {
        self.findings.push(Finding::new(&FORM_FIELD, place, message).help(help));
    }

    fn field(mut self, name: &Spanned<String>) -> Field {
        let decl = self.decl;
        let kind = self.kind();
        let key = decl.name.as_ref().map_or(&name.value, |key| &key.value);
        if key.is_empty() || key.chars().any(char::is_control) {
            let place = decl.name.as_ref().map_or(name.place, |key| key.place);
            self.wrong(place, "no form can send a field of this name", "write the name that the form's control has");
        }
        let bounds_text = kind.is_text() || kind == FieldKind::File;
        let value = |flag: &Option<Spanned<bool>>| flag.as_ref().is_some_and(|flag| flag.value);
        let repeats = value(&decl.repeat);
        let mut field = Field {
            name: name.value.as_str().into(),
            key: key.as_str().into(),
            kind,
            required: value(&decl.required),
            default: Value::Null,
            repeat: repeats.then(|| decl.max_items.as_ref().map_or(MOST_ITEMS, |most| most.value)),
            min: self.bound(kind, decl.min.as_ref(), "min"),
            max: self.bound(kind, decl.max.as_ref(), "max"),
            min_length: self.length(kind, decl.min_length.as_ref(), "min-length"),
            max_length: self.length(kind, decl.max_length.as_ref(), "max-length"),
            pattern: None,
            written_pattern: None,
            choices: None,
            message: decl.message.as_ref().map(|message| message.value.as_str().into()),
            max_size: decl.max_size.as_ref().map_or(MOST_BYTES, |size| size.value.0),
            types: decl.types.iter().flat_map(|types| &types.value).map(|kind| kind.as_str().into()).collect(),
            input: kind.of_input(),
        };
        if let (Some(most), false) = (&decl.max_items, repeats) {
            self.wrong(most.place, "`max-items` without `repeat = true`", "a value that is no list has one item");
        }
        if let Some(zero) = decl.max_items.as_ref().filter(|most| most.value == 0) {
            self.wrong(zero.place, "a list of at most no items", "write how many there may be, or leave it out: 32");
        }
        if let Some(pattern) = &decl.pattern {
            if bounds_text && kind != FieldKind::File {
                field.pattern = self.pattern(pattern);
                field.written_pattern = Some(pattern.value.as_str().into());
            } else {
                self.wrong(
                    pattern.place,
                    format!("`pattern` is for texts, and the type is `{}`", kind.name()),
                    "leave it out",
                );
            }
        }
        self.file_keys(kind);
        self.order(&field);
        self.choices(&mut field);
        self.default(&mut field);
        field
    }

    fn kind(&mut self) -> FieldKind {
        let Some(written) = &self.decl.kind else { return FieldKind::String };
        let names = || FieldKind::NAMES.iter().map(|(name, _)| *name);
        match FieldKind::from_name(&written.value) {
            None => {
                let known: Vec<&str> = names().collect();
                let help = did_you_mean(&written.value, names())
                    .unwrap_or_else(|| format!("the types are {}", crate::config::list(&known)));
                self.wrong(written.place, format!("unknown type `{}`", written.value), help);
                FieldKind::String
            }
            Some(FieldKind::Object | FieldKind::List) if self.wire == Wire::Form => {
                let message = format!("a form cannot send what is of type `{}`", written.value);
                self.wrong(
                    written.place,
                    message,
                    "`repeat = true` makes a list of a field that is sent several times",
                );
                FieldKind::String
            }
            Some(FieldKind::File) if self.wire == Wire::Json => {
                self.wrong(written.place, "JSON cannot hold a file", "files are sent by a `[form]`");
                FieldKind::String
            }
            Some(kind) => kind,
        }
    }

    /// A bound of numbers or dates.
    fn bound(&mut self, kind: FieldKind, node: Option<&Node>, key: &str) -> Option<Value> {
        let node = node?;
        let (takes, fits) = match (kind, node.to_value()) {
            (FieldKind::Int, value) => (true, matches!(value, Value::Int(_))),
            (FieldKind::Number, value) => (true, value.as_f64().is_some_and(f64::is_finite)),
            (FieldKind::Date, value) => (true, value.as_str().is_some_and(is_date)),
            _ => (false, false),
        };
        if fits {
            return Some(node.to_value());
        }
        if takes {
            let what = if kind == FieldKind::Date { "a date: \"2026-11-21\"" } else { "a number" };
            self.wrong(node.place, format!("`{key}` is none of the field's values"), format!("write {what}"));
        } else {
            let message = format!("`{key}` bounds numbers and dates, and the type is `{}`", kind.name());
            self.wrong(node.place, message, "`min-length` and `max-length` bound a text");
        }
        None
    }

    fn length(&mut self, kind: FieldKind, written: Option<&Spanned<usize>>, key: &str) -> Option<usize> {
        let written = written?;
        if !kind.is_text() {
            let message = format!("`{key}` bounds texts, and the type is `{}`", kind.name());
            self.wrong(written.place, message, "`min` and `max` bound a number, `max-size` a file");
            return None;
        }
        if key == "max-length" && written.value == 0 {
            self.wrong(written.place, "`max-length` is 0: nothing fits", "write how many characters there may be");
        }
        Some(written.value)
    }

    fn pattern(&mut self, written: &Spanned<String>) -> Option<Regex> {
        let compile = |pattern: &str| regex::RegexBuilder::new(pattern).size_limit(PATTERN_SIZE).build();
        // Alone first: `a)(b` is no expression, though it would be one inside the group.
        let compiled = compile(&written.value).and_then(|_alone| compile(&format!(r"\A(?:{})\z", written.value)));
        compiled
            .map_err(|error| {
                let report = error.to_string();
                let last = report.lines().last().unwrap_or_default();
                let why = last.strip_prefix("error: ").unwrap_or(last);
                let help = "parentheses and brackets are closed, and a sign that is meant as such has a `\\` before it";
                self.wrong(written.place, format!("`pattern` is no regular expression: {why}"), help);
            })
            .ok()
    }

    /// What is said of files is said of files.
    fn file_keys(&mut self, kind: FieldKind) {
        let FieldDecl { max_size, types, default, choices, .. } = self.decl;
        if kind == FieldKind::File {
            let written = [default.as_ref().map(|node| node.place), choices.as_ref().map(|choices| choices.place)];
            for place in written.into_iter().flatten() {
                self.wrong(place, "a file has no `default` and no `enum`", "leave it out");
            }
            for (place, kind) in types.iter().flat_map(|types| types.value.iter().map(|kind| (types.place, kind))) {
                if crate::fields::MediaType::parse(kind).is_none_or(|read| read.essence() != kind) {
                    self.wrong(place, format!("`{kind}` is no media type"), "write them as `image/png`, or `image/*`");
                }
            }
            return;
        }
        let written = [max_size.as_ref().map(|size| size.place), types.as_ref().map(|types| types.place)];
        for place in written.into_iter().flatten() {
            let help = "leave it out, or write `type = \"file\"`";
            self.wrong(place, format!("this is about files, and the type is `{}`", kind.name()), help);
        }
    }

    /// Nothing is above its own end.
    fn order(&mut self, field: &Field) {
        let FieldDecl { max, max_length, .. } = self.decl;
        if let (Some(least), Some(most), Some(node)) = (&field.min, &field.max, max)
            && is_above(least, most)
        {
            self.wrong(node.place, "`min` is above `max`: nothing fits", "raise `max`, or lower `min`");
        }
        if let (Some(least), Some(most), Some(node)) = (field.min_length, field.max_length, max_length)
            && least > most
        {
            let help = "raise `max-length`, or lower `min-length`";
            self.wrong(node.place, "`min-length` is above `max-length`: nothing fits", help);
        }
    }

    fn choices(&mut self, field: &mut Field) {
        let Some(written) = self.decl.choices.as_ref().filter(|_| field.kind != FieldKind::File) else { return };
        if written.value.is_empty() {
            self.wrong(
                written.place,
                "`enum` has no values: nothing fits",
                "write the values there are: enum = [\"a\", \"b\"]",
            );
            return;
        }
        let mut values: Vec<Value> = Vec::with_capacity(written.value.len());
        for choice in &written.value {
            match field.of_declaration(choice) {
                Some(value) if values.contains(&value) => {
                    self.wrong(written.place, format!("`enum` has `{choice}` twice"), "write each value once");
                }
                Some(value) => values.push(value),
                None => {
                    let message = format!("`enum` holds what does not fit the rest of this field: `{choice}`");
                    self.wrong(written.place, message, "write values that fit the type, or another `type`");
                }
            }
        }
        field.choices = Some(values.into());
    }

    fn default(&mut self, field: &mut Field) {
        let Some(node) = self.decl.default.as_ref().filter(|_| field.kind != FieldKind::File) else { return };
        refuse_placeholders(node, "a default", self.findings);
        let value = node.to_value();
        if field.takes_default(&value) {
            field.default = value;
        } else {
            let help = "write what could be sent and fits; without a default, an absent value is null";
            self.wrong(node.place, "the default does not fit the field", help);
        }
        if field.required {
            let help = "leave one of the two out: with a default, nothing is missing";
            self.wrong(node.place, "a field that is required has a default", help);
        }
    }
}

fn is_date(text: &str) -> bool {
    FieldKind::Date.of_input().is_some_and(|input| input.fits(text))
}
