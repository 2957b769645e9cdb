//! The largest numbers of whole groups with intrinsics: the compiled body of [`super::group_max`] takes twice as long,
//! more than reading the values from memory.

use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

use half::f16;

use super::group_max::GROUP;

/// How far ahead of the group memory is read, in bytes. The CPU reads ahead on its own, but not across pages.
const AHEAD: usize = 1024;

/// Bytes of a cache line.
const LINE: usize = 64;

macro_rules! groups {
    ($features:literal, $name:ident, $type:ty, $wide:ty, $lanes:literal, $load:expr, $set1:ident, $max:ident, $reduce:ident) => {
        #[target_feature(enable = $features)]
        #[allow(unsafe_code, unused_unsafe)] // Since Rust 1.90 a prefetch is safe.
        pub fn $name(groups: &[[$type; GROUP]], largest: &mut [$wide]) {
            for (slot, group) in largest.iter_mut().zip(groups) {
                for line in 0..size_of_val(group) / LINE {
                    let ahead = group.as_ptr().wrapping_byte_add(AHEAD + line * LINE);
                    // SAFETY: a prefetch may name any address.
                    unsafe { _mm_prefetch::<_MM_HINT_T0>(ahead.cast()) };
                }
                let mut most = $set1(<$wide>::NEG_INFINITY);
                for lanes in group.as_chunks::<$lanes>().0 {
                    // SAFETY: the chunk has as many values as the register.
                    let values = unsafe { $load(lanes.as_ptr()) };
                    // If the first operand is NaN, the result is the second.
                    most = $max(values, most);
                }
                *slot = $reduce(most);
            }
        }
    };
}

macro_rules! widen {
    ($features:literal, $lanes:literal, $load:ident, $store:ident) => {
        /// Convert the values of a group from half precision.
        #[target_feature(enable = $features)]
        #[allow(unsafe_code)]
        pub fn widen(group: &[f16; GROUP], copy: &mut [f32; GROUP]) {
            let groups = group.as_chunks::<$lanes>().0.iter();
            for (group, copy) in groups.zip(copy.as_chunks_mut::<$lanes>().0) {
                // SAFETY: both chunks have as many values as the register.
                unsafe { $store(copy.as_mut_ptr(), $load(group.as_ptr())) };
            }
        }
    };
}

/// AVX-512.
pub mod avx512 {
    use std::arch::x86_64::{
        __m512, _mm256_loadu_si256, _mm512_cvtph_ps, _mm512_loadu_pd, _mm512_loadu_ps, _mm512_max_pd, _mm512_max_ps,
        _mm512_reduce_max_pd, _mm512_reduce_max_ps, _mm512_set1_pd, _mm512_set1_ps, _mm512_storeu_ps,
    };

    use super::{_MM_HINT_T0, _mm_prefetch, AHEAD, GROUP, LINE, f16};

    /// Load 16 values of half precision.
    #[inline]
    #[target_feature(enable = "avx512f")]
    #[allow(unsafe_code)]
    fn load_halves(values: *const f16) -> __m512 {
        // SAFETY: the callers have 16 values there.
        _mm512_cvtph_ps(unsafe { _mm256_loadu_si256(values.cast()) })
    }

    groups!("avx512f", single, f32, f32, 16, _mm512_loadu_ps, _mm512_set1_ps, _mm512_max_ps, _mm512_reduce_max_ps);
    groups!("avx512f", double, f64, f64, 8, _mm512_loadu_pd, _mm512_set1_pd, _mm512_max_pd, _mm512_reduce_max_pd);
    widen!("avx512f", 16, load_halves, _mm512_storeu_ps);
    groups!("avx512f", half, f16, f32, 16, load_halves, _mm512_set1_ps, _mm512_max_ps, _mm512_reduce_max_ps);
}

/// AVX2.
pub mod avx2 {
    use std::arch::x86_64::{
        __m256, __m256d, _mm_cvtsd_f64, _mm_cvtss_f32, _mm_loadu_si128, _mm_max_pd, _mm_max_ps, _mm_movehl_ps,
        _mm_shuffle_ps, _mm_unpackhi_pd, _mm256_castpd256_pd128, _mm256_castps256_ps128, _mm256_cvtph_ps,
        _mm256_extractf128_pd, _mm256_extractf128_ps, _mm256_loadu_pd, _mm256_loadu_ps, _mm256_max_pd, _mm256_max_ps,
        _mm256_set1_pd, _mm256_set1_ps, _mm256_storeu_ps,
    };

    use super::{_MM_HINT_T0, _mm_prefetch, AHEAD, GROUP, LINE, f16};

    /// Load 8 values of half precision.
    #[inline]
    #[target_feature(enable = "avx2,f16c")]
    #[allow(unsafe_code)]
    fn load_halves(values: *const f16) -> __m256 {
        // SAFETY: the callers have 8 values there.
        _mm256_cvtph_ps(unsafe { _mm_loadu_si128(values.cast()) })
    }

    /// Return the largest of 8 numbers.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn largest_single(values: __m256) -> f32 {
        let four = _mm_max_ps(_mm256_castps256_ps128(values), _mm256_extractf128_ps::<1>(values));
        let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_max_ps(two, _mm_shuffle_ps::<1>(two, two)))
    }

    /// Return the largest of 4 numbers.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn largest_double(values: __m256d) -> f64 {
        let two = _mm_max_pd(_mm256_castpd256_pd128(values), _mm256_extractf128_pd::<1>(values));
        _mm_cvtsd_f64(_mm_max_pd(two, _mm_unpackhi_pd(two, two)))
    }

    groups!("avx2", single, f32, f32, 8, _mm256_loadu_ps, _mm256_set1_ps, _mm256_max_ps, largest_single);
    groups!("avx2", double, f64, f64, 4, _mm256_loadu_pd, _mm256_set1_pd, _mm256_max_pd, largest_double);
    widen!("avx2,f16c", 8, load_halves, _mm256_storeu_ps);
    groups!("avx2,f16c", half, f16, f32, 8, load_halves, _mm256_set1_ps, _mm256_max_ps, largest_single);
}
