//! How far a coarse score can be from the true one. The derivation is in `docs/top-k.md`.

use crate::simd::tile::ITEMS;

/// Half the distance from 1 to the next `f32`: the relative error of one rounding.
const UNIT: f64 = 1.0 / (1 << 24) as f64;

/// More than any underflow adds up to, where the largest numbers are about one.
pub const TINY: f64 = 1e-30;

/// Relative margin for the roundings of thresholds, which are computed in single precision.
pub const MARGIN: f32 = 1e-6;

/// Upwards to single precision, past the roundings of the sums of squares that it came from.
fn up(value: f64) -> f32 {
    (value * (1.0 + 1e-6)) as f32
}

/// A vector beside its coarse form: its length, and the length of what the form misses of it, both rounded up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sizes {
    pub norm: f32,
    pub error: f32,
}

/// The roundings that every pair of vectors has in common.
#[derive(Debug, Clone, Copy)]
pub struct Roundings {
    /// Of bringing a vector into the space of the coarse pass, relative to its length.
    transform: f64,
    /// Of a coarse score, relative to the product of the lengths.
    score: f64,
    /// Of a score in double precision, in the same way.
    exact: f64,
    /// Twice the length of the centre of the items.
    centre: f64,
}

impl Roundings {
    /// For vectors of `dims` numbers, transformed in `stages` of additions, and coarse scores that go through `steps`
    /// roundings.
    pub fn new(dims: usize, stages: u32, steps: usize, centre_norm: f64) -> Self {
        Self {
            transform: f64::from(stages + 4) * UNIT,
            score: (steps + 8) as f64 * UNIT * 1.1,
            exact: (dims + 16) as f64 / (1_u64 << 50) as f64,
            centre: 2.0 * centre_norm,
        }
    }

    /// From the sum of squares of a transformed vector and that of what rounding it left.
    pub fn sizes(&self, square: f64, rest: f64) -> Sizes {
        let norm = square.sqrt();
        Sizes { norm: up(norm * (1.0 + self.transform) + TINY), error: up(rest.sqrt() + norm * self.transform + TINY) }
    }

    /// What an item adds to the bound: for each unit of the norm of a query, and for each unit of its error.
    pub fn slopes(&self, item: Sizes) -> Slopes {
        let (norm, error) = (f64::from(item.norm), f64::from(item.error));
        let slack = self.score + self.exact;
        Slopes { norm: up(error + slack * (norm + error + self.centre)), error: up((1.0 + slack) * (norm + error)) }
    }
}

/// The part of a bound that an item has.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Slopes {
    pub norm: f32,
    pub error: f32,
}

impl Slopes {
    /// The bound for a query and this item.
    pub fn bound(self, query: Sizes) -> f64 {
        f64::from(query.norm) * f64::from(self.norm) + f64::from(query.error) * f64::from(self.error) + TINY
    }

    /// The larger of each.
    pub fn most(items: &[Self; ITEMS]) -> Self {
        items.iter().fold(Self::default(), |most, item| Self {
            norm: most.norm.max(item.norm),
            error: most.error.max(item.error),
        })
    }
}
