//! What a search has seen, as plain numbers: to be kept, or sent to another process.

use super::{Entry, Metric, TopK};
use crate::error::{Error, Result};
use crate::memory;

/// The state of a [`TopK`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Seen {
    /// Length of the vectors.
    pub dims: usize,
    /// Where the entries of each query end.
    pub ends: Vec<usize>,
    /// Scores of the entries, query after query.
    pub scores: Vec<f64>,
    /// Numbers of their items.
    pub indices: Vec<i64>,
    /// The first item of each block, and the one after its last.
    pub blocks: Vec<(i64, i64)>,
}

impl TopK {
    /// What was seen so far.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn seen(&self) -> Result<Seen> {
        let end = |end: &mut usize, best: &Vec<Entry>| {
            *end += best.len();
            Some(*end)
        };
        let (scores, indices) = self.columns()?;
        Ok(Seen {
            dims: self.dims,
            ends: memory::collect(self.best.iter().scan(0, end), self.best.len())?,
            scores,
            indices,
            blocks: self.seen.iter().map(|block| (block.start, block.end)).collect(),
        })
    }

    /// A search that has seen this.
    ///
    /// # Errors
    /// What no search can have seen.
    pub fn from_seen(k: usize, metric: Metric, seen: &Seen) -> Result<Self> {
        let broken = || Error::Invalid { parameter: "seen", problem: "is not what a search has seen".to_owned() };
        memory::check::<Entry>(seen.scores.len())?;
        let mut made = Self { dims: seen.dims, ..Self::new(k, metric)? };
        let mut start = 0;
        for &end in &seen.ends {
            let (Some(scores), Some(indices)) = (seen.scores.get(start..end), seen.indices.get(start..end)) else {
                return Err(broken());
            };
            let best: Vec<Entry> = scores.iter().zip(indices).map(|(&score, &index)| Entry { score, index }).collect();
            if best.len() > k || !best.is_sorted_by(|left, right| left.order(right).is_lt()) {
                return Err(broken());
            }
            made.best.push(best);
            start = end;
        }
        for &(first, end) in &seen.blocks {
            if first < 0 || first > end {
                return Err(broken());
            }
            made.refuse_seen(&(first..end))?;
            made.seen.push(first..end);
        }
        if (seen.scores.len(), seen.indices.len()) == (start, start) { Ok(made) } else { Err(broken()) }
    }
}
