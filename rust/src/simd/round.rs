//! Round vectors to 8-bit integers.

/// Running sums.
const LANES: usize = 16;

/// Added to a number below 2^22, it leaves the rounded integer in the lowest bits.
const TO_INTEGER: f32 = 12_582_912.0;

/// Sums over a vector that was rounded to integers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rounded {
    /// Sum of the integers.
    pub sum: i32,
    /// Sum of the squares of the vector.
    pub square: f64,
    /// Sum of the squares of the errors: of each number minus its integer times the scale.
    pub rest: f64,
}

per_level! {
    /// Return the largest absolute value of a vector; NaN if it has one.
    pub fn largest(vector: &[f32]) -> f32 = largest_body;
}

per_level! {
    /// Divide each number by `scale` and round it into `integers`. Both slices have the same length, a multiple of 16. No
    /// absolute value may exceed 127 times the scale.
    pub fn round(vector: &[f32], scale: f32, integers: &mut [i8]) -> Rounded = round_body;
}

#[inline(always)]
#[allow(clippy::inline_always)]
fn round_body(vector: &[f32], scale: f32, integers: &mut [i8]) -> Rounded {
    let (vector, integers) = (vector.as_chunks::<LANES>().0, integers.as_chunks_mut::<LANES>().0);
    let (inverse, wide) = (1.0 / scale, f64::from(scale));
    let (mut sums, mut squares, mut rests) = ([0; LANES], [0.0; LANES], [0.0; LANES]);
    for (values, integers) in vector.iter().zip(integers) {
        for lane in 0..LANES {
            let integer = (values[lane] * inverse + TO_INTEGER).to_bits() as i8;
            integers[lane] = integer;
            sums[lane] += i32::from(integer);
            let value = f64::from(values[lane]);
            let rest = value - f64::from(i32::from(integer)) * wide;
            squares[lane] += value * value;
            rests[lane] += rest * rest;
        }
    }
    Rounded { sum: sums.iter().sum(), square: squares.iter().sum(), rest: rests.iter().sum() }
}

#[inline(always)]
#[allow(clippy::inline_always)]
fn largest_body(vector: &[f32]) -> f32 {
    // Without their sign, floats have the order of their bits as integers, and NaN lies above infinity.
    let mut most = [0_u32; LANES];
    let (chunks, rest) = vector.as_chunks::<LANES>();
    for values in chunks {
        for lane in 0..LANES {
            most[lane] = most[lane].max(values[lane].abs().to_bits());
        }
    }
    f32::from_bits(rest.iter().map(|value| value.abs().to_bits()).chain(most).max().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn nan_and_infinity_are_the_largest() {
        for level in Level::available() {
            let mut vector = vec![1.0; 35];
            assert_eq!(largest(&vector, level), 1.0);
            vector[34] = f32::NEG_INFINITY;
            assert_eq!(largest(&vector, level), f32::INFINITY);
            vector[3] = -f32::NAN;
            assert!(largest(&vector, level).is_nan());
        }
    }

    #[test]
    fn every_level_rounds_the_same() {
        let vector: Vec<f32> = (0..48_i16).map(|index| f32::from(index * 37 % 101 - 50) / 7.0).collect();
        let scale = largest(&vector, Level::Portable) / 127.0;
        let plain: Vec<i8> = vector.iter().map(|value| (value / scale).round_ties_even() as i8).collect();
        for level in Level::available() {
            let mut integers = vec![0; vector.len()];
            let rounded = round(&vector, scale, &mut integers, level);
            assert_eq!(integers, plain);
            assert_eq!(rounded.sum, plain.iter().map(|&integer| i32::from(integer)).sum::<i32>());
            let pairs = || vector.iter().zip(&plain).map(|(&v, &i)| (f64::from(v), f64::from(i) * f64::from(scale)));
            let (square, rest) = pairs().fold((0.0, 0.0), |(s, r), (v, i)| (s + v * v, r + (v - i) * (v - i)));
            assert!((rounded.square / square - 1.0).abs() < 1e-14 && (rounded.rest / rest - 1.0).abs() < 1e-14);
            assert_eq!(largest(&vector[..33], level).to_bits(), largest(&vector[..33], Level::Portable).to_bits());
        }
    }
}
