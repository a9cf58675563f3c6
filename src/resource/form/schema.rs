//! A JSON Schema (draft 2020-12 unless it says another) that what programs send must fit.
//!
//! The grammar is a library's. What is ours: a schema is one file, and refers to nothing outside of it, so that nothing is fetched; patterns are
//! matched in linear time; and what is said of a value does not repeat it.

use crate::value::{Value, write_json};
use jsonschema::{PatternOptions, Validator};
use std::fmt;

/// So many mistakes of one value are told.
const MOST_TOLD: usize = 32;

/// A schema, compiled.
pub struct JsonSchema {
    validator: Validator,
    /// As it was written.
    written: serde_json::Value,
}

impl fmt::Debug for JsonSchema {
    /// As it was written.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("JsonSchema").field(&self.written).finish()
    }
}

/// Why a text is no schema.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaProblem {
    /// It is not JSON.
    #[error("it is not JSON: {0}")]
    NotJson(String),
    /// It is not a schema, or refers to what is not in it.
    #[error("it is no JSON Schema: {0}")]
    NotSchema(String),
}

impl JsonSchema {
    /// The schema that a text is.
    pub fn compile(text: &str) -> Result<Self, SchemaProblem> {
        let written: serde_json::Value =
            serde_json::from_str(text).map_err(|error| SchemaProblem::NotJson(error.to_string()))?;
        let options = jsonschema::options().should_validate_formats(true).with_pattern_options(PatternOptions::regex());
        let validator = options.build(&written).map_err(|error| SchemaProblem::NotSchema(error.to_string()))?;
        Ok(Self { validator, written })
    }

    /// As it was written.
    pub fn written(&self) -> &serde_json::Value {
        &self.written
    }

    /// What is wrong with a value, and where, one thing of each place: `items.0.sku`; nothing, if it fits.
    pub fn errors(&self, value: &Value) -> Vec<(String, String)> {
        let mut text = String::new();
        write_json(value, &mut text);
        let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) else {
            return vec![(String::new(), "it is not JSON".to_owned())];
        };
        let mut told: Vec<(String, String)> = Vec::new();
        for error in self.validator.iter_errors(&value).take(MOST_TOLD) {
            let path = error.instance_path().as_str().trim_start_matches('/').replace('/', ".");
            if told.iter().all(|(known, _)| *known != path) {
                told.push((path, error.masked_with("this").to_string()));
            }
        }
        told
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{JsonLimits, parse_json};

    const ORDER: &str = r##"{
        "type": "object",
        "required": ["items"],
        "additionalProperties": false,
        "properties": {
            "items": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/item"}},
            "email": {"type": "string", "format": "email"},
            "note": {"type": "string", "maxLength": 5}
        },
        "$defs": {"item": {"type": "object", "required": ["sku"], "properties": {"sku": {"type": "string", "pattern": "^[a-z]+$"}, "count": {"type": "integer", "minimum": 1}}}}
    }"##;

    fn fields(schema: &str, json: &str) -> Vec<String> {
        let value = parse_json(json, JsonLimits::default()).unwrap();
        let errors = JsonSchema::compile(schema).unwrap().errors(&value);
        for (_, message) in &errors {
            assert!(!message.contains("secret"), "what was sent is not repeated: {message}");
        }
        errors.into_iter().map(|(path, _)| path).collect()
    }

    #[test]
    fn what_does_not_fit_is_told_with_its_place() {
        for (json, expected) in [
            (r#"{"items":[{"sku":"a","count":2}],"email":"a@b.example","note":"short"}"#, vec![]),
            (r#"{"items":[]}"#, vec!["items"]),
            ("{}", vec![""]),
            (r#"{"items":[{"sku":"a"},{"sku":"secret 7"}]}"#, vec!["items.1.sku"]),
            (r#"{"items":[{"sku":"a","count":0}]}"#, vec!["items.0.count"]),
            (r#"{"items":[{"sku":"a"}],"other":1}"#, vec![""]),
            (r#"{"items":[{"sku":"a"}],"email":"secret"}"#, vec!["email"]),
            (r#"{"items":[{"sku":"a"}],"note":"secret note"}"#, vec!["note"]),
            ("[]", vec![""]),
            ("null", vec![""]),
        ] {
            assert_eq!(fields(ORDER, json), expected, "{json}");
        }
    }

    #[test]
    fn a_schema_stands_alone() {
        for (schema, is_one) in [
            ("{}", true),
            ("true", true),
            (r#"{"type": "objekt"}"#, false),
            (r#"{"type": "object""#, false),
            (r#"{"$ref": "https://example.com/schema.json"}"#, false),
            (r#"{"$ref": "file:///etc/passwd"}"#, false),
            (r##"{"$ref": "#/$defs/none"}"##, false),
            // Neither of these can be matched in linear time.
            (r#"{"pattern": "(?=a)b"}"#, false),
            (r#"{"pattern": "(a)\\1"}"#, false),
        ] {
            assert_eq!(JsonSchema::compile(schema).is_ok(), is_one, "{schema}");
        }
    }

    #[test]
    fn as_many_mistakes_are_told_as_anybody_reads() {
        let json = format!("[{}]", vec!["1"; 1000].join(","));
        assert_eq!(fields(r#"{"items": {"type": "string"}}"#, &json).len(), MOST_TOLD);
    }
}
