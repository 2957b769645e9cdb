//! Rows of statistics whose sums are resampled.

use bytemuck::Zeroable;

use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;

/// Numbers that are checked together, without a branch for each.
const BLOCK: usize = 4096;

/// One row of finite numbers for each item.
#[derive(Debug, Clone, Copy)]
pub struct Rows<'a> {
    values: &'a [f64],
    columns: usize,
}

impl<'a> Rows<'a> {
    /// Return the rows of a matrix in C order.
    ///
    /// # Errors
    /// [`Error::Empty`] for no row or no column; [`Error::TooMany`] for 2^32 rows or more; [`Error::NotFinite`];
    /// [`Error::Incomplete`] for numbers that do not fill the last row.
    pub fn new(values: &'a [f64], columns: usize) -> Result<Self> {
        let parameter = "rows";
        if values.is_empty() || columns == 0 {
            return Err(Error::Empty(parameter));
        }
        let (rows, most) = (values.len() / columns, u32::MAX as usize);
        if !values.len().is_multiple_of(columns) {
            return Err(Error::Incomplete { parameter, numbers: values.len(), rows: rows + 1 });
        }
        if rows > most {
            return Err(Error::TooMany { parameter, what: parameter, count: rows, most });
        }
        if values.chunks(BLOCK).all(|block| block.iter().fold(true, |all, value| all & value.is_finite())) {
            return Ok(Self { values, columns });
        }
        let at = values.iter().position(|value| !value.is_finite()).unwrap_or(0);
        Err(Error::NotFinite { parameter, row: at / columns, column: at % columns, value: values[at] as f32 })
    }

    /// Number of rows.
    #[allow(clippy::len_without_is_empty)] // There is at least one.
    pub fn len(&self) -> usize {
        self.values.len() / self.columns
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The number of a row and column.
    pub fn at(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    /// Return the largest magnitude if all numbers are whole and fit in 32 bits.
    #[allow(clippy::float_cmp)] // Only whole numbers are equal.
    pub fn largest_whole(&self) -> Option<u32> {
        let mut largest = 0;
        for block in self.values.chunks(BLOCK) {
            let mut all_whole = true;
            for &value in block {
                let whole = value as i32;
                all_whole &= f64::from(whole) == value;
                largest = largest.max(whole.unsigned_abs());
            }
            if !all_whole {
                return None;
            }
        }
        Some(largest)
    }

    /// Return the columns one after the other, each with zeros up to `padded` numbers, and up to a multiple of `group`
    /// columns.
    ///
    /// # Errors
    /// [`Error::Memory`]; [`Error::Cancelled`].
    pub fn transposed<T: Zeroable>(
        &self,
        padded: usize,
        group: usize,
        convert: impl Fn(f64) -> T,
        plan: &Plan,
    ) -> Result<Vec<T>> {
        // Rows that stay in the nearest cache while columns are written.
        const ROWS: usize = 64;
        let mut transposed: Vec<T> = memory::zeroed(self.columns.next_multiple_of(group).saturating_mul(padded))?;
        for start in (0..self.len()).step_by(ROWS) {
            plan.check()?;
            let end = self.len().min(start + ROWS);
            for (column, to) in transposed.chunks_mut(padded).take(self.columns).enumerate() {
                for (to, row) in to[start..end].iter_mut().zip(start..) {
                    *to = convert(self.at(row, column));
                }
            }
        }
        Ok(transposed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_cannot_be_resampled_are_errors() {
        let message = |values: &[f64], columns| Rows::new(values, columns).expect_err("an error").to_string();
        assert_eq!(message(&[], 3), "rows is empty, needs at least one item");
        assert_eq!(message(&[], 0), "rows is empty, needs at least one item");
        assert_eq!(message(&[1.0, 2.0, 3.0], 2), "rows: 3 numbers do not make 2 rows");
        let infinite = [1.0, 2.0, 3.0, f64::NEG_INFINITY];
        assert_eq!(message(&infinite, 2), "rows: row 1 has -inf in column 1, needs finite numbers");
        assert!(message(&[f64::NAN], 1).contains("row 0 has NaN in column 0"));
    }

    #[test]
    fn whole_numbers_are_recognized() {
        let largest = |values: &[f64]| Rows::new(values, 1).expect("rows").largest_whole();
        assert_eq!(largest(&[3.0, -7.0, -0.0]), Some(7));
        assert_eq!(largest(&[3.0, 0.5]), None);
        assert_eq!(largest(&[2_147_483_647.0, -2_147_483_648.0]), Some(1 << 31));
        assert_eq!(largest(&[2_147_483_648.0]), None);
    }

    #[test]
    fn columns_are_padded_with_zeros() {
        let values: Vec<f64> = (0..300).map(f64::from).collect();
        let transposed =
            Rows::new(&values, 3).and_then(|rows| rows.transposed(128, 4, |value| value as i16, &Plan::new(Some(1))));
        let transposed = transposed.expect("memory");
        assert_eq!(transposed.len(), 4 * 128);
        for (at, value) in transposed.into_iter().enumerate() {
            let (column, row) = (at / 128, at % 128);
            assert_eq!(value, if column < 3 && row < 100 { (3 * row + column) as i16 } else { 0 });
        }
    }
}
