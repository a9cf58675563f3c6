//! Another site while serving: by signal, by edits; good ones take over, broken ones change nothing, and no request is lost.

use crate::support::SAFETY_NET;
use crate::support::site::{Options, Site};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

crate::cases!(
    sighup_loads_the_site_anew,
    an_edit_takes_over,
    a_broken_edit_leaves_the_good_site_and_says_why,
    new_routes_and_folders_are_noticed,
    edits_of_layouts_are_noticed,
    a_removed_route_is_gone,
    a_replaced_folder_is_noticed_and_followed,
    the_last_of_many_edits_wins,
    what_needs_a_restart_is_named,
    an_edit_drops_the_pages_that_it_concerns_and_no_others,
    reloading_under_load_loses_no_request,
);

const ROUTE: &str = "routes/version.toml";

fn version(number: usize) -> String {
    format!("json = {{ version = {number} }}\n")
}

fn archive(number: usize) -> String {
    format!("-- site.toml --\n-- {ROUTE} --\n{}", version(number))
}

fn is_version(site: &Site, number: usize) -> bool {
    let response = site.get("/version");
    response.status == 200 && response.text() == format!("{{\"version\":{number}}}")
}

/// Asks until it is so.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + SAFETY_NET;
    while !holds() {
        assert!(Instant::now() < end, "never: {what}");
        thread::yield_now();
    }
}

fn sighup_loads_the_site_anew() {
    let site = Options::default().set("server.watch=false").start(&archive(1));
    assert!(is_version(&site, 1));
    site.folder().write(ROUTE, &version(2));
    site.signal("HUP");
    let line = site.wait_for_message(|line| line.starts_with("reloaded: "));
    assert!(line.starts_with("reloaded: 1 route in ") && line.ends_with(" ms"), "{line}");
    assert!(is_version(&site, 2));
}

fn an_edit_takes_over() {
    let site = Site::start(&archive(1));
    assert!(is_version(&site, 1));
    site.folder().write(ROUTE, &version(2));
    site.wait_for_message(|line| line.starts_with("reloaded: 1 route in "));
    assert!(is_version(&site, 2));
}

fn a_broken_edit_leaves_the_good_site_and_says_why() {
    let site = Site::start(&archive(1));
    site.folder().write(ROUTE, "json = { version = 2 }\nlayuot = \"x.html\"\n");
    let line = site.wait_for_message(|line| line.starts_with("not reloaded"));
    assert_eq!(line, "not reloaded: 1 error; the last good site keeps serving");
    assert!(site.messages().contains("routes/version.toml:2:1"), "{}", site.messages());
    assert!(is_version(&site, 1));
    site.folder().write(ROUTE, &version(3));
    site.wait_for_message(|line| line.starts_with("reloaded: "));
    assert!(is_version(&site, 3));
}

fn new_routes_and_folders_are_noticed() {
    let site = Site::start("-- site.toml --\n");
    assert_eq!(site.get("/version").status, 404);
    // Not even `routes/` was there.
    site.folder().write(ROUTE, &version(1));
    until("the first route", || is_version(&site, 1));
    site.folder().write("routes/a/b/c.toml", &version(2));
    until("a route in new folders", || site.get("/a/b/c").status == 200);
    site.folder().write("routes/a/b/c.toml", &version(3));
    until("an edit in new folders", || site.get("/a/b/c").text().contains('3'));
}

fn edits_of_layouts_are_noticed() {
    let site = Site::start(
        "-- site.toml --\n-- routes/index.toml --\nlayout = \"page.html\"\n-- layouts/page.html --\n{% render \"word\" %}\n\
         -- layouts/partials/word.html --\nold\n",
    );
    assert!(site.get("/").text().contains("old"));
    site.folder().write("layouts/partials/word.html", "new\n");
    until("the new layout", || site.get("/").text().contains("new"));
}

fn a_removed_route_is_gone() {
    let site = Site::start(&archive(1));
    assert!(is_version(&site, 1));
    site.folder().remove(ROUTE);
    until("its end", || site.get("/version").status == 404);
}

fn a_replaced_folder_is_noticed_and_followed() {
    let site = Site::start(&archive(1));
    let place = site.folder().path().to_owned();
    let (old, new) = (place.with_extension("old"), place.with_extension("new"));
    fs::create_dir_all(new.join("routes")).expect("a folder");
    fs::write(new.join("site.toml"), "").expect("a file");
    fs::write(new.join(ROUTE), version(2)).expect("a file");
    fs::rename(&place, &old).expect("a folder");
    fs::rename(&new, &place).expect("a folder");
    fs::remove_dir_all(&old).expect("a folder");
    until("the new folder's site", || is_version(&site, 2));
    site.folder().write(ROUTE, &version(3));
    until("an edit in the new folder", || is_version(&site, 3));
}

fn the_last_of_many_edits_wins() {
    let site = Site::start(&archive(0));
    for number in 1..=200 {
        site.folder().write(ROUTE, &version(number));
        if number % 50 == 0 {
            until("an edit amid others", || is_version(&site, number));
        }
    }
    assert!(is_version(&site, 200));
}

/// Pages that stay stored are hits after the reload, the others are made anew.
fn an_edit_drops_the_pages_that_it_concerns_and_no_others() {
    let site = Options::default().set("server.watch=false").start(
        "-- site.toml --\n[defaults.cache]\ns-maxage = \"1h\"\n\
         -- routes/index.toml --\nlayout = \"home.html\"\n-- layouts/home.html --\nhome {% render \"foot\" %}\n\
         -- routes/about.toml --\nlayout = \"about.html\"\n-- layouts/about.html --\nabout {% render \"foot\" %}\n\
         -- routes/plain.toml --\nlayout = \"plain.html\"\n-- layouts/plain.html --\nplain\n\
         -- layouts/partials/foot.html --\nfoot\n\
         -- routes/docs.toml --\npath = \"/docs/{*rest}\"\ncontent = \"docs\"\n\
         -- content/docs/index.md --\n# Docs\n-- content/docs/one.md --\n# One\n-- content/docs/two.md --\n# Two\n",
    );
    let pages = ["/", "/about", "/plain", "/docs", "/docs/one", "/docs/two"];
    let stored = |page: &&str| {
        let status = site.get(page).header("cache-status").unwrap_or_default().to_owned();
        assert!(status.contains("hit") || status.contains("stored"), "{page}: {status}");
        status.contains("; hit")
    };
    let hits = || -> Vec<&str> { pages.iter().copied().filter(|page| stored(page)).collect() };
    let mut reloads = 0;
    let mut edit = |path: &str, text: &str| {
        site.folder().write(path, text);
        site.signal("HUP");
        reloads += 1;
        until("the reload", || site.messages().matches("reloaded: ").count() == reloads);
    };
    assert_eq!(hits(), [""; 0]);
    assert_eq!(hits(), pages);
    for (path, text, kept) in [
        ("layouts/home.html", "home 2", &["/about", "/plain", "/docs", "/docs/one", "/docs/two"][..]),
        ("layouts/partials/foot.html", "foot 2", &["/", "/plain", "/docs", "/docs/one", "/docs/two"]),
        (
            "routes/plain.toml",
            "layout = \"plain.html\"\ntitle = \"x\"\n",
            &["/", "/about", "/docs", "/docs/one", "/docs/two"],
        ),
        ("content/docs/one.md", "# One\nMore.\n", &["/", "/about", "/plain", "/docs", "/docs/two"]),
        ("site.toml", "[defaults.cache]\ns-maxage = \"1h\"\n[log]\nlevel = \"warn\"\n", &pages),
    ] {
        edit(path, text);
        assert_eq!(hits(), kept, "after an edit of {path}");
        assert_eq!(hits(), pages, "made anew after an edit of {path}");
    }
}

fn what_needs_a_restart_is_named() {
    let site = Site::start(&archive(1));
    site.folder().write("site.toml", "[limits]\nidle = \"5s\"\n");
    let line = site.wait_for_message(|line| line.contains("restart"));
    assert_eq!(line, "warning: a restart is needed for limits of connections to take effect");
    assert!(is_version(&site, 1));
}

fn reloading_under_load_loses_no_request() {
    let site = Site::start(&archive(0));
    let ended = Arc::new(AtomicBool::new(false));
    let clients: Vec<_> = (0..4)
        .map(|_| {
            let (mut connection, ended) = (site.connect(), Arc::clone(&ended));
            thread::spawn(move || {
                let mut last = 0;
                while !ended.load(Ordering::Relaxed) {
                    let response = connection.get("/version");
                    assert_eq!(response.status, 200);
                    let version = response.json()["version"].as_u64().expect("a number");
                    assert!(version >= last, "the old site came back");
                    last = version;
                }
                last
            })
        })
        .collect();
    for number in 1..=10 {
        // Every good edit has a broken one before it.
        site.folder().write(ROUTE, "json = {");
        site.signal("HUP");
        site.folder().write(ROUTE, &version(number));
        until("the good edit", || is_version(&site, number));
    }
    ended.store(true, Ordering::Relaxed);
    for client in clients {
        assert!(client.join().expect("no request is lost") <= 10);
    }
}
