//! Retrieval: the best items for each query, and how good a ranking is.

pub mod metrics;
pub mod top_k_embeddings;
pub mod top_k_matrix;
