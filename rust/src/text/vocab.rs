//! Token -> dense id, and back.
//!
//! Ids start at 1, so that 0 can mean "nothing" in packed n-grams. A vocabulary may stand on a frozen base: tokens
//! of the base keep their ids and new ones continue after it. Scoring new text against prepared references
//! therefore never touches the references again.

use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::Sink;

/// Ids by character. Chinese text is mostly tokens of one character, and an array beats any hash; it comes in pages,
/// because few of a million code points are used, and clearing all of them takes longer than tokenising a batch.
#[derive(Debug)]
struct CharIds {
    /// Start of the page of each 256 code points in `ids`; page 0 stays empty.
    pages: Vec<u32>,
    ids: Vec<u32>,
}

const PAGE: usize = 256;

impl Default for CharIds {
    fn default() -> Self {
        Self { pages: vec![0; (char::MAX as usize + 1) / PAGE], ids: vec![0; PAGE] }
    }
}

impl CharIds {
    /// The id of a character, 0 for none.
    #[inline]
    fn get(&self, c: char) -> u32 {
        let page = self.pages[c as usize / PAGE] as usize;
        self.ids[page + c as usize % PAGE]
    }

    fn set(&mut self, c: char, id: u32) {
        let page = &mut self.pages[c as usize / PAGE];
        if *page == 0 {
            *page = self.ids.len() as u32;
            self.ids.resize(self.ids.len() + PAGE, 0);
        }
        self.ids[*page as usize + c as usize % PAGE] = id;
    }
}

/// A set of tokens with dense ids.
#[derive(Debug)]
pub struct Vocab {
    base: Option<Arc<Vocab>>,
    /// Ids given out by the layers below.
    below: u32,
    chars: CharIds,
    /// Ids of longer tokens.
    words: HashTable<u32>,
    hasher: RandomState,
    text: String,
    /// Where each token of this layer starts in `text`, and where the last one ends.
    starts: Vec<usize>,
}

impl Default for Vocab {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Vocab {
    /// An empty vocabulary, on top of `base` if there is one.
    pub fn new(base: Option<Arc<Vocab>>) -> Self {
        let below = base.as_ref().map_or(0, |base| base.max_id());
        Self {
            base,
            below,
            chars: CharIds::default(),
            words: HashTable::new(),
            hasher: RandomState::default(),
            text: String::new(),
            starts: vec![0],
        }
    }

    /// The same with room for so many tokens of more than one character.
    pub(super) fn with_room(base: Option<Arc<Vocab>>, words: usize) -> Self {
        Self { words: HashTable::with_capacity(words), ..Self::new(base) }
    }

    /// How many tokens of this layer have more than one character.
    pub(super) fn words(&self) -> usize {
        self.words.len()
    }

    /// The largest id given out so far, which is also the number of tokens known.
    pub fn max_id(&self) -> u32 {
        self.below + self.starts.len() as u32 - 1
    }

    /// The token with this id, if it was given out.
    pub fn token(&self, id: u32) -> Option<&str> {
        if id <= self.below {
            return self.base.as_ref()?.token(id);
        }
        let index = (id - self.below) as usize;
        let end = *self.starts.get(index)?;
        Some(&self.text[self.starts[index - 1]..end])
    }

    /// The tokens of this layer alone, in the order of their ids.
    pub(super) fn own_tokens(&self) -> impl Iterator<Item = &str> {
        (self.below + 1..=self.max_id()).filter_map(|id| self.token(id))
    }

    /// The id of a token, if it is known.
    pub fn get(&self, token: &str) -> Option<u32> {
        match single_char(token) {
            Some(c) => self.get_char(c),
            None => self.get_word(token),
        }
    }

    #[inline]
    fn get_char(&self, c: char) -> Option<u32> {
        let mut layer = self;
        loop {
            let id = layer.chars.get(c);
            if id != 0 {
                return Some(id);
            }
            layer = layer.base.as_ref()?;
        }
    }

    fn get_word(&self, token: &str) -> Option<u32> {
        let found = self.words.find(hash(&self.hasher, token), |&id| is_same(self.own(id), token.as_bytes()));
        found.copied().or_else(|| self.base.as_ref()?.get_word(token))
    }

    /// The bytes of a token of this layer: as text, both ends would be looked at once more.
    #[inline]
    fn own(&self, id: u32) -> &[u8] {
        let index = (id - self.below) as usize;
        &self.text.as_bytes()[self.starts[index - 1]..self.starts[index]]
    }

    /// The id of a token, new if it was not known.
    pub fn intern(&mut self, token: &str) -> u32 {
        match single_char(token) {
            Some(c) => self.intern_char(c),
            None => self.intern_word(token),
        }
    }

    /// The id of a token of one character, new if it was not known.
    #[inline]
    pub fn intern_char(&mut self, c: char) -> u32 {
        self.get_char(c).unwrap_or_else(|| self.push_char(c))
    }

    #[cold]
    fn push_char(&mut self, c: char) -> u32 {
        let id = self.push(c.encode_utf8(&mut [0; 4]));
        self.chars.set(c, id);
        id
    }

    fn intern_word(&mut self, token: &str) -> u32 {
        if let Some(id) = self.get_word(token) {
            return id;
        }
        let id = self.push(token);
        let (text, starts, below, hasher) = (&self.text, &self.starts, self.below, &self.hasher);
        let rehash = |&id: &u32| {
            let index = (id - below) as usize;
            hash(hasher, &text[starts[index - 1]..starts[index]])
        };
        self.words.insert_unique(hash(hasher, token), id, rehash);
        id
    }

    fn push(&mut self, token: &str) -> u32 {
        self.text.push_str(token);
        self.starts.push(self.text.len());
        self.max_id()
    }
}

/// The hash of a word: of its bytes alone, as nothing else is hashed beside it.
#[inline]
fn hash(hasher: &RandomState, token: &str) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(token.as_bytes());
    state.finish()
}

/// Whether two words are the same. Most are of 4 to 16 bytes, and calling the comparison of memory takes longer than to
/// compare their two ends, which overlap.
#[inline]
fn is_same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    match left.len() {
        4..=8 => left.first_chunk::<4>() == right.first_chunk() && left.last_chunk::<4>() == right.last_chunk(),
        9..=16 => left.first_chunk::<8>() == right.first_chunk() && left.last_chunk::<8>() == right.last_chunk(),
        _ => left == right,
    }
}

/// The character of a text that has exactly one.
fn single_char(token: &str) -> Option<char> {
    let mut chars = token.chars();
    chars.next().filter(|_| chars.as_str().is_empty())
}

/// A sink that writes down the id of each token.
#[derive(Debug, Default)]
pub(super) struct Interner {
    pub vocab: Vocab,
    pub ids: Vec<u32>,
}

impl Sink for Interner {
    fn word(&mut self, token: &str) {
        let id = self.vocab.intern(token);
        self.ids.push(id);
    }

    #[inline]
    fn char(&mut self, token: char) {
        let id = self.vocab.intern_char(token);
        self.ids.push(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_dense_and_start_at_one() {
        let mut vocab = Vocab::default();
        assert_eq!([vocab.intern("红"), vocab.intern("XL"), vocab.intern("红"), vocab.intern("")], [1, 2, 1, 3]);
        assert_eq!(
            [vocab.token(0), vocab.token(2), vocab.token(3), vocab.token(4)],
            [None, Some("XL"), Some(""), None]
        );
    }

    #[test]
    fn a_layer_keeps_the_ids_of_its_base() {
        let mut base = Vocab::default();
        let (red, size) = (base.intern("红"), base.intern("XL"));
        let mut layer = Vocab::new(Some(Arc::new(base)));
        assert_eq!(
            [layer.intern("新款"), layer.intern("红"), layer.intern("XL"), layer.intern("裙")],
            [3, red, size, 4]
        );
        assert_eq!([layer.token(1), layer.token(3), layer.token(4)], [Some("红"), Some("新款"), Some("裙")]);
        assert_eq!([layer.get("XL"), layer.get("新款"), layer.get("无")], [Some(size), Some(3), None]);
    }

    #[test]
    fn characters_of_all_planes_have_ids_of_their_own() {
        let chars = ['\0', 'a', '\u{ff}', '\u{100}', '红', '\u{ffff}', '\u{10000}', '👍', char::MAX];
        let mut vocab = Vocab::default();
        let ids: Vec<u32> = chars.iter().map(|&c| vocab.intern_char(c)).collect();
        assert_eq!(ids, (1..=chars.len() as u32).collect::<Vec<_>>());
        assert!(chars.iter().zip(ids).all(|(&c, id)| vocab.get(&c.to_string()) == Some(id)));
        assert_eq!(vocab.get("b"), None);
    }

    #[test]
    fn words_are_the_same_if_all_bytes_are() {
        let bytes: Vec<u8> = (0..20).collect();
        for length in 0..=bytes.len() {
            let word = &bytes[..length];
            let copy = word.to_vec();
            assert!(is_same(word, &copy));
            assert!(length == bytes.len() || !is_same(word, &bytes[..=length]));
            for place in 0..length {
                let mut other = word.to_vec();
                other[place] ^= 1;
                assert!(!is_same(word, &other), "{length} {place}");
            }
        }
    }

    #[test]
    fn many_words_survive_growth_of_the_table() {
        let mut vocab = Vocab::default();
        let ids: Vec<u32> = (0..5000).map(|i| vocab.intern(&format!("w{i}"))).collect();
        assert!((0..5000).all(|i| vocab.get(&format!("w{i}")) == Some(ids[i])));
    }
}
