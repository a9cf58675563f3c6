//! Languages: which texts are language tags (RFC 5646), and which of a site's languages a request wants most (`Accept-Language`,
//! RFC 9110, section 12.5.4).
//!
//! A range of the request fits a tag that it begins (RFC 4647, section 3.3.1, basic filtering: `de` fits `de-AT`). Where it fits none, its
//! own beginnings are looked up (section 3.4, lookup: `de-CH` finds `de`). Tags are compared as they are written, without regard to case;
//! no registry says which languages there are or which resemble each other.

use super::weight::{Weight, weighted};
use http::{HeaderMap, header};
use std::cmp::Reverse;

/// So many ranges are read of a request: browsers send some ten.
const MOST_RANGES: usize = 100;

/// The tags whose form no rule explains (RFC 5646, section 2.1, `irregular`).
const IRREGULAR: [&str; 17] = [
    "en-GB-oed",
    "i-ami",
    "i-bnn",
    "i-default",
    "i-enochian",
    "i-hak",
    "i-klingon",
    "i-lux",
    "i-mingo",
    "i-navajo",
    "i-pwn",
    "i-tao",
    "i-tay",
    "i-tsu",
    "sgn-BE-FR",
    "sgn-BE-NL",
    "sgn-CH-DE",
];

/// Whether a text has the form of a language tag (RFC 5646, section 2.2.9: it is well-formed). Whether there is such a language is not
/// asked.
pub fn is_language_tag(text: &str) -> bool {
    IRREGULAR.iter().any(|tag| tag.eq_ignore_ascii_case(text)) || is_private_use(text) || is_regular(text)
}

/// `x-…`, and nothing before it.
fn is_private_use(text: &str) -> bool {
    let mut subtags = text.split('-');
    subtags.next().is_some_and(|first| first.eq_ignore_ascii_case("x")) && is_sequence(subtags, 1)
}

/// Whether there are subtags, and each has at least this many characters.
fn is_sequence<'t>(subtags: impl Iterator<Item = &'t str>, least: usize) -> bool {
    let mut subtags = subtags.peekable();
    subtags.peek().is_some() && subtags.all(|subtag| subtag.len() >= least && is_subtag(subtag))
}

/// One to eight letters or digits.
fn is_subtag(text: &str) -> bool {
    (1..=8).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// `langtag`: language, script, region, variants, extensions, private use, in this order.
fn is_regular(text: &str) -> bool {
    let letters = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphabetic());
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let mut subtags = text.split('-').peekable();
    let Some(language) = subtags.next().filter(|first| (2..=8).contains(&first.len()) && letters(first)) else {
        return false;
    };
    if language.len() <= 3 {
        for _ in 0..3 {
            subtags.next_if(|subtag| subtag.len() == 3 && letters(subtag));
        }
    }
    subtags.next_if(|script| script.len() == 4 && letters(script));
    subtags.next_if(|region| (region.len() == 2 && letters(region)) || (region.len() == 3 && digits(region)));
    let is_variant = |text: &str| match text.len() {
        4 => text.starts_with(|first: char| first.is_ascii_digit()) && is_subtag(text),
        5..=8 => is_subtag(text),
        _ => false,
    };
    while subtags.next_if(|subtag| is_variant(subtag)).is_some() {}
    while let Some(singleton) = subtags.next() {
        if singleton.eq_ignore_ascii_case("x") {
            return is_sequence(subtags, 1);
        }
        if singleton.len() != 1 || !is_subtag(singleton) {
            return false;
        }
        let mut count = 0;
        while subtags.next_if(|subtag| subtag.len() >= 2 && is_subtag(subtag)).is_some() {
            count += 1;
        }
        if count == 0 {
            return false;
        }
    }
    true
}

/// Which of `available` the request's `Accept-Language` wants most; `None` if it wants none of them, or says nothing. Allocates nothing.
///
/// The greatest weight wins. Of equal ones a language that is named goes before one that only `*` covers, then the order of the request
/// decides, then how well the language fits, then the order of `available`. A language that is refused by name (`q=0`) is not chosen.
/// Members that are malformed count as if they were not there.
pub fn negotiate_language(fields: &HeaderMap, available: &[impl AsRef<str>]) -> Option<usize> {
    fields.get(header::ACCEPT_LANGUAGE)?;
    let wanted = available.iter().enumerate().filter_map(|(at, tag)| Some((wish(fields, tag.as_ref())?, Reverse(at))));
    wanted.max().map(|(_, Reverse(at))| at)
}

/// How much a language is wanted; the greater goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Wish {
    weight: Weight,
    is_named: bool,
    position: Reverse<usize>,
    fit: Fit,
}

/// How a range fits a tag, worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// The range is `*`.
    Any,
    /// The tag is a beginning of the range, of so many bytes.
    Beginning(usize),
    /// The range is a beginning of the tag.
    Range,
    /// They are the same.
    Same,
}

/// How much the request wants the language `tag`, if at all: as much as the longest range says that fits it, or else as much as a range
/// of which it is a beginning.
fn wish(fields: &HeaderMap, tag: &str) -> Option<Wish> {
    let mut fitting: Option<(usize, Wish)> = None;
    let mut beginning: Option<Wish> = None;
    for (position, (range, weight)) in ranges(fields).enumerate() {
        let Some(fit) = fit(range, tag) else { continue };
        let wish = Wish { weight, is_named: fit != Fit::Any, position: Reverse(position), fit };
        match fit {
            Fit::Beginning(_) if weight > 0 => beginning = beginning.max(Some(wish)),
            // Who does not want `de-CH` may well want `de`.
            Fit::Beginning(_) => {}
            Fit::Any | Fit::Range | Fit::Same => {
                let length = if fit == Fit::Any { 0 } else { range.len() };
                if fitting.is_none_or(|(longest, _)| length > longest) {
                    fitting = Some((length, wish));
                }
            }
        }
    }
    match fitting {
        Some((_, Wish { weight: 0, is_named: true, .. })) => None,
        Some((_, wish)) if wish.weight > 0 => Some(wish).max(beginning),
        Some(_) | None => beginning,
    }
}

/// The well-formed ranges of the request and their weights.
fn ranges(fields: &HeaderMap) -> impl Iterator<Item = (&str, Weight)> {
    let lines = fields.get_all(header::ACCEPT_LANGUAGE).iter().filter_map(|line| line.to_str().ok());
    let members = lines.flat_map(|line| line.split(',')).filter(|member| !member.trim().is_empty()).take(MOST_RANGES);
    members.filter_map(weighted).filter(|(range, _)| is_range(range))
}

/// `language-range` (RFC 4647, section 2.1).
fn is_range(text: &str) -> bool {
    let mut subtags = text.split('-');
    let first = subtags.next().unwrap_or_default();
    text == "*" || (is_subtag(first) && first.bytes().all(|byte| byte.is_ascii_alphabetic()) && subtags.all(is_subtag))
}

fn fit(range: &str, tag: &str) -> Option<Fit> {
    if range == "*" {
        return Some(Fit::Any);
    }
    let begins = |short: &str, long: &str| {
        long.as_bytes().get(short.len()) == Some(&b'-')
            && long.get(..short.len()).is_some_and(|beginning| beginning.eq_ignore_ascii_case(short))
    };
    if range.eq_ignore_ascii_case(tag) {
        Some(Fit::Same)
    } else if begins(range, tag) {
        Some(Fit::Range)
    } else if begins(tag, range) {
        Some(Fit::Beginning(tag.len()))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;
    use proptest::prelude::*;

    fn chosen<'a>(line: &str, available: &[&'a str]) -> Option<&'a str> {
        let line = HeaderValue::from_bytes(line.as_bytes()).unwrap();
        let fields = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, line)]);
        negotiate_language(&fields, available).map(|at| available[at])
    }

    /// The examples of RFC 5646, appendix A, and the forms of section 2.1.
    #[test]
    fn well_formed_tags() {
        for tag in [
            "de",
            "fr",
            "ja",
            "i-enochian",
            "I-KLINGON",
            "sgn-be-fr",
            "zh-Hant",
            "zh-Hans",
            "sr-Cyrl",
            "zh-cmn-Hans-CN",
            "cmn-Hans-CN",
            "zh-yue-HK",
            "sr-Latn-RS",
            "sl-rozaj",
            "sl-rozaj-biske",
            "de-CH-1901",
            "sl-IT-nedis",
            "hy-Latn-IT-arevela",
            "de-DE",
            "es-419",
            "de-CH-x-phonebk",
            "az-Arab-x-AZE-derbend",
            "x-whatever",
            "qaa-Qaaa-QM-x-southern",
            "de-Qaaa",
            "en-US-u-islamcal",
            "zh-CN-a-myext-x-private",
            "en-a-myext-b-another",
            "abcd",
            "abcdefgh",
            "art-lojban",
            "en-1-23",
        ] {
            assert!(is_language_tag(tag), "{tag}");
        }
    }

    #[test]
    fn malformed_tags() {
        for tag in [
            "",
            "a",
            "a-DE",
            "e1",
            "de-419-DE",
            "de_DE",
            "de-",
            "-de",
            "de--AT",
            "abcdefghi",
            "abcd-efg",
            "en-abcdefghi",
            "x",
            "x-",
            "i-unheard",
            "en-u",
            "en-u-x-a",
            "en-x",
            "en-a-b",
            "de ",
            "dé",
            "*",
            "english language",
            "zh-a-b-c-d-e",
        ] {
            assert!(!is_language_tag(tag), "{tag}");
        }
    }

    #[test]
    fn the_language_that_is_wanted_most_is_chosen() {
        for (line, available, expected) in [
            // RFC 9110, section 12.5.4: "I prefer Danish, but will accept British English and other types of English".
            ("da, en-gb;q=0.8, en;q=0.7", &["en", "en-GB", "da"] as &[&str], Some("da")),
            ("da, en-gb;q=0.8, en;q=0.7", &["en", "en-GB"], Some("en-GB")),
            ("da, en-gb;q=0.8, en;q=0.7", &["en-US"], Some("en-US")),
            // RFC 4647, section 3.4: the range is shortened until something fits.
            ("zh-Hant-CN-x-private1-private2", &["zh", "zh-Hant", "en"], Some("zh-Hant")),
            ("zh-Hant-CN-x-private1-private2", &["zh-Hans", "en"], None),
            ("de-CH, en", &["en", "de"], Some("de")),
            ("fr-FR, zh-Hant;q=0.5", &["ja-JP", "zh-Hant"], Some("zh-Hant")),
            // Section 3.3.1: "de-de" matches "de-DE-1996", but not "de-Deva" or "de-Latn-DE".
            ("de-de", &["de-Deva", "de-Latn-DE", "de-DE-1996"], Some("de-DE-1996")),
            ("de", &["de-AT", "de"], Some("de")),
            ("de", &["de-CH", "de-AT"], Some("de-CH")),
            ("den", &["de"], None),
            ("de", &["den"], None),
            ("DE-at", &["en", "de-AT"], Some("de-AT")),
            ("de, en", &["en", "de"], Some("de")),
            ("de;q=0.5, en;q=0.5", &["en", "de"], Some("de")),
            ("de;q=0.5, en;q=0.501", &["de", "en"], Some("en")),
            ("en-US,en;q=0.9,de;q=0.8", &["de", "en"], Some("en")),
            ("de-CH,en;q=0.8,de;q=0.5", &["en", "de"], Some("de")),
            ("*", &["en", "de"], Some("en")),
            ("*, de", &["en", "de"], Some("de")),
            ("de;q=0.2, *;q=0.5", &["de", "en"], Some("en")),
            ("fr, *;q=0.1", &["en", "de"], Some("en")),
            ("en;q=0, *", &["en", "de"], Some("de")),
            ("*;q=0", &["en"], None),
            ("*;q=0, de", &["en", "de-AT"], Some("de-AT")),
            ("*;q=0, de-CH", &["en", "de"], Some("de")),
            ("de;q=0, de-CH", &["de", "de-CH", "de-AT"], Some("de-CH")),
            ("de;q=0, de-CH", &["de"], None),
            ("de-CH;q=0, en;q=0.1", &["de-CH", "en"], Some("en")),
            ("de-CH;q=0", &["de"], None),
            ("de, de-CH;q=0", &["de-CH", "de-AT"], Some("de-AT")),
            ("en", &["de"], None),
            ("de;q=2, en", &["de", "en"], Some("en")),
            ("de;q=, de_DE, ;q=1, -, de-abcdefghi, 1de, , en;q=0.1", &["de", "en"], Some("en")),
            ("de;level=1", &["de"], None),
            ("de ; Q=0.3 , en;q=0.2", &["en", "de"], Some("de")),
            ("", &["en"], None),
            (",,;,=", &["en"], None),
            ("de", &[], None),
        ] {
            assert_eq!(chosen(line, available), expected, "{line} of {available:?}");
        }
        assert_eq!(chosen("d\u{e9}, en", &["en"]), None, "a line of other bytes says nothing");
        assert_eq!(negotiate_language(&HeaderMap::new(), &["en"]), None);
    }

    #[test]
    fn several_lines_are_one_list_which_is_read_for_a_while() {
        let mut fields = HeaderMap::new();
        fields.append(header::ACCEPT_LANGUAGE, HeaderValue::from_static("de;q=0.1"));
        fields.append(header::ACCEPT_LANGUAGE, HeaderValue::from_static("en"));
        assert_eq!(negotiate_language(&fields, &["de", "en"]), Some(1));
        assert_eq!(chosen(&format!("{}de", "fr,".repeat(99)), &["en", "de"]), Some("de"));
        assert_eq!(chosen(&format!("{}de", "fr,".repeat(100)), &["en", "de"]), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn what_is_chosen_is_available_and_not_refused(
            line in "((de|en|fr|\\*|de-CH|e n|zz9)(;q=(0|1|0\\.[0-9]{1,3}|x))?, ?){0,6}",
            available in proptest::collection::vec("(de|en|fr)(-(AT|CH))?", 0..4),
        ) {
            let available: Vec<&str> = available.iter().map(String::as_str).collect();
            if let Some(chosen) = chosen(&line, &available) {
                let language = chosen.get(..2).unwrap();
                prop_assert!(available.contains(&chosen));
                prop_assert!(line.contains(language) || line.contains('*'));
                // Only the white space between members: `e n` is no `en`.
                let (line, refused) = (format!(",{line}").replace(", ", ","), format!(",{chosen};q=0,"));
                prop_assert!(!line.contains(&refused) || line.matches(chosen).count() > 1);
            }
        }

        #[test]
        fn nothing_is_too_odd_to_be_read(line in "\\PC{0,64}", tag in "[a-z0-9-]{0,12}") {
            if let Ok(value) = HeaderValue::from_bytes(line.as_bytes()) {
                let fields = HeaderMap::from_iter([(header::ACCEPT_LANGUAGE, value)]);
                let _chosen = negotiate_language(&fields, &[tag.as_str()]);
            }
            // A tag that is well-formed is a range that fits itself; the irregular ones too.
            if is_language_tag(&tag) {
                prop_assert_eq!(chosen(&tag, &[tag.as_str()]), Some(tag.as_str()));
            }
        }
    }
}
