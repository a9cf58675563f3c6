//! `Connection` (RFC 9110, section 7.6.1): which fields of a message are meant for the next recipient alone and go no further.

use super::list::members;
use http::header::{CONNECTION, TE, TRAILER, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderName};

/// The fields that go no further than the connection they came on, listed or not.
pub static HOP_BY_HOP: [HeaderName; 7] = [
    CONNECTION,
    HeaderName::from_static("keep-alive"),
    HeaderName::from_static("proxy-connection"),
    TE,
    TRAILER,
    TRANSFER_ENCODING,
    UPGRADE,
];

/// Whether a field goes no further than the connection it came on, listed or not.
pub fn is_hop_by_hop(name: &HeaderName) -> bool {
    HOP_BY_HOP.contains(name)
}

/// The names that the message's `Connection` lists. What is no name names nothing.
pub fn connection_options(fields: &HeaderMap) -> impl Iterator<Item = HeaderName> + '_ {
    let lines = fields.get_all(CONNECTION).iter();
    lines.flat_map(|line| members(line.as_bytes())).filter_map(|name| HeaderName::from_bytes(name).ok())
}

/// Whether who sent these fields takes trailer fields (RFC 9110, section 10.1.4).
pub fn takes_trailers(fields: &HeaderMap) -> bool {
    let lines = fields.get_all(TE).iter();
    lines.flat_map(|line| members(line.as_bytes())).any(|member| member.eq_ignore_ascii_case(b"trailers"))
}

/// Removes the fields that go no further, those that `Connection` lists included.
pub fn remove_hop_by_hop(fields: &mut HeaderMap) {
    let listed: Vec<HeaderName> = connection_options(fields).collect();
    for name in listed.iter().chain(&HOP_BY_HOP) {
        fields.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_goes_no_further() {
        let lines = [
            ("connection", "a, Keep-Alive,, b c"),
            ("connection", "X-B"),
            ("a", "1"),
            ("a", "2"),
            ("x-b", "3"),
            ("b", "4"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "close"),
            ("te", "trailers"),
            ("trailer", "x"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("content-type", "text/plain"),
        ];
        let mut fields: HeaderMap =
            lines.iter().map(|(name, value)| (HeaderName::from_static(name), value.parse().unwrap())).collect();
        remove_hop_by_hop(&mut fields);
        let left: Vec<&str> = fields.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["b", "content-type"]);
        assert!(!fields.keys().any(is_hop_by_hop));
    }
}
