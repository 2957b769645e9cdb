//! Memory whose n-grams are replaced by their document frequencies in place.
//!
//! The first touch of fresh memory is the most expensive step of counting, so the second pass of [`super::tfidf`] writes
//! each document frequency over the n-gram that it belongs to. Three types keep the two apart: [`PartitionedKeys`] hands
//! out each [`Segment`], a `Segment` can only be read or replaced as a whole, and [`PartitionedDocFreqs`] can only be read.
//! They leave one rule to the caller: replace each segment exactly once before [`PartitionedKeys::into_doc_freqs`]. Only
//! [`from_number`] and [`to_number`] depend on how a number is stored in the memory of a key.

use bytemuck::Pod;

use crate::parallel::take_front;
use crate::text::ngrams::Key;

/// Store a number in a key-sized slot.
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

    /// Iterate over the segments, one for each partition.
    pub fn segments(&mut self) -> Segments<'_, K> {
        Segments { rest: self.memory, sizes: self.sizes.iter() }
    }

    /// Return the document frequencies, after each segment has been replaced.
    pub fn into_doc_freqs(self) -> PartitionedDocFreqs<'m, K> {
        PartitionedDocFreqs { memory: self.memory, sizes: self.sizes }
    }
}

/// Iterator over the segments of [`PartitionedKeys`].
#[derive(Debug)]
pub(super) struct Segments<'b, K> {
    rest: &'b mut [K],
    sizes: std::slice::Iter<'b, u32>,
}

impl<'b, K> Iterator for Segments<'b, K> {
    type Item = Segment<'b, K>;

    fn next(&mut self) -> Option<Segment<'b, K>> {
        let size = *self.sizes.next()? as usize;
        Some(Segment(take_front(&mut self.rest, size)))
    }
}

/// The n-grams that one block has in one partition.
#[derive(Debug)]
pub(super) struct Segment<'b, K>(&'b mut [K]);

impl<K: Key> Segment<'_, K> {
    /// Wrap n-grams that may be overwritten.
    #[cfg(test)]
    pub fn new(keys: &mut [K]) -> Segment<'_, K> {
        Segment(keys)
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

    /// Replace N n-grams at a time by the document frequencies that `doc_freqs` returns for them. The last ones are padded
    /// with zeros: no n-gram is zero.
    #[inline]
    pub fn replace_chunks<const N: usize>(self, mut doc_freqs: impl FnMut([K; N]) -> [u32; N]) {
        let (chunks, rest) = self.0.as_chunks_mut();
        chunks.iter_mut().for_each(|chunk| *chunk = doc_freqs(*chunk).map(from_number));
        if rest.is_empty() {
            return;
        }
        let mut last = [K::default(); N];
        last[..rest.len()].copy_from_slice(rest);
        rest.iter_mut().zip(doc_freqs(last)).for_each(|(slot, doc_freq)| *slot = from_number(doc_freq));
    }

    /// Replace the n-grams by document frequencies taken off the front of `doc_freqs`, which has one for each at least.
    #[inline]
    pub fn replace_from(self, doc_freqs: &mut &[u32]) {
        let doc_freqs = doc_freqs.split_off(..self.0.len()).unwrap_or_default();
        debug_assert_eq!(self.0.len(), doc_freqs.len(), "one document frequency for each n-gram");
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

    /// Chunks of four: the zeros that pad the last one leave no trace.
    fn check_chunks<K: Key>(len: u32) {
        let mut keys: Vec<K> = (1..=len).map(|token| K::default().with(token)).collect();
        let mut padding = 0;
        Segment::new(&mut keys).replace_chunks(|chunk: [K; 4]| {
            padding += chunk.iter().filter(|&&key| key == K::default()).count();
            chunk.map(|key| key.unpack(1)[0] + 100)
        });
        let numbers: Vec<u32> = keys.into_iter().map(to_number).collect();
        assert_eq!(numbers, (101..=100 + len).collect::<Vec<_>>());
        assert_eq!(padding, (len as usize).next_multiple_of(4) - len as usize);
    }

    #[test]
    fn chunks_replace_each_n_gram_once() {
        for len in 0..10 {
            check_chunks::<u64>(len);
            check_chunks::<u128>(len);
        }
    }

    #[test]
    fn document_frequencies_take_the_place_of_keys() {
        check::<u64>();
        check::<u128>();
    }
}
