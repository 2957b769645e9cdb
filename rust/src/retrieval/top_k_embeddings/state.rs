//! The state of a search as plain numbers, to be stored or sent to another process.

use super::{Entry, Metric, TopK};
use crate::error::{Error, Result};
use crate::memory;

/// The state of a [`TopK`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct State {
    /// Length of the vectors.
    pub dims: usize,
    /// Where the entries of each query end.
    pub ends: Vec<usize>,
    /// Scores of the entries, query after query.
    pub scores: Vec<f64>,
    /// Indices of the items of the entries.
    pub indices: Vec<i64>,
    /// The first item of each block, and the one after its last.
    pub blocks: Vec<(i64, i64)>,
}

impl TopK {
    /// Return the state.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn state(&self) -> Result<State> {
        let end = |end: &mut usize, best: &Vec<Entry>| {
            *end += best.len();
            Some(*end)
        };
        let (scores, indices) = self.columns()?;
        Ok(State {
            dims: self.dims,
            ends: memory::collect(self.best.iter().scan(0, end), self.best.len())?,
            scores,
            indices,
            blocks: self.seen.iter().map(|block| (block.start, block.end)).collect(),
        })
    }

    /// Return the search that has this state.
    ///
    /// # Errors
    /// [`Error::Invalid`] or [`Error::SeenBefore`] for a state that no search can have; [`Error::Memory`].
    pub fn from_state(k: usize, metric: Metric, state: &State) -> Result<Self> {
        let broken = || Error::Invalid { parameter: "state", problem: "is not the state of a search".to_owned() };
        memory::check::<Entry>(state.scores.len())?;
        let mut search = Self { dims: state.dims, ..Self::new(k, metric)? };
        let mut start = 0;
        for &end in &state.ends {
            let (Some(scores), Some(indices)) = (state.scores.get(start..end), state.indices.get(start..end)) else {
                return Err(broken());
            };
            let best: Vec<Entry> = scores.iter().zip(indices).map(|(&score, &index)| Entry { score, index }).collect();
            if best.len() > k || !best.is_sorted_by(|left, right| left.order(right).is_lt()) {
                return Err(broken());
            }
            search.best.push(best);
            start = end;
        }
        for &(first, end) in &state.blocks {
            if first < 0 || first > end {
                return Err(broken());
            }
            search.check_unseen(&(first..end))?;
            search.seen.push(first..end);
        }
        if (state.scores.len(), state.indices.len()) == (start, start) { Ok(search) } else { Err(broken()) }
    }
}
