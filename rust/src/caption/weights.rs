//! The tf-idf vectors of CIDEr: how many documents hold each n-gram, and how long each text's vector is.
//!
//! Orders are counted one after the other, because an n-gram is never in more documents than its two parts of one
//! token less. Where only one document has either part, only one has the whole, and its weight is known without
//! counting; where either part occurs once in its item, so does the whole. In a small set, that spares most n-grams of
//! three and four tokens.
//!
//! Each order takes three passes:
//! 1. by block of items: send each n-gram of an item that needs counting, once, to a partition by hash ([`Block::list`]);
//! 2. by partition: count how often each n-gram is there, in a table that fits a cache, or look the numbers of items
//!    up, in a part of the given table that fits a cache (`counting.rs`); the number takes the place of the n-gram;
//! 3. by block of items again: walk through the texts as in the first pass, which finds the numbers in the order in
//!    which the n-grams were sent, and sum the squares ([`Block::read`]).
//!
//! Single tokens need no table: they are counted in an array by token id.
//!
//! Sums run in the order of first occurrence because the reference implementation's dictionaries do: this makes
//! the result the same to the last bit.

use std::ops::Range;
use std::sync::Arc;

use super::counting::{count_columns, look_up_columns};
use super::frequency::{DocumentFrequency, Frequencies, Longer};
use super::idf::Idf;
use super::listing::{Block, Routing, Scratch};
use super::reading::Output;
use crate::blocks::Plan;
use crate::error::{Error, Result};
use crate::huge::HugeArray;
use crate::text::ngrams::{Key, MAX_ORDER, Seed};
use crate::text::tokens::Tokens;
use crate::text::vocab::Vocab;

/// Blocks of items for each thread at least, so that a thread that is held up does not hold up the others.
const BLOCKS_PER_THREAD: usize = 4;
/// Tokens of a block, about: what is known of its positions stays in a cache.
const MIN_BLOCK: usize = 1 << 13;
const MAX_BLOCK: usize = 1 << 16;

/// Tokens of an item at the most, so that positions in a block have room in 32 bits.
const MAX_ITEM: usize = 1 << 30;

/// N-grams in one partition, about: its table stays in the second-level cache.
const PARTITION_LOG: u32 = 12;

/// There are `1 << PARTITION_BITS` partitions at the most: a cache holds the places where they are written. Larger ones
/// are split when they are counted.
const PARTITION_BITS: u32 = 12;

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

    /// Cut at items, into blocks of about the same number of tokens.
    fn blocks<'m, K: Key>(&self, threads: usize, mut memory: &'m mut [K]) -> Result<Vec<Block<'m, K>>> {
        let size = self.all_tokens().div_ceil(BLOCKS_PER_THREAD * threads).clamp(MIN_BLOCK, MAX_BLOCK);
        let (mut blocks, mut start, mut tokens) = (Vec::new(), 0, 0);
        for (item, texts) in self.items.iter().enumerate() {
            let own = self.tokens.count(texts.clone());
            if own > MAX_ITEM || texts.end > u32::MAX as usize {
                let problem = format!("item {item} has {own} tokens in {} texts, too many to count", texts.len());
                return Err(Error::Invalid { parameter: "texts", problem });
            }
            tokens += own;
            if tokens >= size || item + 1 == self.items.len() {
                blocks.push(Block::new(start..item + 1, memory.split_off_mut(..tokens).unwrap_or_default()));
                (start, tokens) = (item + 1, 0);
            }
        }
        Ok(blocks)
    }

    /// Memory for [`Documents::blocks`].
    fn memory<K: Key>(&self) -> HugeArray<K> {
        HugeArray::zeroed(self.all_tokens())
    }

    /// Number of partitions, as a power of two.
    fn partition_bits(&self) -> u32 {
        self.all_tokens().max(1).ilog2().saturating_sub(PARTITION_LOG).min(PARTITION_BITS)
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
            look_up::<u64>(documents, frequency, with_counts, plan)?
        } else {
            look_up::<u128>(documents, frequency, with_counts, plan)?
        };
        Ok(Self { frequency: frequency.clone(), norms, counts })
    }
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
        let routing = Routing { seed: Seed::default(), bits: documents.partition_bits(), all: least < 2 };
        let mut memory = documents.memory::<K>();
        let mut blocks = documents.blocks(plan.threads(), &mut memory)?;
        let mut norms = vec![[0.0; MAX_ORDER]; documents.tokens.len()];
        list_tokens(documents, &mut blocks, plan)?;
        let mut unigrams = vec![0; max_id as usize + 1];
        for (token, items) in blocks.iter().flat_map(|block| &block.tokens) {
            unigrams[*token as usize] += items;
        }
        let of_token = |token: u32| unigrams[token as usize];
        let read = |scratch: &mut Scratch<K>, block: &mut Block<'_, K>, output: &mut Output<'_>| {
            block.read_tokens(documents, idf, of_token, scratch, output);
        };
        read_back(documents, &mut blocks, (&mut norms, &mut []), read, plan)?;
        let mut longer = [(); MAX_ORDER - 1].map(|()| Frequencies::default());
        for order in 2..=MAX_ORDER {
            list(documents, &mut blocks, order, routing, plan)?;
            longer[order - 2] = count_columns(&mut blocks, routing, least, plan)?;
            let read = |scratch: &mut Scratch<K>, block: &mut Block<'_, K>, output: &mut Output<'_>| {
                block.read(documents, order, (idf, routing), scratch, output);
            };
            read_back(documents, &mut blocks, (&mut norms, &mut []), read, plan)?;
        }
        Ok(Self { unigrams, longer, norms })
    }
}

/// Norms under given frequencies, and counts if they are wanted.
fn look_up<K: Key>(
    documents: Documents<'_>,
    frequency: &DocumentFrequency,
    with_counts: bool,
    plan: &Plan,
) -> Result<(Vec<Norms>, Vec<Counts>)> {
    let idf = frequency.idf();
    let mut memory = documents.memory::<K>();
    let mut blocks = documents.blocks(plan.threads(), &mut memory)?;
    let mut norms = vec![[0.0; MAX_ORDER]; documents.tokens.len()];
    let mut counts = vec![[0; MAX_ORDER]; if with_counts { documents.all_tokens() } else { 0 }];
    let read = |scratch: &mut Scratch<K>, block: &mut Block<'_, K>, output: &mut Output<'_>| {
        block.read_tokens(documents, idf, |token| frequency.get(&[token]), scratch, output);
    };
    read_back(documents, &mut blocks, (&mut norms, &mut counts), read, plan)?;
    for order in 2..=MAX_ORDER {
        let bits = documents.partition_bits();
        let routing = Routing { seed: frequency.seed(order), bits, all: !frequency.is_monotone() };
        list(documents, &mut blocks, order, routing, plan)?;
        look_up_columns(&mut blocks, order, routing, frequency, plan)?;
        let read = |scratch: &mut Scratch<K>, block: &mut Block<'_, K>, output: &mut Output<'_>| {
            block.read(documents, order, (idf, routing), scratch, output);
        };
        read_back(documents, &mut blocks, (&mut norms, &mut counts), read, plan)?;
    }
    Ok((norms, counts))
}

/// Pass 1 for single tokens.
fn list_tokens<K: Key>(documents: Documents<'_>, blocks: &mut [Block<'_, K>], plan: &Plan) -> Result<()> {
    plan.each(blocks, Scratch::default, |scratch, _, block| block.list_tokens(documents, scratch, plan))
}

/// Pass 1.
fn list<K: Key>(
    documents: Documents<'_>,
    blocks: &mut [Block<'_, K>],
    order: usize,
    routing: Routing,
    plan: &Plan,
) -> Result<()> {
    plan.each(blocks, Scratch::default, |scratch, _, block| block.list(documents, order, routing, scratch, plan))
}

/// Pass 3: `results` are norms by text and counts by token, which may be empty.
fn read_back<K: Key>(
    documents: Documents<'_>,
    blocks: &mut [Block<'_, K>],
    results: (&mut [Norms], &mut [Counts]),
    read: impl Fn(&mut Scratch<K>, &mut Block<'_, K>, &mut Output<'_>) + Sync,
    plan: &Plan,
) -> Result<()> {
    let (mut norms, mut counts) = results;
    let mut work = Vec::with_capacity(blocks.len());
    for block in blocks {
        let texts = documents.texts(&block.items);
        let tokens = if counts.is_empty() { 0 } else { documents.tokens.of(&texts).len() };
        let norms = norms.split_off_mut(..texts.len()).unwrap_or_default();
        let counts = counts.split_off_mut(..tokens).unwrap_or_default();
        work.push((block, Output { norms, counts }));
    }
    plan.each(&mut work, Scratch::default, |scratch, _, (block, output)| {
        read(scratch, block, output);
        plan.check()
    })
}
