//! Retrieval: rankings and their scores.

use std::env;

use muge_fast_core::lanes::Level;
use pyo3::prelude::*;

use crate::border::exception;

/// The CPU level that kernels use: the highest, or what the environment variable `MUGE_FAST_CPU` names.
#[pyfunction]
pub fn cpu_level() -> PyResult<&'static str> {
    level().map(Level::name)
}

/// The same for kernels. Read at every call, so that a test can go through all levels.
pub fn level() -> PyResult<Level> {
    match env::var("MUGE_FAST_CPU") {
        Ok(name) if !name.is_empty() => name.parse().map_err(|error| exception(&error)),
        _ => Ok(Level::best()),
    }
}
