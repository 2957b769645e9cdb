//! Predictions compared with their references, item by item, by all metrics that are asked for.

use std::ops::Range;

use super::bleu;
use super::idf::Idf;
use super::matching::{Matcher, Weighted};
use super::rouge_l::RougeL;
use super::weights::{Norms, Weights};
use super::{Metrics, Rows};
use crate::blocks::Plan;
use crate::error::Result;
use crate::text::ngrams::Key;
use crate::text::tokens::Tokens;

/// Items are scored in blocks of this many; small, so that one long item does not keep the others waiting.
const BLOCK: usize = 64;

/// Predictions that are compared at a time.
#[derive(Debug)]
pub(super) struct Comparison<'a> {
    pub references: &'a Tokens,
    /// For each prediction, its references.
    pub items: &'a [Range<usize>],
    pub predictions: &'a Tokens,
    /// If a metric needs it.
    pub weighing: Option<Weighing<'a>>,
    pub metrics: &'a Metrics,
}

/// What document frequencies say about references and predictions.
#[derive(Debug)]
pub(super) struct Weighing<'a> {
    pub idf: &'a Idf,
    pub reference_norms: &'a [Norms],
    pub predictions: Weights,
}

impl Comparison<'_> {
    /// Rows for all predictions, of token ids up to `max_id`.
    pub fn rows(&self, max_id: u32, plan: &Plan) -> Result<Rows> {
        if max_id <= u64::MAX_TOKEN { self.rows_by::<u64>(max_id, plan) } else { self.rows_by::<u128>(max_id, plan) }
    }

    fn rows_by<K: Key>(&self, max_id: u32, plan: &Plan) -> Result<Rows> {
        let scratch = || (Matcher::<K>::new(max_id), RougeL::new(if self.metrics.rouge_l { max_id } else { 0 }));
        let blocks = plan.map(self.predictions.len(), BLOCK, scratch, |(matcher, rouge_l), block| {
            let mut rows = Rows::default();
            for row in block {
                self.add(row, matcher, rouge_l, &mut rows, plan)?;
            }
            Ok(rows)
        })?;
        Ok(Rows::concat(blocks))
    }

    /// Compare one prediction and add its row.
    fn add<K: Key>(
        &self,
        row: usize,
        matcher: &mut Matcher<K>,
        rouge_l: &mut RougeL,
        rows: &mut Rows,
        plan: &Plan,
    ) -> Result<()> {
        let Metrics { bleu, cider_d, cider, parameters, .. } = *self.metrics;
        let prediction = self.predictions.get(row);
        let (tokens, texts) = (self.references, self.items[row].clone());
        if bleu || cider_d || cider {
            let matches = matcher.compare(prediction, tokens, texts.clone(), self.weighted(row), plan)?;
            if bleu {
                let lengths = texts.clone().map(|text| tokens.get(text).len());
                rows.bleu.push(bleu::row(prediction.len(), lengths, matches.clipped));
            }
            if cider_d {
                rows.cider_d.push(parameters.item(&matches.cider_d, texts.len()));
            }
            if cider {
                rows.cider.push(parameters.item(&matches.cider, texts.len()));
            }
        }
        if self.metrics.rouge_l {
            rows.rouge_l.push(rouge_l.score(prediction, texts.map(|text| tokens.get(text)), plan)?);
        }
        Ok(())
    }

    fn weighted(&self, row: usize) -> Option<Weighted<'_>> {
        let Weighing { idf, reference_norms, predictions } = self.weighing.as_ref()?;
        Some(Weighted {
            idf,
            norms: &predictions.norms[row],
            counts: &predictions.counts[self.predictions.span(row)],
            reference_norms,
            cider: &self.metrics.parameters,
        })
    }
}
