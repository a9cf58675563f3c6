//! `siteserver try`: a template, a selector or Markdown on its own, without a site; for people, or line by line for programs.
//!
//! | File | What |
//! |---|---|
//! | `liquid`, `jsonpath`, `markdown` | one trial each: of files, and of the objects that lines hold |
//! | `lines` | lines of JSON in, lines of JSON out |
//! | `zone` | the time zone that `TZ` names |
//!
//! What is tried goes through the same functions as in a site, and within the same bounds.

mod jsonpath;
mod lines;
mod liquid;
mod markdown;
mod zone;

use super::FAILED;
use super::arguments::Trial;
use super::console::Terminal;
use crate::diagnostic::{Files, Finding, Findings, codes};
use crate::value::{Object, Value};
use anyhow::Context as _;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::process::ExitCode;

codes! {
    /// The data of a template, or the document of a selector, that cannot be read.
    ///
    /// `siteserver try` reads them as a site does: JSON and the other formats of sources, within the same bounds on how many values there
    /// are. The data of a template is a JSON object, whose members are the first words that the template can read.
    ///
    /// Correct the text where the place points, or name its format: `siteserver try jsonpath '$..title' feed.xml --format xml`.
    BAD_DATA = Error "try/data"
        help "correct the text where the place points";

    /// What is tried stops on the way: a filter cannot use its values, or there is more work than a page may cost.
    ///
    /// In a page, a filter that cannot use its values prints nothing; here its author is looking, so it is told. The bounds on output, loops
    /// and nesting are those of pages.
    ///
    /// Give the filter what it takes; let a loop end earlier: `{% for item in list limit: 100 %}`.
    STOPPED = Error "try/stopped";
}

/// The longest file that is read, in bytes.
const LONGEST_FILE: u64 = 64 << 20;

/// Tries what was asked for.
pub(super) fn try_out(what: &Trial) -> anyhow::Result<ExitCode> {
    match what {
        Trial::Liquid(how) => liquid::try_out(how),
        Trial::Jsonpath(how) => jsonpath::try_out(how),
        Trial::Markdown(how) => markdown::try_out(how),
    }
}

/// The bytes of a file, or of the standard input if it is called `-`.
fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        io::stdin().take(LONGEST_FILE + 1).read_to_end(&mut bytes)
    } else {
        File::open(path).and_then(|file| file.take(LONGEST_FILE + 1).read_to_end(&mut bytes))
    };
    read.with_context(|| format!("cannot read `{}`", path.display()))?;
    anyhow::ensure!(bytes.len() as u64 <= LONGEST_FILE, "`{}` is longer than {LONGEST_FILE} bytes", path.display());
    Ok(bytes)
}

/// The same as text.
fn read_text(path: &Path) -> anyhow::Result<String> {
    String::from_utf8(read(path)?).with_context(|| format!("`{}` is not UTF-8", path.display()))
}

/// What findings and messages call a file.
fn shown(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
}

/// Draws what is wrong.
fn refused(findings: &Findings, files: &Files) -> ExitCode {
    Terminal::stderr().findings(findings, files);
    ExitCode::from(FAILED)
}

/// Draws the one thing that is wrong.
fn refused_for(finding: Finding, files: &Files) -> ExitCode {
    let mut findings = Findings::default();
    findings.push(finding);
    refused(&findings, files)
}

/// An answer to a line.
fn answer<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Object(members.into_iter().collect::<Object>())
}

/// The answer that says why there is no other.
fn refusal(message: &str) -> Value {
    answer([("error", Value::from(message))])
}

/// The string called `key` of a line's object; else what is wrong with it.
fn text_of<'v>(request: &'v Value, key: &str) -> Result<&'v str, String> {
    match request.get(key) {
        Some(Value::Text(text)) => Ok(text),
        Some(other) => Err(format!("`{key}` is a string, not {}", with_article(other))),
        None => Err(format!("`{key}` is missing")),
    }
}

/// `an int`, `a string`, `null`.
fn with_article(value: &Value) -> String {
    let name = value.type_name();
    match name {
        "null" => name.to_owned(),
        "int" | "object" => format!("an {name}"),
        _ => format!("a {name}"),
    }
}
