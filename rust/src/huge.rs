//! Zeroed arrays on large pages.
//!
//! Random reads of a table of tens of megabytes mostly miss the cache of page addresses. Linux has large pages for
//! programs that ask for them; on other systems, and for small arrays, this is an ordinary vector.

use std::ops::{Deref, DerefMut};

use bytemuck::Pod;
use memmap2::MmapMut;

use crate::error::Result;
use crate::memory;

/// Size in bytes from which an array gets its own pages: a large page has 2 MiB.
const MIN_BYTES: usize = 4 << 20;

/// An array of numbers that starts as zeros.
#[derive(Debug)]
pub struct HugeArray<T> {
    storage: Storage<T>,
    len: usize,
}

#[derive(Debug)]
enum Storage<T> {
    Vector(Vec<T>),
    Pages(MmapMut),
}

impl<T: Pod> HugeArray<T> {
    /// Return an array of `len` zeros; too little memory aborts the process.
    pub fn zeroed(len: usize) -> Self {
        let storage = map::<T>(len).map_or_else(|| Storage::Vector(vec![T::zeroed(); len]), Storage::Pages);
        Self { storage, len }
    }

    /// Return an array of `len` zeros.
    ///
    /// # Errors
    /// [`Error::Memory`](crate::Error::Memory).
    pub fn try_zeroed(len: usize) -> Result<Self> {
        let storage = match map::<T>(len) {
            Some(pages) => Storage::Pages(pages),
            None => Storage::Vector(memory::zeroed(len)?),
        };
        Ok(Self { storage, len })
    }
}

/// Map pages for `len` values; None for few values, and where the system refuses.
fn map<T>(len: usize) -> Option<MmapMut> {
    let bytes = len.checked_mul(size_of::<T>()).filter(|&bytes| bytes >= MIN_BYTES)?;
    let pages = MmapMut::map_anon(bytes).ok()?;
    // Large pages are only a matter of speed.
    #[cfg(target_os = "linux")]
    let _ = pages.advise(memmap2::Advice::HugePage);
    Some(pages)
}

impl<T: Pod> Default for HugeArray<T> {
    fn default() -> Self {
        Self::zeroed(0)
    }
}

impl<T: Pod> Deref for HugeArray<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.storage {
            Storage::Vector(vector) => vector,
            // Pages are aligned for every type of number.
            Storage::Pages(pages) => &bytemuck::cast_slice(pages)[..self.len],
        }
    }
}

impl<T: Pod> DerefMut for HugeArray<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.storage {
            Storage::Vector(vector) => vector,
            Storage::Pages(pages) => &mut bytemuck::cast_slice_mut(pages)[..self.len],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_arrays_are_zeroed_and_writable() {
        for len in [0, 1, 1000, MIN_BYTES / 8, MIN_BYTES / 8 + 1] {
            let mut array = HugeArray::<u64>::zeroed(len);
            assert_eq!(array.len(), len);
            assert!(array.iter().all(|&value| value == 0));
            array.iter_mut().zip(1..).for_each(|(value, next)| *value = next);
            assert_eq!(array.last().copied().unwrap_or(0), len as u64);
        }
    }

    #[test]
    fn too_little_memory_is_an_error() {
        assert!(HugeArray::<u64>::try_zeroed(usize::MAX / 2).is_err());
        assert_eq!(HugeArray::<u64>::try_zeroed(5).map(|array| array.to_vec()), Ok(vec![0; 5]));
    }
}
