//! Python's strings, copied out as code points.
//!
//! Asking a Python string for its UTF-8 form makes Python encode it, with the interpreter lock held, and keep the
//! copy as long as the string lives. Code points are a plain copy, and the threads that tokenise encode them.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyString;

/// Many strings as code points in one array.
#[derive(Default)]
pub struct Strings {
    points: Vec<u32>,
    ends: Vec<usize>,
}

impl Strings {
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Append a string; what is no string or not valid Unicode is refused by name.
    pub fn push(&mut self, item: &Bound<'_, PyAny>, name: impl Fn() -> String) -> PyResult<()> {
        let string = cast(item, &name)?;
        let start = self.points.len();
        copy_points(string, &mut self.points)?;
        if self.points[start..].iter().any(|&point| is_surrogate(point)) {
            let place = self.points[start..].iter().position(|&point| is_surrogate(point)).unwrap_or(0);
            return Err(lone_surrogate(place, name));
        }
        self.ends.push(self.points.len());
        Ok(())
    }

    /// Write one string to `text` as UTF-8.
    pub fn read(&self, place: usize, text: &mut String) {
        let start = if place == 0 { 0 } else { self.ends[place - 1] };
        let points = &self.points[start..self.ends[place]];
        text.clear();
        text.reserve(3 * points.len());
        points.iter().filter_map(|&point| char::from_u32(point)).for_each(|c| text.push(c));
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
fn copy_points(string: &Bound<'_, PyString>, points: &mut Vec<u32>) -> PyResult<()> {
    let length = string.len()?;
    let start = points.len();
    points.resize(start + length, 0);
    if length == 0 {
        return Ok(());
    }
    // SAFETY: the interpreter is attached, as `string` is bound; the buffer has room for `length` code points, which is
    // what the call writes when it is not asked for a final zero.
    let written = unsafe { ffi::PyUnicode_AsUCS4(string.as_ptr(), points[start..].as_mut_ptr(), length as isize, 0) };
    if written.is_null() { Err(PyErr::fetch(string.py())) } else { Ok(()) }
}
