//! Caption metrics: predictions compared with several references each.
//!
//! Two calls: [`References::new`], then [`References::score`]. The first takes the references of all items; its result
//! holds their token ids and what else can be computed before there are predictions. The second takes one prediction for
//! each item, in the order of the items, which the caller finds by ids, and returns [`ItemStatistics`]. The score of a
//! metric is a function of the sum of these statistics over items ([`bleu::score`]) or of their mean
//! ([`crate::sums::mean`]).
//!
//! # The path of a prediction
//!
//! 1. [`References::new`] splits the references into tokens on all threads, and gives each different token an id
//!    (`text/tokens.rs`, `text/vocab/`).
//! 2. [`References::score`] chooses how to divide the work (`Strategy`, in this file): `Once` divides each step among all
//!    threads and builds no table of n-grams, `Chunks` divides each step for one chunk of predictions after the other, and
//!    `Shares` divides the predictions of a small batch. `score_captions` in Python takes `Once` for CIDEr, unless document
//!    frequencies are passed.
//! 3. The prediction is split into tokens on top of the references' vocabulary: a token of the references keeps its id.
//! 4. CIDEr needs tf-idf statistics (`tfidf/`): document frequencies of all n-grams, the norms of the references' and the
//!    prediction's tf-idf vectors, and the document frequency of the n-grams starting at each token of the prediction. A
//!    document is an item with all its references. Document frequencies are counted in the references, or passed to
//!    [`References::new`] as a [`DocumentFrequency`] (`document_frequency/`).
//! 5. The prediction is compared with its references (`compare.rs`). `shared_tokens.rs` finds the tokens that they share,
//!    the starting point of every metric.
//! 6. `ngram_matches.rs` finds the longer n-grams that they share, order by order, for BLEU and CIDEr.
//! 7. The formulas make the statistics of the item: `bleu.rs` from lengths and numbers of matched n-grams, `cider.rs` from
//!    tf-idf weights of matched n-grams, `rouge_l.rs` from the shared tokens in their order.
//!
//! `reference_ids.rs` takes the tokens of prepared references out again, to save them and to recognize them.
//!
//! Three files serve the others: `in_place.rs` (memory that holds n-grams, then document frequencies), `branchless.rs`
//! (filters without branches), and `text/ngrams.rs` (n-grams packed into integers).

pub mod bleu;
mod branchless;
pub mod cider;
mod compare;
mod document_frequency;
mod in_place;
pub mod meteor;
mod ngram_matches;
mod reference_ids;
pub mod rouge_l;
mod shared_tokens;
mod tfidf;

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use crate::error::{Error, Result};
use crate::parallel::Plan;
use crate::text::tokens::{Part, Texts, Tokens, tokenize};
use crate::text::vocab::Vocab;
use bleu::BleuStatistics;
use cider::CiderParameters;
use compare::{CiderInputs, Comparison};
pub use document_frequency::DocumentFrequency;
pub use reference_ids::ReferenceIds;
use tfidf::idf::Idf;
use tfidf::{Corpus, Keep, Norms};

/// Number of predictions that [`Strategy::Chunks`] takes at a time, so that only their tokens and tf-idf statistics are in
/// memory.
const CHUNK: usize = 1 << 14;

/// Number of tokens in a chunk, without its last prediction: long predictions come in chunks of fewer.
const CHUNK_TOKENS: usize = 1 << 21;

/// Predictions that may have more tokens are divided into chunks, as the statistics of a token take up to 48 bytes.
const MAX_TOKENS_AT_ONCE: usize = 1 << 23;

/// Smallest number of predictions in a share of [`Strategy::Shares`]: for fewer, starting another thread takes longer.
const MIN_SHARE: usize = 16;

/// Largest number of predictions in a share: for more, it is faster to divide each step among all threads.
const MAX_SHARE: usize = 256;

/// References of all items, which can be compared with predictions many times.
#[derive(Debug)]
pub struct References {
    tokens: Tokens,
    /// For each item, the range of its texts.
    text_ranges: Vec<Range<usize>>,
    vocab: Arc<Vocab>,
    /// Document frequencies that were counted elsewhere; `None` to count them in the references.
    external_frequency: Option<Arc<DocumentFrequency>>,
    /// Computed when CIDEr is first requested: BLEU and ROUGE-L do not pay for it.
    tfidf: OnceLock<ReferenceTfidf>,
}

/// What CIDEr needs to know about the references.
#[derive(Debug)]
struct ReferenceTfidf {
    document_frequency: Arc<DocumentFrequency>,
    /// One for each text.
    norms: Vec<Norms>,
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
    /// Parameters of CIDEr-D and CIDEr.
    pub parameters: CiderParameters,
}

impl Metrics {
    fn need_tfidf(&self) -> bool {
        self.cider_d || self.cider
    }
}

/// Statistics of the requested metrics, one for each item; those of other metrics are empty.
#[derive(Debug, Default, PartialEq)]
pub struct ItemStatistics {
    /// Counts for BLEU.
    pub bleu: Vec<BleuStatistics>,
    /// CIDEr-D of each item.
    pub cider_d: Vec<f64>,
    /// CIDEr of each item.
    pub cider: Vec<f64>,
    /// ROUGE-L of each item.
    pub rouge_l: Vec<f64>,
}

impl ItemStatistics {
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

/// How to divide the work of [`References::score`]. The results have the same bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Strategy {
    /// Count the document frequencies of the references, and look the predictions up while counting: no table of n-grams
    /// is built.
    Once,
    /// Divide a small batch into shares of this many predictions; one thread takes a share through all steps.
    Shares(usize),
    /// Divide each step among all threads, for one chunk of predictions after the other.
    Chunks,
}

impl References {
    /// Tokenize references; item `i` has the next `counts[i]` texts. Without `document_frequency`, CIDEr counts document
    /// frequencies in these references.
    ///
    /// # Errors
    /// [`Error::Empty`] without items, [`Error::NoReferences`] for an item without references, [`Error::Unequal`] if
    /// `counts` do not add up to the number of texts, [`Error::Memory`], [`Error::Cancelled`].
    pub fn new(
        texts: &impl Texts,
        counts: &[usize],
        document_frequency: Option<Arc<DocumentFrequency>>,
        plan: &Plan,
    ) -> Result<Self> {
        let text_ranges = item_ranges(counts, texts.len())?;
        let base = document_frequency.as_ref().map(|frequency| frequency.vocab());
        let (tokens, vocab) = tokenize(texts, base, plan)?;
        let external_frequency = document_frequency;
        Ok(Self { tokens, text_ranges, vocab: Arc::new(vocab), external_frequency, tfidf: OnceLock::new() })
    }

    /// Number of items.
    pub fn len(&self) -> usize {
        self.text_ranges.len()
    }

    /// Always false: references without items are an error.
    pub fn is_empty(&self) -> bool {
        self.text_ranges.is_empty()
    }

    /// Return the number of texts and of tokens of the references that [`References::score`] reads, as a measure of the
    /// time and memory that it takes.
    pub fn size_to_read(&self, chosen: Option<&[usize]>, metrics: &Metrics) -> (usize, usize) {
        match chosen {
            Some(chosen) if !metrics.need_tfidf() || self.tfidf.get().is_some() => {
                let ranges = chosen.iter().filter_map(|&item| self.text_ranges.get(item));
                ranges
                    .map(|texts| (texts.len(), self.tokens.token_count(texts.clone())))
                    .fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1))
            }
            _ => (self.tokens.len(), self.tokens.token_count(0..self.tokens.len())),
        }
    }

    /// Count in how many items each n-gram of these references occurs, whether or not document frequencies were passed to
    /// [`References::new`].
    ///
    /// # Errors
    /// [`Error::Invalid`] for an item with too many tokens or texts, [`Error::Memory`], [`Error::Cancelled`].
    pub fn document_frequency(&self, plan: &Plan) -> Result<Arc<DocumentFrequency>> {
        let (document_frequency, _) = tfidf::count_references(self.corpus(), &self.vocab, Keep::All, plan)?;
        Ok(Arc::new(document_frequency))
    }

    /// Compare predictions with the references of all items in order, or of those with the indices `chosen`, one prediction
    /// each.
    ///
    /// With `keep_tables`, document frequencies that are counted are kept for the next call. Without it a single call is
    /// faster.
    ///
    /// # Errors
    /// [`Error::Unequal`] if the numbers of predictions and items differ, [`Error::Empty`] if `chosen` is empty,
    /// [`Error::Invalid`] for a chosen item that does not exist, or an item or prediction with too many tokens or texts,
    /// [`Error::Memory`], [`Error::Cancelled`].
    pub fn score(
        &self,
        predictions: &impl Texts,
        chosen: Option<&[usize]>,
        metrics: &Metrics,
        keep_tables: bool,
        plan: &Plan,
    ) -> Result<ItemStatistics> {
        let count = chosen.map_or(self.len(), <[usize]>::len);
        check_lengths(predictions.len(), count)?;
        check_items(chosen, self.len())?;
        let score = |range: Range<usize>, plan: &Plan| {
            let references_of = |index: usize| self.text_ranges[chosen.map_or(index, |chosen| chosen[index])].clone();
            let reference_ranges: Vec<_> = range.clone().map(references_of).collect();
            self.score_chunk(&Part { texts: predictions, range }, &reference_ranges, metrics, plan)
        };
        let strategy = if is_large(predictions) {
            Strategy::Chunks
        } else {
            self.strategy(count, chosen.is_none(), metrics, keep_tables, plan)
        };
        let parts = match strategy {
            Strategy::Once => return self.score_once(predictions, metrics, plan),
            Strategy::Shares(size) => {
                // What all shares need is computed first, on all threads.
                if metrics.need_tfidf() {
                    self.tfidf(plan)?;
                }
                plan.map(count, size, || (), |(), range| score(range, &plan.at_most(1)))?
            }
            Strategy::Chunks => {
                Chunks { texts: predictions, start: 0 }.map(|range| score(range, plan)).collect::<Result<_>>()?
            }
        };
        Ok(ItemStatistics::concat(parts))
    }

    /// Choose how to score `count` predictions.
    fn strategy(&self, count: usize, all_items: bool, metrics: &Metrics, keep_tables: bool, plan: &Plan) -> Strategy {
        let must_count = metrics.need_tfidf() && self.external_frequency.is_none() && self.tfidf.get().is_none();
        let per_thread = count.div_ceil(plan.threads());
        if must_count && all_items && !keep_tables {
            Strategy::Once
        } else if per_thread <= MAX_SHARE {
            Strategy::Shares(per_thread.max(MIN_SHARE))
        } else {
            Strategy::Chunks
        }
    }

    /// Compare one prediction with the references of each item. See [`Strategy::Once`].
    fn score_once(&self, predictions: &impl Texts, metrics: &Metrics, plan: &Plan) -> Result<ItemStatistics> {
        let (predictions, vocab) = tokenize(predictions, Some(&self.vocab), plan)?;
        let idf = Idf::new(self.len() as f64);
        let singles = single_text_items(&predictions);
        let prediction_corpus = Corpus::new(&predictions, &singles);
        let (norms, stats) =
            tfidf::count_with_predictions(self.corpus(), prediction_corpus, &idf, vocab.max_id(), plan)?;
        let cider_inputs = Some(CiderInputs { idf: &idf, reference_norms: &norms, predictions: stats });
        let (references, predictions, reference_ranges) = (&self.tokens, &predictions, &self.text_ranges);
        Comparison { references, reference_ranges, predictions, cider_inputs, metrics }.run(vocab.max_id(), plan)
    }

    /// Compare each prediction with the references in its range of texts.
    fn score_chunk(
        &self,
        predictions: &impl Texts,
        reference_ranges: &[Range<usize>],
        metrics: &Metrics,
        plan: &Plan,
    ) -> Result<ItemStatistics> {
        let (predictions, vocab) = tokenize(predictions, Some(&self.vocab), plan)?;
        let cider_inputs = if metrics.need_tfidf() {
            let ReferenceTfidf { document_frequency, norms } = self.tfidf(plan)?;
            let singles = single_text_items(&predictions);
            let corpus = Corpus::new(&predictions, &singles);
            let stats = tfidf::look_up(corpus, document_frequency, vocab.max_id(), true, plan)?;
            Some(CiderInputs { idf: document_frequency.idf(), reference_norms: norms, predictions: stats })
        } else {
            None
        };
        let (references, predictions) = (&self.tokens, &predictions);
        Comparison { references, reference_ranges, predictions, cider_inputs, metrics }.run(vocab.max_id(), plan)
    }

    fn corpus(&self) -> Corpus<'_> {
        Corpus::new(&self.tokens, &self.text_ranges)
    }

    /// Return the document frequencies and the norms of the references, after computing them in the first call.
    fn tfidf(&self, plan: &Plan) -> Result<&ReferenceTfidf> {
        if let Some(tfidf) = self.tfidf.get() {
            return Ok(tfidf);
        }
        let (document_frequency, norms) = if let Some(frequency) = &self.external_frequency {
            let stats = tfidf::look_up(self.corpus(), frequency, self.vocab.max_id(), false, plan)?;
            (frequency.clone(), stats.norms)
        } else {
            let (frequency, norms) = tfidf::count_references(self.corpus(), &self.vocab, Keep::Shared, plan)?;
            (Arc::new(frequency), norms)
        };
        Ok(self.tfidf.get_or_init(|| ReferenceTfidf { document_frequency, norms }))
    }
}

/// Return the largest number of tokens of predictions that [`References::score`] may have in memory at once.
pub fn max_tokens_at_once(predictions: &impl Texts) -> usize {
    let longest = max_tokens(predictions).max().unwrap_or(0);
    max_tokens(predictions).sum::<usize>().min(MAX_TOKENS_AT_ONCE.max(CHUNK_TOKENS + longest))
}

fn is_large(predictions: &impl Texts) -> bool {
    max_tokens(predictions).sum::<usize>() > MAX_TOKENS_AT_ONCE
}

fn max_tokens(texts: &impl Texts) -> impl Iterator<Item = usize> {
    (0..texts.len()).map(|text| texts.max_tokens(text))
}

/// Iterator over the chunks of [`Strategy::Chunks`].
struct Chunks<'a, T> {
    texts: &'a T,
    start: usize,
}

impl<T: Texts> Iterator for Chunks<'_, T> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let (start, limit) = (self.start, self.texts.len().min(self.start + CHUNK));
        let mut tokens = 0;
        while self.start < limit && tokens < CHUNK_TOKENS {
            tokens += self.texts.max_tokens(self.start);
            self.start += 1;
        }
        (start < self.start).then_some(start..self.start)
    }
}

/// Check that there is one prediction for each item.
fn check_lengths(predictions: usize, items: usize) -> Result<()> {
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

/// Check that chosen items exist.
fn check_items(chosen: Option<&[usize]>, count: usize) -> Result<()> {
    match chosen.into_iter().flatten().find(|&&item| item >= count) {
        Some(item) => {
            let problem = format!("item {item} does not exist, there are {count}");
            Err(Error::Invalid { parameter: "items", problem })
        }
        None => Ok(()),
    }
}

/// Make each text an item.
fn single_text_items(texts: &Tokens) -> Vec<Range<usize>> {
    (0..texts.len()).map(|text| text..text + 1).collect()
}

/// Return the range of texts of each item, from the number of texts of each.
fn item_ranges(counts: &[usize], texts: usize) -> Result<Vec<Range<usize>>> {
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
