//! Lower case as in Java's `String.toLowerCase(Locale.ENGLISH)`.
//!
//! It is Unicode's, except for a sigma: whether it is the last letter of a word is asked of Java's rules for words, in which
//! digits and some punctuation between letters belong to a word.

const SIGMA: char = 'Σ';

/// Put UTF-16 into lower case. A surrogate without its other half becomes a question mark, as in Java's output.
pub(super) fn lower_case(units: &[u16], text: &mut String) {
    text.clear();
    if units.iter().all(|&unit| unit < 0x80) {
        text.extend(units.iter().map(|&unit| char::from(unit as u8).to_ascii_lowercase()));
        return;
    }
    let chars: Vec<char> = char::decode_utf16(units.iter().copied()).map(|c| c.unwrap_or('?')).collect();
    for (index, &c) in chars.iter().enumerate() {
        match c {
            SIGMA => text.push(if is_final(&chars, index) { 'ς' } else { 'σ' }),
            // Letter by letter, so that no other rule about sigmas applies.
            _ => text.extend(c.to_lowercase()),
        }
    }
}

/// Return whether letters with case stand before the character in its word, and none after it.
fn is_final(chars: &[char], index: usize) -> bool {
    let is_cased = |&at: &usize| chars[at].is_lowercase() || chars[at].is_uppercase();
    let before = (1..=index).rev().take_while(|&at| is_joined(chars, at)).map(|at| at - 1).any(|at| is_cased(&at));
    before && !(index + 1..chars.len()).take_while(|&at| is_joined(chars, at)).any(|at| is_cased(&at))
}

/// Return whether no word ends before the character at `at`, which is not the first one.
fn is_joined(chars: &[char], at: usize) -> bool {
    let [before, after] = [chars[at - 1], chars[at]];
    let letter_at = |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphabetic());
    match (before, after) {
        _ if before.is_alphanumeric() && after.is_alphanumeric() => true,
        (letter, mid) if letter.is_alphabetic() && is_mid_word(mid) => letter_at(Some(at + 1)),
        (mid, letter) if is_mid_word(mid) && letter.is_alphabetic() => letter_at(at.checked_sub(2)),
        _ => false,
    }
}

/// Return whether a character between letters belongs to a word: dashes, connectors, quotation marks and dots.
fn is_mid_word(c: char) -> bool {
    matches!(
        c,
        '-' | '_' | '"' | '\'' | '.' | '\u{ad}' | '\u{2010}'..='\u{2015}' | '\u{2027}' | '\u{203f}' | '\u{2040}'
    )
}
