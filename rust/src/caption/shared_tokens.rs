//! Which tokens of a prediction occur in its references, and where: the first step of all metrics.

use crate::error::Result;
use crate::parallel::Plan;

/// Tokens that a prediction and each of its references have in common; buffers for one prediction after the other.
#[derive(Debug)]
pub(super) struct CommonTokens {
    /// The prediction's tokens as numbers: its distinct tokens in the order of their first occurrence, from 0.
    pub own: Vec<u32>,
    /// How many distinct ones there are.
    pub distinct: usize,
    /// One more than the number by token id; 0 for tokens that the prediction does not have.
    by_token: Vec<u32>,
    /// As many as an item ever had, of which the first are those of the item at hand.
    references: Vec<Found>,
}

/// The prediction's tokens in one reference.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    /// Where they are in the reference.
    pub places: Vec<u32>,
    /// What number each has in the prediction.
    pub numbers: Vec<u32>,
}

impl CommonTokens {
    /// For token ids up to `max_id`.
    pub fn new(max_id: u32) -> Self {
        Self { own: Vec::new(), distinct: 0, by_token: vec![0; max_id as usize + 1], references: Vec::new() }
    }

    /// Find the tokens of a prediction in its references.
    pub fn find<'r>(
        &mut self,
        prediction: &[u32],
        references: impl ExactSizeIterator<Item = &'r [u32]>,
        plan: &Plan,
    ) -> Result<()> {
        self.number(prediction);
        self.references.resize_with(self.references.len().max(references.len()), Found::default);
        for (found, reference) in self.references.iter_mut().zip(references) {
            plan.check()?;
            found.fill(reference, &self.by_token);
        }
        prediction.iter().for_each(|&token| self.by_token[token as usize] = 0);
        Ok(())
    }

    /// What was found in the reference of this number, of those that the prediction has.
    pub fn of(&self, reference: usize) -> &Found {
        &self.references[reference]
    }

    fn number(&mut self, prediction: &[u32]) {
        self.distinct = 0;
        self.own.clear();
        for &token in prediction {
            let number = &mut self.by_token[token as usize];
            if *number == 0 {
                self.distinct += 1;
                *number = self.distinct as u32;
            }
            self.own.push(*number - 1);
        }
    }
}

impl Found {
    /// Most tokens are not in the prediction, in no order that could be foreseen, so each is written, and kept or written
    /// over.
    fn fill(&mut self, reference: &[u32], by_token: &[u32]) {
        let Self { places, numbers } = self;
        places.resize(reference.len() + 1, 0);
        numbers.resize(reference.len() + 1, 0);
        let mut kept = 0;
        for (place, &token) in (0..).zip(reference) {
            let number = by_token[token as usize];
            (places[kept], numbers[kept]) = (place, number.wrapping_sub(1));
            kept += usize::from(number > 0);
        }
        places.truncate(kept);
        numbers.truncate(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prediction_finds_its_own_tokens() {
        let mut common = CommonTokens::new(9);
        let mut find = |prediction: &[u32], references: &[&[u32]]| {
            common.find(prediction, references.iter().copied(), &Plan::default()).unwrap();
            let found = references.iter().enumerate().map(|(index, _)| common.of(index).clone());
            let found: Vec<_> = found.map(|found| (found.places, found.numbers)).collect();
            (common.own.clone(), common.distinct, found)
        };
        let found = vec![(vec![1, 2, 4], vec![0, 1, 0]), (vec![], vec![]), (vec![0], vec![2])];
        assert_eq!(find(&[5, 3, 5, 9], &[&[1, 5, 3, 2, 5], &[], &[9, 4]]), (vec![0, 1, 0, 2], 3, found),);
        // Nothing is left of the prediction before, nor of its references.
        assert_eq!(find(&[4], &[&[5, 4]]), (vec![0], 1, vec![(vec![1], vec![0])]));
        assert_eq!(find(&[], &[&[5, 4]]), (vec![], 0, vec![(vec![], vec![])]));
    }
}
