//! Fields of answers that no author sets by name: those that are derived or declared elsewhere, and those that mean something of their own.

use http::header::HeaderName;

/// What to do instead of writing this field; nothing if it may be written.
pub fn instead(field: &HeaderName) -> Option<&'static str> {
    Some(match field.as_str() {
        "cache-control" | "expires" | "age" => "declare it: [cache] s-maxage = \"10s\"",
        "cdn-cache-control" => "declare it: [cache.cdn] max-age = \"1h\"",
        "vary" => "it is derived from what the page reads",
        "etag" | "last-modified" => "it is derived from what the page is made of",
        "content-length" | "transfer-encoding" | "connection" | "date" | "trailer" | "upgrade" | "keep-alive"
        | "te" => "it is written by the server",
        "content-type" => "write the key `content-type`",
        "content-encoding" | "content-range" | "accept-ranges" => "it is negotiated for each request",
        "location" => "write the key `redirect`",
        "content-security-policy" => {
            "write the key `csp`: `false` for none, sources to add, or a whole policy as a string"
        }
        "content-security-policy-report-only" => "write it below `csp`, with report-only = true",
        "set-cookie" | "set-cookie2" => "answers of pages set no cookies",
        "proxy-authenticate" | "proxy-authentication-info" | "proxy-authorization" | "proxy-connection" => {
            "it is between a client and a proxy of its own"
        }
        "cache-status" => "it is written by the server",
        _ => return None,
    })
}

/// Whether browsers or caches read something of their own in this field, which therefore holds nothing else.
pub(super) fn has_meaning(field: &HeaderName) -> bool {
    const OF_THEIR_OWN: [&str; 18] = [
        "allow",
        "alt-svc",
        "clear-site-data",
        "content-disposition",
        "content-language",
        "content-location",
        "link",
        "referrer-policy",
        "refresh",
        "retry-after",
        "server",
        "server-timing",
        "strict-transport-security",
        "surrogate-control",
        "via",
        "warning",
        "www-authenticate",
        "permissions-policy",
    ];
    let name = field.as_str();
    OF_THEIR_OWN.contains(&name)
        || ["access-control-", "cross-origin-", "proxy-", "sec-", "x-content-type", "x-frame-"]
            .iter()
            .any(|prefix| name.starts_with(prefix))
}
