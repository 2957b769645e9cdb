//! Pass 1 of the weights: which n-grams of a block of items are to be counted, order by order.

use std::ops::Range;

use super::Documents;
use crate::error::Result;
use crate::parallel::Plan;
use crate::text::Table;
use crate::text::ngrams::{Key, Seed, pack};

/// What is known of the n-gram that starts at a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Flags(u8);

impl Flags {
    /// Its item has it more than once.
    pub const REPEATED: u8 = 1;
    /// More than one item has it.
    pub const SHARED: u8 = 2;
    /// It is in the list of n-grams to be counted.
    pub const LISTED: u8 = 4;

    fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// What the two parts of an n-gram allow the whole to be.
    fn of_parts(self, next: Self) -> Self {
        Self(self.0 & next.0 & (Self::REPEATED | Self::SHARED))
    }

    pub fn set(&mut self, flag: u8, to: bool) {
        self.0 = self.0 & !flag | if to { flag } else { 0 };
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
    pub fn partition<K: Key>(self, key: K) -> u16 {
        // Two shifts: by 64 at once would overflow where there is one partition.
        (key.hash(self.seed) >> 1 >> (u64::BITS - 1 - self.bits)) as u16
    }
}

/// An n-gram that came before in its item, by tokens of the block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repeat {
    pub place: u32,
    /// Where it stands first in the same text, or, if it is new to that, somewhere before it.
    pub of: u32,
}

impl Repeat {
    /// Take those before a place off a list.
    pub fn before<'r>(repeats: &mut &'r [Self], end: usize) -> &'r [Self] {
        let count = repeats.iter().take_while(|repeat| (repeat.place as usize) < end).count();
        take(repeats, count)
    }
}

/// A block of items and its n-grams of one order. The buffers are used again for the next order.
#[derive(Debug)]
pub(super) struct Block<'m, K> {
    pub items: Range<usize>,
    /// The tokens of the block, and in how many items each is.
    pub tokens: Vec<(u32, u32)>,
    /// One for each token.
    pub flags: Vec<Flags>,
    /// In the order of their places.
    pub repeats: Vec<Repeat>,
    /// Room for an n-gram at each token.
    memory: &'m mut [K],
    /// How many n-grams of each partition are in it, partition by partition.
    pub lengths: Vec<u32>,
}

/// Buffers for working on a block, one for each thread.
#[derive(Debug)]
pub(super) struct Scratch<K> {
    /// Places in a text.
    pub places: Vec<u32>,
    /// The n-grams to be counted in the order of the texts, and the partition that each goes to.
    chosen: Vec<K>,
    routes: Vec<u16>,
    /// Where the next n-gram of each partition is written or read.
    pub ends: Vec<u32>,
    /// The n-grams of the block, partition by partition, and the numbers that took their place. Both are written and
    /// read in no order that memory could foresee, which must happen in a cache.
    sorted: Vec<K>,
    pub numbers: Vec<u32>,
    /// The n-grams of an item that it may have more than once.
    own: Table<K>,
    /// For each token of an item the number of documents, and how often the text has the n-gram, or zero from its
    /// second occurrence on.
    pub counted: Vec<[u32; 2]>,
    /// Occurrences in the text and in the item at hand by token, zero between them.
    pub times: Vec<[u32; 2]>,
    /// For each token the item that had it last, from 1, and the number of items; zero between blocks.
    seen: Vec<[u32; 2]>,
}

impl<K: Key> Default for Scratch<K> {
    fn default() -> Self {
        Self {
            places: Vec::new(),
            chosen: Vec::new(),
            routes: Vec::new(),
            ends: Vec::new(),
            sorted: Vec::new(),
            numbers: Vec::new(),
            own: Table::new(Seed::default()),
            counted: Vec::new(),
            times: Vec::new(),
            seen: Vec::new(),
        }
    }
}

impl<'m, K: Key> Block<'m, K> {
    /// A block of which nothing is known yet, with room for an n-gram at each token.
    pub fn new(items: Range<usize>, memory: &'m mut [K]) -> Self {
        let flags = vec![Flags::default(); memory.len()];
        Self { items, tokens: Vec::new(), flags, repeats: Vec::new(), memory, lengths: Vec::new() }
    }

    /// N-grams to be counted, partition by partition, and how many there are in each. An item lists each once.
    ///
    /// Whoever counts puts the number of documents in the place of the n-gram.
    pub fn listed(&mut self) -> (&mut [K], &[u32]) {
        let count = self.lengths.iter().map(|&length| length as usize).sum();
        (&mut self.memory[..count], &self.lengths)
    }

    /// Count in how many items each token is.
    pub fn list_tokens(&mut self, documents: Documents<'_>, scratch: &mut Scratch<K>, plan: &Plan) -> Result<()> {
        let seen = &mut scratch.seen;
        for (number, item) in (1..).zip(&documents.items[self.items.clone()]) {
            plan.check()?;
            for &token in documents.tokens.of(item) {
                let [last, items] = at(seen, token);
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

    /// List the n-grams of two tokens or more that may be in other items too.
    pub fn list(
        &mut self,
        documents: Documents<'_>,
        order: usize,
        routing: Routing,
        scratch: &mut Scratch<K>,
        plan: &Plan,
    ) -> Result<()> {
        self.choose(documents, order, routing.all, scratch, plan)?;
        let Scratch { chosen, routes, ends, sorted, .. } = scratch;
        self.lengths.clear();
        self.lengths.resize(1 << routing.bits, 0);
        routes.clear();
        routes.extend(chosen.iter().map(|&key| {
            let partition = routing.partition(key);
            self.lengths[usize::from(partition)] += 1;
            partition
        }));
        start(ends, &self.lengths);
        sorted.resize(chosen.len().max(sorted.len()), K::default());
        for (&key, &partition) in chosen.iter().zip(&*routes) {
            let end = &mut ends[usize::from(partition)];
            sorted[*end as usize] = key;
            *end += 1;
        }
        self.memory[..chosen.len()].copy_from_slice(&sorted[..chosen.len()]);
        Ok(())
    }

    /// Find the n-grams to be counted, in the order of the texts, and those that came before in their item.
    fn choose(
        &mut self,
        documents: Documents<'_>,
        order: usize,
        all: bool,
        scratch: &mut Scratch<K>,
        plan: &Plan,
    ) -> Result<()> {
        let Scratch { chosen, own, places, .. } = scratch;
        self.repeats.clear();
        chosen.clear();
        let mut first = 0;
        for item in &documents.items[self.items.clone()] {
            let flags = &mut self.flags[first..first + documents.tokens.count(item.clone())];
            own.reset(may_repeat(flags));
            for text in item.clone() {
                plan.check()?;
                let ids = documents.tokens.get(text);
                let flags = &mut self.flags[first..first + ids.len()];
                let count = positions(ids.len(), order);
                for place in 0..count {
                    let parts = flags[place].of_parts(flags[place + 1]);
                    flags[place].set(Flags::LISTED, all || parts.has(Flags::SHARED));
                    flags[place].set(Flags::REPEATED, parts.has(Flags::REPEATED));
                }
                collect(places, &flags[..count], Flags::LISTED | Flags::REPEATED);
                for &place in &*places {
                    let key = pack(&ids[place as usize..place as usize + order]);
                    let flags = &mut flags[place as usize];
                    if flags.has(Flags::REPEATED) {
                        let place = first as u32 + place;
                        let last = own.entry(key, place);
                        if *last != place {
                            flags.set(Flags::LISTED, false);
                            self.repeats.push(Repeat { place, of: *last });
                            *last = if (*last as usize) < first { place } else { *last };
                        }
                    }
                    if flags.has(Flags::LISTED) {
                        chosen.push(key);
                    }
                }
                first += ids.len();
            }
        }
        Ok(())
    }
}

/// Number of n-grams that their parts allow to be in an item more than once, or a few more.
fn may_repeat(flags: &[Flags]) -> usize {
    flags.windows(2).map(|parts| usize::from(parts[0].of_parts(parts[1]).has(Flags::REPEATED))).sum()
}

/// The entry of a token in an array that grows as it must.
#[inline]
pub(super) fn at(by_token: &mut Vec<[u32; 2]>, token: u32) -> &mut [u32; 2] {
    if token as usize >= by_token.len() {
        by_token.resize(token as usize + 1, [0; 2]);
    }
    &mut by_token[token as usize]
}

/// Go to the start of each partition.
pub(super) fn start(ends: &mut Vec<u32>, lengths: &[u32]) {
    ends.clear();
    ends.extend(lengths.iter().scan(0, |end, &length| Some(std::mem::replace(end, *end + length))));
}

/// The places that have any of `wanted`. Which do is hard to foresee, so each is written, and kept or written over.
pub(super) fn collect(places: &mut Vec<u32>, flags: &[Flags], wanted: u8) {
    places.resize(flags.len() + 1, 0);
    let mut count = 0;
    for (place, &flags) in (0..).zip(flags) {
        places[count] = place;
        count += usize::from(flags.has(wanted));
    }
    places.truncate(count);
}

/// Number of n-grams of `order` in a text of this many tokens.
pub(super) fn positions(tokens: usize, order: usize) -> usize {
    (tokens + 1).saturating_sub(order)
}

/// Take the first `count` elements off a slice.
fn take<'s, T>(slice: &mut &'s [T], count: usize) -> &'s [T] {
    slice.split_off(..count).unwrap_or_default()
}
