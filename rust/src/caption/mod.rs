//! Caption metrics: predictions compared with several references each.
//!
//! [`References`] holds the references' token ids, and everything about them that a metric needs again and again.
//! [`References::score`] takes predictions and gives rows, one for each item; the score of a metric is a function of
//! the sum of rows ([`bleu::score`]) or their mean ([`crate::sums::mean`]).

pub mod bleu;
pub mod cider;
mod compare;
mod document_frequency;
mod ngram_matches;
pub mod rouge_l;
mod shared_tokens;
mod tfidf;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};
use crate::parallel::Plan;
use crate::text::tokens::{Part, Texts, Tokens, tokenize};
use crate::text::vocab::Vocab;
use bleu::BleuRow;
use cider::Cider;
use compare::{Comparison, Weighing};
pub use document_frequency::DocumentFrequency;
use tfidf::idf::Idf;
use tfidf::{Documents, Weights};

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
    weights: OnceLock<(Arc<DocumentFrequency>, Weights)>,
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
    /// Tokenize references; item `i` has the next `counts[i]` texts. `given` replaces the document frequencies that
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
        let (tokens, vocab) = tokenize(texts, given.as_ref().map(|frequency| frequency.vocab()), plan)?;
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
        Ok(Arc::new(Weights::counted(self.documents(), &self.vocab, 1, plan)?.0))
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
        check(predictions.len(), wanted)?;
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

    /// The same with all items, if it is to be done once: what a second time would need is not made.
    ///
    /// # Errors
    /// As [`References::score`].
    pub fn score_once(&self, predictions: &impl Texts, metrics: &Metrics, plan: &Plan) -> Result<Rows> {
        if !metrics.need_weights() || self.given.is_some() || self.weights.get().is_some() {
            return self.score(predictions, None, metrics, plan);
        }
        check(predictions.len(), self.items.len())?;
        let (predictions, vocab) = tokenize(predictions, Some(&self.vocab), plan)?;
        let idf = Idf::new(self.items.len() as f64);
        let singles = singles(&predictions);
        let others = Documents::new(&predictions, &singles);
        let [own, weights] = Weights::counted_once(self.documents(), others, &idf, vocab.max_id(), plan)?;
        let weighing = Weighing { idf: &idf, reference_norms: &own.norms, predictions: weights };
        let (references, predictions, items) = (&self.tokens, &predictions, &self.items);
        Comparison { references, items, predictions, weighing: Some(weighing), metrics }.rows(vocab.max_id(), plan)
    }

    /// Compare predictions with the texts that `items` tells for each.
    fn score_part(
        &self,
        predictions: &impl Texts,
        items: &[Range<usize>],
        metrics: &Metrics,
        plan: &Plan,
    ) -> Result<Rows> {
        let (predictions, vocab) = tokenize(predictions, Some(&self.vocab), plan)?;
        let weighing = if metrics.need_weights() {
            let (frequency, own) = self.weights(plan)?;
            let singles = singles(&predictions);
            let documents = Documents::new(&predictions, &singles);
            let weights = Weights::given(documents, frequency, vocab.max_id(), true, plan)?;
            Some(Weighing { idf: frequency.idf(), reference_norms: &own.norms, predictions: weights })
        } else {
            None
        };
        let (references, predictions) = (&self.tokens, &predictions);
        Comparison { references, items, predictions, weighing, metrics }.rows(vocab.max_id(), plan)
    }

    fn documents(&self) -> Documents<'_> {
        Documents::new(&self.tokens, &self.items)
    }

    /// Document frequencies, and what they say about the references.
    fn weights(&self, plan: &Plan) -> Result<&(Arc<DocumentFrequency>, Weights)> {
        if let Some(weights) = self.weights.get() {
            return Ok(weights);
        }
        let (frequency, weights) = if let Some(frequency) = &self.given {
            let weights = Weights::given(self.documents(), frequency, self.vocab.max_id(), false, plan)?;
            (frequency.clone(), weights)
        } else {
            // An n-gram of one document weighs as much as one of none.
            let (frequency, weights) = Weights::counted(self.documents(), &self.vocab, 2, plan)?;
            (Arc::new(frequency), weights)
        };
        Ok(self.weights.get_or_init(|| (frequency, weights)))
    }
}

/// There must be one prediction for each item.
fn check(predictions: usize, items: usize) -> Result<()> {
    if predictions != items {
        return Err(Error::Unequal {
            left: "predictions",
            left_len: predictions,
            right: "references",
            right_len: items,
        });
    }
    if items == 0 { Err(Error::Empty("predictions")) } else { Ok(()) }
}

/// Each text is a document of its own.
fn singles(texts: &Tokens) -> Vec<Range<usize>> {
    (0..texts.len()).map(|text| text..text + 1).collect()
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
