//! `siteserver new`: every starter is made, checked, served and deployed as its files say; and nothing that is there is touched.

use crate::schema::Validators;
use crate::support::site::{Folder, Options, binary};
use crate::support::tools;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

crate::cases!(
    every_starter_is_what_its_folder_holds,
    every_starter_is_sound_and_serves,
    what_is_there_is_not_touched,
    what_means_nothing_is_refused,
    a_folder_of_any_name_is_entered_as_it_is_said,
    what_the_system_refuses_is_said_with_the_path_that_was_given,
    the_image_and_the_service_start_what_is_there,
    every_command_of_a_starter_is_one,
    the_page_on_it_shows_what_is_said,
);

const STARTERS: [&str; 5] = ["minimal", "shop", "blog", "api", "docs"];

fn example(starter: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(format!("starter-{starter}"))
}

/// All files of a folder, by their paths in it.
pub(crate) fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for path in next.read_dir().into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                waiting.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").to_string_lossy().into_owned();
                found.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    found
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    binary().current_dir(folder).args(arguments).output().expect("the binary")
}

/// What a command says that ends well.
pub(crate) fn said(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

/// What a command says that does not, and its exit code.
pub(crate) fn refused(folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
    let output = run(folder, arguments);
    assert!(!output.status.success(), "{arguments:?}: {output:?}");
    (output.status.code(), String::from_utf8(output.stderr).expect("UTF-8"))
}

/// A folder with the site of a starter in `my-site`.
pub(crate) fn made(starter: &str) -> (Folder, PathBuf) {
    let folder = Folder::new();
    said(folder.path(), &["new", "my-site", "--starter", starter]);
    let site = folder.path().join("my-site");
    (folder, site)
}

/// Nothing is said of it at all.
pub(crate) fn is_sound(site: &Path) {
    let told = said(site, &["check", "--format", "json"]);
    let told: serde_json::Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told["findings"], serde_json::json!([]), "{}", site.display());
}

fn every_starter_is_what_its_folder_holds() {
    for starter in STARTERS {
        let (_folder, site) = made(starter);
        let mut made = files(&site);
        let editors = said(&site, &["schema", "route"]);
        assert_eq!(made.remove(".siteserver/route.schema.json"), Some(editors.into_bytes()), "{starter}");
        assert!(made.remove(".taplo.toml").is_some());
        made.retain(|path, _| !path.starts_with(".siteserver/"));
        let mut expected = files(&example(starter));
        expected.retain(|path, _| !path.starts_with(".siteserver/") && path != ".taplo.toml");
        let name = |text: &[u8]| {
            let text = String::from_utf8(text.to_vec()).expect("text");
            text.lines().find_map(|line| Some(line.strip_prefix("name = \"")?.strip_suffix('"')?.to_owned()))
        };
        let own = name(&expected["site.toml"]).expect("a name");
        assert_eq!(name(&made["site.toml"]).as_deref(), Some("My site"));
        for (path, bytes) in &mut made {
            let mut text = String::from_utf8(bytes.clone()).expect("text");
            if path == "site.toml" || path.starts_with("routes/") {
                let (line, rest) = text.split_once('\n').expect("lines");
                let place = line.strip_prefix("#:schema ").unwrap_or_else(|| panic!("{path} begins with {line}"));
                let schema = site.join(path).parent().expect("a folder").join(place);
                let kind = if path == "site.toml" {
                    "site"
                } else if path.ends_with("_section.toml") {
                    "section"
                } else {
                    "route"
                };
                assert!(schema.is_file(), "{path}: {place} is there");
                assert!(place.ends_with(&format!(".siteserver/{kind}.schema.json")), "{path}: {place}");
                text = rest.to_owned();
            }
            *bytes = text.replace("My site", &own).into_bytes();
        }
        assert_eq!(made.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>(), "{starter}");
        for (path, bytes) in made {
            assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(&expected[&path]), "{starter}: {path}");
        }
    }
}

fn every_starter_is_sound_and_serves() {
    let validators = Validators::new();
    for starter in STARTERS {
        let (folder, site) = made(starter);
        is_sound(&site);
        let (seen, complaints) = validators.complaints_of(&site);
        assert!(complaints.is_empty() && seen > 3, "{starter}: {seen} {complaints:#?}");
        let routes = said(&site, &["routes"]);
        let paths = routes.lines().skip(1).filter_map(|line| line.split_whitespace().next());
        let paths: Vec<_> = paths.filter(|path| !path.contains('{')).map(str::to_owned).collect();
        let served = Options::default().serve(Folder::copy_of_site(&site));
        for path in paths.iter().map(String::as_str).chain(["/", "/assets/site.css", "/assets/icon.svg"]) {
            let response = served.get(path);
            assert_eq!(response.status, 200, "{starter}: {path}");
        }
        let front = served.get("/");
        assert!(front.text().contains("My site</"), "{starter} is called like its folder");
        assert_eq!(served.get("/there/is/none").status, 404);
        drop(folder);
    }
    let folder = Folder::new();
    let told = said(folder.path(), &["new", "a site/of 'mine'"]);
    assert!(told.contains("\n  cd 'a site/of '\\''mine'\\'''\n"), "{told}");
    is_sound(&folder.path().join("a site/of 'mine'"));
    let nobody: Vec<String> = files(folder.path()).into_keys().filter(|path| path.contains("being-written")).collect();
    assert_eq!(nobody, [""; 0], "nothing is left behind");
    let here = Folder::new();
    let told = said(here.path(), &["new", "."]);
    assert!(told.contains("from the starter `minimal`") && !told.contains("cd "), "{told}");
    is_sound(here.path());
}

fn what_is_there_is_not_touched() {
    let folder = Folder::new();
    folder.write("full/notes.txt", "mine\n");
    folder.write("file", "mine\n");
    let before = files(folder.path());
    let (code, told) = refused(folder.path(), &["new", "full"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("`full` is not empty"), "{told}");
    let (code, told) = refused(folder.path(), &["new", "file"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("`file` is there, and is no folder"), "{told}");
    let (code, told) = refused(folder.path(), &["new", "site", "--starter", "store"]);
    assert_eq!(code, Some(2));
    for starter in STARTERS {
        assert!(told.contains(starter), "each is named: {told}");
    }
    let (_, told) = refused(folder.path(), &["new", "site", "--starter", "shpo"]);
    assert!(told.contains("a similar value exists: 'shop'"), "{told}");
    let (code, _) = refused(folder.path(), &["new", "file/site"]);
    assert_eq!(code, Some(1));
    assert_eq!(files(folder.path()), before);
    let help = said(folder.path(), &["new", "--help"]);
    for starter in STARTERS {
        assert!(help.contains(&format!("- {starter}: ")), "{help}");
        let manual = said(folder.path(), &["man", "new"]);
        assert!(manual.contains(starter), "{starter}: {manual}");
        for shell in ["bash", "zsh", "fish"] {
            assert!(said(folder.path(), &["completions", shell]).contains(starter), "{shell}: {starter}");
        }
    }
}

fn what_means_nothing_is_refused() {
    let folder = Folder::new();
    for (flags, named) in [
        (&["--set", "site.name=X"][..], "--set"),
        (&["--config", "other/site.toml"], "--config"),
        (&["--into", "routes/index.toml"], "--into"),
        (&["--kind", "page"], "--kind"),
    ] {
        let (code, told) = refused(folder.path(), &[&["new", "my-site"], flags].concat());
        assert_eq!(code, Some(2), "{told}");
        assert!(told.contains(named), "{told}");
    }
    assert!(files(folder.path()).is_empty());
    for (flag, lines) in [("-q", 0), ("--quiet", 0)] {
        let told = said(folder.path(), &["new", flag, &format!("site{flag}")]);
        assert_eq!(told.lines().count(), lines, "{told}");
    }
    let site = folder.path().join("site-q");
    assert_eq!(said(&site, &["new", "route", "/about", "-q"]), "");
    assert_eq!(said(&site, &["new", "route", "/about/us", "--config", "site.toml", "--quiet"]), "");
    is_sound(&site);
    let told = said(folder.path(), &["new", "-v", "loud"]);
    assert!(
        told.starts_with("wrote loud/") && told.contains("wrote loud/site.toml\n") && told.contains("next:"),
        "{told}"
    );
    let (_, told) = refused(folder.path(), &["new", "source", "http://127.0.0.1:1/", "--config", "nowhere"]);
    assert!(told.contains("there is no site at `nowhere`"), "{told}");
}

/// What comes next is what a shell takes.
fn a_folder_of_any_name_is_entered_as_it_is_said() {
    for name in ["-x", "a b", "--", "it's", "a\nb", "a\tb'\\c", "$HOME", "~", "é\u{85}"] {
        let folder = Folder::new();
        let told = said(folder.path(), &["new", "--", name]);
        let first = told.lines().next().expect("a line");
        assert!(first.ends_with(" from the starter `minimal`"), "one line: {told}");
        let step = told.lines().find(|line| line.starts_with("  cd ")).expect("what comes next");
        let script = format!("{step} && test -f site.toml");
        let entered = Command::new("bash").arg("-c").arg(&script).current_dir(folder.path()).status().expect("bash");
        assert!(entered.success(), "{name:?}: {script}");
    }
}

fn what_the_system_refuses_is_said_with_the_path_that_was_given() {
    let folder = Folder::new();
    let (code, told) = refused(folder.path(), &["new", "/sys/my-site"]);
    assert_eq!(code, Some(1));
    assert!(told.contains("`/sys/my-site`") && told.contains("choose another place"), "{told}");
    assert!(!told.contains("being-written"), "{told}");
    let deep = format!("my-site/{}", "x".repeat(300));
    let (code, told) = refused(folder.path(), &["new", &deep]);
    assert_eq!(code, Some(1));
    assert!(!told.contains("being-written") && files(folder.path()).is_empty(), "{told}");
}

/// What the image holds and how it starts, done without the program that makes images; and the same for the service.
fn the_image_and_the_service_start_what_is_there() {
    let guide = Path::new(env!("CARGO_MANIFEST_DIR")).join("content/docs/guides/deploying.md");
    let guide = fs::read_to_string(guide).expect("text");
    let guide = guide.split("# /etc/systemd/system/shop.service\n").nth(1).and_then(|rest| rest.split("```").next());
    let guide = guide.expect("a service").to_owned();
    for starter in STARTERS {
        let (_folder, site) = made(starter);
        let image = Folder::new();
        let text = fs::read_to_string(site.join("Dockerfile")).expect("text");
        assert!(text.contains("\nFROM scratch\n"));
        let ignored = fs::read_to_string(site.join(".dockerignore")).expect("text");
        for line in text.lines().filter_map(|line| line.strip_prefix("COPY ")) {
            let (from, to) = line.split_once(' ').expect("two words");
            assert!(
                ignored.lines().any(|line| line == format!("!{from}")),
                "{from} is sent to whoever makes the image"
            );
            if from == "siteserver" {
                assert_eq!(to, "/");
                continue;
            }
            let to = if to.ends_with('/') { format!("{to}{from}") } else { to.to_owned() };
            let place = image.path().join(to.trim_start_matches('/'));
            fs::create_dir_all(place.parent().expect("a folder")).expect("a folder");
            let copied = Command::new("cp").arg("-r").arg(site.join(from)).arg(&place).status();
            assert!(copied.expect("cp").success(), "{line}");
        }
        let entry = text.lines().find_map(|line| line.strip_prefix("ENTRYPOINT ")).expect("what it starts");
        let words: Vec<String> = serde_json::from_str(entry).expect("a list of strings");
        assert_eq!(words[0], "/siteserver");
        let within = |word: &String| match word.strip_prefix("/site/") {
            Some(rest) => image.path().join("site").join(rest).to_string_lossy().into_owned(),
            None => word.clone(),
        };
        let output = binary().args(words[1..].iter().map(within)).arg("check").output().expect("the binary");
        assert!(output.status.success(), "{starter}: {output:?}");

        let unit = fs::read_to_string(site.join("deploy/siteserver.service")).expect("text");
        assert!(unit.contains("\nDescription=My site\n"));
        let mut seen = 0;
        for line in unit.lines().filter(|line| line.starts_with("ExecStart")) {
            let command = line.split_once('=').expect("a key").1.strip_prefix("/usr/local/bin/siteserver ");
            let words = command.expect("the program").split(' ');
            let words: Vec<String> = words.map(|word| word.replace("/srv/site", &site.to_string_lossy())).collect();
            let checks = words.iter().any(|word| word == "check");
            let output = binary().args(&words).args((!checks).then_some("check")).output().expect("the binary");
            assert!(output.status.success(), "{line}: {output:?}");
            seen += 1;
        }
        assert_eq!(seen, 2, "checked, and started");
        assert_eq!(service(&unit), service(&guide), "{starter}: the guide shows the same service");
        if let Some(analyze) = tools::on_path("systemd-analyze") {
            // The program is elsewhere where tests run; keys and words are judged all the same.
            let unit = unit.replace("/usr/local/bin/siteserver", "/bin/true");
            image.write("siteserver.service", &unit);
            let output = Command::new(analyze)
                .args(["verify", "--man=no"])
                .arg(image.path().join("siteserver.service"))
                .output()
                .expect("systemd-analyze");
            let told = String::from_utf8_lossy(&output.stderr);
            let about: Vec<&str> = told.lines().filter(|line| line.contains("siteserver.service")).collect();
            assert_eq!(about, [""; 0], "{starter}");
        }
    }
}

/// What a service says, but for what differs from site to site: its name, its program and its variables.
fn service(text: &str) -> Vec<&str> {
    let own = ["Description=", "ExecStartPre=", "ExecStart=", "EnvironmentFile="];
    let from_here = text.lines().skip_while(|line| *line != "[Unit]");
    from_here.filter(|line| own.iter().all(|key| !line.starts_with(key))).collect()
}

/// The page shows what the command says, and every starter.
fn the_page_on_it_shows_what_is_said() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("content/docs/guides/starting.md");
    let page = fs::read_to_string(page).expect("text");
    let shown = page.split("\n```text\n").nth(1).and_then(|rest| rest.split("```").next()).expect("what is said");
    let folder = Folder::new();
    assert_eq!(said(folder.path(), &["new", "my-site"]), shown);
    for starter in STARTERS {
        assert!(page.contains(&format!("\n| `{starter}` | ")), "{starter}");
    }
    let settings =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(".taplo.toml")).expect("our own settings");
    let schemas =
        settings.lines().filter_map(|line| line.strip_prefix("schema.path = \".siteserver/")?.split('.').next());
    for kind in schemas {
        said(folder.path(), &["schema", kind]);
    }
}

/// Comments, manuals and pages of starters name commands that there are.
fn every_command_of_a_starter_is_one() {
    let help = said(Path::new("/"), &["--help"]);
    let mut seen = 0;
    for starter in STARTERS {
        for (path, bytes) in files(&example(starter)) {
            let text = String::from_utf8(bytes).expect("text");
            let inline = text.split('`').skip(1).step_by(2).filter(|code| !code.contains('\n'));
            let shown = text.lines().filter(|line| line.starts_with("siteserver "));
            for line in inline.chain(shown) {
                let code = line.split('#').next().unwrap_or(line).trim();
                let Some(words) = code.strip_prefix("siteserver ") else { continue };
                let command = words.split_whitespace().next().expect("a command");
                assert!(help.contains(&format!("\n  {command} ")), "{starter}/{path}: `{line}`");
                let help = said(Path::new("/"), &[command, "--help"]);
                for flag in words.split_whitespace().filter(|word| word.starts_with("--")) {
                    assert!(help.contains(flag), "{starter}/{path}: `{line}`");
                }
                seen += 1;
            }
        }
    }
    assert!(seen > 15, "only {seen} commands were found");
}
