//! Which n-grams of a prediction occur in its references, and how often: what BLEU and CIDEr share.
//!
//! Only the prediction's n-grams go into a hash table, and the references' n-grams are looked up in it. The table holds a
//! few dozen n-grams and stays in the first-level cache. An n-gram can only match where both of its (n-1)-grams did, so
//! each order looks only at the positions that survived the previous order, in the references and in the prediction.

use std::ops::Range;

use super::branchless::{retain, select_into};
use super::cider::{CiderParameters, Products};
use super::shared_tokens::{ReferenceTokens, SharedTokens};
use super::tfidf::idf::Idf;
use super::tfidf::{DocFreqs, Norms};
use crate::bits::set_bits;
use crate::error::Result;
use crate::parallel::Plan;
use crate::text::Table;
use crate::text::ngrams::{Key, MAX_ORDER, Seed, pack};
use crate::text::tokens::Tokens;

/// The outcome of comparing a prediction with its references, by order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ReferenceSums {
    /// Matched n-grams for BLEU: each counted at most as often as in the reference that has it most often.
    pub clipped_matches: [u64; MAX_ORDER],
    /// Sum over the references of CIDEr-D's cosines times the length penalty.
    pub cider_d: [f64; MAX_ORDER],
    /// Sum over the references of CIDEr's cosines.
    pub cider: [f64; MAX_ORDER],
}

/// Buffers for comparing a prediction with its references, one for each thread.
#[derive(Debug)]
pub(super) struct Matcher<K> {
    /// The prediction's different n-grams of two tokens and more, with their indices in the order of first occurrence.
    table: Table<K>,
    ngrams: PredictionNgrams,
    vector: TfidfVector,
    /// Positions in the prediction whose n-grams of the previous order matched in some reference.
    prediction_positions: Vec<u32>,
    /// For each reference, the positions where its n-grams of the previous order matched.
    reference_positions: Vec<Vec<u32>>,
    matched: MatchCounts,
    penalties: Vec<f64>,
}

/// The prediction's different n-grams of one order, except those that cannot match.
#[derive(Debug, Default)]
struct PredictionNgrams {
    /// Number of occurrences in the prediction.
    counts: Vec<u32>,
    /// Position of the first occurrence.
    first: Vec<u32>,
    /// The largest number of occurrences in any reference.
    max_matched: Vec<u32>,
    /// Positions of all occurrences, and the index of the n-gram at each.
    occurrences: Vec<(u32, u32)>,
}

/// How often the current reference contains each n-gram of the prediction.
#[derive(Debug, Default)]
struct MatchCounts {
    counts: Vec<u32>,
    /// A bit for each n-gram whose count is not zero.
    nonzero: Vec<u64>,
}

/// The prediction's tf-idf vector of one order.
#[derive(Debug, Default)]
struct TfidfVector {
    idf: Vec<f64>,
    /// Count times idf.
    weights: Vec<f64>,
}

/// What CIDEr needs to know about a prediction and its references.
#[derive(Debug, Clone, Copy)]
pub(super) struct PredictionTfidf<'a> {
    pub idf: &'a Idf,
    /// Norms of the prediction.
    pub norms: &'a Norms,
    /// One for each token of the prediction.
    pub doc_freqs: &'a [DocFreqs],
    /// Norms of the references of all items, by text.
    pub reference_norms: &'a [Norms],
    pub parameters: &'a CiderParameters,
}

impl<K: Key> Matcher<K> {
    pub fn new() -> Self {
        Self {
            table: Table::new(Seed::default()),
            ngrams: PredictionNgrams::default(),
            vector: TfidfVector::default(),
            prediction_positions: Vec::new(),
            reference_positions: Vec::new(),
            matched: MatchCounts::default(),
            penalties: Vec::new(),
        }
    }

    /// Compare a prediction with the references in `reference_range`, with which it shares the tokens `shared`. CIDEr is
    /// computed if there is `tfidf`.
    pub fn compare(
        &mut self,
        prediction: &[u32],
        shared: &SharedTokens,
        references: &Tokens,
        reference_range: Range<usize>,
        tfidf: Option<PredictionTfidf<'_>>,
        plan: &Plan,
    ) -> Result<ReferenceSums> {
        let mut sums = ReferenceSums::default();
        self.penalties.clear();
        if let Some(PredictionTfidf { parameters, .. }) = tfidf {
            let penalty = |text| parameters.length_penalty(prediction.len(), references.get(text).len());
            self.penalties.extend(reference_range.clone().map(penalty));
        }
        self.reference_positions.resize(self.reference_positions.len().max(reference_range.len()), Vec::new());
        for order in 1..=MAX_ORDER {
            self.index_ngrams(prediction, shared, order);
            if let Some(tfidf) = tfidf {
                self.vector.compute(&self.ngrams, order, tfidf);
            }
            for (reference, text) in reference_range.clone().enumerate() {
                plan.check()?;
                match order {
                    1 => self.match_tokens(shared.in_reference(reference), reference),
                    _ => self.match_ngrams(references.get(text), reference, order),
                }
                if let Some(PredictionTfidf { norms, reference_norms, .. }) = tfidf {
                    let TfidfVector { weights, idf } = &self.vector;
                    let products = Products::sum(weights, idf, &self.matched.counts, &self.matched.nonzero);
                    let cosines = products.over(norms[order - 1], reference_norms[text][order - 1]);
                    sums.cider_d[order - 1] += cosines.clipped * self.penalties[reference];
                    sums.cider[order - 1] += cosines.plain;
                }
                self.matched.drain_into_max(&mut self.ngrams.max_matched);
            }
            sums.clipped_matches[order - 1] = self.ngrams.clipped();
        }
        Ok(sums)
    }

    /// Give each different n-gram of the prediction that may match an index, and count its occurrences.
    fn index_ngrams(&mut self, prediction: &[u32], shared: &SharedTokens, order: usize) {
        let Self { table, ngrams, prediction_positions: positions, .. } = self;
        if order == 1 {
            ngrams.clear();
            // Local ids are the indices of order 1.
            (0u32..).zip(&shared.prediction_ids).for_each(|(position, &index)| ngrams.push(position, index));
        } else {
            ngrams.matched_positions(positions);
            retain_pairs(positions);
            ngrams.clear();
            table.reset(positions.len());
            for &position in &*positions {
                let ngram = &prediction[position as usize..position as usize + order];
                let index = table.get_or_insert(pack(ngram), ngrams.counts.len() as u32);
                ngrams.push(position, index);
            }
        }
        let len = ngrams.counts.len();
        ngrams.max_matched.resize(len, 0);
        self.matched.grow(len);
    }

    /// Count the prediction's tokens in one reference.
    fn match_tokens(&mut self, tokens: &ReferenceTokens, reference: usize) {
        self.reference_positions[reference].clone_from(&tokens.positions);
        tokens.local_ids.iter().for_each(|&local_id| self.matched.add(Some(local_id)));
    }

    /// Count the prediction's n-grams in one reference, at the positions that survived the previous order.
    fn match_ngrams(&mut self, tokens: &[u32], reference: usize, order: usize) {
        let Self { table, matched, reference_positions, .. } = self;
        let positions = &mut reference_positions[reference];
        retain_pairs(positions);
        retain(positions, |positions, index| {
            let position = positions[index] as usize;
            let ngram = table.get(pack(&tokens[position..position + order]));
            matched.add(ngram);
            ngram.is_some()
        });
    }
}

/// Keep the positions that are followed by the next position: both parts of a longer n-gram matched there.
fn retain_pairs(positions: &mut Vec<u32>) {
    retain(positions, |positions, index| positions.get(index + 1) == Some(&(positions[index] + 1)));
}

impl MatchCounts {
    /// Make room for `len` n-grams.
    fn grow(&mut self, len: usize) {
        self.counts.resize(self.counts.len().max(len), 0);
        self.nonzero.resize(self.nonzero.len().max(len.div_ceil(64)), 0);
    }

    /// Count an n-gram of the reference, if the prediction has it. That is hard to predict, so there is no branch: an
    /// n-gram that the prediction does not have adds zero to the first one.
    #[inline]
    fn add(&mut self, ngram: Option<u32>) {
        let (index, once) = (ngram.unwrap_or_default(), ngram.is_some());
        self.counts[index as usize] += u32::from(once);
        self.nonzero[index as usize / 64] |= u64::from(once) << (index % 64);
    }

    /// Reset all counts to zero, and raise those in `max` that are smaller.
    fn drain_into_max(&mut self, max: &mut [u32]) {
        for (word, bits) in self.nonzero.iter_mut().enumerate() {
            for bit in set_bits(std::mem::take(bits)) {
                let index = word * 64 + bit;
                max[index] = max[index].max(std::mem::take(&mut self.counts[index]));
            }
        }
    }
}

impl PredictionNgrams {
    fn clear(&mut self) {
        self.counts.clear();
        self.first.clear();
        self.max_matched.clear();
        self.occurrences.clear();
    }

    /// Append an occurrence of the n-gram with this index, at most one more than the largest so far.
    fn push(&mut self, position: u32, index: u32) {
        if index as usize == self.counts.len() {
            self.counts.push(0);
            self.first.push(position);
        }
        self.counts[index as usize] += 1;
        self.occurrences.push((position, index));
    }

    /// Replace the content of `positions` with those of the n-grams that matched in some reference.
    fn matched_positions(&self, positions: &mut Vec<u32>) {
        let occurrences = self.occurrences.iter();
        select_into(positions, occurrences.map(|&(position, index)| (position, self.max_matched[index as usize] > 0)));
    }

    /// Return the number of matched n-grams, each counted at most as often as in one reference.
    fn clipped(&self) -> u64 {
        self.counts.iter().zip(&self.max_matched).map(|(&count, &max)| u64::from(count.min(max))).sum()
    }
}

impl TfidfVector {
    fn compute(&mut self, ngrams: &PredictionNgrams, order: usize, tfidf: PredictionTfidf<'_>) {
        let idf = |&first: &u32| tfidf.idf.of(tfidf.doc_freqs[first as usize][order - 1]);
        self.idf.clear();
        self.idf.extend(ngrams.first.iter().map(idf));
        self.weights.clear();
        self.weights.extend(ngrams.counts.iter().zip(&self.idf).map(|(&count, idf)| f64::from(count) * idf));
    }
}
