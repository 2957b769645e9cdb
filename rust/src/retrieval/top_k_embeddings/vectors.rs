//! Embeddings: rows of numbers of one of three types.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::error::{Error, Result};
use crate::simd::Level;
use crate::simd::prefetch::prefetch;
use crate::simd::round::largest;

/// The numbers of a matrix, row after row.
#[derive(Debug, Clone, Copy)]
pub enum Numbers<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Half precision.
    F16(&'a [f16]),
    /// bfloat16, the upper half of single precision.
    Bf16(&'a [bf16]),
}

impl Numbers<'_> {
    fn len(&self) -> usize {
        match self {
            Self::F32(numbers) => numbers.len(),
            Self::F16(numbers) => numbers.len(),
            Self::Bf16(numbers) => numbers.len(),
        }
    }
}

/// A matrix of embeddings.
#[derive(Debug, Clone, Copy)]
pub struct Vectors<'a> {
    name: &'static str,
    numbers: Numbers<'a>,
    rows: usize,
    dims: usize,
}

/// Beyond this many dimensions the rounding errors of single precision have no useful bound.
const MAX_DIMS: usize = 1 << 20;

impl<'a> Vectors<'a> {
    /// Return a matrix of `rows` vectors of `dims` numbers; `name` is its name in errors.
    ///
    /// # Errors
    /// [`Error::Incomplete`] if there is another number of numbers; [`Error::Invalid`] for no dimensions or more than
    /// 2^20; [`Error::TooMany`] for 2^32 rows or more.
    pub fn new(name: &'static str, numbers: Numbers<'a>, rows: usize, dims: usize) -> Result<Self> {
        if !(1..=MAX_DIMS).contains(&dims) {
            let problem = format!("vectors have {dims} dimensions, need 1 to {MAX_DIMS}");
            return Err(Error::Invalid { parameter: name, problem });
        }
        if rows > u32::MAX as usize {
            return Err(Error::TooMany { parameter: name, what: "rows", count: rows, most: u32::MAX as usize });
        }
        if rows.checked_mul(dims) != Some(numbers.len()) {
            return Err(Error::Incomplete { parameter: name, numbers: numbers.len(), rows });
        }
        Ok(Self { name, numbers, rows, dims })
    }

    /// Number of vectors.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of dimensions.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// Return a vector in single precision; `buffer` is used for types that must be converted.
    pub fn row<'s>(&self, row: usize, buffer: &'s mut Vec<f32>) -> &'s [f32]
    where
        'a: 's,
    {
        let range = row * self.dims..(row + 1) * self.dims;
        match self.numbers {
            Numbers::F32(numbers) => &numbers[range],
            Numbers::F16(numbers) => {
                buffer.resize(self.dims, 0.0);
                numbers[range].convert_to_f32_slice(buffer);
                buffer
            }
            Numbers::Bf16(numbers) => {
                buffer.resize(self.dims, 0.0);
                numbers[range].convert_to_f32_slice(buffer);
                buffer
            }
        }
    }

    /// Prefetch a vector into the cache.
    pub fn prefetch(&self, row: usize) {
        let range = row * self.dims..(row + 1) * self.dims;
        match self.numbers {
            Numbers::F32(numbers) => prefetch(&numbers[range]),
            Numbers::F16(numbers) => prefetch(&numbers[range]),
            Numbers::Bf16(numbers) => prefetch(&numbers[range]),
        }
    }

    /// Return the largest absolute value of a vector.
    ///
    /// # Errors
    /// [`Error::NotFinite`].
    pub fn largest(&self, row: usize, buffer: &mut Vec<f32>, level: Level) -> Result<f32> {
        let numbers = self.row(row, buffer);
        let most = largest(numbers, level);
        if most.is_finite() {
            return Ok(most);
        }
        let column = numbers.iter().position(|number| !number.is_finite()).unwrap_or(0);
        Err(Error::NotFinite { parameter: self.name, row, column, value: numbers[column] })
    }
}
