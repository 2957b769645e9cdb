//! Step-down tests of pairs of systems over joint draws of the null hypothesis (Romano and Wolf 2005), with signed
//! standardized differences as in Mogstad, Romano, Shaikh and Wilhelm (2024).
//!
//! For the pair of systems (i, j) with observed difference d, B drawn differences d* and standard error e, which is the
//! root mean square of d and all d*, the statistic is t = d / e, and its draws are d* / e. Pairs are taken in the order of t.
//! The adjusted p-value of a pair is (1 + the number of draws whose maximum over this pair and all pairs of smaller t is at
//! least t) / (B + 1), or that of a pair of larger t if this is larger. Without a difference, d is like one more d*. As e
//! treats them alike, the p-values are valid for any number of draws.

use std::ops::Range;

use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;

/// Draws that are compared together.
const LANES: usize = 64;

/// Tiles of [`LANES`] draws for each block of work.
const TILES: usize = 8;

/// Pairs for each block of work on standard errors.
const PAIRS: usize = 32;

/// Numbers that differ by less than this times their size are equal: what rounding makes of equal numbers.
const TOLERANCE: f64 = 100.0 * f64::EPSILON;

/// Results of [`step_down`].
#[derive(Debug, Clone, PartialEq)]
pub struct StepDown {
    /// Adjusted p-value of each pair; 1 for pairs without a standard error.
    pub adjusted: Vec<f64>,
    /// Standard error of the difference of each pair; 0 where the draws do not vary.
    pub errors: Vec<f64>,
    /// Critical value of each step: the quantile of the maximum over the pairs that no earlier step rejected.
    pub critical: Vec<f64>,
}

/// Test for each of `pairs` whether its first system is better than its second, where larger scores are better.
///
/// `scores` holds one row for each draw with the score of each system, of which only differences matter: their expectation
/// is zero. `observed` has the scores of the whole set. Results are the same for any number of threads.
///
/// # Errors
/// [`Error::Empty`] without systems; [`Error::Incomplete`]; [`Error::OutOfRange`] for fewer than two draws or a system
/// that is not there; [`Error::Invalid`] for a score that is not finite or a level outside of 0 to 1; [`Error::Memory`];
/// [`Error::Cancelled`].
pub fn step_down(scores: &[f64], observed: &[f64], pairs: &[[u32; 2]], level: f64, plan: &Plan) -> Result<StepDown> {
    check(scores, observed, pairs, level)?;
    let columns = Columns::new(scores, observed)?;
    let errors: Vec<Vec<f64>> = plan.map(
        pairs.len(),
        PAIRS,
        || (),
        |(), block| Ok(pairs[block].iter().map(|&pair| columns.standard_error(pair)).collect()),
    )?;
    let errors = errors.concat();
    let family = Family::new(&columns, pairs, &errors);
    let counts = family.counts(plan)?;
    let adjusted = family.adjusted(&counts, pairs.len());
    let critical = family.critical(level, plan)?;
    Ok(StepDown { adjusted, errors, critical })
}

fn check(scores: &[f64], observed: &[f64], pairs: &[[u32; 2]], level: f64) -> Result<()> {
    let systems = observed.len();
    if systems == 0 {
        return Err(Error::Empty("observed"));
    }
    let draws = scores.len() / systems;
    if draws * systems != scores.len() {
        return Err(Error::Incomplete { parameter: "scores", numbers: scores.len(), rows: draws });
    }
    if draws < 2 {
        let limit = "the number of draws";
        return Err(Error::OutOfRange { parameter: "scores", value: draws, least: 2, most: usize::MAX, limit });
    }
    if let Some(&system) = pairs.iter().flatten().find(|&&system| system as usize >= systems) {
        let (most, limit) = (systems - 1, "the last system");
        return Err(Error::OutOfRange { parameter: "pairs", value: system as usize, least: 0, most, limit });
    }
    if !(level > 0.0 && level < 1.0) {
        let problem = format!("is {level}, needs a number between 0 and 1");
        return Err(Error::Invalid { parameter: "level", problem });
    }
    let infinite = scores.chunks_exact(systems).position(|row| row.iter().any(|score| !score.is_finite()));
    match infinite {
        _ if observed.iter().any(|score| !score.is_finite()) => {
            Err(Error::Invalid { parameter: "observed", problem: "a score is not finite".to_owned() })
        }
        Some(row) => Err(Error::Invalid { parameter: "scores", problem: format!("row {row} is not finite") }),
        None => Ok(()),
    }
}

/// Drawn scores, system by system.
struct Columns<'a> {
    observed: &'a [f64],
    draws: usize,
    /// Whole tiles of lanes; those behind the last draw are NaN, which no comparison counts.
    stride: usize,
    values: Vec<f64>,
    largest: Vec<f64>,
}

impl<'a> Columns<'a> {
    fn new(scores: &[f64], observed: &'a [f64]) -> Result<Self> {
        let systems = observed.len();
        let draws = scores.len() / systems;
        let stride = draws.next_multiple_of(LANES);
        let mut values = memory::zeroed(stride.saturating_mul(systems))?;
        for (system, column) in values.chunks_exact_mut(stride).enumerate() {
            let (used, rest) = column.split_at_mut(draws);
            used.iter_mut().zip(scores[system..].iter().step_by(systems)).for_each(|(to, from)| *to = *from);
            rest.fill(f64::NAN);
        }
        let largest = values.chunks_exact(stride).zip(observed).map(|(column, observed)| {
            column[..draws].iter().fold(observed.abs(), |largest, value| largest.max(value.abs()))
        });
        let largest = largest.collect();
        Ok(Self { observed, draws, stride, values, largest })
    }

    fn column(&self, system: usize) -> &[f64] {
        &self.values[system * self.stride..][..self.stride]
    }

    /// Return the root mean square of the drawn differences and the observed one, or 0 if it is nothing but rounding.
    fn standard_error(&self, pair: [u32; 2]) -> f64 {
        let [first, second] = pair.map(|system| system as usize);
        let (first_column, second_column) = (self.column(first), self.column(second));
        let mut lanes = [0.0; 8];
        let (first_eights, first_rest) = first_column[..self.draws].as_chunks::<8>();
        let (second_eights, second_rest) = second_column[..self.draws].as_chunks::<8>();
        for (a, b) in first_eights.iter().zip(second_eights) {
            for lane in 0..8 {
                let difference = a[lane] - b[lane];
                lanes[lane] += difference * difference;
            }
        }
        let rest = first_rest.iter().zip(second_rest).map(|(a, b)| (a - b) * (a - b));
        let difference = self.observed[first] - self.observed[second];
        let squares = lanes.into_iter().chain(rest).sum::<f64>() + difference * difference;
        let error = (squares / (self.draws + 1) as f64).sqrt();
        let size = self.largest[first].max(self.largest[second]);
        if error <= TOLERANCE * size { 0.0 } else { error }
    }
}

/// A pair whose difference has a standard error.
struct Tested {
    index: usize,
    first: usize,
    second: usize,
    /// One by the standard error.
    precision: f64,
    statistic: f64,
    /// The statistic without what may be rounding, so that ties count.
    threshold: f64,
}

/// Tested pairs, by increasing statistic.
struct Family<'a> {
    columns: &'a Columns<'a>,
    tested: Vec<Tested>,
}

impl<'a> Family<'a> {
    fn new(columns: &'a Columns<'a>, pairs: &[[u32; 2]], errors: &[f64]) -> Self {
        let with_error = pairs.iter().zip(errors).enumerate().filter(|(_, (_, error))| **error > 0.0);
        let mut tested: Vec<Tested> = with_error
            .map(|(index, (pair, &error))| {
                let [first, second] = pair.map(|system| system as usize);
                let statistic = (columns.observed[first] - columns.observed[second]) / error;
                let threshold = statistic - TOLERANCE * statistic.abs();
                Tested { index, first, second, precision: 1.0 / error, statistic, threshold }
            })
            .collect();
        tested.sort_by(|a, b| a.statistic.total_cmp(&b.statistic));
        Self { columns, tested }
    }

    /// Return the maximum over the first `count` pairs of each draw of a tile; `visit` is called for each of these pairs
    /// with the maximum up to it.
    fn maximum(&self, tile: usize, count: usize, mut visit: impl FnMut(usize, &Tested, &[f64; LANES])) -> [f64; LANES] {
        let mut maximum = [f64::NEG_INFINITY; LANES];
        for (rank, pair) in self.tested[..count].iter().enumerate() {
            let first = &self.columns.column(pair.first)[tile * LANES..][..LANES];
            let second = &self.columns.column(pair.second)[tile * LANES..][..LANES];
            for ((maximum, first), second) in maximum.iter_mut().zip(first).zip(second) {
                let statistic = (first - second) * pair.precision;
                *maximum = if statistic > *maximum { statistic } else { *maximum };
            }
            visit(rank, pair, &maximum);
        }
        maximum
    }

    fn tiles(&self) -> usize {
        self.columns.stride / LANES
    }

    /// Return for each pair the number of draws whose maximum is at least its statistic.
    fn counts(&self, plan: &Plan) -> Result<Vec<u64>> {
        let count = |(): &mut (), tiles: Range<usize>| {
            let mut counts = memory::zeroed::<u64>(self.tested.len())?;
            for tile in tiles {
                plan.check()?;
                self.maximum(tile, self.tested.len(), |rank, pair, maximum| {
                    counts[rank] += maximum.iter().map(|value| u64::from(*value >= pair.threshold)).sum::<u64>();
                });
            }
            Ok(counts)
        };
        let blocks = plan.map(self.tiles(), TILES, || (), count)?;
        let mut total = memory::zeroed(self.tested.len())?;
        for block in blocks {
            total.iter_mut().zip(block).for_each(|(total, count)| *total += count);
        }
        Ok(total)
    }

    fn adjusted(&self, counts: &[u64], pairs: usize) -> Vec<f64> {
        let mut adjusted = vec![1.0; pairs];
        let mut largest = 0.0_f64;
        for (pair, &count) in self.tested.iter().zip(counts).rev() {
            largest = largest.max((count as f64 + 1.0) / (self.columns.draws as f64 + 1.0));
            adjusted[pair.index] = largest;
        }
        adjusted
    }

    /// Return the critical value of each step. A step rejects the pairs above its value, until none is.
    fn critical(&self, level: f64, plan: &Plan) -> Result<Vec<f64>> {
        let mut critical = Vec::new();
        let mut left = self.tested.len();
        while left > 0 {
            let mut maxima = self.maxima(left, plan)?;
            let value = quantile(&mut maxima, level);
            critical.push(value);
            let kept = self.tested[..left].partition_point(|pair| pair.statistic <= value);
            if kept == left {
                break;
            }
            left = kept;
        }
        Ok(critical)
    }

    /// Return the maximum of each draw over the first `count` pairs.
    fn maxima(&self, count: usize, plan: &Plan) -> Result<Vec<f64>> {
        let mut maxima = memory::zeroed(self.columns.stride)?;
        let mut tiles: Vec<_> = maxima.chunks_exact_mut(LANES).collect();
        plan.each(
            &mut tiles,
            || (),
            |(), tile, values| {
                values.copy_from_slice(&self.maximum(tile, count, |_, _, _| ()));
                Ok(())
            },
        )?;
        maxima.truncate(self.columns.draws);
        Ok(maxima)
    }
}

/// Return a quantile between two neighbours in order, as `numpy.quantile` does by default.
fn quantile(values: &mut [f64], level: f64) -> f64 {
    let position = (values.len() - 1) as f64 * level;
    let index = position.floor() as usize;
    let fraction = position - position.floor();
    let (_, &mut low, above) = values.select_nth_unstable_by(index, f64::total_cmp);
    let high = above.iter().copied().reduce(f64::min).unwrap_or(low);
    if fraction >= 0.5 { high - (high - low) * (1.0 - fraction) } else { low + (high - low) * fraction }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCORES: [f64; 8] = [1.0, 0.0, 3.0, 1.0, 2.0, 2.0, 4.0, 0.0];

    fn test(pairs: &[[u32; 2]]) -> Result<StepDown> {
        step_down(&SCORES, &[2.5, 1.0], pairs, 0.5, &Plan::new(Some(2)))
    }

    #[test]
    fn two_systems_by_hand() {
        // The drawn differences are 1, 2, 0, 4, of which two are at least the observed one, 1.5. The squares of all five
        // have the sum 23.25.
        let result = test(&[[0, 1]]).expect("finite");
        let error = (23.25_f64 / 5.0).sqrt();
        assert!((result.errors[0] - error).abs() < 1e-15);
        assert_eq!(result.adjusted, [3.0 / 5.0]);
        assert_eq!(result.critical.len(), 1);
        assert!((result.critical[0] - 1.5 / error).abs() < 1e-15);
    }

    #[test]
    fn a_system_and_itself_have_no_error() {
        let result = test(&[[0, 0], [1, 1]]).expect("finite");
        assert_eq!((result.adjusted, result.errors, result.critical), (vec![1.0; 2], vec![0.0; 2], vec![]));
    }

    #[test]
    fn quantiles_are_interpolated() {
        assert_eq!(quantile(&mut [4.0, 1.0, 2.0, 3.0], 0.5), 2.5);
        assert_eq!(quantile(&mut [4.0, 1.0, 2.0, 3.0], 1.0), 4.0);
        assert_eq!(quantile(&mut [4.0, 1.0, 2.0, 3.0], 0.25), 1.75);
    }

    #[test]
    fn wrong_arguments_are_errors() {
        let plan = Plan::new(Some(1));
        assert!(matches!(step_down(&[], &[], &[], 0.5, &plan), Err(Error::Empty("observed"))));
        assert!(matches!(step_down(&[1.0; 3], &[1.0; 2], &[], 0.5, &plan), Err(Error::Incomplete { .. })));
        assert!(matches!(test(&[[0, 2]]), Err(Error::OutOfRange { value: 2, .. })));
        for level in [0.0, 1.0, f64::NAN] {
            assert!(matches!(step_down(&SCORES, &[1.0; 2], &[], level, &plan), Err(Error::Invalid { .. })));
        }
        assert!(step_down(&[f64::NAN; 4], &[1.0; 2], &[], 0.5, &plan).is_err());
        assert!(step_down(&[1.0; 4], &[1.0, f64::NAN], &[], 0.5, &plan).is_err());
    }
}
