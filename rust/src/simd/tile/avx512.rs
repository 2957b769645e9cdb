//! AVX-512 without VNNI: single precision, and integers of 7 bits.

use std::arch::x86_64::{
    __m512, __m512i, _CMP_GE_OQ, _mm512_add_epi16, _mm512_add_epi32, _mm512_cmp_ps_mask, _mm512_cvtepi32_ps,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_loadu_si512, _mm512_madd_epi16, _mm512_maddubs_epi16, _mm512_mul_ps,
    _mm512_set1_epi16, _mm512_set1_epi32, _mm512_set1_ps, _mm512_setzero_ps, _mm512_storeu_ps,
};

use super::sums::{Sums, tile};
use super::{ITEMS, NO_SCALES, NO_STARTS, QUERIES, Reached, Scores, Task};

/// Items of a register.
pub const LANES: usize = 16;

/// Compute the scores of `f32` words.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[allow(unsafe_code)]
pub fn float(task: Task<'_>, scores: &mut Scores) -> Reached {
    // SAFETY: the function has the features. 24 sums, two loads and a broadcast fit 32 registers.
    unsafe { tile::<Floats, 1, 12, 2>(task, &NO_STARTS, &NO_SCALES, scores) }
}

/// Compute the scores of words of integers.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
#[allow(unsafe_code)]
pub fn integers(task: Task<'_>, starts: &[i32; QUERIES], scales: &[f32; ITEMS], scores: &mut Scores) -> Reached {
    // SAFETY: as above. Products need registers too.
    unsafe { tile::<Bytes, 2, 6, 2>(task, starts, scales, scores) }
}

/// Sums of `f32`.
#[derive(Clone, Copy)]
struct Floats(__m512);

#[allow(unsafe_code, clippy::inline_always)]
impl Sums<1> for Floats {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn start(_start: i32) -> Self {
        // SAFETY: the caller promises AVX-512, here and below.
        Self(unsafe { _mm512_setzero_ps() })
    }

    #[inline(always)]
    unsafe fn add(self, [query]: [u32; 1], [items]: [&[u32]; 1]) -> Self {
        let items = &items[..LANES];
        let factor = f32::from_bits(query);
        // SAFETY: the slice is as long as the register.
        Self(unsafe { _mm512_fmadd_ps(_mm512_set1_ps(factor), _mm512_loadu_ps(items.as_ptr().cast()), self.0) })
    }

    #[inline(always)]
    unsafe fn finish(self, _scales: &[f32], threshold: f32, scores: &mut [f32]) -> u32 {
        // SAFETY: AVX-512 as above.
        unsafe { store(self.0, threshold, scores) }
    }
}

/// Sums of products of unsigned bytes of items and signed bytes of queries, in the same steps as those of AVX2.
#[derive(Clone, Copy)]
struct Bytes(__m512i);

#[allow(unsafe_code, clippy::inline_always)]
impl Sums<2> for Bytes {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn start(start: i32) -> Self {
        // SAFETY: the caller promises AVX-512, here and below.
        Self(unsafe { _mm512_set1_epi32(start) })
    }

    #[inline(always)]
    unsafe fn add(self, queries: [u32; 2], items: [&[u32]; 2]) -> Self {
        let [first, second] = items.map(|items| items[..LANES].as_ptr());
        // SAFETY: the slices are as long as the registers.
        unsafe {
            let first = _mm512_maddubs_epi16(_mm512_loadu_si512(first.cast()), _mm512_set1_epi32(queries[0] as i32));
            let second = _mm512_maddubs_epi16(_mm512_loadu_si512(second.cast()), _mm512_set1_epi32(queries[1] as i32));
            let both = _mm512_madd_epi16(_mm512_add_epi16(first, second), _mm512_set1_epi16(1));
            Self(_mm512_add_epi32(self.0, both))
        }
    }

    #[inline(always)]
    unsafe fn finish(self, scales: &[f32], threshold: f32, scores: &mut [f32]) -> u32 {
        // SAFETY: AVX-512 as above.
        unsafe { finish_integers(self.0, scales, threshold, scores) }
    }
}

/// Store integers times scales, and return which reach the threshold.
#[inline(always)]
#[allow(unsafe_code, clippy::inline_always)]
pub unsafe fn finish_integers(sums: __m512i, scales: &[f32], threshold: f32, scores: &mut [f32]) -> u32 {
    let scales = &scales[..LANES];
    // SAFETY: the slice is as long as the register; the caller promises AVX-512.
    unsafe { store(_mm512_mul_ps(_mm512_cvtepi32_ps(sums), _mm512_loadu_ps(scales.as_ptr())), threshold, scores) }
}

/// Store scores, and return which reach the threshold.
#[inline(always)]
#[allow(unsafe_code, clippy::inline_always)]
unsafe fn store(sums: __m512, threshold: f32, scores: &mut [f32]) -> u32 {
    let scores = &mut scores[..LANES];
    // SAFETY: the slice is as long as the register; the caller promises AVX-512.
    unsafe {
        _mm512_storeu_ps(scores.as_mut_ptr(), sums);
        u32::from(_mm512_cmp_ps_mask::<_CMP_GE_OQ>(sums, _mm512_set1_ps(threshold)))
    }
}
