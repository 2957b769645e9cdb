//! Lines of the usual form: an object of an id and a list of numbers, in either order.
//!
//! Other lines, valid or not, are None; `any_line` reads those.

use std::borrow::Cow;

use super::ids::{ID_FIELDS, Id};
use crate::simd::{Level, decimal};

/// Parse a line, append its numbers to `values` and return the name of its id and the id.
pub(super) fn line<'a>(line: &'a [u8], values: &mut Vec<f32>, level: Level) -> Option<(&'static str, Id<'a>)> {
    let mut rest = token(line, b'{')?;
    let (mut id, mut has_feature) = (None, false);
    loop {
        let key;
        (key, rest) = self::key(rest)?;
        rest = skip_space(token(rest, b':')?);
        if key == b"feature" && !has_feature {
            rest = numbers(line, line.len() - rest.len(), values, level)?;
            has_feature = true;
        } else {
            let field = ID_FIELDS.into_iter().find(|name| name.as_bytes() == key && id.is_none())?;
            let value;
            (value, rest) = self::id(rest)?;
            id = Some((field, value));
        }
        rest = skip_space(rest);
        match rest.split_first()? {
            (b',', after) => rest = after,
            (b'}', after) if skip_space(after).is_empty() && has_feature => return id,
            _ => return None,
        }
    }
}

/// Skip what is white space in JSON, which a form feed is not.
pub(super) fn skip_space(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t' | b'\r' | b'\n', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

/// Skip white space and one byte; None if the next byte is another one.
fn token(bytes: &[u8], expected: u8) -> Option<&[u8]> {
    let (&first, rest) = skip_space(bytes).split_first()?;
    (first == expected).then_some(rest)
}

/// Return a string without escapes, and the rest.
fn key(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = token(bytes, b'"')?;
    let end = rest.iter().position(|&byte| byte == b'"')?;
    let (key, rest) = rest.split_at(end);
    Some((key, &rest[1..]))
}

/// Return an integer of at most 18 digits or a string without escapes, and the rest.
fn id(bytes: &[u8]) -> Option<(Id<'_>, &[u8])> {
    if bytes.first() != Some(&b'"') {
        return integer(bytes).map(|(number, rest)| (Id::Integer(number), rest));
    }
    let (text, rest) = key(bytes)?;
    if text.iter().any(|&byte| byte < b' ' || byte == b'\\') {
        return None;
    }
    Some((Id::Text(Cow::Borrowed(str::from_utf8(text).ok()?)), rest))
}

/// Return an integer of at most 18 digits, and the rest.
fn integer(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at(count);
    if count == 0 || count > 18 || count > 1 && digits[0] == b'0' || matches!(rest.first(), Some(b'.' | b'e' | b'E')) {
        return None;
    }
    if digits == b"0" && bytes[0] == b'-' {
        // A floating-point number for the other parser.
        return None;
    }
    let number = digits.iter().fold(0, |number, &digit| number * 10 + i64::from(digit - b'0'));
    Some((if bytes[0] == b'-' { -number } else { number }, rest))
}

/// Append the numbers of the list at `start` to `values` and return the rest.
fn numbers<'a>(line: &'a [u8], start: usize, values: &mut Vec<f32>, level: Level) -> Option<&'a [u8]> {
    let mut at = line.len() - token(&line[start..], b'[')?.len();
    loop {
        at = decimal::floats(line, at, values, level);
        let rest = &line[at..];
        let (value, length) = match decimal::usual(rest) {
            Some(number) => number,
            None => any_number(rest)?,
        };
        values.push(value);
        match skip_space(&rest[length..]).split_first()? {
            (b',', after) => at = line.len() - skip_space(after).len(),
            (b']', after) => return Some(after),
            _ => return None,
        }
    }
}

/// Return a number of any form, after white space, and where it ends.
#[cold]
fn any_number(bytes: &[u8]) -> Option<(f32, usize)> {
    let rest = skip_space(bytes);
    let (number, length) = fast_float2::parse_partial::<f64, _>(rest).ok()?;
    let value = number as f32;
    (is_json(&rest[..length]) && value.is_finite()).then_some((value, bytes.len() - rest.len() + length))
}

/// Return whether a number is valid in JSON too, which is stricter about zeros, points and signs.
fn is_json(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let starts = match digits {
        [b'0', second, ..] => !second.is_ascii_digit(),
        [first, ..] => first.is_ascii_digit(),
        [] => false,
    };
    // JSON needs a digit after the point.
    let point = text.iter().position(|&byte| byte == b'.');
    starts && point.is_none_or(|index| text.get(index + 1).is_some_and(u8::is_ascii_digit))
}
