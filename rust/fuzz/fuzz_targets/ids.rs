//! Integers as keys of a dictionary, compared with a plain table, in which any key is looked up.

#![no_main]

use libfuzzer_sys::fuzz_target;
use muge_fast_core::io::dict_cost::are_slow;

/// A key that is there or not takes at most this number of probes: 13 until its hash is used up, and a run.
const MOST: usize = 13 + 512;

fuzz_target!(|input: &[u8]| {
    let Some((&[shift, wide], input)) = input.split_first_chunk() else { return };
    let (keys, lookups) = keys(input, u32::from(shift % 64), wide);
    if are_slow(&keys).expect("enough memory") {
        // So few keys can be slow only if they were chosen for it.
        assert!(keys.len() > 500, "{} keys", keys.len());
        return;
    }
    let table = table(&keys);
    for &key in keys.iter().chain(&lookups) {
        assert!(probe(&table, key).1 <= MOST, "{key}");
    }
});

/// Return keys in steps that the input has, and other integers.
fn keys(input: &[u8], shift: u32, wide: u8) -> (Vec<i64>, Vec<i64>) {
    let (mut keys, mut lookups, mut key) = (Vec::new(), Vec::new(), 0_i64);
    for chunk in input.chunks(2) {
        let step = i64::from(chunk[0]) << shift;
        for _ in 0..=chunk.get(1).copied().unwrap_or(0) {
            // The order of probes, or an arithmetic sequence.
            key = if wide % 2 == 0 { key.wrapping_mul(5).wrapping_add(1) & 0xffff } else { key.wrapping_add(step) };
            keys.push(key ^ i64::from(wide));
            lookups.push(key.wrapping_mul(step | 1));
        }
    }
    (keys, lookups)
}

/// Return a table as CPython builds it, with None for empty slots.
fn table(keys: &[i64]) -> Vec<Option<i64>> {
    let (mut table, mut kept) = (vec![None; 8], Vec::new());
    for &key in keys {
        if kept.len() >= table.len() * 2 / 3 {
            table = vec![None; table.len() * 2];
            for &key in &kept {
                let slot = probe(&table, key).0;
                table[slot] = Some(key);
            }
        }
        let slot = probe(&table, key).0;
        if table[slot].is_none() {
            kept.push(key);
        }
        table[slot] = Some(key);
    }
    table
}

/// Return the slot of a key, or an empty one, and the number of probes.
fn probe(table: &[Option<i64>], key: i64) -> (usize, usize) {
    let modulus = (1_i128 << 61) - 1;
    let hash = match i64::try_from(i128::from(key) % modulus) {
        Ok(-1) => -2,
        hash => hash.unwrap_or_default(),
    };
    let (mask, mut perturb) = (table.len() as u64 - 1, hash as u64);
    let (mut slot, mut probes) = (perturb & mask, 1);
    while table[slot as usize].is_some_and(|other| other != key) {
        perturb >>= 5;
        slot = slot.wrapping_mul(5).wrapping_add(perturb).wrapping_add(1) & mask;
        probes += 1;
    }
    (slot as usize, probes)
}
