//! Text to token ids, and token ids to n-grams.

pub mod ngrams;
mod short;
mod table;
pub mod tokenizers;
pub mod tokens;
pub mod vocab;

pub use short::Short;
pub(crate) use table::Table;
pub use tokenizers::{Scratch, Sink, Tokenizer, is_blank, is_space};
