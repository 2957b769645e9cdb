//! Retrieval: the best items for each query, and how good a ranking is.

pub mod recall;
pub mod top_k;
pub mod top_k_of;
