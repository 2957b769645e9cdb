//! N-grams of token ids, packed into one integer.
//!
//! A packed n-gram is exact: two different n-grams never share a key. Sixteen bits for a token make four tokens fit
//! a `u64`; vocabularies that need more use a `u128` with 32 bits for a token.

use std::hash::BuildHasher;

use bytemuck::Pod;

/// The longest n-gram that is counted.
pub const MAX_ORDER: usize = 4;

/// An n-gram of up to [`MAX_ORDER`] tokens in one integer. Token ids start at 1, so no n-gram is zero.
pub trait Key: Pod + Eq + Default + Send + Sync + std::fmt::Debug {
    /// The largest token id that fits.
    const MAX_TOKEN: u32;

    /// The n-gram that is longer by one token.
    #[must_use]
    fn with(self, token: u32) -> Self;

    /// A number in place of an n-gram, so that arrays of n-grams can be turned into arrays of numbers where they lie.
    fn from_number(number: u32) -> Self;

    /// The number put in by [`Key::from_number`].
    fn number(self) -> u32;

    /// The tokens of a packed n-gram.
    fn unpack(self, order: usize) -> Vec<u32>;

    /// The same n-gram in 64 bits, if its tokens fit.
    fn narrow(self, order: usize) -> Option<u64>;

    /// The same n-gram in 128 bits.
    fn wide(self, order: usize) -> u128;

    /// A hash whose high bits are good.
    fn hash(self, seed: Seed) -> u64;
}

impl Key for u64 {
    const MAX_TOKEN: u32 = u16::MAX as u32;

    #[inline]
    fn with(self, token: u32) -> Self {
        (self << 16) | Self::from(token)
    }

    #[inline]
    fn from_number(number: u32) -> Self {
        Self::from(number)
    }

    #[inline]
    fn number(self) -> u32 {
        self as u32
    }

    fn unpack(self, order: usize) -> Vec<u32> {
        (0..order).rev().map(|place| (self >> (16 * place)) as u32 & Self::MAX_TOKEN).collect()
    }

    #[inline]
    fn narrow(self, _order: usize) -> Option<u64> {
        Some(self)
    }

    fn wide(self, order: usize) -> u128 {
        pack(&self.unpack(order))
    }

    #[inline]
    fn hash(self, seed: Seed) -> u64 {
        (self ^ (self >> 31)).wrapping_mul(seed.odd)
    }
}

impl Key for u128 {
    const MAX_TOKEN: u32 = u32::MAX;

    #[inline]
    fn with(self, token: u32) -> Self {
        (self << 32) | Self::from(token)
    }

    #[inline]
    fn from_number(number: u32) -> Self {
        Self::from(number)
    }

    #[inline]
    fn number(self) -> u32 {
        self as u32
    }

    fn unpack(self, order: usize) -> Vec<u32> {
        (0..order).rev().map(|place| (self >> (32 * place)) as u32).collect()
    }

    fn narrow(self, order: usize) -> Option<u64> {
        let tokens = self.unpack(order);
        tokens.iter().all(|&token| token <= u64::MAX_TOKEN).then(|| pack(&tokens))
    }

    #[inline]
    fn wide(self, _order: usize) -> u128 {
        self
    }

    #[inline]
    fn hash(self, seed: Seed) -> u64 {
        let product = Self::from(self as u64 ^ seed.mask) * Self::from((self >> 64) as u64 ^ seed.odd);
        (product ^ (product >> 64)) as u64
    }
}

/// Secret constants of a hash, drawn anew for each table: text is hostile input, and with a known hash it could be
/// written so that all its n-grams collide. No result depends on them.
#[derive(Debug, Clone, Copy)]
pub struct Seed {
    odd: u64,
    mask: u64,
}

impl Default for Seed {
    fn default() -> Self {
        let state = std::hash::RandomState::new();
        Self { odd: state.hash_one(1) | 1, mask: state.hash_one(2) }
    }
}

/// The key of one n-gram, of [`MAX_ORDER`] tokens at the most.
pub fn pack<K: Key>(tokens: &[u32]) -> K {
    tokens.iter().fold(K::default(), |key, &token| key.with(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_exact_at_the_largest_token() {
        let most = u64::MAX_TOKEN;
        assert_ne!(pack::<u64>(&[most, 1, most, 1]), pack::<u64>(&[most, 1, most, 2]));
        assert_eq!(pack::<u64>(&[most; 4]), u64::MAX);
        assert_eq!(pack::<u128>(&[u32::MAX; 4]), u128::MAX);
        assert_eq!(pack::<u64>(&[7, most, 1]).unpack(3), [7, most, 1]);
        assert_eq!(pack::<u128>(&[7, u32::MAX, 1]).unpack(3), [7, u32::MAX, 1]);
    }
}
