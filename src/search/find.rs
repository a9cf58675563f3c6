//! Which pages have what is looked for, and in which order.
//!
//! A page needs all the words, wherever they stand in it. It weighs what its words weigh: where they stand first, then how often, then how
//! rare they are among all pages. A word in the title outweighs all other places together, one in a heading all below it.
//!
//! The cost is linear in the passages of the index and in how many of them the words are in; it is cut off at [`MOST_POSTINGS`], so that a
//! search of a site of any size ends soon. What is cut off is what comes last: first words that only begin with what was typed.

use super::index::{Extent, FIELDS, Field, Index, Posting, nearest};
use super::query::{Part, Query, Wanted};
use std::ops::Range;

/// How many pages are found at most: the best ones.
pub const MOST_FOUND: usize = 1000;

/// How many entries of the index a search looks at.
const MOST_POSTINGS: usize = 1 << 20;

/// How many words of texts a search goes through, looking for words that follow each other.
const MOST_FOLLOWED: usize = 1 << 21;

/// What each field of a page weighs: more than all that come after it, since an occurrence counts half of this at least, and any number of
/// them not more than all of it.
const OF_PAGE: [f32; FIELDS] = [42.0, 14.0, 4.0, 2.0, 0.5];

/// What is added for a title that consists of what is looked for; in proportion, for one that does so in part.
const WHOLE_TITLE: f32 = 21.0;

/// What each field of a passage weighs where a page's best passage is chosen: what belongs to the whole page least.
const OF_PASSAGE: [f32; FIELDS] = [0.25, 6.0, 0.25, 2.0, 1.0];

/// The same at the top of a page, whose heading is what the page is called.
const OF_TOP: [f32; FIELDS] = [0.25, 0.25, 0.25, 2.0, 1.0];

/// A page that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hit {
    /// Its position among those that the index was made of.
    pub page: usize,
    /// Its passage that has the most of what was looked for.
    pub(super) passage: usize,
}

impl Index {
    /// The pages that have all that is looked for, best first; equal ones stay in their order. Nothing looked for is nothing found.
    #[must_use]
    pub fn find(&self, query: &Query) -> Vec<Hit> {
        if query.is_empty() || self.pages.is_empty() {
            return Vec::new();
        }
        let mut search = Search {
            index: self,
            postings: MOST_POSTINGS,
            followed: MOST_FOLLOWED,
            counts: vec![[0.0; FIELDS]; self.pages.len()],
            weights: vec![0.0; self.passages.len()],
        };
        let mut of_pages = vec![Some(0.0_f32); self.pages.len()];
        let mut of_passages = vec![0.0_f32; self.passages.len()];
        let mut is_titled = vec![true; self.pages.len()];
        for part in &query.parts {
            search.part(part);
            let having = search.counts.iter().filter(|counts| counts.iter().any(|count| *count > 0.0)).count();
            let rarity = (1.0 + ratio(self.pages.len(), having)).ln();
            for (((score, titled), counts), page) in
                of_pages.iter_mut().zip(&mut is_titled).zip(&search.counts).zip(&self.pages)
            {
                *score = score.and_then(|sum| Some(sum + rarity * weight(counts, page, self.average)?));
                *titled &= counts.first().is_some_and(|count| *count > 0.0);
            }
            for (sum, weight) in of_passages.iter_mut().zip(&search.weights) {
                *sum += rarity * weight;
            }
        }
        let scored = of_pages.iter().enumerate().filter_map(|(page, score)| Some(((*score)?, page)));
        let mut scored: Vec<(f32, usize)> = scored.collect();
        scored.sort_unstable_by(|(left, one), (right, other)| right.total_cmp(left).then_with(|| one.cmp(other)));
        scored.truncate(MOST_FOUND);
        let hit = |(_, page): (f32, usize)| {
            let all = self.passages_of(page);
            // What the page is called is above all of its passages.
            let is_titled = is_titled.get(page).is_some_and(|titled| *titled);
            let passage = if is_titled { all.start } else { best(&of_passages, all) };
            Hit { page, passage }
        };
        scored.into_iter().map(hit).collect()
    }

    /// The id of the heading above the passage that was found; `None` at the top of the page.
    #[must_use]
    pub fn anchor(&self, hit: Hit) -> Option<&str> {
        self.passages.get(hit.passage).map(|passage| &*passage.anchor).filter(|anchor| !anchor.is_empty())
    }

    /// The heading above the passage that was found; `None` at the top of the page.
    #[must_use]
    pub fn heading(&self, hit: Hit) -> Option<&str> {
        self.passages.get(hit.passage).map(|passage| &*passage.heading).filter(|heading| !heading.is_empty())
    }

    fn passages_of(&self, page: usize) -> Range<usize> {
        let first = |page: usize| self.pages.get(page).map_or(self.passages.len(), |page| page.first as usize);
        first(page)..first(page + 1)
    }
}

/// The first of those that weigh most.
fn best(weights: &[f32], range: Range<usize>) -> usize {
    let mut best = (range.start, 0.0);
    for at in range {
        if let Some(weight) = weights.get(at).copied().filter(|weight| *weight > best.1) {
            best = (at, weight);
        }
    }
    best.0
}

/// What a page weighs for a word that it has so often in each field; `None` if it does not have it.
fn weight(counts: &[f32; FIELDS], page: &Extent, average: f32) -> Option<f32> {
    let [title, heading, said, text, code] = *counts;
    if title + heading + said + text + code <= 0.0 {
        return None;
    }
    let [of_title, of_heading, of_said, of_text, of_code] = OF_PAGE;
    // In a long text a word means less.
    let length = 0.5 + 0.5 * nearest(page.words) / average.max(1.0);
    let whole = WHOLE_TITLE * title.min(1.0) / nearest(page.words_of_title.max(1));
    let in_text = of_text * text / (text + length);
    Some(
        whole
            + of_title * often(title)
            + of_heading * often(heading)
            + of_said * often(said)
            + in_text
            + of_code * often(code),
    )
}

/// From a half for once to one for ever so often.
fn often(count: f32) -> f32 {
    count / (count + 1.0)
}

#[expect(clippy::cast_precision_loss, reason = "a weight, not a count")]
fn ratio(all: usize, some: usize) -> f32 {
    all as f32 / some.max(1) as f32
}

/// A search on its way.
struct Search<'i> {
    index: &'i Index,
    /// How many entries may still be looked at.
    postings: usize,
    /// How many words of texts.
    followed: usize,
    /// How often each page has what is looked for just now.
    counts: Vec<[f32; FIELDS]>,
    /// What it makes each passage weigh.
    weights: Vec<f32>,
}

impl Search<'_> {
    fn part(&mut self, part: &Part) {
        self.counts.fill([0.0; FIELDS]);
        self.weights.fill(0.0);
        match part.words.as_slice() {
            [] => {}
            [word] => self.word(word),
            words => self.following(words),
        }
    }

    /// A word: as it was typed, then what begins with it.
    fn word(&mut self, word: &Wanted) {
        for (term, share) in self.terms(word) {
            for posting in self.index.postings(term) {
                if self.postings == 0 {
                    return;
                }
                self.postings -= 1;
                self.count(posting.passage(), posting.counts.map(f32::from), share);
            }
        }
    }

    /// The words of the index that are what is wanted, and what one counts: those that go on count less, the longer the less.
    fn terms(&self, word: &Wanted) -> Vec<(usize, f32)> {
        let mut terms = Vec::new();
        for wanted in spellings(word) {
            let range = self.range(wanted, word.is_beginning);
            let share = |term: usize| {
                let found = self.index.term(term);
                if found == wanted { 1.0 } else { 0.5 + 0.4 * ratio(wanted.len(), found.len()) }
            };
            // The word itself comes before those that go on, because it is their beginning.
            terms.extend(range.take(self.postings).map(|term| (term, share(term))));
        }
        terms
    }

    /// The numbers of a word, or of all that begin with it.
    fn range(&self, wanted: &str, is_beginning: bool) -> Range<usize> {
        let start = self.index.lower_bound(wanted);
        if is_beginning {
            // No character comes after this one.
            start..self.index.lower_bound(&format!("{wanted}\u{10ffff}")).max(start)
        } else {
            start..start + usize::from(self.index.term(start) == wanted)
        }
    }

    fn count(&mut self, passage: u32, counts: [f32; FIELDS], share: f32) {
        let at = passage as usize;
        let Some(page) = self.index.passages.get(at).map(|passage| passage.page as usize) else { return };
        if let Some(sums) = self.counts.get_mut(page) {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += share * count);
        }
        let is_top = self.index.pages.get(page).is_some_and(|page| page.first == passage);
        if let Some(weight) = self.weights.get_mut(at) {
            let of_fields = if is_top { OF_TOP } else { OF_PASSAGE };
            let own: f32 = of_fields.iter().zip(counts).map(|(of_field, count)| of_field * share * often(count)).sum();
            *weight = weight.max(own);
        }
    }

    /// Words that follow each other: where the rarest of them is, the others are looked for around it.
    fn following(&mut self, words: &[Wanted]) {
        let wanted: Vec<Vec<Range<usize>>> = words
            .iter()
            .map(|word| spellings(word).map(|wanted| self.range(wanted, word.is_beginning)).collect())
            .collect();
        // What only begins so may be thousands of words; of the others each is two at most.
        let exact: Vec<usize> =
            (0..words.len()).filter(|at| words.get(*at).is_some_and(|word| !word.is_beginning)).collect();
        let passages = |at: &usize| -> usize {
            let terms = wanted.get(*at).into_iter().flatten().cloned().flatten();
            terms.map(|term| self.index.postings(term).len()).sum()
        };
        let Some(rarest) = exact.iter().min_by_key(|at| passages(at)).copied() else { return };
        let index = self.index;
        for term in wanted.get(rarest).into_iter().flatten().cloned().flatten() {
            for posting in index.postings(term) {
                let sequence = index.sequence(posting.passage() as usize);
                if self.postings == 0 || self.followed < sequence.len() {
                    return;
                }
                self.postings -= 1;
                self.followed -= sequence.len();
                if !follows(sequence, &wanted) {
                    continue;
                }
                // Where one of them is not, they do not follow each other.
                let mut counts = posting.counts;
                for other in exact.iter().filter_map(|at| wanted.get(*at)) {
                    let others = counts_of(index, other, posting.passage());
                    counts.iter_mut().zip(others).for_each(|(count, other)| *count = (*count).min(other));
                }
                if counts == [0; FIELDS] {
                    counts = posting.counts;
                }
                self.count(posting.passage(), counts.map(f32::from), 1.0);
            }
        }
    }
}

/// How often a passage has any of these words, in each field.
fn counts_of(index: &Index, terms: &[Range<usize>], passage: u32) -> [u8; FIELDS] {
    let mut sums = [0_u8; FIELDS];
    for term in terms.iter().cloned().flatten() {
        let postings = index.postings(term);
        let found = postings.binary_search_by(|posting| posting.passage().cmp(&passage)).ok();
        if let Some(Posting { counts, .. }) = found.and_then(|at| postings.get(at)) {
            sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum = sum.saturating_add(*count));
        }
    }
    sums
}

/// Whether the wanted words follow each other somewhere in a sequence.
fn follows(sequence: &[u32], wanted: &[Vec<Range<usize>>]) -> bool {
    let is = |(word, wanted): (&u32, &Vec<Range<usize>>)| wanted.iter().any(|range| range.contains(&(*word as usize)));
    sequence.windows(wanted.len()).any(|window| window.iter().zip(wanted).all(is))
}

fn spellings(word: &Wanted) -> impl Iterator<Item = &str> {
    std::iter::once(word.term.as_str()).chain(word.other.as_deref())
}

/// The order of fields is the order of their weights.
const _: () = assert!(Field::Title as usize == 0 && Field::Code as usize + 1 == FIELDS);
