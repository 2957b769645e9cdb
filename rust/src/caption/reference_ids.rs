//! The tokens of prepared references, to save them and to recognize them.

use super::References;
use super::document_frequency::fingerprint_hash;

/// Tokens of all references, each spelling once.
#[derive(Debug, PartialEq, Eq)]
pub struct ReferenceIds {
    /// The different tokens, in the order of first occurrence.
    pub spellings: Vec<String>,
    /// The tokens of all texts, one text after the other, as indices of `spellings`.
    pub tokens: Vec<u32>,
    /// Number of tokens of each text.
    pub text_lengths: Vec<u32>,
    /// Number of texts of each item.
    pub item_counts: Vec<u32>,
}

impl References {
    /// Return the tokens of all references, from which [`References::new`] makes the same references.
    pub fn to_ids(&self) -> ReferenceIds {
        let texts = 0..self.tokens.len();
        let mut spellings = Vec::new();
        let mut indices = vec![None; self.vocab.max_id() as usize + 1];
        let mut index_of = |&id: &u32| {
            *indices[id as usize].get_or_insert_with(|| {
                spellings.push(self.vocab.token(id).unwrap_or_default().into_owned());
                spellings.len() as u32 - 1
            })
        };
        let tokens = self.tokens.of(&texts).iter().map(&mut index_of).collect();
        let text_lengths = texts.map(|text| self.tokens.get(text).len() as u32).collect();
        let item_counts = self.text_ranges.iter().map(|texts| texts.len() as u32).collect();
        ReferenceIds { spellings, tokens, text_lengths, item_counts }
    }

    /// Return a hash of the references, the same for any order of the items and of the references of an item.
    ///
    /// Signatures of scores contain it, so its definition never changes: the wrapping sum of [`fingerprint_hash`] over the
    /// number of items and over each item, as 64-bit integers. That of an item is the wrapping sum over its texts, each
    /// hashed as the hashes of its tokens' UTF-8 bytes. All bytes are little-endian.
    pub fn fingerprint(&self) -> u64 {
        let token_hash = |id| fingerprint_hash(self.vocab.token(id).unwrap_or_default().as_bytes());
        let token_hashes: Vec<[u8; 8]> = (0..=self.vocab.max_id()).map(|id| token_hash(id).to_le_bytes()).collect();
        let mut bytes = Vec::new();
        let mut text_hash = |text| {
            bytes.clear();
            bytes.extend(self.tokens.get(text).iter().flat_map(|&id| token_hashes[id as usize]));
            fingerprint_hash(&bytes)
        };
        let mut sum = fingerprint_hash(&(self.len() as u64).to_le_bytes());
        for texts in &self.text_ranges {
            let item = texts.clone().map(&mut text_hash).fold(0, u64::wrapping_add);
            sum = sum.wrapping_add(fingerprint_hash(&item.to_le_bytes()));
        }
        sum
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::parallel::Plan;
    use crate::text::tokens::Cut;

    fn references(items: &[&[&str]]) -> References {
        let texts: Vec<Vec<&str>> = items.concat().iter().map(|text| text.split(' ').collect()).collect();
        let counts: Vec<usize> = items.iter().map(|texts| texts.len()).collect();
        References::new(&Cut(&texts), &counts, None, &Plan::default()).unwrap()
    }

    #[test]
    fn ids_are_in_the_order_of_first_occurrence() {
        let ids = references(&[&["red dress", ""], &["a red shoe"]]).to_ids();
        assert_eq!(ids.spellings, ["red", "dress", "", "a", "shoe"]);
        assert_eq!(ids.tokens, [0, 1, 2, 3, 0, 4]);
        assert_eq!((ids.text_lengths, ids.item_counts), (vec![2, 1, 3], vec![2, 1]));
    }

    #[test]
    fn the_fingerprint_depends_on_the_texts_of_each_item_but_not_on_their_order() {
        let fingerprint = |items: &[&[&str]]| references(items).fingerprint();
        let one = fingerprint(&[&["a b", "c"], &["d"]]);
        assert_eq!(one, fingerprint(&[&["d"], &["c", "a b"]]));
        assert_ne!(one, fingerprint(&[&["a b"], &["c", "d"]]));
        assert_ne!(one, fingerprint(&[&["b a", "c"], &["d"]]));
        assert_ne!(one, fingerprint(&[&["a b", "c", "d"]]));
    }

    #[test]
    fn the_fingerprint_never_changes() {
        assert_eq!(references(&[&["a b", "c"], &["d"]]).fingerprint(), 0x877f_9574_ce16_0fc5);
    }
}
