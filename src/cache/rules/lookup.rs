//! Which requests a store may answer (RFC 9111, sections 4 and 4.3.2).

use http::Method;
use http::header::{CONTENT_LENGTH, HeaderMap, IF_MATCH, IF_UNMODIFIED_SINCE, TRANSFER_ENCODING, UPGRADE};
use std::fmt;

/// Why a request goes to the origin without a look at what is stored, and its response is not stored either.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bypass {
    /// No stored response answers this method.
    Method,
    /// Its conditions are for the origin alone to weigh: `If-Match` or `If-Unmodified-Since` (section 4.3.2).
    Condition,
    /// It has content, of which the RFC 9110 (section 9.3.1) knows no meaning and a key would know nothing.
    Content,
    /// It asks for another protocol.
    Upgrade,
}

impl fmt::Display for Bypass {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Method => "no stored response answers this method",
            Self::Condition => "`If-Match` and `If-Unmodified-Since` are for the upstream alone to weigh",
            Self::Content => "the request has content",
            Self::Upgrade => "the request asks for another protocol",
        })
    }
}

impl Bypass {
    /// In a token, as `Cache-Status` has it in its `detail`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Method => "method",
            Self::Condition => "condition",
            Self::Content => "content",
            Self::Upgrade => "upgrade",
        }
    }
}

/// Whether a request may be answered from what is stored. One that asks for several ranges may: what is complete answers it as a whole.
pub fn may_look_up(method: &Method, request: &HeaderMap) -> Result<(), Bypass> {
    if *method != Method::GET && *method != Method::HEAD {
        return Err(Bypass::Method);
    }
    if request.contains_key(IF_MATCH) || request.contains_key(IF_UNMODIFIED_SINCE) {
        return Err(Bypass::Condition);
    }
    let is_empty = request.get(CONTENT_LENGTH).is_none_or(|length| length.as_bytes().trim_ascii() == b"0");
    if !is_empty || request.contains_key(TRANSFER_ENCODING) {
        return Err(Bypass::Content);
    }
    if request.contains_key(UPGRADE) {
        return Err(Bypass::Upgrade);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::{HeaderName, HeaderValue};

    #[test]
    fn a_store_answers_plain_requests() {
        for (method, field, expected) in [
            (Method::GET, ("accept", "*/*"), Ok(())),
            (Method::HEAD, ("accept", "*/*"), Ok(())),
            (Method::POST, ("accept", "*/*"), Err(Bypass::Method)),
            (Method::GET, ("if-none-match", "\"a\""), Ok(())),
            (Method::GET, ("if-match", "\"a\""), Err(Bypass::Condition)),
            (Method::GET, ("if-unmodified-since", "x"), Err(Bypass::Condition)),
            (Method::GET, ("content-length", "0"), Ok(())),
            (Method::GET, ("content-length", "5"), Err(Bypass::Content)),
            (Method::GET, ("transfer-encoding", "chunked"), Err(Bypass::Content)),
            (Method::GET, ("upgrade", "websocket"), Err(Bypass::Upgrade)),
            (Method::GET, ("range", "bytes=0-1"), Ok(())),
            (Method::GET, ("range", "bytes=0-1,3-4"), Ok(())),
        ] {
            let (name, value) = field;
            let request = HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]);
            assert_eq!(may_look_up(&method, &request), expected, "{method} {name}: {value}");
        }
    }
}
