//! Feature files.

use std::path::PathBuf;

use muge_fast_core::io::features::{ID_FIELDS, read, write};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::border::{run, thread_count, with_filename};
use crate::retrieval::level;
use crate::source::OpenFile;

/// Read ids and a matrix of float32 from a file of JSON lines.
#[pyfunction]
#[pyo3(signature = (path, threads=None))]
#[allow(clippy::type_complexity)]
pub fn read_features(
    py: Python<'_>,
    path: PathBuf,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
) -> PyResult<(Bound<'_, PyArray1<i64>>, Bound<'_, PyArray2<f32>>)> {
    let source = OpenFile::open(py, &path)?;
    let level = level()?;
    let features = with_filename(py, &path, run(py, threads, |plan| read(&source, level, plan)))?;
    let shape = (features.ids.len(), features.width());
    Ok((PyArray1::from_vec(py, features.ids), PyArray1::from_vec(py, features.values).reshape(shape)?))
}

/// Format lines of a feature file, in blocks, from ids and the rows of a matrix in C order. `field` is the name of the id.
#[pyfunction]
#[pyo3(signature = (ids, features, field, threads=None))]
pub fn format_feature_lines<'py>(
    py: Python<'py>,
    ids: PyReadonlyArray1<'py, i64>,
    features: PyReadonlyArray2<'py, f32>,
    field: &str,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let Some(&field) = ID_FIELDS.iter().find(|known| **known == field) else {
        return Err(PyValueError::new_err(format!("unknown id_field {field:?}")));
    };
    let (ids, features) = (ids.as_slice()?, features.as_slice()?);
    let blocks = run(py, threads, |plan| write(field, ids, features, plan))?;
    Ok(blocks.iter().map(|block| PyBytes::new(py, block)).collect())
}
