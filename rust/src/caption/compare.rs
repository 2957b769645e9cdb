//! Predictions compared with their references, item by item, by all metrics that are asked for.

use std::ops::Range;

use super::bleu;
use super::ngram_matches::{Matcher, Weighted};
use super::rouge_l::RougeL;
use super::shared_tokens::CommonTokens;
use super::tfidf::idf::Idf;
use super::tfidf::{Norms, Weights};
use super::{Metrics, Rows};
use crate::error::Result;
use crate::parallel::Plan;
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

/// Buffers for comparing one prediction after the other, one for each thread.
#[derive(Debug)]
struct Scratch<K> {
    common: CommonTokens,
    matcher: Matcher<K>,
    rouge_l: RougeL,
}

impl Comparison<'_> {
    /// Rows for all predictions, of token ids up to `max_id`.
    pub fn rows(&self, max_id: u32, plan: &Plan) -> Result<Rows> {
        if max_id <= u64::MAX_TOKEN { self.rows_by::<u64>(max_id, plan) } else { self.rows_by::<u128>(max_id, plan) }
    }

    fn rows_by<K: Key>(&self, max_id: u32, plan: &Plan) -> Result<Rows> {
        let scratch =
            || Scratch { common: CommonTokens::new(max_id), matcher: Matcher::<K>::new(), rouge_l: RougeL::default() };
        let blocks = plan.map(self.predictions.len(), BLOCK, scratch, |scratch, block| {
            let mut rows = Rows::default();
            for row in block {
                self.add(row, scratch, &mut rows, plan)?;
            }
            Ok(rows)
        })?;
        Ok(Rows::concat(blocks))
    }

    /// Compare one prediction and add its row.
    fn add<K: Key>(&self, row: usize, scratch: &mut Scratch<K>, rows: &mut Rows, plan: &Plan) -> Result<()> {
        let Metrics { bleu, cider_d, cider, parameters, .. } = *self.metrics;
        let Scratch { common, matcher, rouge_l } = scratch;
        let prediction = self.predictions.get(row);
        let (tokens, texts) = (self.references, self.items[row].clone());
        let lengths = texts.clone().map(|text| tokens.get(text).len());
        common.find(prediction, texts.clone().map(|text| tokens.get(text)), plan)?;
        if bleu || cider_d || cider {
            let matches = matcher.compare(prediction, common, tokens, texts.clone(), self.weighted(row), plan)?;
            if bleu {
                rows.bleu.push(bleu::row(prediction.len(), lengths.clone(), matches.clipped));
            }
            if cider_d {
                rows.cider_d.push(parameters.item(&matches.cider_d, texts.len()));
            }
            if cider {
                rows.cider.push(parameters.item(&matches.cider, texts.len()));
            }
        }
        if self.metrics.rouge_l {
            rows.rouge_l.push(rouge_l.score(common, lengths, plan)?);
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
