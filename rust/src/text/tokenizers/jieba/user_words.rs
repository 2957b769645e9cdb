//! The words of a user dictionary as a trie, next to that of jieba's own words.

use foldhash::fast::RandomState;
use hashbrown::HashMap;

/// A node: a prefix of words, and what the user dictionary has for it.
#[derive(Debug, Clone, Copy, Default)]
struct Entry {
    /// `None` if the user dictionary has only longer words.
    frequency: Option<u64>,
    log_frequency: f64,
    force_split: bool,
}

/// The words.
#[derive(Debug)]
pub(super) struct UserWords {
    children: HashMap<(usize, char), usize, RandomState>,
    entries: Vec<Entry>,
}

impl UserWords {
    /// The empty prefix.
    pub const ROOT: usize = 0;

    pub fn new() -> Self {
        Self { children: HashMap::default(), entries: vec![Entry::default()] }
    }

    /// Add a word or change its frequency. The hidden Markov model never finds a word that once had the frequency 0.
    pub fn insert(&mut self, word: &str, frequency: u64) {
        let mut node = Self::ROOT;
        for char in word.chars() {
            let next = self.entries.len();
            node = *self.children.entry((node, char)).or_insert(next);
            if node == next {
                self.entries.push(Entry::default());
            }
        }
        let entry = &mut self.entries[node];
        entry.frequency = Some(frequency);
        entry.log_frequency = (frequency as f64).ln();
        entry.force_split |= frequency == 0;
    }

    /// Return the child of `node` by `char`.
    #[inline]
    pub fn child(&self, node: usize, char: char) -> Option<usize> {
        self.children.get(&(node, char)).copied()
    }

    /// Return the node of a word or prefix.
    pub fn find(&self, mut word: impl Iterator<Item = char>) -> Option<usize> {
        word.try_fold(Self::ROOT, |node, char| self.child(node, char))
    }

    /// Return the frequency in the user dictionary of the word that ends here.
    pub fn frequency(&self, node: usize) -> Option<u64> {
        self.entries[node].frequency
    }

    /// Return the logarithm of that frequency.
    #[inline]
    pub fn log_frequency(&self, node: usize) -> Option<f64> {
        let entry = self.entries[node];
        entry.frequency.map(|_| entry.log_frequency)
    }

    /// Return whether the hidden Markov model must not find this word.
    pub fn is_force_split(&self, node: usize) -> bool {
        self.entries[node].force_split
    }
}
