//! The loops that all levels with intrinsics have in common.

use super::{ITEMS, ItemStep, QUERIES, Reached, Scores, Task};
use crate::simd::prefetch::prefetch;

/// Steps between two prefetches: the 16 tiles that work on a panel together prefetch the next one.
const PREFETCH_EVERY: usize = 8;

/// A register of sums: of one query and [`Sums::LANES`] items. `STEPS` steps are added together.
///
/// # Safety
/// All methods need the instructions of their level.
#[allow(unsafe_code)]
pub trait Sums<const STEPS: usize>: Copy {
    /// Items of a register.
    const LANES: usize;

    /// Return sums that start at an integer.
    unsafe fn start(start: i32) -> Self;

    /// Add the products of some steps. `queries` are the words of the query, `items` start with those of the items.
    unsafe fn add(self, queries: [u32; STEPS], items: [&[u32]; STEPS]) -> Self;

    /// Write the scores of all items, which are the sums times `scales`; the bits of the result are those that reach the
    /// threshold.
    unsafe fn finish(self, scales: &[f32], threshold: f32, scores: &mut [f32]) -> u32;
}

/// Compute the scores of a tile, those of `Q` queries and `R` registers of items at a time.
///
/// # Safety
/// The CPU must have the instructions of the sums.
#[inline(always)]
#[allow(unsafe_code, clippy::inline_always)] // Only inside a function with the features does it get them.
pub unsafe fn tile<S: Sums<STEPS>, const STEPS: usize, const Q: usize, const R: usize>(
    task: Task<'_>,
    starts: &[i32; QUERIES],
    scales: &[f32; ITEMS],
    scores: &mut Scores,
) -> Reached {
    const { assert!(QUERIES.is_multiple_of(Q) && ITEMS.is_multiple_of(R * S::LANES)) };
    let mut reached = [0; QUERIES];
    for first in (0..QUERIES).step_by(Q) {
        for start in (0..ITEMS).step_by(R * S::LANES) {
            let ahead = if (first, start) == (0, 0) { task.ahead } else { &[] };
            // SAFETY: the caller promises the instructions.
            let sums = unsafe { sums::<S, STEPS, Q, R>(task, starts, (first, start), ahead) };
            for (query, sums) in (first..).zip(sums) {
                for (at, sums) in (start..).step_by(S::LANES).zip(sums) {
                    let (lanes, row) = (at..at + S::LANES, &mut scores[query]);
                    // SAFETY: as above.
                    let mask = unsafe { sums.finish(&scales[lanes.clone()], task.thresholds[query], &mut row[lanes]) };
                    reached[query] |= mask << at;
                }
            }
        }
    }
    reached
}

/// Return the sums of `Q` queries and `R` registers of items over all steps.
#[inline(always)]
#[allow(unsafe_code, clippy::inline_always, clippy::needless_range_loop)] // Several arrays at once, in registers.
unsafe fn sums<S: Sums<STEPS>, const STEPS: usize, const Q: usize, const R: usize>(
    task: Task<'_>,
    starts: &[i32; QUERIES],
    (first, start): (usize, usize),
    ahead: &[ItemStep],
) -> [[S; R]; Q] {
    // Once here, and not at each step.
    assert!(first + Q <= QUERIES && start + R * S::LANES <= ITEMS);
    // SAFETY: the caller promises the instructions.
    let mut sums = unsafe { [[S::start(0); R]; Q] };
    for query in 0..Q {
        // SAFETY: as above.
        sums[query] = unsafe { [S::start(starts[first + query]); R] };
    }
    let (queries, query_rest) = task.queries.as_chunks::<STEPS>();
    let (items, item_rest) = task.items.as_chunks::<STEPS>();
    for (step, (queries, items)) in queries.iter().zip(items).enumerate() {
        if step.is_multiple_of(PREFETCH_EVERY / STEPS)
            && let Some(step) = ahead.get(step * STEPS / PREFETCH_EVERY)
        {
            prefetch(step);
        }
        for query in 0..Q {
            // By index: `map` would copy whole steps.
            let mut words = [0; STEPS];
            for step in 0..STEPS {
                words[step] = queries[step][first + query];
            }
            for register in 0..R {
                let at = start + register * S::LANES;
                let items = items.each_ref().map(|items| &items[at..]);
                // SAFETY: as above.
                sums[query][register] = unsafe { sums[query][register].add(words, items) };
            }
        }
    }
    for (queries, items) in query_rest.iter().zip(item_rest) {
        for query in 0..Q {
            // The other steps have zeros.
            let mut words = [0; STEPS];
            words[0] = queries[first + query];
            for register in 0..R {
                let items = [&items[start + register * S::LANES..]; STEPS];
                // SAFETY: as above.
                sums[query][register] = unsafe { sums[query][register].add(words, items) };
            }
        }
    }
    sums
}
