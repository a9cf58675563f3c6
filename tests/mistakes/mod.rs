//! One site with more than sixty mistakes: one run finds each at its line with a help, each mend makes its finding go away, and the same
//! mistakes while serving harm nobody.
//!
//! `site.txt` holds the site: `-- path --` opens a file. A line that begins with `!` is wrong, and says which finding it is; lines that begin
//! with `+` stand with it, and those with `-` stand in their place once it is mended. All others begin with two spaces.

use crate::support::site::{Folder, Options, Site, binary};
use crate::support::{SAFETY_NET, proof};
use siteserver::config::Environment;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

crate::cases!(
    one_run_finds_every_mistake_at_its_line,
    the_site_without_mistakes_is_sound,
    each_mend_makes_its_finding_go_away,
    mistakes_while_serving_lose_no_request,
);

const SITE: &str = include_str!("site.txt");

/// A file of the site.
struct File {
    path: &'static str,
    parts: Vec<Part>,
}

enum Part {
    /// A line that stands in any case.
    Common(&'static str),
    /// What is wrong, and what it should be.
    Mistake { code: &'static str, wrong: Vec<&'static str>, right: Vec<&'static str> },
}

/// A finding: file, line, code.
type Found = (String, usize, String);

/// The files of the site.
fn files() -> Vec<File> {
    let mut files: Vec<File> = Vec::new();
    for line in SITE.lines() {
        if let Some(path) = line.strip_prefix("-- ").and_then(|line| line.strip_suffix(" --")) {
            files.push(File { path, parts: Vec::new() });
            continue;
        }
        let parts = &mut files.last_mut().expect("a file").parts;
        match (line.get(..2).unwrap_or_default(), line.get(2..).unwrap_or_default()) {
            ("! ", text) => {
                let (code, text) = text.strip_prefix('[').and_then(|text| text.split_once("] ")).expect("a code");
                match parts.last_mut() {
                    Some(Part::Mistake { code: open, wrong, .. }) if open.is_empty() => {
                        *open = code;
                        wrong.push(text);
                    }
                    _ => parts.push(Part::Mistake { code, wrong: vec![text], right: Vec::new() }),
                }
            }
            ("+ ", text) => {
                let Some(Part::Mistake { wrong, .. }) = parts.last_mut() else { panic!("{line}: of no mistake") };
                wrong.push(text);
            }
            ("- ", text) => match parts.last_mut() {
                Some(Part::Mistake { code: "", right, .. }) => right.push(text),
                _ => parts.push(Part::Mistake { code: "", wrong: Vec::new(), right: vec![text] }),
            },
            (_, text) => parts.push(Part::Common(text)),
        }
    }
    files
}

impl File {
    /// Its text with those mistakes that are wanted, and what is to be found in it.
    fn render(&self, wanted: impl Fn(&str, usize) -> bool) -> (String, Vec<Found>) {
        let (mut lines, mut found) = (Vec::new(), Vec::new());
        for (at, part) in self.parts.iter().enumerate() {
            match part {
                Part::Common(line) => lines.push(*line),
                Part::Mistake { code, wrong, .. } if wanted(self.path, at) => {
                    found.push((self.path.to_owned(), lines.len() + 1, (*code).to_owned()));
                    lines.extend(wrong);
                }
                Part::Mistake { right, .. } => lines.extend(right),
            }
        }
        let text: String = lines.into_iter().flat_map(|line| [line, "\n"]).collect();
        (text, found)
    }

    /// The positions of its mistakes.
    fn mistakes(&self) -> Vec<usize> {
        let is_mistake = |(at, part): (usize, &Part)| matches!(part, Part::Mistake { .. }).then_some(at);
        self.parts.iter().enumerate().filter_map(is_mistake).collect()
    }
}

/// Writes the site with those mistakes that are wanted; returns what is to be found.
fn write(folder: &Folder, files: &[File], wanted: impl Fn(&str, usize) -> bool) -> BTreeSet<Found> {
    let mut all = BTreeSet::new();
    for file in files {
        let (text, found) = file.render(&wanted);
        write_file(folder, file.path, &text);
        all.extend(found);
    }
    all
}

/// A file of which nothing is left is not there.
fn write_file(folder: &Folder, path: &str, text: &str) {
    if !text.is_empty() {
        folder.write(path, text);
    } else if folder.path().join(path).exists() {
        folder.remove(path);
    }
}

/// What loading the site finds.
fn find(folder: &Folder) -> BTreeSet<Found> {
    let environment = Environment::new(None).lenient();
    let loaded = siteserver::site::load(&folder.path().join("site.toml"), &[], &environment);
    let found = loaded.findings.iter().map(|finding| {
        let place = finding.place.expect("a place");
        let line = loaded.files.position(place.file, place.start).line;
        (loaded.files.name(place.file).to_owned(), line, finding.code.name.to_owned())
    });
    found.collect()
}

fn one_run_finds_every_mistake_at_its_line() {
    let folder = Folder::new();
    let expected = write(&folder, &files(), |_, _| true);
    assert!(expected.len() >= 60, "only {} mistakes", expected.len());
    let output = binary().current_dir(folder.path()).args(["check", "--format", "json"]).output().expect("the binary");
    assert_eq!(output.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let mut found = BTreeSet::new();
    for finding in said["findings"].as_array().expect("a list") {
        assert!(finding["help"].as_str().is_some_and(|help| !help.is_empty()), "no help: {finding}");
        let text = |key: &str| finding[key].as_str().expect("a text").to_owned();
        let line = finding["line"].as_u64().and_then(|line| usize::try_from(line).ok()).expect("a line");
        found.insert((text("file"), line, text("code")));
    }
    let missing: Vec<_> = expected.difference(&found).collect();
    let besides: Vec<_> = found.difference(&expected).collect();
    assert!(missing.is_empty() && besides.is_empty(), "missing {missing:#?}, besides {besides:#?}");
    let codes: BTreeSet<&str> = expected.iter().map(|(_, _, code)| code.as_str()).collect();
    assert!(codes.len() >= 60, "only {} different mistakes", codes.len());
}

fn the_site_without_mistakes_is_sound() {
    let folder = Folder::new();
    write(&folder, &files(), |_, _| false);
    let output = binary().current_dir(folder.path()).arg("check").output().expect("the binary");
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.starts_with("the site is sound"), "{said}");
}

fn each_mend_makes_its_finding_go_away() {
    let files = files();
    let folder = Folder::new();
    let all = write(&folder, &files, |_, _| true);
    for file in &files {
        for mended in file.mistakes() {
            // Lines move, so what is expected is told anew.
            let (text, of_file) = file.render(|_, at| at != mended);
            write_file(&folder, file.path, &text);
            let others = all.iter().filter(|(path, _, _)| path != file.path).cloned();
            let expected: BTreeSet<Found> = others.chain(of_file).collect();
            assert_eq!(expected.len() + 1, all.len());
            let found = find(&folder);
            let different: Vec<_> = found.symmetric_difference(&expected).collect();
            assert!(different.is_empty(), "after mending {}: {different:#?}", file.path);
        }
        write_file(&folder, file.path, &file.render(|_, _| true).0);
    }
}

/// Waits until the server has told `count` times what became of an edit.
fn wait_for_edits(site: &Site, count: usize) {
    let end = Instant::now() + SAFETY_NET;
    let told = |line: &&str| line.starts_with("reloaded: ") || line.starts_with("not reloaded");
    while site.messages().lines().filter(told).count() < count {
        assert!(Instant::now() < end, "edit {count} is not told of");
        thread::yield_now();
    }
}

fn mistakes_while_serving_lose_no_request() {
    const CLIENTS: usize = 4;
    let rounds = if proof::is_full() { 10 } else { 1 };
    let files = files();
    let folder = Folder::new();
    write(&folder, &files, |_, _| false);
    let site = Options::default().set("server.watch=false").serve(folder);
    let (answered, is_over) = (AtomicUsize::new(0), AtomicBool::new(false));
    let started = Instant::now();
    // The clients ask as fast as they are answered: while a site is read, refused or taken over, and in between.
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            scope.spawn(|| {
                let _over = Over(&is_over);
                let mut connection = site.connect();
                while !is_over.load(Ordering::Relaxed) {
                    let response = connection.get("/");
                    assert_eq!((response.status, response.text().trim()), (200, "<h1>Home</h1>"));
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        let _over = Over(&is_over);
        let mut edits = 0;
        for file in (0..rounds).flat_map(|_| &files) {
            for mistake in file.mistakes() {
                let (broken, found) = file.render(|_, at| at == mistake);
                let sound = file.render(|_, _| false).0;
                write_file(site.folder(), file.path, &broken);
                site.signal("HUP");
                wait_for_edits(&site, edits + 1);
                let (path, line, code) = &found[0];
                // The address to listen on is given to this server by an argument, which wins over the file.
                let is_told = site.messages().contains(&format!("{path}:{line}:")) || code == "server/listen";
                assert!(is_told, "{code} at {path}:{line} is not told:\n{}", site.messages());
                write_file(site.folder(), file.path, &sound);
                site.signal("HUP");
                wait_for_edits(&site, edits + 2);
                edits += 2;
                assert!(!is_over.load(Ordering::Relaxed), "a client has stopped");
            }
        }
    });
    let (answered, elapsed) = (answered.into_inner(), started.elapsed());
    let count: usize = files.iter().map(|file| file.mistakes().len()).sum();
    println!(
        "{answered} requests in {:.1} s while {rounds} times {count} mistakes came and went",
        elapsed.as_secs_f64()
    );
    assert!(answered >= 2_000, "only {answered} requests");
    assert!(
        site.messages()
            .lines()
            .rfind(|line| line.contains("reloaded"))
            .is_some_and(|line| line.starts_with("reloaded"))
    );
}

/// Ends the clients however the test ends.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}
