//! The Walsh-Hadamard transform: a rotation, up to a factor, by additions only.

/// Numbers that are added together.
pub const LANES: usize = 16;

per_level! {
    /// Multiply a vector by `factor` and transform it in place. It has a power of two of numbers, at least 16; the transform
    /// multiplies its norm by the square root of that. Every level has the same bits.
    pub fn hadamard(vector: &mut [f32], factor: f32) = body;
}

#[inline(always)]
#[allow(clippy::inline_always)] // Only inside a function with the features does it get them.
fn body(vector: &mut [f32], factor: f32) {
    let vector = vector.as_chunks_mut::<LANES>().0;
    for lanes in vector.iter_mut() {
        for number in lanes {
            *number *= factor;
        }
    }
    let mut half = vector.len() / 2;
    while half > 0 {
        for block in vector.chunks_exact_mut(2 * half) {
            let (low, high) = block.split_at_mut(half);
            for (low, high) in low.iter_mut().zip(high) {
                for lane in 0..LANES {
                    let (a, b) = (low[lane], high[lane]);
                    low[lane] = a + b;
                    high[lane] = a - b;
                }
            }
        }
        half /= 2;
    }
    for lanes in vector {
        within::<8>(lanes);
        within::<4>(lanes);
        within::<2>(lanes);
        within::<1>(lanes);
    }
}

/// Transform pairs of lanes of one register that are `HALF` apart.
#[inline(always)]
#[allow(clippy::inline_always)]
fn within<const HALF: usize>(lanes: &mut [f32; LANES]) {
    let mut partners = [0.0; LANES];
    for lane in 0..LANES {
        partners[lane] = lanes[lane ^ HALF];
    }
    for lane in 0..LANES {
        let signed = if lane & HALF == 0 { lanes[lane] } else { -lanes[lane] };
        lanes[lane] = partners[lane] + signed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn every_level_multiplies_by_the_matrix_of_signs() {
        for len in [16, 32, 128, 512] {
            let vector: Vec<f32> = (0..len).map(|index| ((index * 37 + 11) % 101) as f32 - 50.0).collect();
            let sign =
                |row: usize, column: usize| if (row & column).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
            let product = |row| (0..len).map(|column| 0.25 * sign(row, column) * vector[column]).sum::<f32>();
            let expected: Vec<f32> = (0..len).map(product).collect();
            for level in Level::available() {
                let mut transformed = vector.clone();
                hadamard(&mut transformed, 0.25, level);
                assert_eq!(transformed, expected, "{len} {level:?}");
            }
        }
    }
}
