//! Buffers whose size the caller's data decides: too little memory is an [`Error::Memory`], where `vec!` would abort the
//! process.

use std::hint::black_box;

use bytemuck::Zeroable;

use crate::error::{Error, Result};

/// Return `len` zeros.
///
/// # Errors
/// [`Error::Memory`].
pub fn zeroed<T: Zeroable>(len: usize) -> Result<Vec<T>> {
    bytemuck::allocation::try_zeroed_vec(len).map_err(|()| too_large::<T>(len))
}

/// Return `len` copies of the default, for types that [`zeroed`] does not know.
///
/// # Errors
/// [`Error::Memory`].
pub fn defaults<T: Default + Clone>(len: usize) -> Result<Vec<T>> {
    let mut vector = with_capacity(len)?;
    vector.resize(len, T::default());
    Ok(vector)
}

/// Return an empty vector with room for exactly `len` elements.
///
/// # Errors
/// [`Error::Memory`].
pub fn with_capacity<T>(len: usize) -> Result<Vec<T>> {
    let mut vector = Vec::new();
    vector.try_reserve_exact(len).map_err(|_| too_large::<T>(len))?;
    Ok(vector)
}

/// Return the values of an iterator, which knows how many there are at most.
///
/// # Errors
/// [`Error::Memory`].
pub fn collect<T>(values: impl Iterator<Item = T>, len: usize) -> Result<Vec<T>> {
    let mut vector = with_capacity(len)?;
    vector.extend(values.take(len));
    Ok(vector)
}

/// Return a copy of a text.
///
/// # Errors
/// [`Error::Memory`].
pub fn owned(text: &str) -> Result<String> {
    let mut copy = String::new();
    copy.try_reserve_exact(text.len()).map_err(|_| too_large::<u8>(text.len()))?;
    copy.push_str(text);
    Ok(copy)
}

/// Make room for `more` further elements; a vector that grows often does so geometrically.
///
/// # Errors
/// [`Error::Memory`].
pub fn reserve<T>(vector: &mut Vec<T>, more: usize) -> Result<()> {
    vector.try_reserve(more).map_err(|_| too_large::<T>(vector.len().saturating_add(more)))
}

/// Change the length of a vector; new elements are the default.
///
/// # Errors
/// [`Error::Memory`].
pub fn resize<T: Default + Clone>(vector: &mut Vec<T>, len: usize) -> Result<()> {
    reserve(vector, len.saturating_sub(vector.len()))?;
    vector.resize(len, T::default());
    Ok(())
}

/// Replace the content of a vector by `len` defaults.
///
/// # Errors
/// [`Error::Memory`].
pub fn refill<T: Default + Clone>(vector: &mut Vec<T>, len: usize) -> Result<()> {
    vector.clear();
    resize(vector, len)
}

/// Check that `len` elements would fit, before long work whose result grows piece by piece.
///
/// # Errors
/// [`Error::Memory`].
pub fn check<T>(len: usize) -> Result<()> {
    // The compiler may leave out an allocation that is not used, and then nothing would fail.
    with_capacity::<T>(len).map(|vector| drop(black_box(vector)))
}

fn too_large<T>(len: usize) -> Error {
    Error::Memory { bytes: len.saturating_mul(size_of::<T>()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_beyond_the_address_space_are_errors() {
        let error = Error::Memory { bytes: usize::MAX };
        assert_eq!(zeroed::<u64>(usize::MAX), Err(error.clone()));
        assert_eq!(defaults::<u64>(usize::MAX), Err(error.clone()));
        assert_eq!(with_capacity::<u64>(usize::MAX / 2), Err(error.clone()));
        assert_eq!(reserve(&mut vec![0_u64], usize::MAX), Err(error.clone()));
        assert_eq!(resize(&mut vec![0_u64], usize::MAX), Err(error.clone()));
        assert_eq!(refill(&mut vec![0_u64], usize::MAX), Err(error.clone()));
        assert_eq!(collect([0_u64].into_iter(), usize::MAX), Err(error.clone()));
        assert_eq!(check::<u64>(usize::MAX), Err(error));
    }

    #[test]
    fn sizes_that_fit_are_given() {
        assert_eq!(zeroed::<u8>(3), Ok(vec![0; 3]));
        let mut vector = vec![7_u8];
        assert_eq!(resize(&mut vector, 3), Ok(()));
        assert_eq!(vector, [7, 0, 0]);
        assert_eq!(refill(&mut vector, 2), Ok(()));
        assert_eq!(vector, [0, 0]);
        assert_eq!(collect(1..4, 3), Ok(vec![1, 2, 3]));
        assert_eq!(owned("裙"), Ok("裙".to_owned()));
    }
}
