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

mod aggregate;
pub mod idf;
mod partition;
mod read_back;

use std::ops::Range;
use std::sync::Arc;

use crate::caption::document_frequency::{DocumentFrequency, Frequencies, Longer};
use crate::error::{Error, Result};
use crate::huge::HugeArray;
use crate::parallel::Plan;
use crate::text::ngrams::{Key, MAX_ORDER, Seed};
use crate::text::tokens::Tokens;
use crate::text::vocab::Vocab;
use aggregate::{count_columns, look_up_columns};
use idf::Idf;
use partition::{Block, Routing, Scratch};
use read_back::Output;

/// Blocks of items for each thread at least, so that a thread that is held up does not hold up the others.
const BLOCKS_PER_THREAD: usize = 4;
/// Tokens of a block, about: what is known of its positions stays in a cache.
const MIN_BLOCK: usize = 1 << 13;
const MAX_BLOCK: usize = 1 << 16;

/// Tokens of an item at the most, so that positions in a block have room in 32 bits.
const MAX_ITEM: usize = 1 << 30;

/// N-grams in one partition, about: its table stays in the second-level cache.
const PARTITION_LOG: u32 = 12;

/// There are `1 << PARTITION_BITS` partitions at the most: a cache holds the places where they are written. In a large
/// set, the tables of partitions leave the second-level cache, which costs less than to split them once more.
const PARTITION_BITS: u32 = 12;

/// Lengths of one text's vectors, by order.
pub(in crate::caption) type Norms = [f64; MAX_ORDER];

/// For each token of a text, in how many documents the n-gram of each order is that starts there.
pub(in crate::caption) type Counts = [u32; MAX_ORDER];

/// Texts by item: `items[i]` is the range of texts in `tokens` that belong to item `i`.
#[derive(Debug, Clone, Copy)]
pub(in crate::caption) struct Documents<'a> {
    pub tokens: &'a Tokens,
    pub items: &'a [Range<usize>],
}

impl<'a> Documents<'a> {
    pub fn new(tokens: &'a Tokens, items: &'a [Range<usize>]) -> Self {
        Self { tokens, items }
    }

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

/// What document frequencies say about texts.
#[derive(Debug)]
pub(in crate::caption) struct Weights {
    /// One row for each text.
    pub norms: Vec<Norms>,
    /// One row for each token, if they were asked for.
    pub counts: Vec<Counts>,
}

impl Weights {
    /// The frequencies of these documents, with the n-grams of `least` documents and more, 1 or 2, and the documents' own
    /// weights under them.
    pub fn counted(
        documents: Documents<'_>,
        vocab: &Arc<Vocab>,
        least: u32,
        plan: &Plan,
    ) -> Result<(DocumentFrequency, Self)> {
        let idf = Idf::new(documents.items.len() as f64);
        let nobody = Tokens::default();
        let others = Documents::new(&nobody, &[]);
        let (unigrams, longer, weights) = if vocab.max_id() <= u64::MAX_TOKEN {
            let (counted, [own, _]) = count(documents, others, &idf, vocab.max_id(), Some(least), plan)?;
            (counted.unigrams, Longer::Narrow(counted.longer), own)
        } else {
            let (counted, [own, _]) = count(documents, others, &idf, vocab.max_id(), Some(least), plan)?;
            (counted.unigrams, Longer::Wide(counted.longer), own)
        };
        Ok((DocumentFrequency::counted(vocab.clone(), idf, unigrams, longer), weights))
    }

    /// The weights of documents under their own frequencies, and with counts those of others, which are looked up while
    /// the frequencies are counted: no table is made of them.
    pub fn counted_once(
        documents: Documents<'_>,
        others: Documents<'_>,
        idf: &Idf,
        max_id: u32,
        plan: &Plan,
    ) -> Result<[Self; 2]> {
        if max_id <= u64::MAX_TOKEN {
            Ok(count::<u64>(documents, others, idf, max_id, None, plan)?.1)
        } else {
            Ok(count::<u128>(documents, others, idf, max_id, None, plan)?.1)
        }
    }

    /// Weights under given frequencies; `with_counts` asks for the counts too.
    pub fn given(
        documents: Documents<'_>,
        frequency: &DocumentFrequency,
        max_id: u32,
        with_counts: bool,
        plan: &Plan,
    ) -> Result<Self> {
        if max_id <= u64::MAX_TOKEN {
            look_up::<u64>(documents, frequency, with_counts, plan)
        } else {
            look_up::<u128>(documents, frequency, with_counts, plan)
        }
    }
}

/// How many documents hold each n-gram.
#[derive(Debug)]
struct Counted<K: Key> {
    unigrams: Vec<u32>,
    longer: [Frequencies<K>; MAX_ORDER - 1],
}

/// Count the n-grams of documents, and weigh them and others. Tables of longer n-grams are made if `least` says of which.
fn count<K: Key>(
    documents: Documents<'_>,
    others: Documents<'_>,
    idf: &Idf,
    max_id: u32,
    least: Option<u32>,
    plan: &Plan,
) -> Result<(Counted<K>, [Weights; 2])> {
    let routing = Routing { seed: Seed::default(), bits: documents.partition_bits(), all: least == Some(1) };
    let (mut memory, mut other_memory) = (documents.memory::<K>(), others.memory::<K>());
    let mut own = Weigher::new(documents, idf, &mut memory, false, plan)?;
    let mut other = Weigher::new(others, idf, &mut other_memory, true, plan)?;
    let unigrams = own.count_tokens(max_id, plan)?;
    own.read_tokens(|token| unigrams[token as usize], plan)?;
    other.read_tokens(|token| unigrams[token as usize], plan)?;
    let mut longer = [(); MAX_ORDER - 1].map(|()| Frequencies::default());
    for order in 2..=MAX_ORDER {
        own.list(order, routing, plan)?;
        other.list(order, routing, plan)?;
        longer[order - 2] = count_columns(&mut own.blocks, &mut other.blocks, routing, least, plan)?;
        own.read(order, routing, plan)?;
        other.read(order, routing, plan)?;
    }
    Ok((Counted { unigrams, longer }, [own.weights, other.weights]))
}

/// Weigh documents by given frequencies.
fn look_up<K: Key>(
    documents: Documents<'_>,
    frequency: &DocumentFrequency,
    with_counts: bool,
    plan: &Plan,
) -> Result<Weights> {
    let mut memory = documents.memory::<K>();
    let mut own = Weigher::new(documents, frequency.idf(), &mut memory, with_counts, plan)?;
    own.read_tokens(|token| frequency.get(&[token]), plan)?;
    for order in 2..=MAX_ORDER {
        let bits = documents.partition_bits();
        let routing = Routing { seed: frequency.seed(order), bits, all: !frequency.is_monotone() };
        own.list(order, routing, plan)?;
        look_up_columns(&mut own.blocks, order, routing, frequency, plan)?;
        own.read(order, routing, plan)?;
    }
    Ok(own.weights)
}

/// Takes documents through the first and the third pass.
#[derive(Debug)]
struct Weigher<'d, 'm, K> {
    documents: Documents<'d>,
    idf: &'d Idf,
    blocks: Vec<Block<'m, K>>,
    weights: Weights,
}

impl<'d, 'm, K: Key> Weigher<'d, 'm, K> {
    fn new(
        documents: Documents<'d>,
        idf: &'d Idf,
        memory: &'m mut [K],
        with_counts: bool,
        plan: &Plan,
    ) -> Result<Self> {
        let weights = Weights {
            norms: vec![[0.0; MAX_ORDER]; documents.tokens.len()],
            counts: vec![[0; MAX_ORDER]; if with_counts { documents.all_tokens() } else { 0 }],
        };
        Ok(Self { documents, idf, blocks: documents.blocks(plan.threads(), memory)?, weights })
    }

    /// In how many documents each token is.
    fn count_tokens(&mut self, max_id: u32, plan: &Plan) -> Result<Vec<u32>> {
        let documents = self.documents;
        plan.each(&mut self.blocks, Scratch::default, |scratch, _, block| block.list_tokens(documents, scratch, plan))?;
        let mut unigrams = vec![0; max_id as usize + 1];
        for (token, items) in self.blocks.iter().flat_map(|block| &block.tokens) {
            unigrams[*token as usize] += items;
        }
        Ok(unigrams)
    }

    /// Pass 3 for single tokens.
    fn read_tokens(&mut self, of_token: impl Fn(u32) -> u32 + Sync, plan: &Plan) -> Result<()> {
        let (documents, idf) = (self.documents, self.idf);
        self.read_back(|scratch, block, output| block.read_tokens(documents, idf, &of_token, scratch, output), plan)
    }

    /// Pass 1.
    fn list(&mut self, order: usize, routing: Routing, plan: &Plan) -> Result<()> {
        let documents = self.documents;
        plan.each(&mut self.blocks, Scratch::default, |scratch, _, block| {
            block.list(documents, order, routing, scratch, plan)
        })
    }

    /// Pass 3.
    fn read(&mut self, order: usize, routing: Routing, plan: &Plan) -> Result<()> {
        let (documents, idf) = (self.documents, self.idf);
        self.read_back(|scratch, block, output| block.read(documents, order, (idf, routing), scratch, output), plan)
    }

    fn read_back(
        &mut self,
        read: impl Fn(&mut Scratch<K>, &mut Block<'m, K>, &mut Output<'_>) + Sync,
        plan: &Plan,
    ) -> Result<()> {
        let Weights { norms, counts } = &mut self.weights;
        let (mut norms, mut counts) = (norms.as_mut_slice(), counts.as_mut_slice());
        let mut work = Vec::with_capacity(self.blocks.len());
        for block in &mut self.blocks {
            let texts = self.documents.texts(&block.items);
            let tokens = if counts.is_empty() { 0 } else { self.documents.tokens.count(texts.clone()) };
            let norms = norms.split_off_mut(..texts.len()).unwrap_or_default();
            let counts = counts.split_off_mut(..tokens).unwrap_or_default();
            work.push((block, Output { norms, counts }));
        }
        plan.each(&mut work, Scratch::default, |scratch, _, (block, output)| {
            read(scratch, block, output);
            plan.check()
        })
    }
}
