//! Comparing predictions with their references, item by item, for all requested metrics.

use std::ops::Range;

use super::bleu;
use super::ngram_matches::{Matcher, PredictionTfidf};
use super::rouge_l::RougeLScorer;
use super::shared_tokens::SharedTokens;
use super::tfidf::idf::Idf;
use super::tfidf::{Norms, TfidfStats};
use super::{ItemStatistics, Metrics};
use crate::error::Result;
use crate::parallel::Plan;
use crate::text::ngrams::{Key, by_key_width};
use crate::text::tokens::Tokens;

/// Number of items in a block; small, so that one long item does not delay the others.
const BLOCK: usize = 64;

/// Predictions to be compared with their references.
#[derive(Debug)]
pub(super) struct Comparison<'a> {
    pub references: &'a Tokens,
    /// For each prediction, the range of its references.
    pub reference_ranges: &'a [Range<usize>],
    pub predictions: &'a Tokens,
    /// `None` if no metric needs it.
    pub cider_inputs: Option<CiderInputs<'a>>,
    pub metrics: &'a Metrics,
}

/// Statistics of references and predictions under the document frequencies of CIDEr.
#[derive(Debug)]
pub(super) struct CiderInputs<'a> {
    pub idf: &'a Idf,
    pub reference_norms: &'a [Norms],
    pub predictions: TfidfStats,
}

/// Buffers for comparing one prediction after the other, one for each thread.
#[derive(Debug)]
struct Scratch<K> {
    shared: SharedTokens,
    matcher: Matcher<K>,
    rouge_l_scorer: RougeLScorer,
}

impl Comparison<'_> {
    /// Return the statistics of all predictions, whose token ids are at most `max_id`.
    pub fn run(&self, max_id: u32, plan: &Plan) -> Result<ItemStatistics> {
        by_key_width!(max_id, K => self.run_by::<K>(max_id, plan))
    }

    fn run_by<K: Key>(&self, max_id: u32, plan: &Plan) -> Result<ItemStatistics> {
        let scratch = || Scratch {
            shared: SharedTokens::new(max_id),
            matcher: Matcher::<K>::new(),
            rouge_l_scorer: RougeLScorer::default(),
        };
        let blocks = plan.map(self.predictions.len(), BLOCK, scratch, |scratch, block| {
            let mut statistics = ItemStatistics::default();
            for index in block {
                self.score_prediction(index, scratch, &mut statistics, plan)?;
            }
            Ok(statistics)
        })?;
        Ok(ItemStatistics::concat(blocks))
    }

    /// Compare one prediction and append its statistics.
    fn score_prediction<K: Key>(
        &self,
        index: usize,
        scratch: &mut Scratch<K>,
        statistics: &mut ItemStatistics,
        plan: &Plan,
    ) -> Result<()> {
        let Metrics { bleu, cider_d, cider, rouge_l, parameters } = *self.metrics;
        let Scratch { shared, matcher, rouge_l_scorer } = scratch;
        let prediction = self.predictions.get(index);
        let (references, range) = (self.references, self.reference_ranges[index].clone());
        let lengths = range.clone().map(|text| references.get(text).len());
        shared.find(prediction, range.clone().map(|text| references.get(text)), plan)?;
        if bleu || cider_d || cider {
            let sums = matcher.compare(prediction, shared, references, range.clone(), self.tfidf_of(index), plan)?;
            if bleu {
                statistics.bleu.push(bleu::statistics(prediction.len(), lengths.clone(), sums.clipped_matches));
            }
            if cider_d {
                statistics.cider_d.push(parameters.item_score(&sums.cider_d, range.len()));
            }
            if cider {
                statistics.cider.push(parameters.item_score(&sums.cider, range.len()));
            }
        }
        if rouge_l {
            statistics.rouge_l.push(rouge_l_scorer.score(shared, lengths, plan)?);
        }
        Ok(())
    }

    fn tfidf_of(&self, index: usize) -> Option<PredictionTfidf<'_>> {
        let CiderInputs { idf, reference_norms, predictions } = self.cider_inputs.as_ref()?;
        Some(PredictionTfidf {
            idf,
            norms: &predictions.norms[index],
            doc_freqs: &predictions.doc_freqs[self.predictions.span(index)],
            reference_norms,
            parameters: &self.metrics.parameters,
        })
    }
}
