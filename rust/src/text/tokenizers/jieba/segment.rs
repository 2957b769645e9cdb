//! Turn the best steps through the dictionary into tokens: jieba's `__cut_DAG`.

use std::ops::Range;

use super::dictionary::Dictionary;
use super::hmm::{ascii_piece, count};
use super::letters::{Letter, chars, is_han};
use super::route::Step;
use crate::text::{Short, Sink};

/// Sends the tokens of one text to a sink.
pub(super) struct Segmenter<'a, S> {
    pub dictionary: &'a Dictionary,
    pub letters: &'a [Letter],
    pub buffers: &'a mut Buffers,
    pub sink: &'a mut S,
}

/// Buffers of a [`Segmenter`], reused from text to text.
#[derive(Debug, Default)]
pub(super) struct Buffers {
    /// For the hidden Markov model.
    states: Vec<u8>,
    /// For long words.
    word: String,
}

impl<S: Sink> Segmenter<'_, S> {
    /// Send the words of the route; runs of single characters are regrouped first.
    pub fn run(&mut self, steps: &[Step]) {
        let (mut at, mut singles) = (0, 0);
        let end = steps.len();
        while at < end {
            let length = steps[at].length;
            if length == 1 {
                at += 1;
                continue;
            }
            self.regroup(singles..at);
            at = if length == 0 { self.outside(at) } else { self.word(at..at + length) };
            singles = at;
        }
        self.regroup(singles..at);
    }

    /// Send one token; returns its end.
    #[inline]
    fn word(&mut self, range: Range<usize>) -> usize {
        match range.len() {
            1 => self.sink.char(self.letters[range.start].char),
            // Blocks and line ends are of the basic plane, and sentinels follow if there are fewer than four letters.
            2..=Short::MAX_CHARS => {
                let chars = std::array::from_fn(|index| self.letters[range.start + index].char);
                self.sink.short(Short::of_letters(chars, range.len()));
            }
            _ => self.long_word(range.clone()),
        }
        range.end
    }

    fn long_word(&mut self, range: Range<usize>) {
        self.buffers.word.clear();
        self.buffers.word.extend(chars(&self.letters[range]));
        self.sink.word(&self.buffers.word);
    }

    /// Send a character outside all blocks as one token, together with the second one of a line end of two characters.
    fn outside(&mut self, at: usize) -> usize {
        let is_line_end = self.letters[at].char == '\r' && self.letters[at + 1].char == '\n';
        self.word(at..at + 1 + usize::from(is_line_end))
    }

    /// Find new words in a run of single characters.
    #[inline]
    fn regroup(&mut self, run: Range<usize>) {
        if run.len() == 1 {
            self.word(run);
        } else if run.len() > 1 {
            self.find_new_words(run);
        }
    }

    fn find_new_words(&mut self, run: Range<usize>) {
        if self.dictionary.has_word(&self.letters[run.clone()]) {
            self.characters(run);
            return;
        }
        let mut at = run.start;
        while at < run.end {
            let rest = &self.letters[at..run.end];
            let chinese = count(rest, is_han);
            if chinese > 0 {
                at = self.chinese(at..at + chinese);
            } else {
                at = self.word(at..at + ascii_piece(rest));
            }
        }
    }

    /// Send the words that the hidden Markov model finds.
    fn chinese(&mut self, run: Range<usize>) -> usize {
        let mut states = std::mem::take(&mut self.buffers.states);
        let mut at = run.start;
        for length in self.dictionary.tables.hmm.words(&self.letters[run], &mut states) {
            let word = at..at + length;
            at = word.end;
            if self.dictionary.is_force_split(&self.letters[word.clone()]) {
                self.characters(word);
            } else {
                self.word(word);
            }
        }
        self.buffers.states = states;
        at
    }

    fn characters(&mut self, run: Range<usize>) {
        self.letters[run].iter().for_each(|letter| self.sink.char(letter.char));
    }
}
