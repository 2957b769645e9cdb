//! Vectors in the form that the coarse pass compares.
//!
//! Where the CPU multiplies bytes, items are moved so that their centre is at zero, which changes all scores of a query
//! by the same amount; vectors are rotated, so that no few dimensions are larger than the others; and then rounded to
//! integers of 8 bits, each vector with a scale of its own. Elsewhere vectors stay in single precision.

use super::Metric;
use super::bound::{Roundings, Sizes, TINY};
use super::vectors::Vectors;
use crate::error::Result;
use crate::parallel::Plan;
use crate::simd::Level;
use crate::simd::dot::dot;
use crate::simd::hadamard::{LANES, hadamard};
use crate::simd::round::{largest, round};
use crate::simd::scale::scale;

/// Rows that are looked at together.
const BLOCK: usize = 256;

/// The centre is the mean of about as many items.
const SAMPLE: usize = 1024;

/// Products of so many bytes add up to less than 2^31.
const MOST_BYTES: usize = 1 << 16;

/// What the coarse pass multiplies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Integers of 8 bits, four to a word.
    Int8,
    /// Single precision, one to a word.
    Float,
}

/// Which side of a pair a vector is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Queries are rotated.
    Query,
    /// Items are moved, then rotated.
    Item,
}

/// A vector in coarse form, but for its words.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Coarse {
    pub sizes: Sizes,
    /// What its integers stand for is this times as much.
    pub scale: f32,
    /// Sum of its integers.
    pub sum: i32,
}

/// Memory of one thread.
#[derive(Debug, Default)]
pub struct Scratch {
    /// For rows that must be converted.
    pub row: Vec<f32>,
    /// For [`Space::place`].
    pub coarse: Room,
}

/// Where a vector changes its form.
#[derive(Debug, Default)]
pub struct Room {
    vector: Vec<f32>,
    integers: Vec<i8>,
}

/// The space of the coarse pass.
#[derive(Debug)]
pub struct Space {
    pub form: Form,
    metric: Metric,
    level: Level,
    /// Dimensions, with those added that make them a multiple of 16.
    width: usize,
    /// What all items are multiplied by for inner products: the largest number becomes about one.
    item_factor: f64,
    /// What is subtracted from items.
    centre: Vec<f32>,
    /// For queries.
    zero: Vec<f32>,
    roundings: Roundings,
}

impl Space {
    /// The space for some items.
    pub fn new(items: &Vectors<'_>, metric: Metric, level: Level, plan: &Plan) -> Result<Self> {
        let width = items.dims().next_multiple_of(LANES);
        let form = if level == Level::Vnni && width <= MOST_BYTES { Form::Int8 } else { Form::Float };
        let most = plan.map(items.rows(), BLOCK, Vec::new, |buffer, rows| {
            rows.map(|row| items.largest(row, buffer, level)).try_fold(0.0, |most: f32, one| Ok(most.max(one?)))
        })?;
        let mut space = Self {
            form,
            metric,
            level,
            width,
            item_factor: power_of_two(most.into_iter().fold(0.0, f32::max)),
            centre: vec![0.0; width],
            zero: vec![0.0; width],
            roundings: Roundings::new(items.dims(), 0, items.dims(), 0.0),
        };
        if form == Form::Int8 {
            space.centre = space.mean(items);
            let stages = blocks(width).map(usize::ilog2).max().unwrap_or(0);
            let centre_norm = dot(&space.centre, &space.centre, level).sqrt();
            space.roundings = Roundings::new(items.dims(), stages, 2, centre_norm);
        }
        Ok(space)
    }

    /// What a vector is multiplied by before anything else.
    pub fn factor(&self, row: &[f32], side: Side) -> f64 {
        match (self.metric, side) {
            (Metric::Cosine, _) => {
                let norm = dot(row, row, self.level).sqrt();
                if norm > 0.0 { 1.0 / norm } else { 0.0 }
            }
            (Metric::InnerProduct, Side::Item) => self.item_factor,
            (Metric::InnerProduct, Side::Query) => power_of_two(largest(row, self.level)),
        }
    }

    /// How scores of a query, which is multiplied by `factor`, relate to those in this space: these are the first number
    /// times as large, less the second.
    pub fn relation(&self, row: &[f32], factor: f64) -> (f64, f64) {
        let distance = dot(row, &self.centre[..row.len()], self.level) * factor;
        match self.metric {
            Metric::InnerProduct => (factor * self.item_factor, distance),
            Metric::Cosine => (1.0, distance),
        }
    }

    /// The bounds' share of an item.
    pub fn roundings(&self) -> &Roundings {
        &self.roundings
    }

    /// Words of each vector.
    pub fn words(&self, dims: usize) -> usize {
        match self.form {
            Form::Int8 => self.width / 4,
            Form::Float => dims,
        }
    }

    /// Bring a vector into coarse form, multiplied by its factor; `put` takes its words, with their numbers.
    pub fn place(
        &self,
        row: &[f32],
        side: Side,
        factor: f64,
        room: &mut Room,
        mut put: impl FnMut(usize, u32),
    ) -> Coarse {
        let Room { vector, integers } = room;
        vector.clear();
        vector.resize(self.width, 0.0);
        let centre = if side == Side::Item { &self.centre } else { &self.zero };
        scale(row, factor, centre, vector, self.level);
        if self.form == Form::Float {
            let vector = &vector[..row.len()];
            vector.iter().enumerate().for_each(|(place, number)| put(place, number.to_bits()));
            let square = dot(vector, vector, self.level);
            return Coarse { sizes: self.roundings.sizes(square, 0.0), scale: 1.0, sum: 0 };
        }
        self.rotate(vector, side);
        let most = largest(vector, self.level);
        // Next to nothing: all integers are zero.
        let scale = if f64::from(most) < TINY { 1.0 } else { most / 127.0 };
        integers.resize(self.width, 0);
        let rounded = round(vector, scale, integers, self.level);
        // The tile multiplies signed bytes by unsigned ones.
        let flip = if side == Side::Item { 0x8080_8080 } else { 0 };
        for (place, bytes) in integers.as_chunks().0.iter().enumerate() {
            put(place, u32::from_le_bytes(bytes.map(|byte: i8| byte as u8)) ^ flip);
        }
        Coarse { sizes: self.roundings.sizes(rounded.square, rounded.rest), scale, sum: rounded.sum }
    }

    /// Rotate a vector, block by block. An item becomes shorter where the query becomes longer, both by powers of two,
    /// so that inner products stay.
    fn rotate(&self, vector: &mut [f32], side: Side) {
        let mut rest = vector;
        for width in blocks(self.width) {
            let (block, after) = rest.split_at_mut(width);
            let stages = width.ilog2() as i32;
            let halvings = if side == Side::Item { (stages + 1) / 2 } else { stages / 2 };
            hadamard(block, 2_f32.powi(-halvings), self.level);
            rest = after;
        }
    }

    /// The mean of a sample of items, multiplied by their factors.
    fn mean(&self, items: &Vectors<'_>) -> Vec<f32> {
        let mut sums = vec![0.0; self.width];
        let (mut buffer, mut vector) = (Vec::new(), vec![0.0; items.dims()]);
        let rows = (0..items.rows()).step_by((items.rows() / SAMPLE).max(1));
        let count = rows.len().max(1) as f64;
        for row in rows {
            let row = items.row(row, &mut buffer);
            scale(row, self.factor(row, Side::Item), &self.zero, &mut vector, self.level);
            sums.iter_mut().zip(&vector).for_each(|(sum, &number)| *sum += f64::from(number));
        }
        sums.into_iter().map(|sum| (sum / count) as f32).collect()
    }
}

/// The blocks of a rotation: powers of two that add up to a width, the largest first.
fn blocks(width: usize) -> impl Iterator<Item = usize> {
    (0..usize::BITS).rev().map(|bit| 1 << bit).filter(move |block| width & block != 0)
}

/// The power of two that brings a number to at least one and below two; one for zero.
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
