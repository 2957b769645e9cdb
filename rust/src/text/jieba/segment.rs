//! From the best way through the dictionary to tokens: jieba's `__cut_DAG`.

use std::ops::Range;

use super::dictionary::Dictionary;
use super::hmm::{ascii_piece, count};
use super::letters::{Letter, is_han};
use super::route::Step;
use crate::text::Sink;

/// Hands the tokens of one text to a sink.
pub(super) struct Segmenter<'a, S> {
    pub dictionary: &'a Dictionary,
    pub text: &'a str,
    pub letters: &'a [Letter],
    /// Buffer for the hidden Markov model.
    pub states: &'a mut Vec<u8>,
    pub sink: &'a mut S,
}

impl<'a, S: Sink> Segmenter<'a, S> {
    /// Words of the route are tokens. Runs of single characters get a second look.
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

    /// One token; returns its end.
    #[inline]
    fn word(&mut self, range: Range<usize>) -> usize {
        if range.len() == 1 {
            self.sink.char(self.letters[range.start].char);
        } else {
            self.sink.word(self.slice(&range));
        }
        range.end
    }

    #[inline]
    fn slice(&self, range: &Range<usize>) -> &'a str {
        &self.text[self.letters[range.start].start..self.letters[range.end].start]
    }

    /// A character that is in no block: a token of its own, but a line end of two characters is one.
    fn outside(&mut self, at: usize) -> usize {
        let is_line_end = self.letters[at].char == '\r' && self.letters[at + 1].char == '\n';
        self.word(at..at + 1 + usize::from(is_line_end))
    }

    /// Find new words in a run of characters that the route left single.
    #[inline]
    fn regroup(&mut self, run: Range<usize>) {
        if run.len() == 1 {
            self.word(run);
        } else if run.len() > 1 {
            self.find_new_words(run);
        }
    }

    fn find_new_words(&mut self, run: Range<usize>) {
        if self.dictionary.has_word(&self.letters[run.clone()], self.slice(&run)) {
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

    /// Ask the hidden Markov model.
    fn chinese(&mut self, run: Range<usize>) -> usize {
        let mut states = std::mem::take(self.states);
        let mut at = run.start;
        for length in self.dictionary.tables.hmm.words(&self.letters[run], &mut states) {
            let word = at..at + length;
            at = word.end;
            if self.dictionary.is_force_split(self.slice(&word)) {
                self.characters(word);
            } else {
                self.word(word);
            }
        }
        *self.states = states;
        at
    }

    fn characters(&mut self, run: Range<usize>) {
        self.letters[run].iter().for_each(|letter| self.sink.char(letter.char));
    }
}
