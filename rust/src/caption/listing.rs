//! The n-grams of a block of items, order by order: which are distinct, where they are counted, and what their
//! counts say about the next order.

use std::ops::Range;

use super::idf::Idf;
use super::weights::{Documents, Norms};
use crate::blocks::Plan;
use crate::error::Result;
use crate::text::Table;
use crate::text::ngrams::{Key, MAX_ORDER, Seed, ngrams};

/// What is known of the n-gram of the last order that starts at a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flags(u8);

impl Flags {
    fn new(repeated: bool, shared: bool) -> Self {
        Self(u8::from(repeated) | u8::from(shared) << 1)
    }

    /// It occurs more than once in its item.
    fn repeated(self) -> bool {
        self.0 & 1 != 0
    }

    /// More than one document has it.
    fn shared(self) -> bool {
        self.0 & 2 != 0
    }

    /// What the two parts of an n-gram allow the whole to be.
    fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// The number of an n-gram that occurs once, in one document, and therefore needs no number of its own.
const ALONE: u32 = 0;

/// A partition that holds nothing: for n-grams that only one document has.
const UNSHARED: u32 = u32::MAX;

/// Which n-grams go to which partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Routing {
    /// The hash by which n-grams are split.
    pub seed: Seed,
    /// There are `1 << bits` partitions.
    pub bits: u32,
    /// Whether n-grams are sent too whose parts only one document has.
    pub all: bool,
}

/// A block of items and its n-grams of one order. The buffers are used again for the next order.
#[derive(Debug)]
pub(super) struct Block<K> {
    pub items: Range<usize>,
    /// Text by text, what is known of the n-gram of the last order at each position where one starts.
    flags: Vec<Flags>,
    /// For each position the number of its n-gram within the item, from 1, or [`ALONE`].
    numbers: Vec<u32>,
    /// For each item how many n-grams have a number.
    distinct: Vec<u32>,
    /// For each of these the partition it went to, or [`UNSHARED`]; for single tokens, the token.
    origins: Vec<u32>,
    /// For each of these whether it occurs more than once in the item.
    repeated: Vec<bool>,
    /// For each text whether an n-gram occurs more than once in it.
    repetitive: Vec<bool>,
    /// The n-grams themselves, by partition. Whoever counts them puts their counts in their place.
    pub keys: Vec<Vec<K>>,
}

impl<K: Key> Block<K> {
    /// An empty block, with room for `ngrams` n-grams in its partitions together.
    pub fn new(items: Range<usize>, bits: u32, ngrams: usize) -> Self {
        Self {
            items,
            flags: Vec::new(),
            numbers: Vec::new(),
            distinct: Vec::new(),
            origins: Vec::new(),
            repeated: Vec::new(),
            repetitive: Vec::new(),
            keys: (0..1 << bits).map(|_| Vec::with_capacity(ngrams >> bits)).collect(),
        }
    }

    /// List the distinct tokens of each item and hand each to `found`.
    pub fn list_tokens(
        &mut self,
        documents: Documents<'_>,
        by_token: &mut [u32],
        plan: &Plan,
        found: impl Fn(u32),
    ) -> Result<()> {
        let tokens = documents.tokens;
        self.numbers.reserve(tokens.count(documents.texts(&self.items)));
        for texts in &documents.items[self.items.clone()] {
            plan.check()?;
            let before = self.origins.len();
            for text in texts.clone() {
                for &token in tokens.get(text) {
                    let number = &mut by_token[token as usize];
                    if *number == 0 {
                        self.origins.push(token);
                        self.repeated.push(false);
                        *number = (self.origins.len() - before) as u32;
                    } else {
                        self.repeated[before + *number as usize - 1] = true;
                    }
                    self.numbers.push(*number);
                }
                // Nearly every text has some token twice; finding out would take longer than counting.
                self.repetitive.push(true);
            }
            for &token in &self.origins[before..] {
                by_token[token as usize] = 0;
                found(token);
            }
            self.distinct.push((self.origins.len() - before) as u32);
        }
        Ok(())
    }

    /// List the distinct n-grams of each item, of two tokens or more, and send them to their partitions.
    pub fn list(
        &mut self,
        documents: Documents<'_>,
        order: usize,
        routing: Routing,
        lister: &mut Lister<K>,
        plan: &Plan,
    ) -> Result<()> {
        self.clear();
        let flags = std::mem::take(&mut self.flags);
        let mut unread = flags.as_slice();
        for texts in &documents.items[self.items.clone()] {
            plan.check()?;
            // Fewer and fewer n-grams are looked for; the table grows where that is not so.
            lister.reset(documents.tokens.count(texts.clone()) >> (order - 2));
            let before = self.origins.len();
            for text in texts.clone() {
                let ids = documents.tokens.get(text);
                let parts = split(&mut unread, positions(ids.len(), order - 1));
                let mut repetitive = false;
                for (key, parts) in ngrams::<K>(ids, order).zip(parts.windows(2)) {
                    let parts = parts[0].both(parts[1]);
                    let shared = parts.shared() || routing.all;
                    if !parts.repeated() && !shared {
                        self.numbers.push(ALONE);
                        continue;
                    }
                    let next = (self.origins.len() - before) as u32 + 1;
                    let number = if parts.repeated() { lister.table.get_or_insert(key, next) } else { next };
                    self.numbers.push(number);
                    if number == next {
                        let origin = if shared { self.send(key, routing) } else { UNSHARED };
                        self.origins.push(origin);
                        self.repeated.push(false);
                        lister.last.push(text);
                    } else {
                        self.repeated[before + number as usize - 1] = true;
                        repetitive |= std::mem::replace(&mut lister.last[number as usize - 1], text) == text;
                    }
                }
                self.repetitive.push(repetitive);
            }
            self.distinct.push((self.origins.len() - before) as u32);
        }
        self.flags = flags;
        Ok(())
    }

    fn clear(&mut self) {
        self.numbers.clear();
        self.distinct.clear();
        self.origins.clear();
        self.repeated.clear();
        self.repetitive.clear();
        self.keys.iter_mut().for_each(Vec::clear);
    }

    #[inline]
    fn send(&mut self, key: K, routing: Routing) -> u32 {
        // Two shifts: by 64 at once would overflow where there is one partition.
        let partition = key.hash(routing.seed) >> 1 >> (u64::BITS - 1 - routing.bits);
        self.keys[partition as usize].push(key);
        partition as u32
    }

    /// Read the counts back: write the norm of each text and, where `counts` has room, the count of each n-gram at the
    /// token where it starts; and note what is known now for the next order. `of_token` gives the counts of single
    /// tokens.
    pub fn read(
        &mut self,
        documents: Documents<'_>,
        order: usize,
        idf: &Idf,
        of_token: impl Fn(u32) -> u32,
        item: &mut Item,
        output: &mut Output<'_>,
    ) {
        let mut counts: Vec<&[K]> = self.keys.iter().map(Vec::as_slice).collect();
        let mut next_count = |origin: u32| match origin {
            UNSHARED => 1,
            token if order == 1 => of_token(token),
            partition => split(&mut counts[partition as usize], 1)[0].number(),
        };
        self.flags.clear();
        let (mut numbers, mut origins) = (self.numbers.as_slice(), self.origins.as_slice());
        let (mut repeated, mut repetitive) = (self.repeated.as_slice(), self.repetitive.as_slice());
        let mut norms = output.norms.iter_mut();
        let mut start = 0;
        for (texts, &distinct) in documents.items[self.items.clone()].iter().zip(&self.distinct) {
            item.clear(idf);
            let distinct = distinct as usize;
            for (&origin, &repeated) in split(&mut origins, distinct).iter().zip(split(&mut repeated, distinct)) {
                item.push(next_count(origin), repeated, idf);
            }
            let repetitive = split(&mut repetitive, texts.len());
            for ((text, &repetitive), norms) in texts.clone().zip(repetitive).zip(&mut norms) {
                let length = documents.tokens.get(text).len();
                let numbers = split(&mut numbers, positions(length, order));
                self.flags.extend(numbers.iter().map(|&number| item.get(number).flags));
                norms[order - 1] = if repetitive { item.norm(numbers) } else { item.plain_norm(numbers) };
                if !output.counts.is_empty() {
                    let counts = &mut output.counts[start..start + length];
                    counts.iter_mut().zip(numbers).for_each(|(row, &number)| row[order - 1] = item.get(number).count);
                    start += length;
                }
            }
        }
    }
}

/// Buffers of [`Block::list`], one for each thread.
#[derive(Debug)]
pub(super) struct Lister<K> {
    table: Table<K>,
    /// For each numbered n-gram of the item, the last text that had it.
    last: Vec<usize>,
}

impl<K: Key> Lister<K> {
    pub fn new() -> Self {
        Self { table: Table::new(Seed::default()), last: Vec::new() }
    }

    fn reset(&mut self, expected: usize) {
        self.table.reset(expected);
        self.last.clear();
    }
}

/// Where [`Block::read`] writes for a block.
#[derive(Debug)]
pub(super) struct Output<'a> {
    /// One row for each text.
    pub norms: &'a mut [Norms],
    /// One row for each token, or none at all if counts are not wanted.
    pub counts: &'a mut [[u32; MAX_ORDER]],
}

/// The numbered n-grams of one item. Place 0 stands for those that are [`ALONE`].
#[derive(Debug, Default)]
pub(super) struct Item {
    ngrams: Vec<Ngram>,
    /// Occurrences in the text at hand, zero between texts.
    in_text: Vec<u32>,
}

/// What is known of one n-gram of an item.
#[derive(Debug, Clone, Copy)]
struct Ngram {
    weight: f64,
    square: f64,
    count: u32,
    flags: Flags,
}

impl Item {
    fn clear(&mut self, idf: &Idf) {
        self.ngrams.clear();
        self.push(1, false, idf);
    }

    #[inline]
    fn push(&mut self, count: u32, repeated: bool, idf: &Idf) {
        let weight = idf.of(count);
        self.ngrams.push(Ngram { weight, square: weight * weight, count, flags: Flags::new(repeated, count > 1) });
    }

    #[inline]
    fn get(&self, number: u32) -> &Ngram {
        &self.ngrams[number as usize]
    }

    /// Length of the tf-idf vector of a text in which no n-gram occurs twice, from the numbers of its n-grams.
    fn plain_norm(&self, numbers: &[u32]) -> f64 {
        numbers.iter().fold(0.0, |sum, &number| sum + self.get(number).square).sqrt()
    }

    /// The same for any text. The sum runs over distinct n-grams in the order of their first occurrence.
    fn norm(&mut self, numbers: &[u32]) -> f64 {
        self.in_text.resize(self.in_text.len().max(self.ngrams.len()), 0);
        numbers.iter().for_each(|&number| self.in_text[number as usize] += 1);
        let mut sum = 0.0;
        for &number in numbers {
            let times = if number == ALONE { 1 } else { std::mem::take(&mut self.in_text[number as usize]) };
            if times > 0 {
                let weight = f64::from(times) * self.get(number).weight;
                sum += weight * weight;
            }
        }
        self.in_text[ALONE as usize] = 0;
        sum.sqrt()
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
