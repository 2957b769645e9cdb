//! Tokenizers by name.
//!
//! A tokenizer sends the tokens of one text to a [`Sink`], so the same code returns tokens as strings and as ids.

mod chars;
pub mod jieba;
mod mteval13a;
mod muge;
pub mod ptb;
mod whitespace;
mod zh;

pub use whitespace::{is_blank, is_space};

use super::Short;
use crate::error::{Error, Result};
use jieba::Jieba;
use ptb::Ptb;

/// Receiver of the tokens of one text, in order.
pub trait Sink {
    /// Take a token of any length.
    fn word(&mut self, token: &str);

    /// Take a token of one character. Override it where that is faster.
    fn char(&mut self, token: char) {
        self.word(token.encode_utf8(&mut [0; 4]));
    }

    /// Take a short token. Override it where that is faster.
    fn short(&mut self, token: Short) {
        self.word(&token.to_string());
    }
}

impl Sink for Vec<String> {
    fn word(&mut self, token: &str) {
        self.push(token.to_owned());
    }
}

/// A rule that splits text into tokens.
#[derive(Debug)]
pub enum Tokenizer {
    /// The rule of the MUGE caption task: every Chinese character, and runs of ASCII letters and digits.
    Muge,
    /// Every character that is not white space.
    Char,
    /// Text that is already tokenized, split as by Python's `str.split()`.
    Whitespace,
    /// Split at every U+0020, with empty tokens, as by Python's `str.split(" ")` and by pycocoevalcap's ROUGE.
    Space,
    /// Chinese words, as found by `jieba.lcut`.
    Jieba(Box<Jieba>),
    /// sacrebleu's `13a`: words, with punctuation as separate tokens.
    Mteval13a,
    /// sacrebleu's `zh`: every Chinese character, the rest as `13a`.
    Zh,
    /// The PTB tokenizer of pycocoevalcap, without punctuation.
    Ptb(Box<Ptb>),
}

/// Buffers of a tokenizer, one for each thread, reused from text to text.
#[derive(Debug, Default)]
pub struct Scratch {
    text: String,
    word: String,
    jieba: jieba::Scratch,
    mteval13a: mteval13a::Scratch,
    ptb: ptb::Scratch,
}

impl Tokenizer {
    /// The names of the tokenizers that need no file. ([`Ptb`] needs one.)
    pub const NAMES: &'static [&'static str] = &["muge", "char", "whitespace", "space", "jieba", "13a", "zh"];

    /// Return the tokenizer of that name; `user_dict` is the text of a jieba user dictionary.
    ///
    /// # Errors
    /// [`Error::UnknownName`]; [`Error::Invalid`] for a malformed user dictionary, or one for another tokenizer.
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

    /// Send the tokens of `text` to `sink`.
    pub fn cut(&self, text: &str, scratch: &mut Scratch, sink: &mut impl Sink) {
        match self {
            Self::Muge => muge::cut(text.chars(), &mut scratch.word, sink),
            Self::Char => chars::cut(text.chars(), sink),
            Self::Whitespace => whitespace::cut(text.chars(), &mut scratch.word, sink),
            Self::Space => text.split(' ').for_each(|token| sink.word(token)),
            Self::Jieba(jieba) => jieba.cut(text.chars(), &mut scratch.jieba, sink),
            Self::Mteval13a => mteval13a::cut(text, &mut scratch.mteval13a, sink),
            Self::Zh => zh::cut(text, sink),
            Self::Ptb(ptb) => ptb.cut(text.chars(), &mut scratch.ptb, sink),
        }
    }

    /// Send the tokens of a text that is a sequence of characters to `sink`. Most tokenizers need no UTF-8, so this avoids
    /// encoding the text.
    pub fn cut_chars(&self, chars: impl Iterator<Item = char>, scratch: &mut Scratch, sink: &mut impl Sink) {
        match self {
            Self::Muge => muge::cut(chars, &mut scratch.word, sink),
            Self::Char => chars::cut(chars, sink),
            Self::Whitespace => whitespace::cut(chars, &mut scratch.word, sink),
            Self::Jieba(jieba) => jieba.cut(chars, &mut scratch.jieba, sink),
            Self::Ptb(ptb) => ptb.cut(chars, &mut scratch.ptb, sink),
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
