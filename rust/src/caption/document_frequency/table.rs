//! N-gram -> number of documents, to be looked up and never changed.

use std::hint::black_box;

use crate::error::Result;
use crate::huge::HugeArray;
use crate::parallel::Plan;
use crate::text::ngrams::{Key, Seed};

/// The n-grams of one order with their counts.
///
/// Those of two documents and more stand apart: they are all that a weight depends on, and a small part of all, so that
/// a training loop that looks a few up finds them in a cache.
#[derive(Debug, Default)]
pub(in crate::caption) struct Frequencies<K: Key> {
    seed: Seed,
    shared: Entries<K>,
    /// N-grams of one document or none.
    others: Entries<K>,
}

impl<K: Key> Frequencies<K> {
    /// A table of n-grams that all differ, part by part: the first bits of the hash say in which of `parts`, a power of
    /// two, an n-gram is.
    ///
    /// # Errors
    /// [`crate::Error::Cancelled`].
    pub fn new(seed: Seed, parts: &[Vec<(K, u32)>], plan: &Plan) -> Result<Self> {
        let entries = |kind| Entries::new(seed, parts, kind, plan);
        Ok(Self { seed, shared: entries(Kind::Shared)?, others: entries(Kind::Other)? })
    }

    /// The hash by which n-grams are arranged.
    pub fn seed(&self) -> Seed {
        self.seed
    }

    /// Number of n-grams.
    pub fn len(&self) -> usize {
        self.shared.len + self.others.len
    }

    /// The count of an n-gram, zero for those that are not in the table.
    pub fn get(&self, key: K) -> u32 {
        self.shared.get(key, self.seed) + self.others.get(key, self.seed)
    }

    /// Put its count in the place of each n-gram, or zero if it is below two. `own` turns n-grams into this table's
    /// kind; those that it cannot have are in no document.
    pub fn look_up<L: Key>(&self, ngrams: &mut [L], own: impl Fn(L) -> Option<K>) {
        self.shared.look_up(ngrams, self.seed, own);
    }

    /// Bring near what `lookups` n-grams of a partition will be compared with; there are `1 << bits` partitions.
    pub fn fetch(&self, partition: usize, bits: u32, lookups: usize) {
        self.shared.fetch(partition, bits, lookups);
    }

    /// All n-grams with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (K, u32)> + '_ {
        self.shared.iter().chain(self.others.iter())
    }
}

/// Which of the two tables an n-gram is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Shared,
    Other,
}

impl Kind {
    /// The n-grams of this kind, and their counts.
    fn of<K: Key>(self, parts: &[Vec<(K, u32)>]) -> impl Iterator<Item = (K, u32)> + '_ {
        parts.iter().flatten().copied().filter(move |&(_, count)| (count > 1) == (self == Self::Shared))
    }
}

/// Stretches of a table that are filled side by side.
const STRETCHES: usize = 64;

/// N-grams in one bucket. Four pairs of 64 bits are a cache line.
const WIDTH: usize = 4;

/// N-grams with their counts, filled from the first place; free places are zero.
type Bucket<K> = [[K; 2]; WIDTH];

/// Buckets in the order of the hash, so that n-grams of one partition of the hash lie side by side. Those that find their
/// own bucket full go to the next. A search compares with all places of a bucket at once, without branches.
#[derive(Debug, Default)]
struct Entries<K: Key> {
    buckets: HugeArray<Bucket<K>>,
    len: usize,
}

impl<K: Key> Entries<K> {
    /// Threads fill stretches of the table side by side. An n-gram that finds no place in its own stretch is put in at
    /// the end: what lies between its home and its place is full then, which is all that a search asks for.
    fn new(seed: Seed, parts: &[Vec<(K, u32)>], kind: Kind, plan: &Plan) -> Result<Self> {
        let len = kind.of(parts).count();
        if len == 0 {
            return Ok(Self::default());
        }
        // Half full: one bucket in twenty overflows.
        let mut memory = HugeArray::zeroed(2 * len / WIDTH + 1);
        let buckets: &mut [Bucket<K>] = &mut memory;
        let size = buckets.len();
        let (mut rest, mut start, mut stretches) = (&mut *buckets, 0, Vec::new());
        let together = parts.len().div_ceil(STRETCHES);
        for first in (0..parts.len()).step_by(together) {
            let last = parts.len().min(first + together);
            let end = last * size / parts.len();
            let stretch = rest.split_off_mut(..end - start).unwrap_or_default();
            stretches.push((&parts[first..last], start, stretch, Vec::new()));
            start = end;
        }
        plan.each(
            &mut stretches,
            || (),
            |(), _, (parts, start, stretch, left)| {
                for (key, count) in kind.of(parts) {
                    let from = stretch.get_mut(home(size, key, seed) - *start..).unwrap_or_default();
                    match from.iter_mut().find_map(free) {
                        Some(free) => *free = [key, K::from_number(count)],
                        None => left.push((key, count)),
                    }
                }
                plan.check()
            },
        )?;
        let left: Vec<_> = stretches.into_iter().flat_map(|(.., left)| left).collect();
        for (key, count) in left {
            let mut place = home(size, key, seed);
            while is_full(&buckets[place]) {
                place = after(size, place);
            }
            if let Some(free) = free(&mut buckets[place]) {
                *free = [key, K::from_number(count)];
            }
        }
        Ok(Self { buckets: memory, len })
    }

    fn get(&self, key: K, seed: Seed) -> u32 {
        if self.len == 0 { 0 } else { find(&self.buckets, key, home(self.buckets.len(), key, seed)) }
    }

    fn look_up<L: Key>(&self, ngrams: &mut [L], seed: Seed, own: impl Fn(L) -> Option<K>) {
        if self.len == 0 {
            return ngrams.fill(L::from_number(0));
        }
        let buckets: &[_] = &self.buckets;
        for ngram in ngrams {
            // No n-gram is zero, so zero stands for those that this table cannot have.
            let key = own(*ngram).unwrap_or_default();
            let count = if key == K::default() { 0 } else { find(buckets, key, home(buckets.len(), key, seed)) };
            *ngram = L::from_number(count);
        }
    }

    /// Read a stretch of the table from its start to its end, which is several times quicker than in the order of
    /// look-ups, and leaves it in a cache for these. For a few, it would be more than they need.
    fn fetch(&self, partition: usize, bits: u32, lookups: usize) {
        let size = self.buckets.len();
        let start = (partition * size) >> bits;
        let end = size.min((((partition + 1) * size) >> bits) + 1);
        if lookups >= (end - start) / 2 {
            // The two halves of a bucket may be in two cache lines.
            let read =
                self.buckets[start..end].iter().map(|bucket| bucket[0][1].number() | bucket[WIDTH / 2][1].number());
            black_box(read.fold(0, |all, some| all | some));
        }
    }

    fn iter(&self) -> impl Iterator<Item = (K, u32)> + '_ {
        let entries = self.buckets.iter().flatten().filter(|[key, _]| *key != K::default());
        entries.map(|&[key, count]| (key, count.number()))
    }
}

/// The bucket in which the search for an n-gram starts in a table of `size` buckets: the hash scaled to it.
#[inline]
fn home<K: Key>(size: usize, key: K, seed: Seed) -> usize {
    ((u128::from(key.hash(seed)) * size as u128) >> 64) as usize
}

#[inline]
fn after(size: usize, place: usize) -> usize {
    if place + 1 == size { 0 } else { place + 1 }
}

/// The first free place of a bucket.
fn free<K: Key>(bucket: &mut Bucket<K>) -> Option<&mut [K; 2]> {
    bucket.iter_mut().find(|[key, _]| *key == K::default())
}

#[inline]
fn is_full<K: Key>(bucket: &Bucket<K>) -> bool {
    bucket[WIDTH - 1][0] != K::default()
}

/// The count of an n-gram whose search starts in the bucket at `place`; zero if it is not there.
#[inline]
fn find<K: Key>(buckets: &[Bucket<K>], key: K, mut place: usize) -> u32 {
    loop {
        let bucket = &buckets[place];
        // At most one place has the n-gram.
        let count =
            bucket.iter().map(|&[own, count]| if own == key { count.number() } else { 0 }).fold(0, |a, b| a | b);
        if (count > 0) | !is_full(bucket) {
            return count;
        }
        place = after(buckets.len(), place);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::ngrams::pack;

    /// N-grams by the first bits of their hash, each with a count of one to three.
    fn parts<K: Key>(seed: Seed, bits: u32, number: u32) -> Vec<Vec<(K, u32)>> {
        let mut parts = vec![Vec::new(); 1 << bits];
        for i in 1..=number {
            let key: K = pack(&[i, 1 + i % 5]);
            parts[(key.hash(seed) >> 1 >> (u64::BITS - 1 - bits)) as usize].push((key, 1 + i % 3));
        }
        parts
    }

    fn check<K: Key>() {
        for (bits, number) in [(0, 0), (0, 1), (0, 1000), (3, 2), (7, 90), (7, 30_000), (12, 5000)] {
            let seed = Seed::default();
            let parts = parts::<K>(seed, bits, number);
            let table = Frequencies::new(seed, &parts, &Plan::new(Some(3))).expect("not cancelled");
            assert_eq!((table.len(), table.iter().count()), (number as usize, number as usize));
            assert!(parts.iter().flatten().all(|&(key, count)| table.get(key) == count));
            assert!((1..=number).all(|i| table.get(pack(&[i, 6])) == 0));
            // Nothing changes where a stretch has been read before.
            (0..1 << bits).for_each(|partition| table.fetch(partition, bits, usize::MAX));
            let mut keys: Vec<K> = parts.iter().flatten().map(|&(key, _)| key).chain([pack(&[7, 6])]).collect();
            table.look_up(&mut keys, Some);
            let shared = parts.iter().flatten().map(|&(_, count)| if count > 1 { count } else { 0 }).chain([0]);
            assert!(keys.into_iter().map(K::number).eq(shared));
        }
    }

    #[test]
    fn n_grams_are_found_wherever_threads_put_them() {
        check::<u64>();
        check::<u128>();
    }
}
