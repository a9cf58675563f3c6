//! What a change on the origin makes invalid here (RFC 9111, section 4.4; RFC 9875).

use super::governing::lines;
use super::reference::Reference;
use crate::fields::string_list;
use http::header::{CONTENT_LOCATION, HeaderMap, HeaderName, LOCATION};
use http::{Method, StatusCode, Uri};

/// At most so many groups of a response count, twice as many as have to (RFC 9875, section 2).
const MOST_GROUPS: usize = 64;

/// Whether a method changes nothing by its definition (RFC 9110, section 9.2.1, and the registry). Of any other that is not known.
pub fn is_safe(method: &Method) -> bool {
    matches!(method.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PROPFIND" | "QUERY" | "REPORT" | "SEARCH")
}

/// What is not valid any more besides the target of the request.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Invalidated {
    /// Other resources of the same origin that `Location` and `Content-Location` name.
    pub elsewhere: Vec<Elsewhere>,
    /// Groups of responses of the same origin (RFC 9875, section 3).
    pub groups: Vec<String>,
}

/// Another resource of one of the origins that were told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elsewhere {
    /// Which of them.
    pub origin: usize,
    /// Its path and query there.
    pub path: String,
}

/// What a response makes invalid; none if that is nothing. If it is something, the target of the request is invalid in any case: all that is
/// stored under it, whatever chose it.
///
/// `targets` are the names of the request's target: as the origin knows it, which references are resolved against, and any others, such as the one
/// by which clients know it. Errors change nothing.
pub fn invalidated(method: &Method, targets: &[&Uri], status: StatusCode, response: &HeaderMap) -> Option<Invalidated> {
    let is_success = status.is_success() || status.is_redirection();
    if is_safe(method) || !is_success {
        return None;
    }
    let base = targets.first()?;
    let mut elsewhere = Vec::new();
    for name in [&LOCATION, &CONTENT_LOCATION] {
        let referred = lines(response, name).filter_map(|line| Reference::resolve(base, line));
        for reference in referred {
            let origin = targets.iter().position(|target| Reference::of(target).shares_origin_of(&reference));
            if let Some(origin) = origin {
                elsewhere.push(Elsewhere { origin, path: reference.path });
            }
        }
    }
    let groups = read_groups(response, &HeaderName::from_static("cache-group-invalidation"));
    Some(Invalidated { elsewhere, groups })
}

/// The groups that a response is in (RFC 9875, section 2), which are those of its origin alone.
pub fn groups(response: &HeaderMap) -> Vec<String> {
    read_groups(response, &HeaderName::from_static("cache-groups"))
}

fn read_groups(response: &HeaderMap, name: &HeaderName) -> Vec<String> {
    if !response.contains_key(name) {
        return Vec::new();
    }
    let mut groups = string_list(lines(response, name)).unwrap_or_default();
    groups.truncate(MOST_GROUPS);
    groups
}
