//! The tf-idf vectors of CIDEr: how many documents hold each n-gram, and how long each text's vector is.
//!
//! Orders are counted one after the other, because an n-gram is never in more documents than its two parts of one
//! token less. Where only one document has either part, only one has the whole, and its weight is known without
//! counting; where either part occurs once in the item, the whole needs no search for its like. Of the n-grams of
//! three and four tokens, that spares most.
//!
//! Each order takes three passes:
//! 1. by block of items: number each item's distinct n-grams, and send those that may be shared with other items to
//!    partitions by hash ([`Block::list`]);
//! 2. by partition: count in how many items each n-gram occurs, in a table that fits a cache ([`Column`]), or look
//!    the counts up, in a part of the given table that fits a cache;
//! 3. by block of items again: read the counts back in the order in which pass 1 wrote them, and sum the squares
//!    ([`Block::read`]).
//!
//! Single tokens need no table: they are counted in an array by token id.
//!
//! Sums run in the order of first occurrence because the reference implementation's dictionaries do: this makes
//! the result the same to the last bit.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::frequency::{DocumentFrequency, Frequencies, Longer};
use super::idf::Idf;
use super::listing::{Block, Item, Lister, Output, Routing};
use crate::blocks::Plan;
use crate::error::Result;
use crate::text::ngrams::{Key, MAX_ORDER, Seed};
use crate::text::tokens::Tokens;
use crate::text::vocab::Vocab;
use crate::text::{PARTITION_BITS, Table};

/// Blocks of items for each thread. Each block holds one growing array for each partition, so there are few; and
/// more than one, so that a thread that is held up does not hold up the others.
const BLOCKS_PER_THREAD: usize = 4;
const MIN_BLOCK: usize = 16;

/// N-grams in one partition, about: its table stays in the second-level cache.
const PARTITION_LOG: u32 = 13;

/// Lengths of one text's vectors, by order.
pub(super) type Norms = [f64; MAX_ORDER];

/// For each token of a text, in how many documents the n-gram of each order is that starts there.
pub(super) type Counts = [u32; MAX_ORDER];

/// Texts by item: `items[i]` is the range of texts in `tokens` that belong to item `i`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Documents<'a> {
    pub tokens: &'a Tokens,
    pub items: &'a [Range<usize>],
}

impl Documents<'_> {
    /// The texts of a block of items, which lie side by side.
    pub fn texts(&self, block: &Range<usize>) -> Range<usize> {
        self.items[block.start].start..self.items[block.end - 1].end
    }

    fn blocks<K: Key>(&self, threads: usize, bits: u32) -> Vec<Block<K>> {
        let size = self.items.len().div_ceil(BLOCKS_PER_THREAD * threads).max(MIN_BLOCK);
        let starts = (0..self.items.len()).step_by(size);
        let blocks = starts.map(|start| start..self.items.len().min(start + size));
        blocks.map(|items| Block::new(items.clone(), bits, self.tokens.count(self.texts(&items)))).collect()
    }

    fn all_tokens(&self) -> usize {
        self.tokens.count(0..self.tokens.len())
    }
}

/// Document frequencies, and the norms of texts under them.
#[derive(Debug)]
pub(super) struct Weights {
    pub frequency: Arc<DocumentFrequency>,
    /// One row for each text.
    pub norms: Vec<Norms>,
    /// One row for each token, if they were asked for.
    pub counts: Vec<Counts>,
}

impl Weights {
    /// Weights under the frequencies of these documents themselves. The frequencies keep the n-grams of `least`
    /// documents and more, 1 or 2.
    pub fn counted(documents: Documents<'_>, vocab: &Arc<Vocab>, least: u32, plan: &Plan) -> Result<Self> {
        let idf = Idf::new(documents.items.len() as f64);
        let (unigrams, longer, norms) = if vocab.max_id() <= u64::MAX_TOKEN {
            let own = Own::<u64>::count(documents, &idf, vocab.max_id(), least, plan)?;
            (own.unigrams, Longer::Narrow(own.longer), own.norms)
        } else {
            let own = Own::<u128>::count(documents, &idf, vocab.max_id(), least, plan)?;
            (own.unigrams, Longer::Wide(own.longer), own.norms)
        };
        let frequency = Arc::new(DocumentFrequency::counted(vocab.clone(), idf, unigrams, longer));
        Ok(Self { frequency, norms, counts: Vec::new() })
    }

    /// Weights under given frequencies; `with_counts` asks for the counts too.
    pub fn given(
        documents: Documents<'_>,
        frequency: &Arc<DocumentFrequency>,
        max_id: u32,
        with_counts: bool,
        plan: &Plan,
    ) -> Result<Self> {
        let (norms, counts) = if max_id <= u64::MAX_TOKEN {
            look_up::<u64>(documents, frequency, max_id, with_counts, plan)?
        } else {
            look_up::<u128>(documents, frequency, max_id, with_counts, plan)?
        };
        Ok(Self { frequency: frequency.clone(), norms, counts })
    }
}

/// Number of partitions, as a power of two, for this many n-grams.
fn partition_bits(ngrams: usize) -> u32 {
    ngrams.max(1).ilog2().saturating_sub(PARTITION_LOG).min(PARTITION_BITS)
}

/// Frequencies counted in the documents themselves.
#[derive(Debug)]
struct Own<K: Key> {
    unigrams: Vec<u32>,
    longer: [Frequencies<K>; MAX_ORDER - 1],
    norms: Vec<Norms>,
}

impl<K: Key> Own<K> {
    fn count(documents: Documents<'_>, idf: &Idf, max_id: u32, least: u32, plan: &Plan) -> Result<Self> {
        let bits = partition_bits(documents.all_tokens());
        let routing = Routing { seed: Seed::default(), bits, all: least < 2 };
        let mut blocks = documents.blocks::<K>(plan.threads(), bits);
        let mut norms = vec![[0.0; MAX_ORDER]; documents.tokens.len()];
        let unigrams: Vec<AtomicU32> = (0..=max_id).map(|_| AtomicU32::new(0)).collect();
        // Sums do not depend on the order, so neither do they on the thread.
        let add = |token: u32| _ = unigrams[token as usize].fetch_add(1, Ordering::Relaxed);
        plan.each(
            &mut blocks,
            || vec![0; unigrams.len()],
            |by_token, _, block| block.list_tokens(documents, by_token, plan, add),
        )?;
        let of_token = |token: u32| unigrams[token as usize].load(Ordering::Relaxed);
        read_back(documents, &mut blocks, 1, idf, of_token, (&mut norms, &mut []), plan)?;
        let mut longer = [(); MAX_ORDER - 1].map(|()| Frequencies::default());
        for order in 2..=MAX_ORDER {
            list(documents, &mut blocks, order, routing, plan)?;
            longer[order - 2] = count_columns(&mut blocks, routing, least, plan)?;
            read_back(documents, &mut blocks, order, idf, of_token, (&mut norms, &mut []), plan)?;
        }
        Ok(Self { unigrams: unigrams.into_iter().map(AtomicU32::into_inner).collect(), longer, norms })
    }
}

/// Norms under given frequencies, and counts if they are wanted.
fn look_up<K: Key>(
    documents: Documents<'_>,
    frequency: &DocumentFrequency,
    max_id: u32,
    with_counts: bool,
    plan: &Plan,
) -> Result<(Vec<Norms>, Vec<Counts>)> {
    let idf = frequency.idf();
    let bits = partition_bits(documents.all_tokens());
    let mut blocks = documents.blocks::<K>(plan.threads(), bits);
    let mut norms = vec![[0.0; MAX_ORDER]; documents.tokens.len()];
    let mut counts = vec![[0; MAX_ORDER]; if with_counts { documents.all_tokens() } else { 0 }];
    plan.each(
        &mut blocks,
        || vec![0; max_id as usize + 1],
        |by_token, _, block| block.list_tokens(documents, by_token, plan, |_| ()),
    )?;
    let of_token = |token| frequency.get(&[token]);
    read_back(documents, &mut blocks, 1, idf, of_token, (&mut norms, &mut counts), plan)?;
    for order in 2..=MAX_ORDER {
        let routing = Routing { seed: frequency.seed(order), bits, all: !frequency.is_monotone() };
        list(documents, &mut blocks, order, routing, plan)?;
        with_columns(&mut blocks, bits, plan, |column| {
            column.keys.iter_mut().for_each(|keys| frequency.look_up(keys, order));
        })?;
        read_back(documents, &mut blocks, order, idf, of_token, (&mut norms, &mut counts), plan)?;
    }
    Ok((norms, counts))
}

/// Pass 1.
fn list<K: Key>(
    documents: Documents<'_>,
    blocks: &mut [Block<K>],
    order: usize,
    routing: Routing,
    plan: &Plan,
) -> Result<()> {
    plan.each(blocks, Lister::new, |lister, _, block| block.list(documents, order, routing, lister, plan))
}

/// The n-grams of one partition, by block.
#[derive(Debug)]
struct Column<K> {
    keys: Vec<Vec<K>>,
    /// The distinct n-grams that are kept for later look-ups.
    kept: Vec<(K, u32)>,
}

/// Run `work` on each partition, with the n-grams of all blocks.
fn with_columns<K: Key>(
    blocks: &mut [Block<K>],
    bits: u32,
    plan: &Plan,
    work: impl Fn(&mut Column<K>) + Sync,
) -> Result<Vec<Column<K>>> {
    let mut columns: Vec<Column<K>> = (0..1 << bits)
        .map(|partition| {
            let keys = blocks.iter_mut().map(|block| std::mem::take(&mut block.keys[partition])).collect();
            Column { keys, kept: Vec::new() }
        })
        .collect();
    plan.each(
        &mut columns,
        || (),
        |(), _, column| {
            work(column);
            plan.check()
        },
    )?;
    for (partition, column) in columns.iter_mut().enumerate() {
        for (block, keys) in blocks.iter_mut().zip(std::mem::take(&mut column.keys)) {
            block.keys[partition] = keys;
        }
    }
    Ok(columns)
}

/// Pass 2 by counting.
fn count_columns<K: Key>(blocks: &mut [Block<K>], routing: Routing, least: u32, plan: &Plan) -> Result<Frequencies<K>> {
    let columns = with_columns(blocks, routing.bits, plan, |column| column.count(routing.seed, least))?;
    let len = columns.iter().map(|column| column.kept.len()).sum();
    Ok(Frequencies::new(routing.seed, columns.iter().flat_map(|column| column.kept.iter().copied()), len))
}

impl<K: Key> Column<K> {
    /// Count the n-grams, put the counts where the n-grams were, and keep those that `least` items hold.
    fn count(&mut self, seed: Seed, least: u32) {
        let mut table = Table::new(seed);
        table.reset(self.keys.iter().map(Vec::len).sum::<usize>() / 2);
        for &key in self.keys.iter().flatten() {
            table.add_one(key);
        }
        for key in self.keys.iter_mut().flatten() {
            *key = K::from_number(table.get(*key).unwrap_or(0));
        }
        self.kept.extend(table.iter().filter(|&(_, count)| count >= least));
    }
}

/// Pass 3: `results` are norms by text and counts by token, which may be empty.
fn read_back<K: Key>(
    documents: Documents<'_>,
    blocks: &mut [Block<K>],
    order: usize,
    idf: &Idf,
    of_token: impl Fn(u32) -> u32 + Sync,
    results: (&mut [Norms], &mut [Counts]),
    plan: &Plan,
) -> Result<()> {
    let (mut norms, mut counts) = results;
    let mut work = Vec::with_capacity(blocks.len());
    for block in blocks {
        let texts = documents.texts(&block.items);
        let tokens = if counts.is_empty() { 0 } else { documents.tokens.count(texts.clone()) };
        let (own_norms, rest_of_norms) = norms.split_at_mut(texts.len());
        let (own_counts, rest_of_counts) = counts.split_at_mut(tokens);
        work.push((block, Output { norms: own_norms, counts: own_counts }));
        (norms, counts) = (rest_of_norms, rest_of_counts);
    }
    plan.each(&mut work, Item::default, |item, _, (block, output)| {
        block.read(documents, order, idf, &of_token, item, output);
        plan.check()
    })
}
