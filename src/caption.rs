//! Caption metrics: references prepared once, rows for predictions, scores of rows.

use std::borrow::Cow;
use std::sync::Arc;

use muge_fast_core::caption::bleu::{self, BleuRow, Smoothing};
use muge_fast_core::caption::cider::Cider;
use muge_fast_core::caption::{self, Metrics};
use muge_fast_core::text::ngrams::MAX_ORDER;
use muge_fast_core::text::vocab::Vocab;
use muge_fast_core::{Error, sums};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};

use crate::border::{exception, run, run_sized, thread_count};
use crate::text::{Input, Names, Tokenizer, strings};

/// In how many documents each n-gram occurs.
#[pyclass(frozen, module = "muge_fast._core")]
pub struct DocumentFrequency(Arc<caption::DocumentFrequency>);

#[pymethods]
impl DocumentFrequency {
    /// From token ids: `ngrams` has one row for each n-gram, ids from 1, padded with zeros at the end.
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
        if ngrams.nrows() != counts.len() {
            let problem = format!("{} n-grams have {} counts", ngrams.nrows(), counts.len());
            return Err(PyValueError::new_err(format!("document_frequency: {problem}")));
        }
        if ngrams.rows().into_iter().any(|row| row.iter().skip_while(|&&id| id > 0).any(|&id| id > 0)) {
            return Err(PyValueError::new_err("document_frequency: n-gram with a gap"));
        }
        let frequency = py.detach(|| {
            let mut vocab = Vocab::default();
            tokens.iter().for_each(|token| _ = vocab.intern(token));
            if vocab.max_id() as usize != tokens.len() {
                let problem = "a token comes twice".to_owned();
                return Err(Error::Invalid { parameter: "document_frequency", problem });
            }
            let rows = ngrams.rows().into_iter().map(|row| row.iter().copied().take_while(|&id| id > 0).collect());
            let rows: Vec<Vec<u32>> = rows.collect();
            let counts = rows.iter().map(Vec::as_slice).zip(counts.iter().copied());
            caption::DocumentFrequency::from_ids(documents, vocab, counts)
        });
        Ok(Self(Arc::new(frequency.map_err(|error| exception(&error))?)))
    }

    /// From the content of a pickle, of which nothing is executed.
    #[staticmethod]
    fn from_pickle(py: Python<'_>, data: &[u8]) -> PyResult<Self> {
        run(py, None, |_| caption::DocumentFrequency::from_pickle(data)).map(Arc::new).map(Self)
    }

    #[getter]
    fn documents(&self) -> f64 {
        self.0.documents()
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// A number that tells two tables apart.
    fn fingerprint(&self, py: Python<'_>) -> u64 {
        py.detach(|| self.0.fingerprint())
    }

    /// In how many documents the n-gram of these tokens occurs.
    fn count(&self, ngram: &Bound<'_, PyList>) -> PyResult<u32> {
        let tokens = strings(ngram, |place| format!("ngram[{place}]"))?;
        let ids: Option<Vec<u32>> = tokens.iter().map(|token| self.0.vocab().get(token)).collect();
        Ok(ids.map_or(0, |ids| self.0.get(&ids)))
    }

    /// All tokens, and the n-grams and counts in the form that `from_ids` takes.
    #[allow(clippy::type_complexity)]
    fn to_ids<'py>(
        &self,
        py: Python<'py>,
    ) -> PyResult<(Vec<String>, Bound<'py, PyArray2<u32>>, Bound<'py, PyArray1<u32>>)> {
        let (tokens, ngrams, counts) = py.detach(|| {
            let vocab = self.0.vocab();
            let tokens = (1..=vocab.max_id()).filter_map(|id| vocab.token(id)).map(Cow::into_owned).collect();
            let (mut ngrams, counts): (Vec<_>, Vec<u32>) = self.0.sorted().into_iter().unzip();
            ngrams.iter_mut().for_each(|ngram| ngram.resize(MAX_ORDER, 0));
            (tokens, ngrams.concat(), counts)
        });
        let ngrams = PyArray1::from_vec(py, ngrams).reshape([counts.len(), MAX_ORDER])?;
        Ok((tokens, ngrams, PyArray1::from_vec(py, counts)))
    }
}

/// References of all items.
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
        let given = document_frequency.map(|frequency| frequency.0.clone());
        run_sized(py, threads, input.size(), |plan| caption::References::new(&input, &counts, given, plan)).map(Self)
    }

    fn __len__(&self) -> usize {
        self.0.len()
    }

    /// The document frequency of these references.
    #[pyo3(signature = (threads=None))]
    fn document_frequency(
        &self,
        py: Python<'_>,
        #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    ) -> PyResult<DocumentFrequency> {
        run(py, threads, |plan| self.0.document_frequency(plan)).map(DocumentFrequency)
    }

    /// Rows of the metrics named, by metric. `once` says that nothing needs to be kept for a second time.
    #[pyo3(signature = (
        predictions, tokenizer, metrics, ids=None, items=None, sigma=6.0, orders=4, threads=None, once=false
    ))]
    #[allow(clippy::too_many_arguments)]
    fn rows<'py>(
        &self,
        py: Python<'py>,
        predictions: &Bound<'py, PyList>,
        tokenizer: Option<&Tokenizer>,
        metrics: Vec<String>,
        ids: Option<Bound<'py, PyList>>,
        items: Option<Vec<usize>>,
        sigma: f64,
        orders: usize,
        #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
        once: bool,
    ) -> PyResult<Bound<'py, PyDict>> {
        let input = Input::rows(predictions, tokenizer, &Names { parameter: "predictions", ids })?;
        let named = |name| metrics.iter().any(|metric| metric == name);
        let metrics = Metrics {
            bleu: named("bleu"),
            cider_d: named("cider_d"),
            cider: named("cider"),
            rouge_l: named("rouge_l"),
            parameters: Cider { sigma, orders },
        };
        let size = input.size() + self.0.tokens_to_read(items.as_deref(), &metrics);
        let rows = run_sized(py, threads, size, |plan| match items {
            None if once => self.0.score_once(&input, &metrics, plan),
            _ => self.0.score(&input, items.as_deref(), &metrics, plan),
        })?;
        let arrays = PyDict::new(py);
        if metrics.bleu {
            let array = PyArray1::from_vec(py, rows.bleu.into_flattened());
            arrays.set_item("bleu", array.call_method1("reshape", ((-1, bleu::WIDTH),))?)?;
        }
        for (name, wanted, values) in [
            ("cider_d", metrics.cider_d, rows.cider_d),
            ("cider", metrics.cider, rows.cider),
            ("rouge_l", metrics.rouge_l, rows.rouge_l),
        ] {
            if wanted {
                arrays.set_item(name, PyArray1::from_vec(py, values))?;
            }
        }
        Ok(arrays)
    }
}

/// BLEU-1 to BLEU-4 and the brevity penalty of the sum of all rows.
#[pyfunction]
#[pyo3(signature = (rows, smoothing, smoothing_value=None, effective_order=false))]
pub fn bleu_score(
    rows: PyReadonlyArray2<'_, f64>,
    smoothing: &str,
    smoothing_value: Option<f64>,
    effective_order: bool,
) -> PyResult<(Vec<f64>, f64)> {
    let smoothing = Smoothing::named(smoothing, smoothing_value).map_err(|error| exception(&error))?;
    let score = bleu::score(&sums::sum(bleu_rows(&rows)?), smoothing, effective_order);
    Ok((score.by_order.to_vec(), score.brevity_penalty))
}

/// BLEU-1 to BLEU-4 of each row.
#[pyfunction]
#[pyo3(signature = (rows, smoothing, smoothing_value=None, effective_order=false))]
pub fn bleu_items<'py>(
    py: Python<'py>,
    rows: PyReadonlyArray2<'py, f64>,
    smoothing: &str,
    smoothing_value: Option<f64>,
    effective_order: bool,
) -> PyResult<Bound<'py, PyAny>> {
    let smoothing = Smoothing::named(smoothing, smoothing_value).map_err(|error| exception(&error))?;
    let items = bleu_rows(&rows)?.iter().flat_map(|row| bleu::score(row, smoothing, effective_order).by_order);
    PyArray1::from_iter(py, items).call_method1("reshape", ((-1, MAX_ORDER),))
}

fn bleu_rows<'a>(rows: &'a PyReadonlyArray2<'_, f64>) -> PyResult<&'a [BleuRow]> {
    let (whole, rest) = rows.as_slice()?.as_chunks();
    if !rest.is_empty() || rows.as_array().ncols() != bleu::WIDTH {
        return Err(PyValueError::new_err(format!("rows: needs {} columns", bleu::WIDTH)));
    }
    Ok(whole)
}

/// The mean of values, with the bits of `numpy.mean`.
#[pyfunction]
pub fn mean(values: PyReadonlyArray1<'_, f64>) -> PyResult<f64> {
    Ok(sums::mean(values.as_slice()?))
}
