//! AVX-VNNI: integers of 8 bits in registers of 256 bits. Single precision is that of AVX2.

use std::arch::x86_64::{__m256i, _mm256_dpbusd_avx_epi32, _mm256_loadu_si256, _mm256_set1_epi32};

use super::avx2::{LANES, finish_integers};
use super::sums::{Sums, tile};
use super::{ITEMS, QUERIES, Reached, Scores, Task};

/// Compute the scores of words of integers.
#[target_feature(enable = "avx2,fma,avxvnni")]
#[allow(unsafe_code)]
pub fn integers(task: Task<'_>, starts: &[i32; QUERIES], scales: &[f32; ITEMS], scores: &mut Scores) -> Reached {
    // SAFETY: the function has the features. 12 sums, two loads and a broadcast fit 16 registers.
    unsafe { tile::<Bytes, 1, 6, 2>(task, starts, scales, scores) }
}

/// Sums of products of unsigned bytes of items and signed bytes of queries.
#[derive(Clone, Copy)]
struct Bytes(__m256i);

#[allow(unsafe_code, clippy::inline_always)]
impl Sums<1> for Bytes {
    const LANES: usize = LANES;

    #[inline(always)]
    unsafe fn start(start: i32) -> Self {
        // SAFETY: the caller promises AVX-VNNI, here and below.
        Self(unsafe { _mm256_set1_epi32(start) })
    }

    #[inline(always)]
    unsafe fn add(self, [query]: [u32; 1], [items]: [&[u32]; 1]) -> Self {
        let items = &items[..LANES];
        // SAFETY: the slice is as long as the register.
        Self(unsafe {
            _mm256_dpbusd_avx_epi32(self.0, _mm256_loadu_si256(items.as_ptr().cast()), _mm256_set1_epi32(query as i32))
        })
    }

    #[inline(always)]
    unsafe fn finish(self, scales: &[f32], threshold: f32, scores: &mut [f32]) -> u32 {
        // SAFETY: AVX-VNNI as above.
        unsafe { finish_integers(self.0, scales, threshold, scores) }
    }
}
