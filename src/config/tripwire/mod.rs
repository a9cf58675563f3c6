//! A tripwire for the values of secrets: whatever is about to leave is looked through, once, when it is made.
//!
//! The types keep a secret out of pages; what they cannot see is a secret that comes back from outside, in the answer of an upstream
//! that repeats what it was sent. The values are looked for as they are, percent-encoded, escaped as in JSON, HTML and CSV, and in Base64
//! at each of its three alignments. Other changes (another case, reversed, hexadecimal, cut in two with something in between) are not seen.
//!
//! One pass over the text finds all of them if they are not too many, and a second one is made only if letters in it are encoded;
//! without secrets there is none.

mod letters;
mod spelling;

use super::Secret;
use aho_corasick::{AhoCorasick, AhoCorasickKind, Input, MatchKind};
use spelling::{Spelling, usual};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

/// Values of fewer bytes are in too many words to be looked for.
pub(super) const SHORTEST: usize = 8;

/// Of a longer value only its end is looked for, so that no value makes the search large. The end of a token is its signature.
const LONGEST: usize = 64;

/// Letters of which there are no more are a word, and not drawn by lot.
const LONGEST_WORD: usize = 15;

/// Whether a text is like an ordinary word or two, so that it may stand where nobody has told it.
pub(super) fn is_word(text: &str) -> bool {
    text.len() <= LONGEST_WORD && text.bytes().all(|byte| byte.is_ascii_alphabetic() || b" -_.".contains(&byte))
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
    strands: Vec<Strand>,
}

/// What is looked for in one pass.
struct Strand {
    /// What the automaton finds, in the order of its patterns.
    wires: Vec<Wire>,
    automaton: AhoCorasick,
}

/// As many patterns are found together by a vectorised search, several times as fast as more are by any other.
const TOGETHER: usize = 64;
/// More passes than these take longer than one of the other kind.
const MOST_PASSES: usize = 6;

/// Something that is looked for.
struct Wire {
    /// Whose value it is, by position among the names.
    secret: usize,
    /// What is found.
    pattern: Box<[u8]>,
    /// What must stand around it; it is enough by itself if there is nothing.
    whole: Option<Spelling>,
    /// All that are found where this one is, itself among them: their patterns are the beginning of this one's.
    with: Box<[usize]>,
}

impl Wire {
    fn of(secret: usize, spelling: Option<Spelling>, otherwise: impl FnOnce() -> Vec<String>) -> Vec<Self> {
        match spelling {
            Some(spelling) => {
                vec![Self { pattern: spelling.run().into(), whole: Some(spelling), ..Self::alone(secret) }]
            }
            None => {
                let whole = |form: String| Self { pattern: form.into_bytes().into(), ..Self::alone(secret) };
                otherwise().into_iter().map(whole).collect()
            }
        }
    }

    fn alone(secret: usize) -> Self {
        Self { secret, pattern: Box::default(), whole: None, with: Box::default() }
    }

    /// Whether it is found in `text` at `at`, where its pattern stands.
    fn is_whole(&self, at: usize, text: &[u8]) -> bool {
        self.whole.as_ref().is_none_or(|whole| whole.stands_around(at, text))
    }
}

impl Tripwire {
    /// One for these secrets, by the names of their variables. Those whose values are too short are left out.
    pub fn new<'s>(secrets: impl IntoIterator<Item = (&'s str, &'s Secret)>) -> Self {
        let (mut names, mut words, mut wires) = (Vec::new(), Vec::new(), Vec::new());
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
            wires.extend(Wire::of(secret, Spelling::of_text(text), || usual(text)));
            for digits in base64(text.as_bytes()) {
                let otherwise = || vec![digits.replace('+', "-").replace('/', "_"), digits.clone()];
                wires.extend(Wire::of(secret, Spelling::of_base64(&digits), otherwise));
            }
        }
        if wires.is_empty() {
            return Self(None);
        }
        Self(Some(Box::new(Net { names, words, strands: Strand::several(wires) })))
    }

    /// Whether it looks for nothing.
    pub fn is_idle(&self) -> bool {
        self.0.is_none()
    }

    /// Whether the value of this secret is like an ordinary word.
    pub fn is_word(&self, name: &str) -> bool {
        self.0.as_ref().is_some_and(|net| net.words.iter().any(|word| &**word == name))
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
        if !self.search_in(text, &mut found)
            && let Some(plain) = letters::decoded(text)
        {
            self.search_in(&plain, &mut found);
        }
    }

    /// The same, for the text as it is; whether `found` has heard enough.
    fn search_in(&self, text: &[u8], found: &mut impl FnMut(usize) -> ControlFlow<()>) -> bool {
        self.strands.iter().any(|strand| strand.search(text, found))
    }
}

impl Strand {
    /// As many as it takes.
    fn several(mut wires: Vec<Wire>) -> Vec<Self> {
        let mut strands = Vec::new();
        let most = if wires.len() <= TOGETHER * MOST_PASSES { TOGETHER } else { wires.len() };
        while !wires.is_empty() {
            let rest = wires.split_off(most.min(wires.len()));
            strands.push(Self::new(std::mem::replace(&mut wires, rest)));
        }
        strands
    }

    fn new(mut wires: Vec<Wire>) -> Self {
        introduce(&mut wires);
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::LeftmostLongest)
            .kind((wires.len() > TOGETHER).then_some(AhoCorasickKind::DFA))
            .build(wires.iter().map(|wire| &wire.pattern))
            .expect("patterns of bounded length, a few for each variable of the environment");
        Self { wires, automaton }
    }

    /// Whether `found` has heard enough.
    fn search(&self, text: &[u8], found: &mut impl FnMut(usize) -> ControlFlow<()>) -> bool {
        let mut from = 0;
        while let Some(longest) = self.automaton.find(Input::new(text).range(from..)) {
            let with = self.wires.get(longest.pattern().as_usize()).map_or(&[][..], |wire| &wire.with);
            for wire in with.iter().filter_map(|&at| self.wires.get(at)) {
                if wire.is_whole(longest.start(), text) && found(wire.secret).is_break() {
                    return true;
                }
            }
            from = longest.start() + 1;
        }
        false
    }
}

/// Tells each wire which others are found where it is.
fn introduce(wires: &mut [Wire]) {
    let with: Vec<Box<[usize]>> = wires
        .iter()
        .map(|longest| {
            let is_beginning = |other: &Wire| longest.pattern.starts_with(&other.pattern);
            wires.iter().enumerate().filter_map(|(at, other)| is_beginning(other).then_some(at)).collect()
        })
        .collect();
    for (wire, with) in wires.iter_mut().zip(with) {
        wire.with = with;
    }
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
            let percent: String = whole.bytes().map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02x}") }).collect();
            let html = whole.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;");
            let base64 = encoded(whole.as_bytes());
            let every_byte = whole.bytes().map(|byte| format!("%{byte:02X}")).collect::<Vec<_>>().concat();
            let every_number = whole.chars().map(|c| format!("&#{};", u32::from(c))).collect::<Vec<_>>().concat();
            let every_unit = whole.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect::<Vec<_>>().concat();
            for text in [&every_byte, &every_number, &every_unit] {
                // Where there is no run of letters only the usual spellings are looked for.
                let has_run = secret.split(|c: char| !c.is_ascii_alphanumeric()).any(|run| run.len() >= 3);
                prop_assert!(!has_run || secret.len() > LONGEST || tripwire.find(text.as_bytes()).is_some(), "{text}");
            }
            for text in [&whole, &percent, &html, &base64, &base64.replace('+', "-").replace('/', "_"), &serde_json::to_string(&whole).unwrap()] {
                prop_assert!(tripwire.find(text.as_bytes()).is_some(), "{text}");
            }
        }
    }
}
