//! The k best items of each query from their embeddings, without the matrix of scores.
//!
//! A ranking is defined by scores in double precision ([`dot`](crate::simd::dot)), ties to the lower index. To find it,
//! a coarse pass compares every query with every item in numbers of 8 or 32 bits (`quantize`) whose distance from the
//! true score is bounded (`bound`). Items that may be among the best are kept (`candidates`), and only these are scored
//! in double precision. The bound is derived in `docs/top-k.md`.

mod bound;
mod candidates;
mod groups;
mod quantize;
mod search;
mod state;
mod vectors;

use std::ops::Range;
use std::str::FromStr;

pub use candidates::Entry;
pub use state::State;
pub use vectors::{Numbers, Vectors};

use super::Lists;
use crate::error::{Error, Result};
use crate::memory;
use crate::parallel::Plan;
use crate::simd::Level;

/// The score of an item for a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The inner product.
    InnerProduct,
    /// The inner product divided by both lengths; 0 where one of them is 0.
    Cosine,
}

impl Metric {
    /// The names of the metrics.
    pub const NAMES: &'static [&'static str] = &["ip", "cosine"];

    /// Return the metric with that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`].
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "ip" => Ok(Self::InnerProduct),
            "cosine" => Ok(Self::Cosine),
            _ => Err(Error::UnknownName { parameter: "metric", found: name.to_owned(), known: Self::NAMES }),
        }
    }

    /// Name of the metric.
    pub fn name(self) -> &'static str {
        match self {
            Self::InnerProduct => "ip",
            Self::Cosine => "cosine",
        }
    }
}

/// The numbers that the coarse pass compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precision {
    /// Integers of 8 bits, four to a word. Vectors of more than 65,536 dimensions are compared in single precision.
    Int8,
    /// Single precision, one to a word.
    Float,
}

impl Precision {
    /// The names of the precisions.
    pub const NAMES: &'static [&'static str] = &["int8", "float"];
}

impl FromStr for Precision {
    type Err = Error;

    /// Return the precision with that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`].
    fn from_str(name: &str) -> Result<Self> {
        match name {
            "int8" => Ok(Self::Int8),
            "float" => Ok(Self::Float),
            _ => Err(Error::UnknownName { parameter: "MUGE_FAST_COARSE", found: name.to_owned(), known: Self::NAMES }),
        }
    }
}

/// How a search is carried out; its result does not depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kernels {
    /// The vector instructions.
    pub level: Level,
    /// The numbers that the coarse pass compares.
    pub coarse: Precision,
}

impl From<Level> for Kernels {
    /// Return the fastest kernels of a level: single precision where there are no instructions for bytes.
    fn from(level: Level) -> Self {
        let coarse = if level == Level::Portable { Precision::Float } else { Precision::Int8 };
        Self { level, coarse }
    }
}

/// The best items that each query has seen so far.
#[derive(Debug, Clone)]
pub struct TopK {
    k: usize,
    metric: Metric,
    dims: usize,
    best: Vec<Vec<Entry>>,
    seen: Vec<Range<i64>>,
}

impl TopK {
    /// Return a search that has seen no items.
    ///
    /// # Errors
    /// [`Error::Zero`] for a `k` of zero.
    pub fn new(k: usize, metric: Metric) -> Result<Self> {
        if k == 0 {
            return Err(Error::Zero("k"));
        }
        Ok(Self { k, metric, dims: 0, best: Vec::new(), seen: Vec::new() })
    }

    /// Number of items that are kept for each query.
    pub fn k(&self) -> usize {
        self.k
    }

    /// The metric.
    pub fn metric(&self) -> Metric {
        self.metric
    }

    /// Number of queries; zero before the first block.
    pub fn queries(&self) -> usize {
        self.best.len()
    }

    /// Number of items seen.
    pub fn items(&self) -> usize {
        self.seen.iter().map(|range| (range.end - range.start) as usize).sum()
    }

    /// Search a block of items, the first of which has the index `offset`. Queries must be the same each time. `exclude`
    /// has one list of items for each query, in ascending order, or no lists at all.
    ///
    /// # Errors
    /// [`Error::Dimensions`], [`Error::Shape`] or [`Error::Unequal`] for shapes that do not fit; [`Error::SeenBefore`];
    /// [`Error::NotFinite`]; [`Error::Invalid`] for an offset without room for the items; [`Error::Memory`];
    /// [`Error::Cancelled`]. The search is unchanged after an error.
    pub fn update(
        &mut self,
        queries: &Vectors<'_>,
        items: &Vectors<'_>,
        offset: i64,
        exclude: &Lists<'_>,
        kernels: Kernels,
        plan: &Plan,
    ) -> Result<()> {
        if queries.dims() != items.dims() {
            let (found, expected) = (items.dims(), queries.dims());
            return Err(Error::Dimensions { parameter: "items", found, other: "queries", expected });
        }
        let (found, expected) = ((queries.rows(), queries.dims()), (self.best.len(), self.dims));
        if !self.seen.is_empty() && found != expected {
            return Err(Error::Shape { parameter: "queries", found, other: "earlier blocks", expected });
        }
        if !exclude.is_empty() && exclude.len() != queries.rows() {
            let (left, left_len, right, right_len) = (exclude.parameter(), exclude.len(), "queries", queries.rows());
            return Err(Error::Unequal { left, left_len, right, right_len });
        }
        let Some(end) = offset.checked_add(items.rows() as i64).filter(|_| offset >= 0) else {
            let problem = format!("is {offset}, needs 0 or more and room for the items");
            return Err(Error::Invalid { parameter: "offset", problem });
        };
        self.check_unseen(&(offset..end))?;
        let kept = self.k.min(self.items().saturating_add(items.rows()));
        memory::check::<Entry>(queries.rows().saturating_mul(kept))?;
        let search = search::Search { queries, items, offset, exclude, metric: self.metric, k: self.k, kernels };
        self.best = search.run(&self.best, plan)?;
        self.dims = queries.dims();
        self.seen.push(offset..end);
        Ok(())
    }

    /// Add the entries of a search of other items for the same queries.
    ///
    /// # Errors
    /// [`Error::Invalid`] for another k or metric; [`Error::Shape`] for other queries; [`Error::SeenBefore`] for items
    /// that both have seen; [`Error::Memory`]. The search is unchanged after an error.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        if (self.k, self.metric) != (other.k, other.metric) {
            let problem = "k and metric must be the same in both".to_owned();
            return Err(Error::Invalid { parameter: "other", problem });
        }
        if other.seen.is_empty() {
            return Ok(());
        }
        memory::check::<Entry>(self.entries().saturating_add(other.entries()))?;
        if self.seen.is_empty() {
            *self = other.clone();
            return Ok(());
        }
        let (found, expected) = ((other.best.len(), other.dims), (self.best.len(), self.dims));
        if found != expected {
            return Err(Error::Shape { parameter: "queries of other", found, other: "this search", expected });
        }
        for range in &other.seen {
            self.check_unseen(range)?;
        }
        for (best, more) in self.best.iter_mut().zip(&other.best) {
            best.extend_from_slice(more);
            best.sort_unstable_by(Entry::order);
            best.truncate(self.k);
        }
        self.seen.extend_from_slice(&other.seen);
        Ok(())
    }

    /// Return the scores and indices of the k best items of each query, query after query.
    ///
    /// # Errors
    /// [`Error::TooFewItems`] for a query that may find fewer than k items; [`Error::Memory`].
    pub fn best(&self) -> Result<(Vec<f64>, Vec<i64>)> {
        if let Some((row, best)) = self.best.iter().enumerate().find(|(_, best)| best.len() < self.k) {
            return Err(Error::TooFewItems { k: self.k, row, items: best.len() });
        }
        self.columns()
    }

    /// Number of entries of all queries together.
    fn entries(&self) -> usize {
        self.best.iter().map(Vec::len).sum()
    }

    /// Return the scores and indices of all entries, query after query.
    fn columns(&self) -> Result<(Vec<f64>, Vec<i64>)> {
        let (len, entries) = (self.entries(), || self.best.iter().flatten());
        let scores = memory::collect(entries().map(|entry| entry.score), len)?;
        Ok((scores, memory::collect(entries().map(|entry| entry.index), len)?))
    }

    /// Check that no item of a block has been seen.
    fn check_unseen(&self, range: &Range<i64>) -> Result<()> {
        let overlap = self.seen.iter().find(|seen| seen.start < range.end && range.start < seen.end);
        overlap.map_or(Ok(()), |seen| {
            Err(Error::SeenBefore { first: seen.start.max(range.start), last: seen.end.min(range.end) - 1 })
        })
    }
}

#[cfg(test)]
mod tests;
