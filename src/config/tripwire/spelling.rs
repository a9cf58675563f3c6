//! How a text may be spelled where text is printed: as it is, percent-encoded, escaped as in JSON or HTML, in any mixture.
//!
//! A text is found by a run of letters and digits, which no such encoding has to change (`letters` gives back those that were changed
//! all the same), and then read around that run, character by character, in whatever way each is spelled. What changes letters too
//! (Base64) is a text of its own.

/// A text whose characters may each be spelled in several ways.
#[derive(Clone)]
pub(super) struct Spelling {
    characters: Box<[char]>,
    /// Whether it is Base64, whose two last digits differ in the alphabet for URLs (RFC 4648, section 5).
    is_base64: bool,
    /// How many characters stand before the run that it is found by.
    before: usize,
    /// The run.
    run: Box<[u8]>,
}

/// Shorter runs are in too many words.
const SHORTEST_RUN: usize = 3;
/// What is compared beyond this is compared character by character.
const LONGEST_RUN: usize = 8;
/// More backslashes before a character are more than JSON in JSON has.
const MOST_ESCAPES: usize = 4;
/// The most bytes that are looked at for one character: four bytes of UTF-8, each with its percent sign encoded as well.
const WIDEST: usize = 20;

impl Spelling {
    /// Of a text; `None` if no run in it is long enough to find it by.
    pub(super) fn of_text(text: &str) -> Option<Self> {
        Self::new(text, false)
    }

    /// Of digits of Base64, likewise.
    pub(super) fn of_base64(digits: &str) -> Option<Self> {
        Self::new(digits, true)
    }

    fn new(text: &str, is_base64: bool) -> Option<Self> {
        let characters: Box<[char]> = text.chars().collect();
        let mut longest = 0..0;
        let mut at = 0;
        // Some encode the punctuation as well that RFC 3986 leaves as it is.
        for run in characters.split(|c| !c.is_ascii_alphanumeric()) {
            if run.len() > longest.len() {
                longest = at..at + run.len();
            }
            at += run.len() + 1;
        }
        let run: String = characters.get(longest.clone())?.iter().take(LONGEST_RUN).collect();
        let before = longest.start;
        (run.len() >= SHORTEST_RUN).then(|| Self { characters, is_base64, before, run: run.into_bytes().into() })
    }

    /// The run of characters that it is found by.
    pub(super) fn run(&self) -> &[u8] {
        &self.run
    }

    /// Whether the whole of it stands around its run, which stands in `text` at `run`.
    pub(super) fn stands_around(&self, run: usize, text: &[u8]) -> bool {
        let first = run.saturating_sub(self.before * WIDEST);
        // What stands before the run is no shorter than its characters.
        (first..=run.saturating_sub(self.before)).any(|start| text.get(start..).is_some_and(|text| self.begins(text)))
    }

    /// Whether `text` begins with it.
    fn begins(&self, text: &[u8]) -> bool {
        // Where the characters so far may end: some can be read in two ways, such as a percent sign that was not encoded.
        let (mut ends, mut next) = (vec![0], Vec::new());
        for &character in &self.characters {
            for &end in &ends {
                self.lengths(character, text.get(end..).unwrap_or_default(), |length| {
                    if !next.contains(&(end + length)) {
                        next.push(end + length);
                    }
                });
            }
            if next.is_empty() {
                return false;
            }
            ends.clear();
            std::mem::swap(&mut ends, &mut next);
        }
        true
    }

    /// How many bytes at the beginning of `text` spell `character`: each of the ways.
    fn lengths(&self, character: char, text: &[u8], mut found: impl FnMut(usize)) {
        if character.is_ascii_alphanumeric() && text.first().is_some_and(|&byte| char::from(byte) == character) {
            return found(1);
        }
        let mut bytes = [0; 4];
        let bytes = character.encode_utf8(&mut bytes).as_bytes();
        // JSON in JSON in an attribute: backslashes stay, and what they stand before is a reference.
        let escapes = text.iter().take(MOST_ESCAPES).take_while(|byte| **byte == b'\\').count();
        for escape in 0..=escapes {
            let text = text.get(escape..).unwrap_or_default();
            let is_other_digit =
                self.is_base64 && matches!((character, text.first()), ('+', Some(b'-')) | ('/', Some(b'_')));
            let is_form_space = character == ' ' && text.first() == Some(&b'+');
            let is_doubled = matches!(character, '"' | '\'') && text.starts_with(&[bytes, bytes].concat());
            let lengths = [
                text.starts_with(bytes).then_some(bytes.len()),
                (is_other_digit || is_form_space).then_some(1),
                is_doubled.then_some(2),
                percent(bytes, text, b"%"),
                percent(bytes, text, b"%25"),
                json(character, text),
            ];
            lengths.into_iter().flatten().chain(references(character, text)).for_each(|length| found(escape + length));
        }
    }
}

/// The length of `bytes` percent-encoded, with `sign` as the percent sign, at the beginning of `text`.
fn percent(bytes: &[u8], text: &[u8], sign: &[u8]) -> Option<usize> {
    let mut rest = text;
    for &byte in bytes {
        let (digits, after) = rest.strip_prefix(sign)?.split_at_checked(2)?;
        if number(digits, 16)? != u32::from(byte) {
            return None;
        }
        rest = after;
    }
    Some(text.len() - rest.len())
}

/// The length of a character reference (HTML, section 13.5) at the beginning of `text`, however often what it begins with was escaped
/// anew; an ampersand may be several of them.
fn references(character: char, text: &[u8]) -> impl Iterator<Item = usize> {
    let mut escaped = text.strip_prefix(b"&");
    std::iter::from_fn(move || {
        let rest = escaped?;
        escaped = rest.strip_prefix(b"amp;");
        Some((text.len() - rest.len(), rest))
    })
    .take(3)
    .filter_map(move |(begin, rest)| {
        let end = rest.iter().take(10).position(|&byte| byte == b';')?;
        (referred(rest.get(..end)?)? == u32::from(character)).then_some(begin + end + 1)
    })
}

/// The character that is called so, or by its number.
fn referred(name: &[u8]) -> Option<u32> {
    let character = match name {
        b"amp" => '&',
        b"lt" => '<',
        b"gt" => '>',
        b"quot" => '"',
        b"apos" => '\'',
        [b'#', b'x' | b'X', digits @ ..] => return number(digits, 16),
        [b'#', digits @ ..] => return number(digits, 10),
        _ => return None,
    };
    Some(u32::from(character))
}

/// The length of an escape of JSON (RFC 8259, section 7) at the beginning of `text`.
fn json(character: char, text: &[u8]) -> Option<usize> {
    let letter: &[u8] = match character {
        '\n' => b"\\n",
        '\r' => b"\\r",
        '\t' => b"\\t",
        _ => &[],
    };
    if !letter.is_empty() && text.starts_with(letter) {
        return Some(letter.len());
    }
    let mut rest = text;
    for &mut unit in character.encode_utf16(&mut [0; 2]) {
        let escapes = rest.iter().take(MOST_ESCAPES).take_while(|byte| **byte == b'\\').count();
        let (escapes, after) = rest.split_at_checked(escapes)?;
        let (digits, after) = after.strip_prefix(b"u")?.split_at_checked(4)?;
        if escapes.is_empty() || number(digits, 16)? != u32::from(unit) {
            return None;
        }
        rest = after;
    }
    Some(text.len() - rest.len())
}

/// The number that these digits are, and nothing else is.
pub(super) fn number(digits: &[u8], radix: u32) -> Option<u32> {
    let text = std::str::from_utf8(digits).ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    u32::from_str_radix(text, radix).ok()
}

/// What to look for where there is no run to find `text` by: all of it, in each of the usual ways to spell a text.
pub(super) fn usual(text: &str) -> Vec<String> {
    let is_unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let is_of_path = |byte: u8| is_unreserved(byte) || b"!$&'()*+,;=:@/".contains(&byte);
    let all_encoded = percent_encoded(text, |byte| byte.is_ascii_alphanumeric());
    let encoded = percent_encoded(text, is_unreserved);
    let in_path = percent_encoded(text, is_of_path);
    let html = each(text, |c| match c {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => "&#39;".to_owned(),
        other => other.to_string(),
    });
    let json = each(text, |c| match c {
        '"' | '\\' => format!("\\{c}"),
        other => other.to_string(),
    });
    let in_script = each(&json, |c| match c {
        '<' | '>' | '&' | '\'' => format!("\\u{:04x}", u32::from(c)),
        other => other.to_string(),
    });
    let mut forms = vec![text.to_owned(), html, json, in_script];
    forms.extend([
        encoded.replace("%20", "+"),
        with_lower_digits(&all_encoded),
        with_lower_digits(&encoded),
        with_lower_digits(&in_path),
        all_encoded,
        encoded,
        in_path,
    ]);
    forms.sort();
    forms.dedup();
    forms
}

fn each(text: &str, form: impl Fn(char) -> String) -> String {
    text.chars().map(form).collect()
}

fn percent_encoded(text: &str, is_kept: impl Fn(u8) -> bool) -> String {
    let form = |byte: u8| if is_kept(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(form).collect()
}

/// The same with the digits after percent signs in lower case.
fn with_lower_digits(encoded: &str) -> String {
    let mut digits = 0;
    let lower = |c: char| {
        digits = if c == '%' { 3_u8 } else { digits.saturating_sub(1) };
        if digits > 0 { c.to_ascii_lowercase() } else { c }
    };
    encoded.chars().map(lower).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cr\"t+/=&é< %-words'\\";

    fn stands(text: &str) -> bool {
        let spelling = Spelling::of_text(SECRET).unwrap();
        let run = std::str::from_utf8(spelling.run()).unwrap();
        text.match_indices(run).any(|(at, _)| spelling.stands_around(at, text.as_bytes()))
    }

    #[test]
    fn a_text_is_found_by_its_longest_run() {
        assert_eq!(Spelling::of_text(SECRET).unwrap().run(), b"words");
        assert_eq!(Spelling::of_base64("ab/cdefg-h").unwrap().run(), b"cdefg");
        assert!(Spelling::of_text("ab-cd/ef=").is_none());
        assert!(Spelling::of_text("").is_none());
        assert_eq!(Spelling::of_text(&"x".repeat(64)).unwrap().run().len(), LONGEST_RUN);
    }

    #[test]
    fn each_character_may_be_spelled_in_its_own_way() {
        for text in [
            SECRET,
            "s3cr%22t%2B%2F%3D%26%C3%A9%3C%20%25-words%27%5C",
            "s3cr%22t%2b%2f%3d%26%c3%a9%3c+%25-words%27%5c",
            "s3cr%22t+/=&%C3%a9<+%-words'%5C",
            "s3cr%2522t%252B/=&%25C3%25a9<%2520%2525-words%2527%255C",
            "s3cr&quot;t+/=&amp;é&lt; %-words&#39;\\",
            "s3cr&#34;t&#x2b;&#X2F;=&#38;&#xe9;&#60;&#32;%-words&apos;\\",
            "s3cr\\\"t+\\/=&é< %-words'\\\\",
            "s3cr\\u0022t+/=\\u0026\\u00e9\\u003C %-words\\u0027\\u005c",
            "s3cr\\&quot;t+/=&amp;é&lt; %-words&#39;\\\\",
            "s3cr\\\\\\&quot;t+\\/=&amp;é&lt; %-words&#39;\\\\\\\\",
            "s3cr\\\\u0022t+/=\\\\u0026\\\\u00e9< %-words'\\\\",
            "s3cr&amp;quot;t+/=&amp;amp;&amp;amp;#233;&lt; %-words&amp;#39;\\",
            "s3cr\"\"t+/=&é< %-words''\\",
            "s3cr%22t%2B%2F%3D%26%C3%A9%3C%20%25%2Dwords%27%5C",
            "%733cr%22&#116;+/=&\\u00e9< %-words'\\",
        ] {
            assert!(stands(text), "{text}");
            assert!(stands(&format!("before%{text}\\after &")), "{text}");
        }
    }

    #[test]
    fn a_part_of_a_text_is_not_the_text() {
        for text in [
            "-words",
            "s3cr\"t+/=&é< %-words",
            "3cr\"t+/=&é< %-words'\\",
            "s3cr\"t+/=&e< %-words'\\",
            "s3cr\"t+/=&é<  %-words'\\",
            "s3cr%2t+/=&é< %-words'\\",
            "s3cr&#34t+/=&é< %-words'\\",
            "s3cr\\u002t+/=&é< %-words'\\",
        ] {
            assert!(!stands(text), "{text}");
        }
    }

    #[test]
    fn digits_of_both_alphabets_are_the_same() {
        let spelling = Spelling::of_base64("ab+cdef/gh").unwrap();
        for (text, expected) in [
            ("ab+cdef/gh", true),
            ("ab-cdef_gh", true),
            ("ab%2Bcdef%2fgh", true),
            ("ab-cdef-gh", false),
            ("AB+cdef/gh", false),
        ] {
            let at = text.find("cdef").unwrap();
            assert_eq!(spelling.stands_around(at, text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn a_text_without_a_run_is_looked_for_as_it_is_usually_spelled() {
        let forms = usual("a+b/c=d é\"");
        for form in [
            "a+b/c=d é\"",
            "a%2Bb%2Fc%3Dd%20%C3%A9%22",
            "a%2bb%2fc%3dd%20%c3%a9%22",
            "a%2Bb%2Fc%3Dd+%C3%A9%22",
            "a+b/c=d%20%C3%A9%22",
            "a+b/c=d é&quot;",
            "a+b/c=d é\\\"",
        ] {
            assert!(forms.iter().any(|other| other == form), "{form}");
        }
    }
}
