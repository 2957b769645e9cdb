//! How far a coarse score can be from the true one. The derivation is in `docs/top-k.md`.

use crate::simd::dot::single_roundings;
use crate::simd::tile::ITEMS;

/// Half the distance from 1 to the next `f32`: the relative error of one rounding.
const UNIT: f64 = 1.0 / (1 << 24) as f64;

/// More than all underflows add up to, where the largest numbers are about one.
pub const TINY: f64 = 1e-30;

/// Relative margin for the roundings of thresholds, which are computed in single precision.
pub const MARGIN: f32 = 1e-6;

/// Convert to single precision, rounded up by more than the roundings of the sums of squares that the value comes from.
fn up(value: f64) -> f32 {
    (value * (1.0 + 1e-6)) as f32
}

/// The length of a vector, and the length of its quantization error, both rounded up.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct NormAndError {
    pub norm: f32,
    pub error: f32,
}

/// The rounding errors that all pairs of vectors have in common.
#[derive(Debug, Clone, Copy)]
pub struct Roundings {
    /// Error of transforming a vector, relative to its length.
    transform: f64,
    /// Error of a coarse score, relative to the product of the lengths.
    score: f64,
    /// Error of a score in double precision, relative to the product of the lengths.
    exact: f64,
    /// Twice the length of the centre of the items.
    centre: f64,
}

impl Roundings {
    /// Return the errors for vectors of `dims` numbers that go through `stages` of additions, and for coarse scores that
    /// are rounded `steps` times.
    pub fn new(dims: usize, stages: u32, steps: usize, centre_norm: f64) -> Self {
        Self {
            transform: f64::from(stages + 4) * UNIT,
            score: (steps + 8) as f64 * UNIT * 1.1,
            exact: (dims + 16) as f64 / (1_u64 << 50) as f64,
            centre: 2.0 * centre_norm,
        }
    }

    /// Return the norm and error of a transformed vector from its sum of squares and that of its quantization error.
    pub fn norm_and_error(&self, square: f64, rest: f64) -> NormAndError {
        let norm = square.sqrt();
        let error = rest.sqrt() + norm * self.transform + TINY;
        NormAndError { norm: up(norm * (1.0 + self.transform) + TINY), error: up(error) }
    }

    /// Return the coefficients that an item contributes to bounds.
    pub fn coefficients(&self, item: NormAndError) -> BoundCoefficients {
        let (norm, error) = (f64::from(item.norm), f64::from(item.error));
        let size = norm + error;
        BoundCoefficients {
            // Only scores in double precision have to do with the centre, which may be far longer than the rest.
            norm: up(error + self.score * size + self.exact * (size + self.centre)),
            error: up((1.0 + self.score + self.exact) * size),
        }
    }
}

/// Return how far an inner product in single precision ([`single`](crate::simd::dot::single)) can be from that of the
/// definition, for vectors of `dims` numbers whose lengths have this product.
///
/// With n roundings for each product, the error is at most `n u / (1 - n u)` times the sum of the absolute products, which
/// is at most the product of the lengths, and half the smallest number for each product that underflows. The factor and the
/// other roundings cover the denominator, and those of the definition: `dims` times 2^-53 is below `u / 500`.
pub fn single_error(dims: usize, lengths: f64) -> f64 {
    let smallest = f64::from(f32::from_bits(1));
    1.1 * (single_roundings(dims) + 8) as f64 * UNIT * lengths + dims as f64 * smallest
}

/// The coefficients of an item in a bound, which is linear in the norm and the error of the query.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct BoundCoefficients {
    pub norm: f32,
    pub error: f32,
}

impl BoundCoefficients {
    /// Return the bound for a query and this item.
    pub fn bound(self, query: NormAndError) -> f64 {
        f64::from(query.norm) * f64::from(self.norm) + f64::from(query.error) * f64::from(self.error) + TINY
    }

    /// Return the largest coefficients of the items of a panel.
    pub fn max(items: &[Self; ITEMS]) -> Self {
        items
            .iter()
            .fold(Self::default(), |max, item| Self { norm: max.norm.max(item.norm), error: max.error.max(item.error) })
    }
}
