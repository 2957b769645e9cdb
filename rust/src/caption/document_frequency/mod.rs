//! Document frequencies: in how many documents each n-gram occurs, which CIDEr derives its weights from.
//!
//! A document is an item with all its references. An n-gram that occurs in one document weighs as much as one that occurs
//! in none, because the definition takes the logarithm of `max(1, doc_freq)`. So a table that is built for scoring keeps
//! only the n-grams that occur in at least two documents: a small part of all, which fits a cache.

mod pickle;
mod pickle_reader;
mod table;

use std::collections::BTreeSet;
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashMap;

pub(in crate::caption) use table::Frequencies;

use super::in_place::Segment;
use super::tfidf::idf::Idf;
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;
use crate::text::Table;
use crate::text::ngrams::{Key, MAX_ORDER, Seed, by_key_width, pack};
use crate::text::vocab::Vocab;

/// Upper bounds of the memory for a token and for an n-gram while a table is built.
const TOKEN_BYTES: usize = 128;
const NGRAM_BYTES: usize = 256;

/// Memory for tables of any size.
const SPARE_BYTES: usize = 2 << 20;

/// Document frequencies of n-grams of 1 to [`MAX_ORDER`] tokens.
#[derive(Debug)]
pub struct DocumentFrequency {
    vocab: Arc<Vocab>,
    idf: Idf,
    /// By token id. Zero for tokens that are not in the table, and for those in `zeros`.
    unigrams: Vec<u32>,
    /// Tokens that are in the table with a count of zero. Only tables that were not counted here have them.
    zeros: BTreeSet<u32>,
    tables: NgramTables,
    /// Whether no n-gram occurs in more documents than its parts. This holds for frequencies that were counted here.
    monotone: bool,
}

/// N-grams of two tokens and more, with the smallest key that the vocabulary allows.
#[derive(Debug)]
pub(in crate::caption) enum NgramTables {
    U64(OrderTables<u64>),
    U128(OrderTables<u128>),
}

/// Evaluate `$body` with `$tables` bound to the [`OrderTables`] of either width.
macro_rules! with_tables {
    ($ngram_tables:expr, $tables:ident => $body:expr) => {
        match $ngram_tables {
            NgramTables::U64($tables) => $body,
            NgramTables::U128($tables) => $body,
        }
    };
}

impl From<OrderTables<u64>> for NgramTables {
    fn from(tables: OrderTables<u64>) -> Self {
        Self::U64(tables)
    }
}

impl From<OrderTables<u128>> for NgramTables {
    fn from(tables: OrderTables<u128>) -> Self {
        Self::U128(tables)
    }
}

/// One table for each order from 2 to [`MAX_ORDER`].
#[derive(Debug, Default)]
pub(in crate::caption) struct OrderTables<K: Key>([Frequencies<K>; MAX_ORDER - 1]);

impl<K: Key> OrderTables<K> {
    /// Return the table of the n-grams of `order` tokens.
    pub fn of_order(&self, order: usize) -> &Frequencies<K> {
        &self.0[order - 2]
    }

    /// Return the same table for writing.
    pub fn of_order_mut(&mut self, order: usize) -> &mut Frequencies<K> {
        &mut self.0[order - 2]
    }

    /// Number of n-grams in all tables.
    fn len(&self) -> usize {
        self.0.iter().map(Frequencies::len).sum()
    }

    /// Iterate over all n-grams as token ids, with their counts.
    fn iter(&self) -> impl Iterator<Item = (Vec<u32>, u32)> + '_ {
        let of_order = |order| self.of_order(order).iter().map(move |(key, count)| (key.unpack(order), count));
        (2..=MAX_ORDER).flat_map(of_order)
    }

    fn from_counts(ngrams: &NgramsByOrder<'_>) -> Result<Self> {
        let mut tables = Self::default();
        for (order, ngrams) in (2..).zip(ngrams) {
            let mut counts = Table::new(Seed::default());
            counts.reset(ngrams.len());
            for (ids, count) in ngrams {
                let len = counts.len();
                counts.get_or_insert(pack::<K>(ids), *count);
                if counts.len() == len {
                    return Err(invalid(format!("duplicate n-gram of {} tokens", ids.len())));
                }
            }
            let counts = [counts.iter().collect()];
            *tables.of_order_mut(order) = Frequencies::new(Seed::default(), &counts, &Plan::new(Some(1)))?;
        }
        Ok(tables)
    }
}

/// N-grams of two tokens and more as token ids, with their counts, by order.
type NgramsByOrder<'i> = [Vec<(&'i [u32], u32)>; MAX_ORDER - 1];

impl DocumentFrequency {
    /// Wrap frequencies that were counted: `unigrams` by token id, with zeros for tokens that were not counted, and tables
    /// of longer n-grams.
    pub(in crate::caption) fn counted(vocab: Arc<Vocab>, idf: Idf, unigrams: Vec<u32>, tables: NgramTables) -> Self {
        Self { vocab, idf, unigrams, zeros: BTreeSet::new(), tables, monotone: true }
    }

    /// Build a table from the number of documents and, for each n-gram (its tokens), the number of documents that contain
    /// it.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a number of documents that is not finite and positive, an n-gram without tokens or with
    /// more than [`MAX_ORDER`], or a duplicate n-gram.
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

    /// Build a table from `tokens`, whose ids are 1, 2, …, and rows of token ids padded with zeros at the end.
    ///
    /// # Errors
    /// [`Error::Invalid`] for duplicate tokens, a different number of n-grams and counts, a zero between the ids of an
    /// n-gram, and for what [`DocumentFrequency::from_ids`] rejects.
    pub fn from_padded_ids<'t, N>(
        documents: f64,
        tokens: impl ExactSizeIterator<Item = &'t str>,
        ngrams: impl ExactSizeIterator<Item = N>,
        counts: impl ExactSizeIterator<Item = u32>,
    ) -> Result<Self>
    where
        N: IntoIterator<Item = u32>,
    {
        if ngrams.len() != counts.len() {
            return Err(invalid(format!("{} n-grams have {} counts", ngrams.len(), counts.len())));
        }
        memory::check::<u8>(tokens.len() * TOKEN_BYTES + SPARE_BYTES)?;
        let mut vocab = Vocab::default();
        for (index, token) in tokens.enumerate() {
            // At the first repetition: a file may repeat one token millions of times.
            if vocab.intern(token) as usize != index + 1 {
                return Err(invalid("duplicate token".to_owned()));
            }
        }
        let rows = ngrams.len();
        let ngrams = ngrams.enumerate().map(|(row, ids)| without_padding(row, ids));
        let mut padded = memory::with_capacity(rows)?;
        let mut longer = 0;
        for ngram in ngrams {
            let ngram = ngram?;
            longer += usize::from(ngram.1 > 1);
            padded.push(ngram);
        }
        memory::check::<u8>(longer * NGRAM_BYTES + SPARE_BYTES)?;
        let ngrams = padded.iter().map(|(ids, order)| &ids[..*order]);
        Self::from_ids(documents, vocab, ngrams.zip(counts))
    }

    /// Build a table like [`DocumentFrequency::from_padded_ids`] from tokens that are laid end to end in UTF-8.
    ///
    /// # Errors
    /// [`Error::Invalid`] for tokens that are not UTF-8 or not as long as `lengths` says, and for what
    /// [`DocumentFrequency::from_padded_ids`] rejects.
    pub fn from_encoded_tokens<N>(
        documents: f64,
        encoded: &[u8],
        lengths: &[u32],
        ngrams: impl ExactSizeIterator<Item = N>,
        counts: impl ExactSizeIterator<Item = u32>,
    ) -> Result<Self>
    where
        N: IntoIterator<Item = u32>,
    {
        // Before memory is taken for them: they take none in a file.
        if lengths.iter().filter(|&&length| length == 0).nth(1).is_some() {
            return Err(invalid("duplicate token".to_owned()));
        }
        let not_text = |_| invalid("tokens that are not UTF-8".to_owned());
        let mut rest = str::from_utf8(encoded).map_err(not_text)?;
        let mut tokens = memory::with_capacity(lengths.len())?;
        for &length in lengths {
            let Some((token, after)) = rest.split_at_checked(length as usize) else {
                return Err(invalid("lengths of tokens that do not fit the tokens".to_owned()));
            };
            tokens.push(token);
            rest = after;
        }
        if !rest.is_empty() {
            return Err(invalid("lengths of tokens that do not fit the tokens".to_owned()));
        }
        Self::from_padded_ids(documents, tokens.into_iter(), ngrams, counts)
    }

    /// Build a table from n-grams that are token ids of `vocab`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a number of documents that is not finite and positive, an n-gram without tokens or with
    /// more than [`MAX_ORDER`], a token id that is not in `vocab`, or a duplicate n-gram.
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
        let mut ngrams: NgramsByOrder<'i> = Default::default();
        for (row, (ids, count)) in counts.into_iter().enumerate() {
            if let Some(id) = ids.iter().find(|&&id| id == 0 || id > vocab.max_id()) {
                return Err(invalid(format!("n-gram {row} has token id {id}, needs 1 to {}", vocab.max_id())));
            }
            match *ids {
                [id] => {
                    if unigrams[id as usize] != 0 || zeros.contains(&id) {
                        return Err(invalid(format!("n-gram {row} is a duplicate")));
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
        let tables = by_key_width!(vocab.max_id(), K => OrderTables::<K>::from_counts(&ngrams)?.into());
        Ok(Self { vocab: Arc::new(vocab), idf: Idf::new(documents), unigrams, zeros, tables, monotone: false })
    }

    /// Add up the tables of several sets of documents, none of which is in two of them.
    ///
    /// # Errors
    /// [`Error::Empty`] without tables, [`Error::Invalid`] for an n-gram that occurs in too many documents to be counted;
    /// [`Error::Memory`].
    pub fn merge(tables: &[Arc<Self>]) -> Result<Self> {
        if tables.is_empty() {
            return Err(Error::Empty("tables"));
        }
        memory::check::<u8>(tables.iter().map(|table| table.len() * NGRAM_BYTES).sum::<usize>() + SPARE_BYTES)?;
        let mut vocab = Vocab::default();
        let mut counts: HashMap<[u32; MAX_ORDER], u32, RandomState> = HashMap::default();
        for table in tables {
            let ids: Vec<u32> = (0..=table.vocab.max_id())
                .map(|id| table.vocab.token(id).filter(|_| id > 0).map_or(0, |token| vocab.intern(&token)))
                .collect();
            for (ngram, count) in table.sorted() {
                let mut key = [0; MAX_ORDER];
                key.iter_mut().zip(&ngram).for_each(|(id, &old)| *id = ids[old as usize]);
                let sum = counts.entry(key).or_insert(0);
                *sum = sum
                    .checked_add(count)
                    .ok_or_else(|| invalid(format!("an n-gram occurs in more than {} documents", u32::MAX)))?;
            }
        }
        let documents = tables.iter().map(|table| table.documents()).sum();
        let order = |ngram: &[u32; MAX_ORDER]| ngram.iter().take_while(|&&id| id > 0).count();
        let merged =
            Self::from_ids(documents, vocab, counts.iter().map(|(ngram, &count)| (&ngram[..order(ngram)], count)))?;
        // A sum is at most the sum of larger numbers.
        Ok(Self { monotone: tables.iter().all(|table| table.monotone), ..merged })
    }

    /// Read a table from a file of Python's pickle format, `{"ref_len": number, "document_frequency": {n-gram: number}}`.
    ///
    /// Nothing in the file is executed. Time and memory are proportional to its length.
    ///
    /// # Errors
    /// [`Error::Invalid`] for bytes that are not such a table, or a table that [`DocumentFrequency::from_ids`] rejects.
    pub fn from_pickle(bytes: &[u8]) -> Result<Self> {
        let pickle::PickledCounts { documents, vocab, counts } = pickle::read_counts(bytes)?;
        memory::check::<u8>(counts.len() * NGRAM_BYTES)?;
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

    /// The vocabulary of the token ids. Text to be looked up is tokenized on top of it.
    pub fn vocab(&self) -> &Arc<Vocab> {
        &self.vocab
    }

    /// Return the number of documents that contain the n-gram of these token ids; 0 if it is not in the table.
    pub fn get(&self, ngram: &[u32]) -> u32 {
        let max_id = self.vocab.max_id();
        if ngram.len() > MAX_ORDER || ngram.iter().any(|&token| token > max_id) {
            return 0;
        }
        match *ngram {
            [] => 0,
            [token] => self.unigrams.get(token as usize).copied().unwrap_or(0),
            _ => with_tables!(&self.tables, tables => tables.of_order(ngram.len()).get(pack(ngram))),
        }
    }

    /// Replace each n-gram of `order` tokens, two or more, by its document frequency, or by 0 if that is 1 (see
    /// [`Idf::of`]).
    pub(in crate::caption) fn look_up<K: Key>(&self, ngrams: Segment<'_, K>, order: usize) {
        with_tables!(&self.tables, tables => tables.of_order(order).look_up(ngrams, order));
    }

    /// Prepare for looking up `lookups` n-grams of one of the `1 << bits` partitions of the hash.
    pub(in crate::caption) fn prefetch(&self, order: usize, partition: usize, bits: u32, lookups: usize) {
        with_tables!(&self.tables, tables => tables.of_order(order).prefetch(partition, bits, lookups));
    }

    /// Return the seed of the hash by which the table of the n-grams of `order` tokens is sorted.
    pub(in crate::caption) fn seed(&self, order: usize) -> Seed {
        with_tables!(&self.tables, tables => tables.of_order(order).seed())
    }

    pub(in crate::caption) fn is_monotone(&self) -> bool {
        self.monotone
    }

    /// Number of n-grams in the tables.
    pub fn len(&self) -> usize {
        let tokens = self.unigrams.iter().filter(|&&count| count > 0).count() + self.zeros.len();
        tokens + with_tables!(&self.tables, tables => tables.len())
    }

    /// Whether the tables are empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Return a 64-bit hash of the number of documents and of all n-grams with their counts.
    ///
    /// Signatures of scores contain it, so its definition never changes: the wrapping sum of [`fingerprint_hash`] over
    /// the bits of the number of documents and over each n-gram. An n-gram is hashed as the hashes of its tokens' UTF-8
    /// bytes followed by its count, all little-endian. A sum, so that neither the order of the n-grams nor the token ids
    /// matter.
    pub fn fingerprint(&self) -> u64 {
        let token_hash = |id| fingerprint_hash(self.vocab.token(id).unwrap_or_default().as_bytes());
        let token_hashes: Vec<u64> = (0..=self.vocab.max_id()).map(token_hash).collect();
        let ngram_hash = |(ids, count): (Vec<u32>, u32)| {
            let tokens = ids.iter().flat_map(|&id| token_hashes[id as usize].to_le_bytes());
            fingerprint_hash(&tokens.chain(count.to_le_bytes()).collect::<Vec<u8>>())
        };
        let documents = fingerprint_hash(&self.documents().to_bits().to_le_bytes());
        self.ngrams().into_iter().map(ngram_hash).fold(documents, u64::wrapping_add)
    }

    /// Return all n-grams as token ids, with their counts, sorted by token ids.
    pub fn sorted(&self) -> Vec<(Vec<u32>, u32)> {
        let mut ngrams = self.ngrams();
        ngrams.sort_unstable();
        ngrams
    }

    fn ngrams(&self) -> Vec<(Vec<u32>, u32)> {
        let mut ngrams: Vec<_> = with_tables!(&self.tables, tables => tables.iter().collect());
        let unigrams = (0u32..).zip(&self.unigrams).filter(|&(_, &count)| count > 0);
        ngrams.extend(unigrams.map(|(token, &count)| (vec![token], count)));
        ngrams.extend(self.zeros.iter().map(|&token| (vec![token], 0)));
        ngrams
    }
}

/// Return the ids of an n-gram and their number, without the zeros at its end.
fn without_padding(row: usize, ids: impl IntoIterator<Item = u32>) -> Result<([u32; MAX_ORDER], usize)> {
    let (mut kept, mut order) = ([0; MAX_ORDER], 0);
    for (index, id) in ids.into_iter().enumerate().filter(|&(_, id)| id > 0) {
        if index > order {
            return Err(invalid(format!("n-gram {row} has a zero before its last token")));
        }
        order += 1;
        if let Some(slot) = kept.get_mut(index) {
            *slot = id;
        }
    }
    if !(1..=MAX_ORDER).contains(&order) {
        return Err(invalid(format!("n-gram {row} has {order} tokens, needs 1 to {MAX_ORDER}")));
    }
    Ok((kept, order))
}

/// Return the FNV-1a hash of some bytes, with a final mix (multiply by the golden ratio, xor-shift), so that sums of
/// hashes are well distributed.
pub(in crate::caption) fn fingerprint_hash(bytes: &[u8]) -> u64 {
    let fnv_1a = bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash: u64, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let mixed = (fnv_1a ^ (fnv_1a >> 32)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ (mixed >> 29)
}

fn invalid(problem: String) -> Error {
    Error::Invalid { parameter: "document_frequency", problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_can_be_looked_up() {
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
    fn extreme_counts_round_trip() {
        let counts = [(vec!["a"], u32::MAX), (vec!["b"], 0), (vec!["a", "b"], u32::MAX), (vec!["b", "b"], 0)];
        let frequency = DocumentFrequency::from_counts(9.0, counts).unwrap();
        let expected = [(vec![1], u32::MAX), (vec![1, 2], u32::MAX), (vec![2], 0), (vec![2, 2], 0)];
        assert_eq!(frequency.sorted(), expected);
        assert_eq!((frequency.len(), frequency.get(&[1]), frequency.get(&[2])), (4, u32::MAX, 0));
    }

    #[test]
    fn invalid_counts_are_errors() {
        let fails =
            |documents, counts: Vec<(Vec<&str>, u32)>| DocumentFrequency::from_counts(documents, counts).is_err();
        assert!(fails(0.0, vec![]));
        assert!(fails(f64::NAN, vec![]));
        assert!(fails(1.0, vec![(vec![], 1)]));
        assert!(fails(1.0, vec![(vec!["a"; 5], 1)]));
        assert!(fails(1.0, vec![(vec!["a"], 1), (vec!["a"], 1)]));
        assert!(fails(1.0, vec![(vec!["a"], 0), (vec!["a"], 0)]));
        assert!(fails(1.0, vec![(vec!["a"], 0), (vec!["a"], 1)]));
    }

    #[test]
    fn padded_ids_are_checked() {
        let build = |tokens: &[&'static str], ngrams: &[[u32; 3]], counts: &[u32]| {
            let (tokens, counts) = (tokens.iter().copied(), counts.iter().copied());
            let frequency = DocumentFrequency::from_padded_ids(9.0, tokens, ngrams.iter().copied(), counts);
            frequency.map(|frequency| frequency.sorted()).map_err(|error| error.to_string())
        };
        let error = |problem: &str| Err(format!("document_frequency: {problem}"));
        assert_eq!(build(&["a", "b"], &[[2, 1, 0], [1, 0, 0]], &[5, 6]), Ok(vec![(vec![1], 6), (vec![2, 1], 5)]));
        assert_eq!(build(&["a", "b"], &[[2, 1, 0]], &[5, 6]), error("1 n-grams have 2 counts"));
        assert_eq!(build(&["a", "a"], &[[1, 0, 0]], &[5]), error("duplicate token"));
        assert_eq!(build(&["a"], &[[1, 0, 0], [1, 0, 1]], &[5, 6]), error("n-gram 1 has a zero before its last token"));
        assert_eq!(build(&["a"], &[[0, 0, 0]], &[5]), error("n-gram 0 has 0 tokens, needs 1 to 4"));
        assert_eq!(build(&["a"], &[[1, 2, 0]], &[5]), error("n-gram 0 has token id 2, needs 1 to 1"));
    }

    #[test]
    fn the_fingerprint_never_changes() {
        let counts = [(vec!["红", "裙"], 3), (vec!["红"], 5), (vec!["a", "b", "c", "d"], 1)];
        let frequency = DocumentFrequency::from_counts(9.0, counts).unwrap();
        assert_eq!(frequency.fingerprint(), 0x6083_9098_3942_933b);
    }
}
