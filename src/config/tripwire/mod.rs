//! A tripwire for the values of secrets: whatever is about to leave is looked through, once, when it is made.
//!
//! The types keep a secret out of pages; what they cannot see is a secret that comes back from outside, in the answer of an upstream
//! that repeats what it was sent. The values are looked for as they are, in hexadecimal, and in Base64 at each of its three alignments; and
//! again in the same text with what is encoded in it decoded, layer after layer: percent-encoding, escapes of JSON and references of HTML,
//! in any mixture. Other changes (another case, reversed, cut in two with something in between) are not seen.
//!
//! What is encoded through and through is found wherever it stands. Where several kinds of encodings stand together, what is one may be a
//! part of the secret; of the ways to take them off one at a time so many are tried as cost a few times what the text is long.
//!
//! One pass over the text finds all of them (`sieve`); of a text that has something encoded in it (`layers`) only what is around that is
//! looked at again. Without secrets there is no pass at all.

mod layers;
mod sieve;

use super::Secret;
use layers::{SIGNS, peeled};
use sieve::Sieve;
use std::borrow::Cow;
use std::collections::{BTreeSet, VecDeque};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Values of fewer bytes are in too many words to be looked for.
pub(super) const SHORTEST: usize = 8;

/// Of a longer value only its end is looked for, so that no value makes the search large. The end of a token is its signature.
const LONGEST: usize = 64;

/// Letters of which there are no more are a word, and not drawn by lot.
const LONGEST_WORD: usize = 15;

/// Whether a text is like an ordinary word or two, a date or another number that people write, so that it may stand where nobody has
/// told it.
pub(super) fn is_word(text: &str) -> bool {
    let is_of_letters = || text.bytes().all(|byte| byte.is_ascii_alphabetic() || b" -_.".contains(&byte));
    let is_of_digits = || text.bytes().all(|byte| byte.is_ascii_digit() || b" -:./".contains(&byte));
    text.len() <= LONGEST_WORD && (is_of_letters() || is_of_digits())
}

/// Finds the values of secrets in what is about to leave.
#[derive(Default)]
pub struct Tripwire(Option<Box<Net>>);

/// What is strung if there is anything to find.
struct Net {
    /// The names of the secrets.
    names: Vec<Arc<str>>,
    /// Those whose values are like ordinary words.
    words: Vec<Arc<str>>,
    sieve: Sieve,
}

/// More layers of encodings than anything goes through on its way into a page: a URL of JSON in JSON in HTML has four.
const MOST_LAYERS: usize = 5;

/// Where encodings are mixed there are several ways to take them off. All are tried in a text of this many bytes,
const LEAST_WORK: usize = 64 << 10;

/// and in a longer one as many as take so many times its length: a visitor may have written most of it.
const MOST_WORK: usize = 8;

/// No escape of one character is longer, as far as more than one layer of them is concerned.
const LONGEST_ESCAPE: usize = 16;

impl Tripwire {
    /// One for these secrets, by the names of their variables. Those whose values are too short are left out.
    pub fn new<'s>(secrets: impl IntoIterator<Item = (&'s str, &'s Secret)>) -> Self {
        let (mut names, mut words, mut patterns) = (Vec::new(), Vec::new(), Vec::new());
        for (name, secret) in secrets {
            let text = secret.expose().trim();
            if text.len() < SHORTEST {
                continue;
            }
            let secret = names.len();
            names.push(Arc::from(name));
            if is_word(text) {
                words.extend(names.last().cloned());
            }
            let text = text.get(text.ceil_char_boundary(text.len().saturating_sub(LONGEST))..).unwrap_or(text);
            patterns.extend(forms(text).into_iter().map(|form| (form.into(), secret)));
        }
        if patterns.is_empty() {
            return Self(None);
        }
        Self(Some(Box::new(Net { names, words, sieve: Sieve::new(patterns) })))
    }

    /// Whether it looks for nothing.
    pub fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// Whether it looks for nothing that `other` does not look for, in the same process.
    pub fn is_covered_by(&self, other: &Self) -> bool {
        self.names().iter().all(|name| other.names().contains(name))
    }

    /// Whether the value of this secret is like an ordinary word.
    pub fn is_word(&self, name: &str) -> bool {
        self.0.as_ref().is_some_and(|net| net.words.iter().any(|word| &**word == name))
    }

    fn names(&self) -> &[Arc<str>] {
        self.0.as_ref().map_or(&[], |net| &net.names)
    }

    /// The name of a secret whose value stands in `text`.
    pub fn find(&self, text: &[u8]) -> Option<&Arc<str>> {
        let net = self.0.as_ref()?;
        let mut found = None;
        net.search(text, |secret| {
            found = net.names.get(secret);
            ControlFlow::Break(())
        });
        found
    }

    /// The names of all secrets whose values stand in `text`, each once.
    pub fn find_all(&self, text: &[u8]) -> Vec<&Arc<str>> {
        let Some(net) = &self.0 else { return Vec::new() };
        let mut found = vec![false; net.names.len()];
        net.search(text, |secret| {
            found[secret] = true;
            ControlFlow::Continue(())
        });
        net.names.iter().zip(found).filter_map(|(name, found)| found.then_some(name)).collect()
    }
}

impl Net {
    /// Tells `found` of each secret that stands in `text`, until it has heard enough.
    fn search(&self, text: &[u8], mut found: impl FnMut(usize) -> ControlFlow<()>) {
        if self.sieve.search(text, &mut found).is_break() {
            return;
        }
        // Of two characters of a secret that were both decoded no more lies between than the rest of it, and of one more escape.
        let reach = self.sieve.longest() + LONGEST_ESCAPE;
        let mut left = LEAST_WORK + MOST_WORK * text.len();
        let mut mixed = VecDeque::new();
        if self.peel(Cow::Borrowed(text), 0, reach, &mut mixed, &mut found).is_break() {
            return;
        }
        // What stands around a secret may make an encoding of another kind out of its first letters or its last ones.
        while let Some((text, depth)) = mixed.pop_front() {
            for sign in SIGNS {
                let Some(layer) = peeled(&text, reach, [sign; 3]) else { continue };
                let Some(rest) = left.checked_sub(layer.text.len() * (MOST_LAYERS - depth)) else { return };
                left = rest;
                if self.sieve.search(&layer.text, &mut found).is_break()
                    || self.peel(Cow::Owned(layer.text), depth + 1, reach, &mut mixed, &mut found).is_break()
                {
                    return;
                }
            }
        }
    }

    /// The same in `text` with all that is encoded in it decoded, layer after layer. Where encodings of several kinds stand together the
    /// text is `mixed`.
    fn peel<'t>(
        &self,
        mut text: Cow<'t, [u8]>,
        depth: usize,
        reach: usize,
        mixed: &mut VecDeque<(Cow<'t, [u8]>, usize)>,
        found: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        for depth in depth..MOST_LAYERS {
            let Some(layer) = peeled(&text, reach, SIGNS) else { break };
            self.sieve.search(&layer.text, found)?;
            let outer = std::mem::replace(&mut text, Cow::Owned(layer.text));
            if layer.is_mixed {
                mixed.push_back((outer, depth));
            }
        }
        ControlFlow::Continue(())
    }
}

/// All that a secret is found by, once every encoding has been taken off that is taken off.
fn forms(text: &str) -> BTreeSet<Vec<u8>> {
    let mut forms = BTreeSet::new();
    // Forms of HTML send a space as a plus sign; CSV and SQL double their quotes.
    for text in [text.to_owned(), text.replace(' ', "+")] {
        for text in [text.replace('"', "\"\""), text.replace('\'', "''"), text] {
            // What looks like an encoding in it is taken off together with those around it.
            let mut layer = Some(text.into_bytes());
            for _ in 0..MOST_LAYERS {
                let Some(form) = layer.filter(|form| form.len() >= SHORTEST) else { break };
                layer = peeled(&form, form.len(), SIGNS).map(|layer| layer.text);
                forms.insert(form);
            }
        }
    }
    for digits in base64(text.as_bytes()) {
        forms.insert(digits.replace('+', "-").replace('/', "_").into_bytes());
        forms.insert(digits.into_bytes());
    }
    let digits = text.bytes().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    forms.insert(digits.to_ascii_uppercase().into_bytes());
    forms.insert(digits.into_bytes());
    forms
}

impl fmt::Debug for Tripwire {
    /// Names only.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.iter().flat_map(|net| &net.names)).finish()
    }
}

/// The digits of `bytes` in Base64 (RFC 4648, section 4) that depend on nothing around them, at each alignment.
fn base64(bytes: &[u8]) -> [String; 3] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    [0, 1, 2].map(|before: usize| {
        let padded: Vec<u8> = std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
        // A digit is six bits; one that shares some with a neighbour is anything.
        let (first, end) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        let digit = |at: usize| {
            let (byte, bit) = (at * 6 / 8, at * 6 % 8);
            let pair = [byte, byte + 1].map(|at| u16::from(padded.get(at).copied().unwrap_or(0)));
            let six = ((pair[0] << 8 | pair[1]) >> (10 - bit)) & 63;
            char::from(DIGITS[usize::from(six)])
        };
        (first..end).map(digit).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TOKEN: &str = "shpat_4f9c1e77b2a84d0f";

    fn tripwire(secrets: &[(&str, &str)]) -> Tripwire {
        let secrets: Vec<(&str, Secret)> = secrets.iter().map(|(name, text)| (*name, Secret::new(*text))).collect();
        Tripwire::new(secrets.iter().map(|(name, secret)| (*name, secret)))
    }

    fn encoded(bytes: &[u8]) -> String {
        // Whole groups, so that nothing is cut.
        let mut padded = bytes.to_vec();
        padded.resize(bytes.len().next_multiple_of(3), b' ');
        base64(&padded)[0].clone()
    }

    #[test]
    fn base64_is_that_of_the_rfc() {
        assert_eq!(base64(b"foobar")[0], "Zm9vYmFy");
        assert_eq!(base64(b"foob")[0], "Zm9vY");
        assert_eq!(base64(&[0xfb, 0xff, 0xfe])[0], "+//+");
        // `xfoobar` is `eGZvb2Jhcg==`, `xxfoobar` is `eHhmb29iYXI=`.
        assert_eq!(base64(b"foobar")[1], "Zvb2Jhc");
        assert_eq!(base64(b"foobar")[2], "mb29iYX");
    }

    #[test]
    fn a_secret_is_found_wherever_it_stands() {
        let tripwire = tripwire(&[("OTHER", "another-secret"), ("TOKEN", TOKEN)]);
        for text in [
            TOKEN.to_owned(),
            format!("<p title='{TOKEN}'>"),
            format!("aW{}", encoded(TOKEN.as_bytes())),
            format!("Basic {}", encoded(format!("u:{TOKEN}").as_bytes())),
            format!("Basic {}", encoded(format!("user:{TOKEN}!").as_bytes())),
            format!("Basic {}", encoded(format!("usr:{TOKEN}!").as_bytes())),
        ] {
            assert_eq!(tripwire.find(text.as_bytes()).map(|name| &**name), Some("TOKEN"), "{text}");
        }
        let half = TOKEN.split_at(12);
        for text in [half.0, half.1, "", "TOKEN", &format!("{}<b>{}", half.0, half.1), &TOKEN.to_uppercase()] {
            assert_eq!(tripwire.find(text.as_bytes()), None, "{text}");
        }
        let both = format!("{TOKEN} another-secret {TOKEN}");
        assert_eq!(tripwire.find_all(both.as_bytes()), [&Arc::from("OTHER"), &Arc::from("TOKEN")]);
    }

    #[test]
    fn secrets_that_overlap_are_all_found() {
        let tripwire = tripwire(&[
            ("A", "prefix-12345"),
            ("B", "prefix-12345-and-more"),
            ("C", "12345-and"),
            ("D", "x/prefix-1234"),
        ]);
        let found = |text: &str| tripwire.find_all(text.as_bytes()).iter().map(|name| &***name).collect::<String>();
        assert_eq!(found("prefix-12345-and-more"), "ABC");
        assert_eq!(found("x%2Fprefix-12345"), "AD");
        assert_eq!(found("prefix-1234"), "");
    }

    #[test]
    fn short_secrets_are_not_looked_for_and_long_ones_by_their_end() {
        assert!(tripwire(&[("A", ""), ("B", "seven77"), ("C", "  seven77 \n")]).is_idle());
        assert!(!tripwire(&[("A", "eight888")]).is_idle());
        let long = format!("{}{TOKEN}{}!?x9", "a".repeat(1000), "é".repeat(40));
        let tripwire = tripwire(&[("LONG", &long)]);
        assert!(tripwire.find(long.as_bytes()).is_some());
        let (cut, _) = long.split_at(long.len() - 2);
        assert!(tripwire.find(cut.as_bytes()).is_none());
        assert!(tripwire.find(format!("{}{TOKEN}", "a".repeat(1000)).as_bytes()).is_none());
    }

    #[test]
    fn few_letters_are_a_word() {
        for (text, expected) in [
            ("development", true),
            ("Password", true),
            ("acme-corp", true),
            ("2024-01-01", true),
            ("12:30:00.000", true),
            ("5/3/2026", true),
            ("12345678", true),
            ("8493028475610293", false),
            ("2024-01-01a", false),
            ("v1.example", false),
            ("correct horse battery", false),
            ("shpat_4f9c", false),
        ] {
            let tripwire = tripwire(&[("S", text)]);
            assert_eq!(tripwire.is_word("S"), expected, "{text}");
            assert!(!tripwire.is_word("T") && tripwire.find(text.as_bytes()).is_some());
        }
    }

    #[test]
    fn a_great_many_are_found_too() {
        for count in [40, 300] {
            let secrets: Vec<(String, String)> =
                (0..count).map(|at| (format!("S{at}"), format!("common-prefix-{at:04}/{at}"))).collect();
            let tripwire = tripwire(&secrets.iter().map(|(name, text)| (&**name, &**text)).collect::<Vec<_>>());
            for (name, text) in &secrets {
                let page = format!("common-prefix- {text}. common-prefix");
                assert_eq!(tripwire.find_all(page.as_bytes()), [&Arc::from(&**name)]);
            }
            assert!(tripwire.find(b"common-prefix-0007/8").is_none());
        }
    }

    #[test]
    fn it_says_nothing_of_the_values() {
        let said = format!("{:?}", tripwire(&[("TOKEN", TOKEN)]));
        assert_eq!(said, "{\"TOKEN\"}");
        assert!(Tripwire::default().is_idle());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_looks_like_an_encoding_hides_nothing(
            secret in "[%&\\\\#;uxamp25\"'+ é0a]{8,24}",
            before in "[%&\\\\#;uxamp25\"'+ é0a]{0,24}",
            after in "[%&\\\\#;uxamp25\"'+ é0a]{0,24}",
        ) {
            let tripwire = tripwire(&[("S", &secret)]);
            let text = format!("{before}{secret}{after}");
            let is_long_enough = secret.trim().len() >= SHORTEST;
            prop_assert!(!is_long_enough || tripwire.find(text.as_bytes()).is_some(), "{text}");
            // Whatever stands there, it ends.
            tripwire.find_all(format!("{before}{after}").as_bytes());
        }

        #[test]
        fn no_encoding_hides_a_secret(
            secret in "[ -~é]{8,80}".prop_filter("no space around", |text| text.trim() == text && text.len() >= SHORTEST),
            before in "[ -~]{0,7}",
            after in "[ -~]{0,7}",
        ) {
            let tripwire = tripwire(&[("S", &secret)]);
            let whole = format!("{before}{secret}{after}");
            let base64 = encoded(whole.as_bytes());
            let hex = joined(whole.bytes().map(|byte| format!("{byte:02x}")));
            for text in [&whole, &hex, &hex.to_uppercase(), &base64, &base64.replace('+', "-").replace('/', "_")] {
                prop_assert!(tripwire.find(text.as_bytes()).is_some(), "{text}");
            }
            for (_, encode) in ENCODINGS {
                let text = encode(&whole);
                prop_assert!(tripwire.find(text.as_bytes()).is_some(), "{text}");
            }
        }

        #[test]
        fn no_encoding_of_an_encoding_hides_a_secret(
            secret in "[ -~é]{8,40}|[a-f0-9%&\\\\;u\"]{8,24}".prop_filter("no space around", |text| text.trim() == text && text.len() >= SHORTEST),
            first in 0..ENCODINGS.len(),
            // CSV is not put into CSV.
            second in 0..ENCODINGS.len() - 1,
            third in 0..ENCODINGS.len() - 1,
        ) {
            let tripwire = tripwire(&[("S", &secret)]);
            let [first, second, third] = [first, second, third].map(|at| ENCODINGS[at]);
            let text = third.1(&second.1(&first.1(&format!("<p>{secret}</p>"))));
            prop_assert!(tripwire.find(text.as_bytes()).is_some(), "{} {} {} {text}", first.0, second.0, third.0);
        }

        #[test]
        fn each_letter_may_be_encoded_in_its_own_way(
            secret in "[a-zA-Z0-9_+/=-]{8,40}",
            ways in proptest::collection::vec((0..6_usize, 0..6_usize), 40),
        ) {
            let tripwire = tripwire(&[("S", &secret)]);
            let once = |c: char, way: usize| match way {
                0 => format!("%{:02x}", u32::from(c)),
                1 => format!("%{:02X}", u32::from(c)),
                2 => format!("&#{:07};", u32::from(c)),
                3 => format!("&#x{:X};", u32::from(c)),
                4 => format!("\\u{:04x}", u32::from(c)),
                _ => c.to_string(),
            };
            let twice = |(c, (inner, outer)): (char, &(usize, usize))| -> String {
                once(c, *inner).chars().map(|c| once(c, *outer)).collect()
            };
            let text: String = secret.chars().zip(&ways).map(twice).collect();
            prop_assert!(tripwire.find(text.as_bytes()).is_some(), "{text}");
        }
    }

    /// An encoding of a whole text.
    type Encode = fn(&str) -> String;

    const ENCODINGS: [(&str, Encode); 10] = [
        ("percent", |text| bytewise(text, |byte| (!byte.is_ascii_alphanumeric()).then(|| format!("%{byte:02x}")))),
        ("every percent", |text| bytewise(text, |byte| Some(format!("%{byte:02X}")))),
        ("form", |text| {
            let kept =
                bytewise(text, |byte| (!byte.is_ascii_alphanumeric() && byte != b' ').then(|| format!("%{byte:02X}")));
            kept.replace(' ', "+")
        }),
        ("html", |text| {
            text.replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
                .replace('"', "&quot;")
                .replace('\'', "&#39;")
        }),
        ("every decimal", |text| joined(text.chars().map(|c| format!("&#{};", u32::from(c))))),
        ("every hexadecimal", |text| joined(text.chars().map(|c| format!("&#x{:05X};", u32::from(c))))),
        ("json", |text| serde_json::to_string(text).unwrap()),
        ("every unit", |text| joined(text.encode_utf16().map(|unit| format!("\\u{unit:04x}")))),
        ("text", str::to_owned),
        ("csv", |text| text.replace('"', "\"\"")),
    ];

    fn joined(pieces: impl Iterator<Item = String>) -> String {
        pieces.collect::<Vec<_>>().concat()
    }

    fn bytewise(text: &str, encode: impl Fn(u8) -> Option<String>) -> String {
        let bytes = text.bytes().flat_map(|byte| encode(byte).map_or(vec![byte], String::into_bytes));
        String::from_utf8(bytes.collect()).unwrap()
    }

    /// A visitor or an upstream may have written whatever stands beside it.
    #[test]
    fn what_else_is_encoded_does_not_hide_a_secret() {
        let tripwire = tripwire(&[("TOKEN", TOKEN)]);
        let decoys = "&amp;amp;amp;amp;amp;lt; \\\\\\\\n %2525252541 &#92;u0041 ";
        let every = |text: &str| joined(text.bytes().map(|byte| format!("%{byte:02X}")));
        let again = |text: String| text.replace('%', "%25");
        for repeated in [1, 20_000] {
            let mut token = every(TOKEN);
            for _ in 0..MOST_LAYERS {
                let text = format!("{}{token}{}", decoys.repeat(repeated), decoys.repeat(repeated));
                assert!(tripwire.find(text.as_bytes()).is_some(), "{token}");
                token = again(token);
            }
        }
    }

    #[test]
    fn layers_without_end_take_no_longer_than_a_few() {
        let tripwire = tripwire(&[("TOKEN", TOKEN), ("OTHER", "s3cret%41\\u0041&amp;")]);
        for unit in [
            "%25",
            "%2525",
            "&amp;",
            "amp;",
            "\\",
            "\\\"",
            "\\u005c",
            "%5C",
            "&#37;",
            "%26amp%3B",
            "&#38;amp;",
            "shpat_",
        ] {
            for begin in ["", "%", "&", "\\"] {
                let text = format!("{begin}{}", unit.repeat(300_000));
                assert!(tripwire.find(text.as_bytes()).is_none(), "{begin}{unit}");
            }
            let text = format!("%{}41", "25".repeat(1_000_000));
            assert!(tripwire.find(text.as_bytes()).is_none());
        }
    }
}
