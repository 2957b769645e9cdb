//! The tokens of a vocabulary, by index.

use std::ops::Range;

use crate::text::Short;

/// Tokens by index: eight bytes for each, and the text of those that are not short.
#[derive(Debug)]
pub(super) struct Spellings {
    /// The bits of a [`Short`] token, of which the lowest 16 are a character; if these are 0, the bits above are the index
    /// of a long token.
    entries: Vec<u64>,
    text: String,
    /// Where each long token starts in `text`, and where the last one ends.
    starts: Vec<usize>,
}

/// A token.
pub(super) enum Spelling<'a> {
    Short(Short),
    Long(&'a str),
}

impl Default for Spellings {
    fn default() -> Self {
        Self { entries: vec![], text: String::new(), starts: vec![0] }
    }
}

impl Spellings {
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn push_short(&mut self, token: Short) {
        self.entries.push(token.bits());
    }

    pub fn push_long(&mut self, token: &str) {
        self.entries.push((self.starts.len() as u64 - 1) << 16);
        self.text.push_str(token);
        self.starts.push(self.text.len());
    }

    pub fn get(&self, index: usize) -> Option<Spelling<'_>> {
        let &entry = self.entries.get(index)?;
        Some(Short::from_bits(entry).map_or_else(|| Spelling::Long(self.long(entry)), Spelling::Short))
    }

    fn long(&self, entry: u64) -> &str {
        &self.text[self.span(entry)]
    }

    #[inline]
    fn span(&self, entry: u64) -> Range<usize> {
        let index = (entry >> 16) as usize;
        self.starts[index]..self.starts[index + 1]
    }

    /// Return the bits of the short token at an index that has one.
    #[inline]
    pub fn bits(&self, index: usize) -> u64 {
        self.entries[index]
    }

    /// Return the bytes of the long token at an index that has one. Slicing text would check the boundaries once more.
    #[inline]
    pub fn bytes(&self, index: usize) -> &[u8] {
        &self.text.as_bytes()[self.span(self.entries[index])]
    }
}
