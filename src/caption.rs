//! Caption metrics: document frequencies, prepared references, BLEU from statistics, and means of scores.

use std::borrow::Cow;
use std::sync::Arc;

use muge_fast_core::caption::bleu::{self, BleuStatistics, Precision, Smoothing};
use muge_fast_core::caption::cider::CiderParameters;
use muge_fast_core::caption::{self, Metrics};
use muge_fast_core::text::ngrams::MAX_ORDER;
use muge_fast_core::{memory, sums};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::border::{Size, exception, make_array, make_objects, run, run_sized, thread_count};
use crate::text::{Input, Names, Tokenizer, strings};

/// Sums that are scored between two checks for Ctrl-C.
const SUMS_PER_CHECK: usize = 1 << 16;

/// Document frequencies of n-grams.
#[pyclass(frozen, module = "muge_fast._core")]
pub struct DocumentFrequency(Arc<caption::DocumentFrequency>);

#[pymethods]
impl DocumentFrequency {
    /// Build a table from token ids: `ngrams` has one row for each n-gram, ids from 1, padded with zeros at the end.
    #[staticmethod]
    fn from_ids(
        py: Python<'_>,
        documents: f64,
        tokens: &Bound<'_, PyList>,
        ngrams: PyReadonlyArray2<'_, u32>,
        counts: PyReadonlyArray1<'_, u32>,
    ) -> PyResult<Self> {
        let tokens = strings(tokens, |row| format!("tokens[{row}]"))?;
        let (ngrams, counts) = (ngrams.as_array(), counts.as_array());
        let frequency = run(py, Some(1), |_| {
            let tokens = tokens.iter().map(|token| &**token);
            let ngrams = ngrams.rows().into_iter().map(|row| row.into_iter().copied());
            caption::DocumentFrequency::from_padded_ids(documents, tokens, ngrams, counts.iter().copied())
        });
        frequency.map(Arc::new).map(Self)
    }

    /// Build a table like `from_ids` from tokens that are laid end to end in UTF-8, and their lengths in bytes.
    #[staticmethod]
    fn from_encoded(
        py: Python<'_>,
        documents: f64,
        encoded: PyReadonlyArray1<'_, u8>,
        lengths: PyReadonlyArray1<'_, u32>,
        ngrams: PyReadonlyArray2<'_, u32>,
        counts: PyReadonlyArray1<'_, u32>,
    ) -> PyResult<Self> {
        let (encoded, lengths) = (encoded.as_slice()?, lengths.as_slice()?);
        let (ngrams, counts) = (ngrams.as_array(), counts.as_array());
        let frequency = run(py, Some(1), |_| {
            let ngrams = ngrams.rows().into_iter().map(|row| row.into_iter().copied());
            caption::DocumentFrequency::from_encoded_tokens(documents, encoded, lengths, ngrams, counts.iter().copied())
        });
        frequency.map(Arc::new).map(Self)
    }

    /// Read a table from the content of a pickle. Nothing in it is executed.
    #[staticmethod]
    fn from_pickle(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        run(py, None, |_| caption::DocumentFrequency::from_pickle(data)).map(Arc::new).map(Self)
    }

    /// Add up tables of different documents.
    #[staticmethod]
    fn merge(py: Python<'_>, tables: Vec<PyRef<'_, Self>>) -> PyResult<Self> {
        let tables: Vec<_> = tables.iter().map(|table| table.0.clone()).collect();
        run(py, Some(1), |_| caption::DocumentFrequency::merge(&tables)).map(Arc::new).map(Self)
    }

    /// Number of documents.
    #[getter]
    fn documents(&self) -> f64 {
        self.0.documents()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Return a 64-bit hash of the table.
    fn fingerprint(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.0.fingerprint())
    }

    /// Return in how many documents the n-gram of these tokens occurs.
    fn count(&self, ngram: &Bound<'_, PyList>) -> PyResult<u32> {
        let tokens = strings(ngram, |index| format!("ngram[{index}]"))?;
        let ids: Option<Vec<u32>> = tokens.iter().map(|token| self.0.vocab().get(token)).collect();
        Ok(ids.map_or(0, |ids| self.0.get(&ids)))
    }

    /// Return all tokens, and the n-grams and counts in the form that `from_ids` takes.
    #[allow(clippy::type_complexity)]
    fn to_ids<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyArray2<u32>>, Bound<'py, PyArray1<u32>>)> {
        let (tokens, ngrams, counts) = py.detach(|| {
            let vocab = self.0.vocab();
            let tokens: Vec<_> = (1..=vocab.max_id()).filter_map(|id| vocab.token(id)).map(Cow::into_owned).collect();
            let (mut ngrams, counts): (Vec<_>, Vec<u32>) = self.0.sorted().into_iter().unzip();
            ngrams.iter_mut().for_each(|ngram| ngram.resize(MAX_ORDER, 0));
            (tokens, ngrams.concat(), counts)
        });
        let shape = [counts.len(), MAX_ORDER];
        let tokens = make_objects(|| PyList::new(py, tokens))?;
        Ok((tokens, make_array(py, ngrams)?.reshape(shape)?, make_array(py, counts)?))
    }
}

/// A metric by its name in Python.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Metric {
    Bleu,
    CiderD,
    Cider,
    RougeL,
}

impl<'py> FromPyObject<'_, 'py> for Metric {
    type Error = PyErr;

    fn extract(name: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        match name.extract::<Cow<'_, str>>()?.as_ref() {
            "bleu" => Ok(Self::Bleu),
            "cider_d" => Ok(Self::CiderD),
            "cider" => Ok(Self::Cider),
            "rouge_l" => Ok(Self::RougeL),
            name => Err(PyValueError::new_err(format!(
                "unknown metric {name:?}, choose one of bleu, cider_d, cider, rouge_l"
            ))),
        }
    }
}

/// References of all items, prepared for scoring predictions.
#[pyclass(frozen, module = "muge_fast._core")]
pub struct References(caption::References);

#[pymethods]
impl References {
    #[new]
    #[pyo3(signature = (references, tokenizer, ids=None, document_frequency=None, threads=None))]
    fn new(
        py: Python<'_>,
        references: &Bound<'_, PyList>,
        tokenizer: Option<&Tokenizer>,
        ids: Option<Bound<'_, PyList>>,
        document_frequency: Option<&DocumentFrequency>,
        #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    ) -> PyResult<Self> {
        let (input, counts) = Input::nested(references, tokenizer, &Names { parameter: "references", ids })?;
        let frequency = document_frequency.map(|frequency| frequency.0.clone());
        run_sized(py, threads, input.size(), |plan| caption::References::new(&input, &counts, frequency, plan))
            .map(Self)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// Count the document frequencies of these references, also if others were passed to the constructor.
    #[pyo3(signature = (threads=None))]
    fn document_frequency(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    ) -> PyResult<DocumentFrequency> {
        let (texts, tokens) = self.0.size_to_read(None, &Metrics::default());
        run_sized(py, threads, Size { texts, tokens }, |plan| self.0.document_frequency(plan)).map(DocumentFrequency)
    }

    /// Return a 64-bit hash of the tokens, whatever the order of the items.
    fn fingerprint(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.0.fingerprint())
    }

    /// Return the tokens: their spellings, those of all texts as indices of the spellings, the number of tokens of each
    /// text, and the number of texts of each item.
    #[allow(clippy::type_complexity)]
    fn to_ids<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Bound<'py, PyList>, Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<u32>>, Bound<'py, PyArray1<u32>>)>
    {
        let ids = py.detach(|| self.0.to_ids());
        let array = |values| make_array(py, values);
        let spellings = make_objects(|| PyList::new(py, ids.spellings))?;
        Ok((spellings, array(ids.tokens)?, array(ids.text_lengths)?, array(ids.item_counts)?))
    }

    /// Return the statistics of each item, by metric. `keep_tables` keeps document frequencies for further calls; a single
    /// call is faster without it.
    #[pyo3(
        signature = (predictions, tokenizer, metrics, ids=None, items=None, *, sigma, orders, keep_tables, threads=None)
    )]
    #[allow(clippy::too_many_arguments)]
    fn score<'py>(
        &self,
        py: Python<'py>,
        predictions: &Bound<'py, PyList>,
        tokenizer: Option<&Tokenizer>,
        metrics: Vec<Metric>,
        ids: Option<Bound<'py, PyList>>,
        items: Option<Vec<usize>>,
        sigma: f64,
        orders: usize,
        keep_tables: bool,
        #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let input = Input::flat(predictions, tokenizer, &Names { parameter: "predictions", ids })?;
        let metrics = Metrics {
            bleu: metrics.contains(&Metric::Bleu),
            cider_d: metrics.contains(&Metric::CiderD),
            cider: metrics.contains(&Metric::Cider),
            rouge_l: metrics.contains(&Metric::RougeL),
            parameters: CiderParameters { sigma, orders },
        };
        let (texts, tokens) = (input.size().texts, caption::max_tokens_at_once(&input));
        let (reference_texts, reference_tokens) = self.0.size_to_read(items.as_deref(), &metrics);
        let size = Size { texts: texts + reference_texts, tokens: tokens + reference_tokens };
        let score = |plan: &_| self.0.score(&input, items.as_deref(), &metrics, keep_tables, plan);
        let statistics = run_sized(py, threads, size, score)?;
        make_objects(|| {
            let arrays = PyDict::new(py);
            if metrics.bleu {
                let array = make_array(py, statistics.bleu.into_flattened())?;
                arrays.set_item("bleu", array.call_method1("reshape", ((-1, bleu::WIDTH),))?)?;
            }
            for (name, requested, values) in [
                ("cider_d", metrics.cider_d, statistics.cider_d),
                ("cider", metrics.cider, statistics.cider),
                ("rouge_l", metrics.rouge_l, statistics.rouge_l),
            ] {
                if requested {
                    arrays.set_item(name, make_array(py, values)?)?;
                }
            }
            Ok(arrays)
        })
    }
}

/// Return BLEU-1 to BLEU-4 and the brevity penalty of the sum of all rows.
#[pyfunction]
pub fn bleu_score<'py>(
    py: Python<'py>,
    rows: PyReadonlyArray2<'py, f64>,
    smoothing: &str,
    smoothing_value: Option<f64>,
    effective_order: bool,
) -> PyResult<Bound<'py, PyTuple>> {
    let smoothing = Smoothing::named(smoothing, smoothing_value).map_err(|error| exception(&error))?;
    let score = bleu::score(&sums::sum(bleu_statistics(&rows)?), smoothing, effective_order);
    make_objects(|| (score.by_order.to_vec(), score.brevity_penalty).into_pyobject(py))
}

/// Return BLEU-1 to BLEU-4 of each row.
#[pyfunction]
pub fn bleu_items<'py>(
    py: Python<'py>,
    rows: PyReadonlyArray2<'py, f64>,
    smoothing: &str,
    smoothing_value: Option<f64>,
    effective_order: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let smoothing = Smoothing::named(smoothing, smoothing_value).map_err(|error| exception(&error))?;
    let scores = bleu::score_items(bleu_statistics(&rows)?, smoothing, effective_order);
    make_objects(|| make_array(py, scores.into_flattened())?.call_method1("reshape", ((-1, MAX_ORDER),)))
}

/// Return BLEU-4 of each row, a sum of rows: 0 to 1, or 0 to 100 with `percent`.
#[pyfunction]
#[pyo3(signature = (sums, smoothing, smoothing_value, effective_order, precision, percent=false))]
pub fn bleu_of_sums<'py>(
    py: Python<'py>,
    sums: PyReadonlyArray2<'py, f64>,
    smoothing: &str,
    smoothing_value: Option<f64>,
    effective_order: bool,
    precision: &str,
    percent: bool,
) -> PyResult<Bound<'py, PyArray1<f64>>> {
    let smoothing = Smoothing::named(smoothing, smoothing_value).map_err(|error| exception(&error))?;
    let precision = Precision::named(precision).map_err(|error| exception(&error))?;
    let sums = bleu_statistics(&sums)?;
    let score = if percent { bleu::percent_of_sum } else { bleu::score_sum };
    let scores = run_sized(py, Some(1), Size { texts: 0, tokens: sums.len() }, |plan| {
        let mut scores = memory::with_capacity(sums.len())?;
        for sums in sums.chunks(SUMS_PER_CHECK) {
            plan.check()?;
            scores.extend(sums.iter().map(|sum| score(sum, smoothing, effective_order, precision)));
        }
        Ok(scores)
    });
    make_array(py, scores?)
}

fn bleu_statistics<'a>(rows: &'a PyReadonlyArray2<'_, f64>) -> PyResult<&'a [BleuStatistics]> {
    let (statistics, rest) = rows.as_slice()?.as_chunks();
    if !rest.is_empty() || rows.as_array().ncols() != bleu::WIDTH {
        return Err(PyValueError::new_err(format!("rows: needs {} columns", bleu::WIDTH)));
    }
    Ok(statistics)
}

/// Return the mean of values, with the bits of `numpy.mean`.
#[pyfunction]
pub fn mean(values: PyReadonlyArray1<'_, f64>) -> PyResult<f64> {
    Ok(sums::mean(values.as_slice()?))
}
