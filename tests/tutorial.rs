//! The tutorial, done: a reader follows its pages in their order, and finds everything as they say.

use crate::support::reader::Reader;
use crate::support::site::binary;
use std::fs;
use std::path::{Path, PathBuf};

crate::cases!(everything_is_as_the_pages_say, a_page_that_lies_is_noticed);

/// The pages of the tutorial in the order of reading: where each is, and what it says.
pub(crate) fn pages(root: &Path) -> Vec<(PathBuf, String)> {
    let folder = root.join("content/docs/tutorial");
    let files = folder.read_dir().expect("a folder").flatten().map(|entry| entry.path());
    let mut pages: Vec<_> = files.map(|path| (path.clone(), fs::read_to_string(path).expect("text"))).collect();
    pages.sort_by_key(|(path, page)| {
        let weight = page.lines().find_map(|line| line.strip_prefix("weight = ")?.parse::<u32>().ok());
        (!path.ends_with("index.md"), weight.expect("a weight"))
    });
    pages
}

/// Has a reader follow the tutorial in a folder of the project.
pub(crate) fn follow(reader: &mut Reader, root: &Path) {
    let pages = pages(root);
    assert!(pages.len() > 3, "only {} pages were found", pages.len());
    for (path, page) in pages {
        let title = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        if let Err(lie) = reader.follow(&title, &page) {
            panic!("{lie}");
        }
    }
}

fn everything_is_as_the_pages_say() {
    let mut reader = Reader::new(Path::new(binary().get_program()));
    follow(&mut reader, Path::new(env!("CARGO_MANIFEST_DIR")));
}

fn a_page_that_lies_is_noticed() {
    const PAGE: &str = "\
Save this:

```toml
# site.toml
[site]
```

A route, `routes/index.toml`:

```toml
json = { port = \"127.0.0.1:4000\" }
```

```sh
cat site.toml
```

```text
# site.toml
[site]
```

```sh
# in a second terminal
siteserver
```

```text
listening on http://127.0.0.1:4000 (1 route, loaded in … ms)
```

```sh
curl -i http://127.0.0.1:4000/
```

```text
HTTP/1.1 200 OK
…
{\"port\":\"127.0.0.1:4000\"}
```

```sh
# in the second terminal: Ctrl-C
```

```sh
true
```
";
    let follow = |page: &str| Reader::new(Path::new(binary().get_program())).follow("page.md", page);
    assert_eq!(follow(PAGE), Ok(()));
    for (from, to, place) in [
        ("[site]\n```\n\n```sh", "[sites]\n```\n\n```sh", "page.md:18: "),
        ("[site]\n```\n\nA", "[side]\n```\n\nA", "page.md:18: "),
        ("json =", "jsn =", "page.md:23: "),
        ("(1 route", "(2 routes", "page.md:28: "),
        ("{\\\"port", "{\\\"prt", "page.md:36: "),
        ("200 OK", "404 Not Found", "page.md:36: "),
        (" terminal: Ctrl-C", " terminal", "page.md:42: "),
        ("the second terminal: ", "the third terminal: ", "page.md:42: "),
        ("true", "false", "page.md:46: "),
        ("A route, `routes/index.toml`:", "A route:", "page.md:10: "),
    ] {
        let to = PAGE.replacen(&from.replace('\\', ""), &to.replace('\\', ""), 1);
        assert_ne!(to, PAGE, "{from}");
        let lie = follow(&to).expect_err(from);
        assert!(lie.starts_with(place), "{from}: {lie}");
    }
}
