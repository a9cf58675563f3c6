//! What the store promises: bounded, final purges, nothing replaced by something worse.

use crate::cache::{
    Content, Counts, Datum, Extracted, Jitter, Key, KeyBuilder, Lifetime, NotStored, Purge, Revision, Scope, Section,
    StorableFields, Store, StoreLimits, Stored, Tag, Tags, rules,
};
use crate::fields::Coding;
use crate::value::Value;
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, DATE, ETAG, HeaderMap, HeaderValue};
use http::{Method, StatusCode};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Barrier};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

const SITE: Revision = Revision(7);

fn key(name: &str) -> Key {
    KeyBuilder::new(name).finish().to_key()
}

/// A response whose body is `body`, fresh for ten seconds and stale for twenty more.
fn response(status: StatusCode, body: impl Into<Bytes>, tags: &[&str]) -> Arc<Stored> {
    let lifetime = Lifetime {
        s_maxage: Some(Duration::from_secs(10)),
        stale_while_revalidate: Some(Duration::from_secs(20)),
        stale_if_error: Some(Duration::from_secs(20)),
        ..Lifetime::default()
    };
    let windows = lifetime.allowance().unwrap().from(Instant::now(), Duration::ZERO, Jitter::NONE);
    let fields = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("text/html"))]);
    let content = Content::new(StorableFields::new(fields).unwrap(), body.into(), None);
    let tags: Vec<Tag> = tags.iter().map(|tag| Tag::new(tag)).collect();
    Arc::new(Stored::new(status, content, windows, tags, SITE))
}

fn page(body: impl Into<Bytes>, tags: &[&str]) -> Arc<Stored> {
    response(StatusCode::OK, body, tags)
}

fn store() -> Store {
    Store::new(StoreLimits::default(), SITE)
}

fn put(store: &Store, name: &str, stored: &Arc<Stored>) -> Result<(), NotStored> {
    store.put(&store.begin(SITE), key(name), stored)
}

fn body(store: &Store, name: &str) -> Option<Bytes> {
    store.get(key(name).lookup()).map(|stored| stored.content().identity().body().clone())
}

fn scope(tags: &[&str]) -> Scope {
    Scope::Tags(tags.iter().map(|tag| Tag::new(tag)).collect())
}

/// Data of one person or another: what an origin has sent, fresh for ten seconds.
fn datum(value: &str, tags: &[&str], revision: Revision) -> Arc<Datum> {
    let fields = HeaderMap::from_iter([
        (CACHE_CONTROL, HeaderValue::from_static("max-age=10")),
        (ETAG, HeaderValue::from_static("\"1\"")),
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
    ]);
    let exchange = rules::Exchange {
        method: &Method::GET,
        targets: &[],
        request: &HeaderMap::new(),
        status: StatusCode::OK,
        response: &fields,
        received: SystemTime::UNIX_EPOCH,
        delay: Duration::ZERO,
    };
    let terms = rules::store(&exchange, &rules::Settings::default()).unwrap();
    let extracted = Extracted { value: Some(Value::text(value)), digest: None, bytes: value.len() };
    let tags = Tags::from(tags.iter().map(|tag| Tag::new(tag)).collect::<Vec<_>>());
    let moment = (Instant::now(), Jitter::NONE);
    Arc::new(Datum::new(extracted, (StatusCode::OK, fields), terms, moment, tags, revision))
}

#[test]
fn data_is_kept_purged_and_counted_like_pages() {
    let store = store();
    let text = |name: &str| {
        let datum = store.datum(key(name).lookup())?;
        Some(datum.value()?.as_str()?.to_owned())
    };
    let put = |name: &str, datum: &Arc<Datum>| store.put_datum(&store.begin(SITE), key(name), datum, Instant::now());
    put("a", &datum("1", &["x"], Revision(1))).unwrap();
    put("b", &datum("2", &["y"], Revision(2))).unwrap();
    assert_eq!((text("a").as_deref(), text("b").as_deref(), text("c")), (Some("1"), Some("2"), None));
    assert!(store.get(key("a").lookup()).is_none() && store.responses(key("a").lookup()).is_none(), "it is no page");
    let found = store.datum(key("a").lookup()).unwrap();
    assert_eq!(
        found.fields().keys().collect::<Vec<_>>(),
        [CACHE_CONTROL, DATE, ETAG],
        "what nobody reads again is not kept"
    );
    // A large one is counted with what its value takes, and one that is too large is not kept.
    let before = store.counts();
    put("large", &datum(&"x".repeat(100_000), &[], Revision(1))).unwrap();
    assert!(store.counts().bytes - before.bytes >= 100_000);
    assert_eq!(put("larger", &datum(&"x".repeat(2 << 20), &[], Revision(1))), Err(NotStored::TooLarge));
    // What was begun before a purge is not stored after it.
    let ticket = store.begin(SITE);
    assert_eq!(store.purge(&scope(&["x"]), Purge::Hard).entries, 1);
    assert_eq!(
        store.put_datum(&ticket, key("a"), &datum("old", &["x"], Revision(1)), Instant::now()),
        Err(NotStored::Purged)
    );
    assert_eq!(text("a"), None);
    // Nor what was begun before that came which is there.
    let (begin, late) = (store.begin(SITE), Instant::now());
    put("a", &datum("new", &[], Revision(1))).unwrap();
    assert_eq!(
        store.put_datum(
            &begin,
            key("a"),
            &datum("old", &[], Revision(1)),
            late.checked_sub(Duration::from_secs(1)).unwrap()
        ),
        Err(NotStored::OverNewer)
    );
    assert_eq!(text("a").as_deref(), Some("new"));
    store.remove(key("a").lookup());
    // A soft purge ends its freshness, and leaves it to be asked about.
    let now = Instant::now();
    assert_eq!(store.purge(&scope(&["y"]), Purge::Soft(now)).entries, 1);
    let stale = store.datum(key("b").lookup()).unwrap();
    assert!(stale.windows().remaining(now + Duration::from_secs(1)).is_err());
    // What takes its place is kept where the old was, and what says something else drops it.
    let fresh =
        stale.freshened(stale.fields().clone(), stale.terms().clone(), (now, Jitter::NONE), stale.tags().clone());
    assert_eq!(fresh.value(), stale.value());
    put("b", &Arc::new(fresh)).unwrap();
    assert!(store.datum(key("b").lookup()).unwrap().windows().remaining(now).is_ok());
    store.supersede(&store.begin(SITE), key("b").lookup(), stale.tags(), now + Duration::from_secs(1));
    assert_eq!(text("b"), None);
    // A reload keeps what is declared still.
    put("a", &datum("1", &[], Revision(1))).unwrap();
    put("b", &datum("2", &[], Revision(2))).unwrap();
    store.advance(Revision(8), |_| true, |_| true, |datum| datum.revision() == Revision(2));
    assert_eq!((text("a"), text("b").as_deref()), (None, Some("2")));
}

#[test]
fn what_was_put_is_found_under_its_key_only() {
    let store = store();
    assert_eq!(body(&store, "a"), None);
    put(&store, "a", &page("first", &[])).unwrap();
    put(&store, "b", &page("other", &[])).unwrap();
    put(&store, "a", &page("second", &[])).unwrap();
    assert_eq!(body(&store, "a").unwrap(), "second");
    assert_eq!(body(&store, "b").unwrap(), "other");
    assert_eq!(store.counts().entries, 2);
    assert!(store.remove(key("a").lookup()).is_some());
    assert_eq!(body(&store, "a"), None);
}

#[test]
fn purges_remove_what_they_cover() {
    let store = store();
    for (name, tags) in [("a", &["x", "y"][..]), ("b", &["y"]), ("c", &["z"]), ("d", &[])] {
        put(&store, name, &page(name, tags)).unwrap();
    }
    assert_eq!(store.purge(&scope(&["x", "z"]), Purge::Hard).entries, 2);
    let left: Vec<bool> = ["a", "b", "c", "d"].iter().map(|name| body(&store, name).is_some()).collect();
    assert_eq!(left, [false, true, false, true]);
    assert_eq!(store.purge(&Scope::All, Purge::Hard).entries, 2);
    assert_eq!(store.counts(), Counts::default());
}

#[test]
fn a_soft_purge_leaves_what_may_be_served_stale() {
    let store = store();
    let stored = page("a", &["x"]);
    let second = Duration::from_secs(1);
    put(&store, "a", &stored).unwrap();
    let now = stored.created() + second;
    assert!(matches!(stored.verdict(now), crate::cache::Verdict::Fresh { .. }));
    assert_eq!(store.purge(&scope(&["x"]), Purge::Soft(now)).entries, 1);
    let found = store.get(key("a").lookup()).unwrap();
    assert!(matches!(found.verdict(now), crate::cache::Verdict::Stale { may_serve_while_revalidating: true, .. }));
    assert_eq!(found.verdict(now + 20 * second), crate::cache::Verdict::Expired);
}

#[test]
fn a_fill_begun_before_a_purge_is_not_stored_after_it() {
    let store = store();
    for purge in [Purge::Hard, Purge::Soft(Instant::now())] {
        let ticket = store.begin(SITE);
        store.purge(&scope(&["x"]), purge);
        assert_eq!(store.put(&ticket, key("a"), &page("old", &["x"])), Err(NotStored::Purged));
        assert_eq!(store.put(&ticket, key("b"), &page("other", &["y"])), Ok(()));
    }
    assert_eq!(body(&store, "a"), None);
    put(&store, "a", &page("new", &["x"])).unwrap();
    assert_eq!(body(&store, "a").unwrap(), "new");
}

#[test]
fn a_reload_drops_what_changed_and_what_the_old_site_still_makes() {
    let store = store();
    put(&store, "about", &page("about", &["layout:base.html"])).unwrap();
    put(&store, "home", &page("home", &["layout:home.html"])).unwrap();
    let before = store.epoch(SITE);
    let ticket = store.begin(SITE);
    assert_eq!(
        store
            .advance(
                Revision(8),
                |stored| stored.tags().iter().all(|tag| tag.as_str() != "layout:home.html"),
                |_| true,
                |_| true
            )
            .entries,
        1
    );
    assert_eq!((body(&store, "about").is_some(), body(&store, "home").is_some()), (true, false));
    assert_eq!(store.put(&ticket, key("news"), &page("old", &[])), Err(NotStored::OtherRevision));
    assert_eq!(put(&store, "news", &page("old", &[])), Err(NotStored::OtherRevision));
    assert_eq!(store.put(&store.begin(Revision(8)), key("news"), &page("new", &[])), Ok(()));
    assert!(before != store.epoch(SITE) && store.epoch(SITE) != store.epoch(Revision(8)), "no flight is shared across");
}

#[test]
fn an_error_never_replaces_a_good_response() {
    let store = store();
    let error = || response(StatusCode::BAD_GATEWAY, "error", &[]);
    put(&store, "a", &error()).unwrap();
    put(&store, "a", &page("good", &[])).unwrap();
    assert_eq!(put(&store, "a", &error()), Err(NotStored::ErrorOverGood));
    assert_eq!(body(&store, "a").unwrap(), "good");
    // Gone is no error of ours: the page really went.
    put(&store, "a", &response(StatusCode::NOT_FOUND, "gone", &[])).unwrap();
    assert_eq!(body(&store, "a").unwrap(), "gone");
}

#[test]
fn one_entry_is_bounded() {
    let store = store();
    put(&store, "a", &page("small", &[])).unwrap();
    assert_eq!(put(&store, "a", &page(vec![b'a'; 1024 * 1024], &[])), Err(NotStored::TooLarge));
    assert_eq!(body(&store, "a").unwrap(), "small", "what was there stays");
    put(&store, "b", &page(vec![b'a'; 1000 * 1024], &[])).unwrap();
    let none = Store::new(StoreLimits { capacity: 0, ..StoreLimits::default() }, SITE);
    assert_eq!(put(&none, "a", &page("small", &[])), Err(NotStored::TooLarge));
}

#[test]
fn the_whole_is_bounded_whatever_is_put() {
    let capacity = 1024 * 1024;
    let store = Store::new(StoreLimits { capacity, ..StoreLimits::default() }, SITE);
    let pages: Vec<_> = (0..20).map(|size| page(vec![b'a'; size * 500], &["x"])).collect();
    let ticket = store.begin(SITE);
    for number in 0..100_000_usize {
        store.put(&ticket, key(&number.to_string()), &pages[number % pages.len()]).unwrap();
        if number.is_multiple_of(1_000) {
            assert!(store.counts().bytes <= capacity);
        }
    }
    let counts = store.counts();
    assert!(counts.bytes <= capacity && counts.bytes > capacity / 2, "{counts:?}");
    assert!(counts.entries > 50, "{counts:?}");
}

/// The key of a page for who says this in a field.
fn variant(name: &str, said: &str) -> Key {
    let mut key = KeyBuilder::new(name);
    key.bytes(Section::Header, "user-agent", said.as_bytes());
    key.finish().to_key()
}

#[test]
fn a_url_has_a_bounded_number_of_variants() {
    const MOST: usize = 5;
    let store = store();
    let put = |name: &str, said: &str| {
        store.put_variant(&store.begin(SITE), variant(name, said), &page(said.to_owned(), &["x"]), MOST).unwrap()
    };
    let has = |name: &str, said: &str| store.get(variant(name, said).lookup()).is_some();
    assert_eq!(put("b", "0"), 0);
    for number in 0..MOST {
        assert_eq!(put("a", &number.to_string()), 0);
    }
    assert_eq!(put("a", "0"), 0, "the same again");
    assert_eq!(put("a", "5"), 1);
    let there: Vec<usize> = (0..=5).filter(|number| has("a", &number.to_string())).collect();
    assert_eq!(there, [0, 2, 3, 4, 5], "what was not made again for the longest time is gone");
    assert!(has("b", "0"), "another URL");
    // What a purge has removed makes room.
    store.purge(&scope(&["x"]), Purge::Hard);
    for number in 10..10 + MOST {
        assert_eq!(put("a", &number.to_string()), 0);
    }
    assert_eq!(store.counts().entries, MOST);
    for number in 0..10_000 {
        assert_eq!(put("a", &format!("other {number}")), 1);
    }
    assert_eq!(store.counts().entries, MOST);
    // Without a field in its key there is one page of a URL.
    for number in 0..2 * MOST {
        let key = key(&format!("page {number}"));
        assert_eq!(store.put_variant(&store.begin(SITE), key, &page("", &[]), 1), Ok(0));
    }
    assert_eq!(store.counts().entries, 3 * MOST);
}

#[test]
fn variants_that_are_put_at_once_are_bounded_in_the_end() {
    const MOST: usize = 7;
    let store = store();
    let start = Barrier::new(4);
    thread::scope(|scope| {
        for thread in 0..4 {
            let (store, start) = (&store, &start);
            scope.spawn(move || {
                start.wait();
                for number in 0..500 {
                    let key = variant("a", &format!("{thread} {number}"));
                    let put = store.put_variant(&store.begin(SITE), key, &page("", &["x"]), MOST);
                    assert!(matches!(put, Ok(_) | Err(NotStored::Purged)), "{put:?}");
                    if number % 50 == 0 {
                        store.purge(&self::scope(&["x"]), Purge::Hard);
                    }
                }
            });
        }
    });
    assert_eq!(store.counts().entries, MOST);
}

#[test]
fn codings_are_counted_and_bounded_too() {
    let capacity = 1024 * 1024;
    let store = Store::new(StoreLimits { capacity, ..StoreLimits::default() }, SITE);
    let text: String = (0..2_000_u64).map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_string()).collect();
    put(&store, "a", &page(text.clone(), &[])).unwrap();
    let stored = store.get(key("a").lookup()).unwrap();
    let before = store.counts();
    let coded = store.make(key("a").lookup(), &stored, Coding::Gzip).body().len() as u64;
    assert_eq!(store.counts().entries, 1);
    assert!(store.counts().bytes >= before.bytes + coded);
    let counted = store.counts();
    store.make(key("a").lookup(), &stored, Coding::Gzip);
    assert_eq!(store.counts(), counted, "made and counted once");
    for number in 0..100 {
        let name = number.to_string();
        put(&store, &name, &page(text.clone(), &[])).unwrap();
        if let Some(stored) = store.get(key(&name).lookup()) {
            for coding in [Coding::Gzip, Coding::Zstd] {
                store.make(key(&name).lookup(), &stored, coding);
            }
        }
        assert!(store.counts().bytes <= capacity, "{number}: {:?}", store.counts());
    }
}

#[test]
fn a_coding_made_late_does_not_bring_back_what_was_replaced() {
    let store = store();
    let old = page("<p>old</p>".repeat(100), &[]);
    put(&store, "a", &old).unwrap();
    put(&store, "a", &page("new", &[])).unwrap();
    assert_eq!(store.make(key("a").lookup(), &old, Coding::Zstd).coding(), Coding::Zstd);
    assert_eq!(body(&store, "a").unwrap(), "new");
    store.purge(&Scope::All, Purge::Hard);
    store.make(key("a").lookup(), &old, Coding::Gzip);
    assert_eq!(store.counts(), Counts::default());
}

/// Raises a flag however a scope is left, so that a failure ends the other threads too.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn nothing_from_before_a_purge_is_ever_found_after_it() {
    const FILLERS: usize = 3;
    let rounds: u64 = if std::env::var_os("SITESERVER_PROVE").is_some() { 100_000 } else { 10_000 };
    let store = store();
    // What the pages are made of: it changes, and then it is purged.
    let truth = AtomicU64::new(0);
    let done = AtomicBool::new(false);
    let start = Barrier::new(FILLERS + 1);
    let read = |found: &Bytes| String::from_utf8_lossy(found).parse::<u64>().unwrap();
    let (stored, refused) = (AtomicU64::new(0), AtomicU64::new(0));
    thread::scope(|scope_of_threads| {
        for filler in 0..FILLERS {
            let (store, truth, done, start, stored, refused) = (&store, &truth, &done, &start, &stored, &refused);
            scope_of_threads.spawn(move || {
                start.wait();
                let mut turn = filler;
                while !done.load(Ordering::Relaxed) {
                    let ticket = store.begin(SITE);
                    let seen = truth.load(Ordering::SeqCst);
                    // Sometimes between reading and storing the others get their turn.
                    if turn.is_multiple_of(3) {
                        thread::yield_now();
                    }
                    turn += 1;
                    match store.put(&ticket, key("a"), &page(seen.to_string(), &["x"])) {
                        Ok(()) => stored.fetch_add(1, Ordering::Relaxed),
                        Err(_) => refused.fetch_add(1, Ordering::Relaxed),
                    };
                }
            });
        }
        let _ended = AtEnd(&done);
        start.wait();
        for round in 1..=rounds {
            truth.store(round, Ordering::SeqCst);
            match round % 3 {
                0 => store.purge(&Scope::All, Purge::Hard),
                _ => store.purge(&scope(&["x"]), Purge::Hard),
            };
            if let Some(found) = body(&store, "a") {
                assert!(read(&found) >= round, "round {round} found {}", read(&found));
            }
            thread::yield_now();
            if let Some(found) = body(&store, "a") {
                assert!(read(&found) >= round, "round {round} found {} later", read(&found));
            }
        }
    });
    assert!(stored.load(Ordering::Relaxed) > 0);
    store.purge(&Scope::All, Purge::Hard);
    assert_eq!(store.remembered(), 0, "no fill runs that would have to know");
}
