//! Sums of products of counts with whole numbers.

use std::arch::x86_64::{
    __m256i, __m512i, _mm_add_epi32, _mm_cvtsi128_si32, _mm_loadu_si128, _mm_shuffle_epi32, _mm256_add_epi32,
    _mm256_castsi256_si128, _mm256_cvtepu8_epi16, _mm256_extracti128_si256, _mm256_loadu_si256, _mm256_madd_epi16,
    _mm256_setzero_si256, _mm512_add_epi32, _mm512_castsi512_si256, _mm512_cvtepu8_epi16, _mm512_dpbusd_epi32,
    _mm512_extracti64x4_epi64, _mm512_loadu_si512, _mm512_madd_epi16, _mm512_setzero_si512,
};

use super::count_products::{COLUMNS, ITEMS, RESAMPLES, Sums};

/// Items of a register of 256 bits.
const HALF: usize = 16;

/// Items of a register of 512 bits.
const FULL: usize = 32;

/// Define a kernel that goes through the items register by register.
macro_rules! kernel {
    (
        $(#[$attribute:meta])* $name:ident: $items:expr, $number:ty;
        $load_counts:ident, $load_values:ident, $zero:ident, $add:ident, $total:ident
    ) => {
        $(#[$attribute])*
        pub fn $name(counts: &[&[u8]; RESAMPLES], columns: &[&[$number]; COLUMNS]) -> Sums {
            let len = counts[0].len() / $items;
            let counts = counts.map(|counts| &counts.as_chunks().0[..len]);
            let columns = columns.map(|column| &column.as_chunks().0[..len]);
            let mut sums = [[$zero(); COLUMNS]; RESAMPLES];
            for at in 0..len {
                let mut factors = [$zero(); RESAMPLES];
                for resample in 0..RESAMPLES {
                    factors[resample] = $load_counts(&counts[resample][at]);
                }
                for column in 0..COLUMNS {
                    let values = $load_values(&columns[column][at]);
                    for resample in 0..RESAMPLES {
                        sums[resample][column] = $add(sums[resample][column], factors[resample], values);
                    }
                }
            }
            let mut totals = [[0; COLUMNS]; RESAMPLES];
            for resample in 0..RESAMPLES {
                for column in 0..COLUMNS {
                    totals[resample][column] = $total(sums[resample][column]);
                }
            }
            totals
        }
    };
}

kernel! {
    /// Return the sums of products of words.
    #[target_feature(enable = "avx2")]
    words_avx2: HALF, i16;
    counts_avx2, values_avx2, _mm256_setzero_si256, add_words_avx2, total_avx2
}

kernel! {
    /// Return the sums of products of words.
    #[target_feature(enable = "avx512f,avx512bw")]
    words_avx512: FULL, i16;
    counts_avx512, values_avx512, _mm512_setzero_si512, add_words_avx512, total_avx512
}

kernel! {
    /// Return the sums of products of bytes.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    bytes_vnni: ITEMS, i8;
    bytes_avx512, signed_bytes_avx512, _mm512_setzero_si512, _mm512_dpbusd_epi32, total_avx512
}

/// Define a function that loads a register.
macro_rules! load {
    ($features:literal, $name:ident($number:ty, $items:expr) -> $register:ty, $load:ident $(, $convert:ident)?) => {
        #[inline]
        #[target_feature(enable = $features)]
        #[allow(unsafe_code)]
        fn $name(numbers: &[$number; $items]) -> $register {
            // SAFETY: the array has as many bytes as are loaded.
            let loaded = unsafe { $load(numbers.as_ptr().cast()) };
            $(let loaded = $convert(loaded);)?
            loaded
        }
    };
}

load! { "avx2", counts_avx2(u8, HALF) -> __m256i, _mm_loadu_si128, _mm256_cvtepu8_epi16 }
load! { "avx2", values_avx2(i16, HALF) -> __m256i, _mm256_loadu_si256 }
load! { "avx512f,avx512bw", counts_avx512(u8, FULL) -> __m512i, _mm256_loadu_si256, _mm512_cvtepu8_epi16 }
load! { "avx512f,avx512bw", values_avx512(i16, FULL) -> __m512i, _mm512_loadu_si512 }
load! { "avx512f,avx512bw", bytes_avx512(u8, ITEMS) -> __m512i, _mm512_loadu_si512 }
load! { "avx512f,avx512bw", signed_bytes_avx512(i8, ITEMS) -> __m512i, _mm512_loadu_si512 }

#[inline]
#[target_feature(enable = "avx2")]
fn add_words_avx2(sums: __m256i, counts: __m256i, values: __m256i) -> __m256i {
    _mm256_add_epi32(sums, _mm256_madd_epi16(counts, values))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn add_words_avx512(sums: __m512i, counts: __m512i, values: __m512i) -> __m512i {
    _mm512_add_epi32(sums, _mm512_madd_epi16(counts, values))
}

#[inline]
#[target_feature(enable = "avx2")]
fn total_avx2(sums: __m256i) -> i32 {
    let four = _mm_add_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b_01_00_11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b_10_11_00_01>(two)))
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn total_avx512(sums: __m512i) -> i32 {
    total_avx2(_mm256_add_epi32(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64::<1>(sums)))
}
