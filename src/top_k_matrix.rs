//! The k best of each row of a matrix that Python holds.

use std::ops::Range;

use half::f16;
use muge_fast_core::retrieval::top_k_matrix::{Best, Matrix, Value, top_k_of as best_of_rows};
use numpy::ndarray::{ArrayView2, Axis, s};
use numpy::{Element, PyArray2, PyArrayMethods, PyReadonlyArray2};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::border::{make_array, run, thread_count};
use crate::retrieval::level;

type Arrays<'py> = (Bound<'py, PyAny>, Bound<'py, PyAny>);

/// Return the values and the columns of the `k` best of each row of a matrix of float32, float64 or float16.
#[pyfunction]
#[pyo3(signature = (similarity, k, threads=None))]
pub fn top_k_of<'py>(
    py: Python<'py>,
    similarity: &Bound<'py, PyAny>,
    k: usize,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
) -> PyResult<Arrays<'py>> {
    if let Ok(matrix) = similarity.cast::<PyArray2<f32>>() {
        best(py, &matrix.try_readonly()?, k, threads)
    } else if let Ok(matrix) = similarity.cast::<PyArray2<f64>>() {
        best(py, &matrix.try_readonly()?, k, threads)
    } else if let Ok(matrix) = similarity.cast::<PyArray2<f16>>() {
        best(py, &matrix.try_readonly()?, k, threads)
    } else {
        Err(PyTypeError::new_err("similarity: expected a matrix of float32, float64 or float16"))
    }
}

fn best<'py, V: Value + Element>(
    py: Python<'py>,
    similarity: &PyReadonlyArray2<'py, V>,
    k: usize,
    threads: Option<i64>,
) -> PyResult<Arrays<'py>> {
    let matrix = View(similarity.as_array());
    let level = level()?;
    let Best { scores, indices } = run(py, threads, |plan| best_of_rows(&matrix, k, level, plan))?;
    let shape = (matrix.0.nrows(), k);
    let scores = make_array(py, scores)?.reshape(shape)?;
    let indices = make_array(py, indices)?.reshape(shape)?;
    Ok((scores.into_any(), indices.into_any()))
}

/// A matrix in any layout.
struct View<'a, V>(ArrayView2<'a, V>);

impl<V: Value> Matrix for View<'_, V> {
    type Value = V;

    fn shape(&self) -> (usize, usize) {
        self.0.dim()
    }

    fn row(&self, row: usize) -> Option<&[V]> {
        self.0.index_axis(Axis(0), row).to_slice()
    }

    fn visit_columns(&self, rows: Range<usize>, mut visit: impl FnMut(usize, usize, V)) {
        let rows = self.0.slice(s![rows, ..]);
        for (column, values) in rows.columns().into_iter().enumerate() {
            values.iter().enumerate().for_each(|(row, &value)| visit(row, column, value));
        }
    }
}
