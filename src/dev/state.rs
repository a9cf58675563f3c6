//! Which site is served, and what is wrong with the last edit, as the browser is told: one JSON object, made when the site is loaded.

use super::discreet::{discreet, withheld};
use crate::config::Tripwire;
use crate::diagnostic::{Files, Finding, Findings, Level, Place, Related, draw};
use serde_json::{Value, json};
use std::collections::hash_map::RandomState;
use std::collections::{BTreeMap, BTreeSet};
use std::hash::BuildHasher as _;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::watch;

/// So many findings are shown: mend these first.
const MOST: usize = 50;
/// So many lines around a finding,
const AROUND: usize = 2;
/// and so many of what it is about.
const MOST_LINES: usize = 12;
/// The longest part of a line that is shown, in characters,
const LONGEST_LINE: usize = 240;
/// and the longest message or help.
const LONGEST_TEXT: usize = 2_000;
/// So many places explain a finding.
const MOST_RELATED: usize = 8;
/// So many style sheets are exchanged in pages that are open; then they are shown again.
const MOST_STYLES: usize = 50;
/// So much of the errors is shown to who reads no HTML, in characters.
const LONGEST_DRAWN: usize = 100_000;

/// What a load came to.
#[derive(Debug, Clone, Copy)]
pub enum Load<'l> {
    /// The site that was loaded is served.
    Sound {
        /// Settings in it that take effect when the server is started again.
        needs_restart: &'l [&'static str],
        /// The names of the style sheets that were edited, if surely nothing else was.
        styles: Option<&'l BTreeSet<String>>,
    },
    /// It has errors, and is not.
    Kept,
}

/// One load's outcome.
#[derive(Debug)]
pub(super) struct State {
    /// The version of the site that is served: another one for each in which more than style sheets are others, and in each process.
    pub(super) version: String,
    /// The edits of style sheets alone since then, the last of each by its number.
    pub(super) styles: BTreeMap<String, u64>,
    /// Settings in it that take effect when the server is started again.
    needs_restart: Vec<&'static str>,
    /// Whether the last load had errors.
    is_failing: bool,
    /// Where the declarations of that site stand.
    pub(super) files: Arc<Files>,
    /// What the browser is told: `{"version", "styles", "restart", "failing", "findings", "omitted"}`, on one line.
    pub(super) text: Arc<str>,
    /// The errors, for who reads no HTML.
    pub(super) drawn: String,
}

impl State {
    /// How many edits of style sheets alone there were.
    pub(super) fn restyled(&self) -> u64 {
        self.styles.values().copied().max().unwrap_or(0)
    }
}

/// The last state, and those who wait for another.
#[derive(Debug)]
pub(super) struct States {
    sender: watch::Sender<Arc<State>>,
    process: u64,
}

impl Default for States {
    fn default() -> Self {
        let process = RandomState::new().hash_one(std::process::id());
        let nothing = State {
            version: format!("{process:x}.0"),
            styles: BTreeMap::new(),
            needs_restart: Vec::new(),
            is_failing: true,
            files: Arc::default(),
            text: "{}".into(),
            drawn: String::new(),
        };
        Self { sender: watch::Sender::new(Arc::new(nothing)), process }
    }
}

impl States {
    /// The state now.
    pub(super) fn now(&self) -> Arc<State> {
        Arc::clone(&self.sender.borrow())
    }

    /// Hears of the states that follow.
    pub(super) fn follow(&self) -> watch::Receiver<Arc<State>> {
        self.sender.subscribe()
    }

    /// The site was loaded.
    pub(super) fn loaded(&self, findings: &Findings, files: &Files, load: Load<'_>, tripwire: &Tripwire) {
        let before = self.now();
        let mut state = State {
            version: before.version.clone(),
            styles: before.styles.clone(),
            needs_restart: before.needs_restart.clone(),
            is_failing: true,
            files: Arc::clone(&before.files),
            text: "{}".into(),
            drawn: String::new(),
        };
        match load {
            Load::Sound { needs_restart, styles } => {
                // What was edited while the site had errors is not known to have been style sheets alone.
                let styles =
                    styles.filter(|styles| !before.is_failing && styles.len() + state.styles.len() <= MOST_STYLES);
                match styles {
                    Some(styles) => {
                        let number = before.restyled() + 1;
                        state.styles.extend(styles.iter().map(|name| (name.clone(), number)));
                    }
                    None => {
                        let count = before.version.rsplit('.').next().and_then(|count| count.parse::<u64>().ok());
                        state.version = format!("{:x}.{}", self.process, count.unwrap_or(0) + 1);
                        state.styles.clear();
                    }
                }
                state.is_failing = false;
                state.needs_restart = needs_restart.to_vec();
                state.files = Arc::new(files.clone());
            }
            Load::Kept => state.drawn = drawn(findings, files, tripwire),
        }
        state.text = told(findings, files, &state, tripwire).to_string().into();
        self.sender.send_replace(Arc::new(state));
    }
}

fn told(findings: &Findings, files: &Files, state: &State, tripwire: &Tripwire) -> Value {
    // Errors first: the rest may follow from them.
    let (errors, others): (Vec<_>, Vec<_>) = findings.iter().partition(|finding| finding.level == Level::Error);
    let all = errors.into_iter().chain(others);
    let shown = |finding: &Finding| match tripwire.find(draw(finding, files, false).as_bytes()) {
        // In parts of a line it would not be seen.
        Some(name) => withheld(name).into(),
        None => discreet(one(finding, files, tripwire), tripwire),
    };
    let list: Vec<Value> = all.take(MOST).map(shown).collect();
    let omitted: usize = Level::ALL.iter().map(|level| findings.omitted(*level)).sum();
    let omitted = omitted + findings.len() - list.len();
    json!({
        "version": state.version,
        "styles": state.styles,
        "restart": state.needs_restart,
        "failing": state.is_failing,
        "findings": list,
        "omitted": omitted,
    })
}

fn one(finding: &Finding, files: &Files, tripwire: &Tripwire) -> Value {
    let lines = |at: Place| lines(at, files, tripwire);
    // The whole of it was looked through before: what is cut holds no half of a secret.
    let text = |text: &str| cut(text, LONGEST_TEXT);
    let related = |related: &Related| json!({ "message": text(&related.message), "place": place(related.place, files), "lines": lines(related.place) });
    json!({
        "code": finding.code.name,
        "level": finding.level.name(),
        "message": text(&finding.message),
        "place": finding.place.map(|at| place(at, files)),
        "lines": finding.place.map(lines),
        "help": finding.help.as_deref().map(text),
        "related": finding.related.iter().take(MOST_RELATED).map(related).collect::<Vec<_>>(),
    })
}

fn place(place: Place, files: &Files) -> Value {
    let position = files.position(place.file, place.start);
    json!({ "file": files.name(place.file), "line": position.line, "column": position.column })
}

/// The lines around a place, each in three: before what it is about, that, and after it. They are cut, and half a secret would not be known
/// as one: they are looked through before.
fn lines(place: Place, files: &Files, tripwire: &Tripwire) -> Value {
    let text = files.text(place.file);
    let whole = |offset: usize| text.floor_char_boundary(offset.min(text.len()));
    let (start, end) = (whole(place.range().start), whole(place.range().end.max(place.range().start)));
    let first = files.position(place.file, place.start).line;
    let mut offset = 0;
    let mut shown = Vec::new();
    let mut seen: Option<Range<usize>> = None;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let number = index + 1;
        let range = offset..offset + line.trim_end_matches(['\n', '\r']).len();
        offset += line.len();
        if number + AROUND < first {
            continue;
        }
        if shown.len() >= MOST_LINES || (number > first + AROUND && range.start >= end.saturating_add(1)) {
            break;
        }
        seen = Some(seen.map_or(range.start, |seen| seen.start)..range.end);
        // Behind what it is about a few more lines are shown, and no mark in them.
        let clamp = |at: usize| at.clamp(range.start, range.end);
        let (from, to) = (clamp(start), clamp(end));
        let part = |from: usize, to: usize| cut(text.get(from..to).unwrap_or_default(), LONGEST_LINE);
        shown.push(json!([number, part(range.start, from), part(from, to), part(to, range.end)]));
    }
    match seen.and_then(|range| tripwire.find(text.get(range)?.as_bytes())) {
        Some(name) => json!([[first, withheld(name), "", ""]]),
        None => shown.into(),
    }
}

fn cut(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

fn drawn(findings: &Findings, files: &Files, tripwire: &Tripwire) -> String {
    let errors = findings.iter().filter(|finding| finding.level == Level::Error);
    let drawn: Vec<String> = errors.take(MOST).map(|finding| draw(finding, files, false)).collect();
    let text = drawn.join("\n\n");
    match tripwire.find(text.as_bytes()) {
        Some(name) => withheld(name),
        None => cut(&text, LONGEST_DRAWN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Secret;
    use crate::diagnostic::codes;

    codes! {
        /// An example.
        EXAMPLE = Error "test/example";
    }

    #[test]
    fn a_finding_has_the_lines_around_it_with_what_it_is_about_apart() {
        let mut files = Files::default();
        let file = files.add("layouts/a.html", "1\r\n2\n3\nwhät {{ now }}\n5\n6\n7\n8\n");
        let start = files.text(file).find("{{").unwrap();
        let finding = Finding::new(&EXAMPLE, Place::new(file, start..start + 9), "no `now`").help("say `then`");
        let told = one(&finding, &files, &Tripwire::default());
        assert_eq!(told["place"], json!({ "file": "layouts/a.html", "line": 4, "column": 6 }));
        assert_eq!(
            told["lines"],
            json!([
                [2, "2", "", ""],
                [3, "3", "", ""],
                [4, "whät ", "{{ now }}", ""],
                [5, "", "", "5"],
                [6, "", "", "6"]
            ])
        );
        assert_eq!((&told["help"], &told["level"]), (&json!("say `then`"), &json!("error")));
    }

    #[test]
    fn what_spans_lines_is_marked_in_each_and_an_end_of_file_is_a_place() {
        let mut files = Files::default();
        let file = files.add("a", "one\ntwo\nthree");
        let at = |range| lines(Place::new(file, range), &files, &Tripwire::default());
        assert_eq!(at(2..6), json!([[1, "on", "e", ""], [2, "", "tw", "o"], [3, "", "", "three"]]));
        assert_eq!(at(13..13), json!([[1, "one", "", ""], [2, "two", "", ""], [3, "three", "", ""]]));
    }

    #[test]
    fn a_secret_that_is_cut_is_not_shown() {
        let secret = Secret::new("s3cretvalue-0123456789abcdef");
        let tripwire = Tripwire::new([("KEY", &secret)]);
        let mut files = Files::default();
        let line = "k".repeat(LONGEST_LINE - 8);
        let text = format!("{line}s3cretvalue-0123456789abcdef\n{{{{ now }}}}\n");
        let start = text.find("{{").unwrap();
        let file = files.add("a", text);
        let shown = lines(Place::new(file, start..start + 9), &files, &tripwire).to_string();
        assert!(shown.contains("withheld") && !shown.contains("s3cret"), "{shown}");
    }

    #[test]
    fn a_version_is_another_one_for_each_sound_site_and_each_process() {
        let states = States::default();
        let (findings, files, tripwire) = (Findings::default(), Files::default(), Tripwire::default());
        let mut seen = vec![states.now().version.clone()];
        states.loaded(&findings, &files, Load::Kept, &tripwire);
        assert_eq!(states.now().version, seen[0]);
        let sound = Load::Sound { needs_restart: &[], styles: None };
        for _ in 0..2 {
            states.loaded(&findings, &files, sound, &tripwire);
            seen.push(states.now().version.clone());
        }
        seen.push(States::default().now().version.clone());
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), 4);
    }

    #[test]
    fn an_edit_of_style_sheets_alone_is_no_other_version() {
        let states = States::default();
        let (findings, files, tripwire) = (Findings::default(), Files::default(), Tripwire::default());
        let names = |all: &[&str]| all.iter().map(|&name| name.to_owned()).collect::<BTreeSet<_>>();
        let (a, b) = (names(&["a.css"]), names(&["a.css", "b.css"]));
        let sound = |styles| Load::Sound { needs_restart: &["server.listen"], styles };
        // The first site is another one than none, whatever was edited.
        states.loaded(&findings, &files, sound(Some(&a)), &tripwire);
        let first = states.now();
        assert!(first.styles.is_empty());
        states.loaded(&findings, &files, sound(Some(&b)), &tripwire);
        states.loaded(&findings, &files, sound(Some(&a)), &tripwire);
        let restyled = states.now();
        assert_eq!((&restyled.version, restyled.restyled()), (&first.version, 2));
        let told: Value = serde_json::from_str(&restyled.text).unwrap();
        assert_eq!(
            (&told["styles"], &told["restart"]),
            (&json!({ "a.css": 2, "b.css": 1 }), &json!(["server.listen"]))
        );
        // After errors nobody knows what else there is.
        states.loaded(&findings, &files, Load::Kept, &tripwire);
        assert_eq!(states.now().version, first.version);
        states.loaded(&findings, &files, sound(Some(&a)), &tripwire);
        assert_ne!(states.now().version, first.version);
        assert!(states.now().styles.is_empty());
    }

    #[test]
    fn an_enormous_finding_is_cut() {
        let mut files = Files::default();
        let file = files.add("a", "x");
        let place = Place::new(file, 0..1);
        let long = "é".repeat(100_000);
        let finding = Finding::new(&EXAMPLE, place, long.clone()).help(long.clone());
        let finding = (0..100).fold(finding, |finding, _| finding.related(place, long.clone()));
        let told = one(&finding, &files, &Tripwire::default());
        assert!(told.to_string().len() < 100_000, "{}", told.to_string().len());
        assert!(told["message"].as_str().is_some_and(|message| message.ends_with("é…")));
    }
}
