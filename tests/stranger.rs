//! A stranger with a fresh clone of the project, who does what README.md and the manual say, from the first command to a site of their own.
//!
//! What is typed stands on these pages and nowhere here. Nothing is built again: the stranger has the binary of this build.

use crate::support::http::{self, Response};
use crate::support::reader::{Reader, blocks};
use crate::support::site::{Folder, Output, binary, copy_program, is_root};
use crate::tutorial;
use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};

crate::cases!(
    every_demo_runs,
    the_first_site_of_the_readme_is_served,
    the_tutorial_is_in_the_clone,
    every_starter_is_made_checked_served_and_bundled,
);

/// The project as somebody finds it: what is committed, or all files where nobody keeps track of them.
fn clone() -> Folder {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join(".git").exists() {
        return copy_of(root);
    }
    let folder = Folder::new();
    let cloned = Command::new("git").arg("clone").arg("-q").arg(root).arg(folder.path()).status().expect("git");
    assert!(cloned.success(), "git clone: {cloned}");
    folder
}

fn copy_of(root: &Path) -> Folder {
    let folder = Folder::new();
    for entry in root.read_dir().expect("a folder").flatten().filter(|entry| entry.file_name() != "target") {
        let copied = Command::new("cp").arg("-r").arg(entry.path()).arg(folder.path()).status().expect("cp");
        assert!(copied.success(), "cp: {copied}");
    }
    folder
}

fn readme(clone: &Folder) -> String {
    fs::read_to_string(clone.path().join("README.md")).expect("text")
}

/// A demo that runs. Dropping it ends it with all that it has started.
#[derive(Debug)]
struct Demo {
    child: Child,
    said: Output,
}

impl Demo {
    /// Starts one in a clone, and waits until it prints where its site is.
    fn start(clone: &Folder, command: &str) -> (Self, SocketAddr) {
        let test = std::env::current_exe().expect("this test");
        let program = test.parent().and_then(Path::parent).expect("where it was built").join("examples/accounts");
        let mut child = Command::new("bash")
            .args(["-c", &format!("exec {command}")])
            .current_dir(clone.path())
            .env("SITESERVER", binary().get_program())
            .env("ACCOUNTS_PROGRAM", program)
            .process_group(0)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("bash");
        let said = Output::of(child.stdout.take().expect("a pipe"));
        let demo = Self { child, said };
        let address = |line: &str| line.trim().strip_prefix("site ")?.trim().strip_prefix("http://").map(str::to_owned);
        let line = demo.said.line_after(0, |line| address(line).is_some());
        let line = line.unwrap_or_else(|| panic!("{command} prints no address:\n{}", demo.said.text()));
        let address = address(&line).and_then(|address| address.trim_end_matches('/').parse().ok());
        (demo, address.unwrap_or_else(|| panic!("{line}")))
    }

    /// Ctrl-C ends it, and well.
    fn stop(mut self) {
        rustix::process::kill_process(rustix::process::Pid::from_child(&self.child), rustix::process::Signal::INT)
            .expect("it runs");
        self.said.ended();
        let status = self.child.wait().expect("it ends");
        assert!(status.success(), "{status}:\n{}", self.said.text());
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        rustix::process::kill_process_group(
            rustix::process::Pid::from_child(&self.child),
            rustix::process::Signal::KILL,
        )
        .ok();
        self.child.wait().ok();
    }
}

/// The paths that a page links to on its own site, without what they have behind `#`.
fn links(page: &Response) -> BTreeSet<String> {
    let links = page.text().split("href=\"/").skip(1).filter_map(|rest| rest.split(['"', '#']).next());
    links.filter(|link| !link.starts_with('/')).map(|link| format!("/{link}").replace("&amp;", "&")).collect()
}

/// Each demo that the README names: its front page, and what that leads to.
fn every_demo_runs() {
    let clone = clone();
    let readme = readme(&clone);
    let named = readme.split("script/demo").skip(1).map(|rest| {
        let name = rest.strip_prefix(' ').unwrap_or_default();
        let end = name.find(|letter: char| !letter.is_ascii_lowercase() && letter != '-').unwrap_or(name.len());
        ["script/demo", &name[..end]].join(" ").trim_end().to_owned()
    });
    let named: BTreeSet<_> = named.collect();
    assert!(named.len() > 4 && named.contains("script/demo"), "{named:?}");
    for command in named {
        let (demo, address) = Demo::start(&clone, &command);
        let front = http::get(address, "/");
        assert_eq!(front.status, 200, "{command}");
        let links = links(&front);
        assert!(!links.is_empty(), "{command}: {}", front.text());
        for link in links {
            let status = http::get(address, &link).status;
            assert!(status < 400 || status == 401 || status == 403, "{command}: {link} is {status}");
        }
        demo.stop();
    }
}

/// The blocks of the README that end by serving a site; the others run what this test is part of, or begin with a build.
fn the_first_site_of_the_readme_is_served() {
    let clone = clone();
    let mut served = 0;
    for block in blocks(&readme(&clone)).iter().filter(|block| block.language == "sh") {
        let at = format!("README.md:{}", block.line);
        if block.text.lines().all(|line| line.starts_with("script/") || line.starts_with("cargo ")) {
            continue;
        }
        let mut reader = Reader::new(Path::new(binary().get_program()));
        let (before, last) = block.text.trim_end().rsplit_once('\n').unwrap_or(("", block.text.trim_end()));
        let done = reader.run(&format!("{before}\n"), true).and_then(|_| reader.start("second", last));
        done.and_then(|_| reader.run("curl -f http://127.0.0.1:4000/\n", true))
            .unwrap_or_else(|lie| panic!("{at}: {lie}"));
        served += 1;
    }
    assert!(served > 0);
}

fn the_tutorial_is_in_the_clone() {
    let clone = clone();
    tutorial::follow(&mut Reader::new(Path::new(binary().get_program())), clone.path());
}

/// "Getting started" from its first line to its last, for each of the starters that it names; then what came of it is served, and the
/// executable that it ends with is started where nothing else is.
fn every_starter_is_made_checked_served_and_bundled() {
    let clone = clone();
    let page = fs::read_to_string(clone.path().join("content/docs/index.md")).expect("text");
    let starters: BTreeSet<_> = starters(&page).collect();
    let examples = clone.path().join("examples").read_dir().expect("a folder").flatten();
    let names = examples.filter_map(|entry| entry.file_name().to_str()?.strip_prefix("starter-").map(str::to_owned));
    assert_eq!(starters, names.collect(), "the page names all starters");
    for starter in starters {
        let page = page.replace("siteserver new mysite", &format!("siteserver new mysite --starter {starter}"));
        let page = page.replace("from the starter `minimal`", &format!("from the starter `{starter}`"));
        let mut reader = Reader::new(Path::new(binary().get_program())).with_clone(clone.path());
        let done = reader.follow("content/docs/index.md", &page).and_then(|()| {
            reader.end("second")?;
            let mut servers = vec!["siteserver".to_owned()];
            if is_root() {
                servers.push(in_an_empty_root(&reader));
            } else {
                println!("skipped: the empty root needs root");
            }
            for server in servers {
                reader.start("second", &server)?;
                reader.run("curl -f http://127.0.0.1:4000/\n", true)?;
                reader.end("second")?;
            }
            Ok(())
        });
        done.unwrap_or_else(|lie| panic!("{starter}: {lie}"));
    }
}

/// The starters in the table of a page.
fn starters(page: &str) -> impl Iterator<Item = String> {
    let rows = page.lines().skip_while(|line| !line.starts_with("| Starter |")).skip(2);
    rows.map_while(|row| Some(row.strip_prefix("| `")?.split_once('`')?.0.to_owned()))
}

/// The command that starts the bundle of the page in a folder with nothing else in it, which is all that it sees.
fn in_an_empty_root(reader: &Reader) -> String {
    let folder = reader.current().join("empty-root");
    fs::create_dir(&folder).expect("a folder");
    copy_program(&reader.current().join("../mysite-server"), &folder.join("mysite-server"));
    format!("chroot {} /mysite-server", folder.display())
}
