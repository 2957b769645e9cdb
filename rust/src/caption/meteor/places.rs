//! Where a text has each of its words.

use crate::error::Result;
use crate::memory;

/// For each key, its places in a list, in ascending order.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// For each key, the number of its first place, from 1 on; 0 for none.
    firsts: Vec<u16>,
    /// For each place, that of the next place with its key.
    next: Vec<u16>,
    /// The keys of the list.
    keys: Vec<u32>,
}

impl Places {
    /// Find the places of all keys in a list, each below `count`.
    pub fn find(&mut self, keys: &[u32], count: usize) {
        for &key in &self.keys {
            self.firsts[key as usize] = 0;
        }
        self.keys.clear();
        self.keys.extend_from_slice(keys);
        self.firsts.resize(count, 0);
        self.next.resize(keys.len(), 0);
        for (place, &key) in keys.iter().enumerate().rev() {
            self.next[place] = std::mem::replace(&mut self.firsts[key as usize], place as u16 + 1);
        }
    }

    /// Return the first place of a key.
    pub fn first(&self, key: u32) -> Option<usize> {
        usize::from(self.firsts[key as usize]).checked_sub(1)
    }

    /// Return the next place with the key of a place.
    pub fn after(&self, place: usize) -> Option<usize> {
        usize::from(self.next[place]).checked_sub(1)
    }
}

/// For each key, its places in a list whose elements have several keys.
#[derive(Debug, Default)]
pub(super) struct KeyedPlaces {
    /// For each key, the number of its first entry, from 1 on; 0 for none.
    firsts: Vec<u32>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u32,
    place: u16,
    /// The number of the next entry with the key.
    next: u32,
}

impl KeyedPlaces {
    /// Forget all places, before others are added. Keys are below `count`.
    pub fn clear(&mut self, count: usize) {
        for entry in &self.entries {
            self.firsts[entry.key as usize] = 0;
        }
        self.entries.clear();
        self.firsts.resize(count, 0);
    }

    /// Add a place with different keys.
    pub fn add(&mut self, place: usize, keys: &[u32]) -> Result<()> {
        memory::reserve(&mut self.entries, keys.len())?;
        for &key in keys {
            let first = &mut self.firsts[key as usize];
            self.entries.push(Entry { key, place: place as u16, next: *first });
            *first = self.entries.len() as u32;
        }
        Ok(())
    }

    /// Iterate over the places of a key, the last one that was added first.
    pub fn of(&self, key: usize) -> impl Iterator<Item = usize> {
        let mut next = self.firsts[key];
        std::iter::from_fn(move || {
            let entry = self.entries.get((next as usize).checked_sub(1)?)?;
            next = entry.next;
            Some(usize::from(entry.place))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_those_of_the_last_list() {
        let mut places = Places::default();
        for keys in [&[3, 1, 3, 0, 3][..], &[2, 2], &[]] {
            places.find(keys, 5);
            for key in 0..5 {
                let found = std::iter::successors(places.first(key), |&place| places.after(place));
                let expected = (0..keys.len()).filter(|&place| keys[place] == key);
                assert!(found.eq(expected), "{key} in {keys:?}");
            }
        }
    }

    #[test]
    fn places_with_several_keys_are_found_by_each() {
        let mut places = KeyedPlaces::default();
        places.clear(4);
        places.add(3, &[0, 1]).unwrap();
        places.add(8, &[1]).unwrap();
        assert_eq!([0, 1, 2].map(|key| places.of(key).collect::<Vec<_>>()), [vec![3], vec![8, 3], vec![]]);
        places.clear(5);
        assert!((0..5).all(|key| places.of(key).next().is_none()));
    }
}
