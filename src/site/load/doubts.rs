//! What a route declares and does not need: inputs and fields that nothing reads, a timeout that its deadline never lets come.
//!
//! Only what the route's own file writes is doubted: what a section or `[defaults]` declares may serve other routes.

use super::super::code;
use super::super::inputs::{CookieInput, QueryInput};
use super::route::is_own;
use super::scope::Reads;
use crate::config::TreeFile;
use crate::diagnostic::{Code, Finding, Findings, Level};
use crate::resource::{self, Decl, OnInvalid};
use crate::source::{self, Kind, Source};
use std::time::Duration;

/// Mistakes that say nothing of what is read: all other errors may stand where a name would be read.
const BESIDE_THE_POINT: [&Code; 19] = [
    &resource::BAD_STATUS,
    &resource::OPEN_REDIRECT,
    &resource::POWERFUL_HEADER,
    &resource::RESERVED_HEADER,
    &resource::FILES_PATH,
    &resource::CACHE_CONTRADICTION,
    &code::BAD_PATH,
    &code::NEEDS_PATH,
    &code::BAD_HOST,
    &code::BAD_INPUT,
    &code::UNKNOWN_PARAM,
    &code::PERSONAL_PUBLIC,
    &code::COOKIE_HEADER,
    &code::REQUEST_ID,
    &code::WHOLE_SCOPE,
    &code::CYCLE,
    &code::BAD_ERROR_KEY,
    &code::ERROR_PAGE_READS,
    &code::ERROR_PAGE_FAILS,
];

/// Whether the findings from position `begin` on, which are those of one route, leave it known what the route reads.
pub(super) fn reads_are_known(findings: &Findings, begin: usize) -> bool {
    findings
        .iter()
        .skip(begin)
        .filter(|finding| finding.level == Level::Error)
        .all(|finding| BESIDE_THE_POINT.iter().any(|code| std::ptr::eq(*code, finding.code)))
}

/// Query values and cookies that nothing reads. One whose misfit is answered with an error is read by that.
pub(super) fn unused_inputs(
    decl: &Decl,
    crate::site::Inputs { query, cookies, .. }: &crate::site::Inputs,
    taken: &Reads,
    file: &TreeFile,
    findings: &mut Findings,
) {
    for (name, _) in decl.query.iter().flat_map(|named| &named.0) {
        let input = query.iter().find(|input| *input.name == *name.value);
        let is_read = |input: &QueryInput| input.is_read || taken.query.contains_key(&*input.name);
        if input.is_some_and(|input| !is_read(input) && input.on_invalid == OnInvalid::Default) {
            let message = format!("nothing reads the query value `{}`", name.value);
            let help = format!("read it as `query.{}`, or leave it out", name.value);
            push_own(Finding::new(&code::UNUSED_INPUT, name.place, message).help(help), file, findings);
        }
    }
    for (name, _) in decl.cookies.iter().flat_map(|named| &named.0) {
        let is_read = |cookie: &CookieInput| cookie.is_read || taken.cookies.contains_key(&*cookie.name);
        if cookies.iter().any(|cookie| *cookie.name == *name.value && !is_read(cookie)) {
            let message = format!("nothing reads the cookie `{}`", name.value);
            let help = format!("read it as `cookies.{}`, or leave it out", name.value);
            push_own(Finding::new(&code::UNUSED_INPUT, name.place, message).help(help), file, findings);
        }
    }
}

/// Fields of sources that are read, but in other fields. One that is `required` decides whether there is a page.
pub(super) fn unused_fields(decl: &Decl, sources: &[Source], reads: &Reads, file: &TreeFile, findings: &mut Findings) {
    for (name, decl) in decl.sources.iter().flat_map(|named| &named.0) {
        let Some(at) = sources.iter().position(|source| source.name.value == name.value) else { continue };
        let (Some(fields), true) = (source::fields(decl), reads.is_read_in_part(at)) else { continue };
        for entry in fields {
            let is_required = entry.node.as_table().is_some_and(|field| field.get("required").is_some());
            let field = entry.key.value.as_str();
            if !entry.node.is_false() && !is_required && !reads.reads_field(at, field) {
                let message = format!("nothing reads the field `{field}` of `{}`", name.value);
                let help = format!("read it as `{}.{field}`, or leave it out", name.value);
                push_own(Finding::new(&code::UNUSED_FIELD, entry.key.place, message).help(help), file, findings);
            }
        }
    }
}

/// Sources that say they may take longer than the whole request.
pub(super) fn late_timeouts(
    decl: &Decl,
    sources: &[Source],
    deadline: Duration,
    file: &TreeFile,
    findings: &mut Findings,
) {
    for (name, source) in decl.sources.iter().flat_map(|named| &named.0) {
        let is_called =
            sources.iter().any(|compiled| compiled.name.value == name.value && matches!(compiled.kind, Kind::Http(_)));
        let Some(timeout) = source.calling.timeout.filter(|timeout| is_called && timeout.value > deadline) else {
            continue;
        };
        let message = format!("the request is over before the source `{}` may time out", name.value);
        let mut finding = Finding::new(&code::LATE_TIMEOUT, timeout.place, message);
        if let Some(deadline) = decl.deadline {
            finding = finding.related(deadline.place, "the deadline of a request with all its sources");
        }
        push_own(finding.help("shorten it, or give the route a longer `deadline`"), file, findings);
    }
}

fn push_own(finding: Finding, file: &TreeFile, findings: &mut Findings) {
    if finding.place.is_some_and(|place| is_own(place, file)) {
        findings.push(finding);
    }
}
