//! `examples/migration`: a new site that takes an old one over page by page.

use crate::support::http::Response;
use crate::support::site::{Folder, Options, Site, binary};
use std::path::{Path, PathBuf};

crate::cases!(
    both_sites_are_sound,
    what_is_not_taken_over_is_the_old_sites,
    what_a_collection_lacks_is_the_old_sites,
    one_of_the_old_machines_may_go,
);

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/migration")
}

/// The machines that the old site of an example runs on; none if it has no old site.
pub(crate) fn old_sites(example: &Path) -> Vec<Site> {
    let old = example.join("old");
    let machines = if old.join("site.toml").is_file() { 2 } else { 0 };
    (0..machines).map(|_| Options::default().serve(Folder::copy_of_site(&old))).collect()
}

/// How a site is started in front of these.
pub(crate) fn in_front_of(old: &[Site]) -> Options {
    let named = ["OLD_1", "OLD_2"].iter().zip(old);
    named.fold(Options::default(), |options, (name, old)| options.env(name, &old.address().to_string()))
}

fn start(old: &[Site]) -> Site {
    in_front_of(old).serve(Folder::copy_of_site(&example()))
}

/// Which of the two sites has made a page, by its style sheet.
fn maker(response: &Response) -> &'static str {
    match response.text() {
        text if text.contains("/assets/museum.css") => "new",
        text if text.contains("/style/old.css") => "old",
        text => panic!("whose page is this?\n{text}"),
    }
}

fn both_sites_are_sound() {
    for folder in [example(), example().join("old")] {
        let said = binary().current_dir(&folder).arg("check").output().expect("the binary");
        let text = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success() && text.starts_with("the site is sound"), "{}: {text}", folder.display());
    }
}

fn what_is_not_taken_over_is_the_old_sites() {
    let old = old_sites(&example());
    let site = start(&old);
    for (target, status, by) in [
        ("/", 200, "new"),
        ("/about", 200, "new"),
        ("/contact", 200, "old"),
        ("/exhibits", 200, "old"),
        ("/there/is/no/such/page", 404, "old"),
    ] {
        let response = site.get(target);
        assert_eq!((response.status, maker(&response)), (status, by), "{target}");
    }
    assert!(site.get("/").text().contains("Tuesday to Friday"), "the old site's data is on the new front page");
    assert_eq!(site.get("/style/old.css").header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(site.request("POST", "/contact", &[], b"a").status, 405, "the old site says what it does not do");
    // The old site's ten seconds are not ours.
    let told = site.get("/contact");
    let ttl = told.headers("cache-status").last().and_then(|told| told.split("; hit; ttl=").nth(1)?.parse().ok());
    assert!(ttl.is_some_and(|ttl: i64| ttl > 10), "{:?}", told.headers("cache-status"));
}

fn what_a_collection_lacks_is_the_old_sites() {
    let old = old_sites(&example());
    let site = start(&old);
    for (target, status, by) in [
        ("/exhibits/diving-bell", 200, "new"),
        ("/exhibits/figurehead", 200, "new"),
        ("/exhibits/foghorn", 200, "old"),
        ("/exhibits/foghorn", 200, "old"),
        ("/exhibits/nothing", 404, "old"),
    ] {
        let response = site.get(target);
        assert_eq!((response.status, maker(&response)), (status, by), "{target}");
    }
    let again = site.get("/exhibits/foghorn");
    let told = again.headers("cache-status");
    assert!(told.last().is_some_and(|told| told.starts_with("siteserver; hit")), "{told:?}");
    assert_eq!(site.request("POST", "/exhibits/foghorn", &[], b"a").status, 405, "the route is a page's");
}

fn one_of_the_old_machines_may_go() {
    let mut old = old_sites(&example());
    let site = start(&old);
    let mut gone = old.remove(0);
    gone.signal("TERM");
    assert!(gone.wait().success());
    for number in 0..8 {
        let response = site.get(&format!("/contact?{number}"));
        assert_eq!((response.status, maker(&response)), (200, "old"), "{number}");
    }
    assert!(site.get("/").text().contains("Tuesday to Friday"));
}
