//! Tests of differences between systems.

use muge_fast_core::significance::{self, Alternative, StepDown};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

use crate::border::{Size, exception, make_array, run, run_sized, thread_count};

/// Adjusted p-values, standard errors and critical values.
type StepDownArrays<'py> = (Bound<'py, PyArray1<f64>>, Bound<'py, PyArray1<f64>>, Vec<f64>);

/// Return the exact p-value of whole differences under sign flips, None if it would take too long.
#[pyfunction]
#[pyo3(signature = (differences, alternative, mid_p=false))]
pub fn sign_flip_exact(
    py: Python<'_>,
    differences: PyReadonlyArray1<'_, i64>,
    alternative: &str,
    mid_p: bool,
) -> PyResult<Option<f64>> {
    let alternative = Alternative::named(alternative).map_err(|error| exception(&error))?;
    let differences = differences.as_slice()?;
    let size = Size { texts: 0, tokens: differences.len() };
    run_sized(py, Some(1), size, |plan| significance::sign_flip_exact(differences, alternative, mid_p, plan))
}

/// Return the sum of each subset of rows: row i sums the rows whose bit is set in i.
#[pyfunction]
pub fn subset_sums<'py>(py: Python<'py>, rows: PyReadonlyArray2<'py, f64>) -> PyResult<Bound<'py, PyArray2<f64>>> {
    let width = rows.as_array().ncols();
    let values = rows.as_slice()?;
    let sums = run(py, Some(1), |_| significance::subset_sums(values, width))?;
    let subsets = sums.len() / width;
    make_array(py, sums)?.reshape([subsets, width])
}

/// Return the adjusted p-value and the standard error of each pair of systems, and the critical values of all steps.
#[pyfunction]
#[pyo3(signature = (scores, observed, pairs, level, threads=None))]
pub fn step_down<'py>(
    py: Python<'py>,
    scores: PyReadonlyArray2<'py, f64>,
    observed: PyReadonlyArray1<'py, f64>,
    pairs: PyReadonlyArray2<'py, u32>,
    level: f64,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
) -> PyResult<StepDownArrays<'py>> {
    let (scores, observed) = (scores.as_slice()?, observed.as_slice()?);
    let (pairs, _) = pairs.as_slice()?.as_chunks::<2>();
    let StepDown { adjusted, errors, critical } =
        run(py, threads, |plan| significance::step_down(scores, observed, pairs, level, plan))?;
    Ok((make_array(py, adjusted)?, make_array(py, errors)?, critical))
}
