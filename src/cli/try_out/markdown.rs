//! `siteserver try markdown`: a text to HTML.

use super::{STOPPED, answer, lines, read_text, refusal, refused_for, shown, text_of, with_article};
use crate::cli::arguments::{Extension, MarkdownArguments, MarkdownKind};
use crate::cli::console::Terminal;
use crate::config::split_front_matter;
use crate::diagnostic::{Files, Finding, Place, did_you_mean};
use crate::extract::markdown::{Options, render};
use crate::value::Value;
use clap::ValueEnum as _;
use std::path::Path;
use std::process::ExitCode;

pub(super) fn try_out(how: &MarkdownArguments) -> anyhow::Result<ExitCode> {
    match &how.text {
        Some(path) => of_file(path, how),
        None => lines::answer_all(of_line, refusal),
    }
}

fn of_file(path: &Path, how: &MarkdownArguments) -> anyhow::Result<ExitCode> {
    let mut options = match how.kind {
        MarkdownKind::Commonmark => Options::common_mark(),
        MarkdownKind::Document => Options::document(),
        MarkdownKind::Fetched => Options::untrusted(),
    };
    for extension in &how.options {
        *switch(&mut options, *extension) = true;
    }
    let mut files = Files::default();
    let text = read_text(path)?;
    let file = files.add(shown(path), text.as_str());
    let body = match how.kind {
        MarkdownKind::Document => match split_front_matter(&text) {
            Ok(parts) => parts.body,
            Err(error) => return Ok(refused_for(error.finding(file), &files)),
        },
        MarkdownKind::Commonmark | MarkdownKind::Fetched => 0..text.len(),
    };
    match render(text.get(body).unwrap_or_default(), &options, None) {
        Ok(rendered) => {
            Terminal::stdout().write(&rendered.html);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            let finding = Finding::new(&STOPPED, Place::new(file, 0..0), error.to_string());
            Ok(refused_for(finding.help("a document may be no longer and nest no deeper either"), &files))
        }
    }
}

/// The switch of an extension.
fn switch(options: &mut Options, extension: Extension) -> &mut bool {
    match extension {
        Extension::Table => &mut options.tables,
        Extension::Strikethrough => &mut options.strikethrough,
        Extension::Autolink => &mut options.autolinks,
        Extension::Tagfilter => &mut options.tag_filter,
        Extension::Tasklist => &mut options.task_lists,
        Extension::Footnotes => &mut options.footnotes,
    }
}

/// Answers `{"markdown", "options"}`.
fn of_line(request: &Value) -> Value {
    rendered(request).unwrap_or_else(|refusal| refusal)
}

fn rendered(request: &Value) -> Result<Value, Value> {
    let text = text_of(request, "markdown").map_err(|refused| refusal(&refused))?;
    let mut options = Options::common_mark();
    match request.get("options") {
        None | Some(Value::Null) => {}
        Some(Value::List(names)) => {
            for name in names.iter() {
                *switch(&mut options, extension(name)?) = true;
            }
        }
        Some(other) => return Err(refusal(&format!("`options` is a list of names, not {}", with_article(other)))),
    }
    let html = render(text, &options, None).map_err(|error| refusal(&error.to_string()))?.html;
    Ok(answer([("html", Value::text(html))]))
}

/// The extension that a line names.
fn extension(name: &Value) -> Result<Extension, Value> {
    let Some(name) = name.as_str() else {
        return Err(refusal(&format!("`options` is a list of names, and {} is none", with_article(name))));
    };
    Extension::from_str(name, false).map_err(|_unknown| {
        let known: Vec<_> = Extension::value_variants()
            .iter()
            .filter_map(|one| Some(one.to_possible_value()?.get_name().to_owned()))
            .collect();
        let help = did_you_mean(name, known.iter().map(String::as_str));
        let help = help.unwrap_or_else(|| format!("there are {}", known.join(", ")));
        refusal(&format!("there is no option `{name}`; {help}"))
    })
}
