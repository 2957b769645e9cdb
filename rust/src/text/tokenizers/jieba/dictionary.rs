//! All words and their frequencies: those of jieba's dictionary and of the user's.

use super::letters::{Letter, chars};
use super::tables::Tables;
use super::trie::Node;
use super::user_words::UserWords;

/// jieba's `FREQ` and `total`.
#[derive(Debug)]
pub(super) struct Dictionary {
    pub tables: &'static Tables,
    pub user: Option<UserWords>,
    pub total: u64,
    pub log_total: f64,
}

impl Dictionary {
    /// The largest sum of all frequencies: up to this, each is exact as a floating-point number.
    pub const MAX_TOTAL: u64 = 1 << 53;

    /// Return jieba's own dictionary.
    pub fn new() -> Self {
        let tables = Tables::get();
        Self { tables, user: None, total: tables.total, log_total: (tables.total as f64).ln() }
    }

    /// Add a word or change its frequency; `None` if the total would go over [`Self::MAX_TOTAL`].
    ///
    /// As in jieba, the old frequency of a changed word stays in the total.
    pub fn insert(&mut self, word: &str, frequency: u64) -> Option<()> {
        self.total = self.total.checked_add(frequency).filter(|&total| total <= Self::MAX_TOTAL)?;
        self.log_total = (self.total as f64).ln();
        self.user.get_or_insert_with(UserWords::new).insert(word, frequency);
        Some(())
    }

    /// Return the frequency of a word, 0 if it is only a prefix of words, `None` if it is neither.
    pub fn frequency(&self, word: impl Iterator<Item = char> + Clone) -> Option<u64> {
        let user_node = self.user.as_ref().and_then(|user| Some((user, user.find(word.clone())?)));
        if let Some(frequency) = user_node.and_then(|(user, node)| user.frequency(node)) {
            return Some(frequency);
        }
        let Tables { alphabet, trie, .. } = self.tables;
        let codes = word.map(|char| alphabet.dictionary_code(char));
        let shipped = codes.fold(Node::ROOT, |node, code| trie.child(node, code));
        if shipped.is_none() { user_node.map(|_| 0) } else { Some(self.tables.frequency(shipped)) }
    }

    /// Return whether the letters are a word.
    #[inline]
    pub fn has_word(&self, letters: &[Letter]) -> bool {
        match self.user {
            None => self.tables.trie.find(letters).rank() != 0,
            Some(_) => self.frequency(chars(letters)).is_some_and(|frequency| frequency > 0),
        }
    }

    /// Return whether the user forbids the hidden Markov model to find this word.
    #[inline]
    pub fn is_force_split(&self, word: &[Letter]) -> bool {
        self.user.as_ref().is_some_and(|user| user.find(chars(word)).is_some_and(|node| user.is_force_split(node)))
    }
}
