//! Sums of all subsets of a few rows, for tests that go through every pattern of swaps.

use crate::error::{Error, Result};
use crate::memory;

/// A row of results for each subset of more rows than this would not fit in memory.
pub const MAX_ROWS: usize = 20;

/// Return the sum of each subset of `rows`, which hold `width` numbers each: row `i` of the result is the sum of the rows
/// whose bit is set in `i`, added from the highest bit to the lowest.
///
/// ```
/// let sums = muge_fast_core::significance::subset_sums(&[1.0, 10.0, 100.0], 1)?;
/// assert_eq!(sums, [0.0, 1.0, 10.0, 11.0, 100.0, 101.0, 110.0, 111.0]);
/// # Ok::<(), muge_fast_core::Error>(())
/// ```
///
/// # Errors
/// [`Error::Zero`] for a width of zero; [`Error::Incomplete`]; [`Error::TooMany`] for more than [`MAX_ROWS`] rows;
/// [`Error::Memory`].
pub fn subset_sums(rows: &[f64], width: usize) -> Result<Vec<f64>> {
    if width == 0 {
        return Err(Error::Zero("width"));
    }
    let count = rows.len() / width;
    if count * width != rows.len() {
        return Err(Error::Incomplete { parameter: "rows", numbers: rows.len(), rows: count });
    }
    if count > MAX_ROWS {
        return Err(Error::TooMany { parameter: "rows", what: "rows", count, most: MAX_ROWS });
    }
    let mut sums = memory::with_capacity((1_usize << count).saturating_mul(width))?;
    sums.resize(width, 0.0);
    // Each row doubles the subsets: those without it, then those with it.
    for row in rows.chunks_exact(width) {
        for subset in 0..sums.len() / width {
            for (column, value) in row.iter().enumerate() {
                sums.push(sums[subset * width + column] + value);
            }
        }
    }
    Ok(sums)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_subset_is_summed_by_its_bits() {
        let rows = [0.5, 1.0, 2.0, -4.0, 8.0, 16.0];
        let sums = subset_sums(&rows, 2).expect("three rows");
        for (subset, sum) in sums.chunks_exact(2).enumerate() {
            for (column, value) in sum.iter().enumerate() {
                let selected = (0..3).filter(|row| subset >> row & 1 == 1).map(|row| rows[row * 2 + column]);
                assert_eq!(*value, selected.sum::<f64>());
            }
        }
        assert_eq!(subset_sums(&[], 3), Ok(vec![0.0; 3]));
    }

    #[test]
    fn wrong_shapes_are_errors() {
        assert_eq!(subset_sums(&[1.0], 0), Err(Error::Zero("width")));
        assert!(matches!(subset_sums(&[1.0; 3], 2), Err(Error::Incomplete { .. })));
        assert!(matches!(subset_sums(&[1.0; 21], 1), Err(Error::TooMany { count: 21, .. })));
        assert!(matches!(subset_sums(&[], usize::MAX), Err(Error::Memory { .. })));
    }
}
