//! Error pages, rendered at load for each status that can occur.

use super::super::{ErrorPages, code};
use super::csp::Policies;
use super::kind::{Astray, keys_of};
use super::scope::follow;
use super::{Shared, SharedPage, called};
use crate::diagnostic::{Finding, Findings, Spanned};
use crate::fields::{content_type_of_made, is_document};
use crate::render::{Buffer, Context, Layout, Needs};
use crate::resource::{Csp, Decl, ErrorPage, ID_MARK};
use crate::source::Known;
use crate::value::{NULL, Object, Value, write_json};
use http::{HeaderValue, StatusCode};
use std::collections::HashMap;
use std::sync::Arc;

/// The statuses that siteserver answers of itself.
const STATUSES: [u16; 14] = [400, 401, 403, 404, 405, 410, 413, 421, 422, 429, 500, 502, 503, 504];

/// Pages that were rendered, by layout, status, `vars` and what `csp` says: routes that inherit them share them.
#[derive(Default)]
pub(super) struct Rendered(HashMap<(String, u16, String, Csp), Option<SharedPage>>);

/// The pages that `errors` declares.
pub(super) fn pages(decl: &Decl, vars: &Value, shared: &mut Shared<'_>) -> ErrorPages {
    let mut pages = Vec::new();
    let written = decl.errors.as_ref().map(|named| named.0.as_slice()).unwrap_or_default();
    if written.is_empty() {
        return ErrorPages::default();
    }
    let policies = Policies::new(decl, vars, shared, &mut Findings::default());
    // An exact status before its class.
    for by_class in [false, true] {
        for (key, layout) in written {
            let statuses = statuses(key, shared);
            if (statuses.len() > 1) == by_class {
                pages.extend(statuses.into_iter().filter_map(|status| page(status, layout, vars, &policies, shared)));
            }
        }
    }
    ErrorPages::new(pages)
}

fn statuses(key: &Spanned<String>, shared: &mut Shared<'_>) -> Vec<StatusCode> {
    let text = key.value.as_str();
    if let Some(class @ ('4' | '5')) = text.strip_suffix("xx").and_then(|class| class.chars().next())
        && text.len() == 3
    {
        let first = if class == '4' { 400 } else { 500 };
        let within = STATUSES.iter().filter(|status| (first..first + 100).contains(*status));
        return within.filter_map(|status| StatusCode::from_u16(*status).ok()).collect();
    }
    match text
        .parse::<u16>()
        .ok()
        .filter(|status| (400..600).contains(status))
        .and_then(|status| StatusCode::from_u16(status).ok())
    {
        Some(status) => vec![status],
        None => {
            let message = format!("`{text}` is not the status of an error");
            shared.findings.push(
                Finding::new(&code::BAD_ERROR_KEY, key.place, message)
                    .help("a status such as `404`, or `4xx` and `5xx` for all of a class"),
            );
            Vec::new()
        }
    }
}

fn page(
    status: StatusCode,
    name: &Spanned<String>,
    vars: &Value,
    policies: &Policies,
    shared: &mut Shared<'_>,
) -> Option<SharedPage> {
    let mut vars_text = String::new();
    write_json(vars, &mut vars_text);
    let key = (name.value.clone(), status.as_u16(), vars_text, policies.key().clone());
    if let Some(known) = shared.error_pages.0.get(&key) {
        return known.clone();
    }
    let Some(layout) = shared.library.get(&name.value).cloned() else {
        shared.findings.push(shared.library.unknown(name));
        return None;
    };
    let page = reads_what_there_is(&layout, name, vars, shared)
        .then(|| render(status, &layout, name, vars, policies, shared))
        .flatten();
    shared.error_pages.0.insert(key, page.clone());
    page
}

/// What `error` holds.
const FIELDS: [&str; 3] = ["status", "title", "id"];

/// Whether an error page reads nothing but `site`, `vars` and `error`, and of those what there is.
///
/// What lies around it is shared with pages, and may ask for the page: that reads as `nil`, as it does on a page that does not say it.
fn reads_what_there_is(layout: &Layout, name: &Spanned<String>, vars: &Value, shared: &mut Shared<'_>) -> bool {
    let error = Known::Record(FIELDS.iter().map(|&field| (field.to_owned(), Known::Scalar)).collect());
    let (site, vars) = (Known::of(&shared.site), Known::of(vars));
    let own = layout.files().first().copied();
    let mut wrong = Findings::default();
    let mut astray = Astray::default();
    for read in layout.reads() {
        if astray.leads_to(read) {
            continue;
        }
        let Some(root) = layout.roots().get(read.root) else { continue };
        let known = match &*root.name {
            "site" => &site,
            // They may be among the defaults that could not be read.
            "vars" if shared.lacks_defaults => continue,
            "vars" => &vars,
            "error" => &error,
            "page" | "content" | "request" | "degraded" if Some(read.place.file) != own => continue,
            // Set on some ways, and read on the others, where it is `nil`.
            _ if !root.certain => continue,
            other => {
                let message = format!("the error page `{}` reads `{other}`", name.value);
                let help = "error pages are rendered before any request comes: they have `site`, `vars` and `error`";
                wrong.push(Finding::new(&code::ERROR_PAGE_READS, read.place, message).help(help));
                continue;
            }
        };
        let keys = keys_of(&read.segments);
        let mut found = Findings::default();
        let followed = follow(known, &root.name, &keys, read.place, &mut found);
        wrong.append(called::explained(found, read, |given, place| {
            let mut found = Findings::default();
            follow(known, &root.name, keys.get(..given).unwrap_or(&keys), place, &mut found);
            found
        }));
        astray.note(read, followed.is_some());
    }
    let is_sound = wrong.is_empty();
    for finding in &wrong {
        shared.findings.push(finding.clone().related(name.place, "used as an error page here"));
    }
    is_sound
}

fn render(
    status: StatusCode,
    layout: &Layout,
    name: &Spanned<String>,
    vars: &Value,
    policies: &Policies,
    shared: &mut Shared<'_>,
) -> Option<SharedPage> {
    let title = status.canonical_reason().unwrap_or("Error");
    let error: Object =
        [("status", Value::Int(i64::from(status.as_u16()))), ("title", title.into()), ("id", ID_MARK.into())]
            .into_iter()
            .collect();
    let error = Value::from(error);
    let root = |name: &str| match name {
        "site" => &shared.site,
        "vars" => vars,
        "error" => &error,
        _ => &NULL,
    };
    let roots: Vec<&Value> = layout.roots().iter().map(|read| root(&read.name)).collect();
    let limits = crate::render::Limits::default();
    let time_zone = jiff::tz::TimeZone::UTC;
    let url = shared.site.get("url").and_then(Value::as_str).map(str::to_owned);
    let site = crate::site::known(url.as_deref(), &shared.money, Some(shared.assets.urls()));
    let context = Context { limits: &limits, now: jiff::Timestamp::UNIX_EPOCH, time_zone: &time_zone, site };
    let mut out = Buffer::default();
    if let Err(error) = layout.render(&roots, &context, &mut out) {
        let message = format!("the error page `{}` cannot be rendered: {error}", name.value);
        shared.findings.push(Finding::new(&code::ERROR_PAGE_FAILS, name.place, message));
        return None;
    }
    let out = out.into_string();
    let content_type = content_type_of_made(&name.value);
    let mut page = ErrorPage::new(status, HeaderValue::from_str(&content_type).ok()?, &out).made_of(layout.files());
    if is_document(&content_type) {
        policies.tell(layout, &mut shared.findings);
        let is_html = content_type.starts_with("text/html");
        page.csp = policies.field(&[&if is_html { Needs::of_html(&out) } else { Needs::of_xml(&out) }]);
    }
    Some(Arc::new(page))
}
