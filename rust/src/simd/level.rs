//! The CPU levels at which kernels run.

use std::str::FromStr;

use crate::error::{Error, Result};

/// A set of vector instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Any CPU: what the compiler makes of plain code for the oldest CPU of its target.
    Portable,
    /// x86-64 with AVX2, FMA, F16C and POPCNT.
    Avx2,
    /// AVX2 with the dot products of bytes of AVX-VNNI, in registers of 256 bits.
    AvxVnni,
    /// x86-64 with AVX-512 F, BW, DQ and VL.
    Avx512,
    /// AVX-512 with the dot products of bytes of AVX-512 VNNI.
    Avx512Vnni,
    /// 64-bit ARM, whose CPUs all have NEON.
    Neon,
    /// NEON with the dot products of bytes of `dotprod`.
    NeonDotprod,
}

impl Level {
    /// All levels; of those that a CPU has, a later one is faster.
    pub const ALL: [Self; 7] =
        [Self::Portable, Self::Avx2, Self::AvxVnni, Self::Avx512, Self::Avx512Vnni, Self::Neon, Self::NeonDotprod];
    /// The names of the levels, in the same order.
    pub const NAMES: &'static [&'static str] =
        &["portable", "avx2", "avx-vnni", "avx512bw", "avx512-vnni", "neon", "neon-dotprod"];

    /// Return the fastest level of this CPU.
    pub fn best() -> Self {
        Self::available().next_back().unwrap_or(Self::Portable)
    }

    /// Return the levels of this CPU, from the slowest to the fastest.
    pub fn available() -> impl DoubleEndedIterator<Item = Self> {
        Self::ALL.into_iter().filter(|level| level.is_available())
    }

    /// Return whether this CPU has the level. The standard library caches the answer.
    #[cfg(target_arch = "x86_64")]
    pub fn is_available(self) -> bool {
        use std::arch::is_x86_feature_detected as has;
        let avx2 = || has!("avx2") && has!("fma") && has!("f16c") && has!("popcnt");
        let avx512 = || avx2() && has!("avx512f") && has!("avx512bw") && has!("avx512dq") && has!("avx512vl");
        match self {
            Self::Portable => true,
            Self::Avx2 => avx2(),
            Self::AvxVnni => avx2() && has!("avxvnni"),
            Self::Avx512 => avx512(),
            Self::Avx512Vnni => avx512() && has!("avx512vnni"),
            Self::Neon | Self::NeonDotprod => false,
        }
    }

    /// Return whether this CPU has the level. The standard library caches the answer.
    #[cfg(target_arch = "aarch64")]
    pub fn is_available(self) -> bool {
        use std::arch::is_aarch64_feature_detected as has;
        match self {
            Self::Portable => true,
            Self::Neon => has!("neon"),
            Self::NeonDotprod => has!("neon") && has!("dotprod"),
            _ => false,
        }
    }

    /// Return whether this CPU has the level.
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    pub fn is_available(self) -> bool {
        self == Self::Portable
    }

    /// Return the level whose instructions a kernel without products of bytes uses.
    #[must_use]
    pub fn base(self) -> Self {
        match self {
            Self::AvxVnni => Self::Avx2,
            Self::Avx512Vnni => Self::Avx512,
            Self::NeonDotprod => Self::Neon,
            level => level,
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
            assert!(level.base().is_available());
        }
    }

    #[test]
    fn a_level_that_the_cpu_lacks_is_an_error_with_those_that_it_has() {
        for level in Level::ALL.into_iter().filter(|level| !level.is_available()) {
            let message = level.name().parse::<Level>().expect_err("the CPU lacks it").to_string();
            assert!(message.contains(level.name()) && message.contains(Level::best().name()), "{message}");
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
        let error = "sse9".parse::<Level>().expect_err("no such level").to_string();
        assert!(
            error.starts_with("unknown MUGE_FAST_CPU \"sse9\", choose one of portable, avx2, avx-vnni,"),
            "{error}"
        );
    }
}
