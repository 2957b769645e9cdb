//! Python's strings, copied out as code points.
//!
//! Asking a Python string for its UTF-8 form makes Python encode it, with the interpreter lock held, and keep the
//! copy as long as the string lives. Code points are a plain copy, and what most tokenizers want.

use std::ops::Range;

use muge_fast_core::huge::HugeArray;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// Many strings as code points, one after the other in a few large pieces.
#[derive(Default)]
pub struct Strings {
    pieces: Vec<HugeArray<u32>>,
    /// Where each string lies: the piece, and the range in it.
    places: Vec<(u32, Range<usize>)>,
    /// What is used of the last piece.
    used: usize,
    characters: usize,
}

/// Sizes of the first piece and of the largest, unless a string needs more; each is twice as large as the one before.
const FIRST_PIECE: usize = 1 << 14;
const LARGEST_PIECE: usize = 1 << 21;

impl Strings {
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Number of characters in all strings.
    pub fn characters(&self) -> usize {
        self.characters
    }

    /// Append a string; what is no string or not valid Unicode is refused by name.
    pub fn push(&mut self, item: &Bound<'_, PyAny>, name: impl Fn() -> String) -> PyResult<()> {
        let string = cast(item, &name)?;
        let length = string.len()?;
        let points = self.room(length);
        copy_points(string, points)?;
        // All are looked at, which is quicker than to stop at the first.
        if points.iter().fold(false, |found, &point| found | is_surrogate(point)) {
            let place = points.iter().position(|&point| is_surrogate(point)).unwrap_or(0);
            return Err(lone_surrogate(place, name));
        }
        self.places.push((self.pieces.len() as u32 - 1, self.used..self.used + length));
        self.used += length;
        self.characters += length;
        Ok(())
    }

    /// Room for a string after all others.
    fn room(&mut self, length: usize) -> &mut [u32] {
        let last = self.pieces.last().map_or(0, |piece| piece.len());
        if self.pieces.is_empty() || last - self.used < length {
            self.pieces.push(HugeArray::zeroed(length.max((2 * last).clamp(FIRST_PIECE, LARGEST_PIECE))));
            self.used = 0;
        }
        let last = self.pieces.len() - 1;
        &mut self.pieces[last][self.used..self.used + length]
    }

    /// The characters of one string.
    pub fn chars(&self, place: usize) -> impl Iterator<Item = char> {
        let (piece, range) = &self.places[place];
        self.pieces[*piece as usize][range.clone()].iter().filter_map(|&point| char::from_u32(point))
    }
}

/// The string that an object is, or an error by name.
pub fn cast<'a, 'py>(item: &'a Bound<'py, PyAny>, name: impl Fn() -> String) -> PyResult<&'a Bound<'py, PyString>> {
    item.cast::<PyString>().or_else(|_| {
        let kind = item.get_type().name()?;
        Err(PyTypeError::new_err(format!("{}: expected str, found {kind}", name())))
    })
}

/// The error for a string that is not valid Unicode.
pub fn lone_surrogate(place: usize, name: impl Fn() -> String) -> PyErr {
    PyValueError::new_err(format!("{}: lone surrogate at character {place}, not valid Unicode", name()))
}

fn is_surrogate(point: u32) -> bool {
    point & 0xffff_f800 == 0xd800
}

#[allow(unsafe_code)]
fn copy_points(string: &Bound<'_, PyString>, points: &mut [u32]) -> PyResult<()> {
    if points.is_empty() {
        return Ok(());
    }
    // SAFETY: the interpreter is attached, as `string` is bound; the buffer's length is told, and a call that is not
    // asked for a final zero writes no more than that.
    let written =
        unsafe { ffi::PyUnicode_AsUCS4(string.as_ptr(), points.as_mut_ptr(), points.len() as ffi::Py_ssize_t, 0) };
    if written.is_null() { Err(PyErr::fetch(string.py())) } else { Ok(()) }
}
