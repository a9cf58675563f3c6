//! Findings: what there is to tell an author, with the place and a way out.
//!
//! Every floor above collects [`Finding`]s into [`Findings`] and goes on; nothing stops at the first. The same finding is
//! drawn on a terminal ([`draw`]), written as JSON ([`to_json`]) and, later, shown on a page.
//!
//! This floor knows files only as texts with names: it never reads one.

mod code;
mod json;
mod place;
mod suggest;
mod text;

pub use code::{Code, Level, codes};
pub use json::to_json;
pub use place::{FileId, Files, Place, Position, SomeFiles, Spanned};
pub use suggest::{did_you_mean, suggest};
pub use text::draw;

use std::collections::HashMap;

/// Something to tell the author.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which rule found it.
    pub code: &'static Code,
    /// How bad it is: the code's level unless the situation lowers it.
    pub level: Level,
    /// What is wrong: a lower-case phrase without a full stop, the author's words in backticks.
    pub message: String,
    /// Where it is; none for what has no place in any file.
    pub place: Option<Place>,
    /// What to write instead.
    pub help: Option<String>,
    /// Other places that explain it.
    pub related: Vec<Related>,
}

/// Another place that explains a finding.
#[derive(Debug, Clone)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// What that place has to do with it.
    pub message: String,
}

impl Finding {
    /// A finding at `place`.
    #[must_use]
    pub fn new(code: &'static Code, place: Place, message: impl Into<String>) -> Self {
        Self { place: Some(place), ..Self::anywhere(code, message) }
    }

    /// A finding about something that stands in no file.
    #[must_use]
    pub fn anywhere(code: &'static Code, message: impl Into<String>) -> Self {
        let help = code.help.map(str::to_owned);
        Self { code, level: code.level, message: message.into(), place: None, help, related: Vec::new() }
    }

    /// With what to write instead.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With what to write instead, if there is something to say.
    #[must_use]
    pub fn maybe_help(mut self, help: Option<String>) -> Self {
        self.help = help.or(self.help);
        self
    }

    /// With another place that explains it.
    #[must_use]
    pub fn related(mut self, place: Place, message: impl Into<String>) -> Self {
        self.related.push(Related { place, message: message.into() });
        self
    }

    /// Takes over what explains a repeat of it, as far as that is new and anybody would read it.
    fn explain_by(&mut self, related: &mut Vec<Related>) {
        for other in related.drain(..) {
            if self.related.len() < MOST_RELATED && self.related.iter().all(|known| known.place != other.place) {
                self.related.push(other);
            }
        }
    }

    /// At another level than the code's own.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }
}

/// The findings of one load, in the order they were made.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    list: Vec<Finding>,
    /// How many more there were when they were [sorted](Self::sort): errors, warnings, notes.
    omitted: [usize; 3],
}

/// So many places explain a finding that was made several times.
const MOST_RELATED: usize = 4;

/// So many findings are kept of a load: who reads more?
const MOST: usize = 1000;

impl Findings {
    /// Adds one.
    pub fn push(&mut self, finding: Finding) {
        self.list.push(finding);
    }

    /// Adds all of `others`.
    pub fn append(&mut self, others: Self) {
        self.list.extend(others.list);
    }

    /// Adds each of `others`.
    pub fn extend(&mut self, others: impl IntoIterator<Item = Finding>) {
        self.list.extend(others);
    }

    /// Whether any of them forbids serving.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.omitted(Level::Error) > 0 || self.list.iter().any(|finding| finding.level == Level::Error)
    }

    /// All of them.
    pub fn iter(&self) -> std::slice::Iter<'_, Finding> {
        self.list.iter()
    }

    /// All that were made after the first `before`, to be said better by who knows more.
    pub fn since(&mut self, before: usize) -> impl Iterator<Item = &mut Finding> {
        self.list.iter_mut().skip(before)
    }

    /// Leaves out those that `keep` does not hold for: they only follow from others.
    pub fn retain(&mut self, keep: impl FnMut(&Finding) -> bool) {
        self.list.retain(keep);
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many of a level were left out, because there are more than anybody reads.
    #[must_use]
    pub fn omitted(&self, level: Level) -> usize {
        self.omitted[level as usize]
    }

    /// Brings them into the order of files and places, and drops exact repeats: a layout that five routes use is told once, with the places
    /// that explain it from some of them. Of more than a thousand the first are kept, errors before all others.
    pub fn sort(&mut self) {
        self.list.sort_by_key(|finding| finding.place.map_or((u32::MAX, 0), |place| (place.file.index(), place.start)));
        self.merge_repeats();
        if self.list.len() > MOST {
            let errors = self.list.iter().filter(|finding| finding.level == Level::Error).count();
            let mut room = [errors.min(MOST), MOST.saturating_sub(errors)];
            let omitted = &mut self.omitted;
            self.list.retain(|finding| {
                let room = &mut room[usize::from(finding.level != Level::Error)];
                let fits = *room > 0;
                *room = room.saturating_sub(1);
                omitted[finding.level as usize] += usize::from(!fits);
                fits
            });
        }
    }
}

impl Findings {
    /// Keeps the first of each, wherever its repeats stand: what several routes find at one place comes by turns.
    fn merge_repeats(&mut self) {
        let mut known = HashMap::new();
        let mut positions = Vec::with_capacity(self.list.len());
        for finding in &self.list {
            let next = known.len();
            let itself = (finding.code.name, finding.place, finding.message.as_str());
            positions.push(*known.entry(itself).or_insert(next));
        }
        let mut kept: Vec<Finding> = Vec::with_capacity(known.len());
        for (mut finding, position) in std::mem::take(&mut self.list).into_iter().zip(positions) {
            match kept.get_mut(position) {
                Some(first) => {
                    first.level = first.level.max(finding.level);
                    first.explain_by(&mut finding.related);
                }
                None => kept.push(finding),
            }
        }
        self.list = kept;
    }
}

impl<'f> IntoIterator for &'f Findings {
    type Item = &'f Finding;
    type IntoIter = std::slice::Iter<'f, Finding>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    codes! {
        /// An example.
        ONE = Error "test/one";
    }

    #[test]
    fn repeats_that_come_by_turns_are_told_once() {
        let mut files = Files::default();
        let file = files.add("page.html", "{{ a }} {{ b }}");
        let [at, after] = [Place::new(file, 3..4), Place::new(file, 11..12)];
        let mut findings = Findings::default();
        for round in 0..7 {
            findings.push(Finding::anywhere(&ONE, "nowhere"));
            findings.push(Finding::new(&ONE, after, "first"));
            findings.push(Finding::new(&ONE, at, "second").related(Place::new(file, round..round + 1), "because"));
            findings.push(Finding::new(&ONE, at, "first"));
        }
        findings.sort();
        let told: Vec<_> = findings.iter().map(|finding| (finding.place, &*finding.message)).collect();
        assert_eq!(told, [(Some(at), "second"), (Some(at), "first"), (Some(after), "first"), (None, "nowhere")]);
        assert_eq!(findings.iter().map(|finding| finding.related.len()).collect::<Vec<_>>(), [MOST_RELATED, 0, 0, 0]);
    }
}
