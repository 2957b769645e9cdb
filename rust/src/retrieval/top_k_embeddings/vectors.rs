//! Embeddings as they are given: rows of numbers of one of three types.

use half::slice::HalfFloatSliceExt;
use half::{bf16, f16};

use crate::error::{Error, Result};
use crate::simd::Level;
use crate::simd::round::largest;

/// Numbers of a matrix, row after row.
#[derive(Debug, Clone, Copy)]
pub enum Numbers<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Half precision.
    F16(&'a [f16]),
    /// The upper half of single precision.
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

/// With more dimensions than this the rounding errors of single precision have no useful bound.
const MOST_DIMS: usize = 1 << 20;

impl<'a> Vectors<'a> {
    /// `rows` vectors of `dims` numbers; `name` is what errors call them.
    ///
    /// # Errors
    /// Numbers that do not make up such rows, no dimension, or more than 2^20, 2^32 rows.
    pub fn new(name: &'static str, numbers: Numbers<'a>, rows: usize, dims: usize) -> Result<Self> {
        if !(1..=MOST_DIMS).contains(&dims) {
            let problem = format!("vectors have {dims} dimensions, need 1 to {MOST_DIMS}");
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

    /// Length of each vector.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// A vector in single precision; `buffer` is there for types that must be converted.
    pub fn row<'s>(&self, row: usize, buffer: &'s mut Vec<f32>) -> &'s [f32]
    where
        'a: 's,
    {
        let place = row * self.dims..(row + 1) * self.dims;
        match self.numbers {
            Numbers::F32(numbers) => &numbers[place],
            Numbers::F16(numbers) => {
                buffer.resize(self.dims, 0.0);
                numbers[place].convert_to_f32_slice(buffer);
                buffer
            }
            Numbers::Bf16(numbers) => {
                buffer.resize(self.dims, 0.0);
                numbers[place].convert_to_f32_slice(buffer);
                buffer
            }
        }
    }

    /// The largest absolute value of a vector.
    ///
    /// # Errors
    /// A number that is not finite.
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
