//! Scores of rankings, and the kernels of searches.

use std::env;

use muge_fast_core::retrieval::Lists;
use muge_fast_core::retrieval::metrics::{self, Metric};
use muge_fast_core::retrieval::top_k_embeddings::Kernels;
use muge_fast_core::simd::Level;
use numpy::{PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;

use crate::border::{Size, exception, make_array, run_sized, thread_count};

/// Return the name of the CPU level that kernels use: the highest, or the one that the environment variable
/// `MUGE_FAST_CPU` names.
#[pyfunction]
pub fn cpu_level() -> PyResult<&'static str> {
    level().map(Level::name)
}

/// Return the CPU level. The variable is read at every call, so that a test can go through all levels.
pub fn level() -> PyResult<Level> {
    match env::var("MUGE_FAST_CPU") {
        Ok(name) if !name.is_empty() => name.parse().map_err(|error| exception(&error)),
        _ => Ok(Level::best()),
    }
}

/// Return the kernels of a search from embeddings: those of the level, or with the coarse pass that the environment
/// variable `MUGE_FAST_COARSE` names, for tests.
pub fn kernels() -> PyResult<Kernels> {
    let kernels = Kernels::from(level()?);
    match env::var("MUGE_FAST_COARSE") {
        Ok(name) if !name.is_empty() => {
            let coarse = name.parse().map_err(|error| exception(&error))?;
            Ok(Kernels { coarse, ..kernels })
        }
        _ => Ok(kernels),
    }
}

/// Return one row for each query, one column for each pair of a metric's name and its k.
#[pyfunction]
#[pyo3(signature = (predictions, prediction_lengths, references, reference_lengths, metrics, threads=None))]
pub fn retrieval_rows<'py>(
    py: Python<'py>,
    predictions: PyReadonlyArray1<'py, i64>,
    prediction_lengths: PyReadonlyArray1<'py, i64>,
    references: PyReadonlyArray1<'py, i64>,
    reference_lengths: PyReadonlyArray1<'py, i64>,
    metrics: Vec<(String, usize)>,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let metrics: muge_fast_core::Result<Vec<Metric>> =
        metrics.iter().map(|(name, k)| Metric::named(name, *k)).collect();
    let metrics = metrics.map_err(|error| exception(&error))?;
    let lists = |parameter, ids, lengths| Lists::new(parameter, ids, lengths).map_err(|error| exception(&error));
    let predictions = lists("predictions", predictions.as_slice()?, prediction_lengths.as_slice()?)?;
    let references = lists("references", references.as_slice()?, reference_lengths.as_slice()?)?;
    let size = Size { texts: 0, tokens: predictions.ids() + references.ids() };
    let rows = run_sized(py, threads, size, |plan| metrics::rows(&predictions, &references, &metrics, plan))?;
    make_array(py, rows)?.reshape([references.len(), metrics.len()])
}
