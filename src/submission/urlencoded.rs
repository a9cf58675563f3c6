//! `application/x-www-form-urlencoded` (WHATWG URL, section 5.1), strictly: an escape that is none, and text that is not UTF-8, are refused
//! where browsers would guess.

use super::Refusal;

/// The pairs, undecoded, in order: what is between two `&`, unless it is nothing.
pub(super) fn pairs(body: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()).map(|pair| {
        let equals = memchr::memchr(b'=', pair).unwrap_or(pair.len());
        (pair.get(..equals).unwrap_or_default(), pair.get(equals + 1..).unwrap_or_default())
    })
}

/// The text that a name or a value stands for.
pub(super) fn decode(encoded: &[u8]) -> Result<String, Refusal> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut left = encoded.iter();
    while let Some(&byte) = left.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || left.next().and_then(|&digit| char::from(digit).to_digit(16));
                let (Some(high), Some(low)) = (digit(), digit()) else { return Err(Refusal::Encoding) };
                u8::try_from(high << 4 | low).map_err(|_beyond| Refusal::Encoding)?
            }
            other => other,
        });
    }
    text(decoded)
}

/// Octets as text.
pub(super) fn text(octets: Vec<u8>) -> Result<String, Refusal> {
    String::from_utf8(octets).ok().filter(|text| !text.contains('\0')).ok_or(Refusal::Encoding)
}
