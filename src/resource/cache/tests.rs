//! What policies come to: fields, what our store keeps, what contradicts itself.

use super::*;
use crate::config::{Decode as _, Kind, Node, read_toml};
use crate::diagnostic::Files;

fn policy(text: &str) -> (Policy, Vec<String>) {
    let mut files = Files::default();
    let mut findings = Findings::default();
    let file = files.add("a.toml", text);
    let table = read_toml(file, 0..text.len(), &files, &mut findings);
    let place = table.place;
    let decl = Decl::decode(&Node { kind: Kind::Table(table), place }, &mut findings).unwrap();
    let policy = Policy::compile(&decl, &mut findings);
    (policy, findings.iter().map(|finding| finding.message.clone()).collect())
}

#[test]
fn directives_are_sent_in_https_own_words() {
    for (text, field, stored) in [
        (
            "s-maxage = '10s'\nstale-while-revalidate = '59s'",
            "public, max-age=0, s-maxage=10, stale-while-revalidate=59",
            true,
        ),
        ("public = true\nmax-age = '1h'", "public, max-age=3600", true),
        ("max-age = '1h'", "max-age=3600", true),
        ("private = true\nmax-age = '60s'", "private, max-age=60", false),
        ("no-store = true", "no-store", false),
        ("no-cache = true", "no-cache", false),
        ("", "no-cache", false),
        ("public = true\nmax-age = '1h'\nimmutable = true", "public, immutable, max-age=3600", true),
        ("s-maxage = 'auto'\nstale-if-error = '1m'", "public, max-age=0, s-maxage=0, stale-if-error=60", true),
        ("max-age = '5s'\ns-maxage = '10s'", "public, max-age=5, s-maxage=10", true),
        ("[server]\nmax-age = '10s'", "no-cache", true),
        ("no-store = true\n[server]\ns-maxage = '10s'", "no-store", true),
        ("s-maxage = '10s'\n[server]\nno-store = true", "public, max-age=0, s-maxage=10", false),
        ("not-found = '10s'", "no-cache", true),
        ("degraded = '10s'", "no-cache", true),
        ("not-found = '0s'\ndegraded = '0s'", "no-cache", false),
        ("s-maxage = '3000000000s'", "public, max-age=0, s-maxage=2147483648", true),
    ] {
        let (policy, findings) = policy(text);
        assert!(findings.is_empty(), "{text}: {findings:?}");
        assert_eq!(policy.field, field, "{text}");
        assert_eq!(policy.may_store(), stored, "{text}");
    }
}

#[test]
fn no_store_is_seen_among_other_words() {
    for (text, expected) in [
        ("no-store = true", true),
        ("private = true\nno-store = true", true),
        ("private = true\nno-cache = true", false),
        ("s-maxage = '10s'", false),
    ] {
        assert_eq!(policy(text).0.is_no_store(), expected, "{text}");
    }
}

/// Whatever is written, beside one another, that lets no shared cache keep the page.
#[test]
fn what_is_one_persons_is_never_sent_so_that_others_may_keep_it() {
    let directives = [
        "private = true",
        "no-store = true",
        "no-cache = true",
        "must-revalidate = true",
        "no-transform = true",
        "immutable = true",
        "max-age = '0s'",
        "max-age = '1m'",
        "stale-if-error = '0s'",
        "tags = ['t']",
        "[server]\nno-store = true",
    ];
    let mut sent = 0;
    for chosen in 0..1_u32 << directives.len() {
        let chosen = directives.iter().enumerate().filter(|(at, _)| chosen >> at & 1 == 1).map(|(_, text)| *text);
        let text = chosen.collect::<Vec<_>>().join("\n");
        if text.matches("max-age").count() > 1 {
            continue;
        }
        let (mut policy, findings) = policy(&text);
        // The others are errors, or said to be kept for others, which is one on such a page.
        if !findings.is_empty() || policy.is_shared() {
            continue;
        }
        let before = policy.field.clone();
        policy.keep_for_one();
        for remaining in [Duration::ZERO, Duration::MAX] {
            let field = policy.cache_control(remaining);
            let words: Vec<&str> = field.to_str().unwrap().split(", ").collect();
            assert!(words.contains(&"private") || words.contains(&"no-store"), "{text}: {field:?}");
            // What was written is sent all the same.
            let written = before.to_str().unwrap().split(", ");
            assert!(written.into_iter().all(|word| words.contains(&word) || words.contains(&"no-store")), "{text}");
        }
        assert!(policy.is_private() && !policy.is_shared(), "{text}");
        sent += 1;
    }
    assert!(sent > 100, "{sent}");
    for (text, field) in [
        ("no-cache = true", "private, no-cache"),
        ("no-transform = true", "private, no-transform"),
        ("must-revalidate = true\nmax-age = '0s'", "private, must-revalidate, max-age=0"),
        ("no-store = true", "no-store"),
        ("private = true\nmax-age = '1m'", "private, max-age=60"),
        // Nothing is said of what the visitor may keep.
        ("", "private, no-store"),
        ("tags = ['t']\n[server]\nno-store = true", "private, no-store"),
    ] {
        let (mut policy, findings) = policy(text);
        assert!(findings.is_empty(), "{text}: {findings:?}");
        policy.keep_for_one();
        assert_eq!(policy.field, field, "{text}");
    }
}

#[test]
fn what_a_cookie_chooses_is_kept_by_nobody_on_the_way() {
    for (text, field) in [
        ("no-cache = true", "private, no-cache"),
        ("no-store = true", "no-store"),
        ("no-store = true\n[cdn]\nmax-age = '1h'", "no-store"),
        ("s-maxage = '1m'\n[cdn]\nmax-age = '1h'\ntag-header = 'Cache-Tag'", "private, no-cache"),
    ] {
        let (mut policy, findings) = policy(text);
        assert!(findings.is_empty(), "{text}: {findings:?}");
        policy.keep_from_the_way();
        assert_eq!(policy.field, field, "{text}");
        assert_eq!(policy.cdn_cache_control(Duration::ZERO), None, "{text}");
        assert!(!policy.sends_tags(), "{text}");
    }
}

#[test]
fn contradictions_are_found() {
    for text in [
        "private = true\ns-maxage = '1s'",
        "public = true\nprivate = true",
        "no-store = true\nmax-age = '1s'",
        "must-revalidate = true\nstale-if-error = '1s'",
        "max-age = '1500ms'",
        "no-cache = true\nimmutable = true",
        "private = true\nnot-found = '1s'",
        "no-store = true\ndegraded = '1s'",
        "[cdn]\nprivate = true\ns-maxage = '1s'",
        "[server]\nno-store = true\nmax-age = '1s'",
        "[server]\ns-maxage = '1s'\nmax-age = '1s'",
        "[cdn]\ntag-header = 'vary'",
        "s-maxage = 'never'",
    ] {
        assert_eq!(policy(text).1.len(), 1, "{text}: {:?}", policy(text).1);
    }
}

#[test]
fn a_404_is_kept_as_a_page_is_but_not_as_long() {
    for (text, field) in [
        ("not-found = '10s'", "public, max-age=0, s-maxage=10"),
        ("s-maxage = '1h'\nnot-found = '10s'", "public, max-age=0, s-maxage=10"),
        ("max-age = '1h'\nnot-found = '10s'", "max-age=10"),
        ("public = true\nmax-age = '1h'\nnot-found = '10s'", "public, max-age=10"),
        ("max-age = '5s'\ns-maxage = '1h'\nnot-found = '10s'", "public, max-age=5, s-maxage=10"),
        ("max-age = '1m'\ns-maxage = '1h'\nnot-found = '10s'", "public, max-age=10, s-maxage=10"),
        ("no-store = true\nnot-found = '10s'\n[server]\nmax-age = '1m'", "no-store"),
        ("private = true\nmax-age = '5s'\nnot-found = '10s'\n[server]\nmax-age = '1m'", "private, max-age=5"),
        ("s-maxage = '1h'", "no-store"),
    ] {
        let (policy, findings) = policy(text);
        assert!(findings.is_empty(), "{text}: {findings:?}");
        assert_eq!(policy.not_found_cache_control(), field, "{text}");
    }
}

#[test]
fn what_is_left_of_the_sources_is_sent_and_obeyed_in_whole_seconds() {
    let (mut policy, findings) = policy("s-maxage = 'auto'\nstale-while-revalidate = '5s'\n[cdn]\ns-maxage = 'auto'");
    assert!(findings.is_empty(), "{findings:?}");
    for (milliseconds, seconds) in [(0, 0), (999, 0), (10_000, 10), (10_999, 10)] {
        let remaining = Duration::from_millis(milliseconds);
        let field = format!("public, max-age=0, s-maxage={seconds}, stale-while-revalidate=5");
        assert_eq!(policy.cache_control(remaining), field);
        assert_eq!(policy.cdn_cache_control(remaining).unwrap(), format!("s-maxage={seconds}"));
        assert_eq!(policy.allowance(remaining).unwrap().fresh(), Duration::from_secs(seconds));
    }
    assert_eq!(policy.written(), "public, max-age=0, s-maxage=auto, stale-while-revalidate=5");
    policy.keep_from_the_way();
    assert_eq!(policy.cache_control(Duration::from_secs(9)), "private, no-cache");
    assert_eq!(policy.cdn_cache_control(Duration::from_secs(9)), None);
    assert_eq!(policy.allowance(Duration::from_secs(9)).unwrap().fresh(), Duration::from_secs(9));
}

#[test]
fn tags_are_for_networks_that_may_store_the_page() {
    for (text, of_pages, of_404s) in [
        ("s-maxage = '1s'\n[cdn]\ntag-header = 'Cache-Tag'", true, true),
        ("[cdn]\ntag-header = 'Cache-Tag'", true, true),
        ("no-store = true\n[cdn]\ntag-header = 'Cache-Tag'", false, false),
        ("no-store = true\n[cdn]\nmax-age = '1h'\ntag-header = 'Cache-Tag'", true, false),
        ("s-maxage = '1s'\n[cdn]\nno-store = true\ntag-header = 'Cache-Tag'", false, true),
        ("private = true\n[cdn]\ntag-header = 'Cache-Tag'", false, false),
        ("s-maxage = '1s'", false, false),
    ] {
        let (policy, findings) = policy(text);
        assert!(findings.is_empty(), "{text}: {findings:?}");
        assert_eq!(policy.tag_header(false).is_some(), of_pages, "{text}");
        assert_eq!(policy.tag_header(true).is_some(), of_404s, "{text}");
    }
}

#[test]
fn a_profile_stands_where_it_is_named_and_what_is_beside_it_wins() {
    let declared =
        "[news]\ns-maxage = '30s'\nmust-revalidate = true\n[news.cdn]\nmax-age = '1h'\n[days]\nmax-age = '1s'\n[p]\n";
    for (route, expected) in [
        ("cache = 'hours'", "public, max-age=0, s-maxage=3600, stale-while-revalidate=82800"),
        ("cache = 'max'", "public, max-age=0, s-maxage=2592000, stale-while-revalidate=28944000"),
        ("cache = 'days'", "max-age=1"),
        (
            "cache = { profile = 'seconds', s-maxage = '2s' }",
            "public, max-age=0, s-maxage=2, stale-while-revalidate=59",
        ),
        ("cache = { profile = 'seconds', stale-while-revalidate = false }", "public, max-age=0, s-maxage=1"),
        (
            "cache = { profile = 'news', max-age = '5s' }",
            "public, must-revalidate, max-age=5, s-maxage=30 / max-age=3600",
        ),
        (
            "cache = { profile = 'news', must-revalidate = false, cdn = { stale-if-error = '1s' } }",
            "public, max-age=0, s-maxage=30 / max-age=3600, stale-if-error=1",
        ),
        ("cache = 'news'", "public, must-revalidate, max-age=0, s-maxage=30 / max-age=3600"),
        ("cache = 'p'", "no-cache"),
        ("cache = 'nesw'", "there is no cache profile `nesw`: did you mean `news`?"),
        (
            "cache = 'xyz'",
            "there is no cache profile `xyz`: there are `days`, `hours`, `max`, `minutes`, `news`, `p`, `seconds` and `weeks`; declare it: [cache-profiles.xyz]",
        ),
    ] {
        let (mut files, mut findings) = (Files::default(), Findings::default());
        let mut read = |text: &str, findings: &mut Findings| {
            let file = files.add("a.toml", text);
            read_toml(file, 0..text.len(), &files, findings)
        };
        let table = read(declared, &mut findings);
        let declared: Vec<_> = table.iter().map(|entry| (entry.key.clone(), entry.node.clone())).collect();
        let profiles = Profiles::read(&declared, false, &mut findings);
        let mut table = read(route, &mut findings);
        profiles.expand(&mut table, &mut findings);
        let setting = table.node("cache").and_then(|node| Setting::decode(node, &mut findings));
        let said = match (setting, findings.iter().next()) {
            (_, Some(finding)) => format!("{}: {}", finding.message, finding.help.clone().unwrap_or_default()),
            (Some(setting), None) => {
                let policy = Policy::compile(&setting.0, &mut findings);
                let cdn = policy.cdn_cache_control(Duration::ZERO);
                let text = |field: &HeaderValue| field.to_str().unwrap().to_owned();
                [Some(text(&policy.field)), cdn.as_ref().map(text)]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(" / ")
            }
            (None, None) => "nothing".to_owned(),
        };
        assert_eq!(said, expected, "{route}");
    }
}

#[test]
fn the_reference_tells_what_is_built_in() {
    let told = |docs: &str| {
        let told = |(name, fresh, stale): &(&str, &str, &str)| docs.contains(&format!("`{name}` ({fresh}, {stale})"));
        profile::BUILT_IN.iter().all(told)
    };
    let keys = <Decl as crate::config::Declared>::keys();
    assert!(keys.iter().any(|key| key.name == "profile" && told(&key.docs.replace("\n ", " "))), "{keys:?}");
}
