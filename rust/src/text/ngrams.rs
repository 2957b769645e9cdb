//! N-grams of token ids, packed into one integer.
//!
//! A packed n-gram is exact: two different n-grams never share a key. With 16 bits per token, four tokens fit a `u64`.
//! Vocabularies of more than 65,535 tokens use a `u128` with 32 bits per token.

use std::hash::BuildHasher;

use bytemuck::Pod;

/// Tokens of the longest n-grams that are counted.
pub const MAX_ORDER: usize = 4;

/// An n-gram of up to [`MAX_ORDER`] tokens in one integer. Token ids start at 1, so no n-gram is zero.
pub trait Key: Pod + Eq + Default + Send + Sync + std::fmt::Debug {
    /// The largest token id that fits.
    const MAX_TOKEN: u32;

    /// Return the n-gram that is one token longer.
    #[must_use]
    fn with(self, token: u32) -> Self;

    /// Return the token ids.
    fn unpack(self, order: usize) -> Vec<u32>;

    /// Return the same n-gram in 64 bits, or `None` if a token does not fit.
    fn narrow(self, order: usize) -> Option<u64>;

    /// Return the same n-gram in 128 bits.
    fn wide(self, order: usize) -> u128;

    /// Return the same n-gram as the key of another table, or `None` if a token does not fit.
    fn from_key<K: Key>(key: K, order: usize) -> Option<Self>;

    /// Return a hash. Its high bits are the well-mixed ones.
    fn hash(self, seed: Seed) -> u64;
}

/// Evaluate `$body` with the type `$K` set to the smallest key for token ids up to `$max_id`.
macro_rules! by_key_width {
    ($max_id:expr, $K:ident => $body:expr) => {
        if $max_id <= <u64 as $crate::text::ngrams::Key>::MAX_TOKEN {
            type $K = u64;
            $body
        } else {
            type $K = u128;
            $body
        }
    };
}
pub(crate) use by_key_width;

impl Key for u64 {
    const MAX_TOKEN: u32 = u16::MAX as u32;

    #[inline]
    fn with(self, token: u32) -> Self {
        (self << 16) | Self::from(token)
    }

    fn unpack(self, order: usize) -> Vec<u32> {
        (0..order).rev().map(|index| (self >> (16 * index)) as u32 & Self::MAX_TOKEN).collect()
    }

    #[inline]
    fn narrow(self, _order: usize) -> Option<u64> {
        Some(self)
    }

    fn wide(self, order: usize) -> u128 {
        pack(&self.unpack(order))
    }

    #[inline]
    fn from_key<K: Key>(key: K, order: usize) -> Option<Self> {
        key.narrow(order)
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

    fn unpack(self, order: usize) -> Vec<u32> {
        (0..order).rev().map(|index| (self >> (32 * index)) as u32).collect()
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
    fn from_key<K: Key>(key: K, order: usize) -> Option<Self> {
        Some(key.wide(order))
    }

    #[inline]
    fn hash(self, seed: Seed) -> u64 {
        let product = Self::from(self as u64 ^ seed.mask) * Self::from((self >> 64) as u64 ^ seed.odd);
        (product ^ (product >> 64)) as u64
    }
}

/// Secret constants of a hash, drawn at random for each table.
///
/// Text is untrusted input: with a known hash, it could be written so that all its n-grams collide. No result depends on
/// the constants.
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

/// Return the key of one n-gram of at most [`MAX_ORDER`] tokens.
pub fn pack<K: Key>(tokens: &[u32]) -> K {
    tokens.iter().fold(K::default(), |key, &token| key.with(token))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_exact_at_the_largest_token() {
        let max = u64::MAX_TOKEN;
        assert_ne!(pack::<u64>(&[max, 1, max, 1]), pack::<u64>(&[max, 1, max, 2]));
        assert_eq!(pack::<u64>(&[max; 4]), u64::MAX);
        assert_eq!(pack::<u128>(&[u32::MAX; 4]), u128::MAX);
        assert_eq!(pack::<u64>(&[7, max, 1]).unpack(3), [7, max, 1]);
        assert_eq!(pack::<u128>(&[7, u32::MAX, 1]).unpack(3), [7, u32::MAX, 1]);
    }

    #[test]
    fn the_width_follows_the_largest_token() {
        for (max_id, bytes) in [(1, 8), (65_535, 8), (65_536, 16), (u32::MAX, 16)] {
            assert_eq!(by_key_width!(max_id, K => size_of::<K>()), bytes);
        }
    }

    #[test]
    fn keys_convert_between_widths_where_their_tokens_fit() {
        let tokens = [7, u64::MAX_TOKEN, 1];
        assert_eq!(u128::from_key(pack::<u64>(&tokens), 3), Some(pack(&tokens)));
        assert_eq!(u64::from_key(pack::<u128>(&tokens), 3), Some(pack(&tokens)));
        assert_eq!(u64::from_key(pack::<u128>(&[1, 65_536]), 2), None);
    }
}
