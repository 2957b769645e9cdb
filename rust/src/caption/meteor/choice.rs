//! Choosing the best of many candidates, in their order.

use crate::simd::Level;
use crate::simd::ranks::{LANES, PADDING, ranks};

/// Number of candidates that are kept.
pub(super) const BEAM: usize = 40;

/// Largest number of candidates.
pub(super) const CAPACITY: usize = 1024;

/// Up to this many candidates are inserted one after the other; most texts of few equal words have no more.
const INSERTED: usize = 12;

/// Up to this many candidates are compared with each other, which takes no branches; more are sorted.
const FEW: usize = 192;

/// Number of steps of ranks that are counted; the last one has all others too.
const STEPS: usize = 64;

/// A candidate's rank, the smallest of which is the best, and what it was made from.
pub(super) type Candidate = (u64, u32);

/// The best candidates so far, and those that may be better.
#[derive(Debug)]
pub(super) struct Choice {
    level: Level,
    count: usize,
    ranks: Box<[u64; CAPACITY]>,
    origins: Box<[u32; CAPACITY]>,
    /// Candidates that may be among the best: their ranks relative to the smallest, and their indices.
    relative: Vec<i32>,
    places: Vec<u16>,
    orders: Vec<u32>,
    sorted: Vec<u16>,
    chosen: Vec<Candidate>,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            level: Level::best(),
            count: 0,
            ranks: Box::new([0; CAPACITY]),
            origins: Box::new([0; CAPACITY]),
            relative: vec![0; CAPACITY + LANES],
            places: vec![0; CAPACITY],
            orders: vec![0; FEW],
            sorted: vec![0; FEW],
            chosen: Vec::with_capacity(BEAM),
        }
    }
}

impl Choice {
    pub fn clear(&mut self) {
        self.count = 0;
    }

    pub fn len(&self) -> usize {
        self.count
    }

    pub fn push(&mut self, rank: u64, origin: u32) {
        self.offer(rank, origin, true);
    }

    /// Take a candidate if it is one; without branches.
    #[inline]
    pub fn offer(&mut self, rank: u64, origin: u32, is_candidate: bool) {
        self.ranks[self.count] = rank;
        self.origins[self.count] = origin;
        self.count += usize::from(is_candidate);
    }

    /// Drop all candidates but the best. Returns the rank of the last of them, from which on others come after them.
    pub fn keep_best(&mut self, step: u32) -> u64 {
        self.choose(step);
        self.count = self.chosen.len();
        for (index, &(rank, origin)) in self.chosen.iter().enumerate() {
            self.ranks[index] = rank;
            self.origins[index] = origin;
        }
        if self.count < BEAM { u64::MAX } else { self.ranks[BEAM - 1] }
    }

    /// Return the best candidates from the best to the worst; of equal ones, the first is better. Ranks are counted in steps
    /// of `1 << step` to find most of those that are not among them.
    pub fn choose(&mut self, step: u32) -> &[Candidate] {
        self.chosen.clear();
        if self.count <= INSERTED {
            self.insert_all();
            return &self.chosen;
        }
        let ranks = &self.ranks[..self.count];
        let least = ranks.iter().copied().min().unwrap_or(0);
        let most = if self.count > BEAM { bound(ranks, least, step) } else { u64::MAX };
        if !self.order_few(least, most) {
            self.order_many();
        }
        &self.chosen
    }

    fn insert_all(&mut self) {
        let chosen = &mut self.chosen;
        for (&rank, &origin) in self.ranks[..self.count].iter().zip(&self.origins[..]) {
            let mut place = chosen.len();
            chosen.push((rank, origin));
            while place > 0 && chosen[place - 1].0 > rank {
                chosen.swap(place - 1, place);
                place -= 1;
            }
        }
    }

    /// Choose among candidates up to a rank, unless there are too many of them or their ranks differ too much.
    fn order_few(&mut self, least: u64, most: u64) -> bool {
        let Self { count, ranks: all, origins, relative, places, orders, sorted, chosen, .. } = self;
        let (mut few, mut largest) = (0, least);
        for (index, &rank) in all[..*count].iter().enumerate() {
            let is_candidate = rank <= most;
            relative[few] = rank.wrapping_sub(least) as i32;
            places[few] = index as u16;
            few += usize::from(is_candidate);
            largest = largest.max(if is_candidate { rank } else { 0 });
        }
        let padded = few.next_multiple_of(LANES);
        if padded > FEW || largest - least >= PADDING as u64 {
            return false;
        }
        relative[few..padded].fill(PADDING);
        ranks(&relative[..padded], &mut orders[..padded], self.level);
        for (&order, &place) in orders.iter().zip(&places[..few]) {
            sorted[order as usize] = place;
        }
        let best = sorted[..few.min(BEAM)].iter();
        chosen.extend(best.map(|&place| (all[usize::from(place)], origins[usize::from(place)])));
        true
    }

    fn order_many(&mut self) {
        let ranks = &self.ranks[..self.count];
        let mut order: Vec<(u64, u16)> = (0..).zip(ranks).map(|(place, &rank)| (rank, place)).collect();
        if order.len() > BEAM {
            order.select_nth_unstable(BEAM);
            order.truncate(BEAM);
        }
        order.sort_unstable();
        self.chosen.extend(order.into_iter().map(|(rank, place)| (rank, self.origins[usize::from(place)])));
    }
}

/// Return a rank that at least [`BEAM`] ranks do not exceed, of more than as many.
fn bound(ranks: &[u64], least: u64, step: u32) -> u64 {
    let mut counts = [0_u16; STEPS];
    for &rank in ranks {
        counts[((rank - least) >> step).min(STEPS as u64 - 1) as usize] += 1;
    }
    let mut total = 0;
    for (steps, count) in (1..STEPS as u64).zip(counts) {
        total += usize::from(count);
        if total >= BEAM {
            return least + (steps << step) - 1;
        }
    }
    u64::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_are_those_of_a_stable_sort() {
        let mut choice = Choice::default();
        for (count, spread) in
            [(0, 1), (7, 3), (12, 4), (13, 4), (39, 9), (40, 1), (150, 1 << 20), (150, 1 << 40), (900, 50)]
        {
            choice.clear();
            let ranks: Vec<u64> =
                (1..=count).map(|index: u64| (index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 20) % spread).collect();
            let mut expected: Vec<Candidate> = ranks.iter().copied().zip(0..).collect();
            for &(rank, origin) in &expected {
                choice.offer(rank, origin, false);
                choice.push(rank, origin);
            }
            expected.sort_by_key(|&(rank, _)| rank);
            expected.truncate(BEAM);
            for step in [0, 2, 10, 30] {
                assert_eq!(choice.choose(step), expected);
            }
            let last = expected.get(BEAM - 1).map_or(u64::MAX, |&(last, _)| last);
            assert_eq!(choice.keep_best(3), last);
            assert_eq!(choice.choose(3), expected);
        }
    }
}
