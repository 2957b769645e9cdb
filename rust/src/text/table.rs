//! A hash table from n-grams to integers: open addressing with linear probes, sized by powers of two, cleared without
//! freeing.
//!
//! Caption metrics clear a table for each item. `hashbrown` would do the same work with control bytes besides the entries;
//! here a key of zero marks a free entry, and clearing touches only the part of the table that the last item used.

use super::ngrams::{Key, Seed};

/// A hash table from packed n-grams to `u32`.
#[derive(Debug)]
pub struct Table<K> {
    entries: Vec<Entry<K>>,
    /// Number of `entries` in use: a power of two, so that a small item after a huge one stays cheap.
    size: usize,
    /// 64 minus the number of bits of an index: a hash shifted by this is an index.
    shift: u32,
    used: usize,
    seed: Seed,
}

#[derive(Debug, Clone, Copy, Default)]
struct Entry<K> {
    key: K,
    value: u32,
}

const MIN_SIZE: usize = 16;

impl<K: Key> Table<K> {
    /// Return an empty table whose hash uses `seed`.
    pub fn new(seed: Seed) -> Self {
        let shift = u64::BITS - MIN_SIZE.trailing_zeros();
        Self { entries: vec![Entry::default(); MIN_SIZE], size: MIN_SIZE, shift, used: 0, seed }
    }

    /// Clear the table and make room for `expected` n-grams.
    pub fn reset(&mut self, expected: usize) {
        self.size = (expected.saturating_mul(2)).next_power_of_two().max(MIN_SIZE);
        self.shift = u64::BITS - self.size.trailing_zeros();
        self.used = 0;
        if self.entries.len() < self.size {
            self.entries = vec![Entry::default(); self.size];
        } else {
            self.entries[..self.size].fill(Entry::default());
        }
    }

    /// Return the value of `key`, after inserting `fresh` if the key is new.
    #[inline]
    pub fn get_or_insert(&mut self, key: K, fresh: u32) -> u32 {
        *self.entry(key, fresh)
    }

    /// Return a reference to the value of `key`, after inserting `fresh` if the key is new.
    #[inline]
    pub fn entry(&mut self, key: K, fresh: u32) -> &mut u32 {
        if self.used * 2 > self.size {
            self.grow();
        }
        let mut index = self.home(key);
        let entries = &mut self.entries[..self.size];
        let mask = entries.len() - 1;
        loop {
            let occupant = entries[index & mask].key;
            if occupant == key {
                break;
            }
            if occupant == K::default() {
                entries[index & mask] = Entry { key, value: fresh };
                self.used += 1;
                break;
            }
            index += 1;
        }
        &mut entries[index & mask].value
    }

    /// Return the value of `key`, if the table has it.
    #[inline]
    pub fn get(&self, key: K) -> Option<u32> {
        let entries = &self.entries[..self.size];
        let mask = entries.len() - 1;
        let mut index = self.home(key);
        let mut entry = &entries[index & mask];
        // One branch for both outcomes, which are hard to predict.
        while (entry.key != key) & (entry.key != K::default()) {
            index += 1;
            entry = &entries[index & mask];
        }
        (entry.key == key).then_some(entry.value)
    }

    /// Number of n-grams in the table.
    pub fn len(&self) -> usize {
        self.used
    }

    /// Iterate over all n-grams with their values, in arbitrary order.
    pub fn iter(&self) -> impl Iterator<Item = (K, u32)> + '_ {
        self.entries[..self.size].iter().filter(|entry| entry.key != K::default()).map(|entry| (entry.key, entry.value))
    }

    /// Return the index at which the search for `key` starts: the high bits of a multiplicative hash are the best.
    #[inline]
    fn home(&self, key: K) -> usize {
        (key.hash(self.seed) >> self.shift) as usize
    }

    #[cold]
    fn grow(&mut self) {
        let old = std::mem::take(&mut self.entries);
        let size = self.size;
        self.reset(self.used.max(MIN_SIZE) * 2);
        for entry in old[..size].iter().filter(|entry| entry.key != K::default()) {
            self.get_or_insert(entry.key, entry.value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::ngrams::pack;

    fn check<K: Key>() {
        let mut table = Table::<K>::new(Seed::default());
        for round in [3000, 5] {
            table.reset(1);
            for id in 1..=round {
                assert_eq!(table.get_or_insert(pack(&[id, id + 7]), id), id);
            }
            for id in 1..=round {
                assert_eq!(table.get_or_insert(pack(&[id, id + 7]), 0), id);
                assert_eq!(table.get(pack(&[id + 7, id])), None);
            }
            let mut values: Vec<u32> = table.iter().map(|(_, value)| value).collect();
            values.sort_unstable();
            assert_eq!(values, (1..=round).collect::<Vec<_>>());
            assert_eq!(table.len(), round as usize);
        }
    }

    #[test]
    fn entries_are_found_until_the_table_is_cleared() {
        check::<u64>();
        check::<u128>();
    }
}
