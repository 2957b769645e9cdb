//! N-gram -> number of documents, to be looked up and never changed.

use crate::caption::listing::Occurrence;
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
    /// A table of n-grams that all differ. Quickest if they come in the order of the hash.
    pub fn new(seed: Seed, ngrams: &[(K, u32)]) -> Self {
        let entries = |wanted: fn(u32) -> bool| Entries::new(seed, ngrams.iter().filter(|(_, count)| wanted(*count)));
        Self { seed, shared: entries(|count| count > 1), others: entries(|count| count <= 1) }
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
    pub fn look_up<L: Key>(&self, ngrams: &mut [Occurrence<L>], own: impl Fn(L) -> Option<K>) {
        for batch in ngrams.chunks_mut(BATCH) {
            self.shared.look_up(batch, self.seed, &own);
        }
    }

    /// All n-grams with their counts.
    pub fn iter(&self) -> impl Iterator<Item = (K, u32)> + '_ {
        self.shared.iter().chain(self.others.iter())
    }
}

/// N-grams that are looked up together.
const BATCH: usize = 16;

/// Open addressing in the order of the hash, so that n-grams of one partition of the hash lie side by side.
#[derive(Debug, Default)]
struct Entries<K: Key> {
    /// Pairs of an n-gram and its count, in one cache line.
    pairs: HugeArray<[K; 2]>,
    len: usize,
}

impl<K: Key> Entries<K> {
    fn new<'n>(seed: Seed, ngrams: impl Iterator<Item = &'n (K, u32)> + Clone) -> Self {
        let len = ngrams.clone().count();
        // Half full: a search that fails ends after two or three entries, most often in the same cache line.
        let mut memory = HugeArray::zeroed(if len == 0 { 0 } else { 2 * len + 1 });
        let pairs: &mut [[K; 2]] = &mut memory;
        for &(key, count) in ngrams {
            let mut place = home(pairs.len(), key, seed);
            while pairs[place][0] != K::default() {
                place = after(pairs.len(), place);
            }
            pairs[place] = [key, K::from_number(count)];
        }
        Self { pairs: memory, len }
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
    fn look_up<L: Key>(&self, ngrams: &mut [Occurrence<L>], seed: Seed, own: &impl Fn(L) -> Option<K>) {
        if self.len == 0 {
            return ngrams.iter_mut().for_each(|[ngram, _]| *ngram = L::from_number(0));
        }
        let pairs: &[_] = &self.pairs;
        let mut seen = [(K::default(), 0, [K::default(); 2]); BATCH];
        for (slot, &[ngram, _]) in seen.iter_mut().zip(&*ngrams) {
            // No n-gram is zero, so zero is found nowhere.
            let key = own(ngram).unwrap_or_default();
            let home = home(pairs.len(), key, seed);
            *slot = (key, home, pairs[home]);
        }
        for ([ngram, _], (key, home, entry)) in ngrams.iter_mut().zip(seen) {
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

/// Go on with a search whose first entry was `seen` at `place`.
#[inline]
fn resolve<K: Key>(pairs: &[[K; 2]], key: K, mut place: usize, mut seen: [K; 2]) -> u32 {
    while seen[0] != key {
        if seen[0] == K::default() {
            return 0;
        }
        place = after(pairs.len(), place);
        seen = pairs[place];
    }
    seen[1].number()
}
