//! AVX2: single precision, and integers of 7 bits.

use std::arch::x86_64::{
    __m256, __m256i, _CMP_GE_OQ, _mm256_add_epi16, _mm256_add_epi32, _mm256_cmp_ps, _mm256_cvtepi32_ps,
    _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_movemask_ps,
    _mm256_mul_ps, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps, _mm256_setzero_ps, _mm256_storeu_ps,
};

use super::sums::{Sums, tile};
use super::{ITEMS, NO_SCALES, NO_STARTS, QUERIES, Reached, Scores, Task};

/// Items of a register.
pub const LANES: usize = 8;

/// Compute the scores of `f32` words.
#[target_feature(enable = "avx2,fma")]
#[allow(unsafe_code)]
pub fn float(task: Task<'_>, scores: &mut Scores) -> Reached {
    // SAFETY: the function has the features. 12 sums, two loads and a broadcast fit 16 registers.
    unsafe { tile::<Floats, 1, 6, 2>(task, &NO_STARTS, &NO_SCALES, scores) }
}

/// Compute the scores of words of integers.
#[target_feature(enable = "avx2,fma")]
#[allow(unsafe_code)]
pub fn integers(task: Task<'_>, starts: &[i32; QUERIES], scales: &[f32; ITEMS], scores: &mut Scores) -> Reached {
    // SAFETY: as above.
    unsafe { tile::<Bytes, 2, 6, 1>(task, starts, scales, scores) }
}

/// Sums of `f32`.
#[derive(Clone, Copy)]
struct Floats(__m256);

#[allow(unsafe_code, clippy::inline_always)]
impl Sums<1> for Floats {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn start(_start: i32) -> Self {
        // SAFETY: the caller promises AVX2, here and below.
        Self(unsafe { _mm256_setzero_ps() })
    }

    #[inline(always)]
    unsafe fn add(self, [query]: [u32; 1], [items]: [&[u32]; 1]) -> Self {
        let items = &items[..LANES];
        let factor = f32::from_bits(query);
        // SAFETY: the slice is as long as the register.
        Self(unsafe { _mm256_fmadd_ps(_mm256_set1_ps(factor), _mm256_loadu_ps(items.as_ptr().cast()), self.0) })
    }

    #[inline(always)]
    unsafe fn finish(self, _scales: &[f32], threshold: f32, scores: &mut [f32]) -> u32 {
        // SAFETY: AVX2 as above.
        unsafe { store(self.0, threshold, scores) }
    }
}

/// Sums of products of unsigned bytes of items and signed bytes of queries.
///
/// `vpmaddubsw` adds two products in 16 bits. Items are at most 127 and queries 64 (see [`super::Integers`]), so the sum
/// of two such results is at most 4 · 127 · 64 = 32,512, which fits, and they are widened together.
#[derive(Clone, Copy)]
struct Bytes(__m256i);

#[allow(unsafe_code, clippy::inline_always)]
impl Sums<2> for Bytes {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn start(start: i32) -> Self {
        // SAFETY: the caller promises AVX2, here and below.
        Self(unsafe { _mm256_set1_epi32(start) })
    }

    #[inline(always)]
    unsafe fn add(self, queries: [u32; 2], items: [&[u32]; 2]) -> Self {
        let [first, second] = items.map(|items| items[..LANES].as_ptr());
        // SAFETY: the slices are as long as the registers.
        unsafe {
            let first = _mm256_maddubs_epi16(_mm256_loadu_si256(first.cast()), _mm256_set1_epi32(queries[0] as i32));
            let second = _mm256_maddubs_epi16(_mm256_loadu_si256(second.cast()), _mm256_set1_epi32(queries[1] as i32));
            let both = _mm256_madd_epi16(_mm256_add_epi16(first, second), _mm256_set1_epi16(1));
            Self(_mm256_add_epi32(self.0, both))
        }
    }

    #[inline(always)]
    unsafe fn finish(self, scales: &[f32], threshold: f32, scores: &mut [f32]) -> u32 {
        // SAFETY: AVX2 as above.
        unsafe { finish_integers(self.0, scales, threshold, scores) }
    }
}

/// Store integers times scales, and return which reach the threshold.
#[inline(always)]
#[allow(unsafe_code, clippy::inline_always)]
pub unsafe fn finish_integers(sums: __m256i, scales: &[f32], threshold: f32, scores: &mut [f32]) -> u32 {
    let scales = &scales[..LANES];
    // SAFETY: the slice is as long as the register; the caller promises AVX2.
    unsafe { store(_mm256_mul_ps(_mm256_cvtepi32_ps(sums), _mm256_loadu_ps(scales.as_ptr())), threshold, scores) }
}

/// Store scores, and return which reach the threshold.
#[inline(always)]
#[allow(unsafe_code, clippy::inline_always)]
unsafe fn store(sums: __m256, threshold: f32, scores: &mut [f32]) -> u32 {
    let scores = &mut scores[..LANES];
    // SAFETY: the slice is as long as the register; the caller promises AVX2.
    unsafe {
        _mm256_storeu_ps(scores.as_mut_ptr(), sums);
        _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(sums, _mm256_set1_ps(threshold))) as u32
    }
}
