//! A secret that is recognised wherever it comes out, in whatever form.
//!
//! Its letters and digits survive percent-encoding, form-encoding, character references and JSON's escapes, so one look finds all of
//! these; what changes letters too (base64, hex, everything escaped) is looked for form by form.

use std::fmt::Write as _;

/// The secret: every character that some encoding treats in its own way.
pub(crate) const CANARY: &str = "c4n4ry-5ecr3t+/=&é\"< %";

/// The part that no encoding of single characters changes, unless it encodes everything.
const MARK: &str = "c4n4ry";

/// The form in which the canary stands somewhere in `bytes`, if it does.
pub(crate) fn sighted(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let lower = text.to_ascii_lowercase();
    let exact = forms().into_iter().find(|form| text.contains(form.as_str()));
    exact.or_else(|| folded_forms().into_iter().find(|form| lower.contains(form.as_str())))
}

/// Forms whose case matters: base64 at each of its three alignments, in both alphabets. The characters at the edges depend on the
/// neighbours, and are left out.
fn forms() -> Vec<String> {
    let mut forms = Vec::new();
    for before in 0..3 {
        let padded = [&b"   "[..before], CANARY.as_bytes()].concat();
        let coded = base64(&padded);
        let from = (before * 8).div_ceil(6);
        let until = (before + MARK.len()) * 8 / 6;
        let core = coded[from..until].to_owned();
        forms.push(core.replace('+', "-").replace('/', "_"));
        forms.push(core);
    }
    forms
}

/// Forms whose case does not matter.
fn folded_forms() -> Vec<String> {
    let each = |form: fn(u8) -> String| MARK.bytes().map(form).collect::<String>();
    vec![
        MARK.to_owned(),
        each(|byte| format!("{byte:02x}")),
        each(|byte| format!("{byte:02x} ")),
        each(|byte| format!("{byte}, ")),
        each(|byte| format!("%{byte:02x}")),
        each(|byte| format!("\\u{byte:04x}")),
        each(|byte| format!("\\x{byte:02x}")),
        each(|byte| format!("&#x{byte:x};")),
        each(|byte| format!("&#{byte};")),
    ]
}

/// Base64 with padding (RFC 4648, section 4).
pub(crate) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for group in bytes.chunks(3) {
        let number = group.iter().chain(&[0, 0]).take(3).fold(0_usize, |number, &byte| number << 8 | usize::from(byte));
        for at in 0..4 {
            let digit = char::from(ALPHABET[number >> (18 - 6 * at) & 63]);
            out.push(if at <= group.len() { digit } else { '=' });
        }
    }
    out
}

/// Percent-encoding of every byte that is no letter or digit (RFC 3986, section 2.1), digits in upper case.
pub(crate) fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("memory");
        }
    }
    out
}
