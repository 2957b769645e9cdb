//! States of the generator PCG64 in registers, by products of 52 bits.

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_add_epi64, _mm512_and_si512, _mm512_cmplt_epu32_mask, _mm512_i32gather_epi32,
    _mm512_loadu_si512, _mm512_madd52hi_epu64, _mm512_madd52lo_epu64, _mm512_mask_blend_epi32, _mm512_min_epu32,
    _mm512_mul_epu32, _mm512_permutex2var_epi32, _mm512_reduce_add_epi64, _mm512_rol_epi64, _mm512_rorv_epi64,
    _mm512_set_epi32, _mm512_set1_epi32, _mm512_set1_epi64, _mm512_setzero_si512, _mm512_slli_epi64, _mm512_srli_epi64,
    _mm512_storeu_si512, _mm512_ternarylogic_epi64, _mm512_xor_si512,
};
use std::hint::black_box;

use super::pcg64::{MAX_VALUES, STATES};

/// States of a register.
const LANES: usize = 8;

/// Bits of the lower two of three parts of a number; the highest has 24 bits.
const PART: u32 = 52;

/// Lanes of 32 bits with the lower halves of products.
const LOWER: u16 = 0x5555;

/// Groups of numbers whose rejections are looked for together.
const CHUNK: usize = 16;

/// Eight numbers of 128 bits. Of the lower two parts, bits from [`PART`] on are already in the part after them.
type Parts = [__m512i; 3];

/// Replace `numbers` by the hashes of the states, which advance together; see [`super::pcg64::fill`].
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn fill(states: &[u128; STATES], multiplier: u128, increment: u128, numbers: &mut [[u64; STATES]]) {
    let (multiplier, increment) = (parts(&[multiplier; LANES]), parts(&[increment; LANES]));
    let (states, _) = states.as_chunks::<LANES>();
    let mut states = [parts(&states[0]), parts(&states[1])];
    for numbers in numbers {
        let (numbers, _) = numbers.as_chunks_mut::<LANES>();
        for half in 0..2 {
            store(output(states[half]), &mut numbers[half]);
            states[half] = step(states[half], multiplier, increment);
        }
    }
}

/// Integers of a group of numbers, two for each.
type Pairs = [[u64; LANES]; STATES / LANES];

/// Count the integers of groups of numbers; see [`super::pcg64::count`].
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn count(
    states: &[u128; STATES],
    multiplier: u128,
    increment: u128,
    (n, threshold): (u32, u32),
    counts: &mut [u8],
    groups: usize,
) -> usize {
    assert!(n > 0 && counts.len() == n as usize, "an integer needs a count");
    let (multiplier, increment) = (parts(&[multiplier; LANES]), parts(&[increment; LANES]));
    let (states, _) = states.as_chunks::<LANES>();
    let mut states = [parts(&states[0]), parts(&states[1])];
    // The group before is counted while the numbers of the next one are computed.
    let mut pairs: [Pairs; 2] = Default::default();
    for group in 0..=groups {
        let mut rejected = 0;
        for half in 0..2 {
            rejected |= products(output(states[half]), n, threshold, &mut pairs[group % 2][half]);
            states[half] = step(states[half], multiplier, increment);
        }
        if group > 0 {
            add(&pairs[(group + 1) % 2], counts);
        }
        if rejected != 0 {
            return group;
        }
    }
    groups
}

/// Sum the values of the integers of groups of numbers; see [`super::pcg64::sum`].
#[target_feature(enable = "avx512f,avx512ifma")]
pub fn sum(
    states: &[u128; STATES],
    multiplier: u128,
    increment: u128,
    (n, threshold): (u32, u32),
    values: &[u16],
    groups: usize,
) -> (usize, u64) {
    assert!(n > 0 && n <= MAX_VALUES && values.len() > n as usize, "an integer needs a value, and the last one a next");
    let (multiplier, increment) = (parts(&[multiplier; LANES]), parts(&[increment; LANES]));
    let (states, _) = states.as_chunks::<LANES>();
    let mut states = [parts(&states[0]), parts(&states[1])];
    let thresholds = _mm512_set1_epi32(threshold.cast_signed());
    let mut total = _mm512_setzero_si512();
    for start in (0..groups).step_by(CHUNK) {
        let mut least = _mm512_set1_epi32(-1);
        let mut sums = _mm512_setzero_si512();
        for _ in start..groups.min(start + CHUNK) {
            for state in &mut states {
                sums = _mm512_add_epi32(sums, values_of(output(*state), n, &mut least, values));
                *state = step(*state, multiplier, increment);
            }
        }
        if _mm512_cmplt_epu32_mask(least, thresholds) & LOWER != 0 {
            return (start, _mm512_reduce_add_epi64(total).cast_unsigned());
        }
        let lower = _mm512_and_si512(sums, _mm512_set1_epi64(0xffff_ffff));
        total = _mm512_add_epi64(total, _mm512_add_epi64(lower, _mm512_srli_epi64::<32>(sums)));
    }
    (groups, _mm512_reduce_add_epi64(total).cast_unsigned())
}

/// Return the values of the integers of numbers, 16 of 32 bits in any order, and update the least lower halves of products.
#[inline]
#[target_feature(enable = "avx512f")]
#[allow(unsafe_code)]
fn values_of(numbers: __m512i, n: u32, least: &mut __m512i, values: &[u16]) -> __m512i {
    // Hidden from the compiler, which would multiply numbers of 64 bits.
    let n = black_box(_mm512_set1_epi64(i64::from(n)));
    let first = _mm512_mul_epu32(numbers, n);
    let second = _mm512_mul_epu32(_mm512_srli_epi64::<32>(numbers), n);
    *least = _mm512_min_epu32(*least, _mm512_min_epu32(first, second));
    let upper = _mm512_set_epi32(31, 29, 27, 25, 23, 21, 19, 17, 15, 13, 11, 9, 7, 5, 3, 1);
    let items = _mm512_permutex2var_epi32(first, upper, second);
    // SAFETY: the upper half of a product of 32 bits and n is below n, so there are a value and a next one, which is in the
    // upper half of what is read.
    let pairs = unsafe { _mm512_i32gather_epi32::<{ size_of::<u16>() as i32 }>(items, values.as_ptr().cast()) };
    _mm512_and_si512(pairs, _mm512_set1_epi32(0xffff))
}

/// Multiply both halves of numbers with `n`, write the upper halves of the products to `pairs`, and return the lanes of 32
/// bits of which the lower half is below `threshold`.
#[inline]
#[target_feature(enable = "avx512f")]
fn products(numbers: __m512i, n: u32, threshold: u32, pairs: &mut [u64; LANES]) -> u16 {
    // Hidden from the compiler, which would multiply numbers of 64 bits.
    let n = black_box(_mm512_set1_epi64(i64::from(n)));
    let threshold = _mm512_set1_epi32(threshold.cast_signed());
    let first = _mm512_mul_epu32(numbers, n);
    let second = _mm512_mul_epu32(_mm512_srli_epi64::<32>(numbers), n);
    store(_mm512_mask_blend_epi32(!LOWER, _mm512_srli_epi64::<32>(first), second), pairs);
    (_mm512_cmplt_epu32_mask(first, threshold) | _mm512_cmplt_epu32_mask(second, threshold)) & LOWER
}

/// Add one to the count of each integer, which are below the number of counts.
#[inline]
#[target_feature(enable = "avx512f")]
#[allow(unsafe_code)]
fn add(pairs: &Pairs, counts: &mut [u8]) {
    for pair in pairs.as_flattened() {
        for item in [*pair as u32, (pair >> 32) as u32] {
            // SAFETY: the upper half of a product of 32 bits and the number of counts is below this number.
            let count = unsafe { counts.get_unchecked_mut(item as usize) };
            *count = count.wrapping_add(1);
        }
    }
}

/// Return the numbers in parts.
#[target_feature(enable = "avx512f")]
fn parts(numbers: &[u128; LANES]) -> Parts {
    let part = |shift: u32| numbers.map(|number| (number >> shift) as u64 & ((1 << PART) - 1));
    [load(&part(0)), load(&part(PART)), load(&part(2 * PART))]
}

/// Return the hashes of states.
#[inline]
#[target_feature(enable = "avx512f")]
fn output([low, middle, high]: Parts) -> __m512i {
    const AND_XOR: i32 = 0x6a;
    let mask = _mm512_set1_epi64((1 << PART) - 1);
    // The middle part ends the lower half of a state and begins the upper one, whose exclusive or is taken.
    let middle = _mm512_rol_epi64::<{ PART as i32 }>(_mm512_and_si512(middle, mask));
    let halves = _mm512_ternarylogic_epi64::<AND_XOR>(low, mask, middle);
    // The highest part may have further bits: they are shifted out here, and a rotation has six bits.
    let halves = _mm512_xor_si512(halves, _mm512_slli_epi64::<40>(high));
    _mm512_rorv_epi64(halves, _mm512_srli_epi64::<18>(high))
}

/// Return the product of states with the multiplier, plus the increment, modulo 2^128.
#[inline]
#[target_feature(enable = "avx512f,avx512ifma")]
fn step([low, middle, high]: Parts, multiplier: Parts, increment: Parts) -> Parts {
    let [a, b, c] = multiplier;
    // Products are of the lower 52 bits of each part. Those that wait for the part itself are the last ones.
    let first = _mm512_madd52lo_epu64(increment[0], low, a);
    let second = _mm512_add_epi64(increment[1], _mm512_srli_epi64::<PART>(first));
    let second = _mm512_madd52hi_epu64(second, low, a);
    let second = _mm512_madd52lo_epu64(second, low, b);
    let second = _mm512_madd52lo_epu64(second, middle, a);
    let third = _mm512_madd52hi_epu64(increment[2], low, b);
    let third = _mm512_madd52lo_epu64(third, low, c);
    let third = _mm512_madd52hi_epu64(third, middle, a);
    let third = _mm512_madd52lo_epu64(third, middle, b);
    let third = _mm512_add_epi64(third, _mm512_srli_epi64::<PART>(second));
    [first, second, _mm512_madd52lo_epu64(third, high, a)]
}

#[target_feature(enable = "avx512f")]
#[allow(unsafe_code)]
fn load(numbers: &[u64; LANES]) -> __m512i {
    // SAFETY: the array has as many bytes as the register.
    unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
#[allow(unsafe_code)]
fn store(register: __m512i, numbers: &mut [u64; LANES]) {
    // SAFETY: the array has as many bytes as the register.
    unsafe { _mm512_storeu_si512(numbers.as_mut_ptr().cast(), register) }
}
