//! Hash tables from n-grams to document frequencies that are built once and only read from then on.

use std::hint::black_box;

use crate::caption::in_place::{Segment, from_number, to_number};
use crate::error::Result;
use crate::huge::HugeArray;
use crate::parallel::{Plan, take_front};
use crate::text::ngrams::{Key, Seed};

/// The n-grams of one order with their document frequencies.
///
/// Those that occur in at least two documents are in a separate table: weights depend on nothing else, and they are a
/// small part of all, so that a training loop that looks up a few finds them in a cache.
#[derive(Debug, Default)]
pub(in crate::caption) struct Frequencies<K: Key> {
    seed: Seed,
    shared: Entries<K>,
    /// N-grams that occur in one document or none.
    unshared: Entries<K>,
}

impl<K: Key> Frequencies<K> {
    /// Build a table of different n-grams, partition by partition: the first bits of the hash name the partition of an
    /// n-gram, and the number of partitions is a power of two.
    ///
    /// # Errors
    /// [`crate::Error::Memory`]; [`crate::Error::Cancelled`].
    pub fn new(seed: Seed, partitions: &[Vec<(K, u32)>], plan: &Plan) -> Result<Self> {
        let entries = |kind| Entries::new(seed, partitions, kind, plan);
        Ok(Self { seed, shared: entries(Kind::Shared)?, unshared: entries(Kind::Unshared)? })
    }

    /// The seed of the hash by which n-grams are sorted.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// Number of n-grams.
    pub fn len(&self) -> usize {
        self.shared.len + self.unshared.len
    }

    /// Return the document frequency of an n-gram, zero if it is not in the table.
    pub fn get(&self, key: K) -> u32 {
        self.shared.get(key, self.seed) + self.unshared.get(key, self.seed)
    }

    /// Replace each n-gram of `order` tokens by its document frequency, or by 0 if that is 1.
    pub fn look_up<L: Key>(&self, ngrams: Segment<'_, L>, order: usize) {
        self.shared.look_up(ngrams, order, self.seed);
    }

    /// Bring the part of the table that `lookups` n-grams of a partition need into a cache. There are `1 << bits`
    /// partitions.
    pub fn prefetch(&self, partition: usize, bits: u32, lookups: usize) {
        self.shared.prefetch(partition, bits, lookups);
    }

    /// Iterate over all n-grams with their document frequencies.
    pub fn iter(&self) -> impl Iterator<Item = (K, u32)> + '_ {
        self.shared.iter().chain(self.unshared.iter())
    }
}

/// Which of the two tables an n-gram is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shared,
    Unshared,
}

impl Kind {
    /// Iterate over the n-grams of this kind.
    fn select<K: Key>(self, partitions: &[Vec<(K, u32)>]) -> impl Iterator<Item = (K, u32)> + '_ {
        partitions.iter().flatten().copied().filter(move |&(_, doc_freq)| (doc_freq > 1) == (self == Self::Shared))
    }
}

/// Number of stretches of a table that threads fill at the same time.
const STRETCHES: usize = 64;

/// Number of n-grams that are looked up together.
const LOOKUPS: usize = 16;

/// N-grams per bucket. Four entries of two 64-bit words are a cache line.
const WIDTH: usize = 4;

/// An n-gram, and a slot that holds its document frequency. The n-gram of a free entry is zero.
type Entry<K> = [K; 2];

/// Entries, filled from the first.
type Bucket<K> = [Entry<K>; WIDTH];

/// A hash table of buckets in the order of the hash, so that the n-grams of a partition of the hash are adjacent. An
/// n-gram whose home bucket is full goes to the next one. A search compares with all entries of a bucket, without
/// branches.
#[derive(Debug, Default)]
struct Entries<K: Key> {
    buckets: HugeArray<Bucket<K>>,
    len: usize,
}

/// Adjacent buckets, and the n-grams whose homes they are.
#[derive(Debug)]
struct Stretch<'s, K> {
    partitions: &'s [Vec<(K, u32)>],
    /// Index of the first bucket.
    start: usize,
    buckets: &'s mut [Bucket<K>],
    /// N-grams that found no room.
    overflow: Vec<(K, u32)>,
}

impl<K: Key> Stretch<'_, K> {
    fn fill(&mut self, table_size: usize, seed: Seed, kind: Kind) {
        for (key, doc_freq) in kind.select(self.partitions) {
            let home = home(table_size, key, seed) - self.start;
            match self.buckets.get_mut(home..).unwrap_or_default().iter_mut().find_map(free_entry) {
                Some(entry) => *entry = [key, from_number(doc_freq)],
                None => self.overflow.push((key, doc_freq)),
            }
        }
    }
}

impl<K: Key> Entries<K> {
    /// Threads fill stretches of the table at the same time. An n-gram that finds no room in its own stretch is inserted
    /// at the end: by then all buckets between its home and its entry are full, which is all that a search needs.
    fn new(seed: Seed, partitions: &[Vec<(K, u32)>], kind: Kind, plan: &Plan) -> Result<Self> {
        let len = kind.select(partitions).count();
        if len == 0 {
            return Ok(Self::default());
        }
        // Half full: one bucket in twenty overflows.
        let mut memory = HugeArray::try_zeroed(2 * len / WIDTH + 1)?;
        let buckets: &mut [Bucket<K>] = &mut memory;
        let size = buckets.len();
        let mut stretches = stretches(buckets, partitions);
        plan.each(
            &mut stretches,
            || (),
            |(), _, stretch| {
                stretch.fill(size, seed, kind);
                plan.check()
            },
        )?;
        let overflow: Vec<_> = stretches.into_iter().flat_map(|stretch| stretch.overflow).collect();
        for (key, doc_freq) in overflow {
            let mut index = home(size, key, seed);
            while is_full(&buckets[index]) {
                index = next_bucket(size, index);
            }
            if let Some(entry) = free_entry(&mut buckets[index]) {
                *entry = [key, from_number(doc_freq)];
            }
        }
        Ok(Self { buckets: memory, len })
    }

    fn get(&self, key: K, seed: Seed) -> u32 {
        if self.len == 0 { 0 } else { find(&self.buckets, key, home(self.buckets.len(), key, seed)) }
    }

    fn look_up<L: Key>(&self, ngrams: Segment<'_, L>, order: usize, seed: Seed) {
        if self.len == 0 {
            return ngrams.replace_each(|_| 0);
        }
        let buckets: &[_] = &self.buckets;
        ngrams.replace_chunks(|chunk: [L; LOOKUPS]| {
            // An n-gram with a token that does not fit the keys of this table is not in it, as zero is not.
            let keys = chunk.map(|ngram| K::from_key(ngram, order).unwrap_or_default());
            let homes = keys.map(|key| home(buckets.len(), key, seed));
            // These reads miss the cache at the same time; those of `find` would one after the other.
            black_box(homes.iter().fold(0, |all, &home| all | touch(&buckets[home])));
            std::array::from_fn(|index| find(buckets, keys[index], homes[index]))
        });
    }

    /// Read the stretch of a partition sequentially, which is several times faster than in the order of lookups and leaves
    /// it in a cache. For a few lookups it would be more than they need.
    fn prefetch(&self, partition: usize, bits: u32, lookups: usize) {
        let size = self.buckets.len();
        let start = (partition * size) >> bits;
        let end = size.min((((partition + 1) * size) >> bits) + 1);
        if lookups >= (end - start) / 2 {
            black_box(self.buckets[start..end].iter().map(touch).fold(0, |all, number| all | number));
        }
    }

    fn iter(&self) -> impl Iterator<Item = (K, u32)> + '_ {
        let entries = self.buckets.iter().flatten().filter(|[key, _]| *key != K::default());
        entries.map(|&[key, slot]| (key, to_number(slot)))
    }
}

/// Cut the buckets of a table into stretches of adjacent partitions.
fn stretches<'s, K>(mut rest: &'s mut [Bucket<K>], partitions: &'s [Vec<(K, u32)>]) -> Vec<Stretch<'s, K>> {
    let (size, mut start) = (rest.len(), 0);
    let per_stretch = partitions.len().div_ceil(STRETCHES);
    let cut = |first| {
        let last = partitions.len().min(first + per_stretch);
        let end = last * size / partitions.len();
        let buckets = take_front(&mut rest, end - start);
        let stretch = Stretch { partitions: &partitions[first..last], start, buckets, overflow: Vec::new() };
        start = end;
        stretch
    };
    (0..partitions.len()).step_by(per_stretch).map(cut).collect()
}

/// Return the bucket in which the search for an n-gram starts in a table of `size` buckets: the hash scaled to `size`.
#[inline]
fn home<K: Key>(size: usize, key: K, seed: Seed) -> usize {
    ((u128::from(key.hash(seed)) * size as u128) >> 64) as usize
}

#[inline]
fn next_bucket(size: usize, index: usize) -> usize {
    if index + 1 == size { 0 } else { index + 1 }
}

/// Read from both halves of a bucket, which may be in two cache lines.
#[inline]
fn touch<K: Key>(bucket: &Bucket<K>) -> u32 {
    to_number(bucket[0][1]) | to_number(bucket[WIDTH / 2][1])
}

/// Return the first free entry of a bucket.
fn free_entry<K: Key>(bucket: &mut Bucket<K>) -> Option<&mut Entry<K>> {
    bucket.iter_mut().find(|[key, _]| *key == K::default())
}

#[inline]
fn is_full<K: Key>(bucket: &Bucket<K>) -> bool {
    bucket[WIDTH - 1][0] != K::default()
}

/// Return the document frequency of an n-gram whose search starts in the bucket at `index`; zero if it is not in the table.
#[inline]
fn find<K: Key>(buckets: &[Bucket<K>], key: K, mut index: usize) -> u32 {
    loop {
        let bucket = &buckets[index];
        // At most one entry has the n-gram.
        let doc_freq = bucket
            .iter()
            .map(|&[entry_key, slot]| if entry_key == key { to_number(slot) } else { 0 })
            .fold(0, |all, number| all | number);
        if (doc_freq > 0) | !is_full(bucket) {
            return doc_freq;
        }
        index = next_bucket(buckets.len(), index);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::ngrams::pack;

    /// Return `count` n-grams by the first bits of their hash, each with a document frequency of one to three.
    fn partitions<K: Key>(seed: Seed, bits: u32, count: u32) -> Vec<Vec<(K, u32)>> {
        let mut partitions = vec![Vec::new(); 1 << bits];
        for i in 1..=count {
            let key: K = pack(&[i, 1 + i % 5]);
            partitions[(key.hash(seed) >> 1 >> (u64::BITS - 1 - bits)) as usize].push((key, 1 + i % 3));
        }
        partitions
    }

    fn check<K: Key>() {
        for (bits, count) in [(0, 0), (0, 1), (0, 1000), (3, 2), (7, 90), (7, 30_000), (12, 5000)] {
            let seed = Seed::default();
            let partitions = partitions::<K>(seed, bits, count);
            let entries = || partitions.iter().flatten();
            let table = Frequencies::new(seed, &partitions, &Plan::new(Some(3))).expect("not cancelled");
            assert_eq!((table.len(), table.iter().count()), (count as usize, count as usize));
            assert!(entries().all(|&(key, doc_freq)| table.get(key) == doc_freq));
            assert!((1..=count).all(|i| table.get(pack(&[i, 6])) == 0));
            // Prefetching changes nothing.
            (0..1 << bits).for_each(|partition| table.prefetch(partition, bits, usize::MAX));
            let mut keys: Vec<K> = entries().map(|&(key, _)| key).chain([pack(&[7, 6])]).collect();
            table.look_up(Segment::new(&mut keys), 2);
            let expected = entries().map(|&(_, doc_freq)| if doc_freq > 1 { doc_freq } else { 0 }).chain([0]);
            assert!(keys.into_iter().map(to_number).eq(expected));
        }
    }

    #[test]
    fn n_grams_are_found_wherever_threads_put_them() {
        check::<u64>();
        check::<u128>();
    }
}
