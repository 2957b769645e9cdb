//! Where a text has each of its words.

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
}
