//! The public Golden Liquid suite, run when `SITESERVER_SUITES` names the folder that holds `golden_liquid.json`.
//!
//! Known difference: where the suite has a lax and a strict variant of one template, the strict one.

use super::support::{context, data};
use crate::render::{Fragment, Limits};
use crate::value::Value;

/// How many cases pass; more is progress, fewer a regression.
const PASSES: usize = 1053;

/// What a template gives, or that it is refused.
fn outcome(case: &Value) -> Result<String, String> {
    let template = case.get("template").and_then(Value::as_str).unwrap_or("");
    let partials: Vec<(&str, &str)> = case
        .get("templates")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(|object| object.iter().map(|(name, text)| (name.as_str(), text.as_str().unwrap_or(""))))
        .collect();
    let fragment = Fragment::parse(template, &partials)
        .map_err(|error| error.findings.iter().map(|finding| finding.message.clone()).collect::<Vec<_>>().join("; "))?;
    let nothing = Value::Null;
    let limits = Limits::default();
    fragment.render(case.get("data").unwrap_or(&nothing), &context(&limits)).map_err(|error| error.to_string())
}

fn passes(case: &Value, outcome: &Result<String, String>) -> bool {
    if case.get("invalid").and_then(Value::as_bool) == Some(true) {
        return outcome.is_err();
    }
    let single = case.get("result").into_iter();
    let several = case.get("results").and_then(Value::as_list).into_iter().flatten();
    let Ok(text) = outcome else { return false };
    single.chain(several).any(|expected| expected.as_str() == Some(text))
}

#[test]
fn the_golden_suite() {
    let Ok(folder) = std::env::var("SITESERVER_SUITES") else {
        // Not a failure: the suite is no part of this repository.
        return;
    };
    let text = std::fs::read_to_string(format!("{folder}/golden_liquid.json")).unwrap();
    let suite = data(&text);
    let cases = suite.get("tests").and_then(Value::as_list).unwrap_or_default();
    let mut failed = Vec::new();
    for case in cases {
        let outcome = outcome(case);
        if !passes(case, &outcome) {
            let name = case.get("name").and_then(Value::as_str).unwrap_or("");
            failed.push(format!("{name}: {outcome:?}"));
        }
    }
    let passed = cases.len() - failed.len();
    assert!(passed >= PASSES, "{passed} of {} cases pass; these do not:\n{}", cases.len(), failed.join("\n"));
}
