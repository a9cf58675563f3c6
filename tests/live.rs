//! The live pages of the root site show their own files and their own `explain`. Both stand in `content/data/live.json`, because a page reads
//! no layouts and runs no commands; here that file is held equal to what they are. `UPDATE=1 cargo test --test main live` writes it anew.

use crate::support::ours::root;
use crate::support::site::{Folder, Options, binary};
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

crate::cases!(live_pages_show_what_they_are, the_page_about_outcomes_tells_them_apart);

/// The pages in the order of their list: name of the files, an address, what it is.
const PAGES: &[(&str, &str, &str, &str)] = &[
    ("index", "/live", "Live pages", "Two sources, fetched together."),
    (
        "repo",
        "/repos/acme/anvil",
        "A page with live data",
        "The page of the front page and of the README: one source, one layout, one line for each lifetime.",
    ),
    (
        "outcomes",
        "/live/outcomes",
        "When data does not come",
        "A product that is not there or does not come, reviews that the page can do without, and a fallback.",
    ),
    ("cache", "/live/cache", "The life of a copy", "Fresh, stale and still at once, gone: watch it turn."),
    ("list", "/live/list", "A list with filters and pages", "Thirty products: filtered, sorted, and cut into pages."),
];

fn live_pages_show_what_they_are() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = |name: &str| fs::read_to_string(root.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    let pages = PAGES.iter().map(|&(name, url, title, summary)| {
        let (route, layout) = (format!("routes/live/{name}.toml"), format!("layouts/live/{name}.html"));
        json!({
            "name": name,
            "title": title,
            "summary": summary,
            "url": url,
            "route": route,
            "files": [
                { "name": route, "language": "toml", "text": text(&route) },
                { "name": layout, "language": "liquid", "text": text(&layout) },
            ],
            "explain": explain(root, url),
        })
    });
    let pages = json!({ "pages": pages.collect::<Vec<Value>>() });
    let said = format!("{}\n", serde_json::to_string_pretty(&pages).expect("JSON"));
    let path = root.join("content/data/live.json");
    if std::env::var_os("UPDATE").is_some() {
        fs::write(&path, said).expect("written");
        return;
    }
    let kept = fs::read_to_string(&path).expect("text");
    let differs = kept.lines().zip(said.lines()).find(|(kept, said)| kept != said);
    assert!(kept == said, "{} says otherwise (UPDATE=1 writes it anew): {differs:?}", path.display());
}

fn the_page_about_outcomes_tells_them_apart() {
    let mut upstream = Options::default().serve(Folder::copy_of_site(&root().join("examples/upstream")));
    let site = Options::default().env("UPSTREAM", &format!("http://{}", upstream.address()));
    let site = site.serve(Folder::copy_of_site(&root()));
    let holds = |sku: &str, wanted: &[&str], others: &[&str]| {
        let page = site.get(&format!("/live/outcomes?sku={sku}"));
        assert_eq!(page.status, 200, "{sku}");
        // The files that the page shows hold all of these words.
        let (_, result) = page.text().split_once("<div class=\"result\">").expect("a result");
        let (result, _) = result.split_once("</div>").expect("its end");
        for words in wanted {
            assert!(result.contains(words), "{sku}: {words}: {result}");
        }
        for words in others {
            assert!(!result.contains(words), "{sku}: {words}: {result}");
        }
    };
    let there = ["in stock", "<strong>in good health</strong>"];
    let none = ["there is none", "<strong>in good health</strong>"];
    let did_not_come = ["It did not come", "and did not come", "<strong>not reachable</strong>"];
    holds("FO-107", &there, &["there is none", "did not come"]);
    holds("XX-000", &none, &["in stock", "did not come"]);
    upstream.signal("TERM");
    assert!(upstream.wait().success());
    for sku in ["MO-142", "XX-000"] {
        // Neither was kept: the one was not asked for, and what was made without its product is nobody's to keep.
        holds(sku, &did_not_come, &["in stock", "there is none"]);
    }
}

/// What `siteserver explain` says of a URL of the root site, without the two digests of the key: they cover the data file, and so what is
/// said there.
fn explain(root: &Path, url: &str) -> String {
    let mut command = binary();
    command.arg("--config").arg(root.join("site.toml")).args(["explain", url]).current_dir(root).env_remove("UPSTREAM");
    let output = command.output().expect("the binary");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).expect("UTF-8");
    let lines = said.lines().map(|line| match line.trim_start().strip_prefix("key ") {
        Some(key) if line.starts_with("  key ") => {
            let (subject, _) = key.trim_start().split_once('@').expect("a digest");
            format!("  key             {subject}@… (…)")
        }
        _ => line.to_owned(),
    });
    lines.map(|line| line + "\n").collect()
}
