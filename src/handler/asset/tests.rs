//! What files promise: nothing private or from outside, what GET and HEAD say (RFC 9110), and what changes on the disk.

use super::open::{NotOpened, open_beneath, walk_beneath};
use super::*;
use crate::config::Origin;
use bytes::Bytes;
use http::StatusCode;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, HeaderName,
    HeaderValue, LAST_MODIFIED, VARY, X_CONTENT_TYPE_OPTIONS,
};
use http_body::Body as _;
use http_body_util::BodyExt;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// A site's folder with `content/assets`, removed at the end.
struct Folder {
    root: PathBuf,
    assets: Assets,
    begun: Instant,
}

impl Folder {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("siteserver-asset-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let root = std::env::temp_dir().join(name);
        fs::create_dir_all(root.join("content/assets/deep/er")).unwrap();
        Self { root, assets: Assets::default(), begun: Instant::now() }
    }

    fn path(&self, file: &str) -> PathBuf {
        self.root.join("content/assets").join(file)
    }

    fn write(&self, file: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(file), content).unwrap();
    }

    async fn ask(&self, ask: Ask<'_>) -> Result<Response<Body>, Absent> {
        let mut fields = HeaderMap::new();
        for (name, value) in ask.fields {
            fields.append(HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        let published = published(&self.root, "assets", ask.headers);
        let request = AssetRequest {
            published: &published,
            file: ask.file,
            method: &ask.method,
            fields: &fields,
            now: self.begun + ask.later,
        };
        answer(&self.assets, request).await
    }

    /// GET with these fields, and the answer.
    async fn get(&self, file: &str, fields: &[(&str, &str)]) -> Answer {
        Answer::of(self.ask(Ask { file, fields, ..Ask::default() }).await.expect(file)).await
    }

    async fn get_later(&self, file: &str, later: Duration) -> Answer {
        Answer::of(self.ask(Ask { file, later, ..Ask::default() }).await.expect(file)).await
    }

    async fn is_absent(&self, file: &str) -> bool {
        self.ask(Ask { file, ..Ask::default() }).await.is_err()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.root).unwrap_or_default();
    }
}

fn published(root: &Path, folder: &str, headers: &[(HeaderName, HeaderValue)]) -> Arc<Published> {
    let caching = HeaderMap::from_iter([(CACHE_CONTROL, HeaderValue::from_static("max-age=60"))]);
    let fields = RouteFields { caching, headers: headers.to_vec(), ..RouteFields::default() };
    Arc::new(Published::new(&Origin::Folder(root.join("site.toml")), folder, fields))
}

struct Ask<'a> {
    file: &'a str,
    method: Method,
    fields: &'a [(&'a str, &'a str)],
    headers: &'a [(HeaderName, HeaderValue)],
    later: Duration,
}

impl Default for Ask<'_> {
    fn default() -> Self {
        Self { file: "", method: Method::GET, fields: &[], headers: &[], later: Duration::ZERO }
    }
}

struct Answer {
    status: StatusCode,
    fields: HeaderMap,
    content: Bytes,
}

impl Answer {
    async fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let promised = body.size_hint().exact();
        let content = body.collect().await.unwrap().to_bytes();
        assert_eq!(promised, Some(content.len() as u64));
        Self { status: head.status, fields: head.headers, content }
    }

    fn field(&self, name: &HeaderName) -> &str {
        self.fields.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

const TEXT: &str = "body { color: rebeccapurple }\n";

fn long_text() -> String {
    TEXT.repeat(100)
}

fn noise(length: usize) -> Vec<u8> {
    (1_u64..).flat_map(|number| number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes()).take(length).collect()
}

#[tokio::test]
async fn a_file_is_sent_as_it_is_with_what_describes_it() {
    let folder = Folder::new();
    folder.write("deep/er/main.css", long_text());
    folder.write("empty.txt", "");
    folder.write("ünd so weiter.PNG", noise(5000));
    let css = folder.get("deep/er/main.css", &[]).await;
    assert_eq!(css.status, StatusCode::OK);
    assert_eq!(css.content, long_text());
    for (name, value) in [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "max-age=60"),
        (CONTENT_LENGTH, "3000"),
        (ACCEPT_RANGES, "bytes"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (VARY, "accept-encoding"),
        (CONTENT_ENCODING, ""),
    ] {
        assert_eq!(css.field(&name), value, "{name}");
    }
    assert!(css.field(&ETAG).starts_with('"'), "strong");
    assert!(css.field(&LAST_MODIFIED).ends_with(" GMT"));
    assert_eq!(folder.get("empty.txt", &[]).await.field(&CONTENT_LENGTH), "0");
    let picture = folder.get("ünd so weiter.PNG", &[("accept-encoding", "br")]).await;
    assert_eq!((picture.field(&CONTENT_TYPE), picture.field(&VARY)), ("image/png", ""));
    assert_eq!(picture.content, noise(5000));
}

#[tokio::test]
async fn fields_of_the_route_win() {
    let folder = Folder::new();
    folder.write("a.css", TEXT);
    let headers = [
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("other")),
        (http::header::LINK, HeaderValue::from_static("</a>")),
        (http::header::LINK, HeaderValue::from_static("</b>")),
    ];
    for _ in ["miss", "hit"] {
        let ask = Ask { file: "a.css", headers: &headers, ..Ask::default() };
        let answer = Answer::of(folder.ask(ask).await.unwrap()).await;
        assert_eq!(answer.field(&X_CONTENT_TYPE_OPTIONS), "other");
        assert_eq!(answer.fields.get_all(http::header::LINK).iter().count(), 2);
    }
}

#[tokio::test]
async fn nothing_outside_and_nothing_private_is_served() {
    let folder = Folder::new();
    fs::write(folder.root.join("content/secret.txt"), "secret").unwrap();
    fs::write(folder.root.join("site.toml"), "secret").unwrap();
    folder.write("file.txt", "public");
    folder.write(".env", "secret");
    fs::create_dir(folder.path(".git")).unwrap();
    folder.write(".git/config", "secret");
    folder.write("deep/.hidden", "secret");
    let absolute = folder.path("file.txt");
    for file in [
        "",
        "/",
        ".",
        "..",
        "../secret.txt",
        "../../site.toml",
        "deep/../../secret.txt",
        "deep/../file.txt",
        "./file.txt",
        "deep//er",
        "/file.txt",
        "file.txt/",
        "file.txt/.",
        "file.txt/more",
        "file.txt\0",
        "file.txt\0.png",
        "..%2fsecret.txt",
        "%2e%2e/secret.txt",
        "..\\secret.txt",
        ".env",
        ".git/config",
        "deep/.hidden",
        "deep",
        "deep/er",
        "missing.txt",
        "FILE.TXT",
        "/proc/self/environ",
        absolute.to_str().unwrap(),
        &"a".repeat(300),
        &"a/".repeat(5000),
    ] {
        assert!(folder.is_absent(file).await, "{file:?}");
    }
    assert!(!folder.is_absent("file.txt").await);
}

#[tokio::test]
async fn links_lead_nowhere() {
    let folder = Folder::new();
    fs::write(folder.root.join("secret.txt"), "secret").unwrap();
    folder.write("file.txt", "public");
    symlink(folder.root.join("secret.txt"), folder.path("absolute.txt")).unwrap();
    symlink("../../secret.txt", folder.path("relative.txt")).unwrap();
    symlink("file.txt", folder.path("inside.txt")).unwrap();
    symlink(&folder.root, folder.path("out")).unwrap();
    symlink("deep", folder.path("in")).unwrap();
    symlink("round", folder.path("round")).unwrap();
    folder.write("deep/file.txt", "public");
    let content = folder.root.join("content/assets");
    for file in
        ["absolute.txt", "relative.txt", "inside.txt", "out/secret.txt", "in/file.txt", "round", "round/file.txt"]
    {
        assert!(folder.is_absent(file).await, "{file}");
        assert!(matches!(walk_beneath(&content, file), Err(NotOpened::Absent)), "{file}");
    }
    for file in ["file.txt", "deep/file.txt"] {
        assert!(!folder.is_absent(file).await, "{file}");
        assert!(walk_beneath(&content, file).is_ok(), "{file}");
    }
}

#[test]
fn a_folder_that_turns_into_a_link_while_it_is_opened_leads_nowhere() {
    let folder = Folder::new();
    fs::create_dir(folder.root.join("outside")).unwrap();
    fs::write(folder.root.join("outside/file.txt"), "secret").unwrap();
    folder.write("deep/file.txt", "public");
    symlink(folder.root.join("outside"), folder.path("link")).unwrap();
    let content = folder.root.join("content/assets");
    std::thread::scope(|scope| {
        let flipper = scope.spawn(|| {
            for _ in 0..3000 {
                for (from, to) in [("deep", "real"), ("link", "deep"), ("deep", "link"), ("real", "deep")] {
                    fs::rename(content.join(from), content.join(to)).unwrap();
                }
            }
        });
        let mut opened = 0;
        loop {
            let last = flipper.is_finished();
            for attempt in [open_beneath(&content, "deep/file.txt"), walk_beneath(&content, "deep/file.txt")] {
                match attempt {
                    Ok((file, _)) => {
                        assert_eq!(std::io::read_to_string(file).unwrap(), "public");
                        opened += 1;
                    }
                    Err(NotOpened::Absent) => {}
                    Err(NotOpened::Refused(error)) => panic!("{error}"),
                }
            }
            if last {
                break;
            }
        }
        assert!(opened > 0, "it was there at times");
    });
}

#[tokio::test]
async fn what_is_no_regular_file_is_absent_at_once() {
    let folder = Folder::new();
    let pipe = folder.path("pipe.txt");
    rustix::fs::mkfifoat(rustix::fs::CWD, &pipe, rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(folder.path("socket.txt")).unwrap();
    let content = folder.root.join("content/assets");
    for file in ["pipe.txt", "socket.txt", "deep"] {
        assert!(folder.is_absent(file).await, "{file}");
        assert!(matches!(walk_beneath(&content, file), Err(NotOpened::Absent)), "{file}");
    }
}

#[tokio::test]
async fn conditions_spare_the_content() {
    let folder = Folder::new();
    folder.write("small.css", long_text());
    folder.write("large.bin", noise(3 << 20));
    for file in ["small.css", "large.bin"] {
        let first = folder.get(file, &[]).await;
        let (etag, date) = (first.field(&ETAG), first.field(&LAST_MODIFIED));
        for fields in [("if-none-match", etag), ("if-none-match", "*"), ("if-modified-since", date)] {
            let answer = folder.get(file, &[fields]).await;
            assert_eq!(answer.status, StatusCode::NOT_MODIFIED, "{file} {fields:?}");
            assert_eq!(answer.field(&ETAG), etag);
            assert_eq!(answer.field(&CACHE_CONTROL), "max-age=60");
            assert_eq!(answer.field(&VARY), first.field(&VARY));
            assert_eq!((answer.field(&CONTENT_LENGTH), answer.field(&CONTENT_TYPE)), ("", ""));
        }
        for fields in [("if-match", "\"other\""), ("if-unmodified-since", "Sun, 06 Nov 1994 08:49:37 GMT")] {
            let answer = folder.get(file, &[fields]).await;
            assert_eq!(answer.status, StatusCode::PRECONDITION_FAILED, "{file} {fields:?}");
            assert_eq!(answer.field(&CACHE_CONTROL), "no-store");
            assert!(answer.content.is_empty());
        }
        for fields in [("if-none-match", "\"other\""), ("if-match", etag)] {
            assert_eq!(folder.get(file, &[fields]).await.content, first.content, "{file} {fields:?}");
        }
    }
}

#[tokio::test]
async fn a_part_is_sent_of_the_file_as_it_is() {
    let folder = Folder::new();
    for (file, content) in [("small.css", long_text().into_bytes()), ("large.bin", noise(3 << 20))] {
        folder.write(file, &content);
        let length = content.len();
        let whole = folder.get(file, &[]).await;
        assert!(whole.content == content, "{file}");
        assert_eq!(whole.field(&CONTENT_LENGTH), length.to_string());
        let etag = whole.field(&ETAG);
        for (range, start, end) in [
            ("bytes=0-0", 0, 1),
            ("bytes=10-99", 10, 100),
            ("bytes=100-", 100, length),
            ("bytes=-7", length - 7, length),
            ("bytes=1-99999999", 1, length),
        ] {
            for condition in [("if-range", etag), ("if-range", whole.field(&LAST_MODIFIED)), ("accept-encoding", "br")]
            {
                let part = folder.get(file, &[("range", range), condition]).await;
                assert_eq!(part.status, StatusCode::PARTIAL_CONTENT, "{file} {range} {condition:?}");
                assert!(part.content == content[start..end], "{file} {range}");
                assert_eq!(part.field(&CONTENT_RANGE), format!("bytes {start}-{}/{length}", end - 1));
                assert_eq!(part.field(&CONTENT_LENGTH), (end - start).to_string());
                assert_eq!((part.field(&ETAG), part.field(&CONTENT_ENCODING)), (etag, ""));
            }
        }
        let beyond = folder.get(file, &[("range", "bytes=99999999-")]).await;
        assert_eq!(beyond.status, StatusCode::RANGE_NOT_SATISFIABLE);
        assert_eq!(beyond.field(&CONTENT_RANGE), format!("bytes */{length}"));
        assert_eq!(beyond.field(&CACHE_CONTROL), "no-store");
        assert!(beyond.content.is_empty());
        for fields in [
            &[("range", "bytes=0-1"), ("if-range", "\"other\"")][..],
            &[("range", "bytes=0-1,5-6")],
            &[("range", "lines=0-1")],
        ] {
            let answer = folder.get(file, fields).await;
            assert_eq!(answer.status, StatusCode::OK, "{file} {fields:?}");
            assert!(answer.content == content, "{file} {fields:?}");
        }
    }
}

#[tokio::test]
async fn head_tells_what_get_would_send() {
    let folder = Folder::new();
    folder.write("small.css", long_text());
    folder.write("large.bin", noise(3 << 20));
    for file in ["small.css", "large.bin"] {
        for fields in [&[][..], &[("accept-encoding", "gzip")], &[("range", "bytes=0-1")]] {
            let ask = Ask { file, method: Method::HEAD, fields, ..Ask::default() };
            let head = Answer::of(folder.ask(ask).await.unwrap()).await;
            let without_range: Vec<_> = fields.iter().copied().filter(|(name, _)| *name != "range").collect();
            let get = folder.get(file, &without_range).await;
            assert_eq!((head.status, &head.fields), (get.status, &get.fields), "{file} {fields:?}");
            assert!(head.content.is_empty());
        }
    }
}

#[tokio::test]
async fn each_coding_is_a_representation_of_its_own() {
    let folder = Folder::new();
    // Coded on the spot, and by a thread that may block.
    for (file, content) in [("quick.js", TEXT.repeat(100)), ("slow.js", TEXT.repeat(10_000))] {
        folder.write(file, &content);
        let plain = folder.get(file, &[]).await;
        let mut tags = vec![plain.field(&ETAG).to_owned()];
        for coding in ["gzip", "br", "zstd"] {
            let accept = ("accept-encoding", coding);
            let coded = folder.get(file, &[accept]).await;
            assert_eq!(coded.field(&CONTENT_ENCODING), coding, "{file}");
            assert!(coded.content.len() < content.len() / 2, "{file} {coding}");
            assert_eq!(coded.field(&CONTENT_LENGTH), coded.content.len().to_string());
            assert_eq!(coded.field(&VARY), "accept-encoding");
            let tag = coded.field(&ETAG).to_owned();
            assert_eq!(folder.get(file, &[accept, ("if-none-match", &tag)]).await.status, StatusCode::NOT_MODIFIED);
            assert_eq!(folder.get(file, &[("if-none-match", &tag)]).await.status, StatusCode::OK);
            let resumed = folder.get(file, &[accept, ("range", "bytes=5-"), ("if-range", &tag)]).await;
            assert_eq!(resumed.content, content, "positions in coded content are not those of the file");
            tags.push(tag);
        }
        tags.sort();
        tags.dedup();
        assert_eq!(tags.len(), 4, "{file}: {tags:?}");
    }
    let mut decoded = Vec::new();
    let coded = folder.get("slow.js", &[("accept-encoding", "gzip")]).await.content;
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&*coded), &mut decoded).unwrap();
    assert!(decoded == TEXT.repeat(10_000).as_bytes());
}

#[tokio::test]
async fn a_change_on_the_disk_is_seen_after_a_second() {
    let folder = Folder::new();
    folder.write("a.txt", "first");
    let later = Duration::from_secs;
    let first = folder.get_later("a.txt", later(0)).await;
    folder.write("a.txt", "other");
    assert_eq!(folder.get_later("a.txt", Duration::from_millis(900)).await.content, "first", "no look at the disk");
    let other = folder.get_later("a.txt", later(2)).await;
    assert_eq!(other.content, "other", "of the same length, and at once after the first");
    assert_ne!(other.field(&ETAG), first.field(&ETAG));
    // Replaced as editors do it, then grown beyond memory, then gone, then there again.
    folder.write("b.txt", "third");
    fs::rename(folder.path("b.txt"), folder.path("a.txt")).unwrap();
    assert_eq!(folder.get_later("a.txt", later(4)).await.content, "third");
    folder.write("a.txt", noise(2 << 20));
    assert!(folder.get_later("a.txt", later(6)).await.content == noise(2 << 20));
    assert!(folder.get_later("a.txt", later(6)).await.content == noise(2 << 20));
    folder.write("a.txt", "fifth");
    assert_eq!(folder.get_later("a.txt", later(6)).await.content, "fifth");
    fs::remove_file(folder.path("a.txt")).unwrap();
    assert!(folder.ask(Ask { file: "a.txt", later: later(8), ..Ask::default() }).await.is_err());
    folder.write("a.txt", "sixth");
    assert_eq!(folder.get_later("a.txt", later(8)).await.content, "sixth");
}

#[tokio::test]
async fn the_same_name_elsewhere_is_another_file() {
    let (here, there) = (Folder::new(), Folder::new());
    here.write("a.txt", "here");
    there.write("a.txt", "there");
    fs::create_dir(here.root.join("content/other")).unwrap();
    fs::write(here.root.join("content/other/a.txt"), "other").unwrap();
    let fields = HeaderMap::new();
    for (root, folder, expected) in
        [(&here.root, "assets", "here"), (&there.root, "assets", "there"), (&here.root, "other", "other")]
    {
        let request = AssetRequest {
            published: &published(root, folder, &[]),
            file: "a.txt",
            method: &Method::GET,
            fields: &fields,
            now: here.begun,
        };
        let response = answer(&here.assets, request).await.unwrap();
        assert_eq!(Answer::of(response).await.content, expected);
    }
}

#[tokio::test]
async fn a_large_file_that_gets_shorter_while_it_is_sent_is_an_error() {
    let folder = Folder::new();
    folder.write("large.bin", noise(3 << 20));
    let response = folder.ask(Ask { file: "large.bin", ..Ask::default() }).await.unwrap();
    let mut body = response.into_body();
    assert!(body.frame().await.unwrap().is_ok());
    fs::File::options().write(true).open(folder.path("large.bin")).unwrap().set_len(1 << 20).unwrap();
    assert!(body.collect().await.is_err());
}

#[tokio::test]
async fn a_large_file_that_is_replaced_while_it_is_sent_is_sent_to_its_end() {
    let folder = Folder::new();
    folder.write("large.bin", noise(3 << 20));
    let mut body = folder.ask(Ask { file: "large.bin", ..Ask::default() }).await.unwrap().into_body();
    let first = body.frame().await.unwrap().unwrap().into_data().unwrap();
    folder.write("new.bin", vec![b'x'; 3 << 20]);
    fs::rename(folder.path("new.bin"), folder.path("large.bin")).unwrap();
    let rest = body.collect().await.unwrap().to_bytes();
    assert!([&*first, &*rest].concat() == noise(3 << 20));
    assert!(folder.get("large.bin", &[]).await.content == vec![b'x'; 3 << 20]);
}

#[tokio::test]
async fn many_who_ask_at_once_get_the_same() {
    let folder = Folder::new();
    folder.write("slow.js", TEXT.repeat(10_000));
    let asks = (0..50).map(|_| folder.get("slow.js", &[("accept-encoding", "zstd")]));
    for answer in futures_util::future::join_all(asks).await {
        match answer.field(&CONTENT_ENCODING) {
            "zstd" => assert!(answer.field(&ETAG).ends_with("-zstd\"")),
            _ => assert!(answer.content == TEXT.repeat(10_000)),
        }
    }
    assert_eq!(folder.get("slow.js", &[("accept-encoding", "zstd")]).await.field(&CONTENT_ENCODING), "zstd");
}
