//! How much memory the page store takes, counted at the allocator, beside what it says; what survives a crowd of pages that are asked for
//! once; and how often what is stored asks for memory when it is sent.
//!
//! The allocator counts for the whole process, so each measurement has a process of its own.

use crate::support::proof::{Random, scaled};
use crate::support::site::Folder;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
};
use http::{Request, StatusCode};
use http_body_util::Empty;
use siteserver::cache::{
    Content, Digester, Jitter, Key, KeyBuilder, Lifetime, Memo, Revision, Section, StorableFields, Store, StoreLimits,
    Stored, StrongTag, Tag, Tags,
};
use siteserver::config::Environment;
use siteserver::extract::{apart, memory};
use siteserver::fields::Coding;
use siteserver::handler::{Answer, Arrival, Runtime, Service, handle};
use siteserver::value::{JsonLimits, Value, parse_json};
use std::fmt::Write as _;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

crate::cases!(
    the_store_takes_what_it_says,
    a_full_store_takes_no_more_than_it_may,
    what_is_asked_for_often_survives_a_scan,
    data_takes_about_what_is_said,
    a_hit_asks_for_hardly_any_memory,
);

const SITE: Revision = Revision(1);

/// Bytes that this process has asked for and not given back.
fn live() -> usize {
    let stats = crate::MEMORY.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Runs the rest of a test in a process of its own: false in the process that asks.
fn is_alone(test: &str) -> bool {
    const ALONE: &str = "SITESERVER_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return true;
    }
    let myself = std::env::current_exe().expect("this program");
    let test = format!("memory::{test}");
    let arguments = [test.as_str(), "--exact", "--test-threads=1", "--nocapture"];
    let output = Command::new(myself).args(arguments).env(ALONE, "1").output().expect("this program");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{said}\n{}", String::from_utf8_lossy(&output.stderr));
    for line in said.lines().filter(|line| line.contains("bytes") || line.contains("SEED")) {
        println!("{line}");
    }
    false
}

/// Makes pages as the handler makes them.
struct Maker {
    random: Random,
    /// The fields that all pages of a route have.
    lasting: HeaderMap,
    common: Arc<[Tag]>,
    /// As much text as the largest page.
    text: String,
    /// How many pages of one URL differ in a field of the request; 0 if nothing is read of any.
    variants: usize,
}

impl Maker {
    fn new(random: Random) -> Self {
        let mut lasting = HeaderMap::with_capacity(12);
        let owned = |text: &str| HeaderValue::from_str(text).expect("a value");
        lasting.insert(CONTENT_TYPE, owned("text/html; charset=utf-8"));
        lasting.insert(CACHE_CONTROL, owned("public, max-age=0, s-maxage=3600"));
        lasting.insert("x-content-type-options", owned("nosniff"));
        lasting.insert("referrer-policy", owned("strict-origin-when-cross-origin"));
        lasting.insert("x-frame-options", owned("SAMEORIGIN"));
        lasting.insert("content-security-policy", owned(&"script-src 'self'; ".repeat(20)));
        let common = [Tag::new("route:page.toml"), Tag::new("layout:page.html")].into();
        let mut text = String::new();
        for number in 0..20_000_u32 {
            writeln!(text, "<p>{}</p>", number.wrapping_mul(2_654_435_761)).expect("memory");
        }
        Self { random, lasting, common, text, variants: 0 }
    }

    /// A page of about so many bytes: the room that was made for it is more than it needs.
    fn page(&mut self, bytes: usize) -> Arc<Stored> {
        let random = &mut self.random;
        let start = random.below(self.text.len() - bytes);
        let mut body = String::with_capacity(bytes + random.below(bytes));
        body.push_str(self.text.get(start..start + bytes).expect("digits and markup are single bytes"));
        let mut fields = self.lasting.clone();
        for at in 0..random.below(4) {
            let name: HeaderName = format!("x-own-{at}").parse().expect("a name");
            fields.insert(name, HeaderValue::from_str(&"v".repeat(random.below(60))).expect("a value"));
        }
        let tag = StrongTag::from_digest(&start.to_le_bytes().repeat(2));
        let content = Content::new(StorableFields::new(fields).expect("no cookie"), body.into(), Some(tag));
        let lifetime = Lifetime { s_maxage: Some(Duration::from_hours(1)), ..Lifetime::default() };
        let windows = lifetime.allowance().expect("a lifetime").from(Instant::now(), Duration::ZERO, Jitter::NONE);
        let own: Vec<Tag> =
            (0..random.below(6)).map(|at| Tag::new(&format!("source:repo?id={start}&at={at}"))).collect();
        let tags = Tags::new(Arc::clone(&self.common), own);
        let stored = Stored::new(
            StatusCode::OK,
            content.settled(|name| name.as_str().starts_with("x-own-")),
            windows,
            tags,
            SITE,
        );
        if self.random.percent(70) {
            return Arc::new(stored);
        }
        // Some are asked by other routes, too.
        let texts = (0..self.random.below(30)).map(|at| Value::text(format!("value {at}")));
        let (value, bytes) = apart(&Value::list(texts.collect::<Vec<_>>()));
        Arc::new(stored.with_data(value, bytes))
    }

    fn key(&mut self, number: usize) -> Key {
        let mut key = KeyBuilder::new("routes/page.toml@0123456789abcdef");
        let own = format!("{number:x}{}", "-".repeat(self.random.below(40)));
        match number.checked_div(self.variants) {
            None => key.text(Section::Param, "id", &own),
            Some(url) => key.text(Section::Param, "id", &format!("{url:x}")).text(Section::Header, "user-agent", &own),
        };
        key.finish().to_key()
    }

    /// Stores a page, and makes some of what visitors make of it.
    fn put(&mut self, store: &Store, number: usize, bytes: usize) {
        let (key, page) = (self.key(number), self.page(bytes));
        if store.put_variant(&store.begin(SITE), key.clone(), &page, 64).is_err() {
            return;
        }
        for coding in [Coding::Brotli, Coding::Gzip, Coding::Zstd] {
            if self.random.percent(25) {
                store.make(key.lookup(), &page, coding);
            }
        }
        if self.random.percent(50) {
            // What is sent holds on to its bytes in another way than what nobody has asked for yet.
            drop((page.content().identity().fields(None, None), page.content().identity().body().clone()));
        }
        if self.random.percent(20) {
            drop(page.content().identity().not_modified_fields(None, None));
            store.count_anew(key.lookup(), &page);
        }
    }
}

/// What is said, and what is taken beside an empty store.
fn compare(what: &str, store: &Store, before: usize) -> f64 {
    let (said, taken) = (store.counts(), live() - before);
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    let ratio = taken as f64 / said.bytes as f64;
    println!("{what}: {} entries say {} bytes and take {taken} bytes: {ratio:.3}", said.entries, said.bytes);
    ratio
}

fn the_store_takes_what_it_says() {
    if !is_alone("the_store_takes_what_it_says") {
        return;
    }
    let mut maker = Maker::new(Random::new());
    for (what, entries, sizes, variants) in [
        ("1 to 2 KB", 2_000, 1_000..2_000, 0),
        ("1 to 2 KB, one variant of each", 2_000, 1_000..2_000, 1),
        ("1 to 2 KB, 3 variants of each", 2_000, 1_000..2_000, 3),
        ("1 to 2 KB, 60 variants of each", 2_000, 1_000..2_000, 60),
        ("2 to 8 KB", 800, 2_000..8_000, 0),
        ("8 to 16 KB", 300, 8_000..16_000, 0),
        ("16 to 200 KB", 40, 16_000..200_000, 0),
        ("1 to 100 KB", 100, 1_000..100_000, 0),
    ] {
        maker.variants = variants;
        let before = live();
        let store = Store::new(StoreLimits { capacity: 256 << 20, entry: 4 << 20 }, SITE);
        for number in 0..entries {
            let bytes = sizes.start + maker.random.below(sizes.len());
            maker.put(&store, number, bytes);
        }
        assert_eq!(store.counts().entries, entries);
        let ratio = compare(what, &store, before);
        assert!((0.95..=1.05).contains(&ratio), "{what}: {ratio}");
    }
}

/// However many pages are put into it, and whatever is made of them.
fn a_full_store_takes_no_more_than_it_may() {
    if !is_alone("a_full_store_takes_no_more_than_it_may") {
        return;
    }
    let mut maker = Maker::new(Random::new());
    let before = live();
    let store = Store::new(StoreLimits { capacity: 4 << 20, entry: 128 << 10 }, SITE);
    for number in 0..scaled(20_000, 500) {
        let bytes = 500 + maker.random.below(30_000);
        maker.variants = if number % 2 == 0 { 0 } else { 5 };
        maker.put(&store, number, bytes);
        assert!(store.counts().bytes <= store.capacity());
    }
    let ratio = compare("a full store", &store, before);
    assert!((0.95..=1.05).contains(&ratio), "{ratio}");
    assert!(store.counts().bytes > store.capacity() / 2, "it is used");
}

/// A robot that asks for each page once: ten times as much as there is room for. What visitors keep asking for stays.
fn what_is_asked_for_often_survives_a_scan() {
    const HOT: usize = 100;
    let mut maker = Maker::new(Random::new());
    let store = Store::new(StoreLimits { capacity: 4 << 20, entry: 64 << 10 }, SITE);
    let page = |maker: &mut Maker| maker.page(8_000);
    let keys: Vec<Key> = (0..HOT).map(|number| maker.key(number)).collect();
    let ask = |maker: &mut Maker, key: &Key| {
        if store.get(key.lookup()).is_some() {
            return true;
        }
        let page = page(maker);
        store.put(&store.begin(SITE), key.clone(), &page).is_ok_and(|()| false)
    };
    for _ in 0..5 {
        for key in &keys {
            ask(&mut maker, key);
        }
    }
    let (mut hits, mut asked, mut scanned) = (0, 0, 0_u64);
    let mut number = HOT;
    while scanned < 10 * store.capacity() {
        let once = maker.key(number);
        assert!(!ask(&mut maker, &once), "nobody has asked for it");
        number += 1;
        scanned += 8_000;
        // Visitors go on meanwhile, each page now and then.
        if number.is_multiple_of(4) {
            let key = &keys[maker.random.below(HOT)];
            hits += usize::from(ask(&mut maker, key));
            asked += 1;
        }
    }
    let left = keys.iter().filter(|key| store.get(key.lookup()).is_some()).count();
    println!("{hits} of {asked} requests were hits during the scan, {left} of {HOT} pages are left");
    assert!(hits * 10 >= asked * 9, "{hits} of {asked}");
    assert!(left * 10 >= HOT * 9, "{left} of {HOT}");
}

/// Documents as upstreams send them. What was read is kept as it is, without being copied, so it is counted to about a tenth.
fn data_takes_about_what_is_said() {
    if !is_alone("data_takes_about_what_is_said") {
        return;
    }
    let mut random = Random::new();
    let before = live();
    let memo: Memo<Value> = Memo::new(4 << 20, 1 << 20);
    let fill = |random: &mut Random, number: usize| {
        let mut body = String::from("[");
        for at in 0..=random.below(200) {
            let comma = if at == 0 { "" } else { "," };
            let name = "n".repeat(random.below(80));
            write!(body, "{comma}{{\"id\":{number},\"name\":\"{name}\",\"tags\":[\"a\",\"b{at}\"],\"owner\":null}}")
                .expect("memory");
        }
        body.push(']');
        let length = body.len();
        let value = parse_json(body, JsonLimits::default()).expect("JSON");
        let bytes = memory(&value, length);
        memo.put(Digester::new("test").number(number as u64).finish(), value, bytes);
    };
    for number in 0..scaled(20_000, 1_000) {
        fill(&mut random, number);
        assert!(memo.counts().bytes <= memo.capacity());
    }
    let (said, taken) = (memo.counts(), live() - before);
    #[expect(clippy::cast_precision_loss, reason = "a ratio")]
    let ratio = taken as f64 / said.bytes as f64;
    println!("data: {} entries say {} bytes and take {taken} bytes: {ratio:.3}", said.entries, said.bytes);
    assert!((0.8..=1.1).contains(&ratio), "{ratio}");
    assert!(said.bytes > memo.capacity() / 2, "it is used");
}

/// How often an answer asks for memory that all is there for already: what the protocol takes with it is a map of fields, in two pieces, and the
/// fields that differ from one answer to the next. The bounds are what was counted when they were written, so that nothing is added
/// unseen. Counted in the handler; the log's record and the protocol come on top.
fn a_hit_asks_for_hardly_any_memory() {
    if !is_alone("a_hit_asks_for_hardly_any_memory") {
        return;
    }
    let folder = Folder::new();
    folder.write("site.toml", "");
    let page = "path = \"/page\"\nlayout = \"page.html\"\n[cache]\ns-maxage = \"1d\"\n";
    folder.write("routes/page.toml", page);
    folder.write("routes/files.toml", "path = \"/files/{*file}\"\nfiles = \"files\"\n");
    folder.write(
        "layouts/page.html",
        &format!("<!doctype html>\n<title>A page</title>\n{}", "<p>Text.</p>\n".repeat(900)),
    );
    folder.write("content/files/site.css", &"p { margin: 0 }\n".repeat(600));
    let config = folder.path().join("site.toml");
    let loaded = siteserver::site::load(&config, &[], &Environment::default());
    let site = Arc::new(loaded.site.unwrap_or_else(|| panic!("{:?}", loaded.findings)));
    let service = Arc::new(Service::new(Arc::clone(&site), Arc::new(Runtime::new(&site).expect("a runtime"))));
    let threads = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");

    let ask = |path: &str, fields: &[(HeaderName, &HeaderValue)]| {
        let mut request = Request::get(path).header("host", "127.0.0.1");
        for (name, value) in fields {
            request = request.header(name, *value);
        }
        let (request, ()) = request.body(()).expect("a request").into_parts();
        let clock = service.runtime().clock();
        let (began, now, wall) = (Instant::now(), clock.now(), clock.wall());
        let arrival = Arrival { began, now, wall, id: &"id", peer: None, is_loopback: true, client: &() };
        let before = crate::MEMORY.stats().allocations;
        threads.block_on(async {});
        let waiting = crate::MEMORY.stats().allocations - before;
        let before = before + 2 * waiting;
        let answer: Answer =
            threads.block_on(handle(&service, &request, Empty::<bytes::Bytes>::new(), &arrival).answer());
        (crate::MEMORY.stats().allocations - before, answer)
    };
    let brotli = HeaderValue::from_static("gzip, deflate, br, zstd");
    let mut found = Vec::new();
    for (path, coding, most) in [("/page", None, 4), ("/page", Some(&brotli), 4), ("/files/site.css", None, 3)] {
        let mut fields: Vec<(HeaderName, &HeaderValue)> =
            coding.map(|coding| (ACCEPT_ENCODING, coding)).into_iter().collect();
        // The first makes the page, the second what a coding and a tag need.
        let known = ask(path, &fields).1;
        let tag = known.response.headers().get(ETAG).expect("a tag").clone();
        for (status, most) in [(StatusCode::OK, most), (StatusCode::NOT_MODIFIED, most)] {
            if status == StatusCode::NOT_MODIFIED {
                fields.push((IF_NONE_MATCH, &tag));
            }
            ask(path, &fields);
            let counts: Vec<usize> = (0..20)
                .map(|_| {
                    let (count, answer) = ask(path, &fields);
                    assert_eq!(answer.response.status(), status, "{path}");
                    count
                })
                .collect();
            // A file is compared with the disk once a second.
            let count = counts.iter().min().expect("some").to_owned();
            found.push((path, coding.is_some(), status.as_u16(), count, most));
        }
    }
    println!("requests for memory, not bytes: {found:?}");
    assert!(found.iter().all(|(.., count, most)| count <= most), "{found:?}");
}
