//! Which words are synonyms, remembered for pairs of words that texts have again and again.

use std::cmp::Ordering;

use super::words::Lookup;

/// Number of pairs that are remembered, a power of two.
const PAIRS: usize = 1 << 13;

/// Marks a place without a pair: ids start at 1.
const NO_PAIR: u64 = 0;

/// Answers for pairs of words, each in the place that its hash gives it.
#[derive(Debug)]
pub(super) struct SynonymPairs(Vec<(u64, bool)>);

impl Default for SynonymPairs {
    fn default() -> Self {
        Self(vec![(NO_PAIR, false); PAIRS])
    }
}

impl SynonymPairs {
    /// Return whether two different words are in a common set.
    pub fn are_synonyms(&mut self, first: u32, second: u32, words: &Lookup<'_>) -> bool {
        let pair = u64::from(first) << 32 | u64::from(second);
        let hash = pair.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - PAIRS.trailing_zeros());
        let known = &mut self.0[hash as usize];
        if known.0 != pair {
            *known = (pair, have_common(words.synonyms(first), words.synonyms(second)));
        }
        known.1
    }
}

/// Return whether two ascending lists have a common number.
fn have_common(mut left: &[u32], mut right: &[u32]) -> bool {
    while let ([l, after_left @ ..], [r, after_right @ ..]) = (left, right) {
        match l.cmp(r) {
            Ordering::Equal => return true,
            Ordering::Less => left = after_left,
            Ordering::Greater => right = after_right,
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_with_a_common_number_are_found() {
        assert!(have_common(&[1, 4, 9], &[2, 9]) && have_common(&[3], &[1, 2, 3]));
        assert!(!have_common(&[1, 4, 9], &[2, 8, 10]) && !have_common(&[], &[1]));
    }
}
