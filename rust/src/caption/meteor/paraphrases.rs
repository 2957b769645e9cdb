//! Phrases and their paraphrases: a tree of words for each first word of a phrase, which is read when a text has the word.

use super::bytes::{Rest, damaged};
use crate::error::Result;

/// The id of a word that no phrase has.
pub(super) const NO_WORD: u32 = u32::MAX;

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
        Ok(Self { words, children, bounds, paraphrases })
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

    /// Return the length and the node of each phrase that a text begins with, the shortest first. The first word of the
    /// text must be that of this section.
    pub fn walk(&self, text: &[u32]) -> impl Iterator<Item = (usize, usize)> {
        let mut node = Some(0);
        (1..=text.len()).map_while(move |length| {
            let current = node?;
            node = text.get(length).and_then(|&word| self.child(current, word));
            Some((length, current))
        })
    }

    fn child(&self, node: usize, word: u32) -> Option<usize> {
        let range = self.children[node] as usize..self.children[node + 1] as usize;
        let word = u16::try_from(word).ok()?;
        let position = self.words.get(range.clone())?.binary_search(&word).ok()?;
        Some(range.start + position)
    }

    /// Iterate over the paraphrases of a phrase, in the order of the file.
    pub fn paraphrases(&self, node: usize) -> impl Iterator<Item = &[u16]> {
        let range = self.bounds[node] as usize..self.bounds[node + 1] as usize;
        let mut rest = self.paraphrases.get(range).unwrap_or_default();
        std::iter::from_fn(move || {
            let (&length, after) = rest.split_first()?;
            let (phrase, after) =
                after.split_at_checked(usize::from(length)).filter(|(phrase, _)| !phrase.is_empty())?;
            rest = after;
            Some(phrase)
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
            let nodes = section.walk(text).filter(|&(_, node)| section.paraphrases(node).next().is_some());
            nodes.map(|(length, node)| (length, section.paraphrases(node).next().unwrap()[0])).collect::<Vec<_>>()
        };
        assert_eq!(found(&[5, 1, 1, 3]), [(1, 0), (2, 1), (3, 2)]);
        assert_eq!(found(&[5, 2, 9]), [(1, 0), (3, 3)]);
        assert_eq!(found(&[5, NO_WORD]), [(1, 0)]);
        assert_eq!(section.paraphrases(0).map(<[u16]>::len).collect::<Vec<_>>(), [1, 2]);
        for length in 0..table.len() {
            assert!(Section::read(&table[..length]).is_err(), "{length}");
        }
    }
}
