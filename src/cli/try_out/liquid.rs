//! `siteserver try liquid`: a template on its own.

use super::{
    BAD_DATA, STOPPED, answer, lines, read, read_text, refused, refused_for, shown, text_of, with_article, zone,
};
use crate::cli::arguments::{Escaping, LiquidArguments};
use crate::cli::console::Terminal;
use crate::config::split_front_matter;
use crate::diagnostic::{FileId, Files, Finding, Place};
use crate::extract::{Format, FormatError};
use crate::render::{Context, Escape, Fragment, Limits, MoneyFormats, RenderError};
use crate::site::known;
use crate::value::{JsonLimits, NULL, Object, Value};
use anyhow::Context as _;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// How deep folders of partials are read.
const DEEPEST_FOLDER: usize = 16;
/// How many partials are read.
const MOST_PARTIALS: usize = 10_000;

pub(super) fn try_out(how: &LiquidArguments) -> anyhow::Result<ExitCode> {
    let time_zone = zone::of_environment(&mut Terminal::stderr());
    let escape = match how.escape {
        Escaping::Html => Escape::Html,
        Escaping::Xml => Escape::Xml,
        Escaping::None => Escape::None,
    };
    match &how.template {
        Some(template) => of_file(template, how, escape, &time_zone),
        None => lines::answer_all(|request| of_line(request, escape, &time_zone), unreadable_line),
    }
}

fn of_file(path: &Path, how: &LiquidArguments, escape: Escape, zone: &TimeZone) -> anyhow::Result<ExitCode> {
    let mut files = Files::default();
    let text = read_text(path)?;
    let file = files.add(shown(path), text.as_str());
    let body = match split_front_matter(&text) {
        Ok(parts) => parts.body,
        Err(error) => return Ok(refused_for(error.finding(file), &files)),
    };
    let partials = match &how.partials {
        Some(folder) => partials(folder, path, &mut files)?,
        None => Vec::new(),
    };
    let partials: Vec<(&str, Place)> = partials.iter().map(|(name, place)| (name.as_str(), *place)).collect();
    let data = match &how.data {
        Some(data) => read_data(data, &mut files)?,
        None => Ok(Value::Null),
    };
    let data = match data {
        Ok(data) => data,
        Err(finding) => return Ok(refused_for(*finding, &files)),
    };
    let fragment = match Fragment::compile(Place::new(file, body), &partials, &files, escape) {
        Ok(fragment) => fragment,
        Err(findings) => return Ok(refused(&findings, &files)),
    };
    match render(&fragment, &data, Limits::default(), zone) {
        Ok(output) => {
            Terminal::stdout().write(&output);
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            let finding = Finding::new(&STOPPED, error.place(), error.to_string());
            Ok(refused_for(finding.help(help(&error)), &files))
        }
    }
}

/// The data of a template: a JSON object.
fn read_data(path: &Path, files: &mut Files) -> anyhow::Result<Result<Value, Box<Finding>>> {
    let bytes = read(path)?;
    let file = files.add(shown(path), String::from_utf8_lossy(&bytes).as_ref());
    Ok(match Format::Json.read(&bytes, None, JsonLimits::default()) {
        Ok(data @ Value::Object(_)) => Ok(data),
        Ok(other) => {
            let message = format!("the data is {}, where an object is needed", with_article(&other));
            let help = "the members of an object are what the template reads by their names: `{\"items\": […]}`";
            Err(Box::new(Finding::new(&BAD_DATA, Place::new(file, 0..0), message).help(help)))
        }
        Err(error) => Err(Box::new(unreadable(&error, file, files))),
    })
}

/// A text that is not of its format.
pub(super) fn unreadable(error: &FormatError, file: FileId, files: &Files) -> Finding {
    let range = error.range(files.text(file)).unwrap_or(0..0);
    Finding::new(&BAD_DATA, Place::new(file, range), error.to_string())
}

/// Every file below `folder`: its name as `{% render %}` says it, and its text. Of two that differ in their extension, the one with the
/// template's is taken.
fn partials(folder: &Path, template: &Path, files: &mut Files) -> anyhow::Result<Vec<(String, Place)>> {
    let mut found: BTreeMap<String, PathBuf> = BTreeMap::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((at, depth)) = folders.pop() {
        let cannot_read = || format!("cannot read `{}`", at.display());
        for entry in at.read_dir().with_context(cannot_read)? {
            let path = entry.with_context(cannot_read)?.path();
            if path.is_dir() {
                if depth < DEEPEST_FOLDER {
                    folders.push((path, depth + 1));
                }
                continue;
            }
            let relative = path.strip_prefix(folder).unwrap_or(&path).with_extension("");
            let Some(name) = relative.to_str().map(str::to_owned) else { continue };
            let preferred = path.extension() == template.extension();
            if preferred || !found.contains_key(&name) {
                found.insert(name, path);
            }
            anyhow::ensure!(
                found.len() <= MOST_PARTIALS,
                "there are more than {MOST_PARTIALS} files in `{}`",
                folder.display()
            );
        }
    }
    let mut partials = Vec::with_capacity(found.len());
    for (name, path) in found {
        let text = read_text(&path)?;
        let file = files.add(shown(&path), text.as_str());
        let body = split_front_matter(&text).map_or(0..text.len(), |parts| parts.body);
        partials.push((name, Place::new(file, body)));
    }
    Ok(partials)
}

fn render(fragment: &Fragment, data: &Value, limits: Limits, zone: &TimeZone) -> Result<String, RenderError> {
    let money = MoneyFormats::default();
    let site = known(None, &money, None);
    fragment.render(data, &Context { limits: &limits, now: Timestamp::now(), time_zone: zone, site })
}

fn help(error: &RenderError) -> &'static str {
    match error {
        RenderError::OutputTooLarge { .. }
        | RenderError::TooMuchMade { .. }
        | RenderError::TooManyIterations { .. } => {
            "a page may cost no more either; let loops end earlier: `{% for item in list limit: 100 %}`"
        }
        RenderError::TooMuchRead { .. } => "a page may cost no more either; look at less, or at it less often",
        RenderError::TooDeep { .. } => "a page may nest no deeper either",
        RenderError::Unusable { .. } => "in a page nothing would be printed here",
        RenderError::Refused { .. } => "a site with such a call does not load",
    }
}

/// Answers `{"template", "data", "templates"}`.
fn of_line(request: &Value, escape: Escape, zone: &TimeZone) -> Value {
    rendered(request, escape, zone).unwrap_or_else(|refusal| refusal)
}

/// The answer to a line that holds no template: nothing of it was rendered.
fn unreadable_line(message: &str) -> Value {
    stopped(message, "parse")
}

fn rendered(request: &Value, escape: Escape, zone: &TimeZone) -> Result<Value, Value> {
    let template = text_of(request, "template").map_err(|refused| unreadable_line(&refused))?;
    let data = match request.get("data") {
        None | Some(Value::Null) => &NULL,
        Some(data @ Value::Object(_)) => data,
        Some(other) => return Err(unreadable_line(&format!("`data` is an object, not {}", with_article(other)))),
    };
    let partials = match request.get("templates") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::Object(partials)) => named_texts(partials)?,
        Some(other) => {
            return Err(unreadable_line(&format!("`templates` is an object, not {}", with_article(other))));
        }
    };
    let fragment = Fragment::parse_escaped(template, &partials, escape).map_err(|error| {
        let said = error.findings.iter().map(|finding| match finding.place {
            Some(place) => format!("{}: {}", position(place, &error.files), finding.message),
            None => finding.message.clone(),
        });
        let said: Vec<String> = said.collect();
        stopped(&said.join("; "), "parse")
    })?;
    let limits = Limits { nesting: Fragment::DEEPEST, ..Limits::default() };
    let output = render(&fragment, data, limits, zone).map_err(|error| stopped(&error.to_string(), "render"))?;
    Ok(answer([("output", Value::text(output))]))
}

fn named_texts(partials: &Object) -> Result<Vec<(&str, &str)>, Value> {
    partials
        .iter()
        .map(|(name, text)| match text.as_str() {
            Some(text) => Ok((name.as_str(), text)),
            None => {
                let what = with_article(text);
                Err(unreadable_line(&format!("`templates` holds strings, and `{}` is {what}", name.as_str())))
            }
        })
        .collect()
}

/// `template:3:14`.
fn position(place: Place, files: &Files) -> String {
    let position = files.position(place.file, place.start);
    format!("{}:{}:{}", files.name(place.file), position.line, position.column)
}

fn stopped(message: &str, stage: &str) -> Value {
    answer([("error", Value::from(message)), ("stage", Value::from(stage))])
}
