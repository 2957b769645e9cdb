//! The parser of [`super::decimal`] with all digits of a number in one register of 32 bytes.

use std::arch::x86_64::{
    __m256i, _mm_cvtsi128_si64, _mm256_and_si256, _mm256_castsi256_si128, _mm256_cmpeq_epi8, _mm256_extracti128_si256,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_packus_epi32, _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_sub_epi8,
};

use super::decimal::{TENS, after_comma, exponent, quotient};

/// Bytes of a register.
const BYTES: usize = 32;

/// Largest number of digits after the point; more do not fit three parts of eight digits.
const MAX_DIGITS: usize = 22;

/// A mask loaded at `n` keeps the last `n` bytes of a register.
const KEEP: [u8; 2 * BYTES] = {
    let mut keep = [0; 2 * BYTES];
    let mut n = BYTES;
    while n < keep.len() {
        keep[n] = 0xff;
        n += 1;
    }
    keep
};

/// Append numbers of the usual form to `values`, like [`super::decimal::floats`].
#[target_feature(enable = "avx2")]
pub fn floats(text: &[u8], at: usize, values: &mut Vec<f32>) -> usize {
    let mut at = at;
    while let Some((value, end)) = float(text, at) {
        let Some(next) = after_comma(text, end) else { break };
        values.push(value);
        at = next;
    }
    at
}

/// Return the number at `at`, and where it ends.
#[inline]
#[target_feature(enable = "avx2")]
fn float(text: &[u8], at: usize) -> Option<(f32, usize)> {
    let head: &[u8; 3] = text.get(at..)?.first_chunk()?;
    let sign = usize::from(head[0] == b'-');
    let whole = u64::from(head[sign].wrapping_sub(b'0'));
    if whole > 9 || head[sign + 1] != b'.' {
        return None;
    }
    let start = at + sign + 2;
    let digits = digits(text.get(start..)?.first_chunk()?);
    let count = _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_min_epu8(digits, _mm256_set1_epi8(9)), digits));
    let count = count.trailing_ones() as usize;
    let end = start + count;
    if count == 0 || count > MAX_DIGITS || whole > 0 && count > 17 || end < BYTES {
        return None;
    }
    let [first, second, third] = parts(text[end - BYTES..end].first_chunk()?, count);
    // The first part is multiplied by 10^16.
    if first >= 900 {
        return None;
    }
    let mut integer = first * TENS[16] + second * TENS[8] + third;
    if whole > 0 {
        integer += whole * TENS[count];
    }
    let (exponent, end) = exponent(text, end)?;
    let number = quotient(integer, count + exponent)?;
    Some((f32::from_bits(number.to_bits() | (sign as u32) << 31), end))
}

/// Return the bytes minus the digit zero.
#[inline]
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
fn digits(bytes: &[u8; BYTES]) -> __m256i {
    // SAFETY: the array has as many bytes as the register.
    let bytes = unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) };
    _mm256_sub_epi8(bytes, _mm256_set1_epi8(b'0' as i8))
}

/// Return the last `count` bytes, which are digits, as three integers of eight digits.
#[inline]
#[target_feature(enable = "avx2")]
#[allow(unsafe_code)]
fn parts(bytes: &[u8; BYTES], count: usize) -> [u64; 3] {
    let keep = KEEP[count..count + BYTES].as_ptr();
    // SAFETY: the slice has as many bytes as the register.
    let keep = unsafe { _mm256_loadu_si256(keep.cast()) };
    let digits = _mm256_and_si256(digits(bytes), keep);
    // Combine two, then four, then eight digits.
    let twos = _mm256_maddubs_epi16(digits, _mm256_set1_epi16(0x010a));
    let fours = _mm256_madd_epi16(twos, _mm256_set1_epi32(0x0001_0064));
    let eights = _mm256_madd_epi16(_mm256_packus_epi32(fours, fours), _mm256_set1_epi32(0x0001_2710));
    let low = _mm_cvtsi128_si64(_mm256_castsi256_si128(eights)) as u64;
    let high = _mm_cvtsi128_si64(_mm256_extracti128_si256::<1>(eights)) as u64;
    [low >> 32, high & 0xffff_ffff, high >> 32]
}
