//! Data files: `file = "data/prices.json"`, read when the site is loaded, once for all routes.

use super::{Shared, kind};
use crate::config::{Part, Reference, Table, Template, read_toml};
use crate::diagnostic::{FileId, Files, Finding, Findings, Place, Spanned, did_you_mean};
use crate::extract::Format;
use crate::router::{InputType, Pattern};
use crate::source::{self, BAD_DATA, DATA_FILE, DataFile, Given};
use crate::value::{JsonLimits, Value};
use std::collections::HashMap;
use std::path::Path;

/// More files than this are not chosen among by one name.
const MOST_FILES: usize = 1000;

/// The data files that were read.
#[derive(Default)]
pub(super) struct DataFiles(HashMap<String, Option<(FileId, Value)>>);

/// The data of a source with `file`. Everything that is read of it goes into `digest`.
pub(super) fn file(
    name: &Spanned<Template>,
    patterns: &[(Pattern, Place)],
    shared: &mut Shared<'_>,
    digest: &mut blake3::Hasher,
) -> Option<Given> {
    if name.value.environment().next().is_some() {
        let message = "a variable of the environment in the name of a data file";
        shared.findings.push(Finding::new(&DATA_FILE, name.place, message).help("write the name out"));
        return None;
    }
    if let Some(path) = name.value.as_literal() {
        return read(path, name.place, shared, digest).map(Given::One);
    }
    let mut paths = vec![String::new()];
    for part in &name.value.parts {
        let ends = match part {
            Part::Literal(text) => vec![text.to_string()],
            Part::Value(reference) => choices(reference, patterns, &mut shared.findings)?,
            Part::Env(_) => Vec::new(),
        };
        if paths.len() * ends.len() > MOST_FILES {
            let message = format!("a name that stands for more than {MOST_FILES} files");
            shared.findings.push(Finding::new(&DATA_FILE, name.place, message));
            return None;
        }
        paths = paths.iter().flat_map(|path| ends.iter().map(move |end| format!("{path}{end}"))).collect();
    }
    let mut values = HashMap::with_capacity(paths.len());
    let mut sound = true;
    for path in paths {
        match read(&path, name.place, shared, digest) {
            Some(value) => drop(values.insert(path, value)),
            None => sound = false,
        }
    }
    sound.then(|| Given::Chosen { name: name.value.clone(), values })
}

/// Tells what of the files that a source has read does not fit its declared types.
pub(super) fn doubt(name: &Spanned<Template>, given: Option<&Given>, decl: &source::Decl, shared: &mut Shared<'_>) {
    let mut findings = Findings::default();
    for path in given.iter().flat_map(|given| given.chosen()).chain(name.value.as_literal()) {
        if let Some(Some((file, value))) = shared.data.0.get(path) {
            decl.doubt(DataFile { path, file: *file, value }, &shared.files, &mut findings);
        }
    }
    shared.findings.append(findings);
}

/// The values that a parameter can have.
fn choices(reference: &Reference, patterns: &[(Pattern, Place)], findings: &mut Findings) -> Option<Vec<String>> {
    if patterns.is_empty() {
        // What the path has is not known: it cannot be read, or there is none in a section.
        return None;
    }
    let kind = match (reference.root.as_str(), reference.keys.as_slice()) {
        ("params", [name]) => patterns.iter().find_map(|(pattern, _)| pattern.input_type(name)),
        _ => None,
    };
    let choices = kind.and_then(InputType::choices).map(|choices| choices.map(str::to_owned).collect());
    if choices.is_none() {
        let message =
            format!("`{}` could stand for any text, and data files are read before any request", reference.spelled());
        findings.push(
            Finding::new(&DATA_FILE, reference.place, message)
                .help("only a path parameter with an `enum` may choose: [params.lang] enum = [\"en\", \"de\"]"),
        );
    }
    choices
}

/// The value of one file.
fn read(path: &str, place: Place, shared: &mut Shared<'_>, digest: &mut blake3::Hasher) -> Option<Value> {
    let format = known(path, place, shared)?;
    if !shared.data.0.contains_key(path) {
        let read = parse(path, &format, shared);
        shared.data.0.insert(path.to_owned(), read);
    }
    let (file, value) = shared.data.0.get(path)?.as_ref()?;
    let text = shared.files.text(*file);
    digest.update(&(text.len() as u64).to_le_bytes());
    digest.update(text.as_bytes());
    Some(value.clone())
}

/// How a file that is named at `place` is read; if it is none that can be, that is told at each place.
fn known(path: &str, place: Place, shared: &mut Shared<'_>) -> Option<DataFormat> {
    if let Some(finding) = kind::outside(path, place, "content") {
        shared.findings.push(finding);
        return None;
    }
    // Before it is looked for: who writes what is missing should not be told only then that it is of no use.
    let Some(format) = read_as(path) else {
        let message = format!("`{path}` is no data file");
        let help = "data files end in `.json`, `.toml`, `.yaml` or `.csv`";
        shared.findings.push(Finding::new(&DATA_FILE, place, message).help(help));
        return None;
    };
    if let Some((message, help)) = shared.tree.passed_over(path) {
        shared.findings.push(Finding::new(&DATA_FILE, place, message).help(help));
        return None;
    }
    if !shared.tree.has_content(path) {
        let files = shared.tree.content.iter().map(|file| file.path.as_str());
        let files = files.filter(|path| read_as(path).is_some());
        let help = did_you_mean(path, files).unwrap_or_else(|| format!("write it: content/{path}"));
        let message = format!("there is no data file `{path}` in `content/`");
        shared.findings.push(Finding::new(&DATA_FILE, place, message).help(help));
        return None;
    }
    Some(format)
}

fn parse(path: &str, format: &DataFormat, shared: &mut Shared<'_>) -> Option<(FileId, Value)> {
    let file = shared.tree.read_content(path, &mut shared.files, &mut shared.findings)?;
    let value = match format {
        DataFormat::Toml => toml(file, &shared.files, &mut shared.findings)?.to_value(),
        DataFormat::Body(format) => body(*format, file, &shared.files, &mut shared.findings)?,
    };
    Some((file, value))
}

/// How a data file is read.
enum DataFormat {
    Toml,
    Body(Format),
}

fn read_as(path: &str) -> Option<DataFormat> {
    match Path::new(path).extension()?.to_str()? {
        "json" => Some(DataFormat::Body(Format::Json)),
        "toml" => Some(DataFormat::Toml),
        "yaml" | "yml" => Some(DataFormat::Body(Format::Yaml)),
        "csv" => Some(DataFormat::Body(Format::Csv)),
        _ => None,
    }
}

fn toml(file: FileId, files: &Files, findings: &mut Findings) -> Option<Table> {
    let before = findings.len();
    let table = read_toml(file, 0..files.text(file).len(), files, findings);
    (findings.len() == before).then_some(table)
}

fn body(format: Format, file: FileId, files: &Files, findings: &mut Findings) -> Option<Value> {
    let text = files.text(file);
    match format.read(text.as_bytes(), None, JsonLimits::default()) {
        Ok(value) => Some(value),
        Err(error) => {
            let place = Place::new(file, error.range(text).unwrap_or(0..0));
            findings.push(Finding::new(&BAD_DATA, place, error.to_string()));
            None
        }
    }
}
