//! Image files of MUGE.

use std::path::PathBuf;

use muge_fast_core::io::image_tsv::{Limits, decode, index};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList};

use crate::border::{exception, make_objects, run, thread_count, with_filename};
use crate::source::OpenFile;

type Integers<'py> = Bound<'py, PyArray1<i64>>;
type Index<'py> = (Bound<'py, PyList>, Integers<'py>, Integers<'py>, Integers<'py>, Vec<(u64, &'static str)>);

/// Return the ids of a file, and where the base64 of each starts, how long it is, and on which line; then the line and
/// the code of each broken line. Reading stops after `most_images` or `most_broken` lines of either kind.
#[pyfunction]
#[pyo3(signature = (path, threads=None, most_images=None, most_broken=None))]
pub fn index_images(
    py: Python<'_>,
    path: PathBuf,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    most_images: Option<usize>,
    most_broken: Option<usize>,
) -> PyResult<Index<'_>> {
    let source = OpenFile::open(py, &path)?;
    let limits = Limits { images: most_images, broken: most_broken };
    let index = with_filename(py, &path, run(py, threads, |plan| index(&source, plan, limits)))?;
    let broken = index.broken.into_iter().map(|(line, broken)| (line, broken.code())).collect();
    let array = |values| PyArray1::from_vec(py, values);
    let ids = make_objects(|| PyList::new(py, index.ids))?;
    Ok((ids, array(index.starts), array(index.lengths), array(index.lines), broken))
}

/// Decode base64, in either alphabet, with or without padding.
#[pyfunction]
pub fn decode_base64<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    // With the interpreter lock held: an image is so short that starting a thread would take longer.
    let bytes = decode(text).map_err(|error| exception(&error))?;
    make_objects(|| Ok(PyBytes::new(py, &bytes)))
}
