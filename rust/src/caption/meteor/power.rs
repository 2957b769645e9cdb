//! The power of METEOR's penalty, rounded correctly, so that it has the same bits on every machine.

/// The exponent.
const BETA: f64 = 0.2;

/// What the exponent exceeds 1/5 by: the double nearest to 1/5 is larger than it by this.
const EXCESS: f64 = 1.110_223_024_625_156_5e-17;

/// Return `x` to the power 0.2, of a number that is not negative: the double nearest to the power of the doubles.
///
/// An approximation `y` is corrected by what is missing to the true value, `(x - y⁵) / 5y⁴ + y · EXCESS · ln x`. All terms are
/// computed with more digits than they add, so the result is rounded correctly unless the true value is within about
/// 10⁻¹⁵ of a unit in the last place of the middle between two doubles.
pub(super) fn fifth_root(x: f64) -> f64 {
    let y = x.powf(BETA);
    if !(y.is_normal() && x.is_normal()) {
        return y;
    }
    let square = product(y, y);
    let fourth = product_of_pairs(square, square);
    let fifth = product_of_pairs(fourth, (y, 0.0));
    let missing = (x - fifth.0) - fifth.1;
    y + (missing / (5.0 * fourth.0) + y * EXCESS * x.ln())
}

/// Return a product as a rounded number and the error of rounding it.
fn product(left: f64, right: f64) -> (f64, f64) {
    let product = left * right;
    (product, left.mul_add(right, -product))
}

/// Return the product of two numbers, each a sum of a number and a much smaller one.
fn product_of_pairs(left: (f64, f64), right: (f64, f64)) -> (f64, f64) {
    let (high, low) = product(left.0, right.0);
    let low = low + (left.0 * right.1 + left.1 * right.0);
    let sum = high + low;
    (sum, low - (sum - high))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numerators and denominators whose powers the C library of Debian 12 rounds the wrong way, and the bits of the powers by
    /// Python's `decimal` with 40 digits.
    const CASES: [(f64, f64, u64); 6] = [
        (6.0, 23.5, 0x3fe8_5a92_587b_1dc1),
        (45.0, 47.0, 0x3fef_b910_1ae6_49eb),
        (7.0, 55.5, 0x3fe5_2668_5f52_db17),
        (22.0, 65.5, 0x3fe9_ba11_71c6_4953),
        (51.0, 80.0, 0x3fed_3e9f_907d_d8a0),
        (50.0, 86.5, 0x3fec_ad6e_57dd_6840),
    ];

    #[test]
    fn powers_are_rounded_correctly() {
        for (numerator, denominator, bits) in CASES {
            let power = fifth_root(numerator / denominator);
            assert_eq!(power.to_bits(), bits, "{numerator} / {denominator}");
        }
    }

    #[test]
    fn special_numbers_have_their_powers() {
        assert_eq!([0.0, 1.0, 32.0, f64::INFINITY].map(fifth_root), [0.0, 1.0, 2.0, f64::INFINITY]);
        assert!(fifth_root(f64::NAN).is_nan());
        assert!(fifth_root(5e-324) > 0.0);
    }
}
