//! Pass 2 of the weights: partition by partition, in how many items n-grams are.

use super::frequency::{DocumentFrequency, Frequencies};
use super::listing::{Block, Routing, start};
use crate::blocks::Plan;
use crate::error::Result;
use crate::text::ngrams::{Key, Seed};

/// Put the number of items in the place of each n-gram; gives those that `least` items hold.
pub(super) fn count_columns<K: Key>(
    blocks: &mut [Block<'_, K>],
    routing: Routing,
    least: u32,
    plan: &Plan,
) -> Result<Frequencies<K>> {
    let counter = || Counter::new(routing);
    let kept = with_columns(blocks, routing.bits, plan, counter, |counter, column| counter.count(column, least))?;
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
    with_columns(
        blocks,
        routing.bits,
        plan,
        || (),
        |(), column| {
            column.iter_mut().for_each(|block| frequency.look_up(block, order));
        },
    )?;
    Ok(())
}

/// The n-grams of one partition, by block.
type Column<'b, K> = Vec<&'b mut [K]>;

/// Columns that are made at a time: with many blocks, their slices would need much memory.
const COLUMNS: usize = 256;

/// Run `work` on each partition, with the n-grams of all blocks; the results come in the order of the hash.
fn with_columns<K: Key, S, T: Send + Default>(
    blocks: &mut [Block<'_, K>],
    bits: u32,
    plan: &Plan,
    scratch: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, &mut Column<'_, K>) -> T + Sync,
) -> Result<Vec<T>> {
    let mut results = Vec::new();
    let mut rest: Vec<_> = blocks.iter_mut().map(Block::listed).collect();
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
        plan.each(&mut columns, &scratch, |state, _, (column, result)| {
            *result = work(state, column);
            plan.check()
        })?;
        results.extend(columns.into_iter().map(|(_, result)| result));
    }
    Ok(results)
}

/// A partition of this many n-grams is split once more, into parts of about `1 << PART_LOG`: their table stays in the
/// second-level cache.
const LARGE: usize = 1 << 14;
const PART_LOG: u32 = 12;

/// Counts the n-grams of a partition; one for each thread, used for one partition after the other.
#[derive(Debug)]
struct Counter<K> {
    routing: Routing,
    /// The n-grams of the partition, and the same part by part.
    ngrams: Vec<K>,
    parts: Vec<K>,
    /// Where the next n-gram of each part is written or read.
    ends: Vec<usize>,
    tally: Tally<K>,
    /// N-grams to be given back.
    kept: Vec<(K, u32)>,
}

impl<K: Key> Counter<K> {
    fn new(routing: Routing) -> Self {
        Self {
            routing,
            ngrams: Vec::new(),
            parts: Vec::new(),
            ends: Vec::new(),
            tally: Tally::new(routing.seed),
            kept: Vec::new(),
        }
    }

    /// Put its count in the place of each n-gram, and give those that are there `least` times.
    fn count(&mut self, column: &mut Column<'_, K>, least: u32) -> Vec<(K, u32)> {
        self.kept.clear();
        self.ngrams.clear();
        column.iter().for_each(|block| self.ngrams.extend_from_slice(block));
        if self.ngrams.len() < LARGE {
            self.tally.count(&mut self.ngrams, self.routing.bits);
            self.tally.keep(least, &mut self.kept);
        } else {
            self.count_parts(least);
        }
        let mut rest = self.ngrams.as_slice();
        for block in column {
            block.copy_from_slice(rest.split_off(..block.len()).unwrap_or_default());
        }
        self.kept.clone()
    }

    /// Count the n-grams of a large partition, which is split once more, by the next bits of the hash.
    fn count_parts(&mut self, least: u32) {
        let Self { ngrams, parts, ends, tally, kept, routing: Routing { seed, bits: above, .. } } = self;
        let bits = ngrams.len().ilog2() - PART_LOG;
        let part_of = |key: K| ((key.hash(*seed) << *above) >> (u64::BITS - bits)) as usize;
        let mut lengths = vec![0; 1 << bits];
        ngrams.iter().for_each(|&key| lengths[part_of(key)] += 1);
        parts.resize(ngrams.len().max(parts.len()), K::default());
        start(ends, &lengths);
        for &key in &*ngrams {
            let end = &mut ends[part_of(key)];
            parts[*end] = key;
            *end += 1;
        }
        let mut rest = parts.as_mut_slice();
        for &length in &lengths {
            tally.count(rest.split_off_mut(..length).unwrap_or_default(), *above + bits);
            tally.keep(least, kept);
        }
        start(ends, &lengths);
        for ngram in ngrams {
            let end = &mut ends[part_of(*ngram)];
            *ngram = parts[*end];
            *end += 1;
        }
    }
}

/// A hash table of n-grams that never grows, because it has room for as many as there can be.
#[derive(Debug)]
struct Tally<K> {
    seed: Seed,
    size: usize,
    /// N-grams that were counted, which is no less than there are.
    used: usize,
    keys: Vec<K>,
    counts: Vec<u32>,
}

impl<K: Key> Tally<K> {
    fn new(seed: Seed) -> Self {
        Self { seed, size: 0, used: 0, keys: Vec::new(), counts: Vec::new() }
    }

    /// Put in the place of each n-gram how often it is there. The first `above` bits of their hash are the same.
    fn count(&mut self, ngrams: &mut [K], above: u32) {
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
        let (shift, mask) = (u64::BITS - size.trailing_zeros(), size - 1);
        for ngram in &mut *ngrams {
            let key = *ngram;
            let mut place = ((key.hash(self.seed) << above) >> shift) as usize & mask;
            // One branch, seldom taken, whether the n-gram is new or not.
            while (keys[place] != key) & (keys[place] != K::default()) {
                place = (place + 1) & mask;
            }
            keys[place] = key;
            counts[place] += 1;
            *ngram = K::from_number(place as u32);
        }
        for ngram in ngrams {
            *ngram = K::from_number(counts[ngram.number() as usize]);
        }
    }

    /// Add the n-grams that are there `least` times. Which are is hard to foresee, so each is written, and kept or
    /// written over.
    fn keep(&self, least: u32, kept: &mut Vec<(K, u32)>) {
        let mut end = kept.len();
        kept.resize(end + self.used + 1, (K::default(), 0));
        for (&key, &count) in self.keys[..self.size].iter().zip(&self.counts[..self.size]) {
            kept[end] = (key, count);
            end += usize::from(count >= least);
        }
        kept.truncate(end);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::hash::Hash;

    use super::*;
    use crate::text::ngrams::pack;

    /// Count n-grams in the slow and plain way, and with a counter that has counted others before.
    fn check<K: Key + Hash>(counter: &mut Counter<K>, sizes: &[u32], least: u32) {
        let Routing { seed, bits, .. } = counter.routing;
        let in_first = |key: &K| bits == 0 || Key::hash(*key, seed) >> (u64::BITS - bits) == 0;
        let ngrams = |&size: &u32| (0..size).map(move |i| pack::<K>(&[1 + i % 7, 1 + i / 3, 1 + i % 11 * (i % 5)]));
        let mut blocks: Vec<Vec<K>> = sizes.iter().map(|size| ngrams(size).filter(in_first).collect()).collect();
        let mut expected = HashMap::<K, u32>::new();
        blocks.iter().flatten().for_each(|&key| *expected.entry(key).or_default() += 1);
        let counts: Vec<u32> = blocks.iter().flatten().map(|key| expected[key]).collect();
        let kept = counter.count(&mut blocks.iter_mut().map(Vec::as_mut_slice).collect(), least);
        assert_eq!(blocks.iter().flatten().map(|number| number.number()).collect::<Vec<_>>(), counts);
        expected.retain(|_, count| *count >= least);
        assert_eq!(kept.len(), expected.len());
        assert_eq!(kept.into_iter().collect::<HashMap<_, _>>(), expected);
    }

    fn check_all<K: Key + Hash>() {
        let large = LARGE as u32;
        for bits in [0, 1, 5] {
            let mut counter = Counter::<K>::new(Routing { seed: Seed::default(), bits, all: false });
            for least in [1, 2, 3] {
                for sizes in [&[9 * large, 5, 0, 4 * large][..], &[1], &[], &[0, 0], &[large - 1], &[large], &[700; 90]]
                {
                    check(&mut counter, sizes, least);
                }
            }
        }
    }

    #[test]
    fn counts_equal_the_plain_ones_in_small_and_large_partitions() {
        check_all::<u64>();
        check_all::<u128>();
    }
}
