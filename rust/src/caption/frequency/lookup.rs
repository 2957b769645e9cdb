//! N-gram -> number of documents, to be looked up and never changed.

use crate::blocks::Plan;
use crate::error::Result;
use crate::huge::HugeArray;
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
        for batch in ngrams.chunks_mut(BATCH) {
            self.shared.look_up(batch, self.seed, &own);
        }
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

/// N-grams that are looked up together.
const BATCH: usize = 64;

/// Stretches of a table that are filled side by side.
const STRETCHES: usize = 64;

/// Open addressing in the order of the hash, so that n-grams of one partition of the hash lie side by side.
#[derive(Debug, Default)]
struct Entries<K: Key> {
    /// Pairs of an n-gram and its count, in one cache line.
    pairs: HugeArray<[K; 2]>,
    len: usize,
}

impl<K: Key> Entries<K> {
    /// Threads fill stretches of the table side by side. An n-gram that finds no place in its own stretch is put in at
    /// the end: what lies between its home and its place is not empty then, which is all that a search asks for.
    fn new(seed: Seed, parts: &[Vec<(K, u32)>], kind: Kind, plan: &Plan) -> Result<Self> {
        let len = kind.of(parts).count();
        // Half full: a search that fails ends after two or three entries, most often in the same cache line.
        let mut memory = HugeArray::zeroed(if len == 0 { 0 } else { 2 * len + 1 });
        let pairs: &mut [[K; 2]] = &mut memory;
        let size = pairs.len();
        let (mut rest, mut start, mut stretches) = (&mut *pairs, 0, Vec::new());
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
                    match from.iter_mut().find(|[found, _]| *found == K::default()) {
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
            while pairs[place][0] != K::default() {
                place = after(size, place);
            }
            pairs[place] = [key, K::from_number(count)];
        }
        Ok(Self { pairs: memory, len })
    }

    fn get(&self, key: K, seed: Seed) -> u32 {
        if self.len == 0 {
            return 0;
        }
        let pairs: &[_] = &self.pairs;
        let home = home(pairs.len(), key, seed);
        resolve(pairs, key, home, pairs[home])
    }

    /// The first entry of several n-grams is read before any is compared, so that the memory accesses overlap instead
    /// of waiting for one another's branches.
    fn look_up<L: Key>(&self, ngrams: &mut [L], seed: Seed, own: &impl Fn(L) -> Option<K>) {
        if self.len == 0 {
            return ngrams.fill(L::from_number(0));
        }
        let pairs: &[_] = &self.pairs;
        let mut seen = [(K::default(), 0, [K::default(); 2]); BATCH];
        for (slot, &ngram) in seen.iter_mut().zip(&*ngrams) {
            // No n-gram is zero, so zero is found nowhere.
            let key = own(ngram).unwrap_or_default();
            let home = home(pairs.len(), key, seed);
            *slot = (key, home, pairs[home]);
        }
        for (ngram, (key, home, entry)) in ngrams.iter_mut().zip(seen) {
            let count = if key == K::default() { 0 } else { resolve(pairs, key, home, entry) };
            *ngram = L::from_number(count);
        }
    }

    fn iter(&self) -> impl Iterator<Item = (K, u32)> + '_ {
        let entries = self.pairs.iter().filter(|[key, _]| *key != K::default());
        entries.map(|&[key, count]| (key, count.number()))
    }
}

/// Where the search for an n-gram starts in a table of `size` entries: the hash scaled to it.
#[inline]
fn home<K: Key>(size: usize, key: K, seed: Seed) -> usize {
    ((u128::from(key.hash(seed)) * size as u128) >> 64) as usize
}

#[inline]
fn after(size: usize, place: usize) -> usize {
    if place + 1 == size { 0 } else { place + 1 }
}

/// Go on with a search whose first entry was `seen` at `place`. There is one branch, less often taken than not, whether
/// the n-gram is in the table or not: a free entry has a count of zero.
#[inline]
fn resolve<K: Key>(pairs: &[[K; 2]], key: K, mut place: usize, mut seen: [K; 2]) -> u32 {
    while (seen[0] != key) & (seen[0] != K::default()) {
        place = after(pairs.len(), place);
        seen = pairs[place];
    }
    seen[1].number()
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
