//! Sites to begin with: the folders `examples/starter-…`, as they are, in the program.
//!
//! A starter is a list of files, and this module knows of no file system and of no site: `build.rs` has listed the folders, and whoever
//! makes a site writes the files. A new starter is a folder, and a line of `STARTERS`.

use std::borrow::Cow;

/// A site to begin with.
#[derive(Debug, Clone, Copy)]
pub struct Starter {
    /// What `--starter` calls it.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// All of its files, in the order of their paths.
    pub files: &'static [File],
}

/// A file of a starter.
#[derive(Debug, Clone, Copy)]
pub struct File {
    /// Where it is in the site's folder, with `/`.
    pub path: &'static str,
    /// What is in it.
    pub bytes: &'static [u8],
}

/// The starters and what they are, the first of them for whoever asks for none.
const STARTERS: &[(&str, &str)] = &[
    ("minimal", "one page and its layout; its comments teach the language"),
    ("shop", "a list with filters and pages, products, outcomes; runs without a backend"),
    ("blog", "Markdown posts, tags, an archive, a feed, a sitemap, drafts"),
    ("api", "JSON routes, typed inputs, a method, policies, a page about them"),
    ("docs", "a tree of Markdown with a sidebar, contents, search, previous and next"),
];

/// The folders that there are, and their files.
const FOLDERS: &[(&str, &[File])] = include!(concat!(env!("OUT_DIR"), "/starters.rs"));

/// All starters, in the order in which they are shown.
pub fn all() -> impl Iterator<Item = Starter> {
    STARTERS.iter().filter_map(|&(name, about)| {
        let (_, files) = FOLDERS.iter().find(|(folder, _)| *folder == name)?;
        Some(Starter { name, about, files })
    })
}

/// The starter of this name.
pub fn named(name: &str) -> Option<Starter> {
    all().find(|starter| starter.name == name)
}

/// Where a starter says what the site is called: a file, what stands before the name in its line, and what behind it.
const NAMED: &[(&str, &str, &str)] =
    &[("site.toml", "name = \"", "\""), ("README.md", "# ", ""), ("deploy/siteserver.service", "Description=", "")];

impl Starter {
    /// What the site is called in its files.
    pub fn title(&self) -> &'static str {
        let site = self.files.iter().find(|file| file.path == "site.toml");
        let text = site.and_then(|file| std::str::from_utf8(file.bytes).ok()).unwrap_or_default();
        text.lines().find_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"')).unwrap_or_default()
    }

    /// The files of a site that is called `name`, which holds no control character.
    pub fn called(&self, name: &str) -> impl Iterator<Item = (&'static str, Cow<'static, [u8]>)> {
        let (title, name) = (self.title(), name.to_owned());
        self.files.iter().map(move |file| (file.path, renamed(file, title, &name)))
    }
}

/// A file with the site's name in the place of the starter's, where there is one.
fn renamed(file: &'static File, title: &str, name: &str) -> Cow<'static, [u8]> {
    let place = NAMED.iter().find(|(path, ..)| *path == file.path);
    let (Some((path, before, behind)), Ok(text)) = (place, std::str::from_utf8(file.bytes)) else {
        return file.bytes.into();
    };
    let said = match *path {
        "site.toml" => name.replace('\\', "\\\\").replace('"', "\\\""),
        // What systemd would take for a specifier.
        "deploy/siteserver.service" => name.replace('%', "%%"),
        _ => name.to_owned(),
    };
    let old = format!("{before}{title}{behind}");
    let line = |line: &str| if line == old { format!("{before}{said}{behind}\n") } else { format!("{line}\n") };
    text.lines().map(line).collect::<String>().into_bytes().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_folder_is_a_starter_and_every_starter_is_a_folder() {
        let mut folders: Vec<&str> = FOLDERS.iter().map(|(name, _)| *name).collect();
        let mut starters: Vec<&str> = STARTERS.iter().map(|(name, _)| *name).collect();
        folders.sort_unstable();
        starters.sort_unstable();
        assert_eq!(folders, starters);
        assert_eq!(all().count(), STARTERS.len());
        assert!(named("minimal").is_some() && named("starter-minimal").is_none());
    }

    #[test]
    fn a_site_has_its_own_name_at_every_place_and_the_rest_as_it_was() {
        for starter in all() {
            assert!(!starter.title().is_empty(), "{}", starter.name);
            let same: Vec<_> = starter.called(starter.title()).collect();
            for (file, (path, bytes)) in starter.files.iter().zip(&same) {
                assert_eq!((file.path, file.bytes), (*path, bytes.as_ref()), "{}", starter.name);
            }
            let other: Vec<_> = starter.called("100 % \"A\\B\"").collect();
            let different = same.iter().zip(&other).filter(|(same, other)| same.1 != other.1);
            let different: Vec<&str> = different.map(|(same, _)| same.0).collect();
            let mut places: Vec<&str> = NAMED.iter().map(|(path, ..)| *path).collect();
            places.sort_unstable();
            assert_eq!(different, places, "{}", starter.name);
            let text = |wanted: &str| {
                let (_, bytes) = other.iter().find(|(path, _)| *path == wanted).unwrap();
                String::from_utf8(bytes.to_vec()).unwrap()
            };
            assert!(text("site.toml").contains("\nname = \"100 % \\\"A\\\\B\\\"\"\n"));
            assert!(text("README.md").starts_with("# 100 % \"A\\B\"\n"));
            assert!(text("deploy/siteserver.service").contains("\nDescription=100 %% \"A\\B\"\n"));
        }
    }
}
