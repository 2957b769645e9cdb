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

/// Paraphrases in the order of their first words, then in that of the file.
#[derive(Debug, Default, PartialEq, Eq)]
struct ByFirstWord {
    firsts: Box<[u16]>,
    /// Where they are in the list of all paraphrases.
    places: Box<[u32]>,
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

    /// Return the length and the node of each phrase with paraphrases that a text begins with, the shortest first. The first
    /// word of the text must be that of this section.
    pub fn walk(&self, text: &[u32]) -> impl Iterator<Item = (usize, usize)> {
        let mut node = Some(0);
        let nodes = (1..=text.len()).map_while(move |length| {
            let current = node?;
            node = text.get(length).and_then(|&word| self.child(current, word));
            Some((length, current))
        });
        nodes.filter(|&(_, node)| self.bounds[node] < self.bounds[node + 1])
    }

    fn child(&self, node: usize, word: u32) -> Option<usize> {
        let range = self.children[node] as usize..self.children[node + 1] as usize;
        let word = u16::try_from(word).ok()?;
        let position = self.words.get(range.clone())?.binary_search(&word).ok()?;
        Some(range.start + position)
    }

    /// Find the paraphrases of a phrase whose first word a text has, in the order of the file. `words` are the different words
    /// of the text, and `has` returns whether a word is one of them.
    pub fn find_beginning(&self, node: usize, words: &[u16], has: impl Fn(u16) -> bool, found: &mut Vec<u32>) {
        found.clear();
        if !self.has_many(node) {
            let places = self.places(node);
            return found.extend(places.filter(|&place| has(self.paraphrases[place as usize + 1])));
        }
        let nodes = || (0..self.words.len()).filter(|&node| self.has_many(node));
        let indices = self.indices.get_or_init(|| nodes().map(|node| (node, OnceLock::new())).collect());
        let position = indices.partition_point(|&(other, _)| other < node);
        let ByFirstWord { firsts, places } = indices[position].1.get_or_init(|| self.index(node));
        for word in words {
            let start = firsts.partition_point(|first| first < word);
            let count = firsts[start..].iter().take_while(|&first| first == word).count();
            found.extend_from_slice(&places[start..start + count]);
        }
        found.sort_unstable();
    }

    fn has_many(&self, node: usize) -> bool {
        self.bounds[node + 1] - self.bounds[node] > SHORT_LIST
    }

    fn index(&self, node: usize) -> ByFirstWord {
        let first = |place: u32| self.paraphrases[place as usize + 1];
        let mut places: Box<[u32]> = self.places(node).collect();
        places.sort_by_key(|&place| first(place));
        ByFirstWord { firsts: places.iter().map(|&place| first(place)).collect(), places }
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
            section.walk(text).filter_map(|(length, node)| Some((length, first(node)?))).collect::<Vec<_>>()
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
        for count in [5, 200] {
            let firsts: Vec<u16> = (0..count).map(|index| index * 5 % 23).collect();
            let append = |_, list: &mut Vec<u16>| firsts.iter().for_each(|&first| list.extend([2, first, 9]));
            let section = Section::build(&[&[5]], append);
            for words in [&[0, 4, 22][..], &[3], &[], &[99]] {
                let mut found = vec![7];
                section.find_beginning(0, words, |word| words.contains(&word), &mut found);
                let expected: Vec<u32> =
                    (0..).zip(&firsts).filter(|(_, first)| words.contains(first)).map(|(i, _)| 3 * i).collect();
                assert_eq!(found, expected);
                assert!(found.iter().all(|&place| section.paraphrase(place)[1] == 9));
            }
        }
    }
}
