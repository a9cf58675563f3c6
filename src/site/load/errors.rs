//! Error pages, rendered at load for each status that can occur.

use super::super::{ErrorPages, code};
use super::{Shared, SharedPage};
use crate::config::Named;
use crate::diagnostic::{Finding, Spanned, did_you_mean};
use crate::fields::content_type_of;
use crate::render::{Context, Layout};
use crate::resource::{ErrorPage, ID_MARK, UNKNOWN_LAYOUT};
use crate::value::{NULL, Object, Value, write_json};
use http::{HeaderValue, StatusCode};
use std::collections::HashMap;
use std::sync::Arc;

/// The statuses that siteserver answers of itself.
const STATUSES: [u16; 14] = [400, 401, 403, 404, 405, 410, 413, 421, 422, 429, 500, 502, 503, 504];

/// Pages that were rendered, by layout, status and `vars`: routes that inherit them share them.
#[derive(Default)]
pub(super) struct Rendered(HashMap<(String, u16, String), Option<SharedPage>>);

/// The pages that `errors` declares.
pub(super) fn pages(decl: Option<&Named<Spanned<String>>>, vars: &Value, shared: &mut Shared<'_>) -> ErrorPages {
    let mut pages = Vec::new();
    let written = decl.map(|named| named.0.as_slice()).unwrap_or_default();
    // An exact status before its class.
    for by_class in [false, true] {
        for (key, layout) in written {
            let statuses = statuses(key, shared);
            if (statuses.len() > 1) == by_class {
                pages.extend(statuses.into_iter().filter_map(|status| page(status, layout, vars, shared)));
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

fn page(status: StatusCode, name: &Spanned<String>, vars: &Value, shared: &mut Shared<'_>) -> Option<SharedPage> {
    let mut vars_text = String::new();
    write_json(vars, &mut vars_text);
    let key = (name.value.clone(), status.as_u16(), vars_text);
    if let Some(known) = shared.error_pages.0.get(&key) {
        return known.clone();
    }
    let page = match shared.library.get(&name.value).cloned() {
        Some(layout) => render(status, &layout, name, vars, shared),
        None if shared.tree.has_layout(&name.value) => None,
        None => {
            let help = did_you_mean(&name.value, shared.library.names());
            let message = format!("there is no layout `{}`", name.value);
            shared.findings.push(Finding::new(&UNKNOWN_LAYOUT, name.place, message).maybe_help(help));
            None
        }
    };
    shared.error_pages.0.insert(key, page.clone());
    page
}

fn render(
    status: StatusCode,
    layout: &Layout,
    name: &Spanned<String>,
    vars: &Value,
    shared: &mut Shared<'_>,
) -> Option<SharedPage> {
    let title = status.canonical_reason().unwrap_or("Error");
    let error: Object =
        [("status", Value::Int(i64::from(status.as_u16()))), ("title", title.into()), ("id", ID_MARK.into())]
            .into_iter()
            .collect();
    let error = Value::from(error);
    let mut roots = Vec::new();
    for root in layout.roots() {
        roots.push(match &*root.name {
            "site" => &shared.site,
            "vars" => vars,
            "error" => &error,
            // A layout that is shared with pages may ask for what an error page lacks; it reads as `nil`, as it does when absent.
            "page" | "content" | "request" | "degraded" => &NULL,
            other => {
                let message = format!("the error page `{}` reads `{other}`", name.value);
                shared.findings.push(
                    Finding::new(&code::ERROR_PAGE_READS, root.place, message)
                        .related(name.place, "used as an error page here")
                        .help(
                            "error pages are rendered before any request comes: they have `site`, `vars` and `error`",
                        ),
                );
                return None;
            }
        });
    }
    let limits = crate::render::Limits::default();
    let time_zone = jiff::tz::TimeZone::UTC;
    let url = shared.site.get("url").and_then(Value::as_str).map(str::to_owned);
    let site = crate::site::known(url.as_deref(), &shared.money_format);
    let context = Context { limits: &limits, now: jiff::Timestamp::UNIX_EPOCH, time_zone: &time_zone, site };
    let mut out = String::new();
    if let Err(error) = layout.render(&roots, &context, &mut out) {
        let message = format!("the error page `{}` cannot be rendered: {error}", name.value);
        shared.findings.push(Finding::new(&code::ERROR_PAGE_FAILS, name.place, message));
        return None;
    }
    let content_type = HeaderValue::from_str(&content_type_of(&name.value)).ok()?;
    Some(Arc::new(ErrorPage::new(status, content_type, &out).made_of(layout.files())))
}
