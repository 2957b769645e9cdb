//! Kernels with vector instructions, and the CPU levels at which they run.
//!
//! A kernel takes a [`Level`] and has the same result at each level, unless it documents a bound of the difference.
//! Vector intrinsics, and the `unsafe` code that they need, are only in this folder.

/// Define a public function that compiles one plain body for each level; the level is its last parameter. It may have a
/// constant as a generic parameter.
///
/// The body must be `#[inline(always)]` and made of plain loops: it gets the features of the function that it is inlined
/// into, but a closure that is passed to another function does not.
macro_rules! per_level {
    (
        $(#[$attribute:meta])*
        pub fn $name:ident $(<const $size:ident: usize>)? ($($parameter:ident: $type:ty),*) $(-> $result:ty)? = $body:ident;
    ) => {
        $(#[$attribute])*
        ///
        /// # Panics
        /// If this CPU does not have the level.
        #[allow(unsafe_code)]
        pub fn $name $(<const $size: usize>)? ($($parameter: $type,)* level: $crate::simd::Level) $(-> $result)? {
            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,fma")]
            fn avx512 $(<const $size: usize>)? ($($parameter: $type),*) $(-> $result)? {
                $body($($parameter),*)
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2 $(<const $size: usize>)? ($($parameter: $type),*) $(-> $result)? {
                $body($($parameter),*)
            }

            assert!(level.is_available(), "this CPU does not have the level");
            match level.base() {
                // SAFETY: the level is available, so the CPU has its instructions.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx512 => unsafe { avx512($($parameter),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx2 => unsafe { avx2($($parameter),*) },
                _ => $body($($parameter),*),
            }
        }
    };
}

pub mod bounded;
pub mod count_products;
#[cfg(target_arch = "x86_64")]
mod count_products_x86;
pub mod decimal;
#[cfg(target_arch = "x86_64")]
mod decimal_x86;
pub mod dot;
pub mod group_max;
#[cfg(target_arch = "x86_64")]
mod group_max_x86;
pub mod hadamard;
mod level;
pub mod pcg64;
#[cfg(target_arch = "x86_64")]
mod pcg64_x86;
pub mod prefetch;
pub mod ranks;
pub mod round;
pub mod scale;
pub mod selected_sums;
pub mod threshold;
#[cfg(target_arch = "x86_64")]
mod threshold_x86;
pub mod tile;

pub use level::Level;
