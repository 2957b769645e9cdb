//! Groups of items that are near copies of each other.
//!
//! Thousands of near copies have nearly the same score, and integers of 8 bits cannot distinguish them where they share a
//! centre with all other items. Relative to one of them, they differ as much as any vectors do. Only groups that
//! hold a good part of all items are worth a centre, and a small sample finds them.

use super::Metric;
use super::vectors::Vectors;
use crate::error::Result;
use crate::memory;
use crate::parallel::Plan;
use crate::simd::Level;
use crate::simd::dot::{dot, single};

/// Most items in the sample.
const SAMPLE: usize = 128;

/// A group has at least this many items of the sample; there are at most 21 groups.
const MANY: usize = 6;

/// The square of the largest distance from the first item of a group, relative to its length.
const NEAR: f64 = 0.25;

/// Rows that a thread assigns at a time.
const BLOCK: usize = 256;

/// The number of the group of items without one.
pub const NO_GROUP: usize = 0;

/// A partition of all items.
#[derive(Debug, Default)]
pub struct Groups {
    /// One item of each group; group number `n` has the leader `n - 1`.
    leaders: Vec<Leader>,
    /// The members of each group in rising order, first those of [`NO_GROUP`].
    members: Vec<Vec<u32>>,
}

/// An item that the others of its group are near to.
#[derive(Debug)]
pub struct Leader {
    vector: Vec<f32>,
    square: f64,
}

impl Groups {
    /// Return one group of all items.
    pub fn one(items: &Vectors<'_>) -> Result<Self> {
        Ok(Self { leaders: Vec::new(), members: vec![memory::collect(0..items.rows() as u32, items.rows())?] })
    }

    /// Find groups.
    pub fn find(items: &Vectors<'_>, metric: Metric, level: Level, plan: &Plan) -> Result<Self> {
        let leaders = leaders(items, metric, level, plan)?;
        if leaders.is_empty() {
            return Self::one(items);
        }
        let groups = plan.map(items.rows(), BLOCK, Vec::new, |buffer, rows| {
            let mut groups = [NO_GROUP as u8; BLOCK];
            for (group, row) in groups.iter_mut().zip(rows) {
                let vector = items.row(row, buffer);
                let square = dot(vector, vector, level);
                let leader = leaders
                    .iter()
                    .position(|leader| leader.is_near(dot(&leader.vector, vector, level), square, metric));
                *group = leader.map_or(NO_GROUP, |leader| leader + 1) as u8;
            }
            Ok(groups)
        })?;
        let members = |group: usize| {
            let rows = || (0..items.rows()).filter(|row| usize::from(groups[row / BLOCK][row % BLOCK]) == group);
            memory::collect(rows().map(|row| row as u32), rows().count())
        };
        let members = (0..=leaders.len()).map(members).collect::<Result<_>>()?;
        Ok(Self { leaders, members })
    }

    /// Return the members of each group in rising order, first those of [`NO_GROUP`].
    pub fn members(&self) -> &[Vec<u32>] {
        &self.members
    }

    /// Return the vectors of the leaders.
    pub fn leaders(&self) -> impl Iterator<Item = &[f32]> {
        self.leaders.iter().map(|leader| &leader.vector[..])
    }

    /// Return whether a vector is exactly the leader of a group.
    pub fn is_leader(&self, group: usize, vector: &[f32]) -> bool {
        group != NO_GROUP && self.leaders[group - 1].vector == vector
    }
}

impl Leader {
    /// Return whether a vector with this product with the leader and this sum of squares is near: for cosines, in its
    /// direction.
    fn is_near(&self, product: f64, square: f64, metric: Metric) -> bool {
        match metric {
            Metric::InnerProduct => square + self.square - 2.0 * product <= NEAR * self.square,
            // Of unit vectors, the square of the distance is 2 less twice the product.
            Metric::Cosine => product > 0.0 && product >= (1.0 - NEAR / 2.0) * (square * self.square).sqrt(),
        }
    }
}

/// Return the leaders of the groups that a sample has many items of.
fn leaders(items: &Vectors<'_>, metric: Metric, level: Level, plan: &Plan) -> Result<Vec<Leader>> {
    let (mut leaders, mut buffer) = (Vec::<(usize, Leader)>::new(), Vec::new());
    for row in (0..items.rows()).step_by(items.rows().div_ceil(SAMPLE).max(1)) {
        plan.check()?;
        let vector = items.row(row, &mut buffer);
        let square = dot(vector, vector, level);
        // Single precision is enough for a sample, and faster. An infinite product says nothing.
        let is_near = |leader: &Leader| {
            let product = f64::from(single(&leader.vector, vector, level));
            product.is_finite() && leader.is_near(product, square, metric)
        };
        match leaders.iter_mut().find(|(_, leader)| is_near(leader)) {
            Some((count, _)) => *count += 1,
            None => leaders.push((1, Leader { vector: vector.to_vec(), square })),
        }
    }
    Ok(leaders.into_iter().filter(|(count, _)| *count >= MANY).map(|(_, leader)| leader).collect())
}

#[cfg(test)]
mod tests {
    use super::super::vectors::Numbers;
    use super::*;

    const DIMS: usize = 32;

    /// Return 900 vectors: every third near the first, every third exactly the second, and others in all directions.
    fn items() -> Vec<f32> {
        let random = |at: u64| {
            let bits = (at + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            ((bits ^ (bits >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 40) as f32 / 8_388_608.0 - 1.0
        };
        let number = |at: usize| match (at / DIMS % 3, at % DIMS) {
            (0, 0) => 100.0,
            (0, 1) => at as f32 / 10_000.0,
            (1, 2) => -7.0,
            (2, _) => random(at as u64),
            _ => 0.0,
        };
        (0..900 * DIMS).map(number).collect()
    }

    fn find(numbers: &[f32], metric: Metric) -> Groups {
        let items = Vectors::new("items", Numbers::F32(numbers), numbers.len() / DIMS, DIMS).expect("whole rows");
        Groups::find(&items, metric, Level::Portable, &Plan::new(Some(2))).expect("room")
    }

    #[test]
    fn each_item_is_in_one_group_and_copies_are_together() {
        for metric in [Metric::InnerProduct, Metric::Cosine] {
            let numbers = items();
            let groups = find(&numbers, metric);
            let mut all = groups.members().concat();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..900));
            for (rest, is_exact) in [(0, false), (1, true)] {
                let (group, members) =
                    groups.members().iter().enumerate().find(|(_, members)| members.contains(&rest)).expect("one");
                assert_ne!(group, NO_GROUP);
                assert!((rest..900).step_by(3).all(|row| members.contains(&row)));
                assert_eq!(groups.is_leader(group, &numbers[301 * DIMS..][..DIMS]), is_exact);
            }
        }
    }

    #[test]
    fn items_in_all_directions_have_no_groups() {
        let numbers: Vec<f32> = items().chunks(3 * DIMS).flat_map(|three| three[2 * DIMS..].to_vec()).collect();
        let zeros = vec![0.0; 300 * DIMS];
        for (numbers, metric) in [(&numbers, Metric::InnerProduct), (&zeros, Metric::Cosine), (&vec![], Metric::Cosine)]
        {
            let groups = find(numbers, metric);
            assert_eq!((groups.members().len(), groups.leaders().count()), (1, 0));
            assert!(!groups.is_leader(NO_GROUP, &[0.0; DIMS]));
        }
    }
}
