//! Exact metrics of the MUGE benchmark in plain Rust: no Python, no open files, no printing.
//!
//! | module | content |
//! | --- | --- |
//! | [`text`] | tokenizers, vocabularies, n-grams |
//! | [`caption`] | BLEU, CIDEr, CIDEr-D and ROUGE-L, on token ids |
//! | [`retrieval`] | top-k search of embeddings and of matrices, metrics of rankings |
//! | [`vqa`] | scores of answers to questions about images |
//! | [`significance`] | tests of differences between systems |
//! | [`resampling`] | sums of resampled and of swapped items, on NumPy's random numbers |
//! | [`io`] | readers of feature files, image files and submissions |
//! | [`simd`] | kernels with vector instructions, the only folder with `unsafe` |
//! | [`parallel`], [`memory`], [`huge`], [`sums`], [`error`] | threads, memory, sums and errors for all of them |

// Tests compare exact numbers.
#![cfg_attr(test, allow(clippy::float_cmp))]

mod bits;
pub mod caption;
pub mod error;
pub mod huge;
pub mod io;
pub mod memory;
pub mod parallel;
pub mod resampling;
pub mod retrieval;
pub mod significance;
pub mod simd;
pub mod sums;
pub mod text;
pub mod vqa;

pub use error::{Error, Result};
pub use parallel::{Plan, Team};
