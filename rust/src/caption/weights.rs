//! The part of CIDEr that depends on the references alone: document frequencies and the length of each
//! reference's tf-idf vector, for each order of n-grams.
//!
//! # Counting
//! Orders are counted one after the other, because an n-gram is never more frequent than its two parts of one token
//! less. Where either part occurs in one item only, so does the whole, and its weight is known without counting;
//! where either part occurs once in the item, the whole needs no search for its like. Of the n-grams of three and
//! four tokens, that spares most. [`Flags`] carry what is known of the parts.
//!
//! Each order takes three passes:
//! 1. by block of items: number each item's distinct n-grams, and scatter those that may be shared with other items
//!    into partitions by hash ([`Listed`]);
//! 2. by partition: count in how many items each n-gram occurs, in a table that fits a cache ([`Column`]);
//! 3. by block of items again: read the counts back in the order in which pass 1 wrote them, sum the squares, and
//!    set the flags for the next order.
//!
//! Sums run in the order of first occurrence because the reference implementation's dictionaries do: this makes
//! the result the same to the last bit.

use std::ops::Range;
use std::sync::Arc;

use super::frequency::{DocumentFrequency, Frequencies, Idf, Orders};
use crate::blocks::Plan;
use crate::error::Result;
use crate::text::ngrams::{Key, MAX_ORDER, Seed, ngrams};
use crate::text::tokens::Tokens;
use crate::text::vocab::Vocab;
use crate::text::{PARTITION_BITS, Table};

/// Blocks in which items are listed; each holds one growing array for each partition.
const MAX_BLOCKS: usize = 32;
const MIN_BLOCK: usize = 16;

/// N-grams in one partition, about: its table stays in the second-level cache.
const PARTITION_LOG: u32 = 12;

/// Norms of one reference, by order.
pub(super) type Norms = [f64; MAX_ORDER];

/// Document frequencies, and the norm of each reference for each order.
#[derive(Debug)]
pub(super) struct Weights {
    pub frequency: Arc<DocumentFrequency>,
    pub idf: Idf,
    /// Whether no n-gram is in more documents than its parts. Counted frequencies are so, given ones may not be.
    pub monotone: bool,
    /// One row for each reference.
    pub norms: Vec<Norms>,
}

/// References by item: `items[i]` is the range of texts in `tokens` that belong to item `i`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Documents<'a> {
    pub tokens: &'a Tokens,
    pub items: &'a [Range<usize>],
}

impl Documents<'_> {
    /// The items in blocks, as many as are worth the memory for their partitions.
    fn blocks(&self) -> Vec<Range<usize>> {
        let size = self.items.len().div_ceil(MAX_BLOCKS).max(MIN_BLOCK);
        let starts = (0..self.items.len()).step_by(size);
        starts.map(|start| start..self.items.len().min(start + size)).collect()
    }

    /// The texts of a block of items, which lie side by side.
    fn texts(&self, block: &Range<usize>) -> Range<usize> {
        self.items[block.start].start..self.items[block.end - 1].end
    }

    fn partition_bits(&self) -> u32 {
        let tokens = self.tokens.count(0..self.tokens.len());
        tokens.max(1).ilog2().saturating_sub(PARTITION_LOG).min(PARTITION_BITS)
    }
}

impl Weights {
    /// Weights under given frequencies.
    pub fn given(
        documents: Documents<'_>,
        frequency: Arc<DocumentFrequency>,
        vocab: &Vocab,
        plan: &Plan,
    ) -> Result<Self> {
        let idf = Idf::new(frequency.documents());
        let norms = if vocab.max_id() <= u64::MAX_TOKEN {
            given_norms::<u64>(documents, &frequency, &idf, plan)?
        } else {
            given_norms::<u128>(documents, &frequency, &idf, plan)?
        };
        Ok(Self { frequency, idf, monotone: false, norms })
    }

    /// Weights under the frequencies of these documents. The frequencies keep the n-grams of `least` documents and
    /// more, 1 or 2.
    pub fn counted(documents: Documents<'_>, vocab: &Arc<Vocab>, least: u32, plan: &Plan) -> Result<Self> {
        let total = documents.items.len() as f64;
        let idf = Idf::new(total);
        let (orders, norms) = if vocab.max_id() <= u64::MAX_TOKEN {
            let (orders, norms) = Count::<u64>::new(documents, &idf, least).run(plan)?;
            (Orders::Narrow(orders), norms)
        } else {
            let (orders, norms) = Count::<u128>::new(documents, &idf, least).run(plan)?;
            (Orders::Wide(orders), norms)
        };
        let frequency = Arc::new(DocumentFrequency::new(vocab.clone(), total, orders));
        Ok(Self { frequency, idf, monotone: true, norms })
    }
}

/// What is known of the n-gram of the last order that starts at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flags(u8);

impl Flags {
    /// Nothing is known yet: it may be anywhere.
    const UNKNOWN: Self = Self(3);

    fn new(repeated: bool, shared: bool) -> Self {
        Self(u8::from(repeated) | u8::from(shared) << 1)
    }

    /// It occurs more than once in its item.
    fn repeated(self) -> bool {
        self.0 & 1 != 0
    }

    /// It occurs in more than one item.
    fn shared(self) -> bool {
        self.0 & 2 != 0
    }

    /// What the two parts of an n-gram allow the whole to be.
    fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// The number of an n-gram that occurs once, in one item, and therefore needs no number of its own.
const ALONE: u32 = 0;

/// A partition that holds nothing: for n-grams that no other item has.
const UNSHARED: u16 = u16::MAX;

/// Flags of the n-grams of a block of items; text by text, one for each position where an n-gram of the order starts.
#[derive(Debug)]
struct BlockFlags {
    items: Range<usize>,
    flags: Vec<Flags>,
}

/// The n-grams of one order in one block, after pass 1.
#[derive(Debug)]
struct Listed<K> {
    /// For each position the number of its n-gram within the item, from 1, or [`ALONE`].
    numbers: Vec<u32>,
    /// For each item how many n-grams have a number; for each of these the partition it went to, or [`UNSHARED`].
    distinct: Vec<u32>,
    partitions: Vec<u16>,
    /// The n-grams themselves, by partition.
    keys: Vec<Vec<K>>,
}

/// The n-grams of one partition, by block; pass 2 adds the counts.
#[derive(Debug)]
struct Column<K> {
    keys: Vec<Vec<K>>,
    counts: Vec<Vec<u32>>,
    /// The distinct n-grams that are kept for later look-ups.
    kept: Vec<(K, u32)>,
}

/// The counting of all orders.
#[derive(Debug)]
struct Count<'a, K: Key> {
    documents: Documents<'a>,
    idf: &'a Idf,
    least: u32,
    bits: u32,
    seed: Seed,
    orders: [Frequencies<K>; MAX_ORDER],
}

impl<'a, K: Key> Count<'a, K> {
    fn new(documents: Documents<'a>, idf: &'a Idf, least: u32) -> Self {
        let orders = [(); MAX_ORDER].map(|()| Frequencies::default());
        Self { documents, idf, least, bits: documents.partition_bits(), seed: Seed::default(), orders }
    }

    fn run(mut self, plan: &Plan) -> Result<([Frequencies<K>; MAX_ORDER], Vec<Norms>)> {
        let mut norms = vec![[0.0; MAX_ORDER]; self.documents.tokens.len()];
        let mut blocks: Vec<_> = self.documents.blocks().into_iter().map(|block| self.unknown(block)).collect();
        for order in 1..=MAX_ORDER {
            let lister = || Table::new(Seed::default());
            let mut listed =
                plan.map(blocks.len(), 1, lister, |table, block| self.list(table, &blocks[block.start], order, plan))?;
            let mut columns = self.transpose(&mut listed);
            plan.each(
                &mut columns,
                || Table::new(self.seed),
                |table, _, column| {
                    column.count(table, self.least);
                    plan.check()
                },
            )?;
            self.read_back(&mut blocks, &listed, &columns, order, &mut norms, plan)?;
            let len = columns.iter().map(|column| column.kept.len()).sum();
            let kept = columns.iter().flat_map(|column| column.kept.iter().copied());
            self.orders[order - 1] = Frequencies::new(self.seed, kept, len);
        }
        Ok((self.orders, norms))
    }

    fn unknown(&self, items: Range<usize>) -> BlockFlags {
        // Before the first order: one position more than tokens in each text, for the two empty parts of a unigram.
        let texts = self.documents.texts(&items);
        let flags = vec![Flags::UNKNOWN; self.documents.tokens.count(texts.clone()) + texts.len()];
        BlockFlags { items, flags }
    }

    /// Pass 1 of one block.
    fn list(&self, table: &mut Table<K>, block: &BlockFlags, order: usize, plan: &Plan) -> Result<Listed<K>> {
        let tokens = self.documents.tokens;
        let mut listed = Listed::new(block.flags.len(), self.bits);
        let mut flags = block.flags.as_slice();
        for texts in &self.documents.items[block.items.clone()] {
            plan.check()?;
            table.reset(tokens.count(texts.clone()));
            let before = listed.partitions.len();
            for ids in texts.clone().map(|text| tokens.get(text)) {
                let parts = split(&mut flags, positions(ids.len(), order - 1));
                for (key, parts) in ngrams::<K>(ids, order).zip(parts.windows(2)) {
                    let parts = parts[0].both(parts[1]);
                    // All n-grams are scattered where all are wanted in the tables.
                    let shared = parts.shared() || self.least < 2;
                    if !parts.repeated() && !shared {
                        listed.numbers.push(ALONE);
                        continue;
                    }
                    let next = (listed.partitions.len() - before) as u32 + 1;
                    let number = if parts.repeated() { table.get_or_insert(key, next) } else { next };
                    listed.numbers.push(number);
                    if number == next {
                        listed.scatter(key, shared.then_some(self.seed), self.bits);
                    }
                }
            }
            listed.distinct.push((listed.partitions.len() - before) as u32);
        }
        Ok(listed)
    }

    /// From keys by block and partition to keys by partition and block.
    fn transpose(&self, listed: &mut [Listed<K>]) -> Vec<Column<K>> {
        let mut take =
            |partition: usize| listed.iter_mut().map(|block| std::mem::take(&mut block.keys[partition])).collect();
        let column = |partition| Column { keys: take(partition), counts: Vec::new(), kept: Vec::new() };
        (0..1 << self.bits).map(column).collect()
    }

    /// Pass 3.
    fn read_back(
        &self,
        blocks: &mut [BlockFlags],
        listed: &[Listed<K>],
        columns: &[Column<K>],
        order: usize,
        norms: &mut [Norms],
        plan: &Plan,
    ) -> Result<()> {
        let mut rest = norms;
        let mut work = Vec::with_capacity(blocks.len());
        for block in blocks {
            let (rows, after) = rest.split_at_mut(self.documents.texts(&block.items).len());
            work.push((block, rows));
            rest = after;
        }
        plan.each(&mut work, Item::default, |item, index, (block, rows)| {
            let counts: Vec<_> = columns.iter().map(|column| column.counts[index].as_slice()).collect();
            self.read_block(item, block, &listed[index], counts, order, rows);
            Ok(())
        })
    }

    fn read_block(
        &self,
        item: &mut Item,
        block: &mut BlockFlags,
        listed: &Listed<K>,
        mut counts: Vec<&[u32]>,
        order: usize,
        rows: &mut [Norms],
    ) {
        block.flags.clear();
        let (mut numbers, mut partitions) = (listed.numbers.as_slice(), listed.partitions.as_slice());
        let mut rows = rows.iter_mut();
        for (texts, &distinct) in self.documents.items[block.items.clone()].iter().zip(&listed.distinct) {
            item.clear(self.idf);
            for &partition in split(&mut partitions, distinct as usize) {
                let count = if partition == UNSHARED { 1 } else { split(&mut counts[partition as usize], 1)[0] };
                item.push(count, self.idf);
            }
            let lengths = || texts.clone().map(|text| positions(self.documents.tokens.get(text).len(), order));
            let numbers = split(&mut numbers, lengths().sum());
            block.flags.extend(item.flags(numbers));
            let mut unread = numbers;
            for (length, row) in lengths().zip(&mut rows) {
                row[order - 1] = item.norm(split(&mut unread, length));
            }
        }
    }
}

/// Number of n-grams of `order` in a text of this many tokens.
fn positions(tokens: usize, order: usize) -> usize {
    (tokens + 1).saturating_sub(order)
}

/// Take the first `count` elements off a slice.
fn split<'s, T>(slice: &mut &'s [T], count: usize) -> &'s [T] {
    let (first, rest) = slice.split_at(count);
    *slice = rest;
    first
}

impl<K: Key> Listed<K> {
    fn new(positions: usize, bits: u32) -> Self {
        Self {
            numbers: Vec::with_capacity(positions),
            distinct: Vec::new(),
            partitions: Vec::new(),
            keys: vec![Vec::new(); 1 << bits],
        }
    }

    /// Give an n-gram to its partition, if it may be shared (then the hash has a seed).
    #[inline]
    fn scatter(&mut self, key: K, seed: Option<Seed>, bits: u32) {
        // One shift by up to 64 would overflow.
        let partition = seed.map(|seed| (key.hash(seed) >> 1 >> (u64::BITS - 1 - bits)) as u16);
        self.partitions.push(partition.unwrap_or(UNSHARED));
        if let Some(partition) = partition {
            self.keys[partition as usize].push(key);
        }
    }
}

impl<K: Key> Column<K> {
    /// Pass 2: number the distinct n-grams, count them, and keep those that `least` items hold.
    fn count(&mut self, table: &mut Table<K>, least: u32) {
        table.reset(self.keys.iter().map(Vec::len).sum::<usize>() / 2);
        for keys in std::mem::take(&mut self.keys) {
            let number = |key: K| {
                let number = table.get_or_insert(key, self.kept.len() as u32);
                if number as usize == self.kept.len() {
                    self.kept.push((key, 0));
                }
                self.kept[number as usize].1 += 1;
                number
            };
            self.counts.push(keys.into_iter().map(number).collect());
        }
        self.counts.iter_mut().flatten().for_each(|number| *number = self.kept[*number as usize].1);
        self.kept.retain(|&(_, count)| count >= least);
        self.kept.shrink_to_fit();
    }
}

/// Buffers of pass 3: the numbered n-grams of one item. Place 0 stands for those that are [`ALONE`].
#[derive(Debug, Default)]
struct Item {
    weights: Vec<f64>,
    shared: Vec<bool>,
    occurrences: Vec<u32>,
    /// Occurrences in the reference at hand, zero between references.
    counts: Vec<u32>,
}

impl Item {
    fn clear(&mut self, idf: &Idf) {
        self.weights.clear();
        self.shared.clear();
        self.push(1, idf);
    }

    fn push(&mut self, count: u32, idf: &Idf) {
        self.weights.push(idf.of(count));
        self.shared.push(count > 1);
    }

    fn flags<'n>(&'n mut self, numbers: &'n [u32]) -> impl Iterator<Item = Flags> + 'n {
        self.counts.resize(self.counts.len().max(self.weights.len()), 0);
        self.occurrences.clear();
        self.occurrences.resize(self.weights.len(), 0);
        numbers.iter().for_each(|&number| self.occurrences[number as usize] += 1);
        self.occurrences[ALONE as usize] = 1;
        numbers.iter().map(|&number| Flags::new(self.occurrences[number as usize] > 1, self.shared[number as usize]))
    }

    /// Length of the vector of one reference, from the numbers of its n-grams.
    fn norm(&mut self, numbers: &[u32]) -> f64 {
        numbers.iter().for_each(|&number| self.counts[number as usize] += 1);
        let mut sum = 0.0;
        for &number in numbers {
            let number = number as usize;
            let count = if number == ALONE as usize { 1 } else { std::mem::take(&mut self.counts[number]) };
            if count > 0 {
                let weight = f64::from(count) * self.weights[number];
                sum += weight * weight;
            }
        }
        self.counts[ALONE as usize] = 0;
        sum.sqrt()
    }
}

/// Norms under given frequencies: nothing is counted, and nothing is known about the parts of an n-gram.
fn given_norms<K: Key>(
    documents: Documents<'_>,
    frequency: &DocumentFrequency,
    idf: &Idf,
    plan: &Plan,
) -> Result<Vec<Norms>> {
    let scratch = || (Table::<K>::new(Seed::default()), Item::default(), Vec::new());
    let blocks = plan.map(documents.items.len(), MIN_BLOCK, scratch, |(table, item, numbers), block| {
        let mut norms = Vec::with_capacity(documents.texts(&block).len());
        for texts in &documents.items[block] {
            plan.check()?;
            let first = norms.len();
            norms.resize(first + texts.len(), [0.0; MAX_ORDER]);
            for order in 1..=MAX_ORDER {
                table.reset(documents.tokens.count(texts.clone()));
                item.clear(idf);
                numbers.clear();
                for ids in texts.clone().map(|text| documents.tokens.get(text)) {
                    for (key, ngram) in ngrams::<K>(ids, order).zip(ids.windows(order)) {
                        let next = item.weights.len() as u32;
                        let number = table.get_or_insert(key, next);
                        if number == next {
                            item.push(frequency.get(ngram), idf);
                        }
                        numbers.push(number);
                    }
                }
                _ = item.flags(numbers);
                let mut unread = numbers.as_slice();
                for (text, row) in texts.clone().zip(&mut norms[first..]) {
                    let length = positions(documents.tokens.get(text).len(), order);
                    row[order - 1] = item.norm(split(&mut unread, length));
                }
            }
        }
        Ok(norms)
    })?;
    Ok(blocks.concat())
}
