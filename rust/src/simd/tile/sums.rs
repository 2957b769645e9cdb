//! The loops that all levels with intrinsics have in common.

use super::{ITEMS, ItemStep, QUERIES, Reached, Scores, Task};

/// A register of sums: of one query and [`Sums::LANES`] items.
///
/// # Safety
/// All methods need the instructions of their level.
#[allow(unsafe_code)]
pub trait Sums: Copy {
    /// Items of a register.
    const LANES: usize;

    /// Return sums that start at an integer.
    unsafe fn start(start: i32) -> Self;

    /// Add the products of two steps. `queries` are the words of the query, `items` start with those of the items.
    unsafe fn add(self, queries: [u32; 2], items: [&[u32]; 2]) -> Self;

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
pub unsafe fn tile<S: Sums, const Q: usize, const R: usize>(
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
            let sums = unsafe { sums::<S, Q, R>(task, starts, (first, start), ahead) };
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
#[allow(unsafe_code, clippy::inline_always)]
unsafe fn sums<S: Sums, const Q: usize, const R: usize>(
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
    let (queries, query_rest) = task.queries.as_chunks::<2>();
    let (items, item_rest) = task.items.as_chunks::<2>();
    for (step, (queries, items)) in queries.iter().zip(items).enumerate() {
        prefetch(ahead, step);
        for query in 0..Q {
            let words = [queries[0][first + query], queries[1][first + query]];
            for register in 0..R {
                let at = start + register * S::LANES;
                // SAFETY: as above.
                sums[query][register] = unsafe { sums[query][register].add(words, [&items[0][at..], &items[1][at..]]) };
            }
        }
    }
    if let ([queries], [items]) = (query_rest, item_rest) {
        for query in 0..Q {
            for register in 0..R {
                let items = &items[start + register * S::LANES..];
                // SAFETY: as above.
                sums[query][register] = unsafe { sums[query][register].add([queries[first + query], 0], [items; 2]) };
            }
        }
    }
    sums
}

/// Pairs of steps between two prefetches: the 16 tiles that work on a panel together prefetch the next one.
const PREFETCH_EVERY: usize = 4;

/// Prefetch the two cache lines of a step.
#[inline(always)]
#[allow(unsafe_code, clippy::inline_always)]
fn prefetch(ahead: &[ItemStep], pair: usize) {
    #[cfg(target_arch = "x86_64")]
    if pair.is_multiple_of(PREFETCH_EVERY)
        && let Some(lines) = ahead.get(pair / PREFETCH_EVERY)
    {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing, and both addresses are within the step.
        unsafe {
            _mm_prefetch::<_MM_HINT_T0>(lines.as_ptr().cast());
            _mm_prefetch::<_MM_HINT_T0>(lines[ITEMS / 2..].as_ptr().cast());
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (ahead, pair, PREFETCH_EVERY);
}
