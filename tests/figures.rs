//! What the server takes to start and to rest, measured and printed: no figure is judged here, machines differ.
//!
//! `script/prove` measures the optimised binary; an ordinary run sees that measuring works.

use crate::support::http::Connection;
use crate::support::proof::{is_full, may_open, scaled};
use crate::support::site::Site;
use std::fs;
use std::thread;
use std::time::{Duration, Instant};

crate::cases!(what_it_takes_to_start_and_to_rest,);

/// A page as small sites have it.
const SITE: &str = "-- site.toml --\n-- routes/index.toml --\nlayout = \"page.html\"\n[cache]\ns-maxage = \"1h\"\n-- layouts/page.html --\n<!doctype html>\n<title>Page</title>\n<h1>Page</h1>\n";
/// By then connections that rest have given their buffers back.
const REST: Duration = Duration::from_secs(3);

/// Kilobytes that the process of a site has in memory.
fn resident(site: &Site) -> u64 {
    kilobytes(site, "VmRSS:")
}

/// Kilobytes of them that are parts of the program's file.
fn file_backed(site: &Site) -> u64 {
    kilobytes(site, "RssFile:")
}

fn kilobytes(site: &Site, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", site.process())).expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix(name)).expect("a line");
    line.trim().trim_end_matches(" kB").trim().parse().expect("a number")
}

fn what_it_takes_to_start_and_to_rest() {
    let idle = scaled(5_000, 200);
    if !may_open(idle as u64 + 200) {
        return;
    }
    let begin = Instant::now();
    let site = Site::start(SITE);
    assert_eq!(site.get("/").status, 200);
    let first = begin.elapsed();
    let empty = resident(&site);
    let mut connections: Vec<Connection> = (0..idle).map(|_| site.connect()).collect();
    // The last to come is answered: the others are there, and have not asked.
    assert_eq!(site.get("/").status, 200);
    let silent = resident(&site);
    for connection in &mut connections {
        assert_eq!(connection.get("/").status, 200);
    }
    let used = resident(&site);
    if is_full() {
        thread::sleep(REST);
        // An allocator gives back when it is used.
        assert_eq!(site.get("/").status, 200);
        thread::sleep(REST);
    }
    let rested = resident(&site);
    let each = |now: u64| (now.saturating_sub(empty) * 1024).checked_div(idle as u64).unwrap_or_default();
    let (each_silent, each_rested) = (each(silent), each(rested));
    println!("from its start to its first answer: {} ms, the files of the site written included", first.as_millis());
    println!("resident when idle: {empty} kB, {} kB of it the program's file", file_backed(&site));
    println!("resident with {idle} connections that have not asked: {silent} kB: {each_silent} bytes each");
    println!(
        "resident with {idle} connections that have asked: {used} kB, {rested} kB when they rest: {each_rested} bytes each"
    );
    // They are all there still.
    for connection in &mut connections {
        assert_eq!(connection.get("/").status, 200);
    }
}
