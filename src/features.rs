//! Feature files.

use std::path::PathBuf;

use muge_fast_core::io::features::{ID_FIELDS, Ids, read, write};
use numpy::{PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::border::{check_memory, make_array, make_objects, run, thread_count, with_filename};
use crate::retrieval::level;
use crate::source::OpenFile;

/// Memory for a string of Python apart from its characters, and for its place in a list.
const STRING_BYTES: usize = 96;

/// Memory that Python sets aside for small objects at a time.
const SPARE_BYTES: usize = 2 << 20;

/// Ids, a matrix of float32, and the name of the field of the ids.
/// Read ids, a matrix of float32, and the name of the field of the ids from a file of JSON lines. Ids are an array of int64
/// or a list of strings.
#[pyfunction]
#[pyo3(signature = (path, threads=None))]
pub fn read_features(
    py: Python<'_>,
    path: PathBuf,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
) -> PyResult<Bound<'_, PyTuple>> {
    let source = OpenFile::open(py, &path)?;
    let level = level()?;
    let features = with_filename(py, &path, run(py, threads, |plan| read(&source, level, plan)))?;
    let shape = (features.ids.len(), features.width());
    let ids = match features.ids {
        Ids::Integers(ids) => make_array(py, ids)?.into_any(),
        Ids::Texts(ids) => {
            // Strings of Python, whose characters take up to four bytes: PyO3 panics where one cannot be made.
            let bytes: usize = ids.iter().map(|id| 4 * id.len() + STRING_BYTES).sum();
            check_memory(bytes + SPARE_BYTES)?;
            make_objects(|| PyList::new(py, ids))?.into_any()
        }
    };
    let values = make_array(py, features.values)?.reshape(shape)?;
    make_objects(|| (ids, values, features.field).into_pyobject(py))
}

/// Ids as Python passes them.
#[derive(FromPyObject)]
pub enum IdsArgument<'py> {
    /// An array of int64.
    Integers(PyReadonlyArray1<'py, i64>),
    /// A list of strings.
    Texts(Vec<String>),
}

/// Format lines of a feature file, in blocks, from ids and the rows of a matrix in C order. `field` is the name of the id.
#[pyfunction]
#[pyo3(signature = (ids, features, field, threads=None))]
pub fn format_feature_lines<'py>(
    py: Python<'py>,
    ids: IdsArgument<'py>,
    features: PyReadonlyArray2<'py, f32>,
    field: &str,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
) -> PyResult<Bound<'py, PyList>> {
    let Some(&field) = ID_FIELDS.iter().find(|known| **known == field) else {
        return Err(PyValueError::new_err(format!("unknown id_field {field:?}")));
    };
    let ids = match ids {
        IdsArgument::Integers(ids) => Ids::Integers(ids.as_slice()?.to_vec()),
        IdsArgument::Texts(ids) => Ids::Texts(ids),
    };
    let features = features.as_slice()?;
    let blocks = run(py, threads, |plan| write(field, &ids, features, plan))?;
    make_objects(|| PyList::new(py, blocks.iter().map(|block| PyBytes::new(py, block))))
}
