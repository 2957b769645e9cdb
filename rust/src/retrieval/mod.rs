//! Retrieval: the best items of each query, and metrics of rankings.

mod lists;
pub mod metrics;
pub mod top_k_embeddings;
pub mod top_k_matrix;

pub use lists::Lists;
