//! Tokenizers by name, and the way from text to token ids.
//!
//! A tokenizer hands the tokens of one text to a [`Sink`], so the same code serves people who want to read the
//! tokens and metrics that only want their ids.

mod chars;
pub mod jieba;
mod mteval;
mod muge;
pub mod ngrams;
mod table;
pub mod tokens;
pub mod vocab;
mod whitespace;
mod zh;

pub(crate) use table::{PARTITION_BITS, Table};
pub use whitespace::is_space;

use crate::error::{Error, Result};
use jieba::Jieba;

/// Receives the tokens of one text, in order.
pub trait Sink {
    /// Take a token of any length.
    fn word(&mut self, token: &str);

    /// Take a token of one character. Sinks that have a quicker way for these override it.
    fn char(&mut self, token: char) {
        self.word(token.encode_utf8(&mut [0; 4]));
    }
}

impl Sink for Vec<String> {
    fn word(&mut self, token: &str) {
        self.push(token.to_owned());
    }
}

/// A rule that cuts text into tokens.
#[derive(Debug)]
pub enum Tokenizer {
    /// Chinese characters alone, ASCII letters and digits in runs: the rule of the MUGE caption task.
    Muge,
    /// Every character that is not white space.
    Char,
    /// Already tokenised text, split as Python's `str.split()`.
    Whitespace,
    /// Split at every single U+0020, empty tokens kept, as Python's `str.split(" ")`: what pycocoevalcap's ROUGE does.
    Space,
    /// Chinese words, as `jieba.lcut`.
    Jieba(Box<Jieba>),
    /// Punctuation apart from words, as sacrebleu's `13a`.
    Mteval13a,
    /// Chinese characters alone, the rest as `13a`: sacrebleu's `zh`.
    Zh,
}

/// Buffers that a tokenizer may use; one per thread, reused from text to text.
#[derive(Debug, Default)]
pub struct Scratch {
    /// For whoever has to decode a text before it can be cut.
    pub text: String,
    jieba: jieba::Scratch,
    mteval: mteval::Scratch,
}

impl Tokenizer {
    /// The names that [`Tokenizer::named`] knows.
    pub const NAMES: &'static [&'static str] = &["muge", "char", "whitespace", "space", "jieba", "13a", "zh"];

    /// The tokenizer of that name; `user_dict` is the text of a jieba user dictionary.
    ///
    /// # Errors
    /// [`Error::UnknownName`]; [`Error::Invalid`] for a broken user dictionary or one given to another tokenizer.
    pub fn named(name: &str, user_dict: Option<&str>) -> Result<Self> {
        if user_dict.is_some() && name != "jieba" {
            return Err(Error::Invalid {
                parameter: "user_dict",
                problem: format!("not used by tokenizer {name:?}, only by \"jieba\""),
            });
        }
        match name {
            "muge" => Ok(Self::Muge),
            "char" => Ok(Self::Char),
            "whitespace" => Ok(Self::Whitespace),
            "space" => Ok(Self::Space),
            "jieba" => Ok(Self::Jieba(Box::new(Jieba::new(user_dict)?))),
            "13a" => Ok(Self::Mteval13a),
            "zh" => Ok(Self::Zh),
            _ => Err(Error::UnknownName { parameter: "tokenizer", found: name.to_owned(), known: Self::NAMES }),
        }
    }

    /// Hand the tokens of `text` to `sink`.
    pub fn cut(&self, text: &str, scratch: &mut Scratch, sink: &mut impl Sink) {
        match self {
            Self::Muge => muge::cut(text, sink),
            Self::Char => chars::cut(text, sink),
            Self::Whitespace => whitespace::cut(text, sink),
            Self::Space => text.split(' ').for_each(|token| sink.word(token)),
            Self::Jieba(jieba) => jieba.cut(text, &mut scratch.jieba, sink),
            Self::Mteval13a => mteval::cut(text, &mut scratch.mteval, sink),
            Self::Zh => zh::cut(text, sink),
        }
    }
}
