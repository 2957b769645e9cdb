//! Sums of rows whose items are drawn with replacement.
//!
//! A resample of n items is n indices, `integers(0, n, n)` of NumPy; an item that is drawn k times counts k times. The sum
//! of a column is the sum of count times value. Sums of whole numbers are exact. For other numbers the order is fixed: sum
//! `lane` of eight starts at zero and adds the products of items `lane`, `lane + 8`, `lane + 16`, … in this order; then the
//! upper half of the sums is added to the lower half, four to four, two to two, one to one. So a sum does not depend on
//! the number of threads, on the CPU, or on the other columns.
//!
//! Resamples are counted in blocks, then the counts are multiplied with the columns in tiles.

use std::ops::Range;

use super::bounded::Bound;
use super::counts::{Counts, block_size, count_any};
use super::starts::Starts;
use super::{Pcg64, Rows};
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;
use crate::simd::Level;
use crate::simd::count_products::{self, COLUMNS, ITEMS, LANES, RESAMPLES};

/// Items whose columns stay in the nearest cache while all resamples of a block pass.
const TILE_ITEMS: usize = 4096;

/// Return the sums of `resamples` resamples, a row of columns for each, and go on in the generator.
///
/// # Errors
/// [`Error::Zero`] for no resample; [`Error::Memory`]; [`Error::Cancelled`].
pub fn resample_sums(
    generator: &mut Pcg64,
    rows: &Rows<'_>,
    resamples: usize,
    level: Level,
    plan: &Plan,
) -> Result<Vec<f64>> {
    if resamples == 0 {
        return Err(Error::Zero("resamples"));
    }
    let (n, width) = (rows.len(), rows.columns());
    let bound = Bound::new("rows", n)?;
    let columns = Columns::new(rows, level, plan)?;
    let size = block_size(n, resamples, plan.threads());
    let mut sums = memory::zeroed(resamples.saturating_mul(width))?;
    let task = Task { rows, columns: &columns, bound, size, level, plan };
    let blocks = sums.chunks_mut(size.saturating_mul(width));
    if plan.threads() == 1 || resamples <= size {
        let mut scratch = Scratch::new(&task)?;
        for sums in blocks {
            task.sum(&mut scratch, generator, sums)?;
        }
        return Ok(sums);
    }
    let starts = Starts::count(generator, bound, n.saturating_mul(resamples), level, plan)?;
    let mut blocks: Vec<(&mut [f64], Option<Pcg64>)> = blocks.map(|sums| (sums, None)).collect();
    plan.each(
        &mut blocks,
        || Scratch::new(&task),
        |scratch, block, (sums, end)| {
            let scratch = scratch.as_mut().map_err(|error| error.clone())?;
            let mut generator = starts.after(block * size * n, level);
            task.sum(scratch, &mut generator, sums)?;
            *end = Some(generator);
            Ok(())
        },
    )?;
    if let Some((_, Some(end))) = blocks.pop() {
        *generator = end;
    }
    Ok(sums)
}

/// Return the sums of one resample for each generator, a row of columns for each.
///
/// # Errors
/// [`Error::Memory`]; [`Error::Cancelled`].
pub fn sums_of_each(
    generators: impl ExactSizeIterator<Item = Pcg64>,
    rows: &Rows<'_>,
    level: Level,
    plan: &Plan,
) -> Result<Vec<f64>> {
    let bound = Bound::new("rows", rows.len())?;
    let columns = Columns::new(rows, level, plan)?;
    let task = Task { rows, columns: &columns, bound, size: 1, level, plan };
    let mut scratch = Scratch::new(&task)?;
    let mut sums = memory::zeroed(generators.len().saturating_mul(rows.columns()))?;
    for (mut generator, sums) in generators.zip(sums.chunks_mut(rows.columns())) {
        task.sum(&mut scratch, &mut generator, sums)?;
    }
    Ok(sums)
}

/// What is resampled.
#[derive(Debug, Clone, Copy)]
struct Task<'a> {
    rows: &'a Rows<'a>,
    columns: &'a Columns,
    bound: Bound,
    /// Resamples of a block.
    size: usize,
    level: Level,
    plan: &'a Plan,
}

/// Buffers of a thread.
struct Scratch {
    counts: Counts,
    /// Running sums of a tile of columns for all resamples.
    lanes: Vec<count_products::Lanes<COLUMNS>>,
    lanes_of_one: Vec<count_products::Lanes<1>>,
}

impl Scratch {
    fn new(task: &Task<'_>) -> Result<Self> {
        let tiles = task.size.div_ceil(RESAMPLES);
        Ok(Self {
            counts: Counts::new(task.rows.len(), tiles * RESAMPLES)?,
            lanes: memory::zeroed(tiles)?,
            lanes_of_one: memory::zeroed(tiles)?,
        })
    }
}

impl Task<'_> {
    /// Draw the resamples of a block, and write their sums.
    fn sum(&self, scratch: &mut Scratch, generator: &mut Pcg64, sums: &mut [f64]) -> Result<()> {
        let start = generator.clone();
        let resamples = sums.len() / self.rows.columns();
        if !scratch.counts.draw(generator, self.bound, resamples, self.level, self.plan)? {
            return self.sum_any(start, sums);
        }
        match self.columns {
            Columns::Bytes(columns) => self.sum_whole(&scratch.counts, columns, sums, count_products::bytes),
            Columns::Words(columns) => self.sum_whole(&scratch.counts, columns, sums, count_products::words),
            Columns::Reals(columns) => self.sum_reals(scratch, columns, sums),
        }
    }

    /// Sum columns of whole numbers.
    fn sum_whole<T>(
        &self,
        counts: &Counts,
        columns: &[T],
        sums: &mut [f64],
        products: impl Fn(&[&[u8]; RESAMPLES], &[&[T]; COLUMNS], Level) -> count_products::Sums,
    ) -> Result<()> {
        let (width, padded) = (self.rows.columns(), self.padded());
        for items in tiles(padded) {
            for (first_column, columns) in (0..).step_by(COLUMNS).zip(columns.chunks(COLUMNS * padded)) {
                self.plan.check()?;
                let tile: [&[T]; COLUMNS] = std::array::from_fn(|column| &columns[column * padded..][items.clone()]);
                for (first, sums) in (0..).step_by(RESAMPLES).zip(sums.chunks_mut(RESAMPLES * width)) {
                    let counts = std::array::from_fn(|resample| counts.of(first + resample, items.clone()));
                    let found = products(&counts, &tile, self.level);
                    for (sums, found) in sums.chunks_mut(width).zip(found) {
                        let sums = sums[first_column..].iter_mut();
                        // Sums of whole numbers below 2^53 are exact in any order.
                        sums.zip(found).for_each(|(sum, found)| *sum += f64::from(found));
                    }
                }
            }
        }
        Ok(())
    }

    /// Sum columns of real numbers: four at a time, then one by one.
    fn sum_reals(&self, scratch: &mut Scratch, columns: &[f64], sums: &mut [f64]) -> Result<()> {
        let first_single = self.rows.columns() / COLUMNS * COLUMNS;
        let (fours, ones) = columns.split_at(first_single * self.padded());
        let Scratch { counts, lanes, lanes_of_one } = scratch;
        self.sum_tiles(counts, fours, 0, lanes, sums)?;
        self.sum_tiles(counts, ones, first_single, lanes_of_one, sums)
    }

    /// Sum columns in tiles of `WIDTH`, of which the first sum is that of column `start`.
    fn sum_tiles<const WIDTH: usize>(
        &self,
        counts: &Counts,
        columns: &[f64],
        start: usize,
        lanes: &mut [count_products::Lanes<WIDTH>],
        sums: &mut [f64],
    ) -> Result<()> {
        let (width, padded) = (self.rows.columns(), self.padded());
        for (first_column, columns) in (start..).step_by(WIDTH).zip(columns.chunks(WIDTH * padded)) {
            self.plan.check()?;
            lanes.fill([[[0.0; LANES]; WIDTH]; RESAMPLES]);
            for items in tiles(padded) {
                let tile = std::array::from_fn(|column| &columns[column * padded..][items.clone()]);
                let resamples = (0..sums.len() / width).step_by(RESAMPLES);
                for (first, lanes) in resamples.zip(lanes.iter_mut()) {
                    let counts = std::array::from_fn(|resample| counts.of(first + resample, items.clone()));
                    count_products::add_reals(&counts, &tile, lanes, self.level);
                }
            }
            for (sums, lanes) in sums.chunks_mut(width).zip(lanes.as_flattened()) {
                sums[first_column..].iter_mut().zip(lanes).for_each(|(sum, &lanes)| *sum = fold(lanes));
            }
        }
        Ok(())
    }

    /// Sum resamples with counts that do not fit in bytes, in the same order.
    #[cold]
    fn sum_any(&self, mut generator: Pcg64, sums: &mut [f64]) -> Result<()> {
        let mut counts: Vec<u32> = memory::zeroed(self.rows.len())?;
        for sums in sums.chunks_mut(self.rows.columns()) {
            self.plan.check()?;
            count_any(&mut generator, self.bound, self.level, &mut counts);
            for (column, sum) in sums.iter_mut().enumerate() {
                let mut lanes = [0.0; LANES];
                for (row, &count) in counts.iter().enumerate() {
                    lanes[row % LANES] += f64::from(count) * self.rows.at(row, column);
                }
                *sum = fold(lanes);
            }
        }
        Ok(())
    }

    /// Number of items with the zeros after them.
    fn padded(&self) -> usize {
        self.rows.len().next_multiple_of(ITEMS)
    }
}

/// Cut the items into tiles.
fn tiles(items: usize) -> impl Iterator<Item = Range<usize>> {
    (0..items).step_by(TILE_ITEMS).map(move |start| start..items.min(start + TILE_ITEMS))
}

/// The columns one after the other, in the smallest numbers for which the sums are exact.
#[derive(Debug)]
enum Columns {
    Bytes(Vec<i8>),
    Words(Vec<i16>),
    Reals(Vec<f64>),
}

impl Columns {
    fn new(rows: &Rows<'_>, level: Level, plan: &Plan) -> Result<Self> {
        let padded = rows.len().next_multiple_of(ITEMS);
        match rows.largest_whole() {
            Some(largest) if (largest as usize).saturating_mul(rows.len()) > i32::MAX as usize => {}
            // Without AVX-512 VNNI, bytes are first made words.
            Some(0..=127) if level == Level::Avx512Vnni => {
                return rows.transposed(padded, COLUMNS, |value| value as i8, plan).map(Self::Bytes);
            }
            Some(0..=32_767) => return rows.transposed(padded, COLUMNS, |value| value as i16, plan).map(Self::Words),
            _ => {}
        }
        rows.transposed(padded, 1, |value| value, plan).map(Self::Reals)
    }
}

/// Add the upper half of the running sums to the lower half, down to one.
fn fold(mut lanes: [f64; LANES]) -> f64 {
    for half in [LANES / 2, LANES / 4, LANES / 8] {
        for lane in 0..half {
            lanes[lane] += lanes[lane + half];
        }
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn new() -> Pcg64 {
        let mut generator = Pcg64::new(&[9]).expect("a seed");
        // Keep a half.
        generator.next_u32();
        generator
    }

    /// Rows of one kind of numbers.
    fn values(n: usize, width: usize, kind: &str) -> Vec<f64> {
        let value = |index: usize| (index as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        let values = (0..n * width).map(|index| value(index) as f64);
        match kind {
            "bytes" => values.map(|value| value % 256.0 - 128.0).map(|value| value.max(-127.0)).collect(),
            "words" => values.map(|value| value % 65_535.0 - 32_767.0).collect(),
            "large" => values.map(|value| value * 1e6).collect(),
            _ => values.map(f64::sin).collect(),
        }
    }

    #[test]
    fn sums_are_those_of_the_definition_for_every_kind_of_number() {
        for (n, width) in [(1, 1), (2, 3), (31, 4), (32, 5), (33, 9), (255, 1), (256, 11), (257, 2), (5000, 5)] {
            for kind in ["bytes", "words", "large", "reals"] {
                let values = values(n, width, kind);
                let rows = Rows::new(&values, width).expect("rows");
                let plan = Plan::new(Some(1));
                let columns = Columns::Reals(Vec::new());
                let bound = Bound::new("n", n).expect("a bound");
                let task = Task { rows: &rows, columns: &columns, bound, size: 1, level: Level::Portable, plan: &plan };
                let mut expected = vec![0.0; 23 * width];
                task.sum_any(new(), &mut expected).expect("sums");
                let mut slow = new();
                bound.draw(&mut slow, 23 * n, Level::Portable, |_| ());
                for level in Level::available() {
                    for threads in [1, 2, 5] {
                        let mut generator = new();
                        let sums = resample_sums(&mut generator, &rows, 23, level, &Plan::new(Some(threads)));
                        assert_eq!(sums.as_ref(), Ok(&expected), "{n} {width} {kind} {level:?} {threads}");
                        assert_eq!(generator, slow);
                    }
                }
            }
        }
    }

    #[test]
    fn calls_go_on_where_the_last_one_ended() {
        let values = values(77, 3, "reals");
        let rows = Rows::new(&values, 3).expect("rows");
        let (mut one, mut many) = (new(), new());
        let (level, plan) = (Level::best(), Plan::new(Some(2)));
        let whole = resample_sums(&mut one, &rows, 500, level, &plan).expect("sums");
        let parts = [1, 99, 400].map(|count| resample_sums(&mut many, &rows, count, level, &plan).expect("sums"));
        assert_eq!((whole, one), (parts.concat(), many));
    }

    #[test]
    fn cancelled_work_ends() {
        let plan = Plan::new(Some(2));
        plan.cancel();
        let rows = Rows::new(&[1.0, 2.0], 1).expect("rows");
        assert_eq!(resample_sums(&mut new(), &rows, 9, Level::best(), &plan), Err(Error::Cancelled));
        assert_eq!(resample_sums(&mut new(), &rows, 0, Level::best(), &plan), Err(Error::Zero("resamples")));
    }
}
