//! The index: for each word the passages that have it, and for each passage its words in their order.
//!
//! It is built once and never changes. Its size is linear in that of the texts, which it holds for excerpts.

use super::passage::Passage;
use super::words::words;
use std::collections::HashMap;

/// A page as it is found.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// Its title.
    pub title: String,
    /// What else is said about it: its description, its tags.
    pub said: Vec<String>,
    /// Its text.
    pub passages: Vec<Passage>,
}

/// Where in a page a word stands. What stands first weighs most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub(super) enum Field {
    Title,
    Heading,
    Said,
    Text,
    Code,
}

/// How many fields there are.
pub(super) const FIELDS: usize = 5;

/// How often a passage has a word, in each field. It is what there are most of, so it is eight bytes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posting {
    passage: [u8; 3],
    pub(super) counts: [u8; FIELDS],
}

/// How many passages an index has at most. Those beyond are not found; the text of a million manuals has fewer.
const MOST_PASSAGES: u32 = 1 << 24;

impl Posting {
    pub(super) fn passage(self) -> u32 {
        let [low, middle, high] = self.passage;
        u32::from_le_bytes([low, middle, high, 0])
    }

    fn new(passage: u32) -> Self {
        let [low, middle, high, _] = passage.to_le_bytes();
        Self { passage: [low, middle, high], counts: [0; FIELDS] }
    }
}

/// Stands between texts that do not follow each other.
const BREAK: u32 = u32::MAX;

/// An index of pages.
#[derive(Debug, Default)]
pub struct Index {
    /// The words in their order, one after another, and where each ends.
    terms: Box<str>,
    term_ends: Box<[u32]>,
    /// The passages of each word, word after word, and where those of each end.
    postings: Box<[Posting]>,
    posting_ends: Box<[u32]>,
    /// The words of each passage.
    sequence: Box<[u32]>,
    pub(super) passages: Box<[Indexed]>,
    pub(super) pages: Box<[Extent]>,
    /// How many words a page has, on average.
    pub(super) average: f32,
}

/// A passage of the index.
#[derive(Debug)]
pub(super) struct Indexed {
    pub(super) page: u32,
    pub(super) anchor: Box<str>,
    pub(super) heading: Box<str>,
    pub(super) text: Box<str>,
    /// Where its words end in the sequence.
    end: u32,
}

/// A page of the index.
#[derive(Debug)]
pub(super) struct Extent {
    /// Its first passage; the others follow.
    pub(super) first: u32,
    pub(super) words: u32,
    pub(super) words_of_title: u32,
}

impl Index {
    /// The index of `pages`, which are known by their positions.
    #[must_use]
    pub fn new(pages: &[Page]) -> Self {
        let mut building = Building::default();
        for page in pages {
            building.page(page);
        }
        building.finish()
    }

    /// How many pages there are.
    #[must_use]
    pub fn page_count(&self) -> usize {
        self.pages.len()
    }

    /// How many passages there are.
    #[must_use]
    pub fn passage_count(&self) -> usize {
        self.passages.len()
    }

    /// How many different words there are.
    #[must_use]
    pub fn term_count(&self) -> usize {
        self.term_ends.len()
    }

    /// The bytes of memory that it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let texts = |passage: &Indexed| passage.anchor.len() + passage.heading.len() + passage.text.len();
        self.terms.len()
            + size_of_val(&*self.term_ends)
            + size_of_val(&*self.postings)
            + size_of_val(&*self.posting_ends)
            + size_of_val(&*self.sequence)
            + size_of_val(&*self.passages)
            + size_of_val(&*self.pages)
            + self.passages.iter().map(texts).sum::<usize>()
    }

    /// The word with this number, in the order of all.
    pub(super) fn term(&self, number: usize) -> &str {
        let start = number.checked_sub(1).and_then(|before| self.term_ends.get(before)).copied().unwrap_or(0);
        let end = self.term_ends.get(number).copied().unwrap_or(start);
        self.terms.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The number of the first word that is not before `term`.
    pub(super) fn lower_bound(&self, term: &str) -> usize {
        let (mut low, mut high) = (0, self.term_count());
        while low < high {
            let middle = low.midpoint(high);
            if self.term(middle) < term {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// The passages of a word, in their order.
    pub(super) fn postings(&self, term: usize) -> &[Posting] {
        let start = term.checked_sub(1).and_then(|before| self.posting_ends.get(before)).copied().unwrap_or(0);
        let end = self.posting_ends.get(term).copied().unwrap_or(start);
        self.postings.get(start as usize..end as usize).unwrap_or_default()
    }

    /// The words of a passage in their order; between those that do not follow each other stands a number that no word has.
    pub(super) fn sequence(&self, passage: usize) -> &[u32] {
        let end_of = |passage: usize| self.passages.get(passage).map_or(0, |passage| passage.end as usize);
        let start = passage.checked_sub(1).map_or(0, end_of);
        self.sequence.get(start..end_of(passage)).unwrap_or_default()
    }
}

#[derive(Default)]
struct Building {
    /// The words, numbered as they come.
    numbers: HashMap<Box<str>, u32>,
    postings: Vec<Vec<Posting>>,
    sequence: Vec<u32>,
    passages: Vec<Indexed>,
    pages: Vec<Extent>,
}

impl Building {
    fn page(&mut self, page: &Page) {
        let Page { title, said, passages } = page;
        let first = number(self.passages.len());
        let (begin, none) = (self.sequence.len(), [Passage::default()]);
        let mut words_of_title = 0;
        for (at, passage) in if passages.is_empty() { &none[..] } else { passages }.iter().enumerate() {
            if at == 0 {
                words_of_title = self.text(title, first, |_| Field::Title);
                for said in said {
                    self.text(said, first, |_| Field::Said);
                }
            }
            let own = number(self.passages.len());
            // At the top the page's heading says once more what its title does, or says it more fully.
            self.text(&passage.heading, own, |_| Field::Heading);
            let mut code = passage.code.iter().peekable();
            self.text(&passage.text, own, |at| {
                while code.next_if(|code| code.end <= at).is_some() {}
                if code.peek().is_some_and(|code| code.contains(&at)) { Field::Code } else { Field::Text }
            });
            self.passages.push(Indexed {
                page: number(self.pages.len()),
                anchor: passage.anchor.as_str().into(),
                heading: if at == 0 { "".into() } else { passage.heading.as_str().into() },
                text: passage.text.as_str().into(),
                end: number(self.sequence.len()),
            });
        }
        let words = number(self.sequence.len() - begin);
        self.pages.push(Extent { first, words, words_of_title });
    }

    /// Adds the words of a text, each to the field of the byte at which it stands; how many there are.
    fn text(&mut self, text: &str, passage: u32, mut field: impl FnMut(usize) -> Field) -> u32 {
        let (mut count, mut line) = (0, 0);
        words(text, |word| {
            let field = field(word.range.start);
            let number = self.add(word.term, passage, field);
            if word.is_tail {
                return;
            }
            if let Some(other) = word.other {
                self.add(other, passage, field);
            }
            if text.get(line..word.range.start).is_some_and(|between| between.contains('\n')) {
                self.sequence.push(BREAK);
            }
            line = word.range.end;
            self.sequence.push(number);
            count += 1;
        });
        self.sequence.push(BREAK);
        count
    }

    fn add(&mut self, term: &str, passage: u32, field: Field) -> u32 {
        let found = self.numbers.get(term).copied();
        let at = found.unwrap_or_else(|| {
            let next = number(self.postings.len());
            self.numbers.insert(term.into(), next);
            self.postings.push(Vec::new());
            next
        });
        if let Some(postings) = self.postings.get_mut(at as usize) {
            if postings.last().is_none_or(|last| last.passage() != passage) {
                if passage >= MOST_PASSAGES {
                    return at;
                }
                postings.push(Posting::new(passage));
            }
            let count = postings.last_mut().and_then(|last| last.counts.get_mut(field as usize));
            if let Some(count) = count {
                *count = count.saturating_add(1);
            }
        }
        at
    }

    fn finish(self) -> Index {
        let Self { numbers, mut postings, mut sequence, passages, pages } = self;
        let mut order: Vec<(Box<str>, u32)> = numbers.into_iter().collect();
        order.sort_unstable();
        let mut renumbered = vec![BREAK; postings.len()];
        let (mut terms, mut term_ends) = (String::new(), Vec::with_capacity(order.len()));
        let mut all = Vec::with_capacity(postings.iter().map(Vec::len).sum());
        let mut posting_ends = Vec::with_capacity(order.len());
        for (new, (term, old)) in order.into_iter().enumerate() {
            terms.push_str(&term);
            term_ends.push(number(terms.len()));
            all.extend(postings.get_mut(old as usize).map(std::mem::take).unwrap_or_default());
            posting_ends.push(number(all.len()));
            if let Some(renumbered) = renumbered.get_mut(old as usize) {
                *renumbered = number(new);
            }
        }
        for word in &mut sequence {
            *word = renumbered.get(*word as usize).copied().unwrap_or(BREAK);
        }
        let words: f32 = pages.iter().map(|page| nearest(page.words)).sum();
        let average = words / nearest(number(pages.len().max(1)));
        Index {
            terms: terms.into(),
            term_ends: term_ends.into(),
            postings: all.into(),
            posting_ends: posting_ends.into(),
            sequence: sequence.into(),
            passages: passages.into(),
            pages: pages.into(),
            average,
        }
    }
}

/// No site comes near four thousand million words: the files of one are bounded far below.
fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a weight, not a count")]
pub(super) fn nearest(count: u32) -> f32 {
    count as f32
}
