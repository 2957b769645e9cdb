//! The tf-idf statistics of CIDEr: document frequencies of n-grams, and norms of tf-idf vectors.
//!
//! # The idea
//!
//! A document is an item with all its texts. The document frequency of an n-gram, the number of items that contain it, is
//! a group-by: send each n-gram of each item once, group by n-gram, count. Texts then need the result at every position,
//! for the norm of the tf-idf vector. One hash table over all n-grams would miss the cache at almost every access, so the
//! group-by is partitioned by hash, as databases do it. Each order (1 to 4 tokens) takes three passes:
//!
//! 1. **Partition** ([`partition`]), by block of items: write each n-gram of an item, once, to the partition that the
//!    first bits of its hash name.
//! 2. **Aggregate** ([`aggregate`]), by partition: count equal n-grams of references in a small hash table, and look the
//!    n-grams of predictions up in it; or look all n-grams up in a table that was built before. The document frequency
//!    replaces the n-gram in memory.
//! 3. **Read back** ([`read_back`]), by block of items: visit the n-grams in the order of pass 1 and take the next document
//!    frequency of the partition that each belongs to.
//!
//! Single tokens need no partitions: an array by token id counts them ([`unigrams`]).
//!
//! | word | meaning |
//! | --- | --- |
//! | item | a prediction, or all references that one prediction is compared with |
//! | block | consecutive items, which one thread takes through passes 1 and 3 |
//! | partition | all n-grams, of any block, whose hashes start with the same bits |
//! | segment | the n-grams that one block sends to one partition |
//! | column | the segments of one partition, one for each block |
//! | stretch | adjacent buckets of a table that is built, such as those of one partition |
//!
//! # Why it is fast
//!
//! - *Everything random happens in a cache.* On average, at most 8,191 n-grams share a partition, unless the texts have
//!   2²⁵ tokens or more. Its hash table fits the second-level cache. A block of items has about 65,536 tokens at most,
//!   unless one item is larger, so the sort by partition in pass 1 and the reads of pass 3 stay in a cache as well. Main
//!   memory is read and written sequentially.
//! - *No position travels with an n-gram.* Passes 1 and 3 visit the same n-grams in the same order (`traversal.rs`), so the
//!   document frequencies of a partition come back in the order in which its n-grams were sent.
//! - *Orders are counted one after the other, with pruning.* An n-gram occurs in no more items than either of its parts,
//!   its two (n-1)-grams. If a part occurs in only one item, the n-gram occurs in at most one: its document frequency is
//!   taken to be 1, which weighs as much as 0, and it is not sent. If a part occurs only once in its item, so does the
//!   n-gram: it cannot repeat, and no table has to check. Both conclusions are exact. In a small set they spare most
//!   n-grams of three and four tokens. Everything is sent if the document frequencies come from elsewhere, where they may
//!   contradict each other, and if a table of all n-grams is wanted.
//!
//! # An example
//!
//! Two items with one text each, `a b a b` and `a b c`, have five bigrams. Single tokens have been counted: `a` and `b`
//! occur in two items, `c` in one. Suppose there are two partitions, that `ba` belongs to partition 0 and `ab` to
//! partition 1, and that each item is a separate block.
//!
//! Pass 1 takes the flags of each bigram from its two tokens and finds the repeats:
//!
//! | position in block | item 0: 0 | 1 | 2 | 3 | item 1: 0 | 1 | 2 |
//! | --- | --- | --- | --- | --- | --- | --- | --- |
//! | token | a | b | a | b | a | b | c |
//! | bigram | ab | ba | ab | | ab | bc | |
//! | both tokens in several items | yes | yes | yes | | yes | no | |
//! | repeat of an earlier position | | | 0 | | | | |
//! | sent (`CANDIDATE`) | yes | yes | no | | yes | no | |
//!
//! The segments of the two blocks after pass 1, and after pass 2:
//!
//! | | block 0, partition 0 | block 0, partition 1 | block 1, partition 0 | block 1, partition 1 |
//! | --- | --- | --- | --- | --- |
//! | pass 1: n-grams | ba | ab | | ab |
//! | pass 2: document frequencies | 1 | 2 | | 2 |
//!
//! Pass 3 visits `ab` (partition 1, gets 2), `ba` (partition 0, gets 1) in block 0, and `ab` (partition 1, gets 2) in
//! block 1. What was not sent is known: the repeat has the document frequency of position 0, and `bc` has 1.
//!
//! | position in block | item 0: 0 | 1 | 2 | 3 | item 1: 0 | 1 | 2 |
//! | --- | --- | --- | --- | --- | --- | --- | --- |
//! | document frequency | 2 | 1 | 2 | | 2 | 1 | |
//! | count in the text | 2 | 1 | 0 (counted at 0) | | 1 | 1 | |
//! | norm | √((2·idf(2))² + (1·idf(1))²) | | | | √((1·idf(2))² + (1·idf(1))²) | | |
//!
//! For trigrams, pass 1 then knows that `ab` is shared and repeated in item 0, and that `ba` and `bc` occur in only one
//! item: no trigram can be in two items, and none is sent.
//!
//! Had item 1 a second text `a b`, its `ab` would be a repeat of position 0 of the first text. It is not sent again and has
//! the same document frequency, but its count is 1, because counts and norms are those of a text.
//!
//! A prediction is an item of one text that is not counted. `b b a` has two bigrams, and since `a` and `b` occur in several
//! items of the references, pass 1 sends both. Pass 2 looks them up among the n-grams of the references in their
//! partitions, after these are counted; pass 3 is the same as for references:
//!
//! | position in block | 0 | 1 | 2 |
//! | --- | --- | --- | --- |
//! | token | b | b | a |
//! | bigram | bb | ba | |
//! | document frequency | 0 | 1 | |
//! | count in the text | 1 | 1 | |
//! | norm | √((1·idf(0))² + (1·idf(1))²) | | |
//!
//! # Details
//!
//! - The segments of a block are in memory that is used for all orders; its types say whether it holds n-grams or document
//!   frequencies ([`super::in_place`]).
//! - Sums run over n-grams in the order of first occurrence because the dictionaries of the reference implementation do:
//!   the results have the same bits.
//! - Predictions that are scored once are looked up in the partitions of the references while these are being counted
//!   ([`count_with_predictions`]): no table is built.

mod aggregate;
mod corpus;
pub mod idf;
mod partition;
mod read_back;
mod traversal;
mod unigrams;

use std::sync::Arc;

use crate::caption::document_frequency::{DocumentFrequency, NgramTables, OrderTables};
use crate::caption::in_place::{PartitionedDocFreqs, PartitionedKeys};
use crate::error::Result;
use crate::huge::HugeArray;
use crate::memory;
use crate::parallel::{Plan, take_front};
use crate::text::ngrams::{Key, MAX_ORDER, Seed, by_key_width};
use crate::text::vocab::Vocab;
use corpus::Block;
pub(in crate::caption) use corpus::Corpus;
use idf::Idf;
use partition::{Partitioning, Round};
use read_back::Output;

/// Norms of one text's tf-idf vectors, by order.
pub(in crate::caption) type Norms = [f64; MAX_ORDER];

/// Document frequencies of the n-grams that start at one token, by order.
pub(in crate::caption) type DocFreqs = [u32; MAX_ORDER];

/// Statistics of the texts of a corpus under some document frequencies.
#[derive(Debug)]
pub(in crate::caption) struct TfidfStats {
    /// One for each text.
    pub norms: Vec<Norms>,
    /// One for each token, or empty if only norms were asked for.
    pub doc_freqs: Vec<DocFreqs>,
}

/// Which n-grams of two tokens or more to keep in a table after counting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::caption) enum Keep {
    /// None: no table is built.
    Nothing,
    /// Those that occur in at least two items, which suffice for scoring (see [`Idf::of`]).
    Shared,
    /// All of them.
    All,
}

impl Keep {
    /// Return the smallest document frequency of the n-grams to keep.
    fn min_doc_freq(self) -> Option<u32> {
        match self {
            Self::Nothing => None,
            Self::Shared => Some(2),
            Self::All => Some(1),
        }
    }
}

/// Count the document frequencies of a corpus, and return them with the norms of its texts.
pub(in crate::caption) fn count_references(
    references: Corpus<'_>,
    vocab: &Arc<Vocab>,
    keep: Keep,
    plan: &Plan,
) -> Result<(DocumentFrequency, Vec<Norms>)> {
    let idf = Idf::new(references.item_count() as f64);
    let no_predictions = Corpus { text_ranges: &[], ..references };
    let (unigrams, tables, norms) = by_key_width!(vocab.max_id(), K => {
        let counted = count_orders::<K>(references, no_predictions, &idf, vocab.max_id(), keep, plan)?;
        (counted.unigrams, NgramTables::from(counted.tables), counted.references.norms)
    });
    Ok((DocumentFrequency::counted(vocab.clone(), idf, unigrams, tables), norms))
}

/// Count the document frequencies of the references without building a table, and return the norms of the references and
/// the statistics of the predictions.
pub(in crate::caption) fn count_with_predictions(
    references: Corpus<'_>,
    predictions: Corpus<'_>,
    idf: &Idf,
    max_id: u32,
    plan: &Plan,
) -> Result<(Vec<Norms>, TfidfStats)> {
    by_key_width!(max_id, K => {
        let counted = count_orders::<K>(references, predictions, idf, max_id, Keep::Nothing, plan)?;
        Ok((counted.references.norms, counted.predictions))
    })
}

/// Look up the n-grams of a corpus in document frequencies that were counted before. `with_doc_freqs` asks for more than
/// norms.
pub(in crate::caption) fn look_up(
    corpus: Corpus<'_>,
    frequency: &DocumentFrequency,
    max_id: u32,
    with_doc_freqs: bool,
    plan: &Plan,
) -> Result<TfidfStats> {
    by_key_width!(max_id, K => look_up_by::<K>(corpus, frequency, with_doc_freqs, plan))
}

/// The outcome of [`count_orders`].
#[derive(Debug)]
struct CountedOrders<K: Key> {
    /// Document frequencies of single tokens, by token id.
    unigrams: Vec<u32>,
    tables: OrderTables<K>,
    /// Norms only.
    references: TfidfStats,
    predictions: TfidfStats,
}

/// Count the n-grams of the references, one order after the other, and look the predictions' n-grams up among them.
fn count_orders<K: Key>(
    references: Corpus<'_>,
    predictions: Corpus<'_>,
    idf: &Idf,
    max_id: u32,
    keep: Keep,
    plan: &Plan,
) -> Result<CountedOrders<K>> {
    // The tables to be built are sorted by the hash of this seed, which all orders can share.
    let partitioning = Partitioning::for_tokens(references.token_count(), Seed::default());
    let mut reference_memory = partition_memory::<K>(references)?;
    let mut prediction_memory = partition_memory::<K>(predictions)?;
    let mut references = CorpusState::new(references, idf, false, plan)?;
    let mut predictions = CorpusState::new(predictions, idf, true, plan)?;
    let unigrams = unigrams::count_tokens(references.corpus, &references.blocks, max_id, plan)?;
    references.read_back_unigrams(|token| unigrams[token as usize], plan)?;
    predictions.read_back_unigrams(|token| unigrams[token as usize], plan)?;
    let mut tables = OrderTables::default();
    for order in 2..=MAX_ORDER {
        let round = Round { order, partitioning, prune: keep != Keep::All };
        let reference_keys = references.partition(round, &mut reference_memory, plan)?;
        let prediction_keys = predictions.partition(round, &mut prediction_memory, plan)?;
        let counted = aggregate::count_partitions(reference_keys, prediction_keys, partitioning, keep, plan)?;
        references.read_back(round, counted.references, plan)?;
        predictions.read_back(round, counted.predictions, plan)?;
        *tables.of_order_mut(order) = counted.table;
    }
    Ok(CountedOrders { unigrams, tables, references: references.stats, predictions: predictions.stats })
}

fn look_up_by<K: Key>(
    corpus: Corpus<'_>,
    frequency: &DocumentFrequency,
    with_doc_freqs: bool,
    plan: &Plan,
) -> Result<TfidfStats> {
    let mut memory = partition_memory::<K>(corpus)?;
    let mut state = CorpusState::new(corpus, frequency.idf(), with_doc_freqs, plan)?;
    state.read_back_unigrams(|token| frequency.get(&[token]), plan)?;
    for order in 2..=MAX_ORDER {
        // The table of each order is sorted by the hash of a different seed. With the same seed here, the n-grams of a
        // partition are in one stretch of the table.
        let partitioning = Partitioning::for_tokens(corpus.token_count(), frequency.seed(order));
        let round = Round { order, partitioning, prune: frequency.is_monotone() };
        let keys = state.partition(round, &mut memory, plan)?;
        let doc_freqs = aggregate::look_up(keys, round, frequency, plan)?;
        state.read_back(round, doc_freqs, plan)?;
    }
    Ok(state.stats)
}

/// Allocate the memory of the partitions: an n-gram at each token.
fn partition_memory<K: Key>(corpus: Corpus<'_>) -> Result<HugeArray<K>> {
    HugeArray::try_zeroed(corpus.token_count())
}

/// A corpus and its state between passes: passes 1 and 3 work on its blocks, on all threads.
#[derive(Debug)]
struct CorpusState<'c> {
    corpus: Corpus<'c>,
    idf: &'c Idf,
    blocks: Vec<Block>,
    stats: TfidfStats,
}

impl<'c> CorpusState<'c> {
    fn new(corpus: Corpus<'c>, idf: &'c Idf, with_doc_freqs: bool, plan: &Plan) -> Result<Self> {
        let stats = TfidfStats {
            norms: memory::zeroed(corpus.text_count())?,
            doc_freqs: memory::zeroed(if with_doc_freqs { corpus.token_count() } else { 0 })?,
        };
        Ok(Self { corpus, idf, blocks: corpus.blocks(plan.threads())?, stats })
    }

    /// Pass 1.
    fn partition<'m, K: Key>(
        &mut self,
        round: Round,
        mut memory: &'m mut [K],
        plan: &Plan,
    ) -> Result<Vec<PartitionedKeys<'m, K>>> {
        let corpus = self.corpus;
        let mut work: Vec<_> = self
            .blocks
            .iter_mut()
            .map(|block| {
                let memory = take_front(&mut memory, block.flags.len());
                (block, memory, None)
            })
            .collect();
        plan.each(&mut work, partition::Scratch::default, |scratch, _, (block, memory, keys)| {
            *keys = Some(block.partition(corpus, round, std::mem::take(memory), scratch, plan)?);
            Ok(())
        })?;
        Ok(work.into_iter().filter_map(|(.., keys)| keys).collect())
    }

    /// Pass 3.
    fn read_back<K: Key>(
        &mut self,
        round: Round,
        doc_freqs: Vec<PartitionedDocFreqs<'_, K>>,
        plan: &Plan,
    ) -> Result<()> {
        let (corpus, idf) = (self.corpus, self.idf);
        let mut work: Vec<_> = self.blocks_with_output().zip(doc_freqs).collect();
        plan.each(&mut work, read_back::Scratch::default, |scratch, _, ((block, output), doc_freqs)| {
            block.read_back(corpus, round, idf, doc_freqs, scratch, output);
            plan.check()
        })
    }

    /// Pass 3 for single tokens.
    fn read_back_unigrams(&mut self, doc_freq_of: impl Fn(u32) -> u32 + Sync, plan: &Plan) -> Result<()> {
        let (corpus, idf) = (self.corpus, self.idf);
        let mut work: Vec<_> = self.blocks_with_output().collect();
        plan.each(&mut work, unigrams::Scratch::default, |scratch, _, (block, output)| {
            unigrams::read_back(block, corpus, idf, &doc_freq_of, scratch, output);
            plan.check()
        })
    }

    /// Iterate over the blocks, each with the part of the statistics that it writes.
    fn blocks_with_output(&mut self) -> impl Iterator<Item = (&mut Block, Output<'_>)> {
        let corpus = self.corpus;
        let TfidfStats { norms, doc_freqs } = &mut self.stats;
        let (mut norms, mut doc_freqs) = (norms.as_mut_slice(), doc_freqs.as_mut_slice());
        self.blocks.iter_mut().map(move |block| {
            let texts = corpus.texts_of(&block.items).len();
            // Empty if document frequencies are not wanted.
            let tokens = block.flags.len().min(doc_freqs.len());
            let (norms, doc_freqs) = (take_front(&mut norms, texts), take_front(&mut doc_freqs, tokens));
            (block, Output { norms, doc_freqs })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens::{Cut, tokenize};

    /// The example of this module's page.
    #[test]
    fn the_example_has_these_statistics() {
        let texts = [vec!["a", "b", "a", "b"], vec!["a", "b", "c"]];
        let plan = Plan::new(Some(2));
        let (tokens, vocab) = tokenize(&Cut(&texts), None, &plan).unwrap();
        let corpus = Corpus::new(&tokens, &[0..1, 1..2]);
        let vocab = Arc::new(vocab);
        let idf = Idf::new(2.0);
        let norm = |counts: [f64; 2]| ((counts[0] * idf.of(2)).powi(2) + (counts[1] * idf.of(1)).powi(2)).sqrt();
        // With `Keep::Shared`, n-grams are pruned as on the page.
        for keep in [Keep::Shared, Keep::All] {
            let (frequency, norms) = count_references(corpus, &vocab, keep, &plan).unwrap();
            assert_eq!([norms[0][1], norms[1][1]], [norm([2.0, 1.0]), norm([1.0, 1.0])]);
            for with_doc_freqs in [false, true] {
                let stats = look_up(corpus, &frequency, vocab.max_id(), with_doc_freqs, &plan).unwrap();
                let bigrams: Vec<u32> = stats.doc_freqs.iter().map(|doc_freqs| doc_freqs[1].max(1)).collect();
                let expected = [2, 1, 2, 1, 2, 1, 1];
                assert_eq!(bigrams, expected[..if with_doc_freqs { 7 } else { 0 }]);
                assert_eq!(stats.norms, norms);
            }
        }
    }

    /// The prediction of the example.
    #[test]
    fn a_prediction_is_looked_up_among_the_references() {
        let texts = [vec!["a", "b", "a", "b"], vec!["a", "b", "c"]];
        let plan = Plan::new(Some(2));
        let (references, vocab) = tokenize(&Cut(&texts), None, &plan).unwrap();
        let vocab = Arc::new(vocab);
        let (predictions, _) = tokenize(&Cut(&[vec!["b", "b", "a"]]), Some(&vocab), &plan).unwrap();
        let (references, predictions) =
            (Corpus::new(&references, &[0..1, 1..2]), Corpus::new(&predictions, std::slice::from_ref(&(0..1))));
        let idf = Idf::new(2.0);
        let (_, stats) = count_with_predictions(references, predictions, &idf, vocab.max_id(), &plan).unwrap();
        let bigrams: Vec<u32> = stats.doc_freqs.iter().map(|doc_freqs| doc_freqs[1]).collect();
        assert_eq!(bigrams[..2], [0, 1]);
        assert_eq!(stats.norms[0][1], (idf.of(0).powi(2) + idf.of(1).powi(2)).sqrt());
    }
}
