//! Inner products with defined bits.

/// Running sums: four registers of eight doubles.
const LANES: usize = 32;

per_level! {
    /// Return the inner product of two vectors of equal length in double precision.
    ///
    /// Sum `lane` of 32 starts at zero and adds the products at `lane`, `lane + 32`, `lane + 64`, … in this order; then
    /// the upper half of the sums is added to the lower half, 16 to 16, 8 to 8, down to one. A product of two `f32` is
    /// exact in `f64`, so a fused multiply-add rounds like a multiplication and an addition, and every level has the
    /// same bits.
    pub fn dot(left: &[f32], right: &[f32]) -> f64 = body;
}

/// Running sums in single precision: four registers of 16 numbers.
const SINGLE_LANES: usize = 64;

/// Most roundings that a product goes through in [`single`]: its own, those of its running sum and those of the halves.
pub fn single_roundings(dims: usize) -> usize {
    dims.div_ceil(SINGLE_LANES) + 1 + SINGLE_LANES.ilog2() as usize
}

per_level! {
    /// Return about the inner product of two vectors of equal length, in single precision with 64 running sums. Products
    /// go through at most [`single_roundings`]; the result is not finite if any of the numbers on the way is not.
    pub fn single(left: &[f32], right: &[f32]) -> f32 = single_body;
}

#[inline(always)]
#[allow(clippy::inline_always)]
fn single_body(left: &[f32], right: &[f32]) -> f32 {
    let mut sums = [0.0; SINGLE_LANES];
    let (left, left_rest) = left.as_chunks::<SINGLE_LANES>();
    let (right, right_rest) = right.as_chunks::<SINGLE_LANES>();
    for (left, right) in left.iter().zip(right) {
        for lane in 0..SINGLE_LANES {
            sums[lane] += left[lane] * right[lane];
        }
    }
    for (sum, (&left, &right)) in sums.iter_mut().zip(left_rest.iter().zip(right_rest)) {
        *sum += left * right;
    }
    let mut half = SINGLE_LANES / 2;
    while half > 0 {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
        half /= 2;
    }
    sums[0]
}

#[inline(always)]
#[allow(clippy::inline_always)] // Only inside a function with the features does it get them.
fn body(left: &[f32], right: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    let (left, left_rest) = left.as_chunks::<LANES>();
    let (right, right_rest) = right.as_chunks::<LANES>();
    for (left, right) in left.iter().zip(right) {
        for lane in 0..LANES {
            sums[lane] += f64::from(left[lane]) * f64::from(right[lane]);
        }
    }
    for (sum, (&left, &right)) in sums.iter_mut().zip(left_rest.iter().zip(right_rest)) {
        *sum += f64::from(left) * f64::from(right);
    }
    for half in [LANES / 2, LANES / 4, LANES / 8, LANES / 16, LANES / 32] {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
    }
    sums[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn single_precision_is_near_and_overflow_is_visible() {
        for len in [0, 1, 7, 63, 64, 65, 513] {
            let values = |seed: u32| -> Vec<f32> {
                (0..len).map(|index| ((index + seed).wrapping_mul(2_654_435_761) >> 8) as f32 / 1e7 - 0.8).collect()
            };
            let (left, right) = (values(1), values(77));
            let size: f64 = left.iter().zip(&right).map(|(a, b)| (f64::from(*a) * f64::from(*b)).abs()).sum();
            let bound = size * single_roundings(left.len()) as f64 / f64::from(1 << 24);
            for level in Level::available() {
                let difference = f64::from(single(&left, &right, level)) - dot(&left, &right, level);
                assert!(difference.abs() <= bound, "{len} {level:?}");
            }
        }
        for (left, right) in [([3e38, 0.0], [-3e38, 0.0]), ([3e38, 3e38], [3e38, -3e38])] {
            assert!(Level::available().all(|level| !single(&left, &right, level).is_finite()));
        }
    }

    #[test]
    fn every_level_has_the_bits_of_the_definition() {
        for len in [0, 1, 7, 31, 32, 33, 64, 100, 513] {
            let values = |seed: u32| -> Vec<f32> {
                (0..len).map(|index| f32::from_bits((index + seed).wrapping_mul(2_654_435_761) % 0x7f00_0000)).collect()
            };
            let (left, right) = (values(1), values(77));
            let mut sums = [0.0; LANES];
            for index in 0..left.len() {
                sums[index % LANES] += f64::from(left[index]) * f64::from(right[index]);
            }
            let mut width = LANES;
            while width > 1 {
                width /= 2;
                (0..width).for_each(|lane| sums[lane] += sums[lane + width]);
            }
            for level in Level::available() {
                assert_eq!(dot(&left, &right, level).to_bits(), sums[0].to_bits(), "{len} {level:?}");
            }
        }
    }
}
