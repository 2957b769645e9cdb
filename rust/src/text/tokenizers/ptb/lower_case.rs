//! Lower case as in Java's `String.toLowerCase(Locale.ENGLISH)`.

/// Put UTF-16 into lower case. A surrogate without its other half becomes a question mark, as in Java's output.
pub(super) fn lower_case(units: &[u16], text: &mut String) {
    text.clear();
    if units.iter().all(|&unit| unit < 0x80) {
        text.extend(units.iter().map(|&unit| char::from(unit as u8).to_ascii_lowercase()));
        return;
    }
    let chars: Vec<char> = char::decode_utf16(units.iter().copied()).map(|c| c.unwrap_or('?')).collect();
    let whole: String = chars.into_iter().collect();
    *text = whole.to_lowercase();
}
