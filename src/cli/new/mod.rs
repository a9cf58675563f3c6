//! `siteserver new`: a site to begin with, and what is added to one.
//!
//! | File | What |
//! |---|---|
//! | `folder` | writing a folder whole, or not at all |
//! | `route` | a route at a URL that nobody answers |
//! | `place`, `beginnings` | where its files lie by its URL, and what is in them, kind by kind; pure |
//! | `compare` | what was wrong before, told from what is new |
//! | `given` | what a call is asked with, and how a source says it without secrets; pure |
//! | `source` | asking a URL, and writing down the source that was proposed |
//! | `propose` | what may be taken of an answer; pure |
//!
//! A new site is what a starter holds, with the name of the folder, and what editors need: it is not known here what the files say.

mod beginnings;
mod compare;
mod folder;
mod given;
mod place;
mod propose;
mod route;
mod source;

use super::arguments::{Addition, NewArguments, SiteArguments, Voice};
use super::console::{Terminal, counted};
use super::{USAGE, schema};
use crate::starter::Starter;
use anyhow::anyhow;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::ExitCode;

/// Makes what is asked for, and says what that is.
pub(super) fn new(site: &SiteArguments, how: &NewArguments) -> anyhow::Result<ExitCode> {
    match &how.what {
        Some(Addition::Route(how)) => return route::route(site, how),
        Some(Addition::Source(how)) => return source::source(site, how),
        None => {}
    }
    let flag = if site.is_named { Some("--config") } else { (!site.sets.is_empty()).then_some("--set") };
    if let Some(flag) = flag {
        let why = "is about a site that is there: it goes with `new route` and `new source`, and a new site has none";
        Terminal::stderr().problem(&anyhow!("{flag} {why}"));
        return Ok(ExitCode::from(USAGE));
    }
    let folder = how.folder.as_deref().unwrap_or(Path::new("."));
    make(folder, &how.starter, site.voice)?;
    Ok(ExitCode::SUCCESS)
}

/// Writes a starter into a folder.
fn make(folder: &Path, starter: &Starter, voice: Voice) -> anyhow::Result<()> {
    let target = folder::Target::of(folder)?;
    let name = target
        .name()
        .as_deref()
        .map(called)
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| starter.title().to_owned());
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    for (path, bytes) in starter.called(&name) {
        files.push((path.to_owned(), with_schema(path, &bytes)));
    }
    files.extend(schema::for_editors().map(|(path, text)| (path, text.into_bytes())));
    target.write(&files)?;
    let mut out = Terminal::stdout();
    if voice.verbose {
        let each = files.iter().map(|(path, _)| format!("wrote {}\n", quoted(&folder.join(path))));
        out.write(&each.collect::<String>());
    }
    if !voice.quiet {
        out.write(&told(folder, starter, &name, &files));
    }
    Ok(())
}

/// A TOML file with the line that names its schema.
fn with_schema(path: &str, bytes: &[u8]) -> Vec<u8> {
    let mut whole = schema::line_of(path).unwrap_or_default().into_bytes();
    whole.extend_from_slice(bytes);
    whole
}

/// What a site in a folder of this name is called: `my-site` is `My site`.
fn called(folder: &str) -> String {
    let spaced: String = folder.chars().map(|c| if matches!(c, '-' | '_') { ' ' } else { c }).collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let name: String = words.join(" ").chars().filter(|c| !c.is_control()).collect();
    let mut letters = name.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// What was made, and what comes next.
fn told(folder: &Path, starter: &Starter, name: &str, files: &[(String, Vec<u8>)]) -> String {
    let mut own = Vec::new();
    let mut below: BTreeMap<&str, usize> = BTreeMap::new();
    for (path, _) in files {
        match path.split_once('/') {
            Some((folder, _)) => *below.entry(folder).or_default() += 1,
            None => own.push(path.as_str()),
        }
    }
    let mut text = format!("made `{name}` in {} from the starter `{}`\n\n", shown(folder), starter.name);
    for (folder, count) in below {
        writeln!(text, "  {:14} {}", format!("{folder}/"), counted(count, "file")).unwrap_or_default();
    }
    writeln!(text, "  {}\n\nnext:\n", own.join("  ")).unwrap_or_default();
    let next = [
        ("siteserver dev", "serve it on http://127.0.0.1:4000, and show at once what is saved"),
        ("siteserver check", "say everything that is wrong with it"),
    ];
    if folder != Path::new(".") {
        writeln!(text, "  cd {}", quoted(folder)).unwrap_or_default();
    }
    for (command, what) in next {
        writeln!(text, "  {command:18} # {what}").unwrap_or_default();
    }
    text
}

/// A path on one line.
fn shown(path: &Path) -> String {
    let text = path.display().to_string();
    if text.contains(char::is_control) { quoted(path) } else { text }
}

/// A path as a shell takes it, which is no option of a command.
fn quoted(path: &Path) -> String {
    let mut text = path.display().to_string();
    if text.starts_with('-') {
        text.insert_str(0, "./");
    }
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '_' | '-' | '+');
    if text.contains(char::is_control) {
        // The one kind of quotation that has names for them.
        let escaped = |c: char| match c {
            '\'' | '\\' => format!("\\{c}"),
            c if c.is_ascii_control() => format!("\\{:03o}", u32::from(c)),
            c => c.to_string(),
        };
        return format!("$'{}'", text.chars().map(escaped).collect::<String>());
    }
    if text.chars().all(is_plain) { text } else { format!("'{}'", text.replace('\'', "'\\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_is_called_like_its_folder() {
        for (folder, name) in [
            ("my-site", "My site"),
            ("shop", "Shop"),
            ("élan_vital", "Élan vital"),
            ("a \"b\"\u{7}", "A \"b\""),
            ("--", ""),
            ("docs.example.com", "Docs.example.com"),
        ] {
            assert_eq!(called(folder), name);
        }
    }

    #[test]
    fn folders_are_shown_as_shells_take_them() {
        assert_eq!(quoted(Path::new("../my-site")), "../my-site");
        assert_eq!(quoted(Path::new("my 'own' site")), r"'my '\''own'\'' site'");
        assert_eq!(quoted(Path::new("-x")), "./-x");
        assert_eq!(quoted(Path::new("-x y")), "'./-x y'");
        assert_eq!(quoted(Path::new("a\nb's")), r"$'a\012b\'s'");
        assert_eq!(quoted(Path::new("~")), "'~'");
        assert_eq!(shown(Path::new("my site")), "my site");
    }
}
