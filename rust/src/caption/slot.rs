//! Memory whose n-grams are replaced by their document frequencies where they lie.
//!
//! The first touch of fresh memory is the most expensive step of counting, so the second pass of [`super::tfidf`] writes
//! each document frequency over the n-gram that it belongs to. The types say which of the two the memory holds:
//! [`PartitionedKeys`] hands out segments of [`Keys`], `Keys` can only be read or replaced as a whole, and
//! [`PartitionedDocFreqs`] can only be read. Only [`from_number`] and [`to_number`] depend on how a number is stored in
//! the memory of a key.

use bytemuck::Pod;

use crate::text::ngrams::Key;

/// Return a slot of the size of a key that holds a number.
#[inline]
pub(super) fn from_number<K: Pod>(number: u32) -> K {
    let mut slot = K::zeroed();
    let bytes = bytemuck::bytes_of_mut(&mut slot);
    bytes[..size_of::<u32>()].copy_from_slice(&number.to_ne_bytes());
    slot
}

/// Return the number that [`from_number`] stored.
#[inline]
pub(super) fn to_number<K: Pod>(slot: K) -> u32 {
    bytemuck::bytes_of(&slot).first_chunk().copied().map_or(0, u32::from_ne_bytes)
}

/// The n-grams of one block, partition by partition.
#[derive(Debug)]
pub(super) struct PartitionedKeys<'m, K> {
    memory: &'m mut [K],
    /// Number of n-grams in each partition.
    sizes: Vec<u32>,
}

impl<'m, K: Key> PartitionedKeys<'m, K> {
    /// Copy `keys`, sorted by partition, to the start of `memory`.
    pub fn new(memory: &'m mut [K], keys: &[K], sizes: Vec<u32>) -> Self {
        let (memory, _) = memory.split_at_mut(keys.len());
        memory.copy_from_slice(keys);
        Self { memory, sizes }
    }

    /// Iterate over the partitions.
    pub fn segments(&mut self) -> Segments<'_, K> {
        Segments { rest: self.memory, sizes: self.sizes.iter() }
    }

    /// Return the document frequencies, once those of all segments have been written.
    pub fn into_doc_freqs(self) -> PartitionedDocFreqs<'m, K> {
        PartitionedDocFreqs { memory: self.memory, sizes: self.sizes }
    }
}

/// Iterator over the partitions of [`PartitionedKeys`].
#[derive(Debug)]
pub(super) struct Segments<'b, K> {
    rest: &'b mut [K],
    sizes: std::slice::Iter<'b, u32>,
}

impl<'b, K> Iterator for Segments<'b, K> {
    type Item = Keys<'b, K>;

    fn next(&mut self) -> Option<Keys<'b, K>> {
        let size = *self.sizes.next()? as usize;
        self.rest.split_off_mut(..size).map(Keys)
    }
}

/// The n-grams that one block has in one partition.
#[derive(Debug)]
pub(super) struct Keys<'b, K>(&'b mut [K]);

impl<K: Key> Keys<'_, K> {
    /// Wrap n-grams that may be overwritten.
    #[cfg(test)]
    pub fn new(keys: &mut [K]) -> Keys<'_, K> {
        Keys(keys)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn as_slice(&self) -> &[K] {
        self.0
    }

    /// Replace each n-gram by the document frequency that `doc_freq` returns for it.
    #[inline]
    pub fn replace_each(self, mut doc_freq: impl FnMut(K) -> u32) {
        self.0.iter_mut().for_each(|slot| *slot = from_number(doc_freq(*slot)));
    }

    /// Replace the n-grams by as many document frequencies taken off the front of `doc_freqs`.
    #[inline]
    pub fn replace_from(self, doc_freqs: &mut &[u32]) {
        let doc_freqs = doc_freqs.split_off(..self.0.len()).unwrap_or_default();
        self.0.iter_mut().zip(doc_freqs).for_each(|(slot, &doc_freq)| *slot = from_number(doc_freq));
    }
}

/// The document frequencies of the n-grams of one block, partition by partition, in the order of [`PartitionedKeys`].
#[derive(Debug)]
pub(super) struct PartitionedDocFreqs<'m, K> {
    memory: &'m [K],
    sizes: Vec<u32>,
}

impl<K: Key> PartitionedDocFreqs<'_, K> {
    /// Number of n-grams in each partition.
    pub fn sizes(&self) -> &[u32] {
        &self.sizes
    }

    /// Copy the document frequencies to `out`, side by side.
    pub fn copy_to(&self, out: &mut Vec<u32>) {
        out.clear();
        out.extend(self.memory.iter().map(|&slot| to_number(slot)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<K: Key>() {
        for number in [0, 1, 0x0102_0304, u32::MAX] {
            assert_eq!(to_number(from_number::<K>(number)), number);
        }
        let keys: Vec<K> = (1..=5).map(|token| K::default().with(token)).collect();
        let mut memory = vec![K::default(); 7];
        let mut partitioned = PartitionedKeys::new(&mut memory, &keys, vec![2, 0, 3]);
        let segments: Vec<Vec<K>> = partitioned.segments().map(|segment| segment.as_slice().to_vec()).collect();
        assert_eq!(segments, [&keys[..2], &[], &keys[2..]]);
        for (partition, segment) in (10..).zip(partitioned.segments()) {
            segment.replace_each(|_| partition);
        }
        let doc_freqs = partitioned.into_doc_freqs();
        let mut numbers = vec![7];
        doc_freqs.copy_to(&mut numbers);
        assert_eq!((numbers, doc_freqs.sizes()), (vec![10, 10, 12, 12, 12], &[2, 0, 3][..]));
    }

    #[test]
    fn document_frequencies_take_the_place_of_keys() {
        check::<u64>();
        check::<u128>();
    }
}
