//! Numbers of about 31 digits, as the sum of two floats, and with an exponent of any size.

use std::ops::{Add, Div, Mul};

/// An unevaluated sum of two floats, of which the second is below half a unit in the last place of the first. Products of
/// numbers near the limits of floats are not exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoubleDouble {
    pub high: f64,
    pub low: f64,
}

impl From<f64> for DoubleDouble {
    fn from(high: f64) -> Self {
        Self { high, low: 0.0 }
    }
}

/// Return the rounded sum and its error, for |a| >= |b|.
fn quick_sum(a: f64, b: f64) -> DoubleDouble {
    let high = a + b;
    DoubleDouble { high, low: b - (high - a) }
}

/// Return the rounded sum and its error (Knuth).
fn exact_sum(a: f64, b: f64) -> DoubleDouble {
    let high = a + b;
    let part = high - a;
    DoubleDouble { high, low: (a - (high - part)) + (b - part) }
}

/// Split a float into halves whose products are exact (Veltkamp).
fn split(value: f64) -> (f64, f64) {
    let scaled = 134_217_729.0 * value;
    let high = scaled - (scaled - value);
    (high, value - high)
}

/// Return the rounded product and its error (Dekker).
fn exact_product(a: f64, b: f64) -> DoubleDouble {
    let high = a * b;
    let ((a_high, a_low), (b_high, b_low)) = (split(a), split(b));
    let low = ((a_high * b_high - high) + a_high * b_low + a_low * b_high) + a_low * b_low;
    DoubleDouble { high, low }
}

impl Add for DoubleDouble {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let sum = exact_sum(self.high, other.high);
        quick_sum(sum.high, sum.low + (self.low + other.low))
    }
}

impl Mul for DoubleDouble {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let product = exact_product(self.high, other.high);
        quick_sum(product.high, product.low + (self.high * other.low + self.low * other.high))
    }
}

impl Div for DoubleDouble {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let first = self.high / other.high;
        let rest = self + other * Self::from(-first);
        let second = rest.high / other.high;
        let rest = rest + other * Self::from(-second);
        let third = rest.high / other.high;
        quick_sum(first, second) + Self::from(third)
    }
}

/// A positive number `mantissa * 2^exponent`, whose mantissa is at least 1 and below 2.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaled {
    mantissa: DoubleDouble,
    exponent: i64,
}

impl Scaled {
    pub const ONE: Self = Self { mantissa: DoubleDouble { high: 1.0, low: 0.0 }, exponent: 0 };

    /// Make a scaled number of one that is positive and normal.
    pub fn new(value: DoubleDouble) -> Self {
        Self { mantissa: value, exponent: 0 }.normalized()
    }

    /// Return the power of two with this exponent.
    pub fn power_of_two(exponent: i64) -> Self {
        Self { exponent, ..Self::ONE }
    }

    fn normalized(self) -> Self {
        let exponent = ((self.mantissa.high.to_bits() >> 52) & 0x7ff) as i64 - 1023;
        let factor = power_of_two(-exponent);
        let DoubleDouble { high, low } = self.mantissa;
        Self { mantissa: DoubleDouble { high: high * factor, low: low * factor }, exponent: self.exponent + exponent }
    }

    /// Return the number to the power of `count`.
    pub fn power(self, mut count: u64) -> Self {
        let (mut result, mut square) = (Self::ONE, self);
        while count > 0 {
            if count & 1 == 1 {
                result = result * square;
            }
            square = square * square;
            count >>= 1;
        }
        result
    }

    /// Return the nearest float; 0 if the number is below the normal ones, infinity if it is above all.
    pub fn value(self) -> DoubleDouble {
        match self.exponent {
            1024.. => DoubleDouble::from(f64::INFINITY),
            -1022.. => {
                let factor = power_of_two(self.exponent);
                DoubleDouble { high: self.mantissa.high * factor, low: self.mantissa.low * factor }
            }
            _ => DoubleDouble::from(0.0),
        }
    }
}

/// Return a power of two that is a normal float.
fn power_of_two(exponent: i64) -> f64 {
    f64::from_bits(((exponent + 1023) as u64) << 52)
}

impl Mul for Scaled {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        Self { mantissa: self.mantissa * other.mantissa, exponent: self.exponent + other.exponent }.normalized()
    }
}

impl Div for Scaled {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        Self { mantissa: self.mantissa / other.mantissa, exponent: self.exponent - other.exponent }.normalized()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wide(value: f64) -> DoubleDouble {
        DoubleDouble::from(value)
    }

    #[test]
    fn a_third_has_twice_the_digits() {
        let third = wide(1.0) / wide(3.0);
        let one = third * wide(3.0);
        assert!(((one.high - 1.0) + one.low).abs() < 1e-31);
        let zero = third + third + third + wide(-1.0);
        assert!(zero.high.abs() < 1e-31);
    }

    #[test]
    fn powers_go_beyond_the_range_of_floats() {
        let ten = Scaled::new(wide(10.0));
        let ratio = ten.power(5000) / ten.power(4997);
        assert!((ratio.value().high - 1000.0).abs() < 1e-12);
        assert_eq!(ten.power(400).value().high, f64::INFINITY);
        assert_eq!((Scaled::ONE / ten.power(400)).value().high, 0.0);
        assert_eq!(Scaled::new(wide(0.5)).power(1000), Scaled::power_of_two(-1000));
    }
}
