//! The comparisons of [`super::threshold`] with intrinsics: compilers do not find the instruction that makes bits of them.

use super::threshold::WORD;

macro_rules! comparisons {
    ($features:literal, $type:ty, $lanes:literal, $load:ident, $set1:ident, $mask:expr) => {
        use super::WORD;

        /// Return a bit for each value that reaches the threshold.
        #[inline]
        #[target_feature(enable = $features)]
        #[allow(unsafe_code)]
        fn word(values: &[$type; WORD], threshold: $type) -> u64 {
            let threshold = $set1(threshold);
            let mut word = 0;
            for (index, lanes) in values.as_chunks::<$lanes>().0.iter().enumerate() {
                // SAFETY: the chunk has as many values as the register.
                let values = unsafe { $load(lanes.as_ptr()) };
                word |= $mask(values, threshold) << (index * $lanes);
            }
            word
        }

        /// See [`crate::simd::threshold::Ordered::count`].
        #[target_feature(enable = $features)]
        pub fn count(values: &[[$type; WORD]], threshold: $type) -> usize {
            let mut count = 0;
            for values in values {
                count += word(values, threshold).count_ones() as usize;
            }
            count
        }

        /// See [`crate::simd::threshold::Ordered::reaching`].
        #[target_feature(enable = $features)]
        pub fn reaching(values: &[[$type; WORD]], threshold: $type, words: &mut [u64]) {
            for (slot, values) in words.iter_mut().zip(values) {
                *slot = word(values, threshold);
            }
        }

        /// See [`crate::simd::threshold::Ordered::reaching_in`].
        #[target_feature(enable = $features)]
        pub fn reaching_in(values: &[[$type; WORD]], groups: &[u32], threshold: $type, words: &mut [u64]) {
            for (slot, &group) in words.iter_mut().zip(groups) {
                *slot = word(&values[group as usize], threshold);
            }
        }
    };
}

/// AVX-512.
pub mod avx512 {
    use super::WORD;

    pub mod single {
        use std::arch::x86_64::{__m512, _CMP_GE_OQ, _mm512_cmp_ps_mask, _mm512_loadu_ps, _mm512_set1_ps};

        #[inline]
        #[target_feature(enable = "avx512f")]
        fn mask(values: __m512, threshold: __m512) -> u64 {
            _mm512_cmp_ps_mask::<_CMP_GE_OQ>(values, threshold).into()
        }

        comparisons!("avx512f,popcnt", f32, 16, _mm512_loadu_ps, _mm512_set1_ps, mask);
    }

    pub mod double {
        use std::arch::x86_64::{__m512d, _CMP_GE_OQ, _mm512_cmp_pd_mask, _mm512_loadu_pd, _mm512_set1_pd};

        #[inline]
        #[target_feature(enable = "avx512f")]
        fn mask(values: __m512d, threshold: __m512d) -> u64 {
            _mm512_cmp_pd_mask::<_CMP_GE_OQ>(values, threshold).into()
        }

        comparisons!("avx512f,popcnt", f64, 8, _mm512_loadu_pd, _mm512_set1_pd, mask);
    }
}

/// AVX2.
pub mod avx2 {
    use super::WORD;

    pub mod single {
        use std::arch::x86_64::{
            __m256, _CMP_GE_OQ, _mm256_cmp_ps, _mm256_loadu_ps, _mm256_movemask_ps, _mm256_set1_ps,
        };

        #[inline]
        #[target_feature(enable = "avx2")]
        fn mask(values: __m256, threshold: __m256) -> u64 {
            _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(values, threshold)) as u64
        }

        comparisons!("avx2,popcnt", f32, 8, _mm256_loadu_ps, _mm256_set1_ps, mask);
    }

    pub mod double {
        use std::arch::x86_64::{
            __m256d, _CMP_GE_OQ, _mm256_cmp_pd, _mm256_loadu_pd, _mm256_movemask_pd, _mm256_set1_pd,
        };

        #[inline]
        #[target_feature(enable = "avx2")]
        fn mask(values: __m256d, threshold: __m256d) -> u64 {
            _mm256_movemask_pd(_mm256_cmp_pd::<_CMP_GE_OQ>(values, threshold)) as u64
        }

        comparisons!("avx2,popcnt", f64, 4, _mm256_loadu_pd, _mm256_set1_pd, mask);
    }
}
