//! The Walsh-Hadamard transform: additions only, and every number of the result depends on all of the vector.

/// Numbers that are added together.
pub const LANES: usize = 16;

per_level! {
    /// Multiply a vector by `factor` and transform it, in place. Its length is a power of two, at least 16, by whose
    /// square root the length of the vector grows. Every level has the same bits.
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
                    let (one, other) = (low[lane], high[lane]);
                    low[lane] = one + other;
                    high[lane] = one - other;
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

/// The same between lanes of one register that are `HALF` apart.
#[inline(always)]
#[allow(clippy::inline_always)]
fn within<const HALF: usize>(lanes: &mut [f32; LANES]) {
    let mut partners = [0.0; LANES];
    for lane in 0..LANES {
        partners[lane] = lanes[lane ^ HALF];
    }
    for lane in 0..LANES {
        let own = if lane & HALF == 0 { lanes[lane] } else { -lanes[lane] };
        lanes[lane] = partners[lane] + own;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Level;

    #[test]
    fn every_level_multiplies_by_the_matrix_of_signs() {
        for len in [16, 32, 128, 512] {
            let vector: Vec<f32> = (0..len).map(|place| ((place * 37 + 11) % 101) as f32 - 50.0).collect();
            let sign =
                |row: usize, column: usize| if (row & column).count_ones().is_multiple_of(2) { 1.0 } else { -1.0 };
            let product = |row| (0..len).map(|column| 0.25 * sign(row, column) * vector[column]).sum::<f32>();
            let expected: Vec<f32> = (0..len).map(product).collect();
            for level in Level::available() {
                let mut found = vector.clone();
                hadamard(&mut found, 0.25, level);
                assert_eq!(found, expected, "{len} {level:?}");
            }
        }
    }
}
