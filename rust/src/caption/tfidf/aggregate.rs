//! Pass 2 of the weights: partition by partition, in how many items n-grams are.

use super::partition::{Block, Routing};
use crate::caption::document_frequency::{DocumentFrequency, Frequencies};
use crate::error::Result;
use crate::parallel::Plan;
use crate::text::ngrams::Key;

/// Put the number of items in the place of each n-gram, and, where others ask for it, of theirs. Gives the n-grams that
/// `least` items hold, if it says how many.
pub(super) fn count_columns<K: Key>(
    blocks: &mut [Block<'_, K>],
    others: &mut [Block<'_, K>],
    routing: Routing,
    least: Option<u32>,
    plan: &Plan,
) -> Result<Frequencies<K>> {
    let own = blocks.len();
    let both = blocks.iter_mut().map(Block::listed).chain(others.iter_mut().map(Block::listed)).collect();
    let counter = || Counter::new(routing);
    let count = |counter: &mut Counter<K>, _, column: &mut Column<'_, K>| counter.count(column, own, least);
    let kept = with_columns(both, routing.bits, plan, counter, count)?;
    if least.is_none() {
        return Ok(Frequencies::default());
    }
    Frequencies::new(routing.seed, &kept, plan)
}

/// The same from given frequencies.
pub(super) fn look_up_columns<K: Key>(
    blocks: &mut [Block<'_, K>],
    order: usize,
    routing: Routing,
    frequency: &DocumentFrequency,
    plan: &Plan,
) -> Result<()> {
    let look_up = |(): &mut (), partition, column: &mut Column<'_, K>| {
        frequency.fetch(order, partition, routing.bits, column.iter().map(|block| block.len()).sum());
        column.iter_mut().for_each(|block| frequency.look_up(block, order));
    };
    with_columns(blocks.iter_mut().map(Block::listed).collect(), routing.bits, plan, || (), look_up)?;
    Ok(())
}

/// The n-grams of one partition, by block.
type Column<'b, K> = Vec<&'b mut [K]>;

/// Columns that are made at a time: with many blocks, their slices would need much memory.
const COLUMNS: usize = 256;

/// Run `work` on each partition, told by its number, with the n-grams that all blocks have listed; the results come in
/// the order of the hash.
fn with_columns<K: Key, S, T: Send + Default>(
    mut rest: Vec<(&mut [K], &[u32])>,
    bits: u32,
    plan: &Plan,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize, &mut Column<'_, K>) -> T + Sync,
) -> Result<Vec<T>> {
    let mut results = Vec::new();
    for first in (0..1 << bits).step_by(COLUMNS) {
        let partitions = first..(first + COLUMNS).min(1 << bits);
        let mut columns: Vec<(Column<'_, K>, T)> = partitions
            .map(|partition| {
                let own = rest
                    .iter_mut()
                    .map(|(listed, lengths)| listed.split_off_mut(..lengths[partition] as usize).unwrap_or_default());
                (own.collect(), T::default())
            })
            .collect();
        plan.each(&mut columns, &scratch, |state, index, (column, result)| {
            *result = work(state, first + index, column);
            plan.check()
        })?;
        results.extend(columns.into_iter().map(|(_, result)| result));
    }
    Ok(results)
}

/// Counts the n-grams of a partition; one for each thread, used for one partition after the other.
#[derive(Debug)]
struct Counter<K> {
    own: Vec<K>,
    /// Those that are looked up among them.
    others: Vec<K>,
    tally: Tally<K>,
}

impl<K: Key> Counter<K> {
    fn new(routing: Routing) -> Self {
        Self { own: Vec::new(), others: Vec::new(), tally: Tally::new(routing) }
    }

    /// Put its count among the first `own` blocks in the place of each n-gram, and give those that are there `least`
    /// times.
    fn count(&mut self, column: &mut Column<'_, K>, own: usize, least: Option<u32>) -> Vec<(K, u32)> {
        let (own, others) = column.split_at_mut(own);
        gather(own, &mut self.own);
        self.tally.count(&mut self.own);
        give_back(&self.own, own);
        gather(others, &mut self.others);
        self.tally.look_up(&mut self.others);
        give_back(&self.others, others);
        least.map(|least| self.tally.at_least(least)).unwrap_or_default()
    }
}

/// Put the n-grams of several blocks side by side.
fn gather<K: Key>(column: &[&mut [K]], ngrams: &mut Vec<K>) {
    ngrams.clear();
    column.iter().for_each(|block| ngrams.extend_from_slice(block));
}

/// Put what has taken the place of the n-grams into the blocks.
fn give_back<K: Key>(mut numbers: &[K], column: &mut [&mut [K]]) {
    for block in column {
        block.copy_from_slice(numbers.split_off(..block.len()).unwrap_or_default());
    }
}

/// A hash table of n-grams that never grows, because it has room for as many as there can be. It stays in a cache.
#[derive(Debug)]
struct Tally<K> {
    routing: Routing,
    size: usize,
    /// N-grams that were counted, which is no less than there are.
    used: usize,
    keys: Vec<K>,
    counts: Vec<u32>,
    kept: Vec<(K, u32)>,
}

impl<K: Key> Tally<K> {
    fn new(routing: Routing) -> Self {
        Self { routing, size: 0, used: 0, keys: Vec::new(), counts: Vec::new(), kept: Vec::new() }
    }

    /// Put in the place of each n-gram how often it is there.
    fn count(&mut self, ngrams: &mut [K]) {
        self.size = (ngrams.len() + ngrams.len() / 2).next_power_of_two().max(2);
        self.used = ngrams.len();
        let size = self.size;
        if self.keys.len() < size {
            self.keys.resize(size, K::default());
            self.counts.resize(size, 0);
        }
        let (keys, counts) = (&mut self.keys[..size], &mut self.counts[..size]);
        keys.fill(K::default());
        counts.fill(0);
        for ngram in &mut *ngrams {
            let place = place(keys, *ngram, self.routing);
            keys[place] = *ngram;
            counts[place] += 1;
            *ngram = K::from_number(place as u32);
        }
        for ngram in ngrams {
            *ngram = K::from_number(counts[ngram.number() as usize]);
        }
    }

    /// Put in the place of each n-gram, of the same partition, how often it was counted.
    fn look_up(&self, ngrams: &mut [K]) {
        let (keys, counts) = (&self.keys[..self.size], &self.counts[..self.size]);
        for ngram in ngrams {
            // A place without an n-gram has counted none.
            *ngram = K::from_number(counts[place(keys, *ngram, self.routing)]);
        }
    }

    /// The n-grams that are there `least` times. Which are is hard to foresee, so each is written, and kept or written
    /// over; at the end there is room for them alone.
    fn at_least(&mut self, least: u32) -> Vec<(K, u32)> {
        let mut end = 0;
        self.kept.resize(self.kept.len().max(self.used + 1), (K::default(), 0));
        for (&key, &count) in self.keys[..self.size].iter().zip(&self.counts[..self.size]) {
            self.kept[end] = (key, count);
            end += usize::from(count >= least);
        }
        self.kept[..end].to_vec()
    }
}

/// Where an n-gram is, or has its place, in a table whose size is a power of two. There is one branch, seldom taken,
/// whether the n-gram is new or not.
#[inline]
fn place<K: Key>(keys: &[K], key: K, routing: Routing) -> usize {
    let mask = keys.len() - 1;
    // The first bits of the hash are the same in the whole partition.
    let hash = key.hash(routing.seed) << routing.bits;
    let mut place = (hash >> (u64::BITS - keys.len().trailing_zeros())) as usize & mask;
    while (keys[place] != key) & (keys[place] != K::default()) {
        place = (place + 1) & mask;
    }
    place
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::hash::Hash;

    use super::*;
    use crate::text::ngrams::{Seed, pack};

    /// Count n-grams in the slow and plain way, and with a counter that has counted others before. Other blocks ask for
    /// twice as many, half of which are not there.
    fn check<K: Key + Hash>(counter: &mut Counter<K>, sizes: &[u32], least: Option<u32>) {
        let Routing { seed, bits, .. } = counter.tally.routing;
        let in_first = |key: &K| bits == 0 || Key::hash(*key, seed) >> (u64::BITS - bits) == 0;
        let ngrams = |size: u32| (0..size).map(move |i| pack::<K>(&[1 + i % 7, 1 + i / 3, 1 + i % 11 * (i % 5)]));
        let listed = |size: u32| ngrams(size).filter(in_first).collect();
        let mut blocks: Vec<Vec<K>> = sizes.iter().map(|&size| listed(size)).collect();
        let mut expected = HashMap::<K, u32>::new();
        blocks.iter().flatten().for_each(|&key| *expected.entry(key).or_default() += 1);
        blocks.extend(sizes.iter().map(|size| listed(2 * size)));
        let counts: Vec<u32> =
            blocks.iter().flatten().map(|key| expected.get(key).copied().unwrap_or_default()).collect();
        let kept = counter.count(&mut blocks.iter_mut().map(Vec::as_mut_slice).collect(), sizes.len(), least);
        assert_eq!(blocks.iter().flatten().map(|number| number.number()).collect::<Vec<_>>(), counts);
        expected.retain(|_, count| least.is_some_and(|least| *count >= least));
        assert_eq!(kept.len(), expected.len());
        assert_eq!(kept.into_iter().collect::<HashMap<_, _>>(), expected);
    }

    fn check_all<K: Key + Hash>() {
        for bits in [0, 1, 5] {
            let mut counter = Counter::<K>::new(Routing { seed: Seed::default(), bits, all: false });
            for least in [None, Some(1), Some(2), Some(3)] {
                for sizes in [&[150_000, 5, 0, 60_000][..], &[1], &[], &[0, 0], &[16_384], &[700; 90]] {
                    check(&mut counter, sizes, least);
                }
            }
        }
    }

    #[test]
    fn counts_equal_the_plain_ones() {
        check_all::<u64>();
        check_all::<u128>();
    }
}
