//! The n-grams of a block of items, order by order: where each is to be counted, what its count is, and what that says
//! about the next order.

use std::ops::Range;

use super::idf::Idf;
use super::weights::{Documents, Norms};
use crate::blocks::Plan;
use crate::error::Result;
use crate::text::ngrams::{Key, MAX_ORDER, Seed, ngrams};

/// What is known of the n-gram that starts at a position: whether its text has it more than once, and whether more than
/// one document has it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Flags(u8);

impl Flags {
    /// Neither: one document has it, once.
    const ALONE: Self = Self(0);

    fn new(is_repeated: bool, is_shared: bool) -> Self {
        Self(u8::from(is_repeated) | u8::from(is_shared) << 1)
    }

    fn is_repeated(self) -> bool {
        self.0 & 1 != 0
    }

    /// What the two parts of an n-gram allow the whole to be.
    fn both(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

/// Which n-grams go to which partition.
#[derive(Debug, Clone, Copy)]
pub(super) struct Routing {
    /// The hash by which n-grams are split.
    pub seed: Seed,
    /// There are `1 << bits` partitions.
    pub bits: u32,
    /// Whether n-grams are counted too whose parts only one document has.
    pub all: bool,
}

impl Routing {
    #[inline]
    fn partition<K: Key>(self, key: K) -> u16 {
        // Two shifts: by 64 at once would overflow where there is one partition.
        (key.hash(self.seed) >> 1 >> (u64::BITS - 1 - self.bits)) as u16
    }
}

/// An n-gram that one document has once: it is not sent anywhere.
const ALONE: u16 = u16::MAX;

/// An n-gram where it occurs, and a pair of numbers: the text, and where in the block the n-gram starts, with
/// [`MAY_REPEAT`] set if the text may have it more than once.
///
/// Whoever counts puts the number of documents in the place of the n-gram, and in the place of the text how often the
/// text has the n-gram, or zero from the second occurrence on.
pub(super) type Occurrence<K> = [K; 2];

/// A bit above all places.
pub(super) const MAY_REPEAT: u32 = 1 << 31;

/// A block of items and its n-grams of one order. The buffers are used again for the next order.
#[derive(Debug)]
pub(super) struct Block<'m, K> {
    pub items: Range<usize>,
    /// Text by text, what is known of the n-gram of the last order at each position where one starts.
    flags: Vec<Flags>,
    /// The tokens of the block, and in how many items each is.
    pub tokens: Vec<(u32, u32)>,
    /// Room for an occurrence at each token.
    memory: &'m mut [Occurrence<K>],
    /// How many n-grams of each partition are in it, partition by partition.
    lengths: Vec<u32>,
}

/// Buffers for working on a block, one for each thread.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// For each position the partition its n-gram goes to, or [`ALONE`].
    routes: Vec<u16>,
    /// Where the next n-gram of each partition is written.
    ends: Vec<u32>,
    /// For each position the number of documents, and how often the text has the n-gram or zero.
    counted: Vec<[u32; 2]>,
    /// Occurrences in the text at hand by token, zero between texts.
    times: Vec<u32>,
    /// For each token the item that had it last, from 1, and the number of items; zero between blocks.
    seen: Vec<[u32; 2]>,
}

impl<'m, K: Key> Block<'m, K> {
    /// A block of which nothing is known yet, with room for an occurrence at each token.
    pub fn new(items: Range<usize>, memory: &'m mut [Occurrence<K>]) -> Self {
        Self { items, flags: Vec::new(), tokens: Vec::new(), memory, lengths: Vec::new() }
    }

    /// N-grams to be counted, partition by partition, in each in the order of the texts; and how many there are in each.
    pub fn listed(&mut self) -> (&mut [Occurrence<K>], &[u32]) {
        let count = self.lengths.iter().map(|&length| length as usize).sum();
        (&mut self.memory[..count], &self.lengths)
    }

    /// Count in how many items each token is.
    pub fn list_tokens(&mut self, documents: Documents<'_>, scratch: &mut Scratch, plan: &Plan) -> Result<()> {
        let seen = &mut scratch.seen;
        for (number, item) in (1..).zip(&documents.items[self.items.clone()]) {
            plan.check()?;
            for &token in documents.tokens.of(item) {
                if token as usize >= seen.len() {
                    seen.resize(token as usize + 1, [0; 2]);
                }
                let [last, items] = &mut seen[token as usize];
                *items += u32::from(*last != number);
                *last = number;
            }
        }
        for &token in documents.tokens.of(&documents.texts(&self.items)) {
            let [_, items] = std::mem::take(&mut seen[token as usize]);
            if items > 0 {
                self.tokens.push((token, items));
            }
        }
        Ok(())
    }

    /// List the n-grams that other items or the same text may have again, of two tokens or more.
    pub fn list(
        &mut self,
        documents: Documents<'_>,
        order: usize,
        routing: Routing,
        scratch: &mut Scratch,
        plan: &Plan,
    ) -> Result<()> {
        let Scratch { routes, ends, .. } = scratch;
        self.route(documents, order, routing, routes, plan)?;
        let starts = self.lengths.iter().scan(0, |end, &length| Some(std::mem::replace(end, *end + length)));
        ends.clear();
        ends.extend(starts);
        let mut place = 0;
        let (mut flags, mut routes) = (self.flags.as_slice(), routes.as_slice());
        for text in documents.texts(&self.items) {
            plan.check()?;
            let ids = documents.tokens.get(text);
            let parts = take(&mut flags, positions(ids.len(), order - 1)).windows(2);
            let routes = take(&mut routes, positions(ids.len(), order));
            for ((key, parts), &route) in ngrams::<K>(ids, order).zip(parts).zip(routes) {
                if route != ALONE {
                    let end = &mut ends[usize::from(route)];
                    let repeat = if parts[0].both(parts[1]).is_repeated() { MAY_REPEAT } else { 0 };
                    self.memory[*end as usize] = [key, K::from_pair([text as u32, place | repeat])];
                    *end += 1;
                }
                place += 1;
            }
        }
        Ok(())
    }

    /// Choose the partition of each n-gram, and count how many go to each.
    fn route(
        &mut self,
        documents: Documents<'_>,
        order: usize,
        routing: Routing,
        routes: &mut Vec<u16>,
        plan: &Plan,
    ) -> Result<()> {
        routes.clear();
        self.lengths.clear();
        self.lengths.resize(1 << routing.bits, 0);
        let mut flags = self.flags.as_slice();
        for text in documents.texts(&self.items) {
            plan.check()?;
            let ids = documents.tokens.get(text);
            let parts = take(&mut flags, positions(ids.len(), order - 1)).windows(2);
            routes.extend(ngrams::<K>(ids, order).zip(parts).map(|(key, parts)| {
                let parts = parts[0].both(parts[1]);
                if parts == Flags::ALONE && !routing.all {
                    return ALONE;
                }
                let partition = routing.partition(key);
                self.lengths[usize::from(partition)] += 1;
                partition
            }));
        }
        Ok(())
    }

    /// Read the counts of single tokens: write the norm of each text and, where `counts` has room, the count of each
    /// token; and note what is known now for the next order.
    pub fn read_tokens(
        &mut self,
        documents: Documents<'_>,
        idf: &Idf,
        of_token: impl Fn(u32) -> u32,
        scratch: &mut Scratch,
        output: &mut Output<'_>,
    ) {
        let Scratch { times, counted, .. } = scratch;
        let texts = documents.texts(&self.items);
        counted.clear();
        for text in texts.clone() {
            let ids = documents.tokens.get(text);
            for &token in ids {
                if token as usize >= times.len() {
                    times.resize(token as usize + 1, 0);
                }
                times[token as usize] += 1;
            }
            counted.extend(ids.iter().map(|&token| [of_token(token), std::mem::take(&mut times[token as usize])]));
        }
        self.write(documents, 1, idf, counted, output);
    }

    /// The same for longer n-grams, which have been counted where they are listed.
    pub fn read(
        &mut self,
        documents: Documents<'_>,
        order: usize,
        idf: &Idf,
        scratch: &mut Scratch,
        output: &mut Output<'_>,
    ) {
        let counted = &mut scratch.counted;
        counted.clear();
        let lengths = documents.texts(&self.items).map(|text| positions(documents.tokens.get(text).len(), order));
        counted.resize(lengths.sum(), [1; 2]);
        for [count, pair] in self.listed().0 {
            let [times, place] = pair.pair();
            counted[(place & !MAY_REPEAT) as usize] = [count.number(), times];
        }
        self.write(documents, order, idf, counted, output);
    }

    /// Sums run over distinct n-grams in the order of their first occurrence: later ones count zero times.
    fn write(
        &mut self,
        documents: Documents<'_>,
        order: usize,
        idf: &Idf,
        mut counted: &[[u32; 2]],
        output: &mut Output<'_>,
    ) {
        self.flags.clear();
        self.flags.extend(counted.iter().map(|&[count, times]| Flags::new(times != 1, count > 1)));
        let mut rows = &mut *output.counts;
        for (text, norms) in documents.texts(&self.items).zip(output.norms.iter_mut()) {
            let length = documents.tokens.get(text).len();
            let counted = take(&mut counted, positions(length, order));
            let squares = counted.iter().map(|&[count, times]| {
                let weight = f64::from(times) * idf.of(count);
                weight * weight
            });
            norms[order - 1] = squares.fold(0.0, std::ops::Add::add).sqrt();
            if !rows.is_empty() {
                let (own, rest) = rows.split_at_mut(length);
                own.iter_mut().zip(counted).for_each(|(row, &[count, _])| row[order - 1] = count);
                rows = rest;
            }
        }
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

/// Number of n-grams of `order` in a text of this many tokens.
fn positions(tokens: usize, order: usize) -> usize {
    (tokens + 1).saturating_sub(order)
}

/// Take the first `count` elements off a slice.
fn take<'s, T>(slice: &mut &'s [T], count: usize) -> &'s [T] {
    slice.split_off(..count).unwrap_or_default()
}
