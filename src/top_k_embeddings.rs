//! The k best items of each query from embeddings that Python holds.

use half::{bf16, f16, slice::HalfBitsSliceExt};
use muge_fast_core::Result;
use muge_fast_core::memory;
use muge_fast_core::retrieval::Lists;
use muge_fast_core::retrieval::top_k_embeddings::{self, Metric, Numbers, State, Vectors};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;

use crate::border::{Watched, exception, run, run_watched, thread_count};
use crate::retrieval::kernels;

type Arrays<'py> = (Bound<'py, PyArray2<f64>>, Bound<'py, PyArray2<i64>>);
type Floats<'py> = Bound<'py, PyArray1<f64>>;
type Integers<'py> = Bound<'py, PyArray1<i64>>;
type Parts<'py> = (usize, &'static str, usize, Vec<usize>, Floats<'py>, Integers<'py>, Vec<(i64, i64)>);

/// The best items that each query has seen so far.
#[pyclass(module = "muge_fast._core")]
pub struct TopK(top_k_embeddings::TopK);

#[pymethods]
impl TopK {
    #[new]
    fn new(k: usize, metric: &str) -> PyResult<Self> {
        let new = || top_k_embeddings::TopK::new(k, Metric::named(metric)?);
        new().map(Self).map_err(|error| exception(&error))
    }

    /// Show a block of items to all queries. Both are matrices in C order of float32, float16, or the bits of bfloat16
    /// as uint16; `exclude` holds sorted lists laid end to end, one for each query, or none at all.
    #[allow(clippy::too_many_arguments)] // Python names them.
    #[pyo3(signature = (queries, items, offset, exclude, exclude_lengths, threads=None, progress=None))]
    fn update(
        &mut self,
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
        run_watched(py, Watched { threads, progress }, |plan| {
            self.0.update(&queries, &items, offset, &exclude, kernels, plan)
        })
    }

    /// Take over what another one has seen.
    fn merge(&mut self, py: Python<'_>, other: &Self) -> PyResult<()> {
        run(py, Some(1), |_| self.0.merge(&other.0))
    }

    /// Scores and indices of shape (queries, k).
    fn best<'py>(&self, py: Python<'py>) -> PyResult<Arrays<'py>> {
        let (scores, indices) = self.0.best().map_err(|error| exception(&error))?;
        let shape = [self.0.queries(), self.0.k()];
        let scores = PyArray1::from_vec(py, scores).reshape(shape)?;
        Ok((scores, PyArray1::from_vec(py, indices).reshape(shape)?))
    }

    /// All that `from_seen` needs: k, metric, length of vectors, where the entries of each query end, their scores and
    /// indices, and where each block starts and ends.
    fn seen<'py>(&self, py: Python<'py>) -> PyResult<Parts<'py>> {
        let State { dims, ends, scores, indices, blocks } = self.0.state().map_err(|error| exception(&error))?;
        let (scores, indices) = (PyArray1::from_vec(py, scores), PyArray1::from_vec(py, indices));
        Ok((self.0.k(), self.0.metric().name(), dims, ends, scores, indices, blocks))
    }

    /// A search that has seen what `seen` gives.
    #[staticmethod]
    #[allow(clippy::too_many_arguments)] // They are of one tuple.
    fn from_seen(
        k: usize,
        metric: &str,
        dims: usize,
        ends: Vec<usize>,
        scores: PyReadonlyArray1<'_, f64>,
        indices: PyReadonlyArray1<'_, i64>,
        blocks: Vec<(i64, i64)>,
    ) -> PyResult<Self> {
        let (scores, indices) = (scores.as_slice()?, indices.as_slice()?);
        let made = || {
            let scores = memory::collect(scores.iter().copied(), scores.len())?;
            let indices = memory::collect(indices.iter().copied(), indices.len())?;
            let state = State { dims, ends, scores, indices, blocks };
            top_k_embeddings::TopK::from_state(k, Metric::named(metric)?, &state)
        };
        made().map(Self).map_err(|error| exception(&error))
    }

    /// Number of items seen.
    #[getter]
    fn items(&self) -> usize {
        self.0.items()
    }

    /// Number of queries, zero before the first block.
    #[getter]
    fn queries(&self) -> usize {
        self.0.queries()
    }
}

/// A borrowed matrix of one of three types.
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
        let vectors: Result<_> = Vectors::new(name, numbers, shape[0], shape[1]);
        vectors.map_err(|error| exception(&error))
    }
}
