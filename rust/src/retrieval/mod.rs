//! Retrieval: the best items for each query, and how good a ranking is.
