//! Retrieval: the best items for each query, and how good a ranking is.

pub mod top_k_of;
