//! Files routes from the outside: what describes a file, its parts and codings, and what no request reaches.

use crate::support::http::Response;
use crate::support::site::{Folder, Options, Site, is_root};
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

crate::cases!(
    a_file_is_described_by_its_name_and_its_content,
    conditions_and_parts_follow_the_validators,
    what_was_coded_beforehand_is_sent_as_that_coding,
    an_older_coding_is_another_file,
    a_large_file_is_sent_in_codings_made_beforehand,
    no_spelling_leads_outside,
    what_is_no_file_neither_blocks_nor_shows,
    what_may_not_be_read_is_not_there,
    nothing_outside_is_ever_opened,
    many_readers_of_a_large_file_take_little_memory,
);

const ARCHIVE: &str = "
-- site.toml --
[server]
watch = false
-- routes/assets.toml --
path = \"/assets/{*file}\"
files = \"assets\"
-- content/assets/marker.txt --
marker
-- content/assets/site.css --
body { color: rebeccapurple }
-- content/secret.txt --
the secret
-- content/other/secret.txt --
the secret
";

fn with(site: &Site, target: &str, fields: &[(&str, &str)]) -> Response {
    site.request("GET", target, fields, b"")
}

/// The folder that the route publishes.
fn assets(folder: &Folder) -> PathBuf {
    folder.path().join("content/assets")
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn gunzipped(coded: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(coded).read_to_string(&mut text).unwrap();
    text
}

fn a_file_is_described_by_its_name_and_its_content() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    let types = [
        ("a.css", "text/css; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.html", "text/html; charset=utf-8"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("a.json", "application/json"),
        ("a.svg", "image/svg+xml"),
        ("a.PNG", "image/png"),
        ("a.webp", "image/webp"),
        ("a.woff2", "font/woff2"),
        ("a.wasm", "application/wasm"),
        ("a.pdf", "application/pdf"),
        ("a.tar.gz", "application/gzip"),
        ("a.css.br", "application/octet-stream"),
        ("a.unheard-of", "application/octet-stream"),
        ("none", "application/octet-stream"),
    ];
    for (name, _) in types {
        fs::write(assets(&folder).join(name), name).unwrap();
    }
    let site = Options::default().serve(folder);
    for (name, kind) in types {
        let file = site.get(&format!("/assets/{name}"));
        assert_eq!((file.status, file.header("content-type")), (200, Some(kind)), "{name}");
        assert_eq!(file.text(), name);
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"), "{name}");
        assert_eq!(file.header("accept-ranges"), Some("bytes"));
        assert_eq!(file.header("content-encoding"), None);
        assert!(file.header("etag").is_some_and(|tag| tag.starts_with('"')), "{name}");
        assert!(file.header("last-modified").is_some_and(|date| date.ends_with(" GMT")), "{name}");
        let head = site.request("HEAD", &format!("/assets/{name}"), &[], b"");
        let without_date = |response: &Response| -> Vec<_> {
            response.headers.iter().filter(|(name, _)| name != "date").cloned().collect()
        };
        assert_eq!((head.status, without_date(&head)), (200, without_date(&file)), "{name}");
        assert!(head.body.is_empty());
    }
    for method in ["POST", "PUT", "DELETE"] {
        let refused = site.request(method, "/assets/a.css", &[], b"");
        assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD, OPTIONS")), "{method}");
    }
}

fn conditions_and_parts_follow_the_validators() {
    let site = Site::start(ARCHIVE);
    let whole = site.get("/assets/site.css");
    let (tag, date) = (whole.header("etag").unwrap(), whole.header("last-modified").unwrap());
    let (old, other) = ("Sun, 06 Nov 1994 08:49:37 GMT", "\"other\"");
    let weak = format!("W/{tag}");
    for (fields, status) in [
        (&[("if-none-match", tag)][..], 304),
        (&[("if-none-match", &weak)], 304),
        (&[("if-modified-since", date)], 304),
        (&[("if-modified-since", old)], 200),
        (&[("if-modified-since", "yesterday")], 200),
        (&[("if-none-match", other), ("if-modified-since", date)], 200),
        (&[("if-match", other)], 412),
        (&[("if-unmodified-since", old)], 412),
        (&[("range", "bytes=0-3")], 206),
        (&[("range", "bytes=-3")], 206),
        (&[("range", "bytes=0-3"), ("if-range", tag)], 206),
        (&[("range", "bytes=0-3"), ("if-range", date)], 206),
        (&[("range", "bytes=0-3"), ("if-range", &weak)], 200),
        (&[("range", "bytes=0-3"), ("if-range", other)], 200),
        (&[("range", "bytes=0-3"), ("if-range", old)], 200),
        (&[("range", "bytes=0-3, 5-6")], 200),
        (&[("range", "bytes=3-0")], 200),
        (&[("range", "lines=0-3")], 200),
        (&[("range", "bytes=9999-")], 416),
    ] {
        let answer = with(&site, "/assets/site.css", fields);
        assert_eq!(answer.status, status, "{fields:?}");
        match status {
            200 => assert_eq!(answer.body, whole.body, "{fields:?}"),
            206 => assert!(answer.text() == "body" || answer.text() == " }\n", "{fields:?}"),
            416 => assert_eq!(answer.header("content-range"), Some(&*format!("bytes */{}", whole.body.len()))),
            _ => assert!(answer.body.is_empty(), "{fields:?}"),
        }
    }
}

fn what_was_coded_beforehand_is_sent_as_that_coding() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    // Each says that it was made beforehand.
    let css = assets(&folder).join("site.css");
    fs::write(css.with_extension("css.gz"), gzipped("from gz\n")).unwrap();
    fs::write(css.with_extension("css.zst"), zstd::bulk::compress(b"from zst\n", 1).unwrap()).unwrap();
    // Nothing is made of what does not get smaller.
    fs::write(assets(&folder).join("release.tar"), "tar").unwrap();
    fs::write(assets(&folder).join("release.tar.gz"), gzipped("tar")).unwrap();
    let site = Options::default().serve(folder);
    let plain = site.get("/assets/site.css");
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")));
    assert_eq!(plain.text(), "body { color: rebeccapurple }\n");
    let mut tags = vec![plain.header("etag").unwrap().to_owned()];
    for (accepted, coding, text) in
        [("gzip", "gzip", "from gz\n"), ("zstd", "zstd", "from zst\n"), ("br, gzip;q=0.5", "gzip", "from gz\n")]
    {
        let coded = with(&site, "/assets/site.css", &[("accept-encoding", accepted)]);
        assert_eq!(coded.header("content-encoding"), Some(coding), "{accepted}");
        assert_eq!(coded.header("content-type"), Some("text/css; charset=utf-8"));
        let decoded = match coding {
            "gzip" => gunzipped(&coded.body),
            _ => String::from_utf8(zstd::bulk::decompress(&coded.body, 100).unwrap()).unwrap(),
        };
        assert_eq!(decoded, text);
        let tag = coded.header("etag").unwrap();
        let again = with(&site, "/assets/site.css", &[("accept-encoding", accepted), ("if-none-match", tag)]);
        assert_eq!((again.status, again.header("vary")), (304, Some("accept-encoding")));
        tags.push(tag.to_owned());
    }
    let part = with(&site, "/assets/site.css", &[("accept-encoding", "gzip"), ("range", "bytes=0-3")]);
    assert_eq!((part.status, part.text(), part.header("content-encoding")), (206, "body", None));
    tags.dedup();
    assert_eq!(tags.len(), 4, "{tags:?}");
    // Under its own name each is what it is.
    let own = with(&site, "/assets/site.css.gz", &[("accept-encoding", "gzip")]);
    assert_eq!((own.header("content-type"), own.header("content-encoding")), (Some("application/gzip"), None));
    assert_eq!(gunzipped(&own.body), "from gz\n");
    let archive = with(&site, "/assets/release.tar", &[("accept-encoding", "gzip")]);
    assert_eq!((archive.header("content-encoding"), archive.text()), (None, "tar"));
    // Changed, it is another representation; gone, it is gone.
    let gz = assets(site.folder()).join("site.css.gz");
    fs::write(&gz, gzipped("from gz again\n")).unwrap();
    until(&site, |coded| {
        coded.header("content-encoding") == Some("gzip") && gunzipped(&coded.body) == "from gz again\n"
    });
    fs::remove_file(&gz).unwrap();
    until(&site, |coded| coded.header("content-encoding").is_none());
}

/// Asks for the style sheet, coded by gzip if it may be, until the answer is as wanted: the disk is looked at once a second.
fn until(site: &Site, wanted: impl Fn(&Response) -> bool) {
    let end = std::time::Instant::now() + crate::support::SAFETY_NET;
    while !wanted(&with(site, "/assets/site.css", &[("accept-encoding", "gzip")])) {
        assert!(std::time::Instant::now() < end, "a change on the disk is not seen");
    }
}

fn an_older_coding_is_another_file() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    let (css, gz) = (assets(&folder).join("site.css"), assets(&folder).join("site.css.gz"));
    fs::write(&gz, gzipped("old\n")).unwrap();
    let modified = fs::metadata(&css).unwrap().modified().unwrap();
    let set =
        |path: &Path, time: SystemTime| File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    set(&gz, modified - Duration::from_nanos(1));
    let site = Options::default().serve(folder);
    let gzip = [("accept-encoding", "gzip")];
    assert_eq!(with(&site, "/assets/site.css", &gzip).text(), "body { color: rebeccapurple }\n");
    // As old as the file, it is that file.
    set(&gz, modified);
    until(&site, |coded| coded.header("content-encoding") == Some("gzip") && gunzipped(&coded.body) == "old\n");
    // Neither a link nor a folder is a coding.
    fs::remove_file(&gz).unwrap();
    symlink("../secret.txt", &gz).unwrap();
    fs::create_dir(css.with_extension("css.br")).unwrap();
    until(&site, |coded| coded.header("content-encoding").is_none());
}

fn a_large_file_is_sent_in_codings_made_beforehand() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    let text = "{\"a\": [1, 2, 3]}\n".repeat(200_000);
    fs::write(assets(&folder).join("large.json"), &text).unwrap();
    fs::write(assets(&folder).join("large.json.gz"), gzipped(&text)).unwrap();
    let site = Options::default().serve(folder);
    let plain = with(&site, "/assets/large.json", &[("accept-encoding", "br")]);
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), (None, Some("accept-encoding")));
    assert!(plain.text() == text);
    let coded = with(&site, "/assets/large.json", &[("accept-encoding", "br, gzip")]);
    assert_eq!((coded.header("content-encoding"), coded.header("vary")), (Some("gzip"), Some("accept-encoding")));
    assert_eq!(coded.header("content-type"), Some("application/json"));
    assert!(gunzipped(&coded.body) == text);
    assert_ne!(coded.header("etag"), plain.header("etag"));
    let fields = [("accept-encoding", "gzip"), ("if-none-match", coded.header("etag").unwrap())];
    let same = with(&site, "/assets/large.json", &fields);
    assert_eq!((same.status, same.header("vary")), (304, Some("accept-encoding")));
    let part = with(&site, "/assets/large.json", &[("accept-encoding", "gzip"), ("range", "bytes=0-6")]);
    assert_eq!((part.status, part.text(), part.header("content-encoding")), (206, "{\"a\": [", None));
}

/// What attackers write behind the path of a files route.
const SPELLINGS: &[&str] = &[
    "../secret.txt",
    "../../site.toml",
    "..%2fsecret.txt",
    "..%2Fsecret.txt",
    "%2e%2e/secret.txt",
    "%2e%2e%2fsecret.txt",
    ".%2e/secret.txt",
    "%252e%252e%252fsecret.txt",
    "%25252e%25252e/secret.txt",
    "..%252fsecret.txt",
    "..%c0%afsecret.txt",
    "%c0%ae%c0%ae/secret.txt",
    "%e0%80%ae%e0%80%ae/secret.txt",
    "..%5csecret.txt",
    "..%255csecret.txt",
    "....//secret.txt",
    "..;/secret.txt",
    "..%00/secret.txt",
    "../secret.txt%00.css",
    "%00",
    "marker.txt%00",
    "marker.txt/",
    "marker.txt/../../secret.txt",
    "marker.txt%2f..%2f..%2fsecret.txt",
    "./../secret.txt",
    "deep/../../secret.txt",
    "deep/%2e%2e/%2e%2e/secret.txt",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    "%2Fetc/passwd",
    "..%2f..%2f..%2f..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "~root/.bashrc",
    "C:%5cwindows",
    "file:%2f%2f%2fetc%2fpasswd",
    "proc/self/environ",
    "..%2f..%2f..%2fproc%2fself%2fenviron",
    ".env",
    ".git/config",
    "deep/.hidden",
    "%2egit/config",
    "%2Eenv",
    ".",
    "..",
    "...",
    "absolute.txt",
    "relative.txt",
    "out/secret.txt",
    "out/",
    "chain/secret.txt",
    "round",
    "round/secret.txt",
    "loop.txt",
    "fd/secret.txt",
    "parent/secret.txt",
    "site.css.gz",
    "linked.css",
];

/// Names that are files when the site loads, and links to what is outside when they are asked for.
const TURNCOATS: [(&str, &str); 10] = [
    ("absolute.txt", "/etc/passwd"),
    ("relative.txt", "../secret.txt"),
    ("out/secret.txt", "../other"),
    ("chain/secret.txt", "out"),
    ("round/secret.txt", "round"),
    ("loop.txt", "loop.txt"),
    ("fd/secret.txt", "/proc/self/fd"),
    ("parent/secret.txt", ".."),
    ("site.css.gz", "../secret.txt"),
    ("linked.css", "site.css"),
];

/// A folder with files that are nobody's business, and some that will be links.
fn treacherous(folder: &Folder) {
    folder.unpack(ARCHIVE);
    let assets = assets(folder);
    let hidden = [".env", ".git/config", "deep/.hidden", "../../secret.txt"];
    let turncoats = TURNCOATS.map(|(name, _)| (name, "public"));
    for (name, text) in hidden.map(|name| (name, "the secret")).into_iter().chain(turncoats) {
        let path = assets.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::write(assets.join("deep/file.txt"), "public").unwrap();
}

/// Puts links where files and folders were.
fn betray(folder: &Folder) {
    for (name, target) in TURNCOATS {
        let (turned, is_folder) = name.split_once('/').map_or((name, false), |(turned, _)| (turned, true));
        let path = assets(folder).join(turned);
        if is_folder {
            fs::remove_dir_all(&path).unwrap();
        } else {
            fs::remove_file(&path).unwrap();
        }
        symlink(target, path).unwrap();
    }
}

/// Sends every spelling, raw and below folders; nothing that comes back is a secret.
fn attack(site: &Site) {
    let mut connection = site.connect();
    for spelling in SPELLINGS {
        for prefix in
            ["/assets/", "/assets//", "/assets/deep/../", "/assets/deep%2f..%2f", "/%61ssets/", "/assets/deep/"]
        {
            let target = format!("{prefix}{spelling}");
            let mut answer = connection.request("GET", &target, &[("accept-encoding", "gzip")], b"");
            // To where the canonical form leads, as browsers go.
            for _ in 0..3 {
                let Some(location) = answer.header("location").map(str::to_owned) else { break };
                if answer.header("connection") == Some("close") {
                    connection = site.connect();
                }
                answer = connection.get(&location);
            }
            assert!(!String::from_utf8_lossy(&answer.body).contains("secret"), "{target}");
            let is_ours = answer.status == 200 && answer.text() == "marker\n";
            assert!(matches!(answer.status, 400 | 404) || is_ours, "{target}: {}", answer.status);
            if answer.header("connection") == Some("close") {
                connection = site.connect();
            }
        }
    }
}

fn no_spelling_leads_outside() {
    let folder = Folder::new();
    treacherous(&folder);
    let site = Options::default().serve(folder);
    betray(site.folder());
    attack(&site);
    assert_eq!(site.get("/assets/marker.txt").text(), "marker\n");
    assert_eq!(site.get("/assets/deep/file.txt").text(), "public");
}

fn what_is_no_file_neither_blocks_nor_shows() {
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    let assets = assets(&folder);
    rustix::fs::mkfifoat(rustix::fs::CWD, assets.join("pipe.txt"), rustix::fs::Mode::from_raw_mode(0o644)).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(assets.join("socket.txt")).unwrap();
    fs::create_dir(assets.join("folder.txt")).unwrap();
    let mut names = vec!["pipe.txt", "socket.txt", "folder.txt"];
    let device = assets.join("device.txt");
    if is_root()
        && Command::new("mknod").arg(&device).args(["c", "1", "5"]).status().is_ok_and(|status| status.success())
    {
        names.push("device.txt");
    }
    // Beside a file they are no codings of it.
    rustix::fs::mkfifoat(rustix::fs::CWD, assets.join("site.css.gz"), rustix::fs::Mode::from_raw_mode(0o644)).unwrap();
    let site = Options::default().serve(folder);
    for name in names {
        assert_eq!(site.get(&format!("/assets/{name}")).status, 404, "{name}");
    }
    assert_eq!(with(&site, "/assets/site.css", &[("accept-encoding", "gzip")]).status, 200);
}

fn what_may_not_be_read_is_not_there() {
    if !is_root() {
        println!("skipped: needs root");
        return;
    }
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    let assets = assets(&folder);
    fs::write(assets.join("closed.txt"), "the secret").unwrap();
    fs::write(assets.join("site.css.gz"), gzipped("the secret")).unwrap();
    for name in ["closed.txt", "site.css.gz"] {
        fs::set_permissions(assets.join(name), fs::Permissions::from_mode(0o000)).unwrap();
    }
    let site = Options::default().user(65534).serve(folder);
    let closed = site.get("/assets/closed.txt");
    assert_eq!(closed.status, 404);
    assert!(!closed.text().contains("closed") && !closed.text().contains("denied"), "visitors hear nothing of it");
    site.wait_for_message(|line| line.contains("a file cannot be read") && line.contains("closed.txt"));
    assert_eq!(
        with(&site, "/assets/site.css", &[("accept-encoding", "gzip")]).text(),
        "body { color: rebeccapurple }\n"
    );
    // Opened to us, it is there.
    fs::set_permissions(site.folder().path().join("content/assets/closed.txt"), fs::Permissions::from_mode(0o644))
        .unwrap();
    assert_eq!(site.get("/assets/closed.txt").status, 200);
}

/// Files that are asked for while their folder turns into a link and back.
const FLIPS: usize = 1000;

/// Whatever is asked for, and whatever becomes of the folder meanwhile, the process opens nothing outside of it: the kernel's own record of
/// every file that was opened says so.
fn nothing_outside_is_ever_opened() {
    if !Command::new("strace").arg("-V").output().is_ok_and(|output| output.status.success()) {
        println!("skipped: needs strace");
        return;
    }
    let folder = Folder::new();
    treacherous(&folder);
    let assets = fs::canonicalize(assets(&folder)).unwrap();
    // Each is asked for once, so that the disk is looked at each time.
    let outside = folder.path().join("outside");
    fs::create_dir_all(assets.join("turning")).unwrap();
    fs::create_dir(&outside).unwrap();
    for number in 0..FLIPS {
        fs::write(assets.join(format!("turning/{number}.css")), "public").unwrap();
        fs::write(outside.join(format!("{number}.css")), "the secret").unwrap();
    }
    fs::write(assets.join("flip.txt"), "public").unwrap();
    let record = folder.path().join("record");
    let record_name = record.to_str().unwrap().to_owned();
    let strace =
        ["strace", "-D", "-f", "-y", "-e", "trace=open,openat,openat2,creat,open_by_handle_at", "-o", &record_name];
    if !Command::new("strace").args(["-o", "/dev/null", "true"]).status().is_ok_and(|status| status.success()) {
        println!("skipped: strace may not trace here");
        return;
    }
    let mut site = Options::default().under(&strace).serve(folder);
    assert_eq!(site.get("/assets/marker.txt").text(), "marker\n");
    betray(site.folder());
    attack(&site);
    symlink(&outside, assets.join("link")).unwrap();
    symlink(outside.join("0.css"), assets.join("link.txt")).unwrap();
    let done = AtomicBool::new(false);
    let mut seen = [0; 2];
    thread::scope(|scope| {
        // Turns a folder and a file into links that lead outside, and back.
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for (from, to) in [
                    ("turning", "real"),
                    ("link", "turning"),
                    ("flip.txt", "real.txt"),
                    ("link.txt", "flip.txt"),
                    ("flip.txt", "link.txt"),
                    ("real.txt", "flip.txt"),
                    ("turning", "link"),
                    ("real", "turning"),
                ] {
                    fs::rename(assets.join(from), assets.join(to)).unwrap();
                }
            }
        });
        let mut connection = site.connect();
        for number in 0..FLIPS {
            for target in [format!("/assets/turning/{number}.css"), "/assets/flip.txt".to_owned()] {
                let answer = connection.get(&target);
                assert!(!answer.text().contains("secret"), "{target}");
                seen[usize::from(answer.status == 200)] += 1;
            }
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(seen[0] > 0 && seen[1] > 0, "there at times, and at times not: {seen:?}");
    site.signal("TERM");
    site.wait();
    let record = fs::read_to_string(&record).unwrap();
    let opened: Vec<&Path> = record.lines().filter_map(opened).collect();
    let begin = opened.iter().position(|path| path.ends_with("content/assets/marker.txt")).expect("the first request");
    assert!(opened[..begin].iter().any(|path| path.ends_with("site.toml")), "what is outside is recorded, too");
    let after = &opened[begin..];
    assert!(after.len() > 100, "{} files were opened", after.len());
    // The C library asks the kernel how many processors there are, whenever it likes.
    let is_ours = |path: &&&Path| !path.starts_with(&assets) && !path.starts_with("/sys/devices/system/cpu");
    let strayed: Vec<_> = after.iter().filter(is_ours).collect();
    assert!(strayed.is_empty(), "opened: {strayed:?}");
}

/// The file that a line of the record says was opened: `… = 13</srv/site.toml>`.
fn opened(line: &str) -> Option<&Path> {
    let (_, result) = line.rsplit_once(" = ")?;
    let (descriptor, path) = result.strip_suffix('>')?.split_once('<')?;
    descriptor.bytes().all(|byte| byte.is_ascii_digit()).then(|| Path::new(path))
}

fn many_readers_of_a_large_file_take_little_memory() {
    const LENGTH: u64 = 1 << 30;
    const READERS: usize = 64;
    let folder = Folder::new();
    folder.unpack(ARCHIVE);
    File::create(assets(&folder).join("film.bin")).unwrap().set_len(LENGTH).unwrap();
    let site = Options::default().serve(folder);
    let resident = || {
        let status = fs::read_to_string(format!("/proc/{}/status", site.process())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    };
    site.get("/assets/marker.txt");
    let before = resident();
    let head = crate::support::http::compose("GET", "/assets/film.bin", &[], b"");
    let readers: Vec<_> = (0..READERS)
        .map(|_| {
            let mut connection = site.connect();
            connection.send(&head).unwrap();
            // It has begun to come; the rest is never read.
            let mut first = [0; 1024];
            connection.stream().read_exact(&mut first).unwrap();
            assert!(String::from_utf8_lossy(&first).contains(&format!("content-length: {LENGTH}")));
            connection
        })
        .collect();
    let part = with(&site, "/assets/film.bin", &[("range", "bytes=1000000000-1033554431")]);
    assert_eq!((part.status, part.body.len()), (206, 33_554_432));
    let grown = resident() - before;
    // Each thread that reads keeps some memory of the allocator's; the files are 64 GiB together.
    assert!(grown < 256 << 20, "{grown} bytes for {} readers", readers.len());
}
