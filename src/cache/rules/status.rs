//! What status codes allow (RFC 9111, sections 3 and 4.2.2; RFC 9110, section 15.1; RFC 6585).

use http::StatusCode;

/// Whether a response may be stored and its lifetime guessed although it says none (RFC 9110, section 15.1).
pub fn is_heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// Whether the rules of the status code for caching are kept here, which `must-understand` asks for (section 5.2.2.3): those of the RFC 9110
/// and of the final codes that were registered since.
pub fn is_understood(status: StatusCode) -> bool {
    matches!(
        status.as_u16(),
        200..=206 | 300..=303 | 307 | 308 | 400 | 401 | 403..=406 | 409 | 410 | 411 | 413..=415 | 421 | 422 | 451 | 500..=505
    )
}

/// Whether no response of this status is stored whatever it says: it answers a condition, a range or a credential of one request, is not
/// final, or its definition forbids it (RFC 6585, sections 3 to 6, for 428, 429, 431, 511).
pub(super) fn is_never_stored(status: StatusCode) -> bool {
    !(200..=599).contains(&status.as_u16())
        || matches!(status.as_u16(), 304 | 407 | 412 | 416 | 417 | 428 | 429 | 431 | 511)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_for_everybody_or_for_one_request() {
        let all = (100..=999).map(|code| StatusCode::from_u16(code).unwrap());
        for status in all {
            assert!(!(is_heuristically_cacheable(status) && is_never_stored(status)), "{status}");
            assert!(!is_heuristically_cacheable(status) || is_understood(status), "{status}");
        }
        for code in [200, 299, 302, 400, 499, 500, 599] {
            assert!(!is_never_stored(StatusCode::from_u16(code).unwrap()), "{code}");
        }
        for code in [100, 101, 199, 600, 999] {
            assert!(is_never_stored(StatusCode::from_u16(code).unwrap()), "{code}");
        }
    }
}
