//! Parse numbers as encoders write them, `-0.012345678901234567` or `1.2e-05`, eight digits at a time.
//!
//! The digits become an integer, which is divided by a power of ten in double precision and rounded to single precision.
//! The quotient is wrong by at most a few units in the last place. That matters only next to the midpoint of two floats:
//! such numbers, and those of any other form, are left to `fast-float2`, which is exact for all numbers.
//!
//! This is the inner loop of reading feature files, which is why it does not use `fast-float2` for all numbers: numbers of
//! the usual form need no general parser, and AVX2 converts all digits of one at once. A feature file of 10,000 rows of
//! 512 numbers (113 MB) is read in 88 ms, 12.6 times faster than with orjson and NumPy (docs/benchmarks.md).

use super::Level;

/// Bytes that are read; no number of the usual form is longer.
const WINDOW: usize = 32;

/// Eight bytes of the digit zero.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// How far from the midpoint of two floats a quotient must be, in units of its last place. It has three roundings.
const MARGIN: u64 = 32;

/// Powers of ten as integers.
pub(super) const TENS: [u64; 19] = {
    let mut powers = [1; 19];
    let mut n = 1;
    while n < powers.len() {
        powers[n] = powers[n - 1] * 10;
        n += 1;
    }
    powers
};

/// Powers of ten that are exact in double precision.
const EXACT: [f64; 23] = {
    let mut powers = [1.0; 23];
    let mut n = 1;
    while n < powers.len() {
        powers[n] = powers[n - 1] * 10.0;
        n += 1;
    }
    powers
};

/// Append the numbers of the usual form from `at` on to `values`, as long as each is followed by a comma and perhaps a
/// space. Returns where the first other number starts.
///
/// # Panics
/// If this CPU does not have the level.
#[allow(unsafe_code)]
pub fn floats(text: &[u8], at: usize, values: &mut Vec<f32>, level: Level) -> usize {
    assert!(level.is_available(), "this CPU does not have the level");
    match level {
        Level::Portable => floats_portable(text, at, values),
        // SAFETY: the level is available, so the CPU has its instructions.
        #[cfg(target_arch = "x86_64")]
        _ => unsafe { super::decimal_x86::floats(text, at, values) },
        #[cfg(not(target_arch = "x86_64"))]
        _ => floats_portable(text, at, values),
    }
}

fn floats_portable(text: &[u8], at: usize, values: &mut Vec<f32>) -> usize {
    let mut at = at;
    while let Some((value, length)) = text.get(at..).and_then(usual) {
        let Some(next) = after_comma(text, at + length) else { break };
        values.push(value);
        at = next;
    }
    at
}

/// Return where the next number of a list starts, if the one before ends at `end`.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) fn after_comma(text: &[u8], end: usize) -> Option<usize> {
    match text.get(end..)? {
        [b',', b' ', ..] => Some(end + 2),
        [b',', ..] => Some(end + 1),
        _ => None,
    }
}

/// Return the number at the start of some bytes, `numpy.float32(float(text))`, and its length; None for another form or a
/// number near a midpoint.
#[inline]
pub fn usual(bytes: &[u8]) -> Option<(f32, usize)> {
    let window: &[u8; WINDOW] = bytes.first_chunk()?;
    let start = usize::from(window[0] == b'-');
    let whole = u64::from(window[start].wrapping_sub(b'0'));
    if whole > 9 || window[start + 1] != b'.' {
        return None;
    }
    let (fraction, count) = fraction(window, start + 2)?;
    if count == 0 || whole > 0 && count > 18 {
        return None;
    }
    let integer = if whole > 0 { whole * TENS[count] + fraction } else { fraction };
    let (exponent, length) = exponent(window, start + 2 + count)?;
    let number = quotient(integer, count + exponent)?;
    // Signs are random, so a branch would be mispredicted.
    Some((f32::from_bits(number.to_bits() | (start as u32) << 31), length))
}

/// Return the digits from `start` on as an integer below 10^19, and their number.
#[inline(always)]
#[allow(clippy::inline_always)]
fn fraction(window: &[u8; WINDOW], start: usize) -> Option<(u64, usize)> {
    let (first, count) = digits(window, start);
    if count < 8 {
        return Some((first, count));
    }
    let (second, more) = digits(window, start + 8);
    let both = first * TENS[more] + second;
    if more < 8 {
        return Some((both, 8 + more));
    }
    let (third, more) = digits(window, start + 16);
    // 20 digits and more need leading zeros.
    let fits = more < 4 || more < 8 && first < TENS[11 - more];
    fits.then(|| (both * TENS[more] + third, 16 + more))
}

/// Return the digits among the eight bytes from `start` on, up to the first other byte, and their number.
#[inline(always)]
#[allow(clippy::inline_always)]
fn digits(window: &[u8; WINDOW], start: usize) -> (u64, usize) {
    let Some(bytes) = window.get(start..).and_then(<[u8]>::first_chunk) else { return (0, 8) };
    let values = u64::from_le_bytes(*bytes) ^ ZEROS;
    // The highest bit of each byte that is above nine. It may be wrong for later bytes.
    let non_digits = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let count = non_digits.trailing_zeros() as usize / 8;
    // Replace the bytes that follow by leading zeros: the first digit is in the lowest byte.
    let values = values.checked_shl(64 - 8 * count as u32).unwrap_or(0);
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let low = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let high = ((pairs >> 16) & 0x0000_00ff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    (low.wrapping_add(high) >> 32, count)
}

/// Return the power of ten by which a negative exponent of two digits at `at` divides, and where the number ends.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) fn exponent(text: &[u8], at: usize) -> Option<(usize, usize)> {
    let rest: &[u8; 5] = text.get(at..)?.first_chunk()?;
    match rest {
        [b'e' | b'E', b'-', tens @ b'0'..=b'9', ones @ b'0'..=b'9', after] if !after.is_ascii_digit() => {
            Some((usize::from(tens - b'0') * 10 + usize::from(ones - b'0'), at + 4))
        }
        [b'e' | b'E', ..] => None,
        _ => Some((0, at)),
    }
}

/// Return an integer divided by 10^`exponent`, rounded to the nearest float; None if the rounding is not certain.
#[inline(always)]
#[allow(clippy::inline_always)]
pub(super) fn quotient(integer: u64, exponent: usize) -> Option<f32> {
    if integer == 0 {
        return Some(0.0);
    }
    // Signed integers convert in one instruction on every CPU.
    let integer = i64::try_from(integer).ok()? as f64;
    let quotient = match EXACT.get(exponent) {
        Some(power) => integer / power,
        None => integer / EXACT[22] / EXACT.get(exponent - 22)?,
    };
    // 29 of the 52 bits of the fraction are lost; more for subnormal floats, which are left out.
    let lost = quotient.to_bits() & ((1 << 29) - 1);
    let is_near_midpoint = lost.wrapping_sub((1 << 28) - MARGIN) < 2 * MARGIN;
    (!is_near_midpoint && quotient > 2.4e-38).then_some(quotient as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Option<(f32, usize)> {
        usual(format!("{text:<40}").as_bytes())
    }

    #[test]
    fn usual_numbers_are_read() {
        let texts = ["0.5", "-0.25", "0.005501762498170137", "1.0", "9.123456789012345678", "-0.0", "0.0"];
        let small =
            ["1.2e-05", "-9.999999747378752e-06", "0.00000000000000000000123", "3.5e-37", "0.10000000149011612"];
        for text in texts.into_iter().chain(small) {
            let expected = text.parse::<f64>().expect("a number") as f32;
            let (found, length) = of(text).unwrap_or_else(|| panic!("{text} is usual"));
            assert_eq!((found.to_bits(), length), (expected.to_bits(), text.len()), "{text}");
        }
    }

    #[test]
    fn other_numbers_are_left_out() {
        let forms = ["1", ".5", "1.", "-", "10.5", "1.5e5", "1.5e+05", "1.5e-5", "1.5e-100", "0.x", "1.5e", "NaN"];
        // Near the midpoint of two floats, subnormal, and too long.
        let values =
            ["1.00000005960464477539", "1.0e-38", "1.5e-45", "9.1234567890123456789", "0.123456789012345678901"];
        for text in forms.into_iter().chain(values) {
            assert_eq!(of(text), None, "{text}");
        }
        assert_eq!(usual(b"0.5]"), None);
    }

    #[test]
    fn lists_are_read_up_to_another_form() {
        let numbers =
            ["0.5", "-0.0012345678901234567", "9.25", "0.123456789012345678", "-1.5e-07", "0.00000000012345678"];
        for other in ["1", "1.00000005960464477539", "-x", "", "0.5]"] {
            let mut texts = numbers.repeat(9);
            texts.push(other);
            texts.extend(numbers.repeat(2));
            let expected: Vec<f32> =
                numbers.repeat(9).iter().map(|text| text.parse::<f64>().expect("a number") as f32).collect();
            for separator in [",", ", "] {
                let text = texts.join(separator);
                let end = numbers.repeat(9).join(separator).len() + separator.len();
                for level in Level::available() {
                    let (mut values, mut at) = (Vec::new(), 0);
                    // A level may stop earlier, where it would read outside the text.
                    while at < end {
                        at = floats(text.as_bytes(), at, &mut values, level);
                        if at < end {
                            let (value, length) = usual(&text.as_bytes()[at..]).expect("usual");
                            values.push(value);
                            at += length + separator.len();
                        }
                    }
                    assert_eq!((at, &values), (end, &expected), "{other} {level:?}");
                }
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn any_digits(whole in 0..10_u32, zeros in 0..8_usize, digits in 0_u64.., exponent in 0..99_usize) {
            let fraction = format!("{}{digits}", "0".repeat(zeros));
            for text in [format!("{whole}.{fraction}"), format!("-{whole}.{fraction}e-{exponent:02}")] {
                let list = format!("{:>40}{text},{:40}", "", "");
                let expected = text.parse::<f64>().expect("a number") as f32;
                for level in Level::available() {
                    let mut values = Vec::new();
                    floats(list.as_bytes(), 40, &mut values, level);
                    if let [found] = values[..] {
                        assert_eq!(found.to_bits(), expected.to_bits(), "{text} {level:?}");
                    }
                }
                if let Some((found, length)) = of(&text) {
                    assert_eq!((found.to_bits(), length), (expected.to_bits(), text.len()), "{text}");
                }
            }
        }
    }
}
