//! The characters of a text with their codes in the tables.

/// The code of characters that are not part of longer words: white space, punctuation, other scripts.
pub(super) const OUTSIDE: u16 = 0;

/// Number of sentinels after the letters of a text, so that looking ahead needs no test for the end.
pub(super) const SENTINELS: usize = 3;

/// One character of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letter {
    pub char: char,
    /// [`OUTSIDE`] or a code of the [`Alphabet`].
    pub code: u16,
}

/// Codes of all characters of jieba's `re_han_default` and of all characters in the dictionary.
pub(super) struct Alphabet {
    /// Codes by code point, [`OUTSIDE`] for characters outside `re_han_default`.
    inside: Vec<u16>,
    /// The few characters of the dictionary outside `re_han_default`, for look-ups of whole words.
    others: Vec<(char, u16)>,
}

impl Alphabet {
    /// Return codes from 1 on, in the order of the characters.
    pub fn new(chars: impl Iterator<Item = char>) -> Self {
        let mut alphabet = Self { inside: vec![OUTSIDE; 1 << 16], others: vec![] };
        for (char, code) in chars.zip(1..) {
            if is_inside(char) {
                alphabet.inside[char as usize] = code;
            } else {
                alphabet.others.push((char, code));
            }
        }
        alphabet
    }

    /// Return the code of a character of a text.
    #[inline]
    pub fn code(&self, char: char) -> u16 {
        self.inside.get(char as usize).copied().unwrap_or(OUTSIDE)
    }

    /// Return the code of a character in the dictionary, even if it is [`OUTSIDE`] in a text.
    pub fn dictionary_code(&self, char: char) -> u16 {
        match self.code(char) {
            OUTSIDE => self.others.iter().find(|other| other.0 == char).map_or(OUTSIDE, |other| other.1),
            code => code,
        }
    }

    /// Return the letters of a text, followed by sentinels.
    pub fn read<'a>(&self, chars: impl Iterator<Item = char>, buffer: &'a mut Vec<Letter>) -> &'a [Letter] {
        buffer.clear();
        // Reserve once, not for each character, if the iterator knows its length.
        buffer.reserve(chars.size_hint().1.unwrap_or(0) + SENTINELS);
        buffer.extend(chars.map(|char| Letter { char, code: self.code(char) }));
        buffer.extend([Letter { char: '\0', code: OUTSIDE }; SENTINELS]);
        buffer
    }
}

/// Iterate over the characters of letters.
pub(super) fn chars(letters: &[Letter]) -> impl Iterator<Item = char> + Clone {
    letters.iter().map(|letter| letter.char)
}

/// Return whether jieba's `re_han` (in finalseg) matches the character: these go to the hidden Markov model.
#[inline]
pub(super) fn is_han(char: char) -> bool {
    matches!(char, '\u{4e00}'..='\u{9fd5}')
}

/// Return whether jieba's `re_han_default` matches the character.
fn is_inside(char: char) -> bool {
    is_han(char) || char.is_ascii_alphanumeric() || "+#&._%-".contains(char)
}
