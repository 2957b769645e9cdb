//! The characters of a text, with the numbers under which the tables know them.

/// The code of a character that can be in no word of two or more: white space, punctuation, other scripts.
pub(super) const OUTSIDE: u16 = 0;

/// How many letters of no meaning follow those of a text, so that one can look ahead without a test for the end.
pub(super) const SENTINELS: usize = 3;

/// One character of a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Letter {
    pub char: char,
    /// [`OUTSIDE`] or a code of the [`Alphabet`].
    pub code: u16,
}

/// Codes for all characters of jieba's `re_han_default` and for all characters in the dictionary.
pub(super) struct Alphabet {
    /// Codes by code point, [`OUTSIDE`] for characters that `re_han_default` lacks.
    inside: Vec<u16>,
    /// The few characters of the dictionary that `re_han_default` lacks. Only look-ups of whole words meet them.
    others: Vec<(char, u16)>,
}

impl Alphabet {
    /// Number the characters from 1 in the order given.
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

    /// The code of a character of a text.
    #[inline]
    pub fn code(&self, char: char) -> u16 {
        self.inside.get(char as usize).copied().unwrap_or(OUTSIDE)
    }

    /// The code of a character in the dictionary, even where a text would have it [`OUTSIDE`].
    pub fn dictionary_code(&self, char: char) -> u16 {
        match self.code(char) {
            OUTSIDE => self.others.iter().find(|other| other.0 == char).map_or(OUTSIDE, |other| other.1),
            code => code,
        }
    }

    /// The letters of a text and the sentinels.
    pub fn read<'a>(&self, chars: impl Iterator<Item = char>, buffer: &'a mut Vec<Letter>) -> &'a [Letter] {
        buffer.clear();
        // At most so many, for iterators that know; asked once, not for each character.
        buffer.reserve(chars.size_hint().1.unwrap_or(0) + SENTINELS);
        buffer.extend(chars.map(|char| Letter { char, code: self.code(char) }));
        buffer.extend([Letter { char: '\0', code: OUTSIDE }; SENTINELS]);
        buffer
    }
}

/// The characters of letters.
pub(super) fn chars(letters: &[Letter]) -> impl Iterator<Item = char> + Clone {
    letters.iter().map(|letter| letter.char)
}

/// Whether jieba's `re_han` (in finalseg) has the character: these go to the hidden Markov model.
#[inline]
pub(super) fn is_han(char: char) -> bool {
    matches!(char, '\u{4e00}'..='\u{9fd5}')
}

/// Whether jieba's `re_han_default` has the character.
fn is_inside(char: char) -> bool {
    is_han(char) || char.is_ascii_alphanumeric() || "+#&._%-".contains(char)
}
