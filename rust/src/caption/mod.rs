//! Caption metrics: predictions compared with several references each.
//!
//! [`References`] holds the references' token ids, and everything about them that a metric needs again and again.
//! [`References::score`] takes predictions and gives rows, one for each item; the score of a metric is a function of
//! the sum of rows ([`bleu::score`]) or their mean ([`crate::rows::mean`]).

pub mod bleu;
pub mod cider;
mod counting;
mod frequency;
mod idf;
mod listing;
mod matching;
mod reading;
pub mod rouge_l;
mod weights;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::blocks::Plan;
use crate::error::{Error, Result};
use crate::text::ngrams::Key;
use crate::text::tokens::{Part, Texts, Tokens, tokenise};
use crate::text::vocab::Vocab;
use bleu::BleuRow;
use cider::Cider;
pub use frequency::DocumentFrequency;
use matching::{Matcher, Weighted};
use rouge_l::RougeL;
use weights::{Documents, Weights};

/// Items are scored in blocks of this many; small, so that one long item does not keep the others waiting.
const BLOCK: usize = 64;

/// Predictions whose tokens and weights are in memory at a time.
const PART: usize = 1 << 14;

/// Predictions of a small batch that one thread scores alone. For fewer, starting another one takes longer; with more,
/// threads had better share each step.
const SHARE: Range<usize> = 16..256;

/// References of all items, ready to be compared with predictions again and again.
#[derive(Debug)]
pub struct References {
    tokens: Tokens,
    items: Vec<Range<usize>>,
    vocab: Arc<Vocab>,
    given: Option<Arc<DocumentFrequency>>,
    /// Made when CIDEr is first asked for: BLEU and ROUGE-L do not pay for it.
    weights: OnceLock<Weights>,
}

/// Which metrics to compute.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[allow(clippy::struct_excessive_bools)] // A set of names.
pub struct Metrics {
    /// BLEU-1 to BLEU-4.
    pub bleu: bool,
    /// CIDEr-D.
    pub cider_d: bool,
    /// Plain CIDEr.
    pub cider: bool,
    /// ROUGE-L.
    pub rouge_l: bool,
    /// Parameters of both CIDErs.
    pub parameters: Cider,
}

/// Rows of the metrics asked for, one for each item; the others are empty.
#[derive(Debug, Default, PartialEq)]
pub struct Rows {
    /// Counts for BLEU.
    pub bleu: Vec<BleuRow>,
    /// CIDEr-D of each item.
    pub cider_d: Vec<f64>,
    /// CIDEr of each item.
    pub cider: Vec<f64>,
    /// ROUGE-L of each item.
    pub rouge_l: Vec<f64>,
}

impl Rows {
    fn concat(parts: Vec<Self>) -> Self {
        let mut all = Self::default();
        for part in parts {
            all.bleu.extend(part.bleu);
            all.cider_d.extend(part.cider_d);
            all.cider.extend(part.cider);
            all.rouge_l.extend(part.rouge_l);
        }
        all
    }
}

impl Metrics {
    fn need_weights(&self) -> bool {
        self.cider_d || self.cider
    }
}

impl References {
    /// Tokenise references; item `i` has the next `counts[i]` texts. `given` replaces the document frequencies that
    /// are otherwise counted in these references.
    ///
    /// # Errors
    /// [`Error::Empty`] without items, [`Error::NoReferences`] for an item without any, [`Error::Unequal`] if
    /// `counts` do not add up to the number of texts, [`Error::Cancelled`].
    pub fn new(
        texts: &impl Texts,
        counts: &[usize],
        given: Option<Arc<DocumentFrequency>>,
        plan: &Plan,
    ) -> Result<Self> {
        let items = ranges(counts, texts.len())?;
        let (tokens, vocab) = tokenise(texts, given.as_ref().map(|frequency| frequency.vocab()), plan)?;
        Ok(Self { tokens, items, vocab: Arc::new(vocab), given, weights: OnceLock::new() })
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Never: references without items are refused.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many tokens of references [`References::score`] has to read: a measure of how long it takes.
    pub fn tokens_to_read(&self, chosen: Option<&[usize]>, metrics: &Metrics) -> usize {
        let weighs = metrics.need_weights() && self.weights.get().is_none();
        let items = chosen.filter(|_| !weighs).map(|chosen| chosen.iter().filter_map(|&item| self.items.get(item)));
        match items {
            Some(items) => items.map(|texts| self.tokens.count(texts.clone())).sum(),
            None => self.tokens.count(0..self.tokens.len()),
        }
    }

    /// In how many items each n-gram of these references occurs, with all n-grams that occur at all.
    ///
    /// # Errors
    /// [`Error::Cancelled`].
    pub fn document_frequency(&self, plan: &Plan) -> Result<Arc<DocumentFrequency>> {
        Ok(Weights::counted(self.documents(), &self.vocab, 1, plan)?.frequency)
    }

    /// Compare predictions with the references of all items, or of the items in `chosen`, one prediction each.
    ///
    /// # Errors
    /// [`Error::Unequal`] if there is not one prediction for each item, [`Error::Empty`] if no item is chosen,
    /// [`Error::Invalid`] for a chosen item that does not exist, [`Error::Cancelled`].
    pub fn score(
        &self,
        predictions: &impl Texts,
        chosen: Option<&[usize]>,
        metrics: &Metrics,
        plan: &Plan,
    ) -> Result<Rows> {
        let wanted = chosen.map_or(self.items.len(), <[usize]>::len);
        if predictions.len() != wanted {
            return Err(Error::Unequal {
                left: "predictions",
                left_len: predictions.len(),
                right: "references",
                right_len: wanted,
            });
        }
        if wanted == 0 {
            return Err(Error::Empty("predictions"));
        }
        if let Some(item) = chosen.into_iter().flatten().find(|&&item| item >= self.items.len()) {
            let problem = format!("item {item} does not exist, there are {}", self.items.len());
            return Err(Error::Invalid { parameter: "items", problem });
        }
        let score = |range: Range<usize>, plan: &Plan| {
            let row_items = range.clone().map(|row| chosen.map_or(row, |chosen| chosen[row]));
            let items: Vec<_> = row_items.map(|item| self.items[item].clone()).collect();
            self.score_part(&Part { texts: predictions, range }, &items, metrics, plan)
        };
        let blocks = if wanted.div_ceil(plan.threads()) <= SHARE.end {
            // Each thread goes through all steps by itself. What they need in common is made before.
            if metrics.need_weights() {
                self.weights(plan)?;
            }
            let share = wanted.div_ceil(plan.threads()).max(SHARE.start);
            plan.map(wanted, share, || (), |(), range| score(range, &plan.at_most(1)))?
        } else {
            let parts = (0..wanted).step_by(PART).map(|start| start..wanted.min(start + PART));
            parts.map(|part| score(part, plan)).collect::<Result<_>>()?
        };
        Ok(Rows::concat(blocks))
    }

    /// Compare predictions with the texts that `items` tells for each.
    fn score_part(
        &self,
        predictions: &impl Texts,
        items: &[Range<usize>],
        metrics: &Metrics,
        plan: &Plan,
    ) -> Result<Rows> {
        let (predictions, vocab) = tokenise(predictions, Some(&self.vocab), plan)?;
        let weights = self.both_weights(&predictions, vocab.max_id(), metrics, plan)?;
        let comparison = Comparison { references: &self.tokens, items, predictions: &predictions, weights, metrics };
        if vocab.max_id() <= u64::MAX_TOKEN {
            comparison.rows::<u64>(vocab.max_id(), plan)
        } else {
            comparison.rows::<u128>(vocab.max_id(), plan)
        }
    }

    fn documents(&self) -> Documents<'_> {
        Documents { tokens: &self.tokens, items: &self.items }
    }

    /// Weights of the references and of predictions, if a metric needs them.
    fn both_weights(
        &self,
        predictions: &Tokens,
        max_id: u32,
        metrics: &Metrics,
        plan: &Plan,
    ) -> Result<Option<(&Weights, Weights)>> {
        if !metrics.need_weights() {
            return Ok(None);
        }
        let weights = self.weights(plan)?;
        let items: Vec<Range<usize>> = (0..predictions.len()).map(|text| text..text + 1).collect();
        let documents = Documents { tokens: predictions, items: &items };
        Ok(Some((weights, Weights::given(documents, &weights.frequency, max_id, true, plan)?)))
    }

    fn weights(&self, plan: &Plan) -> Result<&Weights> {
        if let Some(weights) = self.weights.get() {
            return Ok(weights);
        }
        let weights = match &self.given {
            Some(frequency) => Weights::given(self.documents(), frequency, self.vocab.max_id(), false, plan)?,
            // An n-gram of one document weighs as much as one of none.
            None => Weights::counted(self.documents(), &self.vocab, 2, plan)?,
        };
        Ok(self.weights.get_or_init(|| weights))
    }
}

fn ranges(counts: &[usize], texts: usize) -> Result<Vec<Range<usize>>> {
    if counts.is_empty() {
        return Err(Error::Empty("references"));
    }
    let mut items = Vec::with_capacity(counts.len());
    let mut start = 0usize;
    for (row, &count) in counts.iter().enumerate() {
        if count == 0 {
            return Err(Error::NoReferences { row });
        }
        let end = start.saturating_add(count);
        items.push(start..end);
        start = end;
    }
    if start != texts {
        return Err(Error::Unequal { left: "references", left_len: texts, right: "counts", right_len: start });
    }
    Ok(items)
}

/// Predictions that are compared at a time.
#[derive(Debug)]
struct Comparison<'a> {
    references: &'a Tokens,
    /// For each prediction, its references.
    items: &'a [Range<usize>],
    predictions: &'a Tokens,
    /// Of the references and of the predictions.
    weights: Option<(&'a Weights, Weights)>,
    metrics: &'a Metrics,
}

impl Comparison<'_> {
    fn rows<K: Key>(&self, max_id: u32, plan: &Plan) -> Result<Rows> {
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
        let (references, predictions) = self.weights.as_ref()?;
        Some(Weighted {
            idf: references.frequency.idf(),
            norms: &predictions.norms[row],
            counts: &predictions.counts[self.predictions.span(row)],
            reference_norms: &references.norms,
            cider: &self.metrics.parameters,
        })
    }
}
