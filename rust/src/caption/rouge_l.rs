//! ROUGE-L: the longest common subsequence of prediction and reference.
//!
//! The definition is that of pycocoevalcap (after Lin, 2004): precision and recall are each maximised over the
//! references, independently, and combined with beta 1.2.

use super::shared_tokens::SharedTokens;
use crate::error::Result;
use crate::memory;
use crate::parallel::{Plan, take_front};

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

/// Number of 64-bit words in a strip of the prediction, see [`RougeLScorer`].
const STRIP: usize = 32;

/// Computes ROUGE-L by a bit-parallel search, with buffers for each thread.
///
/// Each different token of the prediction has a bit mask of its positions. The tokens of a reference that the prediction
/// has too are read one by one, and an addition advances the frontier of all prefixes at once (Hyyrö, 2004), 64 positions
/// per word.
///
/// A long prediction is cut into strips, so that memory does not grow with its length: a strip has as many masks as
/// different tokens, 2,048 at most. Words depend on each other only by the carry of the addition. It goes from one strip to
/// the next, one bit for each token of a reference.
#[derive(Debug, Default)]
pub(super) struct RougeLScorer {
    /// The same number of words for each different token of the prediction or of the strip.
    masks: Vec<u64>,
    /// Index of the mask by local token id; 0, where a mask without bits is, for tokens that the strip does not have.
    mask_of: Vec<u32>,
    /// One for each token of each reference.
    carries: Vec<bool>,
}

impl RougeLScorer {
    /// Return ROUGE-L of one prediction from the tokens that it shares with its references, and the lengths of these.
    pub fn score(
        &mut self,
        shared: &SharedTokens,
        reference_lengths: impl ExactSizeIterator<Item = usize>,
        plan: &Plan,
    ) -> Result<f64> {
        let prediction = &shared.prediction_ids;
        let count = reference_lengths.len();
        let common = match prediction.len().div_ceil(64) {
            0 => vec![0; count],
            1 => self.longest_common_fixed::<1>(shared, count, plan)?,
            2 => self.longest_common_fixed::<2>(shared, count, plan)?,
            3 => self.longest_common_fixed::<3>(shared, count, plan)?,
            4 => self.longest_common_fixed::<4>(shared, count, plan)?,
            5..=8 => self.longest_common_fixed::<8>(shared, count, plan)?,
            9..=16 => self.longest_common_fixed::<16>(shared, count, plan)?,
            17..=STRIP => self.longest_common_fixed::<STRIP>(shared, count, plan)?,
            _ => self.longest_common(shared, count, plan)?,
        };
        Ok(f_measure(prediction.len(), common.into_iter().zip(reference_lengths)))
    }

    /// Return the length of the longest common subsequence of a prediction of at most 64 x `WORDS` tokens and each of
    /// `references` references.
    fn longest_common_fixed<const WORDS: usize>(
        &mut self,
        shared: &SharedTokens,
        references: usize,
        plan: &Plan,
    ) -> Result<Vec<usize>> {
        self.masks.clear();
        self.masks.resize(shared.distinct * WORDS, 0);
        let (masks, _) = self.masks.as_chunks_mut::<WORDS>();
        for (position, &token) in shared.prediction_ids.iter().enumerate() {
            masks[token as usize][position / 64] |= 1 << (position % 64);
        }
        let common = |reference| {
            plan.check()?;
            let mut frontier = [u64::MAX; WORDS];
            for &token in &shared.in_reference(reference).local_ids {
                advance(&mut frontier, &masks[token as usize], false);
            }
            Ok(count_zeros(&frontier))
        };
        (0..references).map(common).collect()
    }

    /// Return the same for a prediction of any length.
    fn longest_common(&mut self, shared: &SharedTokens, references: usize, plan: &Plan) -> Result<Vec<usize>> {
        let tokens = |reference| shared.in_reference(reference).local_ids.as_slice();
        memory::refill(&mut self.carries, (0..references).map(|reference| tokens(reference).len()).sum())?;
        memory::refill(&mut self.mask_of, shared.distinct)?;
        let mut common = vec![0; references];
        for strip in shared.prediction_ids.chunks(64 * STRIP) {
            self.write_masks(strip);
            let (masks, _) = self.masks.as_chunks::<STRIP>();
            let mut carries = self.carries.as_mut_slice();
            for (reference, common) in common.iter_mut().enumerate() {
                let tokens = tokens(reference);
                let mut frontier = [u64::MAX; STRIP];
                for (index, (&token, carry)) in tokens.iter().zip(take_front(&mut carries, tokens.len())).enumerate() {
                    if index % TOKENS_PER_CHECK == 0 {
                        plan.check()?;
                    }
                    let mask = self.mask_of[token as usize];
                    // Without a bit and without a carry, nothing changes.
                    if mask > 0 || *carry {
                        *carry = advance(&mut frontier, &masks[mask as usize], *carry);
                    }
                }
                *common += count_zeros(&frontier);
            }
            strip.iter().for_each(|&token| self.mask_of[token as usize] = 0);
        }
        Ok(common)
    }

    /// Write the masks of a strip, after one without bits.
    fn write_masks(&mut self, strip: &[u32]) {
        self.masks.clear();
        self.masks.resize(STRIP, 0);
        for (position, &token) in strip.iter().enumerate() {
            let mask = &mut self.mask_of[token as usize];
            if *mask == 0 {
                *mask = (self.masks.len() / STRIP) as u32;
                self.masks.resize(self.masks.len() + STRIP, 0);
            }
            self.masks[*mask as usize * STRIP + position / 64] |= 1 << (position % 64);
        }
    }
}

fn count_zeros(frontier: &[u64]) -> usize {
    frontier.iter().map(|word| word.count_zeros() as usize).sum()
}

/// Advance the frontier by one token: a zero bit marks where the longest common subsequence grows. Bits past the end of
/// the prediction are in no mask and stay one. Return the carry into the next strip.
#[inline]
fn advance<const WORDS: usize>(frontier: &mut [u64; WORDS], mask: &[u64; WORDS], mut carry: bool) -> bool {
    for (word, &mask) in frontier.iter_mut().zip(mask) {
        let (sum, overflow) = word.overflowing_add(*word & mask);
        let (sum, carry_overflow) = sum.overflowing_add(u64::from(carry));
        carry = overflow | carry_overflow;
        *word = sum | (*word & !mask);
    }
    carry
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
        let lengths = [0, 1, 2, 7, 63, 64, 65, 127, 128, 129, 191, 192, 193, 300, 2047, 2048, 2049, 4500];
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
