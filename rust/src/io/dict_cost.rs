//! What integers cost as the keys of a dictionary of Python, whose hash of an integer is the integer.
//!
//! Without a seed, keys can be chosen that fill an arc of the order in which a table is probed, and others that walk along
//! it: building the dictionary takes quadratic time, and so does looking up what it lacks. No reader makes a dictionary
//! of such keys. The same insertions are done here first, and stop as soon as they take too long.

use crate::error::Result;
use crate::memory;

/// Probes of one key, and neighbors in the order of probing that are in use: keys that were not chosen for it have 40.
const MAX_PROBES: u32 = 512;
/// Probes of all keys, for each key. Multiples of a power of two have 14, and as many where the table grows.
const MEAN_PROBES: u64 = 64;
/// Probes that even few keys may take.
const FREE_PROBES: u64 = 1000;

/// Modulus of hashes.
const MODULUS: u64 = (1 << 61) - 1;
const FIRST_SLOTS: usize = 8;

/// A dictionary of integers, with its cost.
#[derive(Debug, Default)]
pub struct DictCost {
    keys: Vec<i64>,
    /// Index of a key plus 1; 0 for an empty slot.
    slots: Vec<u32>,
    /// Number of calls, those with a key that was there included.
    added: u64,
    probes: u64,
    is_slow: bool,
}

impl DictCost {
    /// Add a key; returns whether the dictionary is still fast.
    ///
    /// # Errors
    /// [`crate::Error::Memory`].
    pub fn add(&mut self, key: i64) -> Result<bool> {
        if self.is_slow {
            return Ok(false);
        }
        if self.keys.len() >= self.slots.len() * 2 / 3 {
            self.grow()?;
        }
        self.added += 1;
        let slot = self.find(key);
        if !self.is_slow && self.slots[slot] == 0 {
            memory::reserve(&mut self.keys, 1)?;
            self.keys.push(key);
            // There is no file with more rows.
            self.slots[slot] = u32::try_from(self.keys.len()).unwrap_or(u32::MAX);
        }
        Ok(!self.is_slow)
    }

    /// Whether looking up any key is fast, those that are absent included.
    pub fn is_fast(&self) -> bool {
        !self.is_slow && self.longest_run() <= MAX_PROBES
    }

    /// Return the slot of a key, or an empty one for it.
    fn find(&mut self, key: i64) -> usize {
        let mask = self.slots.len() - 1;
        let hash = python_hash(key) as usize;
        let (mut slot, mut perturb) = (hash & mask, hash);
        let mut probes = 1;
        while self.slots[slot] != 0 && self.keys[self.slots[slot] as usize - 1] != key {
            perturb >>= 5;
            slot = slot.wrapping_mul(5).wrapping_add(perturb).wrapping_add(1) & mask;
            probes += 1;
            if probes > MAX_PROBES {
                self.is_slow = true;
                break;
            }
        }
        self.probes += u64::from(probes);
        self.is_slow |= self.probes > MEAN_PROBES * self.added + FREE_PROBES;
        slot
    }

    /// Double the number of slots, as Python does where two thirds are in use.
    fn grow(&mut self) -> Result<()> {
        self.slots = memory::zeroed((self.slots.len() * 2).max(FIRST_SLOTS))?;
        for index in 0..self.keys.len() {
            let slot = self.find(self.keys[index]);
            if self.is_slow {
                break;
            }
            self.slots[slot] = index as u32 + 1;
        }
        Ok(())
    }

    /// Return the length of the longest run of slots in use, in the order that all probes take in the end.
    fn longest_run(&self) -> u32 {
        let Some(mask) = self.slots.len().checked_sub(1) else { return 0 };
        let next = |slot: usize| slot.wrapping_mul(5).wrapping_add(1) & mask;
        let Some(start) = self.slots.iter().position(|&slot| slot == 0) else { return u32::MAX };
        let (mut slot, mut run, mut longest) = (next(start), 0, 0);
        // The order is one cycle through all slots.
        while slot != start {
            run = if self.slots[slot] == 0 { 0 } else { run + 1 };
            longest = longest.max(run);
            slot = next(slot);
        }
        longest
    }
}

/// Whether a dictionary of these keys would be slow.
///
/// # Errors
/// [`crate::Error::Memory`].
pub fn are_slow(keys: &[i64]) -> Result<bool> {
    let mut cost = DictCost::default();
    for &key in keys {
        if !cost.add(key)? {
            return Ok(true);
        }
    }
    Ok(!cost.is_fast())
}

/// Return the hash of an integer in Python on 64-bit systems.
fn python_hash(key: i64) -> i64 {
    let absolute = (key.unsigned_abs() % MODULUS) as i64;
    let hash = if key < 0 { -absolute } else { absolute };
    if hash == -1 { -2 } else { hash }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_python() {
        let expected = [(0, 0), (-1, -2), (-2, -2), (5, 5), (i64::MAX, 3), (i64::MIN, -4), ((1 << 61) - 1, 0)];
        for (key, hash) in expected {
            assert_eq!(python_hash(key), hash, "{key}");
        }
    }

    #[test]
    fn ids_that_nobody_chose_for_it_are_fast() {
        let count = 50_000;
        let mut random = 1_u64;
        let mut step = || {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            random
        };
        for shift in 0..48 {
            let keys: Vec<i64> = (0..count).map(|key| key << shift).collect();
            assert_eq!(are_slow(&keys), Ok(false), "multiples of 2**{shift}");
            let keys: Vec<i64> = (0..count).map(|_| (step() >> (63 - shift)) as i64).collect();
            assert_eq!(are_slow(&keys), Ok(false), "random integers of {} bits", shift + 1);
            let keys: Vec<i64> = (0..count).map(|key| -(key * (shift * shift + 1)) - shift).collect();
            assert_eq!(are_slow(&keys), Ok(false), "multiples of {}", shift * shift + 1);
            let keys: Vec<i64> = (0..count).map(|key| (key % 7) + ((key / 7) << (shift / 2 + 3))).collect();
            assert_eq!(are_slow(&keys), Ok(false), "groups of seven, 2**{} apart", shift / 2 + 3);
        }
    }

    /// Slots of the cycle of probes in a table of `1 << bits`, from 0 on.
    fn arc(bits: u32, length: usize) -> Vec<i64> {
        let mask = (1_i64 << bits) - 1;
        std::iter::successors(Some(0), |slot| Some((slot * 5 + 1) & mask)).take(length).collect()
    }

    #[test]
    fn ids_that_fill_an_arc_are_slow() {
        // They have one probe each, but any key that meets them walks along.
        assert_eq!(are_slow(&arc(12, 500)), Ok(false));
        assert_eq!(are_slow(&arc(12, 2500)), Ok(true));
        let mut cost = DictCost::default();
        assert!(arc(12, 2500).into_iter().all(|key| cost.add(key).expect("enough memory")));
        assert!(!cost.is_fast());
    }

    #[test]
    fn ids_with_one_order_of_probes_are_slow() {
        // The hash of each is 7.
        let keys: Vec<i64> = (0..4).map(|factor| 7 + factor * ((1 << 61) - 1)).collect();
        assert_eq!(are_slow(&keys), Ok(false));
        // A long walk for each of few keys.
        let mut keys = arc(14, 8000);
        keys.extend(arc(14, 500).iter().map(|slot| slot + (1 << 14)));
        assert_eq!(are_slow(&keys), Ok(true));
    }
}
