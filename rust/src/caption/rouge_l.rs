//! ROUGE-L: the longest common subsequence of prediction and reference.
//!
//! The definition is that of pycocoevalcap (after Lin, 2004): precision and recall are each maximised over the
//! references, independently, and combined with beta 1.2.

use super::shared_tokens::CommonTokens;
use crate::error::Result;
use crate::parallel::Plan;

/// Weight of recall against precision.
pub const BETA: f64 = 1.2;

/// ROUGE-L from the lengths of prediction and references and of their longest common subsequences.
///
/// A prediction or reference without tokens has no common subsequence and counts as zero.
fn f_measure(prediction: usize, matches: impl Iterator<Item = (usize, usize)>) -> f64 {
    let share = |common: usize, length: usize| if length == 0 { 0.0 } else { common as f64 / length as f64 };
    let (mut precision, mut recall) = (0.0f64, 0.0f64);
    for (common, reference) in matches {
        precision = precision.max(share(common, prediction));
        recall = recall.max(share(common, reference));
    }
    if precision == 0.0 || recall == 0.0 {
        return 0.0;
    }
    ((1.0 + BETA * BETA) * precision * recall) / (recall + BETA * BETA * precision)
}

/// Buffers of the bit-parallel search, one for each thread.
///
/// Each distinct token of the prediction has a bit mask of the positions where it stands. Of a reference, the tokens that
/// the prediction has too are then read one by one; an addition moves the frontier of all prefixes at once (Hyyrö, 2004),
/// 64 positions a word.
#[derive(Debug, Default)]
pub(super) struct RougeL {
    /// One row of words for each distinct token.
    masks: Vec<u64>,
    frontier: Vec<u64>,
}

impl RougeL {
    /// ROUGE-L of one prediction, from the tokens that it has in common with references of these lengths.
    pub fn score(
        &mut self,
        common: &CommonTokens,
        references: impl Iterator<Item = usize>,
        plan: &Plan,
    ) -> Result<f64> {
        let words = common.own.len().div_ceil(64);
        self.write_masks(common, words);
        let mut matches = Vec::new();
        for (reference, length) in references.enumerate() {
            plan.check()?;
            let numbers = &common.of(reference).numbers;
            let longest = match words {
                0 => 0,
                1 => self.longest_fixed::<1>(numbers),
                2 => self.longest_fixed::<2>(numbers),
                3 => self.longest_fixed::<3>(numbers),
                _ => self.longest(numbers, words, plan)?,
            };
            matches.push((longest, length));
        }
        Ok(f_measure(common.own.len(), matches.into_iter()))
    }

    fn write_masks(&mut self, common: &CommonTokens, words: usize) {
        self.masks.clear();
        self.masks.resize(common.distinct * words, 0);
        for (place, &number) in common.own.iter().enumerate() {
            self.masks[number as usize * words + place / 64] |= 1 << (place % 64);
        }
    }

    /// Length of the longest common subsequence of a reference, as far as it consists of the prediction's tokens, and a
    /// prediction of at most 64 x `WORDS` tokens.
    fn longest_fixed<const WORDS: usize>(&self, reference: &[u32]) -> usize {
        let (masks, _) = self.masks.as_chunks::<WORDS>();
        let mut frontier = [u64::MAX; WORDS];
        reference.iter().for_each(|&number| advance(&mut frontier, &masks[number as usize]));
        frontier.iter().map(|word| word.count_zeros() as usize).sum()
    }

    /// The same for a prediction of any length.
    fn longest(&mut self, reference: &[u32], words: usize, plan: &Plan) -> Result<usize> {
        self.frontier.clear();
        self.frontier.resize(words, u64::MAX);
        for (place, &number) in reference.iter().enumerate() {
            if place % 4096 == 0 {
                plan.check()?;
            }
            advance(&mut self.frontier, &self.masks[number as usize * words..][..words]);
        }
        Ok(self.frontier.iter().map(|word| word.count_zeros() as usize).sum())
    }
}

/// One step of the frontier: a zero bit stands where the longest common subsequence grows. Bits past the end of
/// the prediction are in no mask and stay one.
#[inline]
fn advance(frontier: &mut [u64], mask: &[u64]) {
    let mut carry = false;
    for (word, &mask) in frontier.iter_mut().zip(mask) {
        let (sum, over) = word.overflowing_add(*word & mask);
        let (sum, again) = sum.overflowing_add(u64::from(carry));
        carry = over | again;
        *word = sum | (*word & !mask);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The textbook table.
    fn plain_common(a: &[u32], b: &[u32]) -> usize {
        let mut row = vec![0; b.len() + 1];
        for x in a {
            let mut diagonal = 0;
            for (j, y) in b.iter().enumerate() {
                let above = row[j + 1];
                row[j + 1] = if x == y { diagonal + 1 } else { above.max(row[j]) };
                diagonal = above;
            }
        }
        row[b.len()]
    }

    /// ROUGE-L of a prediction of token ids up to 16.
    fn score(prediction: &[u32], references: &[&[u32]]) -> f64 {
        let plan = Plan::default();
        let mut common = CommonTokens::new(16);
        common.find(prediction, references.iter().copied(), &plan).unwrap();
        RougeL::default().score(&common, references.iter().map(|reference| reference.len()), &plan).unwrap()
    }

    fn text(length: usize, seed: u64) -> Vec<u32> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let step = |_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 60) as u32 + 1
        };
        (0..length).map(step).collect()
    }

    #[test]
    fn equals_the_textbook_table_at_odd_lengths() {
        let lengths = [0, 1, 2, 7, 63, 64, 65, 127, 128, 129, 191, 192, 193, 300];
        for (i, &a) in lengths.iter().enumerate() {
            for (j, &b) in lengths.iter().enumerate() {
                let (prediction, reference) = (text(a, i as u64 + 1), text(b, j as u64 + 99));
                let common = plain_common(&prediction, &reference);
                let expected = f_measure(a, [(common, b)].into_iter());
                let score = score(&prediction, &[&reference]);
                assert_eq!(score.to_bits(), expected.to_bits(), "{a} {b}");
            }
        }
    }

    #[test]
    fn precision_and_recall_come_from_different_references() {
        // Precision 1 with the long reference, recall 1 with the short one.
        assert!((score(&[1, 2], &[&[1, 2, 3, 4, 5, 6], &[1]]) - 1.0).abs() < 1e-15);
    }
}
