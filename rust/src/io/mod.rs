//! Readers of the files of the benchmark: features, images and submissions. The caller opens the files.

pub mod dict_cost;
pub mod features;
pub mod image_tsv;
pub mod source;
pub mod strict_rows;
