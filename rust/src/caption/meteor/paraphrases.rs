//! Phrases and their paraphrases: a tree of words for each first word of a phrase, which is read when a text has the word.

use std::sync::OnceLock;

use super::bytes::{Rest, damaged};
use crate::error::Result;

/// The id of a word that no phrase has.
pub(super) const NO_WORD: u32 = u32::MAX;

/// Paraphrases of a phrase that together have at most this many numbers are looked through one after the other.
const SHORT_LIST: u32 = 64;

/// All phrases with one first word. Node 0 is that word; the children of each node follow those of the node before.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    words: Vec<u16>,
    /// Bounds of the children of each node.
    children: Vec<u32>,
    /// Bounds of the paraphrases of each node in `paraphrases`.
    bounds: Vec<u32>,
    /// The number of words of each paraphrase, and the words.
    paraphrases: Vec<u16>,
    /// The nodes with many paraphrases in ascending order, and these by their first words if a text was searched for them.
    indices: OnceLock<Box<[NodeIndex]>>,
}

/// A node, and the index of its paraphrases when it is known.
type NodeIndex = (usize, OnceLock<ByFirstWord>);

/// Paraphrases by their first words: a table with twice as many places as there are different words at least, in which a word
/// is at the place of its hash or after it.
#[derive(Debug, Default, PartialEq, Eq)]
struct ByFirstWord {
    /// The word and the range of its paraphrases in `places`, which is empty where there is no word.
    firsts: Box<[(u16, u32, u32)]>,
    /// Where paraphrases are in the list of all, those with the same first word in the order of the file.
    places: Box<[u32]>,
}

/// Words of a text that the table of paraphrases has.
#[derive(Debug)]
pub(super) struct WordSet {
    bits: Box<[u64; 1 << 10]>,
    words: Vec<u16>,
    signature: u64,
}

impl Default for WordSet {
    fn default() -> Self {
        Self { bits: Box::new([0; 1 << 10]), words: Vec::new(), signature: 0 }
    }
}

impl WordSet {
    /// Take the words with these ids in the place of those before.
    pub fn fill(&mut self, ids: &[u32]) {
        self.words.drain(..).for_each(|word| self.bits[usize::from(word >> 6)] = 0);
        self.signature = 0;
        for word in ids.iter().filter(|&&id| id != NO_WORD).map(|&id| id as u16) {
            if !self.has(word) {
                self.bits[usize::from(word >> 6)] |= 1 << (word & 63);
                self.words.push(word);
                self.signature |= Signature::bit(word);
            }
        }
    }

    fn has(&self, word: u16) -> bool {
        self.bits[usize::from(word >> 6)] >> (word & 63) & 1 == 1
    }
}

/// Bits for the first and for the last words of paraphrases, by a hash: most phrases have no paraphrase in a text, which these
/// show without a look at the paraphrases.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Signature {
    firsts: u64,
    lasts: u64,
}

impl Signature {
    const ALL: Self = Self { firsts: u64::MAX, lasts: u64::MAX };

    fn is_empty(self) -> bool {
        self.firsts == 0
    }

    fn bit(word: u16) -> u64 {
        1 << (u32::from(word).wrapping_mul(0x9e37_79b9) >> 26)
    }

    /// Whether a text may have one of the paraphrases.
    pub fn may_be_within(self, text: &WordSet) -> bool {
        self.firsts & text.signature != 0 && self.lasts & text.signature != 0
    }
}

/// Number of phrases of two words that are remembered, a power of two.
const KNOWN: usize = 1 << 13;

/// Phrases of two words that texts have again and again, each in the place of its hash.
#[derive(Debug)]
pub(super) struct KnownPhrases(Box<[Known]>);

#[derive(Debug, Clone, Copy)]
struct Known {
    /// Ids of its words.
    words: u32,
    /// [`NO_WORD`] if no phrase begins with these words.
    node: u32,
    /// Not computed before a phrase is seen again.
    signature: Option<Signature>,
}

impl Default for KnownPhrases {
    fn default() -> Self {
        let mut none = vec![Known { words: 0, node: NO_WORD, signature: None }; KNOWN].into_boxed_slice();
        // Words whose hash has another place: that of 0 is the first.
        none[0].words = 1;
        Self(none)
    }
}

impl KnownPhrases {
    /// Return the node of a phrase and a signature of its paraphrases, if a phrase begins with these words.
    fn get(&mut self, section: &Section, first: u32, second: u16) -> Option<(usize, Signature)> {
        let words = first << 16 | u32::from(second);
        let hash = words.wrapping_mul(0x9e37_79b9) >> (u32::BITS - KNOWN.trailing_zeros());
        let known = &mut self.0[hash as usize];
        if known.words != words {
            let node = section.child(0, second).map_or(NO_WORD, |node| node as u32);
            *known = Known { words, node, signature: None };
            return (node != NO_WORD).then(|| (node as usize, section.any(node as usize)));
        }
        let node = Some(known.node).filter(|&node| node != NO_WORD)? as usize;
        Some((node, *known.signature.get_or_insert_with(|| section.signature(node))))
    }
}

/// A phrase at the beginning of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Beginning {
    pub length: usize,
    pub node: u32,
    pub signature: Signature,
}

impl Section {
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut rest = Rest(bytes);
        let nodes = rest.number()? as usize;
        let words = rest.shorts(nodes)?;
        let children = rest.bounds(nodes, |_| nodes)?;
        let length = rest.number()? as usize;
        let bounds = rest.bounds(nodes, |_| length)?;
        let paraphrases = rest.shorts(length)?;
        // A child comes after its node, so no path through the tree is a circle.
        let is_tree = children.iter().take(nodes).enumerate().all(|(node, &child)| child as usize > node);
        if nodes == 0 || !is_tree || !rest.0.is_empty() {
            return Err(damaged());
        }
        Ok(Self { words, children, bounds, paraphrases, indices: OnceLock::new() })
    }

    pub fn write(&self, table: &mut Vec<u8>) {
        let short =
            |table: &mut Vec<u8>, values: &[u16]| table.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        let long =
            |table: &mut Vec<u8>, values: &[u32]| table.extend(values.iter().flat_map(|value| value.to_le_bytes()));
        long(table, &[self.words.len() as u32]);
        short(table, &self.words);
        long(table, &self.children);
        long(table, &[self.paraphrases.len() as u32]);
        long(table, &self.bounds);
        short(table, &self.paraphrases);
    }

    /// Build the tree of phrases that begin with the same word and are sorted. `append` appends the paraphrases of a phrase,
    /// each after its number of words.
    pub fn build(phrases: &[&[u16]], mut append: impl FnMut(usize, &mut Vec<u16>)) -> Self {
        let mut section = Self { words: vec![phrases[0][0]], bounds: vec![0], ..Self::default() };
        // The phrases below each node: their range, and the number of words that they share.
        let mut below = vec![(0..phrases.len(), 1)];
        let mut node = 0;
        while node < below.len() {
            let (mut range, depth) = below[node].clone();
            section.children.push(below.len() as u32);
            while phrases.get(range.start).is_some_and(|phrase| !range.is_empty() && phrase.len() == depth) {
                append(range.start, &mut section.paraphrases);
                range.start += 1;
            }
            section.bounds.push(section.paraphrases.len() as u32);
            while let Some(&word) = phrases[range.clone()].first().map(|phrase| &phrase[depth]) {
                let length = phrases[range.clone()].iter().take_while(|phrase| phrase[depth] == word).count();
                section.words.push(word);
                below.push((range.start..range.start + length, depth + 1));
                range.start += length;
            }
            node += 1;
        }
        section.children.push(below.len() as u32);
        section
    }

    /// Call `found` with each phrase with paraphrases that a text begins with, the shortest first. The first word of the text
    /// must be that of this section, whose signature is `single`.
    pub fn walk(&self, text: &[u32], single: Signature, known: &mut KnownPhrases, mut found: impl FnMut(Beginning)) {
        let mut next = Some((0, single));
        for length in 1..=text.len() {
            let Some((node, signature)) = next else { return };
            if !signature.is_empty() {
                found(Beginning { length, node: node as u32, signature });
            }
            let word = text.get(length).and_then(|&word| u16::try_from(word).ok());
            next = word.and_then(|word| match node {
                0 => known.get(self, text[0], word),
                _ => self.child(node, word).map(|node| (node, self.any(node))),
            });
        }
    }

    fn child(&self, node: usize, word: u16) -> Option<usize> {
        let range = self.children[node] as usize..self.children[node + 1] as usize;
        let position = self.words.get(range.clone())?.binary_search(&word).ok()?;
        Some(range.start + position)
    }

    /// Return a signature of any paraphrases, without a look at them, if there are some.
    fn any(&self, node: usize) -> Signature {
        if self.bounds[node] < self.bounds[node + 1] { Signature::ALL } else { Signature::default() }
    }

    /// Return the signature of the paraphrases of the first word alone.
    pub fn single(&self) -> Signature {
        self.signature(0)
    }

    fn signature(&self, node: usize) -> Signature {
        if self.has_many(node) {
            return Signature::ALL;
        }
        let mut signature = Signature::default();
        for paraphrase in self.places(node).map(|place| self.paraphrase(place)) {
            signature.firsts |= paraphrase.first().map_or(0, |&word| Signature::bit(word));
            signature.lasts |= paraphrase.last().map_or(0, |&word| Signature::bit(word));
        }
        signature
    }

    /// Find the paraphrases of a phrase whose words a text has, in the order of the file.
    pub fn find_within(&self, node: usize, text: &WordSet, found: &mut Vec<u32>) {
        found.clear();
        let is_within = |&place: &u32| self.paraphrase(place).iter().all(|&word| text.has(word));
        if !self.has_many(node) {
            return found.extend(self.places(node).filter(is_within));
        }
        let nodes = || (0..self.words.len()).filter(|&node| self.has_many(node));
        let indices = self.indices.get_or_init(|| nodes().map(|node| (node, OnceLock::new())).collect());
        let position = indices.partition_point(|&(other, _)| other < node);
        let index = indices[position].1.get_or_init(|| self.index(node));
        text.words.iter().for_each(|&word| found.extend(index.beginning(word).iter().copied().filter(is_within)));
        found.sort_unstable();
    }

    fn has_many(&self, node: usize) -> bool {
        self.bounds[node + 1] - self.bounds[node] > SHORT_LIST
    }

    fn index(&self, node: usize) -> ByFirstWord {
        let first = |place: u32| self.paraphrases[place as usize + 1];
        let mut places: Box<[u32]> = self.places(node).collect();
        places.sort_by_key(|&place| first(place));
        let groups = || places.chunk_by(|&one, &other| first(one) == first(other));
        let mut firsts = vec![(0, 0, 0); (2 * groups().count()).next_power_of_two()].into_boxed_slice();
        let mut end = 0;
        for group in groups() {
            let (word, start) = (first(group[0]), end);
            end += group.len() as u32;
            let mut slot = slot(word, firsts.len());
            while firsts[slot].1 < firsts[slot].2 {
                slot = (slot + 1) % firsts.len();
            }
            firsts[slot] = (word, start, end);
        }
        ByFirstWord { firsts, places }
    }

    /// Return the words of a paraphrase at a place.
    pub fn paraphrase(&self, place: u32) -> &[u16] {
        let start = place as usize;
        &self.paraphrases[start + 1..=start + usize::from(self.paraphrases[start])]
    }

    /// Iterate over the places of the paraphrases of a phrase, in the order of the file.
    fn places(&self, node: usize) -> impl Iterator<Item = u32> {
        let (mut start, end) = (self.bounds[node], self.bounds[node + 1]);
        std::iter::from_fn(move || {
            let place = (start < end).then_some(start)?;
            let length = u32::from(*self.paraphrases.get(place as usize)?);
            start += 1 + length;
            // A table that is damaged may have one that is empty or does not end.
            (length > 0 && start <= end).then_some(place)
        })
    }
}

impl ByFirstWord {
    /// Return the places of the paraphrases that begin with a word.
    fn beginning(&self, word: u16) -> &[u32] {
        let mut slot = slot(word, self.firsts.len());
        loop {
            let (other, start, end) = self.firsts[slot];
            if other == word || start == end {
                return &self.places[start as usize..end as usize];
            }
            slot = (slot + 1) % self.firsts.len();
        }
    }
}

/// Return the place of a word's hash in a table whose size is a power of two.
fn slot(word: u16, size: usize) -> usize {
    (u32::from(word).wrapping_mul(0x9e37_79b9) >> 15) as usize & (size - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn phrases_are_found_from_the_shortest_to_the_longest() {
        let phrases: [&[u16]; 5] = [&[5], &[5, 1], &[5, 1, 1], &[5, 2, 9], &[5, 7]];
        let section = Section::build(&phrases, |index, list| list.extend([1, index as u16, 2, 8, 8]));
        let mut table = Vec::new();
        section.write(&mut table);
        assert_eq!(Section::read(&table).unwrap(), section);
        let found = |text: &[u32]| {
            let first = |node| section.places(node).next().map(|place| section.paraphrase(place)[0]);
            let mut phrases = Vec::new();
            let mut known = KnownPhrases::default();
            // The second time, some are known.
            for _ in 0..3 {
                phrases.clear();
                section.walk(text, section.single(), &mut known, |Beginning { length, node, .. }| {
                    phrases.push((length, first(node as usize).unwrap()));
                });
            }
            phrases
        };
        assert_eq!(found(&[5, 1, 1, 3]), [(1, 0), (2, 1), (3, 2)]);
        assert_eq!(found(&[5, 2, 9]), [(1, 0), (3, 3)]);
        assert_eq!(found(&[5, NO_WORD]), [(1, 0)]);
        assert_eq!(section.places(0).map(|place| section.paraphrase(place).len()).collect::<Vec<_>>(), [1, 2]);
        for length in 0..table.len() {
            assert!(Section::read(&table[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn paraphrases_that_a_text_may_have_are_found_in_the_order_of_the_file() {
        // The shorter list is looked through, the longer one has an index.
        let mut text = WordSet::default();
        for count in [5, 200] {
            let pairs: Vec<[u16; 2]> = (0..count).map(|index| [index * 5 % 23, 7 + index % 3]).collect();
            let append = |_, list: &mut Vec<u16>| pairs.iter().for_each(|pair| list.extend([&[2][..], pair].concat()));
            let section = Section::build(&[&[5]], append);
            for words in [&[0, 4, 22, 9, 4, 8][..], &[3, NO_WORD, 7], &[], &[9], &[0xffff, 8, 1]] {
                let mut found = vec![7];
                text.fill(words);
                section.find_within(0, &text, &mut found);
                assert!(found.is_empty() || section.signature(0).may_be_within(&text));
                let is_within = |pair: &[u16; 2]| pair.iter().all(|&word| words.contains(&u32::from(word)));
                let expected: Vec<u32> =
                    (0..).zip(&pairs).filter(|(_, pair)| is_within(pair)).map(|(i, _)| 3 * i).collect();
                assert_eq!(found, expected);
            }
        }
    }
}
