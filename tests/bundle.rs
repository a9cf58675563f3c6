//! A bundle is the whole of a site in one program: it serves what the folder serves, from a root directory that holds nothing else.
//!
//! Who is not root cannot make such a root; the programs are run all the same, beside files that they must not look at.

use crate::migration;
use crate::support::accounts::Accounts;
use crate::support::http::Response;
use crate::support::site::{Folder, Options, Site, binary, is_root, program_alone};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, SystemTime};

crate::cases!(
    our_own_sites_are_served_as_from_their_folders,
    published_files_are_served_as_from_the_disk,
    what_is_beside_the_folders_is_inside,
    every_command_works_on_the_site_inside,
    the_memory_that_the_files_inside_take_is_told,
    another_site_and_the_environment_come_from_outside,
    what_is_damaged_is_not_served,
    the_files_come_back_as_they_were,
    the_same_site_makes_the_same_program,
    a_site_with_errors_is_not_bundled,
    nothing_but_a_program_is_replaced,
    a_reload_keeps_serving,
);

/// What the program is called.
const NAME: &str = "shop";

/// At most so many pages of a site are compared.
const PAGES: usize = 150;

/// Fields that differ from one answer to the next, or when the upstream that both ask has been asked before.
const FLEETING: [&str; 3] = ["age", "cache-status", "date"];

/// A site of every kind of file.
const SITE: &str = r#"
-- site.toml --
[site]
name = "Acme"
[env.NAME]
public = true
default = "Nobody"
-- routes/index.toml --
layout = "page.html"
vars.text = "Hello"
-- routes/about.toml --
content = "about.md"
layout = "page.html"
vars.text = "About"
-- routes/assets.toml --
path = "/assets/{*file}"
files = "assets"
-- routes/docs/_section.toml --
[vars]
text = "Docs"
-- routes/docs/index.toml --
path = "/docs/{*page}"
content = "docs"
layout = "page.html"
-- layouts/page.html --
<h1>{{ vars.text }} of {{ site.name }} for {{ env.NAME }}</h1>{{ content }}
-- content/about.md --
All *about* it: [the docs](docs/index.md).
-- content/docs/index.md --
# Docs
-- content/docs/deep/er.md --
# Deeper
-- content/assets/site.css --
body { color: rebeccapurple }
-- content/assets/.hidden --
hidden
"#;

/// Bundles the site in a folder into a program in another.
fn try_to_bundle(site: &Folder, to: &Folder, environment: &[(&str, &str)]) -> Output {
    let mut command = binary();
    command.arg("--config").arg(site.path().join("site.toml")).arg("bundle").arg("--output").arg(to.path().join(NAME));
    command.current_dir("/").env_remove("SOURCE_DATE_EPOCH").envs(environment.iter().copied());
    command.output().expect("the binary")
}

/// A folder that holds nothing but a program with the site of another one inside, and what was said when it was written.
fn bundle(site: &Folder) -> (Folder, String) {
    let to = Folder::new();
    let output = try_to_bundle(site, &to, &[]);
    let said = text(&output.stdout) + &text(&output.stderr);
    assert!(output.status.success(), "{said}");
    assert_eq!(fs::read_dir(to.path()).expect("a folder").count(), 1, "nothing else is left");
    (to, said)
}

fn unpacked(archive: &str) -> Folder {
    let folder = Folder::new();
    folder.unpack(archive);
    folder
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// How a command ended: its exit code, its standard output, and the error.
fn ended(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.env_remove("NAME").output().expect("a program");
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// Runs the program in a folder.
fn run(folder: &Folder, arguments: &[&str]) -> (Option<i32>, String, String) {
    ended(program_alone(folder, NAME).args(arguments))
}

/// An answer without what differs from one to the next.
fn lasting(answer: &Response) -> (u16, BTreeSet<(String, String)>, Vec<u8>) {
    let fields = answer.headers.iter().filter(|(name, _)| !FLEETING.contains(&name.as_str())).cloned();
    let mut body = answer.body.clone();
    if answer.status >= 400 {
        // Error pages show the request's identifier: sixteen digits.
        let page = text(&body);
        let is_id = |word: &str| word.len() == 16 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let words = page.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
        let words = words.map(|word| match word.split_at_checked(16) {
            Some((id, rest)) if is_id(id) && rest.len() <= 1 => format!("id{rest}"),
            Some(_) | None => word.to_owned(),
        });
        body = words.collect::<String>().into_bytes();
    }
    (answer.status, fields.collect(), body)
}

/// The paths on this site that a page names.
fn named(answer: &Response) -> Vec<String> {
    let is_page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    let Some(page) = std::str::from_utf8(&answer.body).ok().filter(|_| is_page) else { return Vec::new() };
    let values = ["href=\"", "src=\""].into_iter().flat_map(|before| page.split(before).skip(1));
    let paths = values.filter_map(|rest| rest.split(['"', '#']).next());
    paths.filter(|path| path.starts_with('/')).map(|path| path.replace("&amp;", "&")).collect()
}

/// Asks both for `target` with these fields, and compares; the answer of the folder.
fn compare(folder: &Site, program: &Site, method: &str, target: &str, fields: &[(&str, &str)]) -> Response {
    let expected = folder.request(method, target, fields, b"");
    let found = program.request(method, target, fields, b"");
    let ((status, told, body), other) = (lasting(&found), lasting(&expected));
    assert_eq!((status, &told, text(&body)), (other.0, &other.1, text(&other.2)), "{method} {target} {fields:?}");
    assert!(body == other.2, "{method} {target} {fields:?}");
    expected
}

/// Compares all that can be asked of a file.
fn compare_file(folder: &Site, program: &Site, target: &str) {
    let whole = compare(folder, program, "GET", target, &[]);
    compare(folder, program, "HEAD", target, &[]);
    for coding in ["br", "zstd", "gzip", "identity", "gzip, deflate, br, zstd"] {
        let coded = compare(folder, program, "GET", target, &[("accept-encoding", coding)]);
        let tag = coded.header("etag").unwrap_or("\"none\"").to_owned();
        let again = [("accept-encoding", coding), ("if-none-match", &*tag)];
        let status = if whole.status == 200 { 304 } else { whole.status };
        assert_eq!(compare(folder, program, "GET", target, &again).status, status);
    }
    for range in ["bytes=0-3", "bytes=-5", "bytes=2-", "bytes=99999999-", "bytes=0-0,2-2"] {
        compare(folder, program, "GET", target, &[("range", range)]);
        compare(folder, program, "GET", target, &[("range", range), ("accept-encoding", "br")]);
    }
    if let Some(modified) = whole.header("last-modified") {
        for name in ["if-modified-since", "if-unmodified-since"] {
            compare(folder, program, "GET", target, &[(name, modified)]);
        }
        compare(folder, program, "GET", target, &[("range", "bytes=1-2"), ("if-range", modified)]);
    }
    compare(folder, program, "GET", target, &[("if-match", "\"other\"")]);
    compare(folder, program, "POST", target, &[]);
}

fn our_own_sites_are_served_as_from_their_folders() {
    if !is_root() {
        println!("skipped: needs root to serve from an empty root");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let example = |name: &str| root.join("examples").join(name);
    let upstream = Options::default().serve(Folder::copy_of_site(&example("upstream")));
    let address = format!("http://{}", upstream.address());
    let accounts = Accounts::start();
    let examples = root.join("examples").read_dir().expect("examples").flatten().map(|entry| entry.path());
    let mut pages = 0;
    for original in examples.chain([root.to_owned()]).filter(|folder| folder.join("site.toml").is_file()) {
        let old = migration::old_sites(&original);
        let options = || migration::in_front_of(&old).env("UPSTREAM", &address).env("ACCOUNTS", &accounts.url());
        let copy = Folder::copy_of_site(&original);
        let (to, _) = bundle(&copy);
        let program = options().serve_program(to, NAME);
        let folder = options().serve(copy);
        let mut open: VecDeque<String> =
            ["/", "/there/is/no/such/page", "/assets/no-such-file"].map(str::to_owned).into();
        if original == example("upstream") {
            open.extend(["/repos/acme/anvil", "/reviews/AN-050", "/data/products.json"].map(str::to_owned));
        }
        let mut known: BTreeSet<String> = open.iter().cloned().collect();
        while let Some(target) = open.pop_front() {
            let page = compare(&folder, &program, "GET", &target, &[]);
            pages += 1;
            if page.header("accept-ranges").is_some() {
                compare_file(&folder, &program, &target);
            } else {
                compare(&folder, &program, "GET", &target, &[("accept-encoding", "br")]);
            }
            for path in named(&page) {
                if known.len() < PAGES && known.insert(path.clone()) {
                    open.push_back(path);
                }
            }
        }
    }
    assert!(pages > 100, "only {pages} pages were compared");
}

fn published_files_are_served_as_from_the_disk() {
    let site = unpacked(SITE);
    let noise: Vec<u8> = (0..3_u32 << 18).flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
    let same = b"let a = 'the same again';".repeat(2_000);
    let files: [(&str, &[u8]); 14] = [
        ("made.css", b"body { color: green }"),
        ("made.css.br", b"stands for brotli"),
        ("made.css.gz", b""),
        ("old.css", b"body { color: red }"),
        ("old.css.br", b"too old"),
        ("large.js", &noise),
        ("large.js.zst", b"stands for zstd"),
        ("large.bin", &noise),
        ("empty.txt", b""),
        ("release.tar", b"tar"),
        ("release.tar.gz", b"tar.gz"),
        ("long.js", &same),
        ("deep/er/a b.svg", b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        ("page.html", b"<p>Hello"),
    ];
    let assets = site.path().join("content/assets");
    fs::create_dir_all(assets.join("deep/er")).expect("a folder");
    let begun = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_250);
    for (name, content) in files {
        fs::write(assets.join(name), content).expect("a file");
        // A coding made in the same second, and before the file, is too old all the same.
        let modified = if name == "old.css.br" { begun - Duration::from_millis(100) } else { begun };
        File::options()
            .write(true)
            .open(assets.join(name))
            .and_then(|file| file.set_modified(modified))
            .expect("a time");
    }
    let (to, _) = bundle(&site);
    let program = Options::default().serve_program(to, NAME);
    let folder = Options::default().serve(site);
    for (name, content) in files {
        let target = format!("/assets/{}", name.replace(' ', "%20"));
        if content.len() <= 1 << 20 {
            compare_file(&folder, &program, &target);
            continue;
        }
        // The tag of a large file on the disk is made of what the disk says of it.
        let [mut expected, mut found] = [&folder, &program].map(|site| site.get(&target));
        let tag = found.header("etag").expect("a tag").to_owned();
        for answer in [&mut expected, &mut found] {
            answer.headers.retain(|(name, _)| name != "etag");
        }
        assert!(lasting(&found) == lasting(&expected) && found.body == content, "{target}");
        assert_eq!(program.request("GET", &target, &[("if-none-match", &tag)], b"").status, 304);
        let part = program.request("GET", &target, &[("range", "bytes=1048576-1048579"), ("if-range", &tag)], b"");
        assert_eq!((part.status, &part.body[..]), (206, &content[1 << 20..(1 << 20) + 4]));
        let coded = program.request("GET", &target, &[("accept-encoding", "zstd")], b"");
        assert_eq!(coded.header("content-encoding"), (name == "large.js").then_some("zstd"));
    }
    let coded = |target: &str| program.request("GET", target, &[("accept-encoding", "br")], b"").body;
    assert_eq!(coded("/assets/made.css"), b"stands for brotli");
    assert_ne!(coded("/assets/old.css"), b"too old");
    for below in [".hidden", "deep", "deep/er/", "../about.md", "%2e%2e/about.md", ""] {
        let target = format!("/assets/{below}");
        assert_ne!(compare(&folder, &program, "GET", &target, &[]).status, 200, "{target}");
    }
}

fn what_is_beside_the_folders_is_inside() {
    let mut hashing = binary();
    let mut hashing = hashing.arg("password").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("the binary");
    hashing.stdin.take().expect("an input").write_all(b"alice-secret").expect("it reads");
    let hash = text(&hashing.wait_with_output().expect("it ends").stdout);
    let site = unpacked(&format!(
        r#"
-- site.toml --
[auth.basic]
users = "keys/users.toml"
-- keys/users.toml --
[alice]
password = "{}"
-- keys/other.toml --
[nobody]
-- routes/index.toml --
json = {{ name = "{{user.name}}" }}
[guard]
auth = "basic"
"#,
        hash.trim()
    ));
    let (to, said) = bundle(&site);
    assert!(said.contains("the users of `[auth.basic]` are inside"), "{said}");
    if is_root() {
        assert_eq!(run(&to, &["--quiet", "bundle", "--extract", "/copy"]), (Some(0), String::new(), String::new()));
        let copied = to.path().join("copy");
        assert!(copied.join("keys/users.toml").is_file());
        assert!(!copied.join("keys/other.toml").exists(), "nothing reads it");
        fs::remove_dir_all(copied).expect("a folder");
    }
    let program = Options::default().serve_program(to, NAME);
    assert_eq!(program.get("/").status, 401);
    // alice:alice-secret
    let answer = program.request("GET", "/", &[("authorization", "Basic YWxpY2U6YWxpY2Utc2VjcmV0")], b"");
    assert_eq!((answer.status, answer.json()["name"].as_str()), (200, Some("alice")));
}

fn every_command_works_on_the_site_inside() {
    let site = unpacked(SITE);
    let (to, said) = bundle(&site);
    let digest = said.lines().find_map(|line| line.strip_prefix("site ")).expect("the digest");
    let version = format!("siteserver {}\nsite {digest}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&to, &["--version"]), (Some(0), version, String::new()));
    for arguments in [
        &["check", "-q"][..],
        &["routes"],
        &["explain", "/docs/deep/er"],
        &["schema", "--openapi"],
        &["schema", "route"],
        &["check", "--explain", "config/unknown-key"],
        &["check", "--set", "sevrer.watch=true"],
    ] {
        let from_folder = ended(binary().current_dir(site.path()).args(arguments));
        assert_eq!(run(&to, arguments), from_folder, "{arguments:?}");
    }
    for arguments in [&["schema", "--write"][..], &["dev"]] {
        let (code, _, error) = run(&to, arguments);
        assert_eq!((code, error.contains("the site is inside this program")), (Some(1), true), "{error}");
    }
    let (code, _, error) = run(&to, &["purge", "--all"]);
    assert_eq!((code, error.contains("the site has no admin listener")), (Some(1), true), "{error}");
    assert_eq!(run(&to, &["--no-such-flag"]).0, Some(2));
}

fn the_memory_that_the_files_inside_take_is_told() {
    let site = unpacked(SITE);
    let (to, _) = bundle(&site);
    let memory = |(code, out, error): (Option<i32>, String, String)| {
        assert_eq!(code, Some(0), "{error}");
        let told: serde_json::Value = serde_json::from_str(&out).expect("JSON");
        ["inside", "together"].map(|name| told["memory"][name].as_u64().expect("bytes"))
    };
    let check = ["check", "--format", "json"];
    let [none, of_folder] = memory(ended(binary().current_dir(site.path()).args(check)));
    let [inside, of_program] = memory(run(&to, &check));
    let length = |program: &Path| fs::metadata(program).expect("a file").len();
    let carried = length(&to.path().join(NAME)) - length(Path::new(binary().get_program()));
    let published = ["content/about.md", "content/assets/site.css", "layouts/page.html"];
    let least: u64 = published.iter().map(|file| length(&site.path().join(file))).sum();
    assert_eq!(none, 0);
    assert!((least..=carried).contains(&inside), "{inside} bytes of {carried}");
    assert_eq!(of_program - of_folder, inside);
    let (_, told, _) = run(&to, &["check"]);
    assert!(told.contains(" of the files inside this program, "), "{told}");
}

fn another_site_and_the_environment_come_from_outside() {
    let site = unpacked(SITE);
    let program = Options::default().env("NAME", "Alice").serve_program(bundle(&site).0, NAME);
    assert_eq!(program.get("/").text(), "<h1>Hello of Acme for Alice</h1>\n");
    let program = Options::default().set("site.name=Set").serve_program(bundle(&site).0, NAME);
    assert_eq!(program.get("/").text(), "<h1>Hello of Set for Nobody</h1>\n");
    let (to, _) = bundle(&site);
    to.unpack(
        r#"
-- other.toml --
-- routes/index.toml --
layout = "other.html"
-- layouts/other.html --
Other
"#,
    );
    for arguments in [["--config", "other.toml", "routes"], ["routes", "--config", "other.toml"]] {
        let mut command = program_alone(&to, NAME);
        if !is_root() {
            command.current_dir(to.path());
        }
        let (_, listed, _) = ended(command.args(arguments));
        assert!(listed.contains("other.html") && !listed.contains("page.html"), "{listed}");
    }
}

fn what_is_damaged_is_not_served() {
    let (to, _) = bundle(&unpacked(SITE));
    let path = to.path().join(NAME);
    let length = fs::metadata(&path).expect("a file").len();
    // Another process writes: a file that anybody may be writing cannot be run, and children of other tests inherit what is open here.
    let shell = |script: String| {
        let status = Command::new("sh").arg("-c").arg(script).env("FILE", &path).status().expect("a shell");
        assert!(status.success());
    };
    let refused = |what: &str| {
        for arguments in [&[][..], &["--version"], &["check"]] {
            let (code, out, error) = run(&to, arguments);
            assert_eq!((code, &*out), (Some(1), ""), "{what} {arguments:?}");
            assert!(error.starts_with("error: the site inside this program is damaged"), "{what}: {error}");
        }
    };
    let bytes = fs::read(&path).expect("a program");
    let (_, trailer) = bytes.split_at(bytes.len() - 48);
    let begin = length - 48 - u64::from_le_bytes(trailer[..8].try_into().expect("eight bytes"));
    drop(bytes);
    for at in [begin, begin + 20, length - 200, length - 49, length - 48, length - 20, length - 1] {
        shell("cp \"$FILE\" \"$FILE.sound\"".to_owned());
        shell(format!("printf '\\001' | dd of=\"$FILE\" bs=1 seek={at} conv=notrunc status=none"));
        refused(&format!("byte {at} of {length}"));
        shell("mv \"$FILE.sound\" \"$FILE\"".to_owned());
    }
    assert_eq!(run(&to, &["check"]).0, Some(0));
    for left in [length - 1, length - 48, length - 300, begin + 8, begin + 1] {
        shell(format!("truncate -s {left} \"$FILE\""));
        refused(&format!("{left} bytes of {length}"));
    }
    // All that is left is the program.
    shell(format!("truncate -s {begin} \"$FILE\""));
    let version = format!("siteserver {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(run(&to, &["--version"]), (Some(0), version, String::new()));
}

/// All files below a folder.
fn files_below(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(here) = open.pop() {
        for entry in fs::read_dir(here).expect("a folder").flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

fn the_files_come_back_as_they_were() {
    let site = unpacked(SITE);
    fs::rename(site.path().join("site.toml"), site.path().join("other.toml")).expect("a file");
    fs::write(site.path().join("content/assets/noise.bin"), [0, 255, 10, 13, 0]).expect("a file");
    let bundled_by = |command: &mut Command, output: &Path| {
        let (code, _, error) = ended(command.args(["bundle", "-o"]).arg(output));
        assert_eq!(code, Some(0), "{error}");
        blake3::hash(&fs::read(output).expect("a program"))
    };
    let to = Folder::new();
    let program = to.path().join(NAME);
    let first = bundled_by(binary().arg("--config").arg(site.path().join("other.toml")), &program);
    let copy = Folder::new();
    let into = copy.path().join("a/copy");
    let extract = || ended(Command::new(&program).args(["bundle", "--extract"]).arg(&into));
    assert_eq!(extract().0, Some(0));
    let mut expected = files_below(site.path());
    expected.remove("content/assets/.hidden").expect("it was there");
    assert_eq!(files_below(&into), expected);
    let (code, _, error) = extract();
    assert_eq!((code, error.contains("it is not empty")), (Some(1), true), "{error}");
    // Bundled again, by the program itself and from what came back, it is the same to the byte.
    let second = to.path().join("second");
    assert_eq!(bundled_by(&mut Command::new(&program), &second), first);
    assert_eq!(bundled_by(binary().arg("--config").arg(into.join("other.toml")), &second), first);
    assert_eq!(bundled_by(Command::new(&program).arg("--config").arg(into.join("other.toml")), &second), first);
    let (code, _, error) = ended(binary().args(["bundle", "--extract"]).arg(copy.path().join("none")));
    assert_eq!((code, error.contains("there is no site inside this program")), (Some(1), true), "{error}");
}

fn the_same_site_makes_the_same_program() {
    let sites = [unpacked(SITE), unpacked(SITE)];
    for (site, seconds) in sites.iter().zip([1_700_000_000, 1_750_000_000]) {
        for file in ["assets/site.css", "about.md", "docs/index.md", "docs/deep/er.md"] {
            let file = File::options().write(true).open(site.path().join("content").join(file)).expect("a file");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).expect("a time");
        }
    }
    let digest = |site: &Folder, environment: &[(&str, &str)]| {
        let to = Folder::new();
        let output = try_to_bundle(site, &to, environment);
        assert!(output.status.success(), "{}", text(&output.stderr));
        blake3::hash(&fs::read(to.path().join(NAME)).expect("a program"))
    };
    let [one, other] = &sites;
    assert_eq!(digest(one, &[]), digest(one, &[]));
    assert_ne!(digest(one, &[]), digest(other, &[]), "`Last-Modified` is another");
    let epoch = [("SOURCE_DATE_EPOCH", "1600000000")];
    assert_eq!(digest(one, &epoch), digest(other, &epoch));
    let output = try_to_bundle(one, &Folder::new(), &[("SOURCE_DATE_EPOCH", "yesterday")]);
    assert_eq!(output.status.code(), Some(1));
}

fn a_site_with_errors_is_not_bundled() {
    let to = Folder::new();
    let wrong = unpacked("-- site.toml --\n-- routes/index.toml --\nlayuot = \"page.html\"\n");
    let output = try_to_bundle(&wrong, &to, &[]);
    let said = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1));
    assert!(said.contains("routes/index.toml:1:1") && said.contains("config/unknown-key"), "{said}");
    assert!(said.contains("error: nothing is bundled: "), "{said}");
    assert_eq!(fs::read_dir(to.path()).expect("a folder").count(), 0);
    // What is only a warning is shown, and bundled.
    let site = unpacked(SITE);
    symlink("/etc/passwd", site.path().join("content/assets/passwd")).expect("a link");
    let output = try_to_bundle(&site, &to, &[]);
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("config/passed-over"));
    let program = Options::default().serve_program(to, NAME);
    assert_eq!(program.get("/assets/passwd").status, 404);
    assert_eq!(program.get("/assets/site.css").status, 200);
}

fn nothing_but_a_program_is_replaced() {
    let site = unpacked(SITE);
    let (to, _) = bundle(&site);
    assert!(try_to_bundle(&site, &to, &[]).status.success());
    let path = to.path().join(NAME);
    assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o755);
    fs::remove_file(&path).expect("a file");
    fs::write(&path, "a letter").expect("a file");
    let output = try_to_bundle(&site, &to, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("is there, and is no program"));
    assert_eq!(fs::read(&path).expect("a file"), b"a letter");
    let (code, _, error) =
        ended(binary().current_dir(site.path()).args(["--set", "site.name=x", "bundle", "--output", "x"]));
    assert_eq!((code, error.contains("--set is not put inside")), (Some(2), true), "{error}");
    assert!(!site.path().join("x").exists());
}

fn a_reload_keeps_serving() {
    let (to, _) = bundle(&unpacked(SITE));
    let program = Options::default().serve_program(to, NAME);
    let expected = program.get("/about").body;
    program.signal("HUP");
    program.wait_for_message(|line| line.starts_with("reloaded: 4 routes"));
    assert_eq!(program.get("/about").body, expected);
    assert_eq!(program.get("/assets/site.css").status, 200);
}
