//! Reading files of the benchmark from bytes: features, image TSVs and submissions. Opening them is left to the caller.

pub mod features;
pub mod image_tsv;
pub mod source;
pub mod strict_rows;
