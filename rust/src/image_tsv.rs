//! Image files of MUGE: on each line an id, a tab, and an image in base64.
//!
//! The index tells where each image is. The file is scanned for line ends by all threads; then the first bytes of each
//! line are looked at for its id. Images are decoded when they are asked for.

use memchr::{memchr, memchr_iter};

use crate::blocks::Plan;
use crate::error::{Error, Result};
use crate::source::Source;

/// Bytes that are scanned at a time.
const BLOCK: u64 = 1 << 20;

/// Bytes at the start of a line that are searched for the tab.
const HEAD: u64 = 1024;

/// Lines that are looked at together.
const LINES: usize = 256;

/// One line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Number of the line, from 1.
    pub line: u64,
    /// The id, or what is wrong with the line.
    pub id: std::result::Result<String, &'static str>,
    /// Where the base64 starts.
    pub start: u64,
    /// How many bytes it has.
    pub len: u64,
}

/// All lines that are not blank, in order.
///
/// # Errors
/// [`Error::Invalid`] if reading fails; [`Error::Cancelled`].
pub fn index(source: &(impl Source + ?Sized), plan: &Plan) -> Result<Vec<Entry>> {
    let ends = line_ends(source, plan)?;
    let blocks = plan.map(ends.len(), LINES, Vec::new, |head, lines| {
        let mut entries = Vec::new();
        for line in lines {
            let start = if line == 0 { 0 } else { ends[line - 1] + 1 };
            let len = HEAD.min(ends[line] - start);
            head.resize(len as usize, 0);
            read(source, start, head)?;
            if !head.trim_ascii().is_empty() || len == HEAD {
                entries.push(entry(line as u64 + 1, start, ends[line], head));
            }
        }
        // A carriage return before the line end is no part of the image.
        for entry in &mut entries {
            let mut last = [0];
            if entry.len > 0 {
                read(source, entry.start + entry.len - 1, &mut last)?;
                entry.len -= u64::from(last == *b"\r");
            }
            if entry.len == 0 && entry.id.is_ok() {
                entry.id = Err("has no image after the tab");
            }
        }
        Ok(entries)
    })?;
    Ok(blocks.into_iter().flatten().collect())
}

fn entry(line: u64, start: u64, end: u64, head: &[u8]) -> Entry {
    let Some(tab) = memchr(b'\t', head) else {
        return Entry { line, id: Err("has no tab after the id"), start, len: 0 };
    };
    let id = match str::from_utf8(&head[..tab]).map(str::trim) {
        Ok("") => Err("has no id before the tab"),
        Ok(id) => Ok(id.to_owned()),
        Err(_) => Err("has an id that is not UTF-8"),
    };
    let start = start + tab as u64 + 1;
    Entry { line, id, start, len: end - start }
}

/// Where each line ends, the last one too.
fn line_ends(source: &(impl Source + ?Sized), plan: &Plan) -> Result<Vec<u64>> {
    let size = source.size();
    let blocks = plan.map(size.div_ceil(BLOCK) as usize, 1, Vec::new, |bytes, block| {
        let start = block.start as u64 * BLOCK;
        bytes.resize(BLOCK.min(size - start) as usize, 0);
        read(source, start, bytes)?;
        plan.advance(bytes.len());
        Ok(memchr_iter(b'\n', bytes).map(|place| start + place as u64).collect::<Vec<_>>())
    })?;
    let mut ends: Vec<u64> = blocks.into_iter().flatten().collect();
    if ends.last().map_or(0, |last| last + 1) < size {
        ends.push(size);
    }
    Ok(ends)
}

fn read(source: &(impl Source + ?Sized), offset: u64, buffer: &mut [u8]) -> Result<()> {
    let failed = |error| Error::Invalid { parameter: "images", problem: format!("cannot be read: {error}") };
    source.read_at(offset, buffer).map_err(failed)
}

/// The bytes of base64, in the standard or the URL-safe alphabet, with or without padding.
///
/// # Errors
/// [`Error::Invalid`] for anything else.
pub fn decode(text: &[u8]) -> Result<Vec<u8>> {
    let is_url = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let alphabet = if is_url { base64_simd::URL_SAFE_NO_PAD } else { base64_simd::STANDARD_NO_PAD };
    let padding = text.iter().rev().take(2).take_while(|&&byte| byte == b'=').count();
    let body = &text[..text.len() - padding];
    let is_whole = padding == 0 || text.len().is_multiple_of(4);
    let decoded = if is_whole { alphabet.decode_to_vec(body).ok() } else { None };
    decoded.ok_or_else(|| Error::Invalid { parameter: "image", problem: "is not base64".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(u64, std::result::Result<String, &'static str>, String)> {
        let entries = index(text.as_bytes(), &Plan::new(Some(2))).expect("readable");
        let payload = |entry: &Entry| text[entry.start as usize..(entry.start + entry.len) as usize].to_owned();
        entries.iter().map(|entry| (entry.line, entry.id.clone(), payload(entry))).collect()
    }

    #[test]
    fn lines_of_any_length_are_found() {
        let long = "A".repeat(3 << 20);
        for end in ["", "\n", "\r\n"] {
            let text = format!("7\tAAAA\n\nx\t{long}\r\n 8 \tBB{end}");
            let expected =
                [(1, Ok("7".to_owned()), "AAAA"), (3, Ok("x".to_owned()), &long), (4, Ok("8".to_owned()), "BB")];
            let expected = expected.map(|(line, id, payload)| (line, id, payload.to_owned()));
            assert_eq!(found(&text), expected);
        }
        assert_eq!(found(""), []);
    }

    #[test]
    fn broken_lines_say_what_is_wrong() {
        let text = format!("7\tAAAA\nAAAA\n\tAAAA\n9\t\n8\t\r\n{}\t", "x".repeat(2000));
        let problems: Vec<_> = found(&text).into_iter().map(|(line, id, _)| (line, id.err())).collect();
        let (tab, image) = (Some("has no tab after the id"), Some("has no image after the tab"));
        let id = Some("has no id before the tab");
        assert_eq!(problems, [(1, None), (2, tab), (3, id), (4, image), (5, image), (6, tab)]);
    }

    #[test]
    fn both_alphabets_with_and_without_padding() {
        let bytes = [0xfb, 0xef, 0xff, 0x00];
        for text in ["++//AA==", "--__AA==", "++//AA", "--__AA"] {
            assert_eq!(decode(text.as_bytes()), Ok(bytes.to_vec()), "{text}");
        }
        assert_eq!(decode(b""), Ok(vec![]));
        for text in ["+_AA", "A", "AA=", "AAAA=", "AA===", "A A=", "红裙"] {
            assert!(decode(text.as_bytes()).is_err(), "{text}");
        }
    }
}
