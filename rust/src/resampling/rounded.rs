//! Sums of one column of resampled numbers, within a bound that is much smaller than their differences.
//!
//! The sums of [`resample`](super::resample) need the count of each item, since real numbers are added in the order of the
//! items. For an interval, only a few of thousands of sums have to be known to the last bit: those next to its bounds. So
//! each number is rounded to one of 65,536 values, whose sums are whole numbers and are added as the items are drawn, in any
//! order and without counts. The sums that matter are then computed as in `resample`, from the place in the sequence of
//! random numbers where their resamples start.
//!
//! A sum of n numbers differs from its rounded one by at most n times the largest change of a number, and by the rounding
//! errors of both: those of the exact sum, of which each lane adds n / 8 products, are below (n / 8 + 8) · 2^-53 times the sum
//! of the magnitudes. The bound has four times as much, and so covers the few operations for the rounded sum.

use super::bounded::Bound;
use super::resample::sums_of_each;
use super::starts::Starts;
use super::{Pcg64, Rows};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;
use crate::simd::Level;

/// Number of steps between the smallest and the largest number.
const STEPS: f64 = 65_535.0;

/// Draws of a block of resamples, after which is checked for cancellation.
const BLOCK_DRAWS: usize = 1 << 20;

/// Largest number of items, which are drawn without a check for cancellation.
const MAX_ITEMS: usize = 1 << 22;

/// How many times the bound fits at least into the standard deviation of the sums. Up to 10 % of the sums are then so close to one
/// of those that an interval needs that they must be exact, too.
const LEAST_DEVIATION: f64 = 32.0;

/// Whole numbers up to this one are exact.
const EXACT: f64 = (1_u64 << 53) as f64;

/// Number of items at equal distances that are looked at first, and how many of them must differ.
const SAMPLE: usize = 256;
const DIFFERENT: usize = 64;

/// Sums of resamples of one column, each within [`RoundedSums::error`] of the sum that
/// [`resample_sums`](super::resample::resample_sums) returns.
#[derive(Debug)]
pub struct RoundedSums {
    values: Vec<f64>,
    sums: Vec<f64>,
    error: f64,
    /// The generator before each block of resamples.
    starts: Vec<Pcg64>,
    /// Draws of 32 bits from the start of the block to each resample.
    draws: Vec<usize>,
    /// Resamples of a block.
    size: usize,
}

impl RoundedSums {
    /// Draw resamples of one column, and go on in the generator. None, and nothing is drawn, where too many sums would be
    /// closer than the bound: for a few numbers far away from the others, numbers that differ little compared with their
    /// magnitude, numbers with few different values, and more than 2^22 items.
    ///
    /// # Errors
    /// [`Error::Zero`] for no resample; [`Error::Memory`]; [`Error::Cancelled`].
    pub fn draw(
        generator: &mut Pcg64,
        values: &[f64],
        resamples: usize,
        level: Level,
        plan: &Plan,
    ) -> Result<Option<Self>> {
        if resamples == 0 {
            return Err(Error::Zero("resamples"));
        }
        let n = Rows::new(values, 1)?.len();
        let Some(rounded) = Rounded::new(values)? else { return Ok(None) };
        let mut sums: Vec<f64> = memory::zeroed(resamples)?;
        let mut draws: Vec<usize> = memory::zeroed(resamples)?;
        let size = (BLOCK_DRAWS / n).max(1);
        let parts = sums.chunks_mut(size).zip(draws.chunks_mut(size));
        let mut blocks: Vec<Block<'_>> = parts.map(|(sums, draws)| Block::new(sums, draws, generator)).collect();
        let bound = Bound::new("values", n)?;
        if plan.threads() == 1 || blocks.len() == 1 {
            for block in &mut blocks {
                plan.check()?;
                block.sum(generator, &rounded, bound, level);
            }
        } else {
            let starts = Starts::count(generator, bound, n.saturating_mul(resamples), level, plan)?;
            let sum = |(): &mut (), index: usize, block: &mut Block<'_>| {
                block.sum(&mut starts.after(index * size * n, level), &rounded, bound, level);
                Ok(())
            };
            plan.each(&mut blocks, || (), sum)?;
            if let Some(last) = blocks.last() {
                *generator = last.end.clone();
            }
        }
        let starts = blocks.into_iter().map(|block| block.start).collect();
        Ok(Some(Self { values: values.to_vec(), sums, error: rounded.error, starts, draws, size }))
    }

    /// The sums of all resamples.
    pub fn sums(&self) -> &[f64] {
        &self.sums
    }

    /// Number of items.
    pub fn items(&self) -> usize {
        self.values.len()
    }

    /// How much a sum may differ; 0 where all sums are exact.
    pub fn error(&self) -> f64 {
        self.error
    }

    /// Return the exact sums of some resamples.
    ///
    /// # Errors
    /// [`Error::Memory`]; [`Error::Cancelled`].
    ///
    /// # Panics
    /// If there is no such resample.
    pub fn exact(&self, resamples: &[usize], level: Level, plan: &Plan) -> Result<Vec<f64>> {
        let generators = resamples.iter().map(|&resample| {
            let mut generator = self.starts[resample / self.size].clone();
            generator.skip(self.draws[resample]);
            generator
        });
        sums_of_each(generators, &Rows::new(&self.values, 1)?, level, plan)
    }
}

/// Consecutive resamples.
struct Block<'a> {
    sums: &'a mut [f64],
    draws: &'a mut [usize],
    start: Pcg64,
    end: Pcg64,
}

impl<'a> Block<'a> {
    fn new(sums: &'a mut [f64], draws: &'a mut [usize], generator: &Pcg64) -> Self {
        Self { sums, draws, start: generator.clone(), end: generator.clone() }
    }

    /// Draw the resamples.
    fn sum(&mut self, generator: &mut Pcg64, rounded: &Rounded, bound: Bound, level: Level) {
        self.start = generator.clone();
        let mut drawn = 0;
        for (sum, draws) in self.sums.iter_mut().zip(&mut *self.draws) {
            *draws = drawn;
            let (steps, rejected) = bound.sum(generator, rounded.n(), &rounded.steps, level);
            *sum = rounded.sum(steps);
            drawn += rounded.n() + rejected;
        }
        self.end = generator.clone();
    }
}

/// Numbers as multiples of a step above the smallest one.
#[derive(Debug)]
struct Rounded {
    /// The multiples, and one that is not used.
    steps: Vec<u16>,
    lowest: f64,
    step: f64,
    error: f64,
}

impl Rounded {
    /// Round finite numbers; None where the sums of resamples would be too close to each other.
    fn new(values: &[f64]) -> Result<Option<Self>> {
        let (lowest, highest) = values.iter().fold((f64::MAX, f64::MIN), |(low, high), &x| (low.min(x), high.max(x)));
        let (n, magnitude) = (values.len() as f64, lowest.abs().max(highest.abs()));
        let are_whole = values.iter().all(|value| value.fract() == 0.0);
        let is_exact = are_whole && highest - lowest <= STEPS && n * magnitude < EXACT;
        if values.len() > MAX_ITEMS || !(highest - lowest).is_finite() {
            return Ok(None);
        }
        let step = if is_exact { 1.0 } else { (highest - lowest) / STEPS };
        let mut steps: Vec<u16> = memory::zeroed(values.len() + 1)?;
        let mut change = 0.0_f64;
        for (rounded, &value) in steps.iter_mut().zip(values) {
            *rounded = ((value - lowest) / step + 0.5) as u16;
            change = change.max((lowest + f64::from(*rounded) * step - value).abs());
        }
        let error = if is_exact { 0.0 } else { n * (change + (n / 4.0 + 32.0) * f64::EPSILON * magnitude) };
        let is_small = is_exact || 0.0 < error && error * LEAST_DEVIATION <= n.sqrt() * deviation(values);
        Ok(is_small.then_some(Self { steps, lowest, step, error }))
    }

    /// Number of items.
    fn n(&self) -> usize {
        self.steps.len() - 1
    }

    /// Return the sum of a resample whose rounded numbers are this many steps above the lowest number.
    fn sum(&self, steps: u64) -> f64 {
        self.lowest * self.n() as f64 + self.step * steps as f64
    }
}

/// Return about the standard deviation of numbers without those far away from the others, which rarely are in a resample;
/// zero if there are few different numbers, which have equal sums.
fn deviation(values: &[f64]) -> f64 {
    /// Distance of the quantiles 10 % and 90 % of the normal distribution.
    const WIDTH: f64 = 2.56;
    let distance = values.len().div_ceil(SAMPLE);
    let mut sample: Vec<f64> = values.iter().step_by(distance).copied().collect();
    sample.sort_unstable_by(f64::total_cmp);
    let middle = sample[sample.len() * 9 / 10] - sample[sample.len() / 10];
    sample.dedup();
    if sample.len() < DIFFERENT { 0.0 } else { middle / WIDTH }
}

#[cfg(test)]
mod tests {
    use super::super::resample::resample_sums;
    use super::*;

    fn new() -> Pcg64 {
        let mut generator = Pcg64::new(&[9]).expect("a seed");
        // Keep a half.
        generator.next_u32();
        generator
    }

    /// Numbers between 0 and 1.
    fn reals(n: usize) -> Vec<f64> {
        let value = |index: usize| (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 11;
        (0..n).map(|index| value(index) as f64 / EXACT).collect()
    }

    fn check(values: &[f64], resamples: usize) {
        let (rows, plan) = (Rows::new(values, 1).expect("rows"), Plan::new(Some(1)));
        let mut other = new();
        let expected = resample_sums(&mut other, &rows, resamples, Level::Portable, &plan).expect("sums");
        let all: Vec<usize> = (0..resamples).collect();
        for level in Level::available() {
            for threads in [1, 2, 5] {
                let plan = Plan::new(Some(threads));
                let mut generator = new();
                let found = RoundedSums::draw(&mut generator, values, resamples, level, &plan);
                let found = found.expect("sums").expect("numbers that suit");
                let differences = found.sums().iter().zip(&expected).map(|(one, other)| (one - other).abs());
                assert!(differences.fold(0.0, f64::max) <= found.error(), "{level:?} {threads}");
                let exact = found.exact(&all, level, &plan).expect("sums");
                let bits = |sums: &[f64]| sums.iter().map(|sum| sum.to_bits()).collect::<Vec<_>>();
                assert_eq!(bits(&exact), bits(&expected), "{level:?} {threads}");
                assert_eq!(found.exact(&[7, 3], level, &plan), Ok(vec![expected[7], expected[3]]));
                assert_eq!(generator, other);
            }
        }
    }

    #[test]
    fn sums_are_within_the_bound_and_exact_ones_have_the_same_bits() {
        for n in [64, 65, 1000, 1033, 10_007] {
            check(&reals(n), 50);
            check(&reals(n).iter().map(|value| 5.0 - 1e3 * value).collect::<Vec<_>>(), 9);
            check(&reals(n).iter().map(|value| 1e-300 * value).collect::<Vec<_>>(), 9);
        }
        // More resamples than one block has, and rejected draws.
        check(&reals(300_007), 9);
    }

    #[test]
    fn sums_of_whole_numbers_are_exact() {
        for scale in [2.0, 100.0, 65_535.0] {
            let values: Vec<f64> = reals(2000).iter().map(|value| (value * scale).floor() - 7.0).collect();
            check(&values, 100);
            let plan = Plan::new(Some(1));
            let found = RoundedSums::draw(&mut new(), &values, 100, Level::best(), &plan).expect("sums");
            assert_eq!(found.expect("numbers that suit").error(), 0.0);
        }
    }

    #[test]
    fn a_rounded_number_is_the_nearest_one() {
        let values = reals(5000);
        let found = Rounded::new(&values).expect("memory").expect("numbers that suit");
        assert!(found.error >= 5000.0 * 0.49 / STEPS && found.error <= 5000.0 * 0.51 / STEPS, "{}", found.error);
        assert_eq!(found.steps[..5000].iter().max(), Some(&65_535));
        assert_eq!(found.steps[..5000].iter().min(), Some(&0));
    }

    #[test]
    fn numbers_whose_sums_are_too_close_draw_nothing() {
        let mut thirds = reals(500);
        thirds.iter_mut().for_each(|value| *value = (*value * 4.0).floor() / 3.0);
        let mut near = reals(500);
        near.iter_mut().for_each(|value| *value = 1.0 + 1e-12 * *value);
        let huge = reals(500).iter().map(|value| (value - 0.5) * f64::MAX * 2.0).collect();
        let mut generator = new();
        let mut outlier = reals(500);
        outlier[77] = 1e6;
        for values in [thirds, near, huge, outlier, vec![0.1; 500]] {
            let found = RoundedSums::draw(&mut generator, &values, 9, Level::best(), &Plan::new(Some(1)));
            assert!(found.expect("no error").is_none());
        }
        assert_eq!(generator, new());
    }

    #[test]
    fn cancelled_work_ends() {
        let plan = Plan::new(Some(1));
        plan.cancel();
        let values = reals(100);
        assert_eq!(RoundedSums::draw(&mut new(), &values, 9, Level::best(), &plan).err(), Some(Error::Cancelled));
        assert_eq!(
            RoundedSums::draw(&mut new(), &values, 0, Level::best(), &plan).err(),
            Some(Error::Zero("resamples"))
        );
        let error = RoundedSums::draw(&mut new(), &[1.0, f64::NAN], 9, Level::best(), &Plan::new(Some(1))).err();
        assert!(matches!(error, Some(Error::NotFinite { row: 1, .. })));
    }
}
