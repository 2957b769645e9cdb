//! How often each item is in each resample.

use std::ops::Range;

use super::Pcg64;
use super::bounded::Bound;
use crate::error::Result;
use crate::memory;
use crate::parallel::Plan;
use crate::simd::Level;
use crate::simd::count_products::ITEMS;

/// Memory of the counts of a block of resamples in bytes, unless a few resamples alone take more.
const BLOCK_BYTES: usize = 1 << 20;

/// Largest number of resamples in a block.
const MAX_RESAMPLES: usize = 1024;

/// Draws between two checks for cancellation.
const DRAWS_PER_CHECK: usize = 1 << 22;

/// Counts of a few resamples in bytes, which are enough for all counts that ever happen: that an item of 256 or more is
/// drawn 256 times has a probability below 10^-500.
#[derive(Debug)]
pub struct Counts {
    bytes: Vec<u8>,
    n: usize,
    padded: usize,
}

impl Counts {
    /// Return counts for up to `resamples` resamples of `n` items. Each has zeros up to a multiple of [`ITEMS`] items.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn new(n: usize, resamples: usize) -> Result<Self> {
        let padded = n.next_multiple_of(ITEMS);
        Ok(Self { bytes: memory::zeroed(resamples.saturating_mul(padded))?, n, padded })
    }

    /// Count the items of the next resamples. Returns whether all counts fit in bytes.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn draw(
        &mut self,
        generator: &mut Pcg64,
        bound: Bound,
        resamples: usize,
        level: Level,
        plan: &Plan,
    ) -> Result<bool> {
        self.bytes.fill(0);
        for counts in self.bytes.chunks_mut(self.padded).take(resamples) {
            let counts = &mut counts[..self.n];
            for start in (0..self.n).step_by(DRAWS_PER_CHECK) {
                plan.check()?;
                bound.count(generator, DRAWS_PER_CHECK.min(self.n - start), counts, level);
            }
        }
        Ok((0..resamples).all(|resample| is_complete(self.of(resample, 0..self.n), self.n)))
    }

    /// The counts of some items in a resample.
    pub fn of(&self, resample: usize, items: Range<usize>) -> &[u8] {
        let start = resample * self.padded;
        &self.bytes[start + items.start..start + items.end]
    }
}

/// Return how many resamples of `n` items make a block, if there are `resamples` for `threads` threads.
pub fn block_size(n: usize, resamples: usize, threads: usize) -> usize {
    (BLOCK_BYTES / n).min(MAX_RESAMPLES).min(resamples.div_ceil(threads)).max(4)
}

/// Return whether no count was 256 or more: such a count lacks 256 in the sum.
fn is_complete(counts: &[u8], draws: usize) -> bool {
    let sums = counts.chunks(1 << 16).map(|block| block.iter().map(|&count| u32::from(count)).sum::<u32>());
    sums.map(|sum| sum as usize).sum::<usize>() == draws
}

/// Count the items of one resample, whatever the counts.
pub fn count_any(generator: &mut Pcg64, bound: Bound, level: Level, counts: &mut [u32]) {
    counts.fill(0);
    bound.draw(generator, counts.len(), level, |drawn| drawn.iter().for_each(|&item| counts[item as usize] += 1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_those_of_the_indices() {
        for n in [1, 2, 31, 32, 33, 255, 256, 257, 1000] {
            for level in Level::available() {
                let new = || Pcg64::new(&[5]).expect("a seed");
                let (mut generator, mut any, mut other) = (new(), new(), new());
                let plan = Plan::new(Some(1));
                let mut counts = Counts::new(n, 9).expect("memory");
                let bound = Bound::new("n", n).expect("a bound");
                assert_eq!(counts.draw(&mut generator, bound, 7, level, &plan), Ok(true));
                for resample in 0..7 {
                    let mut expected = vec![0; n];
                    let indices = other.indices(n, n, level, &plan).expect("indices");
                    indices.into_iter().for_each(|index| expected[index as usize] += 1);
                    let mut all = vec![u32::MAX; n];
                    count_any(&mut any, bound, level, &mut all);
                    assert_eq!(all, expected);
                    let padded = n.next_multiple_of(ITEMS);
                    let found: Vec<u32> = counts.of(resample, 0..padded).iter().map(|&count| count.into()).collect();
                    assert_eq!(found[..n], expected);
                    assert!(found[n..].iter().all(|&count| count == 0));
                }
                assert_eq!((&generator, &any), (&other, &other));
            }
        }
    }

    #[test]
    fn counts_that_do_not_fit_in_bytes_are_noticed() {
        let mut counts = [0; 300];
        counts[7] = 255;
        assert!(is_complete(&counts, 255));
        // The next one.
        counts[7] = 0;
        assert!(!is_complete(&counts, 256));
        counts[8] = 44;
        assert!(!is_complete(&counts, 300));
    }
}
