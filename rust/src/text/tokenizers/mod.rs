//! Tokenizers by name.
//!
//! A tokenizer hands the tokens of one text to a [`Sink`], so the same code serves people who want to read the
//! tokens and metrics that only want their ids.

mod chars;
pub mod jieba;
mod mteval13a;
mod muge;
mod whitespace;
mod zh;

pub use whitespace::is_space;

use super::Short;
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

    /// Take a short token. Sinks that have a quicker way for these override it.
    fn short(&mut self, token: Short) {
        self.word(&token.to_string());
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
    /// Already tokenized text, split as Python's `str.split()`.
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
    text: String,
    word: String,
    jieba: jieba::Scratch,
    mteval13a: mteval13a::Scratch,
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
            Self::Muge => muge::cut(text.chars(), &mut scratch.word, sink),
            Self::Char => chars::cut(text.chars(), sink),
            Self::Whitespace => whitespace::cut(text.chars(), &mut scratch.word, sink),
            Self::Space => text.split(' ').for_each(|token| sink.word(token)),
            Self::Jieba(jieba) => jieba.cut(text.chars(), &mut scratch.jieba, sink),
            Self::Mteval13a => mteval13a::cut(text, &mut scratch.mteval13a, sink),
            Self::Zh => zh::cut(text, sink),
        }
    }

    /// The same for a text that comes as characters. Tokenizers that need no more than one after the other are quicker
    /// this way than if the text had to be encoded before.
    pub fn cut_chars(&self, chars: impl Iterator<Item = char>, scratch: &mut Scratch, sink: &mut impl Sink) {
        match self {
            Self::Muge => muge::cut(chars, &mut scratch.word, sink),
            Self::Char => chars::cut(chars, sink),
            Self::Whitespace => whitespace::cut(chars, &mut scratch.word, sink),
            Self::Jieba(jieba) => jieba.cut(chars, &mut scratch.jieba, sink),
            _ => {
                let mut text = std::mem::take(&mut scratch.text);
                text.clear();
                text.extend(chars);
                self.cut(&text, scratch, sink);
                scratch.text = text;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_cut_as_text_is() {
        let text = " 新款A字裙, 100%棉 \u{3000}XL  码\t3.5 it's 👍🏻\r\n";
        for name in Tokenizer::NAMES {
            let tokenizer = Tokenizer::named(name, None).unwrap();
            let (mut by_text, mut by_chars) = (vec![], vec![]);
            tokenizer.cut(text, &mut Scratch::default(), &mut by_text);
            tokenizer.cut_chars(text.chars(), &mut Scratch::default(), &mut by_chars);
            assert_eq!(by_chars, by_text, "{name}");
        }
    }
}
