//! Random numbers of `numpy.random.default_rng`, and sums of resampled and of swapped items.

use std::sync::{Mutex, MutexGuard};

use muge_fast_core::resampling::resample::resample_sums;
use muge_fast_core::resampling::swap::swap_sums;
use muge_fast_core::resampling::{self, Rows};
use muge_fast_core::simd::Level;
use muge_fast_core::{Plan, Result};
use numpy::{PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::exceptions::PyIndexError;
use pyo3::prelude::*;

use crate::border::{Amount, exception, make_array, run_sized, thread_count, try_lock};
use crate::retrieval::level;

/// The generator, somewhere in its sequence. A call that fails or is interrupted leaves it there; a call while another one
/// runs raises a `RuntimeError`.
#[pyclass(frozen, module = "muge_fast._core")]
pub struct Pcg64(Mutex<resampling::Pcg64>);

impl Pcg64 {
    fn lock(&self) -> PyResult<MutexGuard<'_, resampling::Pcg64>> {
        try_lock(&self.0, "generator")
    }

    /// Run work on a copy of the generator, which takes its place afterwards.
    fn draw<T: Send>(
        &self,
        py: Python<'_>,
        threads: Option<i64>,
        amount: Amount,
        work: impl FnOnce(&mut resampling::Pcg64, &Plan) -> Result<T> + Send,
    ) -> PyResult<T> {
        let mut guard = self.lock()?;
        let mut generator = guard.clone();
        let copy = &mut generator;
        let result = run_sized(py, threads, amount, |plan| work(copy, plan))?;
        *guard = generator;
        Ok(result)
    }
}

#[pymethods]
impl Pcg64 {
    /// Start from a seed in words of 32 bits, the lowest first.
    #[new]
    fn new(seed: Vec<u32>) -> PyResult<Self> {
        let generator = resampling::Pcg64::new(&seed).map_err(|error| exception(&error))?;
        Ok(Self(Mutex::new(generator)))
    }

    /// Return the next numbers, `random_raw(count)` of NumPy.
    fn raw<'py>(&self, py: Python<'py>, count: usize) -> PyResult<Bound<'py, PyArray1<u64>>> {
        let (level, amount) = (level()?, Amount { steps: count, bytes: count.saturating_mul(size_of::<u64>()) });
        let numbers = self.draw(py, Some(1), amount, |generator, plan| generator.raw(count, level, plan))?;
        make_array(py, numbers)
    }

    /// Return `integers(0, n, count)` of NumPy.
    fn indices<'py>(&self, py: Python<'py>, n: usize, count: usize) -> PyResult<Bound<'py, PyArray1<u32>>> {
        let (level, amount) = (level()?, Amount { steps: count, bytes: count.saturating_mul(size_of::<u32>()) });
        let indices = self.draw(py, Some(1), amount, |generator, plan| generator.indices(n, count, level, plan))?;
        make_array(py, indices)
    }

    /// Return `integers(2, size=count, dtype=bool)` of NumPy.
    fn bits<'py>(&self, py: Python<'py>, count: usize) -> PyResult<Bound<'py, PyArray1<bool>>> {
        let amount = Amount { steps: count, bytes: count };
        let bits = self.draw(py, Some(1), amount, |generator, plan| generator.bits(count, plan))?;
        make_array(py, bits)
    }

    /// Skip numbers, as `advance(steps)` of NumPy's bit generator.
    fn advance(&self, steps: u128) -> PyResult<()> {
        self.lock()?.advance(steps);
        Ok(())
    }

    /// Return the sums of resamples of the rows, one row for each resample.
    #[pyo3(signature = (rows, resamples, threads=None))]
    fn resample_sums<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray2<'py, f64>,
        resamples: usize,
        #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        self.sums(py, &rows, resamples, threads, resample_sums)
    }

    /// Return the sums of resamples of one column, rounded; None where rounding does not suit the numbers.
    #[pyo3(signature = (values, resamples, threads=None))]
    fn rounded_sums(
        &self,
        py: Python<'_>,
        values: PyReadonlyArray1<'_, f64>,
        resamples: usize,
        #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    ) -> PyResult<Option<RoundedSums>> {
        let (values, level) = (values.as_slice()?, level()?);
        let amount =
            Amount { steps: values.len().saturating_mul(resamples) / 8, bytes: memory(values.len(), 2, resamples) };
        let sums = self.draw(py, threads, amount, |generator, plan| {
            resampling::RoundedSums::draw(generator, values, resamples, level, plan)
        })?;
        Ok(sums.map(RoundedSums))
    }

    /// Return the sums of the rows that random bits select, one row for each trial.
    #[pyo3(signature = (rows, trials, threads=None))]
    fn swap_sums<'py>(
        &self,
        py: Python<'py>,
        rows: PyReadonlyArray2<'py, f64>,
        trials: usize,
        #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        self.sums(py, &rows, trials, threads, swap_sums)
    }
}

impl Pcg64 {
    /// Return `count` sums of rows.
    fn sums<'py>(
        &self,
        py: Python<'py>,
        rows: &PyReadonlyArray2<'py, f64>,
        count: usize,
        threads: Option<i64>,
        sums: impl FnOnce(&mut resampling::Pcg64, &Rows<'_>, usize, Level, &Plan) -> Result<Vec<f64>> + Send,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let (n, columns) = rows.as_array().dim();
        let (values, level) = (rows.as_slice()?, level()?);
        let amount = Amount {
            steps: n.saturating_mul(columns.saturating_add(8)).saturating_mul(count) / 8,
            bytes: memory(n, columns, count),
        };
        let sums = self.draw(py, threads, amount, |generator, plan| {
            sums(generator, &Rows::new(values, columns)?, count, level, plan)
        })?;
        make_array(py, sums)?.reshape([count, columns])
    }
}

/// Sums of resamples of one column, rounded, with the exact ones on demand.
#[pyclass(frozen, module = "muge_fast._core")]
pub struct RoundedSums(resampling::RoundedSums);

#[pymethods]
impl RoundedSums {
    /// How much a sum may differ from the exact one.
    #[getter]
    fn error(&self) -> f64 {
        self.0.error()
    }

    /// Return all sums.
    fn sums<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyArray1<f64>>> {
        make_array(py, self.0.sums().to_vec())
    }

    /// Return the exact sums of some resamples.
    fn exact<'py>(
        &self,
        py: Python<'py>,
        resamples: PyReadonlyArray1<'py, i64>,
    ) -> PyResult<Bound<'py, PyArray1<f64>>> {
        let (count, level) = (self.0.sums().len(), level()?);
        let inside = |&resample: &i64| usize::try_from(resample).ok().filter(|&resample| resample < count);
        let resamples: Option<Vec<usize>> = resamples.as_slice()?.iter().map(inside).collect();
        let resamples = resamples.ok_or_else(|| PyIndexError::new_err("there is no such resample"))?;
        let steps = self.0.items().saturating_mul(resamples.len()) / 8;
        let amount = Amount { steps, bytes: memory(self.0.items(), 2, resamples.len()) };
        let sums = run_sized(py, Some(1), amount, |plan| self.0.exact(&resamples, level, plan))?;
        make_array(py, sums)
    }
}

/// Upper bound of the memory that sums take.
fn memory(n: usize, columns: usize, count: usize) -> usize {
    let numbers = columns.saturating_mul(n.saturating_add(count));
    numbers.saturating_add(n).saturating_mul(size_of::<f64>())
}
