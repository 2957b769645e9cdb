//! Which tokens of a prediction occur in its references, and where: the starting point of every metric.

use super::branchless::select_into;
use crate::error::Result;
use crate::parallel::Plan;

/// Tokens that a prediction shares with each of its references. The buffers are reused for one prediction after the other.
#[derive(Debug)]
pub(super) struct SharedTokens {
    /// All tokens of the prediction as local ids: 0 for the first different token, 1 for the second, and so on.
    pub prediction_ids: Vec<u32>,
    /// Number of different tokens of the prediction.
    pub distinct: usize,
    /// The local id plus one by token id; 0 for tokens that the prediction does not have.
    local_ids_plus_one: Vec<u32>,
    /// One for each reference of the current item, and possibly more from earlier items.
    references: Vec<ReferenceTokens>,
}

/// The prediction's tokens in one reference.
#[derive(Debug, Clone, Default)]
pub(super) struct ReferenceTokens {
    /// Their positions in the reference.
    pub positions: Vec<u32>,
    /// Their local ids.
    pub local_ids: Vec<u32>,
}

impl SharedTokens {
    /// Allocate buffers for token ids up to `max_id`.
    pub fn new(max_id: u32) -> Self {
        let local_ids_plus_one = vec![0; max_id as usize + 1];
        Self { prediction_ids: Vec::new(), distinct: 0, local_ids_plus_one, references: Vec::new() }
    }

    /// Find the tokens of a prediction in its references.
    pub fn find<'r>(
        &mut self,
        prediction: &[u32],
        references: impl ExactSizeIterator<Item = &'r [u32]>,
        plan: &Plan,
    ) -> Result<()> {
        self.assign_local_ids(prediction);
        self.references.resize_with(self.references.len().max(references.len()), ReferenceTokens::default);
        for (shared, reference) in self.references.iter_mut().zip(references) {
            plan.check()?;
            shared.find(reference, &self.local_ids_plus_one);
        }
        prediction.iter().for_each(|&token| self.local_ids_plus_one[token as usize] = 0);
        Ok(())
    }

    /// Return the tokens found in one reference.
    pub fn in_reference(&self, reference: usize) -> &ReferenceTokens {
        &self.references[reference]
    }

    fn assign_local_ids(&mut self, prediction: &[u32]) {
        self.distinct = 0;
        self.prediction_ids.clear();
        for &token in prediction {
            let plus_one = &mut self.local_ids_plus_one[token as usize];
            if *plus_one == 0 {
                self.distinct += 1;
                *plus_one = self.distinct as u32;
            }
            self.prediction_ids.push(*plus_one - 1);
        }
    }
}

impl ReferenceTokens {
    fn find(&mut self, reference: &[u32], local_ids_plus_one: &[u32]) {
        let plus_one = |token: u32| local_ids_plus_one[token as usize];
        let positions = reference.iter().enumerate();
        select_into(&mut self.positions, positions.map(|(position, &token)| (position as u32, plus_one(token) > 0)));
        self.local_ids.clear();
        self.local_ids.extend(self.positions.iter().map(|&position| plus_one(reference[position as usize]) - 1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_prediction_finds_its_tokens_only() {
        let mut shared = SharedTokens::new(9);
        let mut find = |prediction: &[u32], references: &[&[u32]]| {
            shared.find(prediction, references.iter().copied(), &Plan::default()).unwrap();
            let by_reference = (0..references.len()).map(|reference| shared.in_reference(reference).clone());
            let by_reference: Vec<_> = by_reference.map(|tokens| (tokens.positions, tokens.local_ids)).collect();
            (shared.prediction_ids.clone(), shared.distinct, by_reference)
        };
        let by_reference = vec![(vec![1, 2, 4], vec![0, 1, 0]), (vec![], vec![]), (vec![0], vec![2])];
        assert_eq!(find(&[5, 3, 5, 9], &[&[1, 5, 3, 2, 5], &[], &[9, 4]]), (vec![0, 1, 0, 2], 3, by_reference));
        // Nothing is left of the previous prediction, nor of its references.
        assert_eq!(find(&[4], &[&[5, 4]]), (vec![0], 1, vec![(vec![1], vec![0])]));
        assert_eq!(find(&[], &[&[5, 4]]), (vec![], 0, vec![(vec![], vec![])]));
    }
}
