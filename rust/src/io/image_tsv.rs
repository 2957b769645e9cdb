//! Image files of MUGE: on each line an id, a tab, and an image in base64.
//!
//! The index tells where each image is. The file is read in groups of blocks by all threads, which look for line ends;
//! then the first bytes of each line are looked at for its id. Images are decoded when they are asked for.

use memchr::{memchr, memchr_iter};

use crate::error::{Error, Result};
use crate::io::source::Source;
use crate::parallel::Plan;

/// Bytes that a thread looks through at a time.
const BLOCK: usize = 1 << 20;

/// Blocks that are in memory together.
const GROUP: usize = 16;

/// Bytes at the start of a line that are searched for the tab.
const HEAD: u64 = 1024;

/// Lines that a thread looks at together.
const LINES: usize = 64;

/// Lines after which their number is compared with what is wanted: what a hostile file may cost beyond that.
const CHECKED: usize = 1 << 16;

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

/// How many lines are wanted, at least one. The file is left as soon as there are so many of either kind.
#[derive(Debug, Clone, Copy)]
pub struct Wanted {
    /// Lines with an image.
    pub images: usize,
    /// Lines that are broken.
    pub broken: usize,
}

impl Wanted {
    /// All lines.
    pub const ALL: Self = Self { images: usize::MAX, broken: usize::MAX };
}

/// The lines that are not blank, in order.
///
/// # Errors
/// [`Error::Invalid`] if reading fails; [`Error::Cancelled`].
pub fn index(source: &(impl Source + ?Sized), plan: &Plan, wanted: Wanted) -> Result<Vec<Entry>> {
    let (mut entries, mut left) = (Vec::new(), wanted);
    let (mut bytes, mut line, mut start) = (Vec::new(), 0, 0);
    for place in (0..source.size()).step_by(BLOCK * GROUP) {
        let ends = line_ends(source, plan, place, &mut bytes)?;
        let loaded = Loaded { source, place, bytes: &bytes };
        for ends in ends.chunks(CHECKED) {
            for entry in lines(&loaded, plan, start, ends)? {
                let rest = if entry.id.is_ok() { &mut left.images } else { &mut left.broken };
                *rest = rest.saturating_sub(1);
                let is_last = *rest == 0;
                entries.push(Entry { line: entry.line + line, ..entry });
                if is_last {
                    return Ok(entries);
                }
            }
            line += ends.len() as u64;
            start = ends.last().map_or(start, |end| end + 1);
        }
    }
    Ok(entries)
}

/// The lines that end at some places, those that are blank aside. Their numbers begin with one.
fn lines<S: Source + ?Sized>(loaded: &Loaded<'_, S>, plan: &Plan, start: u64, ends: &[u64]) -> Result<Vec<Entry>> {
    let blocks = plan.map(ends.len(), LINES, Vec::new, |scratch, block| {
        let mut entries = Vec::new();
        for line in block {
            let start = if line == 0 { start } else { ends[line - 1] + 1 };
            entries.extend(entry(loaded, scratch, line as u64 + 1, start, ends[line])?);
        }
        Ok(entries)
    })?;
    Ok(blocks.into_iter().flatten().collect())
}

/// One line; none if it is blank.
fn entry<S: Source + ?Sized>(
    loaded: &Loaded<'_, S>,
    scratch: &mut Vec<u8>,
    line: u64,
    start: u64,
    end: u64,
) -> Result<Option<Entry>> {
    let len = HEAD.min(end - start);
    let head = loaded.read(scratch, start, len)?;
    if head.trim_ascii().is_empty() && len < HEAD {
        return Ok(None);
    }
    let Some(tab) = memchr(b'\t', head) else {
        return Ok(Some(Entry { line, id: Err("has no tab after the id"), start, len: 0 }));
    };
    let id = match str::from_utf8(&head[..tab]).map(str::trim) {
        Ok("") => Err("has no id before the tab"),
        Ok(id) => Ok(id.to_owned()),
        Err(_) => Err("has an id that is not UTF-8"),
    };
    let start = start + tab as u64 + 1;
    // A carriage return before the line end is no part of the image.
    let has_return = end > start && loaded.read(scratch, end - 1, 1)? == b"\r";
    let len = end - start - u64::from(has_return);
    let id = if len == 0 { id.and(Err("has no image after the tab")) } else { id };
    Ok(Some(Entry { line, id, start, len }))
}

/// A source, a part of which has been read.
struct Loaded<'a, S: ?Sized> {
    source: &'a S,
    /// Where the part begins.
    place: u64,
    bytes: &'a [u8],
}

impl<S: Source + ?Sized> Loaded<'_, S> {
    /// The bytes of a place, which are read again if they are not of the part.
    fn read<'s>(&'s self, scratch: &'s mut Vec<u8>, start: u64, len: u64) -> Result<&'s [u8]> {
        let within = start.checked_sub(self.place).map(|offset| offset as usize);
        if let Some(bytes) = within.and_then(|offset| self.bytes.get(offset..offset + len as usize)) {
            return Ok(bytes);
        }
        scratch.resize(len as usize, 0);
        read(self.source, start, scratch)?;
        Ok(scratch)
    }
}

/// Read a group of blocks, and tell where lines end in it; the last one too, which may have no line end.
fn line_ends<S: Source + ?Sized>(source: &S, plan: &Plan, place: u64, bytes: &mut Vec<u8>) -> Result<Vec<u64>> {
    let rest = source.size() - place;
    bytes.resize(rest.min((BLOCK * GROUP) as u64) as usize, 0);
    let mut blocks: Vec<_> = bytes.chunks_mut(BLOCK).map(|block| (block, Vec::new())).collect();
    plan.each(
        &mut blocks,
        || (),
        |(), number, (block, ends)| {
            let place = place + (number * BLOCK) as u64;
            read(source, place, block)?;
            plan.advance(block.len());
            ends.extend(memchr_iter(b'\n', block).map(|end| place + end as u64));
            Ok(())
        },
    )?;
    let mut ends: Vec<u64> = blocks.into_iter().flat_map(|(_, ends)| ends).collect();
    if bytes.len() as u64 == rest && bytes.last() != Some(&b'\n') {
        ends.push(source.size());
    }
    Ok(ends)
}

fn read<S: Source + ?Sized>(source: &S, offset: u64, buffer: &mut [u8]) -> Result<()> {
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
        let entries = index(text.as_bytes(), &Plan::new(Some(2)), Wanted::ALL).expect("readable");
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
    fn a_line_may_go_through_several_groups_of_blocks() {
        let group = BLOCK * GROUP;
        for offset in 0..4 {
            // The tab, the line end and the carriage return on either side of where a group ends.
            let first = "A".repeat(group - 4 - offset);
            let second = "B".repeat(2 * group + offset);
            let text = format!("1\t{first}\r\n2\t{second}\n3\tCC");
            let expected = [(1, "1", first), (2, "2", second), (3, "3", "CC".to_owned())];
            assert_eq!(found(&text), expected.map(|(line, id, payload)| (line, Ok(id.to_owned()), payload)));
        }
    }

    #[test]
    fn no_more_lines_than_wanted() {
        let count = |text: &str, wanted| {
            let entries = index(text.as_bytes(), &Plan::new(Some(2)), wanted).expect("readable");
            let images = entries.iter().filter(|entry| entry.id.is_ok()).count();
            (images, entries.len() - images)
        };
        let text = "x\n1\tA\n".repeat(CHECKED);
        assert_eq!(count(&text, Wanted::ALL), (CHECKED, CHECKED));
        assert_eq!(count(&text, Wanted { images: usize::MAX, broken: 1 }), (0, 1));
        assert_eq!(count(&text, Wanted { images: 1, broken: 9 }), (1, 1));
        assert_eq!(count(&text, Wanted { images: CHECKED, broken: 40_000 }), (39_999, 40_000));
        assert_eq!(count(&text[2..], Wanted { images: 40_000, broken: CHECKED }), (40_000, 39_999));
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
