//! Pass 2: replace the n-grams of each partition by their document frequencies.

use super::Keep;
use super::partition::{Partitioning, Round};
use crate::caption::branchless::select;
use crate::caption::document_frequency::{DocumentFrequency, Frequencies};
use crate::caption::in_place::{PartitionedDocFreqs, PartitionedKeys, Segment};
use crate::error::Result;
use crate::parallel::Plan;
use crate::text::ngrams::Key;

/// The outcome of [`count_partitions`].
#[derive(Debug)]
pub(super) struct CountedPartitions<'m, K: Key> {
    /// By block of references.
    pub references: Vec<PartitionedDocFreqs<'m, K>>,
    /// By block of predictions.
    pub predictions: Vec<PartitionedDocFreqs<'m, K>>,
    /// The n-grams that were asked for.
    pub table: Frequencies<K>,
}

/// Count in how many items of the references each n-gram occurs, and look the predictions' n-grams up among them.
pub(super) fn count_partitions<'m, K: Key>(
    references: Vec<PartitionedKeys<'m, K>>,
    predictions: Vec<PartitionedKeys<'m, K>>,
    partitioning: Partitioning,
    keep: Keep,
    plan: &Plan,
) -> Result<CountedPartitions<'m, K>> {
    let reference_blocks = references.len();
    let keys = references.into_iter().chain(predictions).collect();
    let counter = || Counter::new(partitioning);
    let count =
        |counter: &mut Counter<K>, _, column: Column<'_, K>| counter.count_column(column, reference_blocks, keep);
    let (mut references, kept) = replace_by_partition(keys, partitioning, plan, counter, count)?;
    let predictions = references.split_off(reference_blocks);
    let table = match keep {
        Keep::Nothing => Frequencies::default(),
        Keep::Shared | Keep::All => Frequencies::new(partitioning.seed, &kept, plan)?,
    };
    Ok(CountedPartitions { references, predictions, table })
}

/// Look n-grams up in document frequencies that were counted before.
pub(super) fn look_up<'m, K: Key>(
    keys: Vec<PartitionedKeys<'m, K>>,
    Round { order, partitioning, .. }: Round,
    frequency: &DocumentFrequency,
    plan: &Plan,
) -> Result<Vec<PartitionedDocFreqs<'m, K>>> {
    let look_up = |(): &mut (), partition, column: Column<'_, K>| {
        frequency.prefetch(order, partition, partitioning.bits, column.iter().map(Segment::len).sum());
        column.into_iter().for_each(|segment| frequency.look_up(segment, order));
    };
    Ok(replace_by_partition(keys, partitioning, plan, || (), look_up)?.0)
}

/// The segments of one partition, by block.
type Column<'b, K> = Vec<Segment<'b, K>>;

/// Number of columns that exist at a time: with many blocks, all of them would need much memory.
const COLUMNS: usize = 256;

/// Run `replace(scratch, partition, column)` on each partition. It must replace all keys of the column. Its results are
/// returned in the order of the partitions.
fn replace_by_partition<'m, K: Key, S, T: Send>(
    mut blocks: Vec<PartitionedKeys<'m, K>>,
    partitioning: Partitioning,
    plan: &Plan,
    scratch: impl Fn() -> S + Sync,
    replace: impl Fn(&mut S, usize, Column<'_, K>) -> T + Sync,
) -> Result<(Vec<PartitionedDocFreqs<'m, K>>, Vec<T>)> {
    let mut segments: Vec<_> = blocks.iter_mut().map(PartitionedKeys::segments).collect();
    let mut results = Vec::with_capacity(partitioning.len());
    for first in (0..partitioning.len()).step_by(COLUMNS) {
        let columns = first..(first + COLUMNS).min(partitioning.len());
        let column = |_| (segments.iter_mut().filter_map(Iterator::next).collect(), None);
        let mut columns: Vec<(Column<'_, K>, Option<T>)> = columns.map(column).collect();
        plan.each(&mut columns, &scratch, |state, index, (column, result)| {
            *result = Some(replace(state, first + index, std::mem::take(column)));
            plan.check()
        })?;
        results.extend(columns.into_iter().filter_map(|(_, result)| result));
    }
    Ok((blocks.into_iter().map(PartitionedKeys::into_doc_freqs).collect(), results))
}

/// Counts the n-grams of one partition after the other; one for each thread.
#[derive(Debug)]
struct Counter<K> {
    /// The n-grams of several blocks, side by side.
    keys: Vec<K>,
    doc_freqs: Vec<u32>,
    tally: Tally<K>,
}

impl<K: Key> Counter<K> {
    fn new(partitioning: Partitioning) -> Self {
        Self { keys: Vec::new(), doc_freqs: Vec::new(), tally: Tally::new(partitioning) }
    }

    /// Count the n-grams of the first `references` segments, replace the n-grams of all segments by these counts, and
    /// return those to keep.
    fn count_column(&mut self, mut column: Column<'_, K>, references: usize, keep: Keep) -> Vec<(K, u32)> {
        let predictions = column.split_off(references);
        self.gather(&column);
        self.tally.count_ngrams(&self.keys, &mut self.doc_freqs);
        self.scatter(column);
        self.gather(&predictions);
        self.tally.look_up(&self.keys, &mut self.doc_freqs);
        self.scatter(predictions);
        keep.min_doc_freq().map_or_else(Vec::new, |least| self.tally.with_at_least(least))
    }

    fn gather(&mut self, column: &[Segment<'_, K>]) {
        self.keys.clear();
        column.iter().for_each(|segment| self.keys.extend_from_slice(segment.as_slice()));
    }

    fn scatter(&self, column: Column<'_, K>) {
        let mut doc_freqs = self.doc_freqs.as_slice();
        column.into_iter().for_each(|segment| segment.replace_from(&mut doc_freqs));
    }
}

/// A hash table from n-grams to counts that has room for all n-grams of a partition, and so never grows. It stays in a
/// cache.
#[derive(Debug)]
struct Tally<K> {
    partitioning: Partitioning,
    /// The part of `keys` and `counts` in use, a power of two.
    size: usize,
    /// Upper bound of the number of different n-grams.
    max_distinct: usize,
    keys: Vec<K>,
    counts: Vec<u32>,
    kept: Vec<(K, u32)>,
}

impl<K: Key> Tally<K> {
    fn new(partitioning: Partitioning) -> Self {
        Self { partitioning, size: 0, max_distinct: 0, keys: Vec::new(), counts: Vec::new(), kept: Vec::new() }
    }

    /// Count `ngrams`, and write to `out` how often each occurs among them.
    fn count_ngrams(&mut self, ngrams: &[K], out: &mut Vec<u32>) {
        self.clear(ngrams.len());
        let (keys, counts) = (&mut self.keys[..self.size], &mut self.counts[..self.size]);
        out.clear();
        // First the index of each n-gram in the table, then the count at that index.
        out.extend(ngrams.iter().map(|&ngram| {
            let index = find_index(keys, ngram, self.partitioning);
            keys[index] = ngram;
            counts[index] += 1;
            index as u32
        }));
        out.iter_mut().for_each(|value| *value = counts[*value as usize]);
    }

    /// Write to `out` how often each of `ngrams`, which are of the same partition, was counted.
    fn look_up(&self, ngrams: &[K], out: &mut Vec<u32>) {
        let (keys, counts) = (&self.keys[..self.size], &self.counts[..self.size]);
        out.clear();
        // The count of a free entry is zero.
        out.extend(ngrams.iter().map(|&ngram| counts[find_index(keys, ngram, self.partitioning)]));
    }

    /// Return the n-grams that were counted `least` times or more. The vector has no spare capacity.
    fn with_at_least(&mut self, least: u32) -> Vec<(K, u32)> {
        self.kept.resize(self.kept.len().max(self.max_distinct + 1), (K::default(), 0));
        let entries = self.keys[..self.size].iter().zip(&self.counts[..self.size]);
        let kept = select(&mut self.kept, entries.map(|(&key, &count)| ((key, count), count >= least)));
        self.kept[..kept].to_vec()
    }

    /// Remove all n-grams, and make room for `max_distinct` others.
    fn clear(&mut self, max_distinct: usize) {
        self.max_distinct = max_distinct;
        self.size = (max_distinct + max_distinct / 2).next_power_of_two().max(2);
        if self.keys.len() < self.size {
            self.keys.resize(self.size, K::default());
            self.counts.resize(self.size, 0);
        }
        self.keys[..self.size].fill(K::default());
        self.counts[..self.size].fill(0);
    }
}

/// Return the index where an n-gram is, or where it belongs, in a table whose size is a power of two. The loop rarely
/// iterates, whether the n-gram is new or not.
#[inline]
fn find_index<K: Key>(keys: &[K], key: K, partitioning: Partitioning) -> usize {
    let mask = keys.len() - 1;
    // The first bits of the hash are the same in the whole partition.
    let hash = key.hash(partitioning.seed) << partitioning.bits;
    let mut index = (hash >> (u64::BITS - keys.len().trailing_zeros())) as usize & mask;
    while (keys[index] != key) & (keys[index] != K::default()) {
        index = (index + 1) & mask;
    }
    index
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::hash::Hash;

    use super::*;
    use crate::text::ngrams::{Seed, pack};

    /// Compare with a slow and plain count, using a counter that has counted other n-grams before. The predictions have
    /// twice as many n-grams as the references, half of which the references do not have.
    fn check<K: Key + Hash>(counter: &mut Counter<K>, sizes: &[u32], keep: Keep) {
        let partitioning = counter.tally.partitioning;
        let ngrams = |size: u32| (0..size).map(move |i| pack::<K>(&[1 + i % 7, 1 + i / 3, 1 + i % 11 * (i % 5)]));
        let of_first_partition = |size: u32| ngrams(size).filter(|&key| partitioning.of(key) == 0).collect();
        let mut blocks: Vec<Vec<K>> = sizes.iter().map(|&size| of_first_partition(size)).collect();
        let mut expected = HashMap::<K, u32>::new();
        blocks.iter().flatten().for_each(|&key| *expected.entry(key).or_default() += 1);
        blocks.extend(sizes.iter().map(|size| of_first_partition(2 * size)));
        let counts: Vec<u32> = blocks.iter().flatten().map(|key| expected.get(key).copied().unwrap_or(0)).collect();
        let kept =
            counter.count_column(blocks.iter_mut().map(|block| Segment::new(block)).collect(), sizes.len(), keep);
        let written: Vec<u32> = blocks.into_iter().flatten().map(crate::caption::in_place::to_number).collect();
        assert_eq!(written, counts);
        expected.retain(|_, count| keep.min_doc_freq().is_some_and(|least| *count >= least));
        assert_eq!(kept.len(), expected.len());
        assert_eq!(kept.into_iter().collect::<HashMap<_, _>>(), expected);
    }

    fn check_all<K: Key + Hash>() {
        for bits in [0, 1, 5] {
            let mut counter = Counter::<K>::new(Partitioning { seed: Seed::default(), bits });
            for keep in [Keep::Nothing, Keep::Shared, Keep::All] {
                for sizes in [&[150_000, 5, 0, 60_000][..], &[1], &[], &[0, 0], &[16_384], &[700; 90]] {
                    check(&mut counter, sizes, keep);
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
