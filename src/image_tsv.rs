//! Image files of MUGE.

use std::path::PathBuf;

use muge_fast_core::Plan;
use muge_fast_core::io::image_tsv::{self, Limits, Position, decode};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyList, PyTuple};

use crate::border::{
    SPARE_MEMORY, check_memory, check_threads, exception, make_array, make_objects, run, thread_count, with_filename,
};
use crate::source::OpenFile;

/// Upper bound of the memory of Python's objects for an id, apart from its bytes, and for a broken line.
const OBJECTS: usize = 128;

/// Threads by default: more are no faster than a disk, and would take more memory than a process may have.
const MAX_THREADS: usize = 4;

/// Return the ids of a file, and where the base64 of each starts, how long it is, and on which line; then the line and
/// the code of each broken line, and where reading stopped: the offset and the number of lines before. Reading starts at
/// such an end, and stops after `most_images` or `most_broken` lines of either kind.
#[pyfunction]
#[pyo3(signature = (path, threads=None, most_images=None, most_broken=None, start=(0, 0)))]
pub fn index_images(
    py: Python<'_>,
    path: PathBuf,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    most_images: Option<usize>,
    most_broken: Option<usize>,
    start: (u64, u64),
) -> PyResult<Bound<'_, PyTuple>> {
    let source = OpenFile::open(py, &path)?;
    let start = Position { offset: start.0, lines: start.1 };
    let threads = threads.or_else(|| Some(Plan::new(None).at_most(MAX_THREADS).threads() as i64));
    check_threads(threads)?;
    let limits = Limits { start, images: most_images, broken: most_broken };
    let index = with_filename(py, &path, run(py, threads, |plan| image_tsv::index(&source, plan, limits)))?;
    // Python's objects are made without a way to say that there is no memory for them.
    let texts: usize = index.ids.iter().map(String::len).sum();
    // A character of up to three bytes may take four in Python.
    let objects = (index.ids.len() + index.broken.len()) * OBJECTS + 4 * texts;
    check_memory(objects + SPARE_MEMORY)?;
    let broken: Vec<_> = index.broken.into_iter().map(|(line, broken)| (line, broken.code())).collect();
    let array = |values: Vec<i64>| make_array(py, values);
    let end = (index.end.offset, index.end.lines);
    make_objects(|| {
        let ids = PyList::new(py, index.ids)?;
        (ids, array(index.starts)?, array(index.lengths)?, array(index.lines)?, broken, end).into_pyobject(py)
    })
}

/// Decode base64, in either alphabet, with or without padding.
#[pyfunction]
pub fn decode_base64<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    // With the interpreter lock held: an image is so short that starting a thread would take longer.
    let bytes = decode(text).map_err(|error| exception(&error))?;
    make_objects(|| Ok(PyBytes::new(py, &bytes)))
}
