//! The k best values of each row of a matrix.
//!
//! A row is read once, in groups of [`GROUP`] values, and the maximum of each group is kept. The k groups with the largest
//! maxima contain the k best values of the row: any value of another group is at most the maximum of each of these, and
//! on ties these come first. So only k groups are read again, in whatever order the row is.

use std::cmp::Ordering;
use std::ops::Range;

use half::f16;

use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;
use crate::simd::Level;
use crate::simd::group_max::{GROUP, GroupMax};

/// Rows that a thread takes at a time: enough to use whole cache lines of a matrix that is stored by columns.
const BLOCK: usize = 16;

/// Up to this k, the best groups are kept in order by insertion; for a larger k they are selected afterwards.
const MAX_INSERTION_K: usize = 32;

/// Groups whose maxima are reduced to one.
const TOP: usize = 16;

/// A matrix of floating-point numbers.
pub trait Matrix: Sync {
    /// Type of the values.
    type Value: Value;

    /// Number of rows and of columns.
    fn shape(&self) -> (usize, usize);

    /// Return a row if its values are contiguous.
    fn row(&self, row: usize) -> Option<&[Self::Value]>;

    /// Call `visit(row, column, value)` for all values of some rows, column by column. Rows count from the first of them.
    fn visit_columns(&self, rows: Range<usize>, visit: impl FnMut(usize, usize, Self::Value));
}

/// A floating-point number of a matrix.
pub trait Value: Copy + Default + Send + Sync {
    /// The type in which values are compared.
    type Wide: GroupMax;

    /// Convert the value to the type in which values are compared. Exact.
    fn widen(self) -> Self::Wide;

    /// Convert a row; `buffer` is used by types that differ.
    fn widen_all<'a>(row: &'a [Self], buffer: &'a mut Vec<Self::Wide>) -> &'a [Self::Wide];
}

impl Value for f32 {
    type Wide = f32;

    fn widen(self) -> f32 {
        self
    }

    fn widen_all<'a>(row: &'a [f32], _buffer: &'a mut Vec<f32>) -> &'a [f32] {
        row
    }
}

impl Value for f64 {
    type Wide = f64;

    fn widen(self) -> f64 {
        self
    }

    fn widen_all<'a>(row: &'a [f64], _buffer: &'a mut Vec<f64>) -> &'a [f64] {
        row
    }
}

impl Value for f16 {
    type Wide = f32;

    fn widen(self) -> f32 {
        self.to_f32()
    }

    fn widen_all<'a>(row: &'a [f16], buffer: &'a mut Vec<f32>) -> &'a [f32] {
        use half::slice::HalfFloatSliceExt;
        buffer.resize(row.len(), 0.0);
        row.convert_to_f32_slice(buffer);
        buffer
    }
}

/// The best values of each row and their columns, row by row.
#[derive(Debug, Clone, PartialEq)]
pub struct Best<V> {
    /// Descending, NaN last.
    pub scores: Vec<V>,
    /// Columns; the lower comes first where values are equal.
    pub indices: Vec<i64>,
}

/// Find the `k` best of each row: descending, the lower index first among equals, NaN last. Minus zero equals zero.
///
/// # Errors
/// [`Error::OutOfRange`] if `k` is not within 1 and the number of columns; [`Error::TooMany`] columns; [`Error::Memory`];
/// [`Error::Cancelled`].
pub fn top_k_of<M: Matrix>(similarity: &M, k: usize, level: Level, plan: &Plan) -> Result<Best<M::Value>> {
    let (rows, columns) = similarity.shape();
    check(columns, k)?;
    let len = rows.saturating_mul(k);
    let mut best = Best { scores: memory::defaults(len)?, indices: memory::zeroed(len)? };
    let mut blocks: Vec<_> = best.scores.chunks_mut(BLOCK * k).zip(best.indices.chunks_mut(BLOCK * k)).collect();
    let scratch = || (Vec::new(), Vec::new(), Selection::default());
    plan.each(&mut blocks, scratch, |(copy, wide, selection), block, (scores, indices)| {
        let start = block * BLOCK;
        let block = start..rows.min(start + BLOCK);
        if similarity.row(start).is_none() {
            copy_rows(similarity, block.clone(), copy)?;
        }
        let results = scores.chunks_mut(k).zip(indices.chunks_mut(k));
        for (row, (scores, indices)) in block.zip(results) {
            plan.check()?;
            let values = similarity.row(row).unwrap_or_else(|| &copy[(row - start) * columns..][..columns]);
            let winners = selection.best(M::Value::widen_all(values, wide), k, level);
            for ((score, index), &winner) in scores.iter_mut().zip(indices).zip(winners) {
                (*score, *index) = (values[winner as usize], i64::from(winner));
            }
        }
        Ok(())
    })?;
    Ok(best)
}

fn check(columns: usize, k: usize) -> Result<()> {
    let most = u32::MAX as usize;
    if columns > most {
        return Err(Error::TooMany { parameter: "similarity", what: "columns", count: columns, most });
    }
    if k == 0 || k > columns {
        let limit = "the number of columns of similarity";
        return Err(Error::OutOfRange { parameter: "k", value: k, least: 1, most: columns, limit });
    }
    Ok(())
}

/// Copy rows to `target`, one after the other. Going by columns, memory of a matrix that is stored by columns is read in
/// order.
fn copy_rows<M: Matrix>(matrix: &M, rows: Range<usize>, target: &mut Vec<M::Value>) -> Result<()> {
    let columns = matrix.shape().1;
    memory::resize(target, rows.len() * columns)?;
    matrix.visit_columns(rows, |row, column, value| target[row * columns + column] = value);
    Ok(())
}

/// Compare by the order of results: larger first, NaN last, then the lower index.
fn compare<W: GroupMax>(row: &[W], left: u32, right: u32) -> Ordering {
    let (a, b) = (row[left as usize], row[right as usize]);
    let by_value = b.partial_cmp(&a).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()));
    by_value.then(left.cmp(&right))
}

/// Buffers of one thread, for one row after the other.
#[derive(Debug, Default)]
struct Selection<W> {
    /// The largest value of each group.
    largest: Vec<W>,
    /// The largest of each [`TOP`] groups.
    tops: Vec<W>,
    sorted: Sorted<W>,
    groups: Vec<u32>,
    candidates: Vec<u32>,
}

impl<W: GroupMax> Selection<W> {
    /// Return the indices of the `k` best values of a row, best first.
    fn best(&mut self, row: &[W], k: usize, level: Level) -> &[u32] {
        // If half of the groups or more had to be read again, sorting the whole row is faster.
        if row.len() / GROUP >= 2 * k {
            W::group_max(row, &mut self.largest, level);
            // With fewer than k numbers in the best groups, NaN is among the k best.
            if if k <= MAX_INSERTION_K { self.by_insertion(row, k) } else { self.by_selection(row, k) } {
                return &self.candidates;
            }
        }
        self.candidates.clear();
        self.candidates.extend(0..row.len() as u32);
        select(row, &mut self.candidates, k);
        &self.candidates
    }

    /// Find the best groups of groups, in these the best groups, in these the best values; for small k. One comparison
    /// dismisses most of each, and even ascending rows need only few insertions.
    fn by_insertion(&mut self, row: &[W], k: usize) -> bool {
        let Self { largest, tops, sorted, groups, candidates } = self;
        tops.clear();
        let most = |group: &[W]| group.iter().fold(W::LEAST, |most, &value| if value > most { value } else { most });
        tops.extend(largest.chunks(TOP).map(most));
        sorted.clear(k);
        (0u32..).zip(tops.iter()).for_each(|(top, &value)| sorted.offer(value, top));
        sorted.descend(tops, largest, TOP, groups);
        sorted.descend(largest, row, GROUP, groups);
        candidates.clear();
        candidates.extend_from_slice(&sorted.indices);
        candidates.len() == k
    }

    /// Find the best groups by selection; for any k.
    fn by_selection(&mut self, row: &[W], k: usize) -> bool {
        let Self { largest, groups, candidates, .. } = self;
        groups.clear();
        groups.extend(0..largest.len() as u32);
        groups.select_nth_unstable_by(k - 1, |&left, &right| compare(largest, left, right));
        // No number below the maximum of the k-th best group is among the k best.
        let least = largest[groups[k - 1] as usize];
        candidates.clear();
        for &group in &groups[..k] {
            let start = group as usize * GROUP;
            let values = &row[start..row.len().min(start + GROUP)];
            let numbers = (start as u32..).zip(values).filter(|&(_, &value)| value >= least);
            candidates.extend(numbers.map(|(index, _)| index));
        }
        if candidates.len() < k {
            return false;
        }
        select(row, candidates, k);
        true
    }
}

/// Reduce candidates to the `k` best, best first.
fn select<W: GroupMax>(row: &[W], candidates: &mut Vec<u32>, k: usize) {
    if k < candidates.len() {
        candidates.select_nth_unstable_by(k, |&left, &right| compare(row, left, right));
        candidates.truncate(k);
    }
    candidates.sort_unstable_by(|&left, &right| compare(row, left, right));
}

/// At most `k` numbers, best first, without NaN.
#[derive(Debug, Default)]
struct Sorted<W> {
    k: usize,
    /// The last of `k` numbers; while there are fewer, a lower bound of all numbers.
    least: W,
    values: Vec<W>,
    indices: Vec<u32>,
}

impl<W: GroupMax> Sorted<W> {
    fn clear(&mut self, k: usize) {
        self.k = k;
        self.least = W::LEAST;
        self.values.clear();
        self.indices.clear();
    }

    #[inline]
    fn offer(&mut self, value: W, index: u32) {
        // Most values fail the first comparison.
        if value >= self.least && (self.values.len() < self.k || self.is_better_than_last(value, index)) {
            self.insert(value, index);
        }
    }

    fn is_better_than_last(&self, value: W, index: u32) -> bool {
        value > self.least || self.indices.last().is_some_and(|&last| index < last)
    }

    /// Replace the best groups by the best of their `values`. A group has `size` values; `largest` has its maximum.
    fn descend(&mut self, largest: &[W], values: &[W], size: usize, groups: &mut Vec<u32>) {
        groups.clone_from(&self.indices);
        // No number below the maximum of the k-th best group is among the k best.
        let floor = self.least;
        self.clear(self.k);
        for &group in &*groups {
            if largest[group as usize] < self.least {
                break;
            }
            let start = group as usize * size;
            let group = &values[start..values.len().min(start + size)];
            for (index, &value) in (start as u32..).zip(group) {
                if value >= floor {
                    self.offer(value, index);
                }
            }
        }
    }

    fn insert(&mut self, value: W, index: u32) {
        if self.values.len() < self.k {
            self.values.push(value);
            self.indices.push(index);
        }
        let mut slot = self.values.len() - 1;
        while slot > 0 {
            let (previous, before) = (self.values[slot - 1], self.indices[slot - 1]);
            if previous > value || previous == value && before < index {
                break;
            }
            (self.values[slot], self.indices[slot]) = (previous, before);
            slot -= 1;
        }
        (self.values[slot], self.indices[slot]) = (value, index);
        if self.values.len() == self.k {
            self.least = self.values[self.k - 1];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Plain(Vec<f32>, usize);

    impl Matrix for Plain {
        type Value = f32;

        fn shape(&self) -> (usize, usize) {
            (self.0.len() / self.1, self.1)
        }

        fn row(&self, row: usize) -> Option<&[f32]> {
            Some(&self.0[row * self.1..][..self.1])
        }

        fn visit_columns(&self, rows: Range<usize>, mut visit: impl FnMut(usize, usize, f32)) {
            for column in 0..self.1 {
                rows.clone().enumerate().for_each(|(index, row)| visit(index, column, self.0[row * self.1 + column]));
            }
        }
    }

    fn plain(row: &[f32], k: usize) -> Vec<i64> {
        let mut order: Vec<u32> = (0..row.len() as u32).collect();
        order.sort_by(|&left, &right| compare(row, left, right));
        order[..k].iter().map(|&index| i64::from(index)).collect()
    }

    fn rows(columns: usize) -> Vec<Vec<f32>> {
        let mut state = 1u32;
        let mut random = move || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            state >> 8
        };
        let special = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, 1.0];
        vec![
            (0..columns).map(|_| random() as f32).collect(),
            (0..columns).map(|_| (random() % 5) as f32).collect(),
            (0..columns).map(|at| at as f32).collect(),
            (0..columns).map(|at| -(at as f32)).collect(),
            vec![f32::NAN; columns],
            vec![f32::NEG_INFINITY; columns],
            (0..columns).map(|_| special[random() as usize % special.len()]).collect(),
            (0..columns).map(|_| special[if random() % 50 == 0 { 5 } else { 0 }]).collect(),
        ]
    }

    #[test]
    fn every_row_equals_a_full_sort() {
        for columns in [1, 7, 63, 64, 65, 129, 1000, 4097, 9000] {
            let rows = rows(columns);
            let matrix = Plain(rows.concat(), columns);
            for k in [1, 2, 10, 32, 33, 70, columns].into_iter().filter(|&k| k <= columns) {
                for level in Level::available() {
                    let best = top_k_of(&matrix, k, level, &Plan::new(Some(2))).unwrap();
                    for (number, row) in rows.iter().enumerate() {
                        assert_eq!(best.indices[number * k..][..k], plain(row, k), "{columns} {k} {number}");
                    }
                }
            }
        }
    }

    /// A matrix that has no row in one piece.
    struct Scattered(Plain);

    impl Matrix for Scattered {
        type Value = f32;

        fn shape(&self) -> (usize, usize) {
            self.0.shape()
        }

        fn row(&self, _row: usize) -> Option<&[f32]> {
            None
        }

        fn visit_columns(&self, rows: Range<usize>, visit: impl FnMut(usize, usize, f32)) {
            self.0.visit_columns(rows, visit);
        }
    }

    #[test]
    fn rows_in_pieces_are_copied() {
        let matrix = || Plain((0..40 * 70).map(|index| (index * 37 % 101) as f32).collect(), 70);
        let plan = Plan::new(Some(2));
        let expected = top_k_of(&matrix(), 9, Level::Portable, &plan);
        assert_eq!(top_k_of(&Scattered(matrix()), 9, Level::Portable, &plan), expected);
    }

    /// A matrix of one row, repeated so often that its result cannot fit.
    struct Endless;

    impl Matrix for Endless {
        type Value = f32;

        fn shape(&self) -> (usize, usize) {
            (usize::MAX / 2, 3)
        }

        fn row(&self, _row: usize) -> Option<&[f32]> {
            Some(&[1.0, 2.0, 3.0])
        }

        fn visit_columns(&self, _rows: Range<usize>, _visit: impl FnMut(usize, usize, f32)) {}
    }

    #[test]
    fn a_result_that_does_not_fit_is_an_error() {
        let error = top_k_of(&Endless, 3, Level::Portable, &Plan::new(None)).unwrap_err();
        assert!(matches!(error, Error::Memory { .. }), "{error}");
    }

    #[test]
    fn k_outside_the_row_is_an_error() {
        for k in [0, 4] {
            let error = top_k_of(&Plain(vec![0.0; 3], 3), k, Level::Portable, &Plan::new(None)).unwrap_err();
            assert_eq!(error.to_string(), format!("k is {k}, needs 1 to 3, the number of columns of similarity"));
        }
    }
}
