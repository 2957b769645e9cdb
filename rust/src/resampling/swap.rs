//! Sums of randomly selected rows, for tests that swap the results of two systems.
//!
//! Bit `t * n + i` of the random bits selects item `i` of `n` in trial `t`. Sums of whole numbers are exact. For other
//! numbers the order is fixed: the selected items of each group of eight are added in order, starting at zero, and then the
//! sums of the groups in order. So a sum does not depend on the number of threads, on the CPU, or on the other columns.
//!
//! The sums of all 256 subsets of a group are computed once for a block of trials, and each trial looks up its own: one
//! addition for eight items, known as the method of the four Russians.

use super::selections::{self, Selections};
use super::{Pcg64, Rows};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;
use crate::simd::Level;
use crate::simd::selected_sums::{ITEMS, MAX_WORD, REALS, Tables, Tile, WORDS};

/// Largest number of trials in a block: their running sums stay in cache.
const MAX_TRIALS: usize = 4096;

/// Smallest number of trials for which the tables are computed again.
const MIN_TRIALS: usize = 64;

/// Memory of the selections of a block in bytes, unless a few trials alone take more.
const BLOCK_BYTES: usize = 4 << 20;

/// Columns from which on a tile of several is faster than one after the other.
const MIN_TILE: usize = 3;

/// Return the sums of the selected rows of `trials` trials, a row of columns for each. A further call goes on at the next
/// bit.
///
/// # Errors
/// [`Error::Zero`] for no trial; [`Error::Memory`]; [`Error::Cancelled`].
pub fn swap_sums(generator: &mut Pcg64, rows: &Rows<'_>, trials: usize, level: Level, plan: &Plan) -> Result<Vec<f64>> {
    if trials == 0 {
        return Err(Error::Zero("trials"));
    }
    let (n, width) = (rows.len(), rows.columns());
    let mut sums: Vec<f64> = memory::zeroed(trials.saturating_mul(width))?;
    let size = block_size(n, trials, plan.threads());
    let largest = rows.largest_whole().filter(|&largest| fits(largest, n));
    let task = Task { rows, largest, level, plan };
    let mut blocks: Vec<&mut [f64]> = sums.chunks_mut(size.saturating_mul(width)).collect();
    plan.each(
        &mut blocks,
        || Selections::new(n, size),
        |selections, block, sums| {
            let selections = selections.as_mut().map_err(|error| error.clone())?;
            selections.draw(generator, n, block * size, level);
            task.sum(selections, sums)
        },
    )?;
    selections::skip(generator, trials.saturating_mul(n));
    Ok(sums)
}

/// Return whether whole numbers are so small that sums of a few items fit in 16 bits, and sums of all in 32 bits.
fn fits(largest: u32, n: usize) -> bool {
    largest <= u32::from(MAX_WORD) && i32::try_from(n.saturating_mul(largest as usize)).is_ok()
}

fn block_size(n: usize, trials: usize, threads: usize) -> usize {
    let most = (8 * BLOCK_BYTES.max(8 * n) / n).clamp(MIN_TRIALS, MAX_TRIALS);
    let blocks = trials.div_ceil(most).next_multiple_of(threads);
    trials.div_ceil(blocks).max(MIN_TRIALS)
}

/// What is summed.
struct Task<'a> {
    rows: &'a Rows<'a>,
    /// The largest magnitude if all numbers are whole and small.
    largest: Option<u32>,
    level: Level,
    plan: &'a Plan,
}

impl Task<'_> {
    /// Write the sums of a block of trials.
    fn sum(&self, selections: &Selections, sums: &mut [f64]) -> Result<()> {
        let width = self.rows.columns();
        let mut column = 0;
        while column < width {
            let rest = width - column;
            column += if self.largest.is_some() && rest > 1 {
                self.sum_tile::<[i16; WORDS]>(selections, sums, column)?
            } else if rest >= MIN_TILE {
                self.sum_tile::<[f64; REALS]>(selections, sums, column)?
            } else {
                self.sum_tile::<[f64; 1]>(selections, sums, column)?
            };
        }
        Ok(())
    }

    /// Write the sums of the columns of a tile, from `first` on, and return the number of columns of a whole tile.
    fn sum_tile<T: Tile>(&self, selections: &Selections, sums: &mut [f64], first: usize) -> Result<usize> {
        let (n, width) = (self.rows.len(), self.rows.columns());
        let columns = first..width.min(first + T::COLUMNS);
        let mut tables: Box<Tables<T>> = bytemuck::allocation::zeroed_box();
        let trials = sums.len() / width;
        let (mut added, mut running): (Vec<T>, Vec<T::Sums>) = (memory::zeroed(trials)?, memory::zeroed(trials)?);
        let rounds = T::rounds(self.largest);
        for (round, (start, selections)) in (1..).zip((0..n).step_by(ITEMS).zip(selections.of_items())) {
            self.plan.check()?;
            let mut items = [T::zeroed(); ITEMS];
            for (row, item) in (start..n).zip(&mut items) {
                columns.clone().for_each(|column| item.set(column - first, self.rows.at(row, column)));
            }
            T::fill(&items, &mut tables, self.level);
            T::add(selections, &tables, &mut added, self.level);
            if round % rounds == 0 {
                T::merge(&mut added, &mut running);
            }
        }
        T::merge(&mut added, &mut running);
        for (sums, running) in sums.chunks_mut(width).zip(running) {
            columns.clone().for_each(|column| sums[column] = T::sum(&running, column - first));
        }
        Ok(T::COLUMNS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(bits: &[bool], rows: &Rows<'_>) -> Vec<f64> {
        let mut sums = Vec::new();
        for bits in bits.chunks(rows.len()) {
            for column in 0..rows.columns() {
                let mut sum = 0.0;
                for (group, bits) in bits.chunks(8).enumerate() {
                    let items = bits.iter().enumerate().filter(|(_, bit)| **bit);
                    sum += items.fold(0.0, |sum, (item, _)| sum + rows.at(group * 8 + item, column));
                }
                sums.push(sum);
            }
        }
        sums
    }

    #[test]
    fn sums_are_those_of_the_definition_for_every_kind_of_number() {
        for (n, width) in [(1, 1), (2, 3), (31, 17), (32, 5), (33, 9), (255, 2), (256, 11), (257, 1)] {
            for kind in ["small", "whole", "real"] {
                let value = |index: usize| match kind {
                    "small" => (index * 7919 % 2047) as f64 - 1023.0,
                    "whole" => (index * 7919 % 2049) as f64 - 1024.0,
                    _ => (index as f64).sin(),
                };
                let values: Vec<f64> = (0..n * width).map(value).collect();
                let rows = Rows::new(&values, width).expect("rows");
                let trials = 150;
                let plan = Plan::new(Some(1));
                let bits = Pcg64::new(&[4]).and_then(|mut generator| generator.bits(trials * n, &plan)).expect("bits");
                let expected = plain(&bits, &rows);
                for level in Level::available() {
                    for threads in [1, 2, 5] {
                        let mut generator = Pcg64::new(&[4]).expect("a seed");
                        let plan = Plan::new(Some(threads));
                        let sums = [1, 20, trials - 21]
                            .map(|trials| swap_sums(&mut generator, &rows, trials, level, &plan).expect("sums"));
                        assert_eq!(sums.concat(), expected, "{n} {width} {kind} {level:?} {threads}");
                    }
                }
            }
        }
    }

    #[test]
    fn blocks_are_not_too_small_for_tables_and_not_too_large_for_memory() {
        assert_eq!(block_size(10_000, 10_000, 1), 3334);
        assert_eq!(block_size(10_000, 10_000, 2), 2500);
        assert_eq!(block_size(1, 5, 8), MIN_TRIALS);
        assert_eq!(block_size(1 << 31, 1 << 20, 1), MIN_TRIALS);
    }

    #[test]
    fn cancelled_work_ends() {
        let plan = Plan::new(Some(2));
        plan.cancel();
        let rows = Rows::new(&[1.0, 2.0], 1).expect("rows");
        let mut generator = Pcg64::new(&[4]).expect("a seed");
        assert_eq!(swap_sums(&mut generator, &rows, 9, Level::best(), &plan), Err(Error::Cancelled));
        assert_eq!(swap_sums(&mut generator, &rows, 0, Level::best(), &plan), Err(Error::Zero("trials")));
    }
}
