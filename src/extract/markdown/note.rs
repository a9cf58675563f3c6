//! Footnotes: numbered by their first reference, written at the end, each with ways back to where it was called.

use super::escape;
use std::collections::HashMap;
use std::fmt::Write as _;

/// How many ways back a note has; nobody follows more.
const MOST_WAYS_BACK: usize = 99;

/// The footnotes of one document.
#[derive(Debug, Default)]
pub(super) struct Notes {
    /// Labels in the order of their first reference.
    called: Vec<Called>,
    /// Positions in `called`, by label.
    positions: HashMap<String, usize>,
    /// The HTML of each definition, by label.
    defined: HashMap<String, String>,
}

#[derive(Debug)]
struct Called {
    /// The label as an id holds it.
    id: String,
    label: String,
    times: usize,
}

/// Labels are compared without regard to case (`CommonMark`'s rule for link labels).
fn key(label: &str) -> String {
    label.to_lowercase()
}

impl Notes {
    /// Keeps the HTML of a definition; of several with one label the first counts.
    pub(super) fn define(&mut self, label: &str, html: String) {
        self.defined.entry(key(label)).or_insert(html);
    }

    /// Writes a reference.
    pub(super) fn reference(&mut self, label: &str, prefix: &str, out: &mut String) {
        let key = key(label);
        let position = *self.positions.entry(key.clone()).or_insert_with(|| {
            let mut id = String::new();
            escape::url(label, &mut id);
            self.called.push(Called { id, label: key, times: 0 });
            self.called.len() - 1
        });
        let Some(called) = self.called.get_mut(position) else { return };
        called.times += 1;
        let (id, number) = (&called.id, position + 1);
        let again = if called.times > 1 { format!("-{}", called.times) } else { String::new() };
        write!(
            out,
            "<sup class=\"footnote-ref\"><a href=\"#{prefix}fn-{id}\" id=\"{prefix}fnref-{id}{again}\" \
             data-footnote-ref>{number}</a></sup>"
        )
        .expect("a string takes all");
    }

    /// Writes all notes that were called.
    pub(super) fn finish(mut self, prefix: &str, out: &mut String) {
        if self.called.is_empty() {
            return;
        }
        out.push_str("<section class=\"footnotes\" data-footnotes>\n<ol>\n");
        for (position, called) in self.called.iter().enumerate() {
            let html = self.defined.remove(&called.label).unwrap_or_default();
            let back = ways_back(called, position + 1, prefix);
            writeln!(out, "<li id=\"{prefix}fn-{}\">", called.id).expect("a string takes all");
            match html.strip_suffix("</p>\n") {
                Some(html) => writeln!(out, "{html} {back}</p>"),
                None => writeln!(out, "{html}{back}"),
            }
            .expect("a string takes all");
            out.push_str("</li>\n");
        }
        out.push_str("</ol>\n</section>\n");
    }
}

fn ways_back(called: &Called, number: usize, prefix: &str) -> String {
    let mut out = String::new();
    for time in 1..=called.times.min(MOST_WAYS_BACK) {
        let (again, mark) = match time {
            1 => (String::new(), String::new()),
            _ => (format!("-{time}"), format!("<sup class=\"footnote-ref\">{time}</sup>")),
        };
        let gap = if time > 1 { " " } else { "" };
        write!(
            out,
            "{gap}<a href=\"#{prefix}fnref-{id}{again}\" class=\"footnote-backref\" data-footnote-backref \
             data-footnote-backref-idx=\"{number}{again}\" aria-label=\"Back to reference {number}{again}\">↩{mark}</a>",
            id = called.id
        )
        .expect("a string takes all");
    }
    out
}
