//! Sums and means of statistics.
//!
//! A metric computes statistics for each item, and its score from their sum. Statistics of shards can be concatenated
//! before they are summed, so shards that are scored separately have the same score as the whole.

/// Return the mean of `values`, added in the order in which `numpy.mean` adds a contiguous array, so that it has the same
/// bits; `NaN` for no values.
///
/// ```
/// assert_eq!(muge_fast_core::sums::mean(&[1.0, 2.0, 6.0]), 3.0);
/// ```
pub fn mean(values: &[f64]) -> f64 {
    pairwise_sum(values) / values.len() as f64
}

/// Up to this many values NumPy adds in eight accumulators; it halves longer arrays.
const PAIRWISE_BLOCK: usize = 128;

fn pairwise_sum(values: &[f64]) -> f64 {
    if values.len() < 8 {
        return values.iter().sum();
    }
    if values.len() > PAIRWISE_BLOCK {
        let half = values.len() / 2;
        let (left, right) = values.split_at(half - half % 8);
        return pairwise_sum(left) + pairwise_sum(right);
    }
    let (eights, rest) = values.as_chunks::<8>();
    let mut lanes = eights[0];
    for eight in &eights[1..] {
        lanes.iter_mut().zip(eight).for_each(|(lane, value)| *lane += value);
    }
    let [a, b, c, d, e, f, g, h] = lanes;
    let sum = ((a + b) + (c + d)) + ((e + f) + (g + h));
    rest.iter().fold(sum, |sum, value| sum + value)
}

/// Return the sum of rows, column by column, in row order.
pub fn sum<const WIDTH: usize>(rows: &[[f64; WIDTH]]) -> [f64; WIDTH] {
    rows.iter().fold([0.0; WIDTH], |mut sum, row| {
        sum.iter_mut().zip(row).for_each(|(total, value)| *total += value);
        sum
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_whole_numbers_are_exact_at_every_length() {
        for n in 1..1000u32 {
            let values: Vec<f64> = (1..=n).map(f64::from).collect();
            assert_eq!(mean(&values).to_bits(), (f64::from(n + 1) / 2.0).to_bits());
        }
        assert!(mean(&[]).is_nan());
    }

    #[test]
    fn columns_are_summed() {
        assert_eq!(sum(&[[1.0, 2.0], [3.0, 4.0]]).map(f64::to_bits), [4.0, 6.0].map(f64::to_bits));
    }
}
