//! Image files of MUGE.

use std::path::PathBuf;

use muge_fast_core::io::image_tsv::{Wanted, decode, index};
use numpy::PyArray1;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::border::{exception, run, thread_count};
use crate::source::OpenFile;

type Numbers<'py> = Bound<'py, PyArray1<i64>>;
type Index<'py> = (Vec<String>, Numbers<'py>, Numbers<'py>, Numbers<'py>, Vec<(u64, &'static str)>);

/// Ids of a file, and where the base64 of each starts, how long it is, and on which line; then the lines that are broken.
/// No more of either than wanted.
#[pyfunction]
#[pyo3(signature = (path, threads=None, most_images=None, most_broken=None))]
pub fn index_images(
    py: Python<'_>,
    path: PathBuf,
    #[pyo3(from_py_with = thread_count)] threads: Option<i64>,
    most_images: Option<usize>,
    most_broken: Option<usize>,
) -> PyResult<Index<'_>> {
    let source = OpenFile::open(&path)?;
    let wanted = Wanted { images: most_images.unwrap_or(usize::MAX), broken: most_broken.unwrap_or(usize::MAX) };
    let entries = run(py, threads, |plan| index(&source, plan, wanted))?;
    let (mut ids, mut problems) = (Vec::new(), Vec::new());
    let (mut starts, mut lengths, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for entry in entries {
        match entry.id {
            Ok(id) => {
                ids.push(id);
                starts.push(entry.start as i64);
                lengths.push(entry.len as i64);
                lines.push(entry.line as i64);
            }
            Err(problem) => problems.push((entry.line, problem)),
        }
    }
    let numbers = |values| PyArray1::from_vec(py, values);
    Ok((ids, numbers(starts), numbers(lengths), numbers(lines), problems))
}

/// The bytes of base64, in either alphabet, with or without padding.
#[pyfunction]
pub fn decode_base64<'py>(py: Python<'py>, text: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    // Short enough to keep the interpreter lock: a thread of its own would take longer.
    decode(text).map(|bytes| PyBytes::new(py, &bytes)).map_err(|error| exception(&error))
}
