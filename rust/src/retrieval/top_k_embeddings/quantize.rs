//! Vectors in the form that the coarse pass compares.
//!
//! For the 8-bit pass, items are moved so that their centre, or that of their group, is at zero, which changes the scores of
//! a query by the same amount; vectors are rotated, so that no dimension is much larger than the others; and then they are rounded to 8-bit
//! integers, each vector with its own scale. For the pass in single precision, vectors are only scaled.

use super::bound::{NormAndError, Roundings, TINY};
use super::groups::{Groups, NO_GROUP};
use super::vectors::Vectors;
use super::{Kernels, Metric, Precision};
use crate::error::Result;
use crate::parallel::Plan;
use crate::simd::Level;
use crate::simd::dot::dot;
use crate::simd::hadamard::{LANES, hadamard};
use crate::simd::round::{largest, round};
use crate::simd::scale::scale;
use crate::simd::tile::Integers;

/// Rows that a thread scans at a time.
const BLOCK: usize = 256;

/// The centre is the mean of about this many items.
const SAMPLE: usize = 1024;

/// The products of this many bytes add up to less than 2^31.
const MAX_BYTES: usize = 1 << 16;

/// Which operand of a score a vector is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operand {
    /// A query, which is only rotated.
    Query,
    /// An item of a group, which is moved by the centre of the group, then rotated.
    Item(usize),
}

/// A quantized vector, without its words.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Quantized {
    pub norm_and_error: NormAndError,
    /// The vector is about this times its integers.
    pub scale: f32,
    /// Sum of its integers.
    pub sum: i32,
}

/// Buffers of one thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// An item converted to single precision.
    pub row: Vec<f32>,
    /// A query converted to single precision.
    pub query: Vec<f32>,
    /// For [`QuantizationSpace::encode`].
    pub buffers: Buffers,
}

/// Buffers of [`QuantizationSpace::encode`].
#[derive(Debug, Default)]
pub struct Buffers {
    vector: Vec<f32>,
    integers: Vec<i8>,
}

/// The space in which the coarse pass compares vectors.
#[derive(Debug)]
pub struct QuantizationSpace {
    pub precision: Precision,
    metric: Metric,
    level: Level,
    /// Number of dimensions, rounded up to a multiple of 16.
    width: usize,
    /// Factor of all items for inner products: their largest number becomes about one.
    item_factor: f64,
    /// The centre of each group of items.
    centres: Vec<Centre>,
    /// Subtracted from queries.
    zero: Vec<f64>,
}

/// What the items of a group have in common.
#[derive(Debug)]
struct Centre {
    /// Subtracted from the items; each number is one of single precision.
    vector: Vec<f64>,
    /// The same in single precision.
    single: Vec<f32>,
    roundings: Roundings,
}

impl QuantizationSpace {
    /// Return the space for some items.
    pub fn new(items: &Vectors<'_>, groups: &Groups, metric: Metric, kernels: Kernels, plan: &Plan) -> Result<Self> {
        let (width, level) = (items.dims().next_multiple_of(LANES), kernels.level);
        let most = plan.map(items.rows(), BLOCK, Vec::new, |buffer, rows| {
            rows.map(|row| items.largest(row, buffer, level)).try_fold(0.0, |most: f32, one| Ok(most.max(one?)))
        })?;
        let mut space = Self {
            precision: Self::precision(items.dims(), kernels),
            metric,
            level,
            width,
            item_factor: power_of_two(most.into_iter().fold(0.0, f32::max)),
            centres: Vec::new(),
            zero: vec![0.0; width],
        };
        if space.precision == Precision::Float {
            let roundings = Roundings::new(items.dims(), 0, items.dims(), 0.0);
            space.centres.push(Centre { vector: space.zero.clone(), single: vec![0.0; width], roundings });
            return Ok(space);
        }
        let stages = blocks(width).map(usize::ilog2).max().unwrap_or(0);
        let moved = groups.leaders().map(|leader| space.scaled(leader));
        let vectors: Vec<_> = std::iter::once(space.mean(items, &groups.members()[NO_GROUP])).chain(moved).collect();
        let centre = |single: Vec<f32>| {
            let roundings = Roundings::new(items.dims(), stages, 2, dot(&single, &single, level).sqrt());
            Centre { vector: single.iter().copied().map(f64::from).collect(), single, roundings }
        };
        space.centres.extend(vectors.into_iter().map(centre));
        Ok(space)
    }

    /// Return the numbers in which vectors of `dims` numbers are compared.
    pub fn precision(dims: usize, kernels: Kernels) -> Precision {
        if dims.next_multiple_of(LANES) <= MAX_BYTES { kernels.coarse } else { Precision::Float }
    }

    /// Return the factor by which a vector is multiplied before anything else.
    pub fn factor(&self, row: &[f32], operand: Operand) -> f64 {
        match (self.metric, operand) {
            (Metric::Cosine, _) => {
                let norm = dot(row, row, self.level).sqrt();
                if norm > 0.0 { 1.0 / norm } else { 0.0 }
            }
            (Metric::InnerProduct, Operand::Item(_)) => self.item_factor,
            (Metric::InnerProduct, Operand::Query) => power_of_two(largest(row, self.level)),
        }
    }

    /// Return the factor by which a score of a query, multiplied by `factor`, becomes one in this space.
    pub fn slope(&self, factor: f64) -> f64 {
        match self.metric {
            Metric::InnerProduct => factor * self.item_factor,
            Metric::Cosine => 1.0,
        }
    }

    /// Return what is added to the coarse scores of each group for a query, which is multiplied by `factor`: its product
    /// with the centre.
    pub fn offsets(&self, row: &[f32], factor: f64) -> impl Iterator<Item = f64> {
        self.centres.iter().map(move |centre| dot(row, &centre.single[..row.len()], self.level) * factor)
    }

    /// Number of groups.
    pub fn groups(&self) -> usize {
        self.centres.len()
    }

    /// Roundings that all pairs of a query and an item of a group have in common.
    pub fn roundings(&self, group: usize) -> &Roundings {
        &self.centres[group].roundings
    }

    /// Number of words of a vector.
    pub fn words(&self, dims: usize) -> usize {
        match self.precision {
            Precision::Int8 => self.width / 4,
            Precision::Float => dims,
        }
    }

    /// Quantize a vector, multiplied by its factor; `put` takes the index and the value of each word.
    pub fn encode(
        &self,
        row: &[f32],
        operand: Operand,
        factor: f64,
        buffers: &mut Buffers,
        mut put: impl FnMut(usize, u32),
    ) -> Quantized {
        let Buffers { vector, integers } = buffers;
        vector.clear();
        vector.resize(self.width, 0.0);
        let (centre, roundings) = match operand {
            Operand::Item(group) => (&self.centres[group].vector, self.roundings(group)),
            Operand::Query => (&self.zero, self.roundings(NO_GROUP)),
        };
        scale(row, factor, centre, vector, self.level);
        if self.precision == Precision::Float {
            let vector = &vector[..row.len()];
            vector.iter().enumerate().for_each(|(index, number)| put(index, number.to_bits()));
            let square = dot(vector, vector, self.level);
            return Quantized { norm_and_error: roundings.norm_and_error(square, 0.0), scale: 1.0, sum: 0 };
        }
        self.rotate(vector, operand);
        let most = largest(vector, self.level);
        // Below TINY all integers are zero.
        let Integers { queries, items, offset } = Integers::of(self.level);
        let (largest_integer, offset) = if operand == Operand::Query { (queries, 0) } else { (items, offset) };
        let scale = if f64::from(most) < TINY { 1.0 } else { most / f32::from(largest_integer) };
        integers.resize(self.width, 0);
        let rounded = round(vector, scale, integers, self.level);
        for (index, bytes) in integers.as_chunks().0.iter().enumerate() {
            put(index, u32::from_le_bytes(bytes.map(|byte: i8| (byte as u8).wrapping_add(offset))));
        }
        let norm_and_error = roundings.norm_and_error(rounded.square, rounded.rest);
        Quantized { norm_and_error, scale, sum: rounded.sum }
    }

    /// Rotate a vector, block by block. Items are shrunk and queries stretched by powers of two, so that inner products
    /// stay the same.
    fn rotate(&self, vector: &mut [f32], operand: Operand) {
        let mut rest = vector;
        for width in blocks(self.width) {
            let (block, after) = rest.split_at_mut(width);
            let stages = width.ilog2() as i32;
            let halvings = if operand == Operand::Query { stages / 2 } else { (stages + 1) / 2 };
            hadamard(block, 2_f32.powi(-halvings), self.level);
            rest = after;
        }
    }

    /// Return the mean of a sample of some items, multiplied by their factors.
    fn mean(&self, items: &Vectors<'_>, rows: &[u32]) -> Vec<f32> {
        let mut sums = vec![0.0; self.width];
        let mut buffer = Vec::new();
        let rows = rows.iter().step_by((rows.len() / SAMPLE).max(1));
        let count = rows.len().max(1) as f64;
        for &row in rows {
            let vector = self.scaled(items.row(row as usize, &mut buffer));
            sums.iter_mut().zip(&vector).for_each(|(sum, &number)| *sum += f64::from(number));
        }
        sums.into_iter().map(|sum| (sum / count) as f32).collect()
    }

    /// Return an item, multiplied by its factor.
    fn scaled(&self, row: &[f32]) -> Vec<f32> {
        let mut vector = vec![0.0; self.width];
        scale(row, self.factor(row, Operand::Item(NO_GROUP)), &self.zero, &mut vector, self.level);
        vector
    }
}

/// Return the blocks of a rotation: powers of two that add up to a width, the largest first.
fn blocks(width: usize) -> impl Iterator<Item = usize> {
    (0..usize::BITS).rev().map(|bit| 1 << bit).filter(move |block| width & block != 0)
}

/// Return the power of two by which a number becomes at least one and less than two; one for zero.
fn power_of_two(number: f32) -> f64 {
    if number == 0.0 {
        return 1.0;
    }
    // Every f32 is a normal number in double precision.
    let exponent = f64::from(number).to_bits() >> 52;
    f64::from_bits((2046 - exponent) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_power_of_two_brings_any_number_near_one() {
        for number in [f32::MAX, f32::MIN_POSITIVE, f32::from_bits(1), 1.0, 1.999, 2.0, 3e-20] {
            assert!((1.0..2.0).contains(&(f64::from(number) * power_of_two(number))), "{number}");
        }
        assert_eq!(power_of_two(0.0), 1.0);
    }

    #[test]
    fn blocks_add_up_to_the_width() {
        assert_eq!(blocks(2064).collect::<Vec<_>>(), [2048, 16]);
        assert_eq!(blocks(768).collect::<Vec<_>>(), [512, 256]);
    }
}
