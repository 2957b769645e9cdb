//! What may still be among the best of one query.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// An item and its score in double precision.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Entry {
    /// The score.
    pub score: f64,
    /// Number of the item.
    pub index: i64,
}

impl Entry {
    /// Descending scores, then ascending indices.
    pub fn order(&self, other: &Self) -> Ordering {
        // Scores of finite vectors are finite, and equal zeros tie whatever their sign.
        other.score.partial_cmp(&self.score).unwrap_or(Ordering::Equal).then(self.index.cmp(&other.index))
    }
}

/// An item that the coarse pass could not rule out.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    /// Its score is at most this.
    upper: f64,
    /// Its row in the block of items.
    item: u32,
}

/// A number in total order.
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

/// Candidates beyond the first few of each k are scored at once, so that they never fill the memory.
const SPARE: usize = 2048;

/// Candidates of one query, and the best of those that were scored.
#[derive(Debug)]
pub struct Candidates {
    k: usize,
    /// The k largest lower bounds of scores.
    lowers: BinaryHeap<Reverse<Total>>,
    /// At least k items score this or more.
    limit: f64,
    list: Vec<Candidate>,
    best: Vec<Entry>,
}

impl Candidates {
    /// With the best of items seen before, whose last reaches `limit` in the space of the coarse pass.
    pub fn new(k: usize, best: Vec<Entry>, limit: f64) -> Self {
        Self { k, lowers: BinaryHeap::new(), limit, list: Vec::new(), best }
    }

    /// What an item must reach to be among the best.
    pub fn limit(&self) -> f64 {
        self.limit
    }

    /// Look at an item whose score lies between two bounds; true when the candidates should be scored.
    pub fn offer(&mut self, item: u32, lower: f64, upper: f64) -> bool {
        if upper < self.limit {
            return false;
        }
        self.list.push(Candidate { upper, item });
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
        if self.list.len() < SPARE + 4 * self.k {
            return false;
        }
        self.list.retain(|candidate| candidate.upper >= self.limit);
        2 * self.list.len() >= SPARE + 4 * self.k
    }

    /// Score the candidates, the most promising first, until none can be better than what was found. `score` gives the
    /// entry of an item, `coarse` what its score is in the space of the coarse pass.
    pub fn settle(&mut self, mut score: impl FnMut(u32) -> Entry, coarse: impl Fn(f64) -> f64) {
        self.list.retain(|candidate| candidate.upper >= self.limit);
        self.list.sort_unstable_by(|left, right| right.upper.total_cmp(&left.upper));
        for candidate in &self.list {
            if self.best.len() == self.k && candidate.upper < coarse(self.best[self.k - 1].score) {
                break;
            }
            let entry = score(candidate.item);
            let place = self.best.partition_point(|other| other.order(&entry).is_lt());
            if place < self.k {
                self.best.insert(place, entry);
                self.best.truncate(self.k);
            }
        }
        self.list.clear();
        if self.best.len() == self.k {
            self.limit = self.limit.max(coarse(self.best[self.k - 1].score));
        }
    }

    /// The best, in order.
    pub fn into_best(self) -> Vec<Entry> {
        self.best
    }
}
