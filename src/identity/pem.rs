//! PEM (RFC 7468), as far as public keys come in it.

use super::base64url;

/// What stands between the lines of a text.
pub(super) struct Block<'t> {
    /// `PUBLIC KEY`.
    pub(super) label: &'t str,
    pub(super) content: Vec<u8>,
}

/// The blocks of a text; `None` if one of them cannot be read.
pub(super) fn blocks(text: &str) -> Option<Vec<Block<'_>>> {
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----")?;
        let (content, after) = after.split_once("-----END ")?;
        rest = after.strip_prefix(label)?.strip_prefix("-----")?;
        let digits: String = content.split_ascii_whitespace().collect();
        blocks.push(Block { label, content: base64url::decode_standard(&digits)? });
    }
    Some(blocks)
}

/// Whether a text looks like PEM.
pub(super) fn is_pem(text: &str) -> bool {
    text.contains("-----BEGIN ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_read_one_by_one() {
        let text = "a comment\n-----BEGIN PUBLIC KEY-----\nAQID\r\nBA==\n-----END PUBLIC KEY-----\n-----BEGIN X-----\n-----END X-----";
        let found = blocks(text).unwrap();
        let found: Vec<_> = found.iter().map(|block| (block.label, block.content.as_slice())).collect();
        assert_eq!(found, [("PUBLIC KEY", &[1, 2, 3, 4][..]), ("X", &[][..])]);
        assert!(is_pem(text) && !is_pem("AQID") && blocks("AQID").is_some_and(|none| none.is_empty()));
        for text in [
            "-----BEGIN X",
            "-----BEGIN X-----\nAQID",
            "-----BEGIN X-----\n-----END Y-----",
            "-----BEGIN X-----\n*\n-----END X-----",
        ] {
            assert!(blocks(text).is_none(), "{text}");
        }
    }
}
