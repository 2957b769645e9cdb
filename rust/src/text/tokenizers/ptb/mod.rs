//! The PTB tokenizer of Stanford `CoreNLP` 3.4.1 with the options of pycocoevalcap: `-preserveLines -lowerCase`.
//!
//! Its rules are the tables of an automaton of 4,058 states, which `JFlex` generated. Their licence does not allow to have
//! them here, so they are read from the class file of an installed pycocoevalcap ([`tables`], [`class_file`]). The automaton
//! finds matches ([`lexer`]), a number says what becomes of each ([`actions`]), and the token is put into lower case as Java
//! does ([`lower_case`]). Java's text has UTF-16 units, and so has the text here.
//!
//! A match never looks back, but may look ahead over the end of a line: whether the dot of an abbreviation also ends the
//! sentence depends on the next word. So pycocoevalcap's tokens, from one text of all captions ([`captions`]), may differ
//! from those of the captions one by one, which [`Ptb::cut`] returns.

mod actions;
pub mod captions;
mod class_file;
mod lexer;
mod lower_case;
mod tables;

use super::Sink;
use crate::error::{Error, Result};
use actions::Token;
use tables::Tables;

/// Tokens that pycocoevalcap removes. Brackets are tokens in lower case, `-lrb-`, and stay.
pub const PUNCTUATION: [&str; 17] =
    ["''", "'", "``", "`", "-LRB-", "-RRB-", "-LCB-", "-RCB-", ".", "?", "!", ",", ":", "-", "--", "...", ";"];

/// The tokenizer, with its tables.
#[derive(Debug)]
pub struct Ptb {
    tables: Tables,
}

/// Buffers, one for each thread.
#[derive(Debug, Default)]
pub struct Scratch {
    text: Vec<u16>,
    token: Token,
}

impl Ptb {
    /// Read the tables from the class file `edu/stanford/nlp/process/PTBLexer.class`.
    ///
    /// # Errors
    /// [`Error::Invalid`] for other bytes.
    pub fn from_class(class: &[u8]) -> Result<Self> {
        Tables::unpack(class).map(|tables| Self { tables })
    }

    /// Send the tokens of one text to `sink`, without punctuation. Line breaks separate tokens.
    pub(super) fn cut(&self, chars: impl Iterator<Item = char>, scratch: &mut Scratch, sink: &mut impl Sink) {
        let Scratch { text, token } = scratch;
        text.clear();
        let mut units = [0; 2];
        // pycocoevalcap makes a space of a line break, and only of this one.
        chars.for_each(|c| text.extend_from_slice((if c == '\n' { ' ' } else { c }).encode_utf16(&mut units)));
        let mut position = 0;
        while let Some(end) = actions::next(&self.tables, text, position, token) {
            position = end;
            if token.is_word() && !PUNCTUATION.contains(&token.text()) {
                sink.word(token.text());
            }
        }
    }
}

fn invalid(problem: &str) -> Error {
    Error::Invalid { parameter: "PTBLexer.class", problem: problem.to_owned() }
}
