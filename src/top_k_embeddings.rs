//! The k best items of each query from embeddings that Python holds.

use std::sync::{Mutex, MutexGuard};

use half::{bf16, f16, slice::HalfBitsSliceExt};
use muge_fast_core::memory;
use muge_fast_core::retrieval::Lists;
use muge_fast_core::retrieval::top_k_embeddings::{self, Metric, Numbers, State, Vectors};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::border::{RunOptions, exception, make_array, run, run_with, thread_count, try_lock};
use crate::retrieval::kernels;

type Arrays<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<i64>>);
type Floats<'py> = Bound<'py, PyArray1<f64>>;
type Integers<'py> = Bound<'py, PyArray1<i64>>;
type StateParts<'py> = (usize, &'static str, usize, Vec<usize>, Floats<'py>, Integers<'py>, Vec<(i64, i64)>);

/// A search of the best items of each query. A call while another one runs raises a `RuntimeError`.
#[pyclass(frozen, module = "muge_fast._core")]
pub struct TopK(Mutex<top_k_embeddings::TopK>);

impl TopK {
    fn lock(&self) -> PyResult<MutexGuard<'_, top_k_embeddings::TopK>> {
        try_lock(&self.0, "search")
    }
}

#[pymethods]
impl TopK {
    #[new]
    fn new(k: usize, metric: &str) -> PyResult<Self> {
        let new = || top_k_embeddings::TopK::new(k, Metric::named(metric)?);
        new().map(|search| Self(Mutex::new(search))).map_err(|error| exception(&error))
    }

    /// Search a block of items for all queries. Both are matrices in C order of float32, float16, or the bits of bfloat16
    /// as uint16; `exclude` holds sorted lists laid end to end, one for each query, or none at all.
    #[allow(clippy::too_many_arguments)] // Python names them.
    #[pyo3(signature = (queries, items, offset, exclude, exclude_lengths, threads=None, progress=None))]
    fn update(
        &self,
        py: Python<'_>,
        queries: &Bound<'_, PyAny>,
        items: &Bound<'_, PyAny>,
        offset: i64,
        exclude: PyReadonlyArray1<'_, i64>,
        exclude_lengths: PyReadonlyArray1<'_, i64>,
        #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<()> {
        let (queries, items) = (Embeddings::new("queries", queries)?, Embeddings::new("items", items)?);
        let (queries, items) = (queries.vectors("queries")?, items.vectors("items")?);
        let exclude = Lists::new("exclude", exclude.as_slice()?, exclude_lengths.as_slice()?);
        let exclude = exclude.map_err(|error| exception(&error))?;
        let kernels = kernels()?;
        let mut guard = self.lock()?;
        let search = &mut *guard;
        let options = RunOptions { threads, progress };
        run_with(py, options, |plan| search.update(&queries, &items, offset, &exclude, kernels, plan))
    }

    /// Add the entries of another search.
    fn merge(&self, py: Python<'_>, other: &Self) -> PyResult<()> {
        let (mut guard, other) = (self.lock()?, other.lock()?);
        let (search, other) = (&mut *guard, &*other);
        run(py, Some(1), |_| search.merge(other))
    }

    /// Return scores and indices of shape (queries, k).
    fn best<'py>(&self, py: Python<'py>) -> PyResult<Arrays<'py>> {
        let search = self.lock()?;
        let (scores, indices) = search.best().map_err(|error| exception(&error))?;
        let shape = [search.queries(), search.k()];
        let scores = make_array(py, scores)?.reshape(shape)?;
        Ok((scores, make_array(py, indices)?.reshape(shape)?))
    }

    /// Return the arguments of `from_state`: k, metric, number of dimensions, where the entries of each query end, their
    /// scores and indices, and where each block starts and ends.
    fn state<'py>(&self, py: Python<'py>) -> PyResult<StateParts<'py>> {
        let search = self.lock()?;
        let State { dims, ends, scores, indices, blocks } = search.state().map_err(|error| exception(&error))?;
        let (scores, indices) = (make_array(py, scores)?, make_array(py, indices)?);
        Ok((search.k(), search.metric().name(), dims, ends, scores, indices, blocks))
    }

    /// Return the search that has a state.
    #[staticmethod]
    #[allow(clippy::too_many_arguments)] // They are the parts of one tuple.
    fn from_state(
        k: usize,
        metric: &str,
        dims: usize,
        ends: Vec<usize>,
        scores: PyReadonlyArray1<'_, f64>,
        indices: PyReadonlyArray1<'_, i64>,
        blocks: Vec<(i64, i64)>,
    ) -> PyResult<Self> {
        let (scores, indices) = (scores.as_slice()?, indices.as_slice()?);
        let search = || {
            let scores = memory::collect(scores.iter().copied(), scores.len())?;
            let indices = memory::collect(indices.iter().copied(), indices.len())?;
            let state = State { dims, ends, scores, indices, blocks };
            top_k_embeddings::TopK::from_state(k, Metric::named(metric)?, &state)
        };
        search().map(|search| Self(Mutex::new(search))).map_err(|error| exception(&error))
    }

    /// Number of items seen.
    #[getter]
    fn items(&self) -> PyResult<usize> {
        Ok(self.lock()?.items())
    }

    /// Number of queries, zero before the first block.
    #[getter]
    fn queries(&self) -> PyResult<usize> {
        Ok(self.lock()?.queries())
    }
}

/// A borrowed matrix of one of three dtypes.
enum Embeddings<'py> {
    F32(PyReadonlyArray2<'py, f32>),
    F16(PyReadonlyArray2<'py, f16>),
    Bf16(PyReadonlyArray2<'py, u16>),
}

impl<'py> Embeddings<'py> {
    fn new(name: &str, array: &Bound<'py, PyAny>) -> PyResult<Self> {
        if let Ok(matrix) = array.cast::<PyArray2<f32>>() {
            Ok(Self::F32(matrix.try_readonly()?))
        } else if let Ok(matrix) = array.cast::<PyArray2<f16>>() {
            Ok(Self::F16(matrix.try_readonly()?))
        } else if let Ok(matrix) = array.cast::<PyArray2<u16>>() {
            Ok(Self::Bf16(matrix.try_readonly()?))
        } else {
            Err(PyTypeError::new_err(format!("{name}: expected a matrix of float32, float16 or bfloat16")))
        }
    }

    fn vectors(&self, name: &'static str) -> PyResult<Vectors<'_>> {
        let (numbers, shape) = match self {
            Self::F32(matrix) => (Numbers::F32(matrix.as_slice()?), matrix.shape()),
            Self::F16(matrix) => (Numbers::F16(matrix.as_slice()?), matrix.shape()),
            Self::Bf16(matrix) => {
                let numbers: &[bf16] = matrix.as_slice()?.reinterpret_cast();
                (Numbers::Bf16(numbers), matrix.shape())
            }
        };
        Vectors::new(name, numbers, shape[0], shape[1]).map_err(|error| exception(&error))
    }
}
