//! Short tokens as one integer, which is faster to hash, compare and store than their text.

use std::fmt;

/// A token of one to four characters of the basic plane other than NUL, 16 bits each, the first character lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short(u64);

impl Short {
    /// Largest number of characters.
    pub const MAX_CHARS: usize = 4;
    /// Largest length in bytes of UTF-8.
    const MAX_BYTES: usize = 3 * Self::MAX_CHARS;

    /// Return the token of the first `length` of these characters, which must be of the basic plane and not NUL.
    #[inline]
    pub(super) fn of_letters(chars: [char; Self::MAX_CHARS], length: usize) -> Self {
        debug_assert!((1..=Self::MAX_CHARS).contains(&length) && chars[..length].iter().copied().all(fits));
        let [first, second, third, fourth] = chars.map(u64::from);
        let all = first | second << 16 | third << 32 | fourth << 48;
        Self(all & (u64::MAX >> (64 - 16 * length)))
    }

    /// Return a token, if it is short.
    #[inline]
    pub(super) fn of(token: &str) -> Option<Self> {
        if token.len() > Self::MAX_BYTES || token.is_empty() {
            return None;
        }
        let (mut bits, mut shift) = (0, 0);
        for c in token.chars() {
            if shift == 16 * Self::MAX_CHARS || !fits(c) {
                return None;
            }
            bits |= u64::from(c) << shift;
            shift += 16;
        }
        Some(Self(bits))
    }

    /// Return a token of one character, if it is short.
    #[inline]
    pub(super) fn of_char(token: char) -> Option<Self> {
        fits(token).then_some(Self(token.into()))
    }

    /// Return the character of a token that has only one.
    #[inline]
    pub(super) fn single(self) -> Option<char> {
        u16::try_from(self.0).ok().and_then(|unit| char::from_u32(unit.into()))
    }

    /// Return the token with these bits; None if the lowest 16, the first character, are 0.
    #[inline]
    pub(super) fn from_bits(bits: u64) -> Option<Self> {
        (bits as u16 != 0).then_some(Self(bits))
    }

    /// The token as an integer.
    #[inline]
    pub(super) fn bits(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = (0..Self::MAX_CHARS).map(|index| (self.0 >> (16 * index)) as u16).take_while(|&unit| unit != 0);
        char::decode_utf16(units).flatten().try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

/// Return whether a character can be in a [`Short`].
#[inline]
fn fits(c: char) -> bool {
    matches!(c, '\u{1}'..='\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_words_survive_the_round_trip() {
        for word in ["a", "裙", "ab", "连衣裙", "有限公司", "\r\n", "\u{1}\u{ffff}", "ÿAЖ裙"] {
            let short = Short::of(word).expect("a short word");
            assert_eq!(short.to_string(), word);
            let mut chars = word.chars();
            let length = word.chars().count();
            let four = std::array::from_fn(|_| chars.next().unwrap_or('\u{fffd}'));
            assert_eq!(Short::of_letters(four, length), short);
        }
    }

    #[test]
    fn other_words_are_not_short() {
        for word in ["", "\0", "👍", "abcde", "👍👍", "a👍", "a\0", "\0a", "有限公司们"] {
            assert_eq!(Short::of(word), None, "{word:?}");
        }
    }
}
