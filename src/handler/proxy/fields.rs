//! Which fields are passed on in both directions, and what is added: end-to-end fields as they are, none that belong to one connection
//! (RFC 9110, section 7.6.1), `Via`, and who asked.
//!
//! It knows one exchange, and nothing of what is stored.

use crate::fields::{HOP_BY_HOP, connection_options, remove_hop_by_hop};
use crate::resource::{Forwarded, Proxy, ProxyTarget};
use crate::source::Upstream;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Uri, Version};
use std::net::IpAddr;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
/// How we are called in `Via`.
const PSEUDONYM: &str = "siteserver";

/// What proxies say of who asked, for which host and by which scheme, and only those that are believed.
static WHO_ASKED: [HeaderName; 4] = [header::FORWARDED, X_FORWARDED_FOR, X_FORWARDED_HOST, X_FORWARDED_PROTO];
/// What of that is about the request's URL, in alphabetical order: with `Host`, what an upstream makes its links of.
pub(super) static OF_THE_URL: [HeaderName; 3] = [header::FORWARDED, X_FORWARDED_HOST, X_FORWARDED_PROTO];

/// Whether a field is what we, or others on the way, say of the client.
pub(super) fn is_of_the_client(name: &HeaderName) -> bool {
    [&X_FORWARDED_FOR, &header::FORWARDED, &header::VIA].contains(&name)
}

/// Whether a request is to go no further (RFC 9110, section 7.6.2).
pub(super) fn is_last(request: &HeaderMap) -> bool {
    request.get(header::MAX_FORWARDS).is_some_and(|left| left.as_bytes().trim_ascii() == b"0")
}

/// Who asked, as the upstream is told.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker {
    /// The other end of the connection.
    pub(super) peer: Option<IpAddr>,
    /// Whether that is a proxy whose word is believed.
    pub(super) is_trusted: bool,
}

/// The request without the fields that its `Connection` lists, which go no further and so choose nothing of what is stored; `None` if it lists
/// none that it has. Where the request goes and how it is framed is not for it to leave out.
pub(super) fn without_listed(request: &Parts) -> Option<Parts> {
    if !request.headers.contains_key(header::CONNECTION) {
        return None;
    }
    let stays = [header::HOST, header::CONTENT_LENGTH];
    let is_there =
        |name: &HeaderName| !HOP_BY_HOP.contains(name) && !stays.contains(name) && request.headers.contains_key(name);
    let listed: Vec<HeaderName> = connection_options(&request.headers).filter(is_there).collect();
    if listed.is_empty() && !connection_options(&request.headers).any(|name| stays.contains(&name)) {
        return None;
    }
    let mut request = request.clone();
    for name in &listed {
        request.headers.remove(name);
    }
    // What it had to say is done; who may have an upgrade is asked of `Upgrade`.
    request.headers.remove(header::CONNECTION);
    Some(request)
}

/// The fields of the request that goes to the upstream.
pub(super) fn outgoing(request: &Parts, proxy: &Proxy, upstream: &Upstream, asker: Asker) -> HeaderMap {
    let mut fields = request.headers.clone();
    remove_hop_by_hop_but_trailer(&mut fields);
    // The framing is made anew, and we have answered what the client expected of us.
    for name in [header::CONTENT_LENGTH, header::EXPECT] {
        fields.remove(name);
    }
    tell_who_asked(&mut fields, request, proxy.forwarded, asker);
    if request.method == http::Method::OPTIONS {
        let left = fields.get(header::MAX_FORWARDS).and_then(|left| left.to_str().ok()?.trim().parse::<u32>().ok());
        if let Some(left) = left {
            fields.insert(header::MAX_FORWARDS, left.saturating_sub(1).into());
        }
    }
    if !proxy.preserve_host {
        fields.remove(header::HOST);
    }
    if proxy.via {
        fields.append(header::VIA, via(request.version));
    }
    drop_lookalikes(&mut fields, upstream);
    // The site's own credential, and whatever else every call to this upstream carries, is not for clients to choose.
    for (name, value) in &upstream.headers {
        fields.insert(name.clone(), value.clone());
    }
    fields
}

/// Removes fields that many programs take for others, of which only we say what they are: those behind CGI read `_` and `-` alike.
fn drop_lookalikes(fields: &mut HeaderMap, upstream: &Upstream) {
    let is_ours = |name: &HeaderName| {
        let never = [header::VIA, header::HOST, header::CONTENT_LENGTH];
        let ours = WHO_ASKED.iter().chain(HOP_BY_HOP.iter()).chain(&never);
        ours.chain(upstream.headers.iter().map(|(name, _)| name)).any(|known| known == name)
    };
    let odd = fields.keys().filter(|name| name.as_str().contains('_')).filter(|name| {
        HeaderName::from_bytes(name.as_str().replace('_', "-").as_bytes()).is_ok_and(|name| is_ours(&name))
    });
    for name in odd.cloned().collect::<Vec<_>>() {
        fields.remove(name);
    }
}

/// Removes what goes no further. The names of trailer fields do, as those fields are passed on (RFC 9110, sections 6.5 and 6.6.2).
fn remove_hop_by_hop_but_trailer(fields: &mut HeaderMap) {
    let is_listed = connection_options(fields).any(|name| name == header::TRAILER);
    let names: Vec<HeaderValue> = fields.get_all(header::TRAILER).iter().filter(|_| !is_listed).cloned().collect();
    remove_hop_by_hop(fields);
    for line in names {
        fields.append(header::TRAILER, line);
    }
}

fn via(version: Version) -> HeaderValue {
    HeaderValue::from_static(if version == Version::HTTP_10 { "1.0 siteserver" } else { "1.1 siteserver" })
}

/// Adds who asked, and takes out what a client that is not believed has said of it.
fn tell_who_asked(fields: &mut HeaderMap, request: &Parts, told: Forwarded, asker: Asker) {
    if !asker.is_trusted {
        for name in &WHO_ASKED {
            fields.remove(name);
        }
    }
    let host = request.headers.get(header::HOST).cloned();
    match told {
        Forwarded::None => {}
        Forwarded::XForwarded => {
            if let Some(peer) = asker.peer.and_then(|peer| HeaderValue::from_str(&peer.to_string()).ok()) {
                fields.append(X_FORWARDED_FOR, peer);
            }
            if let (Some(host), false) = (host, fields.contains_key(&X_FORWARDED_HOST)) {
                fields.insert(X_FORWARDED_HOST, host);
            }
            if !fields.contains_key(&X_FORWARDED_PROTO) {
                fields.insert(X_FORWARDED_PROTO, HeaderValue::from_static("http"));
            }
        }
        Forwarded::Forwarded => {
            let node = match asker.peer {
                Some(IpAddr::V4(peer)) => peer.to_string(),
                Some(IpAddr::V6(peer)) => format!("\"[{peer}]\""),
                None => "unknown".to_owned(),
            };
            let host = host.and_then(|host| Some(format!(";host=\"{}\"", host.to_str().ok()?))).unwrap_or_default();
            if let Ok(element) = HeaderValue::from_str(&format!("for={node}{host};proto=http")) {
                fields.append(header::FORWARDED, element);
            }
        }
    }
}

/// Makes the fields of an upstream's answer those of ours.
pub(super) fn incoming(fields: &mut HeaderMap, proxy: &Proxy, (base, host): (&str, Option<&str>)) {
    remove_hop_by_hop_but_trailer(fields);
    if proxy.via {
        fields.append(header::VIA, HeaderValue::from_static("1.1 siteserver"));
    }
    map_location(fields, &proxy.target, (base, host));
    let (_, prefix) = split_base(base);
    if proxy.target != ProxyTarget::Same || !prefix.is_empty() {
        map_cookies(fields, &proxy.target, prefix);
    }
}

/// Makes a `Location` that leads to the upstream lead to where its answers are passed on.
fn map_location(fields: &mut HeaderMap, target: &ProxyTarget, (base, host): (&str, Option<&str>)) {
    let Some(location) = fields.get(header::LOCATION).and_then(|value| value.to_str().ok()) else { return };
    let (origin, prefix) = split_base(base);
    let is_path = |rest: &&str| rest.is_empty() || rest.starts_with(['/', '?', '#']);
    let is_moved = *target != ProxyTarget::Same || !prefix.is_empty();
    // It may have been told by which host it is known, and lead there by its own paths.
    let below_host = || {
        let rest = location.strip_prefix("http://").or_else(|| location.strip_prefix("https://"))?;
        rest.strip_prefix(host?).filter(is_path).filter(|_| is_moved)
    };
    let path = match location.strip_prefix(origin).filter(is_path).or_else(below_host) {
        Some(rest) => rest,
        None if location.starts_with('/') && !location.starts_with("//") => location,
        // It leads elsewhere, or is relative to the request's own URL.
        None => return,
    };
    let Some(mapped) = here(path, target, prefix) else { return };
    // Without its origin, it would be the name of another host.
    if mapped.starts_with("//") || mapped.starts_with("/\\") {
        return;
    }
    if let Ok(value) = HeaderValue::from_str(&mapped) {
        fields.insert(header::LOCATION, value);
    }
}

/// Where the answers of a path of the upstream's are passed on, whose address has this path.
pub(super) fn here(path: &str, target: &ProxyTarget, prefix: &str) -> Option<String> {
    let below = path.strip_prefix(prefix).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']))?;
    target.here(if below.is_empty() { "/" } else { below })
}

/// Makes the paths of cookies those under which the upstream is here.
fn map_cookies(fields: &mut HeaderMap, target: &ProxyTarget, prefix: &str) {
    let Ok(cookies) = fields.try_entry(header::SET_COOKIE) else { return };
    let header::Entry::Occupied(mut cookies) = cookies else { return };
    for cookie in cookies.iter_mut() {
        let Ok(text) = cookie.to_str() else { continue };
        let mapped: Vec<String> = text
            .split(';')
            .enumerate()
            .map(|(at, part)| match part.trim_start().split_once('=') {
                Some((name, path)) if at > 0 && name.trim().eq_ignore_ascii_case("path") => {
                    let path = path.trim();
                    here(path, target, prefix).map_or_else(
                        || part.to_owned(),
                        |mapped| {
                            // `/a/` is no path of a cookie for `/a`.
                            let is_open = path.ends_with('/') || mapped.len() == 1;
                            format!(" Path={}", if is_open { &*mapped } else { mapped.trim_end_matches('/') })
                        },
                    )
                }
                _ => part.to_owned(),
            })
            .collect();
        if let Ok(value) = HeaderValue::from_str(&mapped.join(";")) {
            *cookie = value;
        }
    }
}

/// The origin of an upstream's address, and the path behind it.
pub(super) fn split_base(base: &str) -> (&str, &str) {
    let begin = base.find("://").map_or(0, |at| at + 3);
    let path = base.bytes().skip(begin).position(|byte| byte == b'/');
    base.split_at(path.map_or(base.len(), |at| begin + at))
}

/// The target of a request, as a URI of this origin.
pub(super) fn uri_of(origin: &str, path: &str) -> Option<Uri> {
    format!("{origin}{path}").parse().ok()
}

/// Whether somebody of this name has passed it on before, so often that it goes in circles.
pub(super) fn is_loop(request: &HeaderMap) -> bool {
    const MOST: usize = 8;
    let lines = request.get_all(header::VIA).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).filter(|entry| entry.trim().ends_with(PSEUDONYM)).count() >= MOST
}
