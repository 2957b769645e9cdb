//! CIDEr and CIDEr-D (Vedantam et al., 2015): tf-idf cosine with each reference, averaged.
//!
//! CIDEr-D, which pycocoevalcap calls `Cider`, clips the prediction's weights to the reference's and multiplies by a
//! Gaussian of the difference in length. Plain CIDEr does neither. Both are multiplied by 10 and use raw counts as term
//! frequencies, as the reference implementations do (the paper divides by the length). The order of operations is that of
//! the reference implementations, so that the results have the same bits.

use std::f64::consts::E;
use std::hint::black_box;

use crate::bits::set_bits;
use crate::text::ngrams::MAX_ORDER;

/// Parameters of CIDEr-D and CIDEr.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CiderParameters {
    /// Standard deviation of CIDEr-D's Gaussian, in tokens.
    pub sigma: f64,
    /// Number of orders in the mean; those above [`MAX_ORDER`] count as zero.
    pub orders: usize,
}

impl Default for CiderParameters {
    fn default() -> Self {
        Self { sigma: 6.0, orders: MAX_ORDER }
    }
}

impl CiderParameters {
    /// Return CIDEr-D's factor for a prediction and a reference of these lengths.
    ///
    /// Lengths are counted in bigrams, as the reference implementation does: tokens minus one.
    pub(super) fn length_penalty(&self, prediction: usize, reference: usize) -> f64 {
        let delta = prediction.saturating_sub(1) as f64 - reference.saturating_sub(1) as f64;
        if delta == 0.0 {
            // Also where sigma is so small that its square is zero.
            return 1.0;
        }
        // `pow` and not `exp`, which rounds differently. The base is hidden from the compiler, which would choose `exp`.
        black_box(E).powf(-(delta * delta) / (2.0 * (self.sigma * self.sigma)))
    }

    /// Return an item's score from the sums over its references, order by order.
    pub(super) fn item_score(&self, by_order: &[f64; MAX_ORDER], references: usize) -> f64 {
        let [a, b, c, d] = *by_order;
        // NumPy adds eight numbers or more in pairs, even if all but four are zero.
        let sum = if self.orders < 8 { a + b + c + d } else { (a + b) + (c + d) };
        sum / self.orders as f64 / references as f64 * 10.0
    }
}

/// Dot products of the tf-idf vectors of a prediction and a reference, for one order.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Products {
    /// With the prediction's weights clipped to the reference's.
    pub clipped: f64,
    pub plain: f64,
}

impl Products {
    /// Sum over the prediction's different n-grams, in the order of their first occurrence.
    ///
    /// `weights` is count times idf in the prediction, `idf` the idf alone, and `matched` the count in the reference. Only
    /// n-grams whose bit is set in `nonzero` have a count in the reference; the others would add zero.
    pub fn sum(weights: &[f64], idf: &[f64], matched: &[u32], nonzero: &[u64]) -> Self {
        let mut products = Self::default();
        for (word, &bits) in nonzero.iter().enumerate() {
            for index in set_bits(bits).map(|bit| word * 64 + bit) {
                let (prediction, reference) = (weights[index], f64::from(matched[index]) * idf[index]);
                products.clipped += prediction.min(reference) * reference;
                products.plain += prediction * reference;
            }
        }
        products
    }

    /// Return the cosines: the products divided by both norms, or unchanged if a norm is zero.
    pub fn over(self, prediction_norm: f64, reference_norm: f64) -> Self {
        if prediction_norm == 0.0 || reference_norm == 0.0 {
            return self;
        }
        let norms = prediction_norm * reference_norm;
        Self { clipped: self.clipped / norms, plain: self.plain / norms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_penalty_counts_bigrams() {
        let parameters = CiderParameters::default();
        assert_eq!(parameters.length_penalty(0, 1).to_bits(), 1f64.to_bits());
        assert!((parameters.length_penalty(13, 7) - (-0.5f64).exp()).abs() < 1e-15);
    }

    #[test]
    fn products_differ_only_by_clipping() {
        let products = Products::sum(&[2.0, 0.5, 9.0], &[1.0, 0.5, 9.0], &[1, 1, 0], &[0b11]);
        assert_eq!([products.clipped, products.plain], [1.25, 2.25]);
        assert_eq!(products.over(0.0, 3.0).plain.to_bits(), products.plain.to_bits());
    }
}
