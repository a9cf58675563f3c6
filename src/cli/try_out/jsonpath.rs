//! `siteserver try jsonpath`: a selector on a document.

use super::liquid::unreadable;
use super::{STOPPED, answer, lines, read, refusal, refused_for, shown, text_of};
use crate::cli::arguments::JsonpathArguments;
use crate::cli::catalogue;
use crate::cli::console::Terminal;
use crate::diagnostic::{Files, Finding, Place};
use crate::extract::{Budget, SelectError, Selector};
use crate::value::{JsonLimits, Value, write_json};
use std::path::Path;
use std::process::ExitCode;

/// How much is gathered before it is written, in bytes.
const AT_ONCE: usize = 1 << 16;

pub(super) fn try_out(how: &JsonpathArguments) -> anyhow::Result<ExitCode> {
    match (&how.selector, &how.document) {
        (Some(selector), Some(document)) => of_file(selector, document, how),
        (_, None) | (None, _) => lines::answer_all(of_line, refusal),
    }
}

fn of_file(text: &str, path: &Path, how: &JsonpathArguments) -> anyhow::Result<ExitCode> {
    let mut files = Files::default();
    let written = files.add("selector", text);
    let selector = match Selector::compile(text) {
        Ok(selector) => selector,
        Err(SelectError { range, message, help }) => {
            let finding = Finding::new(catalogue::named("extract/selector"), Place::new(written, range), message);
            return Ok(refused_for(finding.maybe_help(help), &files));
        }
    };
    let bytes = read(path)?;
    let file = files.add(shown(path), String::from_utf8_lossy(&bytes).as_ref());
    let document = match how.format.read(&bytes, None, JsonLimits::default()) {
        Ok(document) => document,
        Err(error) => return Ok(refused_for(unreadable(&error, file, &files), &files)),
    };
    let selected = match select(&selector, &document, how.paths) {
        Ok(selected) => selected,
        Err(error) => {
            let finding = Finding::new(&STOPPED, Place::new(written, 0..text.len()), error.to_string());
            let help =
                "a page may cost no more either; name what is looked for instead of using `..` and `*` again and again";
            return Ok(refused_for(finding.help(help), &files));
        }
    };
    if selected.is_empty() {
        Terminal::stderr().line("nothing is selected");
    }
    let mut out = Terminal::stdout();
    let mut lines = String::new();
    for (path, value) in selected {
        if how.paths {
            lines.push_str(&path);
            lines.push('\t');
        }
        write_json(value, &mut lines);
        lines.push('\n');
        if lines.len() > AT_ONCE {
            out.write(&lines);
            lines.clear();
        }
    }
    out.write(&lines);
    Ok(ExitCode::SUCCESS)
}

fn select<'d>(
    selector: &Selector,
    document: &'d Value,
    paths: bool,
) -> Result<Vec<(String, &'d Value)>, crate::extract::TooMuchWork> {
    let budget = Budget::default();
    if paths {
        return selector.all_with_paths(document, &budget);
    }
    Ok(selector.all(document, &budget)?.into_iter().map(|value| (String::new(), value)).collect())
}

/// Answers `{"selector", "document"}`.
fn of_line(request: &Value) -> Value {
    selected(request).unwrap_or_else(|refusal| refusal)
}

fn selected(request: &Value) -> Result<Value, Value> {
    let text = text_of(request, "selector").map_err(|refused| refusal(&refused))?;
    let document = request.get("document").ok_or_else(|| refusal("`document` is missing"))?;
    let selector = Selector::compile(text).map_err(|error| {
        let column = text.get(..error.range.start).map_or(0, |before| before.chars().count()) + 1;
        refusal(&format!("selector:1:{column}: {}", error.message))
    })?;
    let found = select(&selector, document, true).map_err(|error| refusal(&error.to_string()))?;
    let (paths, values) = found.into_iter().map(|(path, value)| (Value::text(path), value.clone())).unzip();
    Ok(answer([("values", Value::list(values)), ("paths", Value::list(paths))]))
}
