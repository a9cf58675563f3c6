//! Front matter as data: TOML or YAML, whichever the author wrote.

use crate::config::{MatterKind, Parts, Table, read_toml, read_yaml, split_front_matter};
use crate::diagnostic::{FileId, Files, Findings, Place};
use crate::value::{Object, Value};

/// The parts of a file. An unclosed front matter is a finding, and the whole file its body.
pub(super) fn split(file: FileId, files: &Files, findings: &mut Findings) -> Parts {
    let text = files.text(file);
    split_front_matter(text).unwrap_or_else(|error| {
        findings.push(error.finding(file));
        Parts { matter: None, body: 0..text.len() }
    })
}

/// Front matter that must be TOML: that of a layout, whose keys are declared.
pub(super) fn toml(file: FileId, parts: &Parts, files: &Files, findings: &mut Findings) -> Option<Table> {
    match &parts.matter {
        Some((MatterKind::Toml, range)) => Some(read_toml(file, range.clone(), files, findings)),
        Some((MatterKind::Yaml, range)) => {
            let place = Place::new(file, range.clone());
            let message = "the front matter of a layout is TOML";
            findings.push(
                crate::diagnostic::Finding::new(&crate::config::WRONG_TYPE, place, message)
                    .help("write it between lines of `+++`: layout = \"base.html\""),
            );
            None
        }
        None => None,
    }
}

/// Front matter whose keys are the author's: that of a document.
pub(super) fn value(file: FileId, parts: &Parts, files: &Files, findings: &mut Findings) -> Value {
    match &parts.matter {
        Some((MatterKind::Toml, range)) => read_toml(file, range.clone(), files, findings).to_value(),
        Some((MatterKind::Yaml, range)) => match read_yaml(files.text(file), range.clone()) {
            Ok(matter) => matter.values.into(),
            Err(error) => {
                findings.push(error.finding(file));
                Object::default().into()
            }
        },
        None => Object::default().into(),
    }
}
