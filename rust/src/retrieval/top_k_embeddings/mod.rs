//! The k best items of each query from their embeddings, without the matrix of scores.
//!
//! A ranking is defined by scores in double precision ([`dot`](crate::simd::dot)), ties to the lower index. To find it,
//! a coarse pass compares every query with every item in small numbers ([`coarse`]) whose distance from the true score
//! is bounded ([`bound`]); what may still belong to the best is kept ([`candidates`]), and only that is scored in double
//! precision. The bound is derived in `docs/top-k.md`.

mod bound;
mod candidates;
mod quantize;
mod search;
mod state;
mod vectors;

use std::ops::Range;

pub use candidates::Entry;
pub use state::Seen;
pub use vectors::{Numbers, Vectors};

use crate::error::{Error, Result};
use crate::parallel::Plan;
use crate::simd::Level;

/// What scores an item for a query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metric {
    /// The inner product.
    InnerProduct,
    /// The inner product divided by both lengths; 0 where one of them is 0.
    Cosine,
}

impl Metric {
    /// Their names.
    pub const NAMES: &'static [&'static str] = &["ip", "cosine"];

    /// The metric with that name.
    ///
    /// # Errors
    /// An unknown name.
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "ip" => Ok(Self::InnerProduct),
            "cosine" => Ok(Self::Cosine),
            _ => Err(Error::UnknownName { parameter: "metric", found: name.to_owned(), known: Self::NAMES }),
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::InnerProduct => "ip",
            Self::Cosine => "cosine",
        }
    }
}

/// Items that some queries must not find.
#[derive(Debug, Clone, Copy)]
pub struct Exclude<'a> {
    /// Where the list of each query ends in `items`; no list at all stands for empty ones.
    pub ends: &'a [usize],
    /// The lists, each in ascending order.
    pub items: &'a [i64],
}

impl<'a> Exclude<'a> {
    fn of(&self, query: usize) -> &'a [i64] {
        let start = if query == 0 { 0 } else { self.ends.get(query - 1).copied().unwrap_or(0) };
        let end = self.ends.get(query).copied().unwrap_or(start);
        self.items.get(start..end).unwrap_or_default()
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
    /// Nothing seen yet.
    ///
    /// # Errors
    /// A `k` of zero.
    pub fn new(k: usize, metric: Metric) -> Result<Self> {
        if k == 0 {
            return Err(Error::Invalid { parameter: "k", problem: "is 0, needs at least 1".to_owned() });
        }
        Ok(Self { k, metric, dims: 0, best: Vec::new(), seen: Vec::new() })
    }

    /// How many items are kept for each query.
    pub fn k(&self) -> usize {
        self.k
    }

    /// What scores items.
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

    /// Show a block of items, numbered from `offset`, to all queries, which must be the same each time.
    ///
    /// # Errors
    /// Shapes that do not fit, items seen before, a number that is not finite. Nothing changes then.
    pub fn update(
        &mut self,
        queries: &Vectors<'_>,
        items: &Vectors<'_>,
        offset: i64,
        exclude: Exclude<'_>,
        level: Level,
        plan: &Plan,
    ) -> Result<()> {
        let invalid = |parameter, problem| Err(Error::Invalid { parameter, problem });
        if queries.dims() != items.dims() {
            let (left, right) = (queries.dims(), items.dims());
            return invalid("items", format!("vectors have {right} dimensions, those of queries have {left}"));
        }
        if !self.seen.is_empty() && (queries.rows(), queries.dims()) != (self.best.len(), self.dims) {
            let (rows, dims) = (queries.rows(), queries.dims());
            let (was, had) = (self.best.len(), self.dims);
            return invalid("queries", format!("shape is ({rows}, {dims}), was ({was}, {had}) at the block before"));
        }
        let Some(end) = offset.checked_add(items.rows() as i64).filter(|_| offset >= 0) else {
            return invalid("offset", format!("is {offset}, needs 0 or more and room for the items"));
        };
        self.refuse_seen(&(offset..end))?;
        let search = search::Search { queries, items, offset, exclude, metric: self.metric, k: self.k, level };
        self.best = search.run(&self.best, plan)?;
        self.dims = queries.dims();
        self.seen.push(offset..end);
        Ok(())
    }

    /// Take over what another one has seen of other items for the same queries.
    ///
    /// # Errors
    /// Another k, metric or number of queries, or items that both have seen. Nothing changes then.
    pub fn merge(&mut self, other: &Self) -> Result<()> {
        let invalid = |problem| Err(Error::Invalid { parameter: "other", problem });
        if (self.k, self.metric) != (other.k, other.metric) {
            return invalid("k and metric must be the same in both".to_owned());
        }
        if other.seen.is_empty() {
            return Ok(());
        }
        if self.seen.is_empty() {
            *self = other.clone();
            return Ok(());
        }
        if (self.best.len(), self.dims) != (other.best.len(), other.dims) {
            let ((left, dims), (right, others)) = ((self.best.len(), self.dims), (other.best.len(), other.dims));
            return invalid(format!("has queries of shape ({right}, {others}), this one has ({left}, {dims})"));
        }
        for range in &other.seen {
            self.refuse_seen(range)?;
        }
        for (best, more) in self.best.iter_mut().zip(&other.best) {
            best.extend_from_slice(more);
            best.sort_unstable_by(Entry::order);
            best.truncate(self.k);
        }
        self.seen.extend_from_slice(&other.seen);
        Ok(())
    }

    /// Scores and indices of the k best items of each query, query after query.
    ///
    /// # Errors
    /// A query that has seen fewer than k items that it may find.
    pub fn best(&self) -> Result<(Vec<f64>, Vec<i64>)> {
        if let Some((row, best)) = self.best.iter().enumerate().find(|(_, best)| best.len() < self.k) {
            let problem = format!("is {}, but queries[{row}] has only {} items to find", self.k, best.len());
            return Err(Error::Invalid { parameter: "k", problem });
        }
        let entries = || self.best.iter().flatten();
        Ok((entries().map(|entry| entry.score).collect(), entries().map(|entry| entry.index).collect()))
    }

    fn refuse_seen(&self, range: &Range<i64>) -> Result<()> {
        let overlap = self.seen.iter().find(|seen| seen.start < range.end && range.start < seen.end);
        overlap.map_or(Ok(()), |seen| {
            let problem =
                format!("items {} to {} were seen before", seen.start.max(range.start), seen.end.min(range.end) - 1);
            Err(Error::Invalid { parameter: "offset", problem })
        })
    }
}

#[cfg(test)]
mod tests;
