//! Short tokens as one number: quicker to hash, to compare and to keep than their text.

use std::fmt;

/// A token of one to four characters, each of the basic plane and not NUL: 16 bits for each, the first in the lowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Short(u64);

impl Short {
    /// The most characters.
    pub const MOST: usize = 4;
    /// The most bytes of the text.
    const BYTES: usize = 3 * Self::MOST;

    /// The first `length` of these characters, which must be of the basic plane and not NUL.
    #[inline]
    pub(super) fn of_letters(chars: [char; Self::MOST], length: usize) -> Self {
        debug_assert!((1..=Self::MOST).contains(&length) && chars[..length].iter().copied().all(fits));
        let [first, second, third, fourth] = chars.map(u64::from);
        let all = first | second << 16 | third << 32 | fourth << 48;
        Self(all & (u64::MAX >> (64 - 16 * length)))
    }

    /// A token, if it is short.
    #[inline]
    pub(super) fn of(token: &str) -> Option<Self> {
        if token.len() > Self::BYTES || token.is_empty() {
            return None;
        }
        let (mut number, mut shift) = (0, 0);
        for c in token.chars() {
            if shift == 16 * Self::MOST || !fits(c) {
                return None;
            }
            number |= u64::from(c) << shift;
            shift += 16;
        }
        Some(Self(number))
    }

    /// A token of one character, if it is short.
    #[inline]
    pub(super) fn of_char(token: char) -> Option<Self> {
        fits(token).then_some(Self(token.into()))
    }

    /// The only character, if there are no more.
    #[inline]
    pub(super) fn single(self) -> Option<char> {
        u16::try_from(self.0).ok().and_then(|unit| char::from_u32(unit.into()))
    }

    /// The token with that number. The lowest 16 bits, the first character, are never 0 in one.
    #[inline]
    pub(super) fn from_number(number: u64) -> Option<Self> {
        (number as u16 != 0).then_some(Self(number))
    }

    /// The number.
    #[inline]
    pub(super) fn number(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = (0..Self::MOST).map(|place| (self.0 >> (16 * place)) as u16).take_while(|&unit| unit != 0);
        char::decode_utf16(units).flatten().try_for_each(|c| fmt::Write::write_char(f, c))
    }
}

/// Whether a character can be in a [`Short`].
#[inline]
fn fits(c: char) -> bool {
    matches!(c, '\u{1}'..='\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_words_are_numbers_and_words_again() {
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
