//! Findings as JSON: the shape that `check --format json` promises to editors and to CI.

use super::{Files, Finding, Findings, Level, Place, Related};
use crate::value::{Object, Value, write_json_pretty};

/// `{"findings":[{code,level,message,file,line,column,end_line,end_column,help,related}]}`, and how many are `omitted` if any are; then
/// what else there is to say.
#[must_use]
pub fn to_json(findings: &Findings, files: &Files, more: Option<(&'static str, Value)>) -> String {
    let list = findings.iter().map(|finding| one(finding, files)).collect();
    let omitted: usize = Level::ALL.iter().map(|level| findings.omitted(*level)).sum();
    let omitted = (omitted > 0).then(|| ("omitted", Value::from(omitted)));
    let root: Object = [("findings", Value::list(list))].into_iter().chain(omitted).chain(more).collect();
    let mut out = String::new();
    write_json_pretty(&root.into(), &mut out);
    out.push('\n');
    out
}

fn one(finding: &Finding, files: &Files) -> Value {
    let mut members = vec![
        ("code", finding.code.name.into()),
        ("level", finding.level.name().into()),
        ("message", finding.message.as_str().into()),
    ];
    members.extend(place(finding.place, files));
    members.push(("help", finding.help.as_deref().into()));
    members.push(("related", Value::list(finding.related.iter().map(|other| related(other, files)).collect())));
    Value::Object(members.into_iter().collect())
}

fn related(related: &Related, files: &Files) -> Value {
    let mut members = vec![("message", related.message.as_str().into())];
    members.extend(place(Some(related.place), files));
    Value::Object(members.into_iter().collect())
}

fn place(place: Option<Place>, files: &Files) -> Vec<(&'static str, Value)> {
    let Some(place) = place else {
        let names = ["file", "line", "column", "end_line", "end_column"];
        return names.into_iter().map(|name| (name, Value::Null)).collect();
    };
    let (start, end) = (files.position(place.file, place.start), files.position(place.file, place.end));
    vec![
        ("file", files.name(place.file).into()),
        ("line", start.line.into()),
        ("column", start.column.into()),
        ("end_line", end.line.into()),
        ("end_column", end.column.into()),
    ]
}
