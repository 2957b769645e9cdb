//! Which n-grams of a prediction occur in its references, and how often: the shared work of BLEU and CIDEr.
//!
//! Only the prediction's n-grams go into a hash table; references merely probe it. The table holds a few dozen
//! n-grams and stays in the first-level cache. An n-gram can only match where both its parts of one token less did, so
//! each order looks only at the places that the last one left over, in the references and in the prediction.

use std::ops::Range;

use super::cider::{Cider, Products};
use super::shared_tokens::{CommonTokens, Found};
use super::tfidf::idf::Idf;
use super::tfidf::{Counts, Norms};
use crate::error::Result;
use crate::parallel::Plan;
use crate::text::Table;
use crate::text::ngrams::{Key, MAX_ORDER, Seed, pack};
use crate::text::tokens::Tokens;

/// Sums over the references of one item.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Matches {
    /// Matched n-grams for BLEU: each counted at most as often as in the reference that has it most often.
    pub clipped: [u64; MAX_ORDER],
    pub cider_d: [f64; MAX_ORDER],
    pub cider: [f64; MAX_ORDER],
}

/// Buffers for comparing a prediction with its references, one for each thread.
#[derive(Debug)]
pub(super) struct Matcher<K> {
    /// The prediction's distinct n-grams of two tokens and more, numbered by first occurrence.
    table: Table<K>,
    distinct: Distinct,
    vector: Vector,
    /// Places in the prediction whose n-grams of the last order matched in some reference.
    own_places: Vec<u32>,
    /// For each reference, the places where its n-grams of the last order matched.
    places: Vec<Vec<u32>>,
    /// Counts of the prediction's n-grams in the reference at hand, and which of them are not zero.
    matched: Vec<u32>,
    touched: Vec<u64>,
    penalties: Vec<f64>,
}

/// The prediction's distinct n-grams of one order, as far as they may match.
#[derive(Debug, Default)]
struct Distinct {
    counts: Vec<u32>,
    /// Place of the first occurrence.
    first: Vec<u32>,
    /// The largest count in any reference.
    most: Vec<u32>,
    /// Places of all of them, and the number of the n-gram at each.
    at: Vec<(u32, u32)>,
}

/// The prediction's tf-idf vector of one order.
#[derive(Debug, Default)]
struct Vector {
    idf: Vec<f64>,
    /// Count times idf.
    weighted: Vec<f64>,
}

/// What CIDEr needs to know about a prediction and its references.
#[derive(Debug, Clone, Copy)]
pub(super) struct Weighted<'a> {
    pub idf: &'a Idf,
    /// Of the prediction.
    pub norms: &'a Norms,
    /// For each token of the prediction.
    pub counts: &'a [Counts],
    /// Of all references, by text.
    pub reference_norms: &'a [Norms],
    pub cider: &'a Cider,
}

impl<K: Key> Matcher<K> {
    pub fn new() -> Self {
        Self {
            table: Table::new(Seed::default()),
            distinct: Distinct::default(),
            vector: Vector::default(),
            own_places: Vec::new(),
            places: Vec::new(),
            matched: Vec::new(),
            touched: Vec::new(),
            penalties: Vec::new(),
        }
    }

    /// Compare a prediction with the references in `texts`, with which it has the tokens `common`; CIDEr is computed if
    /// there are weights for it.
    pub fn compare(
        &mut self,
        prediction: &[u32],
        common: &CommonTokens,
        tokens: &Tokens,
        texts: Range<usize>,
        weighted: Option<Weighted<'_>>,
        plan: &Plan,
    ) -> Result<Matches> {
        let mut matches = Matches::default();
        self.penalties.clear();
        if let Some(Weighted { cider, .. }) = weighted {
            let penalty = |text| cider.length_penalty(prediction.len(), tokens.get(text).len());
            self.penalties.extend(texts.clone().map(penalty));
        }
        self.places.resize(self.places.len().max(texts.len()), Vec::new());
        for order in 1..=MAX_ORDER {
            self.number(prediction, common, order);
            if let Some(weighted) = weighted {
                self.vector.weigh(&self.distinct, order, weighted);
            }
            for (reference, text) in texts.clone().enumerate() {
                plan.check()?;
                match order {
                    1 => self.take_tokens(common.of(reference), reference),
                    _ => self.probe(tokens.get(text), reference, order),
                }
                if let Some(Weighted { norms, reference_norms, .. }) = weighted {
                    let Vector { weighted, idf } = &self.vector;
                    let products = Products::sum(weighted, idf, &self.matched, &self.touched);
                    let cosines = products.over(norms[order - 1], reference_norms[text][order - 1]);
                    matches.cider_d[order - 1] += cosines.clipped * self.penalties[reference];
                    matches.cider[order - 1] += cosines.plain;
                }
                self.forget();
            }
            matches.clipped[order - 1] = self.distinct.clipped();
        }
        Ok(matches)
    }

    /// Number and count the prediction's n-grams, those that may match.
    fn number(&mut self, prediction: &[u32], common: &CommonTokens, order: usize) {
        if order == 1 {
            self.distinct.clear();
            (0u32..).zip(&common.own).for_each(|(place, &number)| self.distinct.push(place, number));
        } else {
            self.distinct.matched(&mut self.own_places);
            keep_pairs(&mut self.own_places);
            self.distinct.clear();
            self.table.reset(self.own_places.len());
            for &place in &self.own_places {
                let ngram = &prediction[place as usize..place as usize + order];
                let number = self.table.get_or_insert(pack(ngram), self.distinct.counts.len() as u32);
                self.distinct.push(place, number);
            }
        }
        let count = self.distinct.counts.len();
        self.distinct.most.resize(count, 0);
        self.matched.resize(self.matched.len().max(count), 0);
        self.touched.resize(self.touched.len().max(count.div_ceil(64)), 0);
    }

    /// Count the prediction's tokens in one reference.
    fn take_tokens(&mut self, found: &Found, index: usize) {
        self.places[index].clone_from(&found.places);
        found.numbers.iter().for_each(|&number| hit(&mut self.matched, &mut self.touched, Some(number)));
    }

    /// Count the prediction's n-grams in one reference, at the places that the last order left over.
    fn probe(&mut self, reference: &[u32], index: usize, order: usize) {
        let places = &mut self.places[index];
        keep_pairs(places);
        let mut kept = 0;
        for next in 0..places.len() {
            let place = places[next];
            let number = self.table.get(pack(&reference[place as usize..place as usize + order]));
            hit(&mut self.matched, &mut self.touched, number);
            places[kept] = place;
            kept += usize::from(number.is_some());
        }
        places.truncate(kept);
    }

    /// Keep the largest counts and clear those of the reference at hand.
    fn forget(&mut self) {
        for (word, bits) in self.touched.iter_mut().enumerate() {
            for bit in ones(std::mem::take(bits)) {
                let number = word * 64 + bit;
                let most = &mut self.distinct.most[number];
                *most = (*most).max(std::mem::take(&mut self.matched[number]));
            }
        }
    }
}

/// Count an n-gram of the reference, if the prediction has it. Whether it does is hard to foresee, so what is not there
/// adds zero to the first one.
#[inline]
fn hit(matched: &mut [u32], touched: &mut [u64], number: Option<u32>) {
    let (number, once) = (number.unwrap_or_default(), number.is_some());
    matched[number as usize] += u32::from(once);
    touched[number as usize / 64] |= u64::from(once) << (number % 64);
}

/// Keep the places that the next place follows: there both parts of a longer n-gram matched.
fn keep_pairs(places: &mut Vec<u32>) {
    let mut kept = 0;
    for next in 1..places.len() {
        let place = places[next - 1];
        places[kept] = place;
        kept += usize::from(places[next] == place + 1);
    }
    places.truncate(kept);
}

/// The places of the one bits of a word, from the lowest.
pub(super) fn ones(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let bit = word.trailing_zeros();
        word &= word.wrapping_sub(1);
        (bit < u64::BITS).then_some(bit as usize)
    })
}

impl Distinct {
    fn clear(&mut self) {
        self.counts.clear();
        self.first.clear();
        self.most.clear();
        self.at.clear();
    }

    fn push(&mut self, place: u32, number: u32) {
        if number as usize == self.counts.len() {
            self.counts.push(0);
            self.first.push(place);
        }
        self.counts[number as usize] += 1;
        self.at.push((place, number));
    }

    /// The places of those that matched in some reference.
    fn matched(&self, places: &mut Vec<u32>) {
        places.resize(self.at.len(), 0);
        let mut kept = 0;
        for &(place, number) in &self.at {
            places[kept] = place;
            kept += usize::from(self.most[number as usize] > 0);
        }
        places.truncate(kept);
    }

    fn clipped(&self) -> u64 {
        self.counts.iter().zip(&self.most).map(|(&own, &most)| u64::from(own.min(most))).sum()
    }
}

impl Vector {
    fn weigh(&mut self, distinct: &Distinct, order: usize, weighted: Weighted<'_>) {
        let idf = |&first: &u32| weighted.idf.of(weighted.counts[first as usize][order - 1]);
        self.idf.clear();
        self.idf.extend(distinct.first.iter().map(idf));
        self.weighted.clear();
        self.weighted.extend(distinct.counts.iter().zip(&self.idf).map(|(&count, idf)| f64::from(count) * idf));
    }
}
