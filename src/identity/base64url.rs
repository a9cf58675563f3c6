//! Base64url without padding (RFC 7515, appendix C), read strictly: each text is that of one sequence of octets, and of no other.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    URL_SAFE_NO_PAD.decode(text).ok()
}

/// The same of usual Base64, with padding.
pub(super) fn decode_standard(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_is_of_one_sequence() {
        assert_eq!(
            (encode(&[3, 236, 255, 224, 193]).as_str(), decode("A-z_4ME")),
            ("A-z_4ME", Some(vec![3, 236, 255, 224, 193]))
        );
        // Padding, the other alphabet, bits that belong to nothing, a lone digit, white space.
        for text in ["A-z_4ME=", "A+z/4ME", "A-z_4MF", "A", "A-z_ 4ME", "A-z_4ME\n"] {
            assert_eq!(decode(text), None, "{text:?}");
        }
    }
}
