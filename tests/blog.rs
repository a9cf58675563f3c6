//! `examples/blog` as its readers meet it: pages of posts, tags, years, a feed that feed readers understand.

use crate::support::site::{Folder, Options, Site};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

crate::cases!(posts_are_listed_by_date_tag_and_year, a_feed_reader_understands_the_feed, the_sitemap_names_every_page);

fn blog() -> Site {
    Options::default().serve(Folder::copy_of_site(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/blog")))
}

/// The paths of the posts that a page links to, in order.
fn posts(page: &str) -> Vec<&str> {
    page.split("href=\"/posts/").skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

fn posts_are_listed_by_date_tag_and_year() {
    let site = blog();
    let get = |target: &str| site.get(target).text().to_owned();
    assert_eq!(posts(&get("/")), ["2026/labels", "2026/compost", "2025/rain-barrel"]);
    assert_eq!(posts(&get("/?page=2")), ["2025/thinning", "2025/sowing"]);
    assert!(get("/").contains("href=\"/?page=2\" rel=\"next\"") && get("/?page=2").contains("href=\"/\" rel=\"prev\""));
    assert_eq!(site.get("/?page=3").status, 404);
    assert_eq!(posts(&get("/tags/garden")), ["2026/compost", "2025/thinning", "2025/sowing"]);
    assert_eq!(site.get("/tags/nothing").status, 404);
    let archive = get("/archive");
    let (newer, older) = archive.split_once("<h2>2025</h2>").expect("two years");
    assert_eq!((posts(newer).len(), posts(older).len()), (2, 3));
    assert_eq!(site.get("/posts/2026/harvest").status, 404, "it is a draft");
    assert!(get("/about").contains("href=\"/posts/2025/sowing\""));
}

/// Reads a feed from its input, and says what a reader of feeds has to complain of.
const READER: &str = r#"
import feedparser, sys
feed = feedparser.parse(sys.stdin.buffer.read())
assert not feed.bozo, feed.bozo_exception
assert feed.version == "atom10", feed.version
assert feed.feed.title == "Field notes" and feed.feed.updated_parsed.tm_year == 2026, feed.feed
titles = [entry.title for entry in feed.entries]
assert titles == ["Labels that last", "Compost, slowly", "A rain barrel", "Thinning", "Sowing"], titles
sowing = feed.entries[-1]
assert sowing.summary == "Why this blog begins with a handful of seeds & a spoon.", sowing.summary
assert "<em>very</em>" in sowing.content[0].value and "&lt; 1 cm" in sowing.content[0].value, sowing.content
assert [tag.term for tag in sowing.tags] == ["garden", "seeds"], sowing.tags
assert sowing.link == "https://blog.example.com/posts/2025/sowing", sowing.link
assert "https://blog.example.com/posts/2025/rain-barrel" in feed.entries[0].content[0].value, "links are whole"
"#;

fn a_feed_reader_understands_the_feed() {
    let response = blog().get("/feed.xml");
    assert_eq!(response.status, 200);
    assert_eq!(response.header("content-type"), Some("application/atom+xml; charset=utf-8"));
    let Some(python) = std::env::var_os("FEED_READER") else {
        println!("the feed is not read: `script/test` sets FEED_READER to a Python that has feedparser");
        return;
    };
    let mut reader = Command::new(python)
        .args(["-c", READER])
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the feed reader");
    reader.stdin.take().expect("an input").write_all(&response.body).expect("it reads");
    let output = reader.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn the_sitemap_names_every_page() {
    let site = blog();
    let sitemap = site.get("/sitemap.xml");
    assert_eq!(sitemap.header("content-type"), Some("application/xml; charset=utf-8"));
    let addresses = sitemap.text().split("<loc>").skip(1).filter_map(|rest| rest.split("</loc>").next());
    let paths: Vec<&str> =
        addresses.map(|address| address.strip_prefix("https://blog.example.com").expect("whole")).collect();
    assert_eq!(paths.len(), 9);
    for path in paths {
        assert_eq!(site.get(path).status, 200, "{path}");
    }
}
