//! Python's strings, copied out as code points.
//!
//! Asking a Python string for its UTF-8 makes Python encode it, with the interpreter lock held, and keep the copy as long
//! as the string lives. Code points are a plain copy, and most tokenizers work on them.

use std::ops::Range;

use muge_fast_core::huge::HugeArray;
use muge_fast_core::{Result, memory};
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyFloat, PyString};

use crate::border::exception;

/// Strings as code points, one after the other in a few large chunks.
#[derive(Default)]
pub struct Strings {
    chunks: Vec<HugeArray<u32>>,
    /// The chunk of each string, and its range there.
    ranges: Vec<(u32, Range<usize>)>,
    /// Length of the part of the last chunk that is in use.
    used: usize,
    characters: usize,
}

/// Sizes of the first chunk and of the largest, unless a string needs more; each is twice as large as the one before.
const FIRST_CHUNK: usize = 1 << 14;
const LARGEST_CHUNK: usize = 1 << 21;

impl Strings {
    pub fn len(&self) -> usize {
        self.ranges.len()
    }

    /// Number of characters in all strings.
    pub fn characters(&self) -> usize {
        self.characters
    }

    /// Append a string. Raises a `TypeError` for another type, and a `ValueError` for invalid Unicode.
    pub fn push(&mut self, item: &Bound<'_, PyAny>, name: impl Fn() -> String) -> PyResult<()> {
        let string = cast(item, &name)?;
        let length = length(string)?;
        let points = self.new_buffer(length).map_err(|error| exception(&error))?;
        copy_points(string, points)?;
        // Testing all of them without a branch is faster than stopping at the first.
        if points.iter().fold(false, |any, &point| any | is_surrogate(point)) {
            let index = points.iter().position(|&point| is_surrogate(point)).unwrap_or(0);
            return Err(lone_surrogate(index, name));
        }
        memory::reserve(&mut self.ranges, 1).map_err(|error| exception(&error))?;
        self.ranges.push((self.chunks.len() as u32 - 1, self.used..self.used + length));
        self.used += length;
        self.characters += length;
        Ok(())
    }

    /// Return the buffer of a new string after all others, in a new chunk if the last one is full.
    fn new_buffer(&mut self, length: usize) -> Result<&mut [u32]> {
        let last = self.chunks.last().map_or(0, |chunk| chunk.len());
        if self.chunks.is_empty() || last - self.used < length {
            let chunk = HugeArray::try_zeroed(length.max((2 * last).clamp(FIRST_CHUNK, LARGEST_CHUNK)))?;
            self.chunks.push(chunk);
            self.used = 0;
        }
        let last = self.chunks.len() - 1;
        Ok(&mut self.chunks[last][self.used..self.used + length])
    }

    /// Number of characters in one string.
    pub fn length(&self, index: usize) -> usize {
        self.ranges[index].1.len()
    }

    /// Iterate over the characters of one string.
    pub fn chars(&self, index: usize) -> impl Iterator<Item = char> {
        let (chunk, range) = &self.ranges[index];
        self.chunks[*chunk as usize][range.clone()].iter().filter_map(|&point| char::from_u32(point))
    }
}

/// Return an object as a string, or a `TypeError` that calls it `name`.
pub fn cast<'a, 'py>(item: &'a Bound<'py, PyAny>, name: impl Fn() -> String) -> PyResult<&'a Bound<'py, PyString>> {
    item.cast::<PyString>().or_else(|_| {
        let type_name = item.get_type().name()?;
        let hint = if is_missing(item)? { " (a missing value); drop the item, or pass an empty string" } else { "" };
        Err(PyTypeError::new_err(format!("{}: expected str, found {type_name}{hint}", name())))
    })
}

/// Return whether an object stands for a missing value: None, NaN, or NA of pandas.
fn is_missing(item: &Bound<'_, PyAny>) -> PyResult<bool> {
    if item.is_none() || item.cast::<PyFloat>().is_ok_and(|number| number.value().is_nan()) {
        return Ok(true);
    }
    let type_name = item.get_type().name()?;
    Ok(type_name == "NAType" || type_name == "NaTType")
}

/// Return the error for a string that is not valid Unicode.
pub fn lone_surrogate(index: usize, name: impl Fn() -> String) -> PyErr {
    PyValueError::new_err(format!("{}: lone surrogate at character {index}, not valid Unicode", name()))
}

fn is_surrogate(point: u32) -> bool {
    point & 0xffff_f800 == 0xd800
}

/// Return the number of characters. `len` would ask the class, and a subclass of `str` may answer anything.
#[allow(unsafe_code)]
fn length(string: &Bound<'_, PyString>) -> PyResult<usize> {
    // SAFETY: the interpreter is attached, as `string` is bound.
    let length = unsafe { ffi::PyUnicode_GetLength(string.as_ptr()) };
    usize::try_from(length).map_err(|_| PyErr::fetch(string.py()))
}

#[allow(unsafe_code)]
fn copy_points(string: &Bound<'_, PyString>, points: &mut [u32]) -> PyResult<()> {
    if points.is_empty() {
        return Ok(());
    }
    // SAFETY: the interpreter is attached, as `string` is bound; the call writes at most the given number of points, as it
    // is not asked for a final zero.
    let written =
        unsafe { ffi::PyUnicode_AsUCS4(string.as_ptr(), points.as_mut_ptr(), points.len() as ffi::Py_ssize_t, 0) };
    if written.is_null() { Err(PyErr::fetch(string.py())) } else { Ok(()) }
}
