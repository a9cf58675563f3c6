//! Finds many patterns in a text at once, several times as fast as it is made.
//!
//! The shortest pattern tells how far apart the places are at which a text must be looked at so that none is missed: of each pattern a
//! stretch of that length is chosen, and whatever four bytes of it such a place may fall on are known. A small filter tells for almost every
//! place that they are of no pattern, whatever was asked of the places before; where it does not, the patterns are compared.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

/// What is asked for at each place.
const BLOCK: usize = 4;
type Block = [u8; BLOCK];

/// Stretches need not be longer: more of their blocks fill the filter, and it is fast enough.
const LONGEST_STRETCH: usize = 16;

/// The filter has this many bits for each block, so that it is wrong about few.
const BITS_PER_BLOCK: usize = 32;
/// It stays within the fastest memory there is, or nearly: bits.
const FILTER_BITS: std::ops::RangeInclusive<usize> = 1 << 12..=1 << 18;

pub(super) struct Sieve {
    /// What is looked for, and whose it is.
    patterns: Vec<(Box<[u8]>, usize)>,
    /// Of the longest pattern, in bytes.
    longest: usize,
    /// How far apart the places are at which a text is looked at.
    step: usize,
    filter: Filter,
    /// The blocks, in order; with which pattern each is of, and how far within.
    blocks: Vec<(Block, usize, usize)>,
}

impl Sieve {
    /// One for these patterns of at least [`BLOCK`] bytes, each with what it is to be called.
    pub(super) fn new(patterns: Vec<(Box<[u8]>, usize)>) -> Self {
        let lengths = || patterns.iter().map(|(pattern, _)| pattern.len());
        let stretch = lengths().min().unwrap_or(BLOCK).clamp(BLOCK, LONGEST_STRETCH);
        let longest = lengths().max().unwrap_or(0);
        let mut counts = BTreeMap::new();
        for block in patterns.iter().flat_map(|(pattern, _)| blocks(pattern)) {
            *counts.entry(block).or_insert(0) += 1;
        }
        let step = stretch - BLOCK + 1;
        let mut known = Vec::with_capacity(patterns.len() * step);
        for (at, (pattern, _)) in patterns.iter().enumerate() {
            let start = rarest(pattern, stretch, &counts);
            let blocks = blocks(pattern).enumerate().skip(start).take(step);
            known.extend(blocks.map(|(within, block)| (block, at, within)));
        }
        known.sort_unstable();
        let filter = Filter::new(known.iter().map(|(block, ..)| *block), known.len());
        Self { longest, step, filter, blocks: known, patterns }
    }

    /// The length of the longest pattern, in bytes.
    pub(super) fn longest(&self) -> usize {
        self.longest
    }

    /// Tells `found` of each pattern that stands in `text`, until it has heard enough.
    pub(super) fn search(&self, text: &[u8], found: &mut impl FnMut(usize) -> ControlFlow<()>) -> ControlFlow<()> {
        for (at, block) in text.windows(BLOCK).enumerate().step_by(self.step) {
            let Ok(block) = Block::try_from(block) else { continue };
            if self.filter.may_hold(block) {
                self.compare(block, at, text, found)?;
            }
        }
        ControlFlow::Continue(())
    }

    /// The same of the patterns that have `block` in them, which stands in `text` at `at`.
    #[cold]
    fn compare(
        &self,
        block: Block,
        at: usize,
        text: &[u8],
        found: &mut impl FnMut(usize) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let first = self.blocks.partition_point(|(known, ..)| *known < block);
        let same = self.blocks.iter().skip(first).take_while(|(known, ..)| *known == block);
        for (_, pattern, within) in same {
            let (Some((pattern, name)), Some(start)) = (self.patterns.get(*pattern), at.checked_sub(*within)) else {
                continue;
            };
            if text.get(start..).is_some_and(|text| text.starts_with(pattern)) {
                found(*name)?;
            }
        }
        ControlFlow::Continue(())
    }
}

fn blocks(pattern: &[u8]) -> impl Iterator<Item = Block> {
    pattern.windows(BLOCK).filter_map(|block| Block::try_from(block).ok())
}

/// Where the stretch of `pattern` begins that is the least like other texts; of several the last, for the end of a token is its signature.
fn rarest(pattern: &[u8], stretch: usize, counts: &BTreeMap<Block, usize>) -> usize {
    // Small letters and what stands between words are in all texts; digits and capitals less so.
    let is_common = |byte: &u8| byte.is_ascii_lowercase() || b" -_./:=\"<>".contains(byte);
    let cost = |start: usize| -> usize {
        let stretch = pattern.get(start..start + stretch).unwrap_or_default();
        let shared: usize = blocks(stretch).filter_map(|block| counts.get(&block)).sum();
        shared + stretch.iter().filter(|byte| is_common(byte)).count()
    };
    (0..=pattern.len().saturating_sub(stretch)).rev().min_by_key(|&start| cost(start)).unwrap_or(0)
}

/// Which blocks are certainly not known.
struct Filter {
    bits: Box<[u64]>,
    /// What is left of a digest is the number of a bit.
    shift: u32,
}

impl Filter {
    fn new(blocks: impl Iterator<Item = Block>, count: usize) -> Self {
        let size = (count * BITS_PER_BLOCK).next_power_of_two().clamp(*FILTER_BITS.start(), *FILTER_BITS.end());
        let mut filter = Self { bits: vec![0; size / 64].into(), shift: u32::BITS - size.trailing_zeros() };
        for block in blocks {
            let (word, bit) = filter.place(block);
            if let Some(word) = filter.bits.get_mut(word) {
                *word |= 1 << bit;
            }
        }
        filter
    }

    fn may_hold(&self, block: Block) -> bool {
        let (word, bit) = self.place(block);
        self.bits.get(word).is_some_and(|word| word >> bit & 1 == 1)
    }

    /// The word and the bit in it of a block: the digest is that of Fibonacci hashing, whose upper bits are the good ones.
    fn place(&self, block: Block) -> (usize, u32) {
        let bit = u32::from_le_bytes(block).wrapping_mul(0x9E37_79B1) >> self.shift;
        ((bit / 64) as usize, bit % 64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(patterns: &[String], text: &str) -> Vec<usize> {
        let patterns: Vec<(Box<[u8]>, usize)> =
            patterns.iter().enumerate().map(|(at, pattern)| (pattern.as_bytes().into(), at)).collect();
        let mut found = Vec::new();
        let ended = Sieve::new(patterns).search(text.as_bytes(), &mut |pattern| {
            found.push(pattern);
            ControlFlow::Continue(())
        });
        assert!(ended.is_continue());
        found.sort_unstable();
        found.dedup();
        found
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn what_stands_in_a_text_is_found_and_nothing_else(
            patterns in proptest::collection::vec("[ab]{8,20}", 1..40),
            text in "[ab]{0,400}",
            cut in 0..20_usize,
        ) {
            let shown = format!("{}{text}{}", patterns.concat().get(cut..).unwrap_or_default(), patterns[0]);
            for text in [&text, &shown] {
                let expected: Vec<usize> = (0..patterns.len()).filter(|&at| text.contains(&patterns[at])).collect();
                prop_assert_eq!(all(&patterns, text), expected);
            }
        }
    }

    #[test]
    fn a_stretch_is_one_that_others_do_not_share() {
        let patterns: Vec<Box<[u8]>> =
            ["common-prefix-1-suffix", "common-prefix-2-suffix"].map(|text| text.as_bytes().into()).into();
        let mut counts = BTreeMap::new();
        for block in patterns.iter().flat_map(|pattern| blocks(pattern)) {
            *counts.entry(block).or_insert(0) += 1;
        }
        let start = rarest(&patterns[0], 8, &counts);
        assert!((7..=14).contains(&start), "{start}");
        assert_eq!(rarest(b"prefix-A7Q4T9X2-suffix", 8, &BTreeMap::new()), 7);
    }

    #[test]
    fn it_ends_when_enough_was_heard() {
        let sieve = Sieve::new(vec![(Box::from(*b"12345678"), 0)]);
        let mut heard = 0;
        let ended = sieve.search(&b"12345678".repeat(9), &mut |_| {
            heard += 1;
            ControlFlow::Break(())
        });
        assert!(ended.is_break() && heard == 1);
    }
}
