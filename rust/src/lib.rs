//! Exact metrics of the MUGE benchmark in plain Rust: no Python, no files, no printing.
//!
//! Text becomes token ids once ([`text`]); the caption metrics ([`caption`]) work on ids. Rankings and their scores are
//! in [`retrieval`].

// Exact numbers are what the tests are about.
#![cfg_attr(test, allow(clippy::float_cmp))]

pub mod blocks;
pub mod caption;
pub mod error;
pub mod features;
pub mod huge;
pub mod image_tsv;
pub mod lanes;
pub mod retrieval;
pub mod rows;
pub mod source;
pub mod submission;
pub mod text;

pub use blocks::{Plan, Team};
pub use error::{Error, Result};
