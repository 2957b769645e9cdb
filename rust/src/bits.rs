//! Iterating over the set bits of a word.

/// Return the positions of the set bits, lowest first.
///
/// Each step costs one count of trailing zeros and one `and`, so a sparse bitmap is walked in the time of its ones.
pub(crate) fn set_bits(mut word: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let position = word.trailing_zeros();
        word &= word.wrapping_sub(1);
        (position < u64::BITS).then_some(position as usize)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_bits_are_listed_lowest_first() {
        assert_eq!(set_bits(0).count(), 0);
        assert_eq!(set_bits(1 << 63 | 0b101).collect::<Vec<_>>(), [0, 2, 63]);
        assert!(set_bits(u64::MAX).eq(0..64));
    }
}
