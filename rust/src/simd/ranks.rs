//! The order of a few numbers, without branches.

use std::hint::black_box;

/// Numbers that are compared at once. Lists have a multiple of it.
pub const LANES: usize = 16;

/// Larger than every number of a list, for the end of the last lanes.
pub const PADDING: i32 = i32::MAX - 1;

per_level! {
    /// Write the rank of each number, which is its index after a stable sort. Both slices have the same length, a multiple of
    /// [`LANES`]; numbers are smaller than [`PADDING`], or equal to it at the end. The time grows with the square of the
    /// length, and is less than that of sorting up to about 200 numbers.
    pub fn ranks(keys: &[i32], ranks: &mut [u32]) = body;
}

#[inline(always)]
#[allow(clippy::inline_always)] // Only inside a function with the features does it get them.
fn body(keys: &[i32], ranks: &mut [u32]) {
    let chunks = keys.as_chunks::<LANES>().0;
    for (start, (chunk, ranks)) in (0..).step_by(LANES).zip(chunks.iter().zip(ranks.as_chunks_mut::<LANES>().0)) {
        let mut smaller = [0; LANES];
        // Equal numbers before this chunk come first.
        let after: [i32; LANES] = chunk.map(|key| key + 1);
        keys[..start].iter().for_each(|&key| count(key, &after, &mut smaller));
        for (&key, lower) in chunk.iter().zip(&LOWER) {
            let bounds = std::array::from_fn(|lane| chunk[lane] + lower[lane]);
            count(key, &bounds, &mut smaller);
        }
        keys[start + LANES..].iter().for_each(|&key| count(key, chunk, &mut smaller));
        *ranks = smaller;
    }
}

/// For each lane, 1 in those after it.
const LOWER: [[i32; LANES]; LANES] = {
    let mut lower = [[0; LANES]; LANES];
    let mut lane = 0;
    while lane < LANES {
        let mut after = lane + 1;
        while after < LANES {
            lower[lane][after] = 1;
            after += 1;
        }
        lane += 1;
    }
    lower
};

#[inline(always)]
#[allow(clippy::inline_always)]
fn count(key: i32, bounds: &[i32; LANES], smaller: &mut [u32; LANES]) {
    // Hidden from the compiler, which would vectorize the loop over keys instead of this one.
    let key = black_box(key);
    for lane in 0..LANES {
        smaller[lane] += u32::from(key < bounds[lane]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn every_level_has_the_ranks_of_a_stable_sort() {
        let mut state = 1_u64;
        for length in [0, 16, 48, 160] {
            for values in [1, 3, 40, 1 << 30] {
                let mut keys: Vec<i32> = (0..length)
                    .map(|_| {
                        state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
                        ((state >> 33) % values) as i32
                    })
                    .collect();
                keys.iter_mut().rev().take(5).for_each(|key| *key = PADDING);
                let mut sorted: Vec<usize> = (0..length).collect();
                sorted.sort_by_key(|&index| keys[index]);
                for level in Level::available() {
                    let mut found = vec![7; length];
                    ranks(&keys, &mut found, level);
                    assert!((0..).zip(&sorted).all(|(rank, &index)| found[index] == rank), "{keys:?} {found:?}");
                }
            }
        }
    }
}
