//! Chinese words, as `jieba.lcut` of jieba 0.42.1 finds them: the same tokens for every text and user dictionary.
//!
//! A text is split into blocks of Chinese characters, ASCII letters, digits and a few signs; any other character is one
//! token. In a block, the dictionary determines the most likely words (`route`), and a hidden Markov model finds new words
//! in runs of single characters (`hmm`). Dictionary and model are jieba's, see `LICENSE-jieba`.

mod dictionary;
mod hmm;
mod letters;
mod route;
mod segment;
mod tables;
mod trie;
mod user_dict;
mod user_words;

use super::Sink;
use crate::error::Result;
use dictionary::Dictionary;
use letters::Letter;
use route::{Route, Step};
use segment::{Buffers, Segmenter};

/// Chinese word segmentation.
///
/// ```
/// use muge_fast_core::text::tokenizers::jieba::{Jieba, Scratch};
///
/// let jieba = Jieba::new(Some("石墨烯 3\n"))?;
/// let mut tokens: Vec<String> = vec![];
/// jieba.cut("这件石墨烯羽绒服".chars(), &mut Scratch::default(), &mut tokens);
/// assert_eq!(tokens, ["这件", "石墨烯", "羽绒服"]);
/// # Ok::<(), muge_fast_core::Error>(())
/// ```
#[derive(Debug)]
pub struct Jieba {
    dictionary: Dictionary,
}

/// Buffers of [`Jieba::cut`], reused from text to text.
#[derive(Debug, Default)]
pub struct Scratch {
    letters: Vec<Letter>,
    route: Route,
    buffers: Buffers,
}

impl Scratch {
    /// Return the letters of `text`, the best step from each of them, and buffers.
    fn read(
        &mut self,
        text: impl Iterator<Item = char>,
        dictionary: &Dictionary,
    ) -> (&[Letter], &[Step], &mut Buffers) {
        let letters = dictionary.tables.alphabet.read(text, &mut self.letters);
        (letters, self.route.find(letters, dictionary), &mut self.buffers)
    }
}

impl Jieba {
    /// Return jieba with its own dictionary and the words of `user_dict`, the text of a file for `jieba.load_userdict`.
    ///
    /// # Errors
    /// [`Error::Invalid`](crate::Error::Invalid), with the line, if the frequencies sum to more than 2^53.
    pub fn new(user_dict: Option<&str>) -> Result<Self> {
        let mut dictionary = Dictionary::new();
        user_dict.map_or(Ok(()), |text| user_dict::load(text, &mut dictionary))?;
        Ok(Self { dictionary })
    }

    /// Send the tokens of a text to `sink`. Concatenated, they are the text.
    pub fn cut(&self, text: impl Iterator<Item = char>, scratch: &mut Scratch, sink: &mut impl Sink) {
        let (letters, steps, buffers) = scratch.read(text, &self.dictionary);
        Segmenter { dictionary: &self.dictionary, letters, buffers, sink }.run(steps);
    }
}

#[cfg(test)]
mod tests;
