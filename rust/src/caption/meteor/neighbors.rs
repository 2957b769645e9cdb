//! Which words of the references have a set of synonyms in common with a word.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use crate::error::Result;
use crate::memory;
use crate::parallel::Plan;

/// Number of words in a block of work.
const BLOCK: usize = 1 << 9;

/// The words of references in each set of synonyms, as indices.
#[derive(Debug, Default)]
pub(super) struct Members {
    numbers: HashMap<u32, u32, RandomState>,
    ends: Vec<u32>,
    words: Vec<u32>,
}

/// For each word, a list of indices of words.
#[derive(Debug, Default)]
pub(super) struct Neighbors {
    ends: Vec<usize>,
    words: Vec<u32>,
}

impl Members {
    /// Collect the words of all sets. `sets` and `ranges` are the sets of all words, each in ascending order.
    pub fn new(sets: &[u32], ranges: &[Range<u32>]) -> Self {
        let mut numbers: HashMap<u32, u32, RandomState> = HashMap::default();
        let mut counts: Vec<u32> = Vec::new();
        let renumbered: Vec<u32> = sets
            .iter()
            .map(|&set| {
                let number = *numbers.entry(set).or_insert(counts.len() as u32);
                counts.resize(counts.len().max(number as usize + 1), 0);
                counts[number as usize] += 1;
                number
            })
            .collect();
        let mut ends = counts;
        let mut total = 0;
        for end in &mut ends {
            total += std::mem::replace(end, total);
        }
        let mut words = vec![0; sets.len()];
        // Each end is the start of its words first, and moves with them.
        for (word, range) in (0..).zip(ranges) {
            for &number in &renumbered[range.start as usize..range.end as usize] {
                let end = &mut ends[number as usize];
                words[*end as usize] = word;
                *end += 1;
            }
        }
        Self { numbers, ends, words }
    }

    fn of(&self, set: u32) -> &[u32] {
        let Some(&number) = self.numbers.get(&set) else { return &[] };
        let start = if number == 0 { 0 } else { self.ends[number as usize - 1] };
        &self.words[start as usize..self.ends[number as usize] as usize]
    }
}

impl Neighbors {
    /// Find the neighbors of words with these ranges of sets, in ascending order. `are_different` returns whether the word
    /// with the first index and the neighbor with the second one may match.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory), [`Error::Cancelled`](crate::Error::Cancelled).
    pub fn new(
        members: &Members,
        sets: &[u32],
        ranges: &[Range<u32>],
        are_different: impl Fn(usize, u32) -> bool + Sync,
        plan: &Plan,
    ) -> Result<Self> {
        let blocks = plan.map(ranges.len(), BLOCK, Vec::new, |found, block| {
            let mut part = Self::default();
            for word in block {
                plan.check()?;
                found.clear();
                for &set in &sets[ranges[word].start as usize..ranges[word].end as usize] {
                    found.extend(members.of(set).iter().copied().filter(|&other| are_different(word, other)));
                }
                found.sort_unstable();
                found.dedup();
                memory::reserve(&mut part.words, found.len())?;
                part.words.extend_from_slice(found);
                part.ends.push(part.words.len());
            }
            Ok(part)
        })?;
        let mut all = Self::default();
        for block in blocks {
            let start = all.words.len();
            memory::reserve(&mut all.words, block.words.len())?;
            all.ends.extend(block.ends.iter().map(|end| start + end));
            all.words.extend(block.words);
        }
        Ok(all)
    }

    pub fn of(&self, word: usize) -> &[u32] {
        &self.words[if word == 0 { 0 } else { self.ends[word - 1] }..self.ends[word]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbors_are_words_with_a_common_set() {
        // Sets of four words; those of the others.
        let sets = [5, 9, 9, 2, 5, 9];
        let members = Members::new(&sets, &[0..2, 2..3, 3..4, 4..6]);
        let others = [2, 9, 7];
        let plan = Plan::new(Some(2));
        let found = Neighbors::new(&members, &others, &[0..2, 2..3, 3..3], |_, other| other != 1, &plan).unwrap();
        assert_eq!([found.of(0), found.of(1), found.of(2)], [&[0, 2, 3][..], &[], &[]]);
        let found =
            Neighbors::new(&members, &sets, &[0..2, 2..3, 3..4, 4..6], |word, other| word != other as usize, &plan);
        let found = found.unwrap();
        assert_eq!([0, 1, 2, 3].map(|word| found.of(word)), [&[1, 3][..], &[0, 3], &[], &[0, 1]]);
    }
}
