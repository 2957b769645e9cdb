//! Lists of item ids, one for each query, in one flat array.

use crate::error::{Error, Result};
use crate::memory;

/// Lists of item ids, one for each query.
#[derive(Debug, Clone)]
pub struct Lists<'a> {
    parameter: &'static str,
    ids: &'a [i64],
    /// Where each list ends in `ids`.
    ends: Vec<usize>,
}

impl<'a> Lists<'a> {
    /// Split `ids` into lists of these lengths; `parameter` is the name of the lists in errors.
    ///
    /// # Errors
    /// [`Error::Lengths`] if the lengths do not add up to the number of ids; [`Error::Memory`].
    pub fn new(parameter: &'static str, ids: &'a [i64], lengths: &[i64]) -> Result<Self> {
        let mut ends = memory::with_capacity(lengths.len())?;
        let mut end = 0_usize;
        for &length in lengths {
            let length = usize::try_from(length).ok();
            end = length.and_then(|length| end.checked_add(length)).ok_or(Error::Lengths(parameter))?;
            ends.push(end);
        }
        if end == ids.len() { Ok(Self { parameter, ids, ends }) } else { Err(Error::Lengths(parameter)) }
    }

    /// Name of the parameter that the lists come from.
    pub fn parameter(&self) -> &'static str {
        self.parameter
    }

    /// Number of lists.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are no lists.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Number of ids in all lists.
    pub fn ids(&self) -> usize {
        self.ids.len()
    }

    /// Return one list.
    ///
    /// # Panics
    /// If there is no such list.
    pub fn get(&self, row: usize) -> &'a [i64] {
        &self.ids[if row == 0 { 0 } else { self.ends[row - 1] }..self.ends[row]]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_split_by_lengths() {
        let lists = Lists::new("x", &[4, 5, 6], &[1, 0, 2]).expect("lengths add up");
        assert_eq!([lists.get(0), lists.get(1), lists.get(2)], [&[4][..], &[], &[5, 6]]);
        assert_eq!((lists.len(), lists.ids(), lists.is_empty()), (3, 3, false));
        assert!(Lists::new("x", &[], &[]).expect("no lists").is_empty());
    }

    #[test]
    fn other_lengths_are_errors() {
        for lengths in [&[1][..], &[3], &[-1, 3], &[i64::MAX, i64::MAX, 4], &[]] {
            assert_eq!(Lists::new("x", &[4, 5], lengths).map(|_| ()), Err(Error::Lengths("x")), "{lengths:?}");
        }
    }
}
