//! The k best values of each row of a matrix.
//!
//! A row is read once, in groups of [`GROUP`] values, and the maximum of each group is kept. The k groups with the largest
//! maxima contain the k best values of the row: any value of another group is at most the maximum of each of these, and
//! on ties these come first. So only k groups are read again, in whatever order the row is.
//!
//! The k best of a few hundred maxima, and of the values of k groups, are found the same way: by halving the range of
//! thresholds until few more than k values reach one ([`Ordered::threshold`]), so that few are left to be sorted.

use std::cmp::Ordering;
use std::ops::Range;

use crate::bits::set_bits;
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;
use crate::simd::Level;
use crate::simd::group_max::GROUP;
pub use crate::simd::group_max::Value;
use crate::simd::threshold::{Ordered, Threshold};

/// Rows that a thread takes at a time: enough to use whole cache lines of a matrix that is stored by columns.
const BLOCK: usize = 16;

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
    let scratch = || (Vec::new(), Selection::default());
    plan.each(&mut blocks, scratch, |(copy, selection), block, (scores, indices)| {
        let start = block * BLOCK;
        let block = start..rows.min(start + BLOCK);
        if similarity.row(start).is_none() {
            copy_rows(similarity, block.clone(), copy)?;
        }
        let results = scores.chunks_mut(k).zip(indices.chunks_mut(k));
        for (row, (scores, indices)) in block.zip(results) {
            plan.check()?;
            let values = similarity.row(row).unwrap_or_else(|| &copy[(row - start) * columns..][..columns]);
            let winners = selection.best(values, k, level);
            for ((score, index), winner) in scores.iter_mut().zip(indices).zip(winners) {
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
fn compare<V: Value>(row: &[V], left: u32, right: u32) -> Ordering {
    let (a, b) = (row[left as usize].widen(), row[right as usize].widen());
    let by_value = b.partial_cmp(&a).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()));
    by_value.then(left.cmp(&right))
}

/// Buffers of one thread, for one row after the other.
#[derive(Debug, Default)]
struct Selection<W: Ordered> {
    /// The largest value of each group.
    largest: Vec<W>,
    groups: Vec<u32>,
    /// The values of the best groups, or of the whole row.
    values: Vec<[W; GROUP]>,
    words: Vec<u64>,
    /// Positions in `values`.
    positions: Vec<u32>,
    /// Keys of the values that may be among the best.
    candidates: Vec<W::Key>,
    /// The indices of a row that is sorted as a whole.
    all: Vec<u32>,
}

impl<W: Ordered> Selection<W> {
    /// Iterate over the indices of the `k` best values of a row, best first.
    fn best<V: Value<Wide = W>>(&mut self, row: &[V], k: usize, level: Level) -> impl Iterator<Item = u32> {
        self.candidates.clear();
        self.all.clear();
        if self.find_candidates(row, k, level).is_some() {
            self.candidates.sort_unstable();
        } else {
            // With fewer than k numbers in the best groups, NaN is among the k best.
            self.all.extend(0..row.len() as u32);
            select(row, &mut self.all, k);
        }
        let candidates = self.candidates.iter().map(|&key| W::index(key));
        candidates.chain(self.all.iter().copied()).take(k)
    }

    /// Find few more than the `k` best values; `None` if there are too few numbers, or if half of the values or more are
    /// asked for.
    fn find_candidates<V: Value<Wide = W>>(&mut self, row: &[V], k: usize, level: Level) -> Option<()> {
        let Self { largest, groups, values, words, .. } = self;
        let mut least = W::LEAST;
        if row.len() / GROUP >= 2 * k {
            V::group_max(row, largest, level);
            copy_padded(largest, values);
            least = find_best(values, least, k, words, groups, level)?;
            if self.find_few(row, least, k, level).is_some() {
                return Some(());
            }
        } else if row.len() >= 2 * k {
            groups.clear();
            groups.extend(0..row.len().div_ceil(GROUP) as u32);
        } else {
            return None;
        }
        let Self { groups, values, words, positions, candidates, .. } = self;
        V::gather(row, groups, values, level);
        find_best(values, least, k, words, positions, level)?;
        candidates.extend(positions.iter().map(|&position| {
            let (group, lane) = (position as usize / GROUP, position as usize % GROUP);
            let index = groups[group] * GROUP as u32 + lane as u32;
            values[group][lane].key(index)
        }));
        Some(())
    }

    /// Find the values of the best groups that reach `least`, or a better threshold. `None` if these are many, or fewer than
    /// `k`.
    fn find_few<V: Value<Wide = W>>(&mut self, row: &[V], least: W, k: usize, level: Level) -> Option<()> {
        // In a row that is not sorted, few values reach the least of the maxima.
        let mut count = self.mark(row, least, level);
        if count > most(k) {
            let least = self.raise(row, least, k, level)?;
            count = self.mark(row, least, level);
        }
        // The groups of a row of NaN have too few numbers.
        if !(k..=most(k)).contains(&count) {
            return None;
        }
        let Self { groups, values, words, candidates, .. } = self;
        let in_place = groups_in_place(row, groups);
        for (at, (&group, &word)) in groups.iter().zip(&*words).enumerate() {
            let values = in_place.map_or_else(|| &values[at], |values| &values[group as usize]);
            candidates.extend(set_bits(word).map(|lane| values[lane].key(group * GROUP as u32 + lane as u32)));
        }
        if k < candidates.len() {
            candidates.select_nth_unstable(k - 1);
            candidates.truncate(k);
        }
        Some(())
    }

    /// Mark the values of the best groups that reach `least` in `words`; returns their number.
    fn mark<V: Value<Wide = W>>(&mut self, row: &[V], least: W, level: Level) -> usize {
        let Self { groups, values, words, .. } = self;
        if let Some(values) = groups_in_place(row, groups) {
            W::reaching_in(values, groups, least, words, level);
        } else {
            V::gather(row, groups, values, level);
            W::reaching(values, least, words, level);
        }
        words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Return about the k-th best value of the few best groups, which in a sorted row is about that of the row. `None` if
    /// these have fewer than `k` numbers from `least` on.
    fn raise<V: Value<Wide = W>>(&mut self, row: &[V], least: W, k: usize, level: Level) -> Option<W> {
        let Self { largest, groups, values, candidates, .. } = self;
        let few = groups.len().min(2 * k.div_ceil(GROUP) + 1);
        candidates.extend(groups.iter().map(|&group| largest[group as usize].key(group)));
        candidates.select_nth_unstable(few - 1);
        let best: Vec<u32> = candidates.drain(..).take(few).map(W::index).collect();
        V::gather(row, &best, values, level);
        let threshold = Threshold::find(values, least, k, level);
        (threshold.count >= k).then_some(threshold.value)
    }
}

/// Return the most values that are collected to find the `k` best of them.
fn most(k: usize) -> usize {
    4 * k + GROUP
}

/// Return the groups of a row where they are, if they are whole and values are compared as they are stored.
fn groups_in_place<'r, V: Value>(row: &'r [V], groups: &[u32]) -> Option<&'r [[V::Wide; GROUP]]> {
    V::groups(row).filter(|values| groups.iter().all(|&group| (group as usize) < values.len()))
}

/// Replace the content of `values` by `numbers`, the last group filled up with NaN.
fn copy_padded<W: Ordered>(numbers: &[W], values: &mut Vec<[W; GROUP]>) {
    let (groups, rest) = numbers.as_chunks();
    values.clear();
    values.extend_from_slice(groups);
    if !rest.is_empty() {
        let mut last = [W::NAN; GROUP];
        last[..rest.len()].copy_from_slice(rest);
        values.push(last);
    }
}

/// Replace the content of `positions` by those of the `k` best values and few others, in rising order: the lower ones
/// where values are equal. Returns a number that all of them reach; `None` if fewer than `k` values reach `least`.
fn find_best<W: Ordered>(
    values: &[[W; GROUP]],
    least: W,
    k: usize,
    words: &mut Vec<u64>,
    positions: &mut Vec<u32>,
    level: Level,
) -> Option<W> {
    let threshold = Threshold::find(values, least, k, level);
    if threshold.count < k {
        return None;
    }
    W::reaching(values, threshold.value, words, level);
    positions.clear();
    for (start, &word) in (0..).step_by(GROUP).zip(&*words) {
        positions.extend(set_bits(word).map(|bit| start + bit as u32));
    }
    if !threshold.is_enough_for(k) {
        // Many values equal the k-th best: the first of them are taken.
        let is_above = |&position: &u32| values.as_flattened()[position as usize] > threshold.value;
        let mut equal = k - positions.iter().filter(|position| is_above(position)).count();
        positions.retain(|position| {
            is_above(position) || {
                let takes = equal > 0;
                equal -= usize::from(takes);
                takes
            }
        });
    }
    Some(threshold.value)
}

/// Reduce candidates to the `k` best, best first.
fn select<V: Value>(row: &[V], candidates: &mut Vec<u32>, k: usize) {
    if k < candidates.len() {
        candidates.select_nth_unstable_by(k, |&left, &right| compare(row, left, right));
        candidates.truncate(k);
    }
    candidates.sort_unstable_by(|&left, &right| compare(row, left, right));
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
