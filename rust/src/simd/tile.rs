//! Scores of a tile of queries and a panel of items, and which of them reach a threshold.
//!
//! Vectors are packed by steps: step `n` of a tile holds word `n` of each of its queries, step `n` of a panel word `n` of
//! each of its items. A word is one `f32`, or four 8-bit integers. The tile fills the registers of AVX-512: 24 sums of 16
//! lanes, two loads and one broadcast.

use super::Level;

/// Queries of a tile.
pub const QUERIES: usize = 12;
/// Items of a panel.
pub const ITEMS: usize = 32;

/// A word of each query.
pub type QueryStep = [u32; QUERIES];
/// A word of each item.
pub type ItemStep = [u32; ITEMS];

/// The arguments of one call.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The steps of the tile.
    pub queries: &'a [QueryStep],
    /// The steps of the panel, of the same number.
    pub items: &'a [ItemStep],
    /// Steps that are prefetched into the cache.
    pub ahead: &'a [ItemStep],
    /// Threshold of each query. No score reaches NaN.
    pub thresholds: &'a [f32; QUERIES],
}

/// Scores of a tile, by query and item.
pub type Scores = [[f32; ITEMS]; QUERIES];

/// For each query, the items that reach its threshold, the first item being the lowest bit.
pub type Reached = [u32; QUERIES];

/// Compute the scores of `f32` words: sums of products in the order of the steps, by fused multiply-add where the level has
/// it. Returns which scores reach the thresholds.
///
/// # Panics
/// If this CPU does not have the level.
#[allow(unsafe_code)]
pub fn float(task: Task<'_>, scores: &mut Scores, level: Level) -> Reached {
    assert!(level.is_available(), "this CPU does not have the level");
    match level.base() {
        // SAFETY: the level is available, so the CPU has its instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512 => unsafe { super::tile_x86::float_avx512(task, scores) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Level::Avx2 => unsafe { super::tile_x86::float_avx2(task, scores) },
        _ => float_portable(task, scores),
    }
}

/// Compute the scores of 8-bit words: the exact inner products of integers as `f32`, times the scale of the item. Integers
/// of items are stored with 128 added; `starts` holds, for each query, -128 times the sum of its integers. Returns which
/// scores reach the thresholds. Every level has the same bits.
///
/// # Panics
/// If this CPU does not have the level.
#[allow(unsafe_code)]
pub fn int8(
    task: Task<'_>,
    starts: &[i32; QUERIES],
    scales: &[f32; ITEMS],
    scores: &mut Scores,
    level: Level,
) -> Reached {
    assert!(level.is_available(), "this CPU does not have the level");
    match level {
        // SAFETY: the level is available, so the CPU has its instructions.
        #[cfg(target_arch = "x86_64")]
        Level::Avx512Vnni => unsafe { super::tile_x86::int8_vnni(task, starts, scales, scores) },
        _ => int8_portable(task, starts, scales, scores),
    }
}

/// Queries and items whose sums fit registers of 128 bits.
const SMALL: (usize, usize) = (4, 8);

fn float_portable(task: Task<'_>, scores: &mut Scores) -> Reached {
    for first in (0..QUERIES).step_by(SMALL.0) {
        for start in (0..ITEMS).step_by(SMALL.1) {
            let mut sums = [[0.0; SMALL.1]; SMALL.0];
            for (queries, items) in task.queries.iter().zip(task.items) {
                for (sums, &query) in sums.iter_mut().zip(&queries[first..first + SMALL.0]) {
                    for (sum, &item) in sums.iter_mut().zip(&items[start..start + SMALL.1]) {
                        *sum += f32::from_bits(query) * f32::from_bits(item);
                    }
                }
            }
            for (row, sums) in scores[first..].iter_mut().zip(&sums) {
                row[start..start + SMALL.1].copy_from_slice(sums);
            }
        }
    }
    reached(scores, task.thresholds)
}

fn int8_portable(task: Task<'_>, starts: &[i32; QUERIES], scales: &[f32; ITEMS], scores: &mut Scores) -> Reached {
    for (query, (row, &start)) in scores.iter_mut().zip(starts).enumerate() {
        let mut sums = [start; ITEMS];
        for (queries, items) in task.queries.iter().zip(task.items) {
            let factors = queries[query].to_le_bytes();
            for (sum, item) in sums.iter_mut().zip(items) {
                for (factor, value) in factors.into_iter().zip(item.to_le_bytes()) {
                    *sum = sum.wrapping_add(i32::from(factor as i8) * i32::from(value));
                }
            }
        }
        for ((score, sum), scale) in row.iter_mut().zip(sums).zip(scales) {
            *score = sum as f32 * scale;
        }
    }
    reached(scores, task.thresholds)
}

fn reached(scores: &Scores, thresholds: &[f32; QUERIES]) -> Reached {
    let mut reached = [0; QUERIES];
    for ((mask, row), threshold) in reached.iter_mut().zip(scores).zip(thresholds) {
        for (item, score) in row.iter().enumerate() {
            *mask |= u32::from(score >= threshold) << item;
        }
    }
    reached
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [usize; 5] = [0, 1, 7, 8, 33];

    /// Return pseudo-random numbers.
    fn words(count: usize, seed: u32) -> impl Iterator<Item = u32> {
        (0..count as u32).map(move |index| (index + seed).wrapping_mul(2_654_435_761).rotate_left(13))
    }

    fn steps<const WIDTH: usize>(count: usize, seed: u32, word: impl Fn(u32) -> u32) -> Vec<[u32; WIDTH]> {
        let flat: Vec<u32> = words(count * WIDTH, seed).map(word).collect();
        flat.as_chunks().0.to_vec()
    }

    #[test]
    fn integers_have_the_same_scores_at_every_level() {
        for count in STEPS {
            let (queries, items) = (steps(count, 1, |word| word), steps(count, 99, |word| word));
            let starts = [-5, 0, 7, i32::MAX, 1, 2, 3, 4, 5, 6, 7, 8];
            let scales = std::array::from_fn(|item| 1.0 / (item + 1) as f32);
            let thresholds = [f32::NEG_INFINITY, 0.0, 100.0, f32::NAN, 1e4, -1e4, 0.5, 1e3, 1e5, 2e3, 1.0, -1.0];
            let task = Task { queries: &queries, items: &items, ahead: &items, thresholds: &thresholds };
            let (mut expected, mut scores) = ([[0.0; ITEMS]; QUERIES], [[0.0; ITEMS]; QUERIES]);
            let reached = int8_portable(task, &starts, &scales, &mut expected);
            assert_eq!((reached[0], reached[3]), (u32::MAX, 0));
            for level in Level::available() {
                assert_eq!(int8(task, &starts, &scales, &mut scores, level), reached, "{count} {level:?}");
                assert_eq!(scores, expected, "{count} {level:?}");
            }
        }
    }

    #[test]
    fn floats_are_within_their_bound_at_every_level() {
        for count in STEPS {
            let small = |word: u32| (word as f32 / u32::MAX as f32 - 0.5).to_bits();
            let (queries, items) = (steps(count, 1, small), steps(count, 99, small));
            let thresholds = [0.1; QUERIES];
            let task = Task { queries: &queries, items: &items, ahead: &[], thresholds: &thresholds };
            for level in Level::available() {
                let mut scores = [[f32::NAN; ITEMS]; QUERIES];
                let masks = float(task, &mut scores, level);
                for (query, row) in scores.iter().enumerate() {
                    for (item, &score) in row.iter().enumerate() {
                        let products = queries.iter().zip(&items).map(|(queries, items)| {
                            f64::from(f32::from_bits(queries[query])) * f64::from(f32::from_bits(items[item]))
                        });
                        let (exact, size) = products.fold((0.0, 0.0), |(sum, size), one| (sum + one, size + one.abs()));
                        let bound = count as f64 * f64::from(f32::EPSILON) * size;
                        assert!((f64::from(score) - exact).abs() <= bound, "{count} {level:?}");
                        assert_eq!(masks[query] >> item & 1 == 1, score >= 0.1);
                    }
                }
            }
        }
    }
}
