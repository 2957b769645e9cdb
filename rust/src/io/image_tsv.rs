//! Image files of MUGE: on each line an id, a tab, and an image in base64.
//!
//! The index has the offset of each image. All threads read groups of blocks of the file and find their line ends; then
//! the first bytes of each line are searched for the id. Images are decoded on demand.

use memchr::{memchr, memchr_iter};

use crate::error::{Error, Result};
use crate::io::source::Source;
use crate::memory;
use crate::parallel::Plan;

/// Bytes that a thread searches at a time.
const BLOCK: usize = 1 << 20;

/// Blocks that are in memory together.
const GROUP: usize = 16;

/// Bytes at the start of a line that are searched for the tab.
const HEAD: u64 = 1024;

/// Lines that a thread parses at a time.
const LINES: usize = 64;

/// Lines between two checks of the limits: a hostile file costs at most this many lines more.
const LINES_BETWEEN_CHECKS: usize = 1 << 16;

/// Memory that must be there for the small buffers of these lines, which would abort the process otherwise.
const SPARE_MEMORY: usize = 16 << 20;

/// Why a line has no image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokenLine {
    /// It has no tab after the id.
    NoTab,
    /// It has no id before the tab.
    NoId,
    /// Its id is not UTF-8.
    BadId,
    /// It has no image after the tab.
    NoImage,
}

impl BrokenLine {
    /// Return the name of the problem, which does not change when messages are reworded.
    pub fn code(self) -> &'static str {
        match self {
            Self::NoTab => "no_tab",
            Self::NoId => "no_id",
            Self::BadId => "bad_id",
            Self::NoImage => "no_image",
        }
    }
}

/// A place between two lines of a file.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// Offset at which the next line starts.
    pub offset: u64,
    /// Number of lines before it.
    pub lines: u64,
}

/// The images of a file, in the order of their lines, and the lines that are broken.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Index {
    /// Id of each image.
    pub ids: Vec<String>,
    /// Offset in the file at which the base64 of each image starts.
    pub starts: Vec<i64>,
    /// Length of the base64 of each image, in bytes.
    pub lengths: Vec<i64>,
    /// Line of each image, from 1.
    pub lines: Vec<i64>,
    /// Line of each broken line, from 1, and what is wrong with it.
    pub broken: Vec<(u64, BrokenLine)>,
    /// Where reading stopped: beyond the last line, or after the one that reached a limit.
    pub end: Position,
}

impl Index {
    /// Make room for further lines, all of which may have an image or be broken.
    fn reserve(&mut self, lines: &[Vec<Line>]) -> Result<()> {
        let images = lines.iter().flatten().filter(|line| line.id.is_ok()).count();
        memory::reserve(&mut self.ids, images)?;
        memory::reserve(&mut self.starts, images)?;
        memory::reserve(&mut self.lengths, images)?;
        memory::reserve(&mut self.lines, images)?;
        memory::reserve(&mut self.broken, lines.iter().map(Vec::len).sum::<usize>() - images)
    }

    fn push(&mut self, line: Line, number: u64) {
        match line.id {
            Ok(id) => {
                self.ids.push(id);
                self.starts.push(line.start as i64);
                self.lengths.push(line.len as i64);
                self.lines.push(number as i64);
            }
            Err(broken) => self.broken.push((number, broken)),
        }
    }

    fn is_full(&self, limits: Limits) -> bool {
        let reached = |count: usize, limit: Option<usize>| limit.is_some_and(|limit| count >= limit);
        reached(self.ids.len(), limits.images) || reached(self.broken.len(), limits.broken)
    }
}

/// Where reading starts, and the numbers of lines after which it stops, at least one of each; None for the whole file.
#[derive(Debug, Default, Clone, Copy)]
pub struct Limits {
    /// The end of an earlier index, to go on from there.
    pub start: Position,
    /// Lines with an image.
    pub images: Option<usize>,
    /// Lines that are broken.
    pub broken: Option<usize>,
}

/// Find the images of a file. Blank lines are skipped.
///
/// # Errors
/// [`Error::Io`]; [`Error::Memory`]; [`Error::Cancelled`].
pub fn index(source: &(impl Source + ?Sized), plan: &Plan, limits: Limits) -> Result<Index> {
    let mut index = Index { end: limits.start, ..Index::default() };
    let mut bytes = Vec::new();
    for offset in (limits.start.offset..source.size()).step_by(BLOCK * GROUP) {
        let ends = line_ends(source, plan, offset, &mut bytes)?;
        let loaded = Loaded { source, offset, bytes: &bytes };
        for ends in ends.chunks(LINES_BETWEEN_CHECKS) {
            memory::check::<u8>(SPARE_MEMORY)?;
            let before = index.end;
            let after = |lines: usize| Position {
                offset: offset + u64::from(ends[lines - 1]) + 1,
                lines: before.lines + lines as u64,
            };
            let lines = lines(&loaded, plan, before.offset, ends)?;
            index.reserve(&lines)?;
            for line in lines.into_iter().flatten() {
                let end = after(line.number);
                index.push(line, end.lines);
                if index.is_full(limits) {
                    index.end = end;
                    return Ok(index);
                }
            }
            index.end = after(ends.len());
        }
    }
    Ok(index)
}

/// A line that is not blank.
#[derive(Debug)]
struct Line {
    /// Number of the line, from 1 for the first of its chunk.
    number: usize,
    id: std::result::Result<String, BrokenLine>,
    /// Offset in the file at which the base64 starts.
    start: u64,
    /// Length of the base64, in bytes.
    len: u64,
}

/// Return the lines that end at some offsets of the part in memory, in blocks, without those that are blank. The first
/// of them starts at `start` of the source.
fn lines<S: Source + ?Sized>(loaded: &Loaded<'_, S>, plan: &Plan, start: u64, ends: &[u32]) -> Result<Vec<Vec<Line>>> {
    let end = |line: usize| loaded.offset + u64::from(ends[line]);
    plan.map(ends.len(), LINES, Vec::new, |scratch, block| {
        let mut lines = memory::with_capacity(block.len())?;
        for line in block {
            let start = if line == 0 { start } else { end(line - 1) + 1 };
            lines.extend(self::line(loaded, scratch, line + 1, start, end(line))?);
        }
        Ok(lines)
    })
}

/// Return the line between two offsets; None if it is blank.
fn line<S: Source + ?Sized>(
    loaded: &Loaded<'_, S>,
    scratch: &mut Vec<u8>,
    number: usize,
    start: u64,
    end: u64,
) -> Result<Option<Line>> {
    let len = HEAD.min(end - start);
    let head = loaded.read(scratch, start, len)?;
    if head.trim_ascii().is_empty() && len < HEAD {
        return Ok(None);
    }
    let Some(tab) = memchr(b'\t', head) else {
        return Ok(Some(Line { number, id: Err(BrokenLine::NoTab), start, len: 0 }));
    };
    let id = match str::from_utf8(&head[..tab]).map(str::trim) {
        Ok("") => Err(BrokenLine::NoId),
        Ok(id) => Ok(memory::owned(id)?),
        Err(_) => Err(BrokenLine::BadId),
    };
    let start = start + tab as u64 + 1;
    // A carriage return before the line end is not part of the image.
    let has_return = end > start && loaded.read(scratch, end - 1, 1)? == b"\r";
    let len = end - start - u64::from(has_return);
    let id = if len == 0 { id.and(Err(BrokenLine::NoImage)) } else { id };
    Ok(Some(Line { number, id, start, len }))
}

/// A source, and a part of it that is in memory.
struct Loaded<'a, S: ?Sized> {
    source: &'a S,
    /// Where the part starts.
    offset: u64,
    bytes: &'a [u8],
}

impl<S: Source + ?Sized> Loaded<'_, S> {
    /// Return `len` bytes from `start` on; those outside the part are read into `scratch`.
    fn read<'s>(&'s self, scratch: &'s mut Vec<u8>, start: u64, len: u64) -> Result<&'s [u8]> {
        let within = start.checked_sub(self.offset).map(|offset| offset as usize);
        if let Some(bytes) = within.and_then(|offset| self.bytes.get(offset..offset + len as usize)) {
            return Ok(bytes);
        }
        scratch.resize(len as usize, 0);
        self.source.read_at(start, scratch)?;
        Ok(scratch)
    }
}

/// Read a group of blocks into `bytes` and return the positions of its line ends there. The end of the file is one too.
fn line_ends<S: Source + ?Sized>(source: &S, plan: &Plan, offset: u64, bytes: &mut Vec<u8>) -> Result<Vec<u32>> {
    let rest = source.size() - offset;
    memory::resize(bytes, rest.min((BLOCK * GROUP) as u64) as usize)?;
    let mut blocks: Vec<_> = bytes.chunks_mut(BLOCK).map(|block| (block, Vec::new())).collect();
    plan.each(
        &mut blocks,
        || (),
        |(), index, (block, ends)| {
            let start = index * BLOCK;
            source.read_at(offset + start as u64, block)?;
            // Counted first: a vector that grows would take twice the memory where all lines are blank.
            let count = memchr_iter(b'\n', block).count();
            *ends = memory::collect(memchr_iter(b'\n', block).map(|end| (start + end) as u32), count)?;
            Ok(())
        },
    )?;
    let count: usize = blocks.iter().map(|(_, ends)| ends.len()).sum();
    let mut ends = memory::collect(blocks.into_iter().flat_map(|(_, ends)| ends), count + 1)?;
    if bytes.len() as u64 == rest && bytes.last() != Some(&b'\n') {
        ends.push(bytes.len() as u32);
    }
    Ok(ends)
}

/// Decode base64, in the standard or the URL-safe alphabet, with or without padding.
///
/// # Errors
/// [`Error::Invalid`].
pub fn decode(text: &[u8]) -> Result<Vec<u8>> {
    let is_url = text.iter().any(|byte| matches!(byte, b'-' | b'_'));
    let alphabet = if is_url { base64_simd::URL_SAFE_NO_PAD } else { base64_simd::STANDARD_NO_PAD };
    let padding = text.iter().rev().take(2).take_while(|&&byte| byte == b'=').count();
    let body = &text[..text.len() - padding];
    let is_whole = padding == 0 || text.len().is_multiple_of(4);
    let decoded = if is_whole { alphabet.decode_to_vec(body).ok() } else { None };
    decoded.ok_or_else(|| Error::Invalid { parameter: "image", problem: "not valid base64".to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Index {
        index(text.as_bytes(), &Plan::new(Some(2)), Limits::default()).expect("readable")
    }

    /// The line, id and base64 of each image.
    fn images(text: &str) -> Vec<(i64, String, String)> {
        let Index { ids, starts, lengths, lines, broken, .. } = read(text);
        assert_eq!(broken, []);
        let base64 =
            starts.iter().zip(lengths).map(|(&start, len)| text[start as usize..(start + len) as usize].to_owned());
        lines.into_iter().zip(ids).zip(base64).map(|((line, id), base64)| (line, id, base64)).collect()
    }

    #[test]
    fn lines_of_any_length_are_found() {
        let long = "A".repeat(3 << 20);
        for end in ["", "\n", "\r\n"] {
            let text = format!("7\tAAAA\n\nx\t{long}\r\n 8 \tBB{end}");
            let expected = [(1, "7", "AAAA"), (3, "x", &long), (4, "8", "BB")];
            assert_eq!(images(&text), expected.map(|(line, id, base64)| (line, id.to_owned(), base64.to_owned())));
        }
        assert_eq!(read(""), Index::default());
    }

    #[test]
    fn reading_goes_on_where_it_stopped() {
        let long = "A".repeat(BLOCK * GROUP);
        for end in ["", "\n", "\r\n", "\n \n"] {
            let text = format!("7\tAAAA\n\nx\n\ny\t{long}\r\n 8 \tBB\nz\n9\tC{end}");
            let whole = read(&text);
            for images in 1..5 {
                let mut parts = Index::default();
                loop {
                    let limits = Limits { start: parts.end, images: Some(images), broken: Some(1) };
                    let part = index(text.as_bytes(), &Plan::new(Some(2)), limits).expect("readable");
                    assert!(part.ids.len() <= images && part.broken.len() <= 1);
                    if part.ids.is_empty() && part.broken.is_empty() {
                        break;
                    }
                    parts.ids.extend(part.ids);
                    parts.starts.extend(part.starts);
                    parts.lengths.extend(part.lengths);
                    parts.lines.extend(part.lines);
                    parts.broken.extend(part.broken);
                    parts.end = part.end;
                }
                // Blank lines at the end may be left.
                assert_eq!(Index { end: whole.end, ..parts }, whole);
            }
        }
    }

    #[test]
    fn a_line_may_go_through_several_groups_of_blocks() {
        let group = BLOCK * GROUP;
        for offset in 0..4 {
            // The tab, the line end and the carriage return before and after the end of a group.
            let first = "A".repeat(group - 4 - offset);
            let second = "B".repeat(2 * group + offset);
            let text = format!("1\t{first}\r\n2\t{second}\n3\tCC");
            let expected = [(1, "1", first), (2, "2", second), (3, "3", "CC".to_owned())];
            assert_eq!(images(&text), expected.map(|(line, id, base64)| (line, id.to_owned(), base64)));
        }
    }

    #[test]
    fn reading_stops_at_either_limit() {
        let count = |text: &str, images, broken| {
            let index = index(text.as_bytes(), &Plan::new(Some(2)), Limits { images, broken, ..Limits::default() })
                .expect("readable");
            (index.ids.len(), index.broken.len())
        };
        let all = LINES_BETWEEN_CHECKS;
        let text = "x\n1\tA\n".repeat(all);
        assert_eq!(count(&text, None, None), (all, all));
        assert_eq!(count(&text, None, Some(1)), (0, 1));
        assert_eq!(count(&text, Some(1), Some(9)), (1, 1));
        assert_eq!(count(&text, Some(all), Some(40_000)), (39_999, 40_000));
        assert_eq!(count(&text[2..], Some(40_000), Some(all)), (40_000, 39_999));
    }

    #[test]
    fn broken_lines_have_codes() {
        let text = format!("7\tAAAA\nAAAA\n\tAAAA\n9\t\n8\t\r\n{}\t", "x".repeat(2000));
        let codes = [(2, "no_tab"), (3, "no_id"), (4, "no_image"), (5, "no_image"), (6, "no_tab")];
        let index = read(&text);
        assert_eq!(index.broken.iter().map(|(line, broken)| (*line, broken.code())).collect::<Vec<_>>(), codes);
        assert_eq!(index.ids, ["7"]);
        let bytes = b"\xff\tAAAA\n";
        let index = super::index(bytes.as_slice(), &Plan::new(None), Limits::default()).expect("readable");
        assert_eq!(index.broken, [(1, BrokenLine::BadId)]);
    }

    #[test]
    fn errors_of_the_disk_keep_their_number() {
        struct Failing;

        impl Source for Failing {
            fn size(&self) -> u64 {
                100
            }

            fn read_at(&self, _offset: u64, _buffer: &mut [u8]) -> std::io::Result<()> {
                Err(std::io::Error::from_raw_os_error(5))
            }
        }

        let error = index(&Failing, &Plan::new(None), Limits::default()).expect_err("cannot be read");
        assert!(matches!(error, Error::Io { code: Some(5), .. }), "{error:?}");
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
