//! Vocabularies: tokens to dense ids, and back.
//!
//! Ids start at 1, so that 0 can mark unused places of packed n-grams. A vocabulary may extend a frozen base: tokens of the
//! base keep their ids and new ones get the ids that follow. So new text is scored against prepared references without
//! tokenizing the references again.

mod spellings;

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;
use hashbrown::HashTable;

use super::{Short, Sink};
use spellings::{Spelling, Spellings};

/// Ids of tokens of one character. Chinese text is mostly such tokens, and an array is faster than a hash table. It has
/// pages, because few of a million code points are used, and clearing all takes longer than tokenizing a batch.
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
    /// Return the id of a character, 0 if it has none.
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
    /// Number of ids of the layers below.
    below: u32,
    chars: CharIds,
    /// Ids of [`Short`] tokens.
    shorts: HashTable<u32>,
    /// Ids of longer tokens.
    longs: HashTable<u32>,
    hasher: RandomState,
    spellings: Spellings,
}

/// Number of tokens of more than one character for which a vocabulary has room.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Capacity {
    shorts: usize,
    longs: usize,
}

impl Default for Vocab {
    fn default() -> Self {
        Self::new(None)
    }
}

impl Vocab {
    /// Return an empty vocabulary, which extends `base` if there is one.
    pub fn new(base: Option<Arc<Vocab>>) -> Self {
        let below = base.as_ref().map_or(0, |base| base.max_id());
        Self {
            base,
            below,
            chars: CharIds::default(),
            shorts: HashTable::new(),
            longs: HashTable::new(),
            hasher: RandomState::default(),
            spellings: Spellings::default(),
        }
    }

    /// Return an empty vocabulary with room for tokens.
    pub(super) fn with_capacity(base: Option<Arc<Vocab>>, capacity: Capacity) -> Self {
        Self {
            shorts: HashTable::with_capacity(capacity.shorts),
            longs: HashTable::with_capacity(capacity.longs),
            ..Self::new(base)
        }
    }

    /// Return the number of tokens of this layer.
    pub(super) fn capacity(&self) -> Capacity {
        Capacity { shorts: self.shorts.len(), longs: self.longs.len() }
    }

    /// The largest id, which is also the number of tokens.
    pub fn max_id(&self) -> u32 {
        self.below + self.spellings.len() as u32
    }

    /// Return the token with this id, if there is one.
    pub fn token(&self, id: u32) -> Option<Cow<'_, str>> {
        match id.checked_sub(self.below + 1) {
            None => self.base.as_ref()?.token(id),
            Some(index) => Some(match self.spellings.get(index as usize)? {
                Spelling::Short(token) => Cow::Owned(token.to_string()),
                Spelling::Long(token) => Cow::Borrowed(token),
            }),
        }
    }

    /// Return the index of a token of this layer among the spellings.
    #[inline]
    fn index(&self, id: u32) -> usize {
        (id - self.below - 1) as usize
    }

    /// Return the id of a token, if it has one.
    pub fn get(&self, token: &str) -> Option<u32> {
        match Short::of(token) {
            Some(short) => self.get_short(short),
            None => self.get_long(token),
        }
    }

    #[inline]
    fn get_char(&self, c: char) -> Option<u32> {
        self.layers().map(|layer| layer.chars.get(c)).find(|&id| id != 0)
    }

    #[inline]
    fn get_short(&self, token: Short) -> Option<u32> {
        if let Some(c) = token.single() {
            return self.get_char(c);
        }
        let hash = |layer: &Self| layer.hasher.hash_one(token.bits());
        let is_equal = |layer: &Self, id| layer.spellings.bits(layer.index(id)) == token.bits();
        self.layers().find_map(|layer| layer.shorts.find(hash(layer), |&id| is_equal(layer, id))).copied()
    }

    fn get_long(&self, token: &str) -> Option<u32> {
        if let Some(c) = single_char(token) {
            return self.get_char(c);
        }
        let is_equal = |layer: &Self, id| equals(layer.spellings.bytes(layer.index(id)), token.as_bytes());
        let hash = |layer: &Self| hash(&layer.hasher, token.as_bytes());
        self.layers().find_map(|layer| layer.longs.find(hash(layer), |&id| is_equal(layer, id))).copied()
    }

    /// Iterate over this layer and those below.
    #[inline]
    fn layers(&self) -> impl Iterator<Item = &Self> {
        std::iter::successors(Some(self), |layer| layer.base.as_deref())
    }

    /// Return the id of a token, a new one if it has none.
    pub fn intern(&mut self, token: &str) -> u32 {
        match Short::of(token) {
            Some(short) => self.intern_short(short),
            None => self.get_long(token).unwrap_or_else(|| self.push_long(token)),
        }
    }

    /// Return the id of a token of one character, a new one if it has none.
    #[inline]
    pub fn intern_char(&mut self, token: char) -> u32 {
        self.get_char(token).unwrap_or_else(|| self.push_char(token))
    }

    /// Return the id of a short token, a new one if it has none.
    #[inline]
    pub fn intern_short(&mut self, token: Short) -> u32 {
        self.get_short(token).unwrap_or_else(|| self.push_short(token))
    }

    /// Add all tokens of the top layer of `other`, in the order of their ids; returns their ids in this vocabulary.
    pub(super) fn intern_all(&mut self, other: &Self) -> Vec<u32> {
        let spellings = (0..).map_while(|index| other.spellings.get(index));
        spellings
            .map(|spelling| match spelling {
                Spelling::Short(token) => self.intern_short(token),
                Spelling::Long(token) => self.intern(token),
            })
            .collect()
    }

    #[cold]
    fn push_char(&mut self, token: char) -> u32 {
        match Short::of_char(token) {
            Some(short) => self.spellings.push_short(short),
            None => self.spellings.push_long(token.encode_utf8(&mut [0; 4])),
        }
        let id = self.max_id();
        self.chars.set(token, id);
        id
    }

    fn push_short(&mut self, token: Short) -> u32 {
        if let Some(c) = token.single() {
            return self.push_char(c);
        }
        self.spellings.push_short(token);
        let id = self.max_id();
        let (below, spellings, hasher) = (self.below, &self.spellings, &self.hasher);
        let rehash = |&id: &u32| hasher.hash_one(spellings.bits((id - below - 1) as usize));
        self.shorts.insert_unique(hasher.hash_one(token.bits()), id, rehash);
        id
    }

    fn push_long(&mut self, token: &str) -> u32 {
        if let Some(c) = single_char(token) {
            return self.push_char(c);
        }
        self.spellings.push_long(token);
        let id = self.max_id();
        let (below, spellings, hasher) = (self.below, &self.spellings, &self.hasher);
        let rehash = |&id: &u32| hash(hasher, spellings.bytes((id - below - 1) as usize));
        self.longs.insert_unique(hash(hasher, token.as_bytes()), id, rehash);
        id
    }
}

/// Return the hash of the bytes of a word, without the terminator that `str` adds.
#[inline]
fn hash(hasher: &RandomState, token: &[u8]) -> u64 {
    let mut state = hasher.build_hasher();
    state.write(token);
    state.finish()
}

/// Return whether two words are equal. Most have 4 to 16 bytes, for which comparing both ends, which overlap, is faster than
/// a call of `memcmp`.
#[inline]
fn equals(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    match left.len() {
        4..=8 => left.first_chunk::<4>() == right.first_chunk() && left.last_chunk::<4>() == right.last_chunk(),
        9..=16 => left.first_chunk::<8>() == right.first_chunk() && left.last_chunk::<8>() == right.last_chunk(),
        _ => left == right,
    }
}

/// Return the character of a text that has exactly one.
fn single_char(token: &str) -> Option<char> {
    let mut chars = token.chars();
    chars.next().filter(|_| chars.as_str().is_empty())
}

/// A sink that stores the id of each token.
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

    #[inline]
    fn short(&mut self, token: Short) {
        let id = self.vocab.intern_short(token);
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
        assert_eq!([0, 2, 3, 4].map(|id| vocab.token(id)), [None, Some("XL".into()), Some("".into()), None]);
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
        assert_eq!([1, 3, 4].map(|id| layer.token(id)), ["红", "新款", "裙"].map(|token| Some(token.into())));
        assert_eq!([layer.get("XL"), layer.get("新款"), layer.get("无")], [Some(size), Some(3), None]);
    }

    #[test]
    fn characters_of_all_planes_have_different_ids() {
        let chars = ['\0', 'a', '\u{ff}', '\u{100}', '红', '\u{ffff}', '\u{10000}', '👍', char::MAX];
        let mut vocab = Vocab::default();
        let ids: Vec<u32> = chars.iter().map(|&c| vocab.intern_char(c)).collect();
        assert_eq!(ids, (1..=chars.len() as u32).collect::<Vec<_>>());
        assert!(chars.iter().zip(ids).all(|(&c, id)| vocab.get(&c.to_string()) == Some(id)));
        assert_eq!(vocab.get("b"), None);
    }

    #[test]
    fn words_are_equal_if_all_bytes_are() {
        let bytes: Vec<u8> = (0..20).collect();
        for length in 0..=bytes.len() {
            let word = &bytes[..length];
            let copy = word.to_vec();
            assert!(equals(word, &copy));
            assert!(length == bytes.len() || !equals(word, &bytes[..=length]));
            for index in 0..length {
                let mut other = word.to_vec();
                other[index] ^= 1;
                assert!(!equals(word, &other), "{length} {index}");
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
