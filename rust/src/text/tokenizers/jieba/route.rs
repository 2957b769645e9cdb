//! The most likely split of a text into words of the dictionary.
//!
//! Dynamic programming from the last character to the first, as in jieba: the best step from a character is the word that
//! maximizes its log-probability plus that of the best steps from its end on. On ties the longer word wins.

use std::hint;

use super::dictionary::Dictionary;
use super::letters::{Letter, OUTSIDE, SENTINELS};
use super::tables::Tables;
use super::trie::{Node, Trie};
use super::user_words::UserWords;

/// The best word that starts at a character.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Log-probability of the best words up to the end of the block.
    score: f64,
    /// Length of the word in characters; 0 for characters outside all blocks.
    pub length: usize,
}

impl Step {
    /// Before the first candidate: any word is better, unless its probability is 0.
    const NONE: Self = Self { score: f64::MIN, length: 0 };
    /// The end of a block.
    const OUTSIDE: Self = Self { score: 0.0, length: 0 };

    /// Return the better of two steps, this one on ties.
    #[inline]
    fn or(self, other: Self) -> Self {
        let score = if other.score > self.score { other.score } else { self.score };
        Self { score, length: hint::select_unpredictable(self.score >= other.score, self.length, other.length) }
    }

    /// Return this step, or if it is [`Step::NONE`], one character with the log-probability of a word of frequency 1.
    #[inline]
    fn or_unknown(self, log_total: f64, rest: f64) -> Self {
        if self.length == 0 { Self { score: 0.0 - log_total + rest, length: 1 } } else { self }
    }
}

/// Buffers of [`Route::find`].
#[derive(Debug, Default)]
pub(super) struct Route {
    /// One for each letter.
    steps: Vec<Step>,
    /// Nodes of the trie after the second and the third character from each letter.
    branches: Vec<[Node; 2]>,
}

impl Route {
    /// Return the best step from each letter.
    pub fn find(&mut self, letters: &[Letter], dictionary: &Dictionary) -> &[Step] {
        if self.steps.len() < letters.len() {
            self.steps.resize(letters.len(), Step::OUTSIDE);
            self.branches.resize(letters.len(), [Node::NONE; 2]);
        }
        let count = letters.len() - SENTINELS;
        self.steps[count] = Step::OUTSIDE;
        match &dictionary.user {
            None => self.by_shipped_words(letters, dictionary.tables, dictionary.log_total),
            Some(user) => self.by_all_words(letters, dictionary, user),
        }
        &self.steps[..count]
    }

    /// Follow the trie from all letters to their second and third characters.
    ///
    /// Doing this first keeps many loads from memory in flight, without branches that could be mispredicted.
    fn look_ahead(&mut self, letters: &[Letter], trie: &Trie) {
        for (ahead, branch) in letters.windows(2).zip(&mut self.branches) {
            branch[0] = trie.child(trie.first(ahead[0].code), ahead[1].code);
        }
        for (letter, branch) in letters[2..].iter().zip(&mut self.branches) {
            branch[1] = trie.child(branch[0], letter.code);
        }
    }

    /// Fill in the steps with the words of jieba's own dictionary.
    fn by_shipped_words(&mut self, letters: &[Letter], tables: &Tables, log_total: f64) {
        self.look_ahead(letters, &tables.trie);
        let count = letters.len() - SENTINELS;
        let (branches, steps) = (&self.branches[..count], &mut self.steps[..=count]);
        // The best scores one and two letters ahead, kept in registers.
        let mut rest = [0.0; 2];
        for at in (0..count).rev() {
            let mut best = Step::OUTSIDE;
            if letters[at].code != OUTSIDE {
                let word = |node: Node, length: usize, rest: f64| {
                    let score = tables.log_frequency(node) - log_total + rest;
                    Step { score, length }
                };
                let [second, third] = branches[at];
                best = word(second, 2, rest[1]).or(Step::NONE);
                let (mut node, mut length) = (third, 3);
                while !node.is_none() {
                    best = word(node, length, steps[at + length].score).or(best);
                    node = tables.trie.child(node, letters[at + length].code);
                    length += 1;
                }
                let first = tables.trie.first(letters[at].code);
                best = best.or(word(first, 1, rest[0])).or_unknown(log_total, rest[0]);
            }
            rest = [best.score, rest[0]];
            steps[at] = best;
        }
    }

    /// Fill in the steps with the words of jieba's and the user's dictionary.
    fn by_all_words(&mut self, letters: &[Letter], dictionary: &Dictionary, user: &UserWords) {
        let Dictionary { tables, log_total, .. } = dictionary;
        for at in (0..letters.len()).rev() {
            if letters[at].code == OUTSIDE {
                self.steps[at] = Step::OUTSIDE;
                continue;
            }
            let mut best = Step::NONE;
            let (mut node, mut user_node) = (Node::ROOT, Some(UserWords::ROOT));
            for (letter, length) in letters[at..].iter().zip(1..) {
                node = tables.trie.child(node, letter.code);
                user_node = user_node.and_then(|node| user.child(node, letter.char));
                if letter.code == OUTSIDE || node.is_none() && user_node.is_none() {
                    break;
                }
                let user_word = user_node.and_then(|node| user.log_frequency(node));
                let log_frequency = user_word.unwrap_or(tables.log_frequency(node));
                let score = log_frequency - log_total + self.steps[at + length].score;
                best = Step { score, length }.or(best);
            }
            self.steps[at] = best.or_unknown(*log_total, self.steps[at + 1].score);
        }
    }
}
