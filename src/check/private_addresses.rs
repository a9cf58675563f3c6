//! Sources whose address is written as one that their calls may not go to.

use super::code;
use crate::diagnostic::{Files, Finding, Findings};
use crate::site::{Called, Outline};
use crate::source::Upstream;
use crate::upstream::{Trust, Url, special_purpose};

pub(super) fn check(site: &Outline, _files: &Files, findings: &mut Findings) {
    let mut told = Vec::new();
    for Called { source, upstream, trust } in site.routes.iter().flat_map(|route| &route.calls) {
        let Some(upstream) = site.site().upstreams.get(*upstream) else { continue };
        // What a section declares is told once, however many routes inherit it.
        if *trust == Trust::Public
            && let Some(kind) = kind(upstream)
            && !told.contains(&source.place)
        {
            told.push(source.place);
            findings.push(
                Finding::new(
                    &code::PRIVATE_ADDRESS,
                    source.place,
                    format!("`{}` has an address that no call goes to: {kind}", source.value),
                )
                .help("if that is meant, write allow-private = true beside it, or in its upstream"),
            );
        }
    }
}

/// What kind of address its calls would go to, if one that is written is not public: the machines' where they are declared.
fn kind(upstream: &Upstream) -> Option<&'static str> {
    if upstream.addresses.is_empty() {
        return written_kind(&upstream.base);
    }
    upstream.addresses.iter().find_map(|address| written_kind(&format!("http://{address}")))
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
