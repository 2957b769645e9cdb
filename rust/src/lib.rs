//! Exact metrics of the MUGE benchmark in plain Rust: no Python, no files, no printing.
//!
//! Text becomes token ids once ([`text`]); the caption metrics ([`caption`]) work on ids. Rankings and their scores are
//! in [`retrieval`].

// Exact numbers are what the tests are about.
#![cfg_attr(test, allow(clippy::float_cmp))]

mod bits;
pub mod caption;
pub mod error;
pub mod huge;
pub mod io;
pub mod parallel;
pub mod retrieval;
pub mod simd;
pub mod sums;
pub mod text;

pub use error::{Error, Result};
pub use parallel::{Plan, Team};
