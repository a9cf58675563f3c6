//! Sources whose address is written as one that their calls may not go to.

use super::code;
use crate::diagnostic::{Files, Finding, Findings};
use crate::site::Site;
use crate::source::Kind;
use crate::upstream::{Trust, Url, special_purpose};

pub(super) fn check(site: &Site, _files: &Files, findings: &mut Findings) {
    let mut told = Vec::new();
    for planned in site.routes.iter().flat_map(|route| &route.sources) {
        let source = &planned.source;
        let Kind::Http(http) = &source.kind else { continue };
        let Some(upstream) = site.upstreams.all().get(http.upstream) else { continue };
        let place = source.name.place;
        // What a section declares is told once, however many routes inherit it.
        if http.trust() == Trust::Public
            && let Some(kind) = written_kind(&upstream.base)
            && !told.contains(&place)
        {
            told.push(place);
            findings.push(
                Finding::new(
                    &code::PRIVATE_ADDRESS,
                    place,
                    format!("`{}` has an address that no call goes to: {kind}", source.name.value),
                )
                .help("if that is meant, write allow-private = true beside it, or in its upstream"),
            );
        }
    }
}

/// What kind of address is written, if it is written as an address and not public; however it is written, the parser understands it.
fn written_kind(base: &str) -> Option<&'static str> {
    let url = Url::parse(base).ok()?;
    let host = url.host_str()?;
    if host.trim_end_matches('.').rsplit('.').next() == Some("localhost") {
        return Some("loopback");
    }
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    special_purpose(address.parse().ok()?)
}
