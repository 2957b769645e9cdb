//! Retrieval: the best items for each query, and how good a ranking is.

mod lists;
pub mod metrics;
pub mod top_k_embeddings;
pub mod top_k_matrix;

pub use lists::Lists;
