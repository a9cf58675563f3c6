//! What GFM reads before emphasis, code and links, and the grammar after them: bare URLs (section 6.9) and lone task markers (section 5.3).
//!
//! The text is read twice if it must be: their characters that could mean something else are covered by letters for the second reading,
//! and uncovered when they are written. Lengths stay, so places do too.

use super::{Options, autolink};
use pulldown_cmark::{Event, Parser, TagEnd};
use std::ops::Range;

/// Characters that could end a URL early for the grammar, all of one byte.
const COVERED: [char; 6] = ['*', '_', '~', '`', '[', ']'];

/// A text for the second reading.
#[derive(Debug)]
pub(super) struct Mask {
    /// The covered text.
    pub text: String,
    /// The bytes that are covered, in their order.
    places: Vec<usize>,
}

impl Mask {
    /// Covers `text`; `None` if its first reading is right already.
    pub(super) fn of(text: &str, options: Options) -> Option<Self> {
        let may_link = options.autolinks && (text.contains("://") || text.contains("www."));
        let may_mark = options.task_lists && (text.contains("]\n") || text.contains("[\t]"));
        if !may_link && !may_mark {
            return None;
        }
        let mut places = Vec::new();
        let mut reading = Reading { text, in_link: 0, in_code: false, cell: None, done: 0 };
        for (event, range) in Parser::new_ext(text, options.grammar()).into_offset_iter() {
            reading.event(&event, range, options, &mut places);
        }
        if places.is_empty() {
            return None;
        }
        let mut covered = String::with_capacity(text.len());
        let mut from = 0;
        for &at in &places {
            covered.push_str(text.get(from..at).unwrap_or_default());
            covered.push('x');
            from = at + 1;
        }
        covered.push_str(text.get(from..).unwrap_or_default());
        Some(Self { text: covered, places })
    }

    /// How many bytes within `range` are covered.
    pub(super) fn within(&self, range: &Range<usize>) -> usize {
        let before = |end: usize| self.places.partition_point(|&place| place < end);
        before(range.end).saturating_sub(before(range.start))
    }

    /// How many bytes are covered.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }
}

/// The first reading.
struct Reading<'t> {
    text: &'t str,
    /// How many links and images are open: text within them holds no others.
    in_link: usize,
    in_code: bool,
    /// The end of the open cell of a table.
    cell: Option<usize>,
    /// What has been looked at.
    done: usize,
}

impl Reading<'_> {
    fn event(&mut self, event: &Event<'_>, range: Range<usize>, options: Options, places: &mut Vec<usize>) {
        if let Event::Text(_) = event {
            if options.autolinks && self.in_link == 0 && !self.in_code {
                self.links(range, places);
            }
        } else if let Event::TaskListMarker(_) = event {
            if range.start >= self.done {
                self.task(range.start, places);
            }
        } else if let Event::Start(tag) = event {
            self.tag(tag.to_end(), true, &range);
        } else if let Event::End(tag) = event {
            self.tag(*tag, false, &range);
        }
    }

    /// Notes what begins or ends.
    fn tag(&mut self, tag: TagEnd, begins: bool, range: &Range<usize>) {
        if matches!(tag, TagEnd::Link | TagEnd::Image) {
            self.in_link = if begins { self.in_link + 1 } else { self.in_link.saturating_sub(1) };
        } else if matches!(tag, TagEnd::CodeBlock) {
            self.in_code = begins;
        } else if matches!(tag, TagEnd::TableCell) {
            self.cell = begins.then_some(range.end);
        }
    }

    /// `[ ]` with nothing after it, not even a space, or with a tab in it, is text.
    fn task(&mut self, start: usize, places: &mut Vec<usize>) {
        let bytes = self.text.as_bytes();
        let is_marker = matches!(bytes.get(start + 3), Some(b' ' | b'\t')) && bytes.get(start + 1) != Some(&b'\t');
        if !is_marker && self.text.get(start..start + 3).is_some_and(|marker| marker.starts_with('[')) {
            places.extend([start, start + 2]);
            self.done = start + 3;
        }
    }

    /// The URLs that begin in the text at `range`, up to white space.
    fn links(&mut self, range: Range<usize>, places: &mut Vec<usize>) {
        let Some(text) = self.text.get(..self.cell.unwrap_or(self.text.len())) else { return };
        let mut from = range.start.max(self.done);
        while let Some(link) = autolink::written(text, from..range.end) {
            let url = text.get(link.clone()).unwrap_or_default();
            let mut escaped = false;
            for (at, character) in url.char_indices() {
                if COVERED.contains(&character) && !escaped {
                    places.push(link.start + at);
                }
                escaped = character == '\\' && !escaped;
            }
            from = link.end;
            self.done = link.end;
        }
    }
}
