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
    let decoded = || char::decode_utf16(units.iter().copied()).map(|c| c.unwrap_or('?'));
    let mut visible: Option<Vec<char>> = None;
    let mut index = 0;
    for c in decoded() {
        match c {
            SIGMA => {
                let visible = visible.get_or_insert_with(|| decoded().filter(|&c| !is_ignored(c)).collect());
                text.push(if is_final(visible, index) { 'ς' } else { 'σ' });
            }
            // Letter by letter, so that no other rule about sigmas applies.
            _ => text.extend(c.to_lowercase()),
        }
        index += usize::from(!is_ignored(c));
    }
}

/// Return whether letters with case stand before the character in its word, and none after it.
fn is_final(chars: &[char], index: usize) -> bool {
    let is_cased = |&at: &usize| chars[at].is_lowercase() || chars[at].is_uppercase();
    let before = (1..=index).rev().take_while(|&at| is_joined(chars, at)).map(|at| at - 1).any(|at| is_cased(&at));
    before && !(index + 1..chars.len()).take_while(|&at| is_joined(chars, at)).any(|at| is_cased(&at))
}

/// Return whether words are found as if the character were not there: marks over letters, and invisible characters.
fn is_ignored(c: char) -> bool {
    matches!(
        c,
        '\u{300}'..='\u{36f}'
            | '\u{483}'..='\u{489}'
            | '\u{1ab0}'..='\u{1aff}'
            | '\u{1dc0}'..='\u{1dff}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2064}'
            | '\u{20d0}'..='\u{20ff}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{fe20}'..='\u{fe2f}'
            | '\u{feff}'
    )
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
