//! Lines of the usual kind: an object of an integer id and a list of numbers, in either order, without surprises.
//!
//! Nothing is refused here. Where a line is of another kind, or wrong, the answer is None, and `general` takes over.

use crate::simd::{Level, decimal};

/// Parse a line, append its numbers to `values` and return its id.
pub(super) fn line(line: &[u8], values: &mut Vec<f32>, level: Level) -> Option<i64> {
    let mut rest = token(line, b'{')?;
    let (mut id, mut has_feature) = (None, false);
    loop {
        let key;
        (key, rest) = self::key(rest)?;
        rest = token(rest, b':')?.trim_ascii_start();
        match key {
            b"image_id" | b"text_id" | b"query_id" if id.is_none() => {
                let number;
                (number, rest) = integer(rest)?;
                id = Some(number);
            }
            b"feature" if !has_feature => {
                rest = numbers(line, line.len() - rest.len(), values, level)?;
                has_feature = true;
            }
            _ => return None,
        }
        rest = rest.trim_ascii_start();
        match rest.split_first()? {
            (b',', after) => rest = after,
            (b'}', after) if after.trim_ascii_start().is_empty() && has_feature => return id,
            _ => return None,
        }
    }
}

/// What comes after this byte and white space before it.
fn token(bytes: &[u8], wanted: u8) -> Option<&[u8]> {
    let (&first, rest) = bytes.trim_ascii_start().split_first()?;
    (first == wanted).then_some(rest)
}

/// A string without escapes, and what comes after it.
fn key(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = token(bytes, b'"')?;
    let end = rest.iter().position(|&byte| byte == b'"')?;
    let (key, rest) = rest.split_at(end);
    Some((key, &rest[1..]))
}

/// An integer of at most 18 digits.
fn integer(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let digits = bytes.strip_prefix(b"-").unwrap_or(bytes);
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at(count);
    if count == 0 || count > 18 || count > 1 && digits[0] == b'0' || matches!(rest.first(), Some(b'.' | b'e' | b'E')) {
        return None;
    }
    let number = digits.iter().fold(0, |number, &digit| number * 10 + i64::from(digit - b'0'));
    Some((if bytes[0] == b'-' { -number } else { number }, rest))
}

/// A list of numbers that starts at `start`; what comes after it.
fn numbers<'a>(line: &'a [u8], start: usize, values: &mut Vec<f32>, level: Level) -> Option<&'a [u8]> {
    let mut at = line.len() - token(&line[start..], b'[')?.len();
    loop {
        at = decimal::floats(line, at, values, level);
        let rest = &line[at..];
        let (value, length) = match decimal::usual(rest) {
            Some(found) => found,
            None => any_number(rest)?,
        };
        values.push(value);
        match rest[length..].trim_ascii_start().split_first()? {
            (b',', after) => at = line.len() - after.trim_ascii_start().len(),
            (b']', after) => return Some(after),
            _ => return None,
        }
    }
}

/// A number of any form, after white space, and where it ends.
#[cold]
fn any_number(bytes: &[u8]) -> Option<(f32, usize)> {
    let rest = bytes.trim_ascii_start();
    let (number, length) = fast_float2::parse_partial::<f64, _>(rest).ok()?;
    let value = number as f32;
    (is_json(&rest[..length]) && value.is_finite()).then_some((value, bytes.len() - rest.len() + length))
}

/// Whether a number that could be read is one in JSON too, which is strict about zeros, points and signs.
fn is_json(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let starts = match digits {
        [b'0', second, ..] => !second.is_ascii_digit(),
        [first, ..] => first.is_ascii_digit(),
        [] => false,
    };
    // With a digit after the point there cannot be a letter or the end.
    let point = text.iter().position(|&byte| byte == b'.');
    starts && point.is_none_or(|place| text.get(place + 1).is_some_and(u8::is_ascii_digit))
}
