//! ROUGE-L: the longest common subsequence of prediction and reference.
//!
//! The definition is that of pycocoevalcap (after Lin, 2004): precision and recall are each maximised over the
//! references, independently, and combined with beta 1.2.

use super::shared_tokens::SharedTokens;
use crate::error::Result;
use crate::parallel::Plan;

/// Weight of recall relative to precision.
pub const BETA: f64 = 1.2;

/// Tokens read between two checks for cancellation.
const TOKENS_PER_CHECK: usize = 4096;

/// Return ROUGE-L from the length of the prediction and, for each reference, the length of the longest common subsequence
/// and of the reference.
///
/// A prediction or reference without tokens has no common subsequence and counts as zero.
fn f_measure(prediction: usize, references: impl Iterator<Item = (usize, usize)>) -> f64 {
    let ratio = |common: usize, length: usize| if length == 0 { 0.0 } else { common as f64 / length as f64 };
    let (mut precision, mut recall) = (0.0f64, 0.0f64);
    for (common, reference) in references {
        precision = precision.max(ratio(common, prediction));
        recall = recall.max(ratio(common, reference));
    }
    if precision == 0.0 || recall == 0.0 {
        return 0.0;
    }
    ((1.0 + BETA * BETA) * precision * recall) / (recall + BETA * BETA * precision)
}

/// Computes ROUGE-L by a bit-parallel search, with buffers for each thread.
///
/// Each different token of the prediction has a bit mask of its positions. The tokens of a reference that the prediction
/// has too are read one by one, and an addition advances the frontier of all prefixes at once (Hyyrö, 2004), 64 positions
/// per word.
#[derive(Debug, Default)]
pub(super) struct RougeLScorer {
    /// The same number of words for each different token.
    masks: Vec<u64>,
    frontier: Vec<u64>,
}

impl RougeLScorer {
    /// Return ROUGE-L of one prediction from the tokens that it shares with its references, and the lengths of these.
    pub fn score(
        &mut self,
        shared: &SharedTokens,
        reference_lengths: impl Iterator<Item = usize>,
        plan: &Plan,
    ) -> Result<f64> {
        let words = shared.prediction_ids.len().div_ceil(64);
        self.write_masks(shared, words);
        let mut matches = Vec::new();
        for (reference, length) in reference_lengths.enumerate() {
            plan.check()?;
            let tokens = &shared.in_reference(reference).local_ids;
            let common = match words {
                0 => 0,
                1 => self.longest_common_fixed::<1>(tokens),
                2 => self.longest_common_fixed::<2>(tokens),
                3 => self.longest_common_fixed::<3>(tokens),
                _ => self.longest_common(tokens, words, plan)?,
            };
            matches.push((common, length));
        }
        Ok(f_measure(shared.prediction_ids.len(), matches.into_iter()))
    }

    fn write_masks(&mut self, shared: &SharedTokens, words: usize) {
        self.masks.clear();
        self.masks.resize(shared.distinct * words, 0);
        for (position, &token) in shared.prediction_ids.iter().enumerate() {
            self.masks[token as usize * words + position / 64] |= 1 << (position % 64);
        }
    }

    /// Return the length of the longest common subsequence of a prediction of at most 64 x `WORDS` tokens and a reference,
    /// of which only the tokens that the prediction has are given.
    fn longest_common_fixed<const WORDS: usize>(&self, reference: &[u32]) -> usize {
        let (masks, _) = self.masks.as_chunks::<WORDS>();
        let mut frontier = [u64::MAX; WORDS];
        reference.iter().for_each(|&token| advance(&mut frontier, &masks[token as usize]));
        frontier.iter().map(|word| word.count_zeros() as usize).sum()
    }

    /// Return the same for a prediction of any length.
    fn longest_common(&mut self, reference: &[u32], words: usize, plan: &Plan) -> Result<usize> {
        self.frontier.clear();
        self.frontier.resize(words, u64::MAX);
        for (index, &token) in reference.iter().enumerate() {
            if index % TOKENS_PER_CHECK == 0 {
                plan.check()?;
            }
            advance(&mut self.frontier, &self.masks[token as usize * words..][..words]);
        }
        Ok(self.frontier.iter().map(|word| word.count_zeros() as usize).sum())
    }
}

/// Advance the frontier by one token: a zero bit marks where the longest common subsequence grows. Bits past the end of
/// the prediction are in no mask and stay one.
#[inline]
fn advance(frontier: &mut [u64], mask: &[u64]) {
    let mut carry = false;
    for (word, &mask) in frontier.iter_mut().zip(mask) {
        let (sum, overflow) = word.overflowing_add(*word & mask);
        let (sum, carry_overflow) = sum.overflowing_add(u64::from(carry));
        carry = overflow | carry_overflow;
        *word = sum | (*word & !mask);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Return the length of the longest common subsequence by the textbook table.
    fn textbook_longest_common(a: &[u32], b: &[u32]) -> usize {
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

    /// Return ROUGE-L of a prediction of token ids up to 16.
    fn score(prediction: &[u32], references: &[&[u32]]) -> f64 {
        let plan = Plan::default();
        let mut shared = SharedTokens::new(16);
        shared.find(prediction, references.iter().copied(), &plan).unwrap();
        RougeLScorer::default().score(&shared, references.iter().map(|reference| reference.len()), &plan).unwrap()
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
                let common = textbook_longest_common(&prediction, &reference);
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
