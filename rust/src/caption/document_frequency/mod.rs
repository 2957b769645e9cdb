//! In how many documents each n-gram occurs: what CIDEr weighs n-grams by.
//!
//! A document is an item with all its references. An n-gram that occurs in one document weighs as much as one that
//! occurs in none (the definition takes the logarithm of `max(1, count)`), so a table made only for scoring keeps
//! the n-grams of two documents and more: a small part of all, and it fits a cache.

mod pickle;
mod pickle_reader;
mod table;

use std::collections::BTreeSet;
use std::sync::Arc;

pub(in crate::caption) use table::Frequencies;

use crate::caption::tfidf::idf::Idf;
use crate::error::{Error, Result};
use crate::parallel::Plan;
use crate::text::Table;
use crate::text::ngrams::{Key, MAX_ORDER, Seed, pack};
use crate::text::vocab::Vocab;

/// Document frequencies of n-grams of 1 to [`MAX_ORDER`] tokens.
#[derive(Debug)]
pub struct DocumentFrequency {
    vocab: Arc<Vocab>,
    idf: Idf,
    /// By token id. Zero where the table has no entry, and for those in `zeros`.
    unigrams: Vec<u32>,
    /// Tokens that are in the table with a count of zero, which only tables from elsewhere have.
    zeros: BTreeSet<u32>,
    longer: Longer,
    /// Whether no n-gram is in more documents than its parts. Counted frequencies are so, given ones may not be.
    monotone: bool,
}

/// N-grams of two tokens and more.
#[derive(Debug)]
pub(in crate::caption) enum Longer {
    Narrow([Frequencies<u64>; MAX_ORDER - 1]),
    Wide([Frequencies<u128>; MAX_ORDER - 1]),
}

impl DocumentFrequency {
    /// From counts by token id, where zero stands for "not counted", and tables of longer n-grams.
    pub(in crate::caption) fn counted(vocab: Arc<Vocab>, idf: Idf, unigrams: Vec<u32>, longer: Longer) -> Self {
        Self { vocab, idf, unigrams, zeros: BTreeSet::new(), longer, monotone: true }
    }

    /// Frequencies known from elsewhere, for instance a file: `documents` in all, and for each n-gram (its tokens)
    /// the number of documents that hold it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a number of documents that is not finite and positive, an n-gram of no or too many
    /// tokens, or an n-gram that comes twice.
    pub fn from_counts<'t, N>(documents: f64, counts: impl IntoIterator<Item = (N, u32)>) -> Result<Self>
    where
        N: IntoIterator<Item = &'t str>,
    {
        let mut vocab = Vocab::default();
        let counts: Vec<(Vec<u32>, u32)> = counts
            .into_iter()
            .map(|(tokens, count)| (tokens.into_iter().map(|token| vocab.intern(token)).collect(), count))
            .collect();
        Self::from_ids(documents, vocab, counts.iter().map(|(ids, count)| (ids.as_slice(), *count)))
    }

    /// The same for n-grams that are token ids of `vocab` already.
    ///
    /// # Errors
    /// As [`DocumentFrequency::from_counts`], and [`Error::Invalid`] for an id that `vocab` does not have.
    pub fn from_ids<'i>(
        documents: f64,
        vocab: Vocab,
        counts: impl IntoIterator<Item = (&'i [u32], u32)>,
    ) -> Result<Self> {
        if !(documents.is_finite() && documents > 0.0) {
            return Err(invalid(format!("number of documents is {documents}, needs a positive number")));
        }
        let mut unigrams = vec![0; vocab.max_id() as usize + 1];
        let mut zeros = BTreeSet::new();
        let mut ngrams: Ngrams<'i> = Default::default();
        for (row, (ids, count)) in counts.into_iter().enumerate() {
            if let Some(id) = ids.iter().find(|&&id| id == 0 || id > vocab.max_id()) {
                return Err(invalid(format!("n-gram {row} has token id {id}, there are 1 to {}", vocab.max_id())));
            }
            match *ids {
                [id] => {
                    if unigrams[id as usize] != 0 || zeros.contains(&id) {
                        return Err(invalid(format!("n-gram {row} comes a second time")));
                    }
                    unigrams[id as usize] = count;
                    if count == 0 {
                        zeros.insert(id);
                    }
                }
                [_, .., _] if ids.len() <= MAX_ORDER => ngrams[ids.len() - 2].push((ids, count)),
                _ => return Err(invalid(format!("n-gram {row} has {} tokens, needs 1 to {MAX_ORDER}", ids.len()))),
            }
        }
        let narrow = vocab.max_id() <= u64::MAX_TOKEN;
        let longer = if narrow { Longer::Narrow(fill(&ngrams)?) } else { Longer::Wide(fill(&ngrams)?) };
        Ok(Self { vocab: Arc::new(vocab), idf: Idf::new(documents), unigrams, zeros, longer, monotone: false })
    }

    /// The table in a file of Python's pickle format, `{"ref_len": number, "document_frequency": {n-gram: number}}`,
    /// which is read without running anything. Time and memory follow the length of the file.
    ///
    /// # Errors
    /// [`Error::Invalid`] for bytes that are no such table, or a table that [`DocumentFrequency::from_ids`] refuses.
    pub fn from_pickle(bytes: &[u8]) -> Result<Self> {
        let pickle::PickledCounts { documents, vocab, counts } = pickle::read_counts(bytes)?;
        let order = |ngram: &[u32]| ngram.iter().take_while(|&&id| id > 0).count();
        let counts = counts.iter().map(|(ngram, &count)| (&ngram[..order(ngram)], count));
        Self::from_ids(documents, vocab, counts)
    }

    /// Number of documents.
    pub fn documents(&self) -> f64 {
        self.idf.documents()
    }

    pub(in crate::caption) fn idf(&self) -> &Idf {
        &self.idf
    }

    /// The vocabulary that the tables speak; new text is tokenized on top of it.
    pub fn vocab(&self) -> &Arc<Vocab> {
        &self.vocab
    }

    /// Number of documents that hold the n-gram of these token ids; 0 if it is not in the table.
    pub fn get(&self, ngram: &[u32]) -> u32 {
        let known = self.vocab.max_id();
        if ngram.len() > MAX_ORDER || ngram.iter().any(|&token| token > known) {
            return 0;
        }
        match *ngram {
            [] => 0,
            [token] => self.unigram(token),
            _ => match &self.longer {
                Longer::Narrow(orders) => orders[ngram.len() - 2].get(pack(ngram)),
                Longer::Wide(orders) => orders[ngram.len() - 2].get(pack(ngram)),
            },
        }
    }

    #[inline]
    fn unigram(&self, token: u32) -> u32 {
        self.unigrams.get(token as usize).copied().unwrap_or(0)
    }

    /// Put in the place of each n-gram of `order` tokens, two or more, the number of documents that hold it.
    ///
    /// Zero stands for one too: an n-gram of one document weighs as much as one of none.
    pub(in crate::caption) fn look_up<K: Key>(&self, ngrams: &mut [K], order: usize) {
        match &self.longer {
            Longer::Narrow(orders) => orders[order - 2].look_up(ngrams, |key| key.narrow(order)),
            Longer::Wide(orders) => orders[order - 2].look_up(ngrams, |key| Some(key.wide(order))),
        }
    }

    /// Make ready for `lookups` n-grams of one partition of the hash, of which there are `1 << bits`.
    pub(in crate::caption) fn fetch(&self, order: usize, partition: usize, bits: u32, lookups: usize) {
        match &self.longer {
            Longer::Narrow(orders) => orders[order - 2].fetch(partition, bits, lookups),
            Longer::Wide(orders) => orders[order - 2].fetch(partition, bits, lookups),
        }
    }

    /// The hash by which the n-grams of `order` tokens are arranged.
    pub(in crate::caption) fn seed(&self, order: usize) -> Seed {
        match &self.longer {
            Longer::Narrow(orders) => orders[order - 2].seed(),
            Longer::Wide(orders) => orders[order - 2].seed(),
        }
    }

    pub(in crate::caption) fn is_monotone(&self) -> bool {
        self.monotone
    }

    /// Number of n-grams in the tables.
    pub fn len(&self) -> usize {
        self.unigrams.iter().filter(|&&count| count > 0).count()
            + self.zeros.len()
            + match &self.longer {
                Longer::Narrow(orders) => orders.iter().map(Frequencies::len).sum::<usize>(),
                Longer::Wide(orders) => orders.iter().map(Frequencies::len).sum::<usize>(),
            }
    }

    /// Whether the tables are empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A number that tells two tables apart, whatever the order in which they were made.
    pub fn fingerprint(&self) -> u64 {
        let tokens: Vec<u64> =
            (0..=self.vocab.max_id()).map(|id| mix(self.vocab.token(id).unwrap_or_default().as_bytes())).collect();
        let ngram = |(ids, count): (Vec<u32>, u32)| {
            let bytes = ids.iter().flat_map(|&id| tokens[id as usize].to_le_bytes()).chain(count.to_le_bytes());
            mix(&bytes.collect::<Vec<u8>>())
        };
        // Sums do not depend on the order.
        let start = mix(&self.documents().to_bits().to_le_bytes());
        self.ngrams().into_iter().map(ngram).fold(start, u64::wrapping_add)
    }

    /// All n-grams as token ids, with their counts, in the order of their ids.
    pub fn sorted(&self) -> Vec<(Vec<u32>, u32)> {
        let mut ngrams = self.ngrams();
        ngrams.sort_unstable();
        ngrams
    }

    fn ngrams(&self) -> Vec<(Vec<u32>, u32)> {
        fn all<K: Key>(orders: &[Frequencies<K>]) -> Vec<(Vec<u32>, u32)> {
            let ngrams = |(place, frequencies): (usize, &Frequencies<K>)| {
                let unpack = |(key, count): (K, u32)| (key.unpack(place + 2), count);
                frequencies.iter().map(unpack).collect::<Vec<_>>()
            };
            orders.iter().enumerate().flat_map(ngrams).collect()
        }
        let mut ngrams = match &self.longer {
            Longer::Narrow(orders) => all(orders),
            Longer::Wide(orders) => all(orders),
        };
        let unigrams = (0u32..).zip(&self.unigrams).filter(|&(_, &count)| count > 0);
        ngrams.extend(unigrams.map(|(token, &count)| (vec![token], count)));
        ngrams.extend(self.zeros.iter().map(|&token| (vec![token], 0)));
        ngrams
    }
}

/// N-grams of two tokens and more with their counts, by order.
type Ngrams<'i> = [Vec<(&'i [u32], u32)>; MAX_ORDER - 1];

fn fill<K: Key>(ngrams: &Ngrams<'_>) -> Result<[Frequencies<K>; MAX_ORDER - 1]> {
    let mut orders = [(); MAX_ORDER - 1].map(|()| Frequencies::default());
    for (order, ngrams) in orders.iter_mut().zip(ngrams) {
        let mut known = Table::new(Seed::default());
        known.reset(ngrams.len());
        for (tokens, count) in ngrams {
            let before = known.len();
            known.get_or_insert(pack::<K>(tokens), *count);
            if known.len() == before {
                return Err(invalid(format!("an n-gram of {} tokens comes twice", tokens.len())));
            }
        }
        *order = Frequencies::new(Seed::default(), &[known.iter().collect()], &Plan::new(Some(1)))?;
    }
    Ok(orders)
}

/// FNV-1a with a last shuffle, so that sums of such numbers spread well.
fn mix(bytes: &[u8]) -> u64 {
    let hash = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let hash = (hash ^ (hash >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    hash ^ (hash >> 29)
}

fn invalid(problem: String) -> Error {
    Error::Invalid { parameter: "document_frequency", problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_from_elsewhere_are_found_again() {
        let counts = [(vec!["红", "裙"], 3), (vec!["红"], 5), (vec!["a", "b", "c", "d"], 1)];
        let frequency = DocumentFrequency::from_counts(9.0, counts).unwrap();
        let ids = |tokens: &[&str]| tokens.iter().map(|t| frequency.vocab().get(t).unwrap()).collect::<Vec<_>>();
        assert_eq!(frequency.get(&ids(&["红", "裙"])), 3);
        assert_eq!(frequency.get(&ids(&["裙", "红"])), 0);
        assert_eq!(frequency.get(&[99]), 0);
        assert_eq!(frequency.len(), 3);
        assert_eq!(frequency.sorted()[1], (ids(&["红", "裙"]), 3));
    }

    #[test]
    fn extreme_counts_come_back() {
        let counts = [(vec!["a"], u32::MAX), (vec!["b"], 0), (vec!["a", "b"], u32::MAX), (vec!["b", "b"], 0)];
        let frequency = DocumentFrequency::from_counts(9.0, counts).unwrap();
        let given = [(vec![1], u32::MAX), (vec![1, 2], u32::MAX), (vec![2], 0), (vec![2, 2], 0)];
        assert_eq!(frequency.sorted(), given);
        assert_eq!((frequency.len(), frequency.get(&[1]), frequency.get(&[2])), (4, u32::MAX, 0));
    }

    #[test]
    fn broken_counts_are_refused() {
        let refused =
            |documents, counts: Vec<(Vec<&str>, u32)>| DocumentFrequency::from_counts(documents, counts).is_err();
        assert!(refused(0.0, vec![]));
        assert!(refused(f64::NAN, vec![]));
        assert!(refused(1.0, vec![(vec![], 1)]));
        assert!(refused(1.0, vec![(vec!["a"; 5], 1)]));
        assert!(refused(1.0, vec![(vec!["a"], 1), (vec!["a"], 1)]));
        assert!(refused(1.0, vec![(vec!["a"], 0), (vec!["a"], 0)]));
        assert!(refused(1.0, vec![(vec!["a"], 0), (vec!["a"], 1)]));
    }
}
