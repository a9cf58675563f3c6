//! The part of a passage that shows what was looked for, in pieces, of which some are a match.
//!
//! Pieces are text, never markup: who shows them marks the matches, and escapes all of them.

use super::find::Hit;
use super::index::Index;
use super::query::{MOST_WORDS, Part, Query, Wanted};
use super::words::words;
use std::ops::Range;

/// How long an excerpt is, in bytes, but for what the last word needs.
const LENGTH: usize = 240;

/// How much of it stands before the first match.
const LEAD: usize = 60;

/// How much of a passage is looked at.
const LONGEST_LOOK: usize = 16 << 10;

/// What stands for text that is left out.
const MORE: char = '…';

/// How much text the excerpts of one search may look at together, in bytes; those beyond show how their passages begin.
#[derive(Debug, Clone)]
pub struct Budget(usize);

impl Default for Budget {
    fn default() -> Self {
        Self(1 << 20)
    }
}

/// A piece of an excerpt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Its text.
    pub text: String,
    /// Whether it is what was looked for.
    pub is_match: bool,
}

/// A match in a text: a word, or words that follow each other.
struct Match {
    range: Range<usize>,
    /// Which of the wanted parts it is.
    wanted: usize,
}

/// A word of the text, and which of all wanted words it is: one bit for each.
struct Read {
    range: Range<usize>,
    is: u16,
    /// Whether it follows the one before, with nothing but punctuation and spaces between.
    follows: bool,
}

/// There is a bit for each wanted word.
const _: () = assert!(MOST_WORDS <= u16::BITS as usize);

impl Index {
    /// The part of the passage that was found with the most of what was looked for; nothing if there is no text.
    #[must_use]
    pub fn excerpt(&self, hit: Hit, query: &Query, budget: &mut Budget) -> Vec<Piece> {
        let Some(passage) = self.passages.get(hit.passage) else { return Vec::new() };
        let text = &*passage.text;
        let look = text.floor_char_boundary(LONGEST_LOOK.min(budget.0).min(text.len()));
        budget.0 -= look;
        excerpt(text, look, query)
    }
}

fn excerpt(text: &str, look: usize, query: &Query) -> Vec<Piece> {
    let text_looked_at = text.get(..look).unwrap_or_default();
    let matches = matches(text_looked_at, &query.parts);
    let window = densest(&matches, query.parts.len());
    let shown = matches.get(window).unwrap_or_default();
    let bounds = bounds(text, shown);
    pieces(text, bounds, &matches)
}

/// Where in a text what is wanted is, in its order.
fn matches(text: &str, parts: &[Part]) -> Vec<Match> {
    let wanted: Vec<&Wanted> = parts.iter().flat_map(|part| &part.words).collect();
    let (mut read, mut tails): (Vec<Read>, Vec<Read>) = (Vec::new(), Vec::new());
    words(text, |word| {
        let is = |wanted: &Wanted| wanted.is(word.term) || word.other.is_some_and(|other| wanted.is(other));
        let bits = wanted.iter().enumerate().filter(|(_, wanted)| is(wanted)).fold(0, |bits, (at, _)| bits | 1 << at);
        let end = read.last().map_or(0, |last: &Read| last.range.end);
        let between = text.get(end.min(word.range.start)..word.range.start).unwrap_or_default();
        let word_read = Read { range: word.range, is: bits, follows: !between.contains('\n') };
        if word.is_tail { tails.push(word_read) } else { read.push(word_read) }
    });
    let mut found = Vec::new();
    let mut first = 0;
    for (wanted, part) in parts.iter().enumerate() {
        let is = |word: &Read, at: usize| word.is >> (first + at) & 1 == 1;
        let follow =
            |window: &&[Read]| window.iter().enumerate().all(|(at, word)| is(word, at) && (at == 0 || word.follows));
        let windows = read.windows(part.words.len().max(1)).filter(follow);
        let spans = windows.filter_map(|window| Some(window.first()?.range.start..window.last()?.range.end));
        found.extend(spans.map(|range| Match { range, wanted }));
        // The last character of a run is a word only by itself.
        let alone = tails.iter().filter(|word| part.words.len() == 1 && is(word, 0));
        found.extend(alone.map(|word| Match { range: word.range.clone(), wanted }));
        first += part.words.len();
    }
    found.sort_unstable_by_key(|found| (found.range.start, found.range.end, found.wanted));
    found
}

/// The first of the stretches, no longer than an excerpt has room for, that have the most different words, and of these the most.
fn densest(matches: &[Match], wanted: usize) -> Range<usize> {
    let mut counts = vec![0_usize; wanted];
    let (mut best, mut most) = (0..0, (0, 0));
    let (mut end, mut different) = (0, 0);
    for (start, first) in matches.iter().enumerate() {
        while let Some(next) = matches.get(end) {
            if end > start && next.range.end - first.range.start > LENGTH - LEAD {
                break;
            }
            if let Some(count) = counts.get_mut(next.wanted) {
                different += usize::from(*count == 0);
                *count += 1;
            }
            end += 1;
        }
        if (different, end - start) > most {
            (best, most) = (start..end, (different, end - start));
        }
        if let Some(count) = counts.get_mut(first.wanted) {
            *count -= 1;
            different -= usize::from(*count == 0);
        }
    }
    best
}

/// The bytes of the text that are shown: what leads to the first match, the matches, and what follows.
fn bounds(text: &str, shown: &[Match]) -> Range<usize> {
    let (first, last) = (shown.first().map_or(0, |it| it.range.start), shown.last().map_or(0, |it| it.range.end));
    let mut start = text.floor_char_boundary(first.saturating_sub(LEAD));
    if start > 0 {
        // From the next word on, or from the next line on if there is one.
        let lead = text.get(start..first).unwrap_or_default();
        start += lead.rfind('\n').or_else(|| lead.find(' ')).map_or(0, |at| at + 1);
    }
    let mut end = text.floor_char_boundary((start + LENGTH).min(text.len())).max(last);
    if end < text.len() {
        let tail = text.get(last..end).unwrap_or_default();
        end = tail.rfind([' ', '\n']).map_or(end, |at| last + at);
    }
    start..end
}

fn pieces(text: &str, bounds: Range<usize>, matches: &[Match]) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    let mut push = |part: &str, is_match: bool| {
        if part.is_empty() {
            return;
        }
        let part = part.replace('\n', " ");
        match pieces.last_mut().filter(|last| last.is_match == is_match) {
            Some(last) => last.text.push_str(&part),
            None => pieces.push(Piece { text: part, is_match }),
        }
    };
    let mut at = bounds.start;
    if bounds.start > 0 && !bounds.is_empty() {
        push(&format!("{MORE} "), false);
    }
    for Match { range, .. } in matches {
        if range.start < bounds.start || range.end > bounds.end {
            continue;
        }
        push(text.get(at..range.start).unwrap_or_default(), false);
        // Pairs of one run overlap.
        push(text.get(range.start.max(at)..range.end).unwrap_or_default(), true);
        at = range.end.max(at);
    }
    push(text.get(at..bounds.end).unwrap_or_default(), false);
    if bounds.end < text.len() {
        push(&format!(" {MORE}"), false);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(text: &str, typed: &str) -> String {
        let pieces = excerpt(text, text.len(), &Query::parse(typed));
        let tell = |piece: &Piece| if piece.is_match { format!("[{}]", piece.text) } else { piece.text.clone() };
        pieces.iter().map(tell).collect()
    }

    #[test]
    fn matches_are_shown_where_they_are() {
        for (text, typed, expected) in [
            ("", "a", ""),
            ("Nothing of it.", "word", "Nothing of it."),
            ("A limit, two LIMITS.", "limit", "A [limit], two [LIMITS]."),
            ("Die Größe.\nUnd groß.", "groesse", "Die [Größe]. Und groß."),
            ("stale while revalidate", "\"stale while\"", "[stale while] revalidate"),
            ("on error: on-error, or", "on-error", "[on error]: [on-error], or"),
            ("on\nerror while on", "on-error", "on error while on"),
            ("私は日本語を話す", "日本語", "私は[日本語]を話す"),
            ("日本 語", "日本語", "日本 語"),
            ("日本 語", "日本 語", "[日本] [語]"),
            ("<b>&amp;</b>", "b", "<[b]>&amp;</[b]>"),
        ] {
            assert_eq!(told(text, typed), expected, "{typed} in {text}");
        }
    }

    #[test]
    fn the_densest_part_is_shown() {
        let filler = "lorem ipsum dolor sit amet ".repeat(20);
        let text = format!("one {filler}one two {filler}one one two three {filler}");
        let shown = told(&text, "one two three ");
        assert!(shown.starts_with("… ") && shown.ends_with(" …"), "{shown}");
        assert!(shown.contains("[one] [one] [two] [three]"), "{shown}");
        assert!(shown.len() < LENGTH + 40, "{shown}");
    }

    proptest! {
        #[test]
        fn excerpts_are_short_parts_of_the_text(text in "([a-zé日本]{1,9}[ \n]){0,200}", typed in "[a-zé日本]{1,3}( [a-z]{1,3})?") {
            let text = text.trim_end();
            let pieces = excerpt(text, text.len(), &Query::parse(&typed));
            let all: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
            let inner = all.strip_prefix("… ").unwrap_or(&all);
            let inner = inner.strip_suffix(" …").unwrap_or(inner);
            prop_assert!(text.replace('\n', " ").contains(inner));
            prop_assert!(all.len() <= LENGTH + 2 * (MORE.len_utf8() + 1) + 40);
            prop_assert!(pieces.windows(2).all(|pair| pair[0].is_match != pair[1].is_match));
            prop_assert!(text.is_empty() || !pieces.is_empty());
        }
    }
}
