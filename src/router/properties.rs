//! Properties that hold for every target and every set of patterns.

use super::pattern::Segment;
use super::{
    Canonical, InputDecl, InputType, Pattern, Router, Routing, TrailingSlash, canonicalise, decode, encode_segment,
};
use proptest::prelude::*;
use std::cmp::Ordering;

/// Segments as people type them: letters, characters that must be escaped, and characters that may be.
fn segment() -> impl Strategy<Value = String> {
    "[a-c%/ ~,.\u{e9}\u{1f389}|]{1,4}".prop_filter("dots name no segment", |text| text != "." && text != "..")
}

/// Spells a path of these segments in one of many ways, chosen by `dice`.
fn spell(segments: &[String], dice: &[u8]) -> String {
    let mut dice = dice.iter().copied().cycle();
    let mut roll = |sides: u8| dice.next().unwrap_or(0) % sides;
    let mut path = String::new();
    for segment in segments {
        path.push_str(["/", "/", "//", "/./", "/x/../", "/%2E/", "/y/%2e./"][usize::from(roll(7))]);
        for character in segment.chars() {
            let plain = encode_segment(character.encode_utf8(&mut [0; 4])).len() == 1;
            match roll(3) {
                0 if plain => path.push(character),
                1 => path.push_str(&escaped(character).to_lowercase()),
                _ => path.push_str(&escaped(character)),
            }
        }
    }
    path.push_str(["", "/", "//", "/."][usize::from(roll(4))]);
    if path.starts_with('/') { path } else { "/".to_owned() }
}

fn escaped(character: char) -> String {
    character.encode_utf8(&mut [0; 4]).bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}

fn segments_of(path: &str) -> Vec<String> {
    let canonical = canonicalise(path, TrailingSlash::Never).unwrap();
    canonical.as_path().segments().map(|segment| decode(segment).into_owned()).collect()
}

/// Parts that random patterns are made of; `choice` has the `enum` values `a` and `b`.
const PARTS: &[&str] =
    &["a", "b", "c", "{choice}", "a{edge}", "{edge}c", "a{edge}c", "{edge}b{second}", "{plain}", "{*rest}"];

/// Segments that many of these parts match.
const SEGMENTS: &[&str] = &["a", "b", "c", "ax", "xc", "axc", "xbx", "abc"];

/// A pattern of these parts, names made unlike each other.
fn pattern_of(parts: &[usize]) -> Option<Pattern> {
    let mut text = String::new();
    for (depth, part) in parts.iter().enumerate() {
        text.push('/');
        text.push_str(&PARTS[*part].replace('}', &format!("{depth}}}")));
    }
    let mut pattern = Pattern::parse(if text.is_empty() { "/" } else { &text }).ok()?;
    let names: Vec<_> = pattern.names().filter(|name| name.starts_with("choice")).map(str::to_owned).collect();
    let decl = InputDecl { choices: Some(vec!["a".to_owned(), "b".to_owned()]), ..InputDecl::default() };
    for name in names {
        pattern.constrain(&name, InputType::compile(decl.clone()).ok()?).ok()?;
    }
    Some(pattern)
}

/// How two patterns that both match compare: by the definition, not by the tree.
fn compare(one: &Pattern, two: &Pattern) -> Ordering {
    let ranks = |pattern: &Pattern| -> Vec<u8> {
        let mut names = pattern.names();
        let rank = |segment: &Segment| {
            let name = names.by_ref().take(segment.parameters()).last();
            match segment {
                Segment::Literal(_) => 0,
                Segment::Parameter if name.is_some_and(|name| name.starts_with("choice")) => 1,
                Segment::Edged(_) => 2,
                Segment::Parameter => 3,
                Segment::Rest => 4,
            }
        };
        pattern.segments().iter().map(rank).collect()
    };
    let edges = one.segments().iter().zip(two.segments()).zip(ranks(one).into_iter().zip(ranks(two)));
    for ((one, two), (rank_one, rank_two)) in edges {
        let refined = match (one, two) {
            (Segment::Edged(one), Segment::Edged(two)) if one.refines(two) => Ordering::Less,
            (Segment::Edged(one), Segment::Edged(two)) if two.refines(one) => Ordering::Greater,
            _ => Ordering::Equal,
        };
        let order = rank_one.cmp(&rank_two).then(refined);
        if order != Ordering::Equal {
            return order;
        }
    }
    one.segments().len().cmp(&two.segments().len())
}

fn matches(pattern: &Pattern, path: &str) -> bool {
    let Ok(Canonical::Already(path)) = canonicalise(path, TrailingSlash::Never) else { return false };
    let fits =
        |(name, text): (&str, &str)| pattern.input_type(name).is_some_and(|kind| text.is_empty() || kind.fits(text));
    pattern.captures(path).is_some_and(|texts| pattern.names().zip(texts).all(fits))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn nothing_panics(target in "\\PC{0,40}", odd in "[/%.a2eEfF?#*{}\\\\]{0,20}") {
        let mut router = Router::new(TrailingSlash::Never);
        for text in [&target, &odd] {
            if let Ok(pattern) = Pattern::parse(&format!("/{text}")) {
                let _either_way_is_fine = router.insert(pattern, ());
            }
        }
        for text in [&target, &odd, &format!("/{target}"), &format!("/{odd}")] {
            router.route(text);
        }
    }

    #[test]
    fn canonicalising_is_idempotent(raw in "/[/%.a2eEfF~ ,|\u{e9}]{0,20}", always in any::<bool>()) {
        let slash = if always { TrailingSlash::Always } else { TrailingSlash::Never };
        if let Ok(canonical) = canonicalise(&raw, slash) {
            let text = canonical.as_path().as_str();
            prop_assert_eq!(canonicalise(text, slash), Ok(Canonical::Already(canonical.as_path())));
            prop_assert!(text.is_ascii() && text.starts_with('/') && !text.starts_with("//"));
            prop_assert!(matches!(&canonical, Canonical::Other(_)) == (text != raw));
        }
    }

    #[test]
    fn all_spellings_of_a_path_are_decoded_exactly_once(
        segments in prop::collection::vec(segment(), 0..4),
        dice in prop::collection::vec(any::<u8>(), 1..20),
    ) {
        prop_assert_eq!(segments_of(&spell(&segments, &dice)), segments);
    }

    #[test]
    fn different_paths_have_different_forms(
        one in prop::collection::vec(segment(), 0..3),
        two in prop::collection::vec(segment(), 0..3),
    ) {
        let form = |segments| canonicalise(&spell(segments, &[2]), TrailingSlash::Never).unwrap().into_owned();
        prop_assert_eq!(form(&one) == form(&two), one == two);
    }

    #[test]
    fn two_spellings_never_reach_two_routes(
        segments in prop::collection::vec(segment(), 0..4),
        dice in prop::collection::vec(any::<u8>(), 1..20),
    ) {
        let mut router = Router::new(TrailingSlash::Never);
        for text in ["/a", "/{x}", "/a/{x}.b", "/{x}/{y}", "/a%2F{x}", "/c/{*rest}", "/{x}/a/{*rest}"] {
            router.insert(Pattern::parse(text).unwrap(), text).unwrap();
        }
        let spelled = spell(&segments, &dice);
        let canonical = canonicalise(&spelled, TrailingSlash::Never).unwrap().into_owned();
        let expected = router.find(canonical.as_path()).map(|(route, _)| route);
        match router.route(&spelled) {
            Routing::Matched(found) => prop_assert_eq!(Some(found.route), expected),
            Routing::Redirect { location, route } => {
                prop_assert_eq!(Some(route), expected);
                prop_assert_eq!(location, canonical.as_path().as_str());
            }
            Routing::Misfit(_) | Routing::NotFound => prop_assert_eq!(expected, None),
            Routing::Server | Routing::BadTarget => prop_assert!(false, "{spelled}"),
        }
    }

    #[test]
    fn a_pattern_matches_what_it_builds(
        parts in prop::collection::vec(0..PARTS.len(), 0..4),
        // No `b`, which separates two parameters of one segment.
        values in prop::collection::vec("[ac%/ ~\u{e9}]{1,4}", 8),
        always in any::<bool>(),
    ) {
        let slash = if always { TrailingSlash::Always } else { TrailingSlash::Never };
        let Some(pattern) = pattern_of(&parts) else { return Ok(()) };
        let value_of = |name: &str| {
            let at = pattern.names().position(|other| other == name)?;
            let rest = pattern.rest_name() == Some(name);
            Some(if name.starts_with("choice") { "b" } else if rest { "x/y z" } else { values[at].as_str() })
        };
        let built = pattern.build(slash, value_of).unwrap();
        let mut router = Router::new(slash);
        router.insert(pattern.clone(), ()).unwrap();
        let Routing::Matched(found) = router.route(built.as_path().as_str()) else {
            return Err(TestCaseError::fail(format!("{built:?} is not found")));
        };
        for (name, text, _) in found.params.iter() {
            prop_assert_eq!(value_of(name), Some(&*text), "{} of {:?}", name, built);
        }
    }

    #[test]
    fn the_tree_finds_what_the_definition_says(
        patterns in prop::collection::vec(prop::collection::vec(0..PARTS.len(), 1..3), 12),
        paths in prop::collection::vec(prop::collection::vec(0..SEGMENTS.len(), 0..4), 12),
    ) {
        let mut router = Router::new(TrailingSlash::Never);
        let mut inserted: Vec<Pattern> = Vec::new();
        for pattern in patterns.iter().filter_map(|parts| pattern_of(parts)) {
            if router.insert(pattern.clone(), inserted.len()).is_ok() {
                inserted.push(pattern);
            }
        }
        for path in &paths {
            let path = format!("/{}", path.iter().map(|index| SEGMENTS[*index]).collect::<Vec<_>>().join("/"));
            let mut matching: Vec<_> = inserted.iter().enumerate().filter(|(_, pattern)| matches(pattern, &path)).collect();
            matching.sort_by(|(_, one), (_, two)| compare(one, two));
            if let [(_, one), (_, two), ..] = &*matching {
                prop_assert_eq!(compare(one, two), Ordering::Less, "{} ties: {} {}", path, one.as_str(), two.as_str());
            }
            let expected = matching.first().map(|(index, _)| *index);
            let Routing::Matched(found) = router.route(&path) else {
                prop_assert_eq!(expected, None, "{}", path);
                continue;
            };
            prop_assert_eq!(Some(*found.route), expected, "{}", path);
        }
    }
}
