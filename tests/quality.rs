//! Our own sites as others judge them: programs that are not ours read every page that a visitor can reach, look at it in a real browser, and
//! measure it. What they find is an error here.
//!
//! Needs Node, Java and Chromium, and in the folder that `PAGE_TOOLS` names playwright-core, axe-core, html-validate, vnu-jar and lighthouse:
//! `script/test` installs them.

use crate::site_pages::{self, MISSING, Seen};
use crate::support::ours::{self, Ours};
use crate::support::site::Site;
use crate::support::{proof, tools};
use serde_json::{Value as Json, json};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

crate::cases!(
    html_validate_finds_nothing_in_any_page,
    the_nu_checker_finds_nothing_in_any_page_style_or_image,
    axe_finds_nothing_on_any_kind_of_page,
    lighthouse_misses_nothing,
    the_root_site_has_its_picture_taken,
);

/// A page that all of them have something to say of: an image without a text for those who do not see it.
const BROKEN: &str = "<!DOCTYPE html>\n<html lang=\"en\"><head><title>Broken</title></head>\
                      <body><main><h1>Broken</h1><img src=\"/a.png\"></main></body></html>\n";

/// Everything that the server itself makes HTML of.
const MADE: &str = include_str!("quality/made.txt");

/// Where a package of npm is.
fn package(name: &str) -> Option<PathBuf> {
    let found = std::env::var_os("PAGE_TOOLS").map(|tools| Path::new(&tools).join(name)).filter(|path| path.is_dir());
    if found.is_none() {
        tools::is_missing(&format!("{name}, in the folder that PAGE_TOOLS names"));
    }
    found
}

/// Where the browser is.
fn chromium() -> Option<PathBuf> {
    let found = tools::chromium().and_then(tools::on_path);
    if found.is_none() {
        tools::is_missing("chromium");
    }
    found
}

/// A script of `tests/browser`.
fn script(name: &str) -> Command {
    let mut node = Command::new("node");
    node.arg(ours::root().join("tests/browser").join(name));
    node
}

/// Runs a program with this input: whether it succeeds, and what it prints.
fn run(mut program: Command, input: &str) -> (bool, String) {
    program.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = program.spawn().unwrap_or_else(|error| panic!("{program:?}: {error}"));
    running.stdin.take().expect("its input").write_all(input.as_bytes()).expect("it reads");
    let output = running.wait_with_output().expect("it ends");
    (output.status.success(), String::from_utf8(output.stdout).expect("UTF-8"))
}

/// The folder with everything that a visitor of our sites is sent and that these programs read, and beside it that of the broken page.
fn saved() -> &'static (PathBuf, PathBuf) {
    static SAVED: OnceLock<(PathBuf, PathBuf)> = OnceLock::new();
    SAVED.get_or_init(|| {
        let all = ours::root().join("target/pages");
        fs::remove_dir_all(&all).ok();
        let (pages, broken) = (all.join("sound"), all.join("broken"));
        let mut texts = BTreeSet::new();
        for seen in site_pages::everything() {
            let ending = match seen.kind.as_str() {
                "text/html" => "html",
                "text/css" => "css",
                "image/svg+xml" => "svg",
                _ => continue,
            };
            if texts.insert((&seen.site, &seen.text)) {
                let path = seen
                    .target
                    .trim_matches('/')
                    .replace(|c: char| !c.is_ascii_alphanumeric() && !"-_./".contains(c), "_");
                let name = if path.is_empty() { "index" } else { path.trim_end_matches(&format!(".{ending}")) };
                let folder = pages.join(&seen.site).join(seen.person.unwrap_or("anybody"));
                let numbered = (1..).map(|number| folder.join(format!("{name}{}.{ending}", "~".repeat(number - 1))));
                let file = numbered.into_iter().find(|file| !file.exists()).expect("a name");
                fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
                fs::write(file, &seen.text).expect("a file");
            }
        }
        let made = Site::start(MADE).get("/made");
        assert_eq!(made.status, 200);
        fs::write(pages.join("made.html"), made.text()).expect("a file");
        fs::create_dir_all(&broken).expect("a folder");
        fs::write(broken.join("page.html"), BROKEN).expect("a file");
        (pages, broken)
    })
}

fn html_validate_finds_nothing_in_any_page() {
    let Some(validator) = package("html-validate") else { return };
    let judge = |folder: &Path| {
        let mut node = script("markup.mjs");
        node.arg(folder).env("HTML_VALIDATE", &validator);
        let (succeeds, told) = run(node, "");
        assert!(succeeds, "{told}");
        let (findings, read) = told.trim_end().rsplit_once('\n').unwrap_or(("", told.trim_end()));
        (findings.to_owned(), read.to_owned())
    };
    let (pages, broken) = saved();
    assert!(!judge(broken).0.is_empty(), "it knows a broken page");
    let (findings, read) = judge(pages);
    println!("{read}");
    assert_eq!(findings, "", "{findings}");
}

fn the_nu_checker_finds_nothing_in_any_page_style_or_image() {
    let Some(checker) = package("vnu-jar") else { return };
    if tools::on_path("java").is_none() {
        return tools::is_missing("java");
    }
    let judge = |folder: &Path| {
        let mut java = Command::new("java");
        java.args(["-Xss16m", "-XX:TieredStopAtLevel=1", "-jar"]).arg(checker.join("build/dist/vnu.jar"));
        java.args([
            "--stdout",
            "--exit-zero-always",
            "--errors-only",
            "--format",
            "gnu",
            "--also-check-css",
            "--also-check-svg",
        ]);
        java.arg(folder);
        run(java, "").1
    };
    let (pages, broken) = saved();
    assert!(!judge(broken).is_empty(), "it knows a broken page");
    let findings = judge(pages);
    assert_eq!(findings, "", "{findings}");
}

/// For each kind of page of each site, as each person sees it, the first and the longest; and of the root site every page. Says of each whether
/// it stands for its kind.
fn kinds() -> Vec<(&'static Seen, bool)> {
    let mut kinds: BTreeMap<_, Vec<&Seen>> = BTreeMap::new();
    let mut texts = BTreeSet::new();
    for seen in site_pages::everything().iter().filter(|seen| seen.kind == "text/html") {
        if texts.insert((&seen.site, &seen.text)) {
            kinds.entry((&seen.site, seen.person, &seen.route)).or_default().push(seen);
        }
    }
    let mut chosen = Vec::new();
    for ((site, ..), pages) in kinds {
        let longest = pages.iter().map(|seen| seen.text.len()).max();
        let longest = pages.iter().position(|seen| Some(seen.text.len()) == longest);
        let all = pages.into_iter().enumerate().map(|(number, seen)| (seen, number == 0 || Some(number) == longest));
        chosen.extend(all.filter(|(_, stands_for_kind)| *stands_for_kind || site == "root"));
    }
    chosen
}

fn axe_finds_nothing_on_any_kind_of_page() {
    let (Some(axe), Some(playwright), Some(chromium)) = (package("axe-core"), package("playwright-core"), chromium())
    else {
        return;
    };
    let ours = Ours::start();
    let sites: Vec<_> = ours::folders().iter().map(|folder| ours.serve(folder)).collect();
    let made = Site::start(MADE);
    let broken = format!("data:text/html,{}", BROKEN.replace('\n', ""));
    let mut pages = vec![
        json!({ "url": broken, "inFull": true, "isBroken": "image-alt" }),
        json!({ "url": format!("http://{}/made", made.address()), "inFull": true }),
    ];
    let mut people: BTreeMap<&str, String> = BTreeMap::new();
    pages.extend(kinds().into_iter().map(|(seen, in_full)| {
        let own = sites.iter().find(|own| own.name == seen.site).expect("its site");
        let url = format!("http://{}{}", own.site.address(), seen.target);
        let cookie = seen.person.map(|name| people.entry(name).or_insert_with(|| ours.sign_in(name)).clone());
        json!({ "url": url, "cookie": cookie, "inFull": in_full })
    }));
    let mut node = script("axe.mjs");
    node.env("PLAYWRIGHT", playwright).env("CHROMIUM", chromium).env("AXE", axe.join("axe.min.js"));
    let (succeeds, told) = run(node, &Json::Array(pages).to_string());
    print!("{told}");
    assert!(succeeds && told.ends_with("arrived\n"), "{told}");
}

/// Three kinds of page: the front, prose, and a reference.
const MEASURED: [&str; 3] = ["/", "/docs/guides/caching", "/reference/filters"];

/// The categories of Lighthouse. The first is about time, and is held where there is nothing else that takes time.
const CATEGORIES: [&str; 4] = ["performance", "accessibility", "best-practices", "seo"];

fn lighthouse_misses_nothing() {
    let (Some(lighthouse), Some(chromium)) = (package("lighthouse"), chromium()) else { return };
    let ours = Ours::start();
    let own = ours.serve(&ours::root());
    let is_full = proof::is_full();
    let (runs, forms, pages) =
        if is_full { (5, "mobile desktop", &MEASURED[..]) } else { (1, "mobile", &MEASURED[1..2]) };
    let mut node = script("lighthouse.mjs");
    node.args(pages.iter().map(|page| format!("http://{}{page}", own.site.address())));
    node.env("LIGHTHOUSE", lighthouse).env("CHROMIUM", chromium).env("FORMS", forms).env("RUNS", runs.to_string());
    let (succeeds, told) = run(node, "");
    let measured = told.lines().last().and_then(|line| serde_json::from_str::<Vec<Json>>(line).ok());
    let measured = measured.filter(|_| succeeds).unwrap_or_else(|| panic!("{told}"));
    assert_eq!(measured.len(), pages.len() * forms.split(' ').count());
    let mut short = Vec::new();
    for page in &measured {
        let median = |category: &str| {
            let scores = page["scores"][category].as_array().expect("scores");
            let mut scores: Vec<u64> = scores.iter().filter_map(Json::as_u64).collect();
            assert_eq!(scores.len(), runs, "{page}");
            scores.sort_unstable();
            scores[scores.len() / 2]
        };
        let medians = CATEGORIES.map(median);
        let what = format!(
            "{} ({}, median of {runs}): {CATEGORIES:?} {medians:?} of {}",
            page["url"], page["form"], page["scores"]
        );
        println!("{what}");
        let held = if is_full { &medians[..] } else { &medians[1..] };
        if held.iter().any(|score| *score < 100) {
            short.push(format!("{what} {}", page["missed"]));
        }
    }
    assert_eq!(short, [""; 0]);
}

fn the_root_site_has_its_picture_taken() {
    let (Some(playwright), Some(chromium)) = (package("playwright-core"), chromium()) else { return };
    // The first page of each route, what is measured, and what is not there.
    let mut routes = BTreeSet::new();
    let pages = site_pages::everything().iter().filter(|seen| seen.site == "root" && seen.kind == "text/html");
    let firsts = pages.filter(|seen| routes.insert(&seen.route)).map(|seen| seen.target.as_str());
    let targets: BTreeSet<&str> = firsts.chain(MEASURED).chain([MISSING]).collect();
    let pages = targets.iter().map(|target| {
        let path = target.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let name = format!("root-{}", path.trim_matches('-'));
        json!({ "path": target, "name": name.trim_end_matches('-') })
    });
    let ours = Ours::start();
    let own = ours.serve(&ours::root());
    let mut node = script("screens.mjs");
    node.env("PLAYWRIGHT", playwright).env("CHROMIUM", chromium);
    node.env("SITE", format!("http://{}", own.site.address()));
    node.env("SCREENSHOTS", OsStr::new(&ours::root().join("target/screenshots")));
    let (succeeds, told) = run(node, &Json::Array(pages.collect()).to_string());
    assert!(succeeds && told.ends_with("arrived\n"), "{told}");
}
