//! Exact tests of sign flips of whole numbers: each difference is as likely to be `d` as to be `-d`.
//!
//! The sum of all `±d` is `total - 2 W`, where `total` is the sum of all `|d|`, and `W` the sum of those that are negative:
//! `v` times a binomial number of each size `v` that occurs. What is wanted is the probability that `W` is at most its
//! observed value, by convolution of the binomials.
//!
//! Such a probability may be 1e-300, and the probabilities that make it up smaller still. So each size is tilted: the
//! probability of an item to be negative is `r^v / (1 + r^v)` in place of one half, with the `r` for which the observed
//! value is the mean. What is left to compute is of ordinary size, and one factor takes the tilt back: the probability of
//! `w` is `r^-w * product((1 + r^v) / 2)` times the tilted one. All terms are positive, so nothing cancels.

use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;
use crate::significance::double_double::{DoubleDouble, Scaled};

/// Terms below this, relative to the largest, are left out: in all they are less than the rounding of the rest.
const NEGLIGIBLE: f64 = 1e-43;

/// Minus the logarithm of [`NEGLIGIBLE`].
const NEGLIGIBLE_LOG: f64 = 99.0;

/// A tilted tail below this would not be large against what is left out. No such data are known.
const SMALLEST_TAIL: f64 = 1e-25;

/// Products of one convolution, about a quarter of a second.
const MAX_PRODUCTS: f64 = (1_u64 << 28) as f64;

/// More different sizes than this have too many sums.
const MAX_SIZES: usize = 1 << 10;

/// Sums that are kept at a time, 32 MiB.
const MAX_SUMS: u64 = 1 << 22;

/// Sums of sizes beyond this are not exact.
const MAX_TOTAL: u128 = 1 << 53;

/// Which differences count as at least as extreme as the observed one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Alternative {
    /// Of at least its absolute value.
    TwoSided,
    /// At least as large.
    Greater,
    /// At most as large.
    Less,
}

impl Alternative {
    /// Names of all alternatives.
    pub const NAMES: &[&str] = &["two-sided", "greater", "less"];

    /// Return the alternative of this name.
    ///
    /// # Errors
    /// [`Error::UnknownName`].
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "two-sided" => Ok(Self::TwoSided),
            "greater" => Ok(Self::Greater),
            "less" => Ok(Self::Less),
            _ => Err(Error::UnknownName { parameter: "alternative", found: name.to_owned(), known: Self::NAMES }),
        }
    }
}

/// Return the exact p-value of the sum of `differences` under sign flips: the probability of a sum at least as extreme.
///
/// With `mid_p`, sums as extreme as the observed one count half. The relative error is about 1e-14; a p-value below the
/// smallest normal float, 2.2e-308, is that float. The result is None if the sizes are too many or too large: the
/// convolution would take more than about 0.2 seconds or 64 MiB.
///
/// ```
/// use muge_fast_core::Plan;
/// use muge_fast_core::significance::{Alternative, sign_flip_exact};
///
/// let p = sign_flip_exact(&[1, 1, 1, -1], Alternative::TwoSided, false, &Plan::new(Some(1)))?;
/// assert_eq!(p, Some(10.0 / 16.0));
/// # Ok::<(), muge_fast_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Memory`]; [`Error::Cancelled`].
pub fn sign_flip_exact(differences: &[i64], alternative: Alternative, mid_p: bool, plan: &Plan) -> Result<Option<f64>> {
    let sum: i128 = differences.iter().map(|&difference| i128::from(difference)).sum();
    let Some(sizes) = Sizes::new(differences)? else { return Ok(None) };
    if sizes.groups.len() > MAX_SIZES {
        return Ok(None);
    }
    let Some(tail) = sizes.tail(sum.unsigned_abs(), plan)? else { return Ok(None) };
    let half = if mid_p { 0.5 } else { 1.0 };
    let inside = tail.below + half * tail.equal;
    let p = match (alternative, sum.signum()) {
        (Alternative::TwoSided, 0) => tail.one_less((1.0 - half) * tail.equal),
        (Alternative::TwoSided, _) => tail.untilted(2.0 * inside),
        (Alternative::Greater, 0 | 1) | (Alternative::Less, 0 | -1) => tail.untilted(inside),
        _ => tail.one_less(tail.below + (1.0 - half) * tail.equal),
    };
    Ok(Some(sizes.rounded(p)))
}

/// Multiples of a half divided by two to this power are further apart than rounding errors.
const FEW_ITEMS: u64 = 40;

/// Items of one size: the absolute value of their differences.
#[derive(Debug)]
struct Group {
    size: u64,
    items: u64,
}

/// Sizes of the differences that are not zero, divided by their greatest common divisor.
#[derive(Debug)]
struct Sizes {
    groups: Vec<Group>,
    divisor: u64,
    items: u64,
    /// Sum of all sizes.
    total: u64,
}

/// A tilted tail, and the factor that takes the tilt back.
#[derive(Debug)]
struct Tail {
    /// Tilted probability of less than the observed value.
    below: f64,
    /// Tilted probability of the observed value.
    equal: f64,
    factor: Scaled,
}

impl Tail {
    /// Return the probability without tilt, at most 1.
    fn untilted(&self, tilted: f64) -> f64 {
        let p = self.factor * Scaled::new(DoubleDouble::from(tilted));
        p.value().high.clamp(f64::MIN_POSITIVE, 1.0)
    }

    /// Return 1 minus the probability without tilt.
    fn one_less(&self, tilted: f64) -> f64 {
        if tilted == 0.0 { 1.0 } else { 1.0 - self.untilted(tilted) }
    }
}

impl Sizes {
    /// Group the differences by size; None if their sum is too large to be exact.
    fn new(differences: &[i64]) -> Result<Option<Self>> {
        let nonzero = differences.iter().filter(|&&difference| difference != 0);
        let mut sizes = memory::collect(nonzero.map(|difference| difference.unsigned_abs()), differences.len())?;
        sizes.sort_unstable();
        let mut groups = Vec::new();
        for group in sizes.chunk_by(|a, b| a == b) {
            memory::reserve(&mut groups, 1)?;
            groups.push(Group { size: group[0], items: group.len() as u64 });
        }
        let divisor = groups.iter().fold(0, |divisor, group| greatest_common_divisor(group.size, divisor)).max(1);
        groups.iter_mut().for_each(|group| group.size /= divisor);
        let total: u128 = groups.iter().map(|group| u128::from(group.size) * u128::from(group.items)).sum();
        if total > MAX_TOTAL {
            return Ok(None);
        }
        Ok(Some(Self { groups, divisor, items: sizes.len() as u64, total: total as u64 }))
    }

    /// Return the nearest half of a whole number of patterns, where these are so few that it is the exact result.
    fn rounded(&self, p: f64) -> f64 {
        if self.items > FEW_ITEMS {
            return p;
        }
        let halves = (1_u64 << (self.items + 1)) as f64;
        (p * halves).round() / halves
    }

    /// Return the tail of sums at least as far from zero as `sum`, on one side; None if it takes too long.
    fn tail(&self, sum: u128, plan: &Plan) -> Result<Option<Tail>> {
        // Both are odd or both are even.
        let observed = (self.total - (sum / u128::from(self.divisor)) as u64) / 2;
        if observed == 0 {
            let factor = Scaled::power_of_two(-(self.items as i64));
            return Ok(Some(Tail { below: 0.0, equal: 1.0, factor }));
        }
        let tilt = self.tilt(observed);
        let mut factor = Scaled::ONE / Scaled::new(tilt).power(observed);
        let mut binomials = memory::with_capacity(self.groups.len())?;
        for group in &self.groups {
            let odds = Scaled::new(tilt).power(group.size).value();
            let base = (DoubleDouble::from(1.0) + odds) / DoubleDouble::from(2.0);
            factor = factor * Scaled::new(base).power(group.items);
            binomials.push(Binomial::new(group, odds, observed)?);
        }
        let Some((below, equal)) = tilted_tail(binomials, observed, tilt.high, plan)? else { return Ok(None) };
        Ok((below + equal > SMALLEST_TAIL).then_some(Tail { below, equal, factor }))
    }

    /// Return the `r` at which the observed value is about the mean, at most 1.
    fn tilt(&self, observed: u64) -> DoubleDouble {
        let observed = observed as f64;
        if observed >= self.total as f64 / 2.0 {
            return DoubleDouble::from(1.0);
        }
        let mean = |log: f64| {
            let of_group = |group: &Group| {
                let odds = (log * group.size as f64).exp();
                (group.size * group.items) as f64 * odds / (1.0 + odds)
            };
            self.groups.iter().map(of_group).sum::<f64>()
        };
        // The mean is at most r times the total.
        let (mut low, mut high) = ((observed / self.total as f64).ln(), 0.0);
        for _ in 0..BISECTIONS {
            let middle = f64::midpoint(low, high);
            *(if mean(middle) < observed { &mut low } else { &mut high }) = middle;
        }
        DoubleDouble::from(f64::midpoint(low, high).exp())
    }
}

/// Any tilt near the best one is good enough.
const BISECTIONS: usize = 30;

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

/// The tilted probabilities that `first`, `first + 1`, … items of a group are negative.
#[derive(Debug)]
struct Binomial {
    size: u64,
    first: u64,
    probabilities: Vec<f64>,
    /// `r` to the power of the size.
    odds: f64,
    /// Mean of the sum of the negative items.
    mean: f64,
    /// Sum of the mean squares of the items.
    mean_squares: f64,
    /// Sum of the squared sizes of the items.
    squares: f64,
}

impl Binomial {
    /// Compute what is not negligible, from the mode outwards, and leave out numbers whose sum is above `most`.
    fn new(group: &Group, odds: DoubleDouble, most: u64) -> Result<Self> {
        let (size, items) = (group.size as f64, group.items as f64);
        let probability = odds.high / (1.0 + odds.high);
        let mode = (((items + 1.0) * probability) as u64).min(group.items);
        let mut weights = Vec::new();
        let mut weight = DoubleDouble::from(1.0);
        let mut count = mode;
        while count > 0 && weight.high > NEGLIGIBLE {
            let (left, right) = (DoubleDouble::from(count as f64), DoubleDouble::from(items - count as f64 + 1.0));
            weight = weight * left / (right * odds);
            count -= 1;
            memory::reserve(&mut weights, 1)?;
            weights.push(weight);
        }
        weights.reverse();
        let first = count;
        memory::reserve(&mut weights, 1)?;
        weights.push(DoubleDouble::from(1.0));
        weight = DoubleDouble::from(1.0);
        count = mode;
        while count < group.items && weight.high > NEGLIGIBLE {
            let (left, right) = (DoubleDouble::from(items - count as f64), DoubleDouble::from(count as f64 + 1.0));
            weight = weight * left * odds / right;
            count += 1;
            memory::reserve(&mut weights, 1)?;
            weights.push(weight);
        }
        let sum = weights.iter().fold(DoubleDouble::from(0.0), |sum, &weight| sum + weight);
        let kept = (most / group.size + 1).saturating_sub(first) as usize;
        let probabilities = weights.iter().take(kept).map(|&weight| (weight / sum).high).collect();
        let mean = size * items * probability;
        let (mean_squares, squares) = (size * mean, size * size * items);
        Ok(Self { size: group.size, first, probabilities, odds: odds.high, mean, mean_squares, squares })
    }

    fn smallest(&self) -> u64 {
        self.size * self.first
    }

    fn largest(&self) -> u64 {
        self.size * (self.first + self.probabilities.len() as u64).saturating_sub(1)
    }
}

/// Tilted probabilities of consecutive sums.
#[derive(Debug)]
struct Sums {
    first: u64,
    probabilities: Vec<f64>,
}

impl Sums {
    fn last(&self) -> u64 {
        self.first + self.probabilities.len() as u64 - 1
    }
}

/// The first and the last sum that is kept, inclusive.
type Window = (u64, u64);

/// Return the probability of less than the observed value and of the observed value; the former with a factor of `tilt` for
/// each step below. None if it takes too long.
fn tilted_tail(mut groups: Vec<Binomial>, observed: u64, tilt: f64, plan: &Plan) -> Result<Option<(f64, f64)>> {
    // The last group takes one pass and no convolution, so it is the one with most terms.
    let most = (0..groups.len()).max_by_key(|&group| groups[group].probabilities.len());
    let Some(most) = most else { return Ok(None) };
    let last = groups.swap_remove(most);
    groups.sort_by_key(|group| group.largest().saturating_sub(group.smallest()));
    let Some(windows) = windows(&groups, observed) else { return Ok(None) };
    let mut sums = Sums { first: 0, probabilities: vec![1.0] };
    for (group, window) in groups.iter().zip(windows) {
        sums = convolve(&sums, group, window, plan)?;
    }
    Ok(Some(add_last(&sums, &last, observed, tilt)))
}

/// Return the sums to keep after each group, None if they are too many.
///
/// The probability of what is left out is negligible, by the inequality of Hoeffding, or where that is narrower of
/// Bernstein, whose linear term is not needed below the mean of positive numbers.
fn windows(groups: &[Binomial], observed: u64) -> Option<Vec<Window>> {
    let (mut mean, mut mean_squares, mut squares, mut largest) = (0.0, 0.0, 0.0, 0.0_f64);
    let (mut first, mut last) = (0, 0);
    let mut products = 0.0;
    let mut windows = Vec::new();
    for group in groups {
        products += (last - first + 1) as f64 * group.probabilities.len() as f64;
        mean += group.mean;
        mean_squares += group.mean_squares;
        squares += group.squares;
        largest = largest.max(group.size as f64);
        let hoeffding = (NEGLIGIBLE_LOG * squares / 2.0).sqrt();
        let bernstein = (NEGLIGIBLE_LOG * mean_squares * 2.0).sqrt();
        let linear = NEGLIGIBLE_LOG * largest / 3.0;
        let above = hoeffding.min(linear + linear.hypot(bernstein));
        first = (first + group.smallest()).max((mean - hoeffding.min(bernstein)) as u64);
        last = (last + group.largest()).min(observed).min((mean + above).ceil() as u64);
        if last < first || last - first >= MAX_SUMS || products > MAX_PRODUCTS {
            return None;
        }
        windows.push((first, last));
    }
    Some(windows)
}

/// Add the sum of a group to independent sums.
fn convolve(sums: &Sums, group: &Binomial, (first, last): Window, plan: &Plan) -> Result<Sums> {
    let mut probabilities = memory::zeroed::<f64>((last - first + 1) as usize)?;
    for (count, probability) in (group.first..).zip(&group.probabilities) {
        plan.check()?;
        let shift = group.size * count;
        let from = (sums.first + shift).max(first);
        let to = (sums.last() + shift).min(last);
        if from > to {
            continue;
        }
        let source = &sums.probabilities[(from - shift - sums.first) as usize..];
        let target = &mut probabilities[(from - first) as usize..=(to - first) as usize];
        target.iter_mut().zip(source).for_each(|(target, source)| *target += probability * source);
    }
    Ok(Sums { first, probabilities })
}

/// Return the tilted tail of the sum of `sums` and the last group.
fn add_last(sums: &Sums, group: &Binomial, observed: u64, tilt: f64) -> (f64, f64) {
    let (mut below, mut equal) = (0.0, 0.0);
    // Probability of less than `next`, with a factor of the tilt for each step below `next`.
    let mut tail = 0.0;
    let mut next = sums.first;
    for (index, probability) in group.probabilities.iter().enumerate().rev() {
        let rest = observed - group.size * (group.first + index as u64);
        if rest < sums.first {
            continue;
        }
        if next > sums.last() {
            tail *= group.odds;
        } else {
            for sum in
                &sums.probabilities[(next - sums.first) as usize..(rest.min(sums.last() + 1) - sums.first) as usize]
            {
                tail = (tail + sum) * tilt;
            }
            // Beyond the last sum there is nothing to add.
            tail *= power(tilt, rest.saturating_sub(sums.last() + 1));
        }
        next = rest;
        below += probability * tail;
        let here = rest.checked_sub(sums.first).and_then(|index| sums.probabilities.get(index as usize));
        equal += probability * here.unwrap_or(&0.0);
    }
    (below, equal)
}

fn power(base: f64, exponent: u64) -> f64 {
    Scaled::new(DoubleDouble::from(base)).power(exponent).value().high
}

#[cfg(test)]
mod tests {
    use super::*;

    fn p(differences: &[i64], alternative: Alternative, mid_p: bool) -> f64 {
        let result = sign_flip_exact(differences, alternative, mid_p, &Plan::new(Some(1)));
        result.expect("memory").expect("few sizes")
    }

    /// Count all patterns; ties count `tie`.
    fn counted(differences: &[i64], alternative: Alternative, tie: f64) -> f64 {
        let extremeness = |sum: i64| match alternative {
            Alternative::TwoSided => sum.abs(),
            Alternative::Greater => sum,
            Alternative::Less => -sum,
        };
        let observed = extremeness(differences.iter().sum());
        let sum = |pattern: u32| {
            let signed = differences.iter().enumerate();
            signed.map(|(item, d)| if pattern >> item & 1 == 1 { -d } else { *d }).sum::<i64>()
        };
        let patterns = 1_u32 << differences.len();
        let weight = |pattern| match extremeness(sum(pattern)).cmp(&observed) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal => tie,
            std::cmp::Ordering::Greater => 1.0,
        };
        (0..patterns).map(weight).sum::<f64>() / f64::from(patterns)
    }

    #[test]
    fn results_are_those_of_all_patterns() {
        let cases: [&[i64]; 6] =
            [&[1], &[1, -1], &[3, 3, 3, -1], &[6, -4, 10, 2, 2, -2], &[1, 1, 1, 1, 1, 1, 5], &[-7, -7, 9, 1, -1, 3, 3]];
        for differences in cases {
            for alternative in [Alternative::TwoSided, Alternative::Greater, Alternative::Less] {
                for (mid_p, tie) in [(false, 1.0), (true, 0.5)] {
                    assert_eq!(p(differences, alternative, mid_p), counted(differences, alternative, tie));
                }
            }
        }
    }

    #[test]
    fn many_items_of_one_sign_have_a_power_of_two() {
        assert_eq!(p(&vec![4; 1000], Alternative::Greater, false), 0.5_f64.powi(1000));
        assert_eq!(p(&vec![4; 5000], Alternative::Greater, false), f64::MIN_POSITIVE);
        assert_eq!(p(&vec![4; 5000], Alternative::Less, false), 1.0);
    }

    #[test]
    fn too_many_sums_have_no_result() {
        let plan = Plan::new(Some(1));
        let far_apart: Vec<i64> = (0..60).map(|item| ((1 << (item / 2)) + item) * (item % 3 - 1)).collect();
        assert_eq!(sign_flip_exact(&far_apart, Alternative::Greater, false, &plan), Ok(None));
        assert_eq!(sign_flip_exact(&[i64::MIN, i64::MAX, 5], Alternative::Less, false, &plan), Ok(None));
        let sizes: Vec<i64> = (-2000..1000).collect();
        assert_eq!(sign_flip_exact(&sizes, Alternative::TwoSided, false, &plan), Ok(None));
    }

    #[test]
    fn an_unknown_alternative_is_an_error() {
        assert!(Alternative::named("larger").is_err());
        assert!(Alternative::NAMES.iter().all(|name| Alternative::named(name).is_ok()));
    }
}
