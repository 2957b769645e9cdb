//! The items that may still be among the best of one query.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// An item and its score in double precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// The score.
    pub score: f64,
    /// Index of the item.
    pub index: i64,
}

impl Entry {
    /// Compare by descending score, then by ascending index.
    pub fn order(&self, other: &Self) -> Ordering {
        // Scores of finite vectors are finite; zeros tie whatever their sign.
        other.score.partial_cmp(&self.score).unwrap_or(Ordering::Equal).then(self.index.cmp(&other.index))
    }
}

/// An item that the coarse pass could not rule out.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// Upper bound of its score.
    upper: f64,
    item: Item,
}

/// An item of a block.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    /// Its index in the block.
    pub row: u32,
    /// Its position among the quantized items.
    pub position: u32,
}

/// The scores of items for one query.
pub trait Scorer {
    /// Return the entry of an item. It may be left out if it is certainly below `least`, the k-th best score so far.
    fn score(&mut self, item: Item, least: Option<f64>) -> Option<Entry>;

    /// Prefetch what will be needed to score an item.
    fn prefetch(&self, item: Item);

    /// Map a score to the space of coarse scores.
    fn coarse(&self, score: f64) -> f64;
}

/// A number with a total order, for the heap.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Total(f64);

impl Eq for Total {}

impl Ord for Total {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Total {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Candidates are scored when a query has this many more than a few for each of its k. Scored early, they raise the limit
/// for those that follow; scored together, the best of them rule out the others.
const PENDING: usize = 384;

/// While a candidate is scored, the one after the next is prefetched.
const AHEAD: usize = 2;

/// The candidates of one query, and the best of those that have been scored.
#[derive(Debug)]
pub struct Candidates {
    k: usize,
    /// The k largest lower bounds of scores since the last were scored.
    lowers: BinaryHeap<Reverse<Total>>,
    /// A score that at least k items reach, in the space of the coarse pass: the k-th best so far, or a lower bound.
    limit: f64,
    list: Vec<Candidate>,
    best: Vec<Entry>,
}

impl Candidates {
    /// Return candidates that start from the best of earlier items, whose last has the score `limit` in the space of the
    /// coarse pass.
    pub fn new(k: usize, best: Vec<Entry>, limit: f64) -> Self {
        Self { k, lowers: BinaryHeap::new(), limit, list: Vec::new(), best }
    }

    /// Return the score that an item must reach to be among the best.
    pub fn limit(&self) -> f64 {
        self.limit
    }

    /// Add an item whose score lies between two bounds, unless it cannot be among the best. Returns whether it is time to
    /// rescore.
    pub fn offer(&mut self, item: Item, lower: f64, upper: f64) -> bool {
        if upper < self.limit {
            return false;
        }
        self.list.push(Candidate { upper, item });
        // Below the limit, a lower bound says nothing new.
        if lower > self.limit {
            self.raise(lower);
        }
        self.list.len() >= PENDING + 4 * self.k
    }

    /// Raise the limit to the k-th of the lower bounds.
    fn raise(&mut self, lower: f64) {
        if self.lowers.len() < self.k {
            self.lowers.push(Reverse(Total(lower)));
        } else if let Some(mut least) = self.lowers.peek_mut()
            && lower > least.0.0
        {
            *least = Reverse(Total(lower));
        }
        if self.lowers.len() == self.k
            && let Some(least) = self.lowers.peek()
        {
            self.limit = self.limit.max(least.0.0);
        }
    }

    /// Score the candidates, those of the highest upper bounds first, until no other can be among the best.
    pub fn rescore(&mut self, scorer: &mut impl Scorer) {
        let mut list = std::mem::take(&mut self.list);
        list.retain(|candidate| candidate.upper >= self.limit);
        list.sort_unstable_by(|left, right| right.upper.total_cmp(&left.upper));
        for (index, candidate) in list.iter().enumerate() {
            if candidate.upper < self.limit {
                break;
            }
            if let Some(next) = list.get(index + AHEAD).filter(|next| next.upper >= self.limit) {
                scorer.prefetch(next.item);
            }
            let least = if self.best.len() == self.k { self.best.last() } else { None };
            if let Some(entry) = scorer.score(candidate.item, least.map(|entry| entry.score)) {
                self.insert(entry, |score| scorer.coarse(score));
            }
        }
        list.clear();
        self.list = list;
    }

    /// Add an entry if it is among the best. `coarse` maps a score to the space of coarse scores.
    pub fn insert(&mut self, entry: Entry, coarse: impl Fn(f64) -> f64) {
        let index = self.best.partition_point(|other| other.order(&entry).is_lt());
        if index < self.k {
            self.best.truncate(self.k - 1);
            self.best.insert(index, entry);
            if let Some(last) = self.best.get(self.k - 1) {
                self.limit = self.limit.max(coarse(last.score));
            }
        }
    }

    /// Score the last candidates, and return the best entries, in order.
    pub fn finish(mut self, scorer: &mut impl Scorer) -> Vec<Entry> {
        self.rescore(scorer);
        self.best
    }
}
