//! The n-grams of a block of items, order by order: which are to be counted, what their counts are, and what that says
//! about the next order.

use std::ops::Range;

use super::idf::Idf;
use super::weights::{Counts, Documents, Norms};
use crate::blocks::Plan;
use crate::error::Result;
use crate::text::Table;
use crate::text::ngrams::{Key, Seed, pack};

/// What is known of the n-gram that starts at a token.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Flags(u8);

impl Flags {
    /// Its item has it more than once.
    const REPEATED: u8 = 1;
    /// More than one item has it.
    const SHARED: u8 = 2;
    /// It is in the list of n-grams to be counted.
    const LISTED: u8 = 4;

    fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// What the two parts of an n-gram allow the whole to be.
    fn of_parts(self, next: Self) -> Self {
        Self(self.0 & next.0 & (Self::REPEATED | Self::SHARED))
    }

    fn set(&mut self, flag: u8, to: bool) {
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
    fn partition<K: Key>(self, key: K) -> u16 {
        // Two shifts: by 64 at once would overflow where there is one partition.
        (key.hash(self.seed) >> 1 >> (u64::BITS - 1 - self.bits)) as u16
    }
}

/// An n-gram that came before in its item, by tokens of the block.
#[derive(Debug, Clone, Copy)]
struct Repeat {
    place: u32,
    /// Where it stands first in the same text, or, if it is new to that, somewhere before it.
    of: u32,
}

impl Repeat {
    /// Take those before a place off a list.
    fn before<'r>(repeats: &mut &'r [Self], end: usize) -> &'r [Self] {
        let count = repeats.iter().take_while(|repeat| (repeat.place as usize) < end).count();
        take(repeats, count)
    }

    /// Give it the number of documents that it has where it came before, and count it there if that is in the same
    /// text. `counted` is of the item, which is at `first` in the block and the text at `start` in it.
    fn count(self, counted: &mut [[u32; 2]], first: usize, start: usize) {
        let (place, of) = (self.place as usize - first, self.of as usize - first);
        let is_same_text = of >= start;
        counted[of][1] += u32::from(is_same_text);
        counted[place] = [counted[of][0], u32::from(!is_same_text)];
    }
}

/// A block of items and its n-grams of one order. The buffers are used again for the next order.
#[derive(Debug)]
pub(super) struct Block<'m, K> {
    pub items: Range<usize>,
    /// The tokens of the block, and in how many items each is.
    pub tokens: Vec<(u32, u32)>,
    /// One for each token.
    flags: Vec<Flags>,
    /// In the order of their places.
    repeats: Vec<Repeat>,
    /// Room for an n-gram at each token.
    memory: &'m mut [K],
    /// How many n-grams of each partition are in it, partition by partition.
    lengths: Vec<u32>,
}

/// Buffers for working on a block, one for each thread.
#[derive(Debug)]
pub(super) struct Scratch<K> {
    /// Places in a text.
    places: Vec<u32>,
    /// The n-grams to be counted in the order of the texts, and the partition that each goes to.
    chosen: Vec<K>,
    routes: Vec<u16>,
    /// Where the next n-gram of each partition is written or read.
    ends: Vec<u32>,
    /// The n-grams of the block, partition by partition, and the numbers that took their place. Both are written and
    /// read in no order that memory could foresee, which must happen in a cache.
    sorted: Vec<K>,
    numbers: Vec<u32>,
    /// The n-grams of an item that it may have more than once.
    own: Table<K>,
    /// For each token of an item the number of documents, and how often the text has the n-gram, or zero from its
    /// second occurrence on.
    counted: Vec<[u32; 2]>,
    /// Occurrences in the text and in the item at hand by token, zero between them.
    times: Vec<[u32; 2]>,
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

/// Where the results of a block are written.
#[derive(Debug)]
pub(super) struct Output<'a> {
    /// One row for each text.
    pub norms: &'a mut [Norms],
    /// One row for each token, or none at all if counts are not wanted.
    pub counts: &'a mut [Counts],
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

    /// Read the counts of single tokens: write the norm of each text and, where `counts` has room, the count of each
    /// token; and note what is known now for the next order.
    pub fn read_tokens(
        &mut self,
        documents: Documents<'_>,
        idf: &Idf,
        of_token: impl Fn(u32) -> u32,
        scratch: &mut Scratch<K>,
        output: &mut Output<'_>,
    ) {
        let Scratch { times, counted, .. } = scratch;
        let mut writer = Writer { order: 1, idf, output };
        let mut flags = self.flags.as_mut_slice();
        for item in &documents.items[self.items.clone()] {
            documents.tokens.of(item).iter().for_each(|&token| at(times, token)[1] += 1);
            for text in item.clone() {
                let ids = documents.tokens.get(text);
                ids.iter().for_each(|&token| times[token as usize][0] += 1);
                counted.clear();
                let own = flags.split_off_mut(..ids.len()).unwrap_or_default();
                for (&token, flags) in ids.iter().zip(own) {
                    let [in_text, in_item] = &mut times[token as usize];
                    let count = of_token(token);
                    flags.set(Flags::REPEATED, *in_item > 1);
                    flags.set(Flags::SHARED, count > 1);
                    counted.push([count, std::mem::take(in_text)]);
                }
                writer.write(counted, ids.len());
            }
            documents.tokens.of(item).iter().for_each(|&token| times[token as usize][1] = 0);
        }
    }

    /// The same for longer n-grams, which have been counted where they are listed.
    pub fn read(
        &mut self,
        documents: Documents<'_>,
        order: usize,
        (idf, routing): (&Idf, Routing),
        scratch: &mut Scratch<K>,
        output: &mut Output<'_>,
    ) {
        let Scratch { ends, counted, numbers, places, .. } = scratch;
        start(ends, &self.lengths);
        numbers.clear();
        numbers.extend(self.listed().0.iter().map(|number| number.number()));
        let mut writer = Writer { order, idf, output };
        let (mut flags, mut repeats) = (self.flags.as_mut_slice(), self.repeats.as_slice());
        let mut first = 0;
        for item in &documents.items[self.items.clone()] {
            counted.clear();
            let flags = flags.split_off_mut(..documents.tokens.count(item.clone())).unwrap_or_default();
            let own = Repeat::before(&mut repeats, first + flags.len());
            let mut ahead = own;
            for text in item.clone() {
                let ids = documents.tokens.get(text);
                let start = counted.len();
                counted.resize(start + positions(ids.len(), order), [1; 2]);
                collect(places, &flags[start..counted.len()], Flags::LISTED);
                // The n-grams of each partition come in the order in which they were listed.
                for &place in &*places {
                    let key: K = pack(&ids[place as usize..place as usize + order]);
                    let next = &mut ends[usize::from(routing.partition(key))];
                    counted[start + place as usize][0] = numbers[*next as usize];
                    *next += 1;
                }
                for repeat in Repeat::before(&mut ahead, first + counted.len()) {
                    repeat.count(counted, first, start);
                }
                writer.write(&counted[start..], ids.len());
                counted.resize(start + ids.len(), [1, 0]);
            }
            for (flags, &[count, _]) in flags.iter_mut().zip(&*counted) {
                *flags = Flags::default();
                flags.set(Flags::SHARED, count > 1);
            }
            for place in own.iter().flat_map(|&Repeat { place, of }| [place, of]) {
                flags[place as usize - first].set(Flags::REPEATED, true);
            }
            first += flags.len();
        }
    }
}

/// Writes the results of one order, text by text.
#[derive(Debug)]
struct Writer<'w, 'o> {
    order: usize,
    idf: &'w Idf,
    output: &'w mut Output<'o>,
}

impl Writer<'_, '_> {
    /// Write what follows from the counts of a text's n-grams. Sums run over distinct n-grams in the order of their
    /// first occurrence: later ones count zero times.
    fn write(&mut self, counted: &[[u32; 2]], tokens: usize) {
        let squares = counted.iter().map(|&[count, times]| {
            let weight = f64::from(times) * self.idf.of(count);
            weight * weight
        });
        if let Some(norms) = self.output.norms.split_off_first_mut() {
            norms[self.order - 1] = squares.fold(0.0, std::ops::Add::add).sqrt();
        }
        let rows = self.output.counts.split_off_mut(..tokens).unwrap_or_default();
        rows.iter_mut().zip(counted).for_each(|(row, &[count, _])| row[self.order - 1] = count);
    }
}

/// Number of n-grams that their parts allow to be in an item more than once, or a few more.
fn may_repeat(flags: &[Flags]) -> usize {
    flags.windows(2).map(|parts| usize::from(parts[0].of_parts(parts[1]).has(Flags::REPEATED))).sum()
}

/// The entry of a token in an array that grows as it must.
#[inline]
fn at(by_token: &mut Vec<[u32; 2]>, token: u32) -> &mut [u32; 2] {
    if token as usize >= by_token.len() {
        by_token.resize(token as usize + 1, [0; 2]);
    }
    &mut by_token[token as usize]
}

/// Go to the start of each partition.
fn start(ends: &mut Vec<u32>, lengths: &[u32]) {
    ends.clear();
    ends.extend(lengths.iter().scan(0, |end, &length| Some(std::mem::replace(end, *end + length))));
}

/// The places that have any of `wanted`. Which do is hard to foresee, so each is written, and kept or written over.
fn collect(places: &mut Vec<u32>, flags: &[Flags], wanted: u8) {
    places.resize(flags.len() + 1, 0);
    let mut count = 0;
    for (place, &flags) in (0..).zip(flags) {
        places[count] = place;
        count += usize::from(flags.has(wanted));
    }
    places.truncate(count);
}

/// Number of n-grams of `order` in a text of this many tokens.
fn positions(tokens: usize, order: usize) -> usize {
    (tokens + 1).saturating_sub(order)
}

/// Take the first `count` elements off a slice.
fn take<'s, T>(slice: &mut &'s [T], count: usize) -> &'s [T] {
    slice.split_off(..count).unwrap_or_default()
}
