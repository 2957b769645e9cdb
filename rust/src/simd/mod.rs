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
            match level {
                // SAFETY: the level is available, so the CPU has its instructions.
                #[cfg(target_arch = "x86_64")]
                $crate::simd::Level::Avx512 | $crate::simd::Level::Vnni => unsafe { avx512($($parameter),*) },
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
pub mod pcg64;
#[cfg(target_arch = "x86_64")]
mod pcg64_x86;
pub mod round;
pub mod scale;
pub mod selected_sums;
pub mod threshold;
#[cfg(target_arch = "x86_64")]
mod threshold_x86;
pub mod tile;
#[cfg(target_arch = "x86_64")]
mod tile_x86;

use std::str::FromStr;

use crate::error::{Error, Result};

/// A set of vector instructions; each level includes the ones before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Any CPU.
    Portable,
    /// x86-64 with AVX2, FMA, F16C and POPCNT.
    Avx2,
    /// x86-64 with AVX-512 F, BW, DQ and VL.
    Avx512,
    /// AVX-512 with the dot products of VNNI and BF16.
    Vnni,
}

impl Level {
    /// All levels, from least to most.
    pub const ALL: [Self; 4] = [Self::Portable, Self::Avx2, Self::Avx512, Self::Vnni];
    /// The names of the levels, in the same order.
    pub const NAMES: &'static [&'static str] = &["portable", "avx2", "avx512", "vnni"];

    /// Return the highest level of this CPU.
    pub fn best() -> Self {
        Self::available().next_back().unwrap_or(Self::Portable)
    }

    /// Return the levels of this CPU, from least to most.
    pub fn available() -> impl DoubleEndedIterator<Item = Self> {
        Self::ALL.into_iter().filter(|level| level.is_available())
    }

    /// Return whether this CPU has the level. The standard library caches the answer.
    pub fn is_available(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::is_x86_feature_detected as has;
            let avx2 = has!("avx2") && has!("fma") && has!("f16c") && has!("popcnt");
            let avx512 = avx2 && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
            match self {
                Self::Portable => true,
                Self::Avx2 => avx2,
                Self::Avx512 => avx512,
                Self::Vnni => avx512 && has!("avx512vnni") && has!("avx512bf16"),
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            self == Self::Portable
        }
    }

    /// Name of the level, as `MUGE_FAST_CPU` takes it.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }
}

impl FromStr for Level {
    type Err = Error;

    /// Return the level with that name.
    ///
    /// # Errors
    /// [`Error::UnknownName`]; [`Error::UnavailableLevel`] for a level that this CPU does not have.
    fn from_str(name: &str) -> Result<Self> {
        let unknown = || Error::UnknownName { parameter: "MUGE_FAST_CPU", found: name.to_owned(), known: Self::NAMES };
        let level = Self::ALL.into_iter().find(|level| level.name() == name).ok_or_else(unknown)?;
        if level.is_available() { Ok(level) } else { Err(Error::UnavailableLevel(level)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_available_level_is_found_by_its_name() {
        for level in Level::available() {
            assert_eq!(level.name().parse(), Ok(level));
            assert!(level <= Level::best());
        }
    }

    /// Tests of "every level" cover those of this CPU: the output of the tests says which are missing.
    #[test]
    fn levels_without_tests_are_reported() {
        use std::io::Write;

        for level in Level::ALL.into_iter().filter(|level| !level.is_available()) {
            // Past the capture of output that tests have.
            let _ = writeln!(std::io::stderr(), "not tested: this CPU does not have the level {}", level.name());
        }
    }

    #[test]
    fn an_unknown_name_is_an_error() {
        let error = "sse9".parse::<Level>().expect_err("no such level");
        assert_eq!(error.to_string(), "unknown MUGE_FAST_CPU \"sse9\", choose one of portable, avx2, avx512, vnni");
    }
}
