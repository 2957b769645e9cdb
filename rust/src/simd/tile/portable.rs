//! Plain code.

use super::{ITEMS, QUERIES, Reached, Scores, Task};

/// Queries and items whose sums fit registers of 128 bits.
const SMALL: (usize, usize) = (4, 8);

/// Compute the scores of `f32` words.
pub fn float(task: Task<'_>, scores: &mut Scores) -> Reached {
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

/// Compute the scores of words of integers; those of items are unsigned.
pub fn integers(task: Task<'_>, starts: &[i32; QUERIES], scales: &[f32; ITEMS], scores: &mut Scores) -> Reached {
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

/// Return which scores reach the thresholds.
fn reached(scores: &Scores, thresholds: &[f32; QUERIES]) -> Reached {
    let mut reached = [0; QUERIES];
    for ((mask, row), threshold) in reached.iter_mut().zip(scores).zip(thresholds) {
        for (item, score) in row.iter().enumerate() {
            *mask |= u32::from(score >= threshold) << item;
        }
    }
    reached
}
