//! Feature files: one JSON object a line, with an id and a list of numbers.
//!
//! Blocks of the file are read and parsed on all threads. A line of the usual kind goes through `plain`; whatever else
//! it may be, `serde_json` decides what it means or what is wrong with it (`general`).

mod any_line;
mod usual_line;
mod write;

use std::io;
use std::ops::Range;

use memchr::memchr;

use crate::error::{Error, Result};
use crate::io::source::Source;
use crate::parallel::Plan;
use crate::simd::Level;

pub use write::lines as write;

/// Bytes of the file that are read at a time: they stay in the second-level cache while they are parsed.
const BLOCK: u64 = 1 << 19;

/// What the id of a row may be called.
pub const ID_FIELDS: [&str; 3] = ["image_id", "text_id", "query_id"];

/// Ids and features, row by row.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Features {
    /// One for each row.
    pub ids: Vec<i64>,
    /// All rows, one after the other, each of as many numbers.
    pub values: Vec<f32>,
}

/// Read features: `{"image_id": 7, "feature": [0.25, …]}` on each line; the id may be `text_id` or `query_id`. Each
/// number is rounded to the nearest double and that to the nearest float. Blank lines and other fields are passed over.
///
/// # Errors
/// [`Error::Line`] for the first line that is not so, or has another number of features than the first;
/// [`Error::Empty`] without any; [`Error::Invalid`] if reading fails; [`Error::Cancelled`].
pub fn read(source: &(impl Source + ?Sized), level: Level, plan: &Plan) -> Result<Features> {
    let blocks = source.size().div_ceil(BLOCK) as usize;
    let mut blocks =
        plan.map(blocks, 1, Vec::new, |bytes, block| Ok(Block::read(source, block.start, bytes, level)))?;
    let mut width = None;
    for block in &mut blocks {
        block.check_width(&mut width);
        if let Some(problem) = block.problem.take() {
            return Err(problem.locate(source));
        }
    }
    let Some(width) = width else {
        return Err(Error::Empty("features"));
    };
    let rows: usize = blocks.iter().map(|block| block.rows.ids.len()).sum();
    let mut all = Features { ids: Vec::with_capacity(rows), values: vec![0.0; rows * width] };
    let mut rest = all.values.as_mut_slice();
    let mut places = Vec::with_capacity(blocks.len());
    for Block { rows, .. } in &blocks {
        all.ids.extend_from_slice(&rows.ids);
        let (place, after) = rest.split_at_mut(rows.values.len());
        places.push((place, rows));
        rest = after;
    }
    plan.each(
        &mut places,
        || (),
        |(), _, (place, rows)| {
            place.copy_from_slice(&rows.values);
            Ok(())
        },
    )?;
    Ok(all)
}

/// What is wrong, and where in the file.
#[derive(Debug)]
struct Problem {
    offset: u64,
    /// None if reading failed: then there is no line to name.
    is_read: bool,
    text: String,
}

impl Problem {
    /// The error, with the number of the line.
    fn locate(self, source: &(impl Source + ?Sized)) -> Error {
        let mut number = 1;
        let mut bytes = vec![0; BLOCK as usize];
        let mut start = 0;
        while self.is_read && start < self.offset {
            let part = &mut bytes[..BLOCK.min(self.offset - start) as usize];
            if source.read_at(start, part).is_err() {
                break;
            }
            number += part.split(|&byte| byte == b'\n').count() - 1;
            start += part.len() as u64;
        }
        if self.is_read {
            Error::Line { number, problem: self.text }
        } else {
            Error::Invalid { parameter: "features", problem: self.text }
        }
    }
}

/// The lines that start in one block of the file.
#[derive(Debug, Default)]
struct Block {
    rows: Features,
    /// Numbers in the first row, and where that is.
    first: Option<(usize, u64)>,
    problem: Option<Problem>,
}

impl Block {
    fn read(source: &(impl Source + ?Sized), block: usize, bytes: &mut Vec<u8>, level: Level) -> Self {
        let mut this = Self::default();
        let start = block as u64 * BLOCK;
        match lines(source, start, bytes) {
            Ok(lines) => {
                let offset = start + lines.start as u64 - u64::from(block > 0);
                this.parse(&bytes[lines], offset, level);
            }
            Err(error) => {
                this.problem =
                    Some(Problem { offset: start, is_read: false, text: format!("cannot be read: {error}") });
            }
        }
        this
    }

    /// Parse lines, the first of which is at `offset` in the file.
    fn parse(&mut self, lines: &[u8], mut offset: u64, level: Level) {
        let mut start = 0;
        while start < lines.len() {
            let end = memchr(b'\n', &lines[start..]).map_or(lines.len(), |length| start + length + 1);
            if let Err(text) = self.push(&lines[start..end], offset, level) {
                self.problem = Some(Problem { offset, is_read: true, text });
                return;
            }
            offset += (end - start) as u64;
            start = end;
        }
    }

    fn push(&mut self, line: &[u8], offset: u64, level: Level) -> std::result::Result<(), String> {
        if line.trim_ascii().is_empty() {
            return Ok(());
        }
        let before = self.rows.values.len();
        let id = if let Some(id) = usual_line::line(line, &mut self.rows.values, level) {
            id
        } else {
            self.rows.values.truncate(before);
            any_line::line(line, &mut self.rows.values)?
        };
        let width = self.rows.values.len() - before;
        let (first, _) = *self.first.get_or_insert((width, offset));
        if width != first {
            self.rows.values.truncate(before);
            return Err(unequal(width, first));
        }
        self.rows.ids.push(id);
        Ok(())
    }

    /// Compare the width of the first row with that of the file.
    fn check_width(&mut self, width: &mut Option<usize>) {
        if let Some((own, offset)) = self.first {
            let expected = *width.get_or_insert(own);
            if own != expected {
                self.problem = Some(Problem { offset, is_read: true, text: unequal(own, expected) });
            }
        }
    }
}

fn unequal(width: usize, expected: usize) -> String {
    format!("feature has {width} numbers, the first line has {expected}")
}

/// Read the lines that start in the block at `start`; where they are in `bytes`. Of all blocks but the first, the byte
/// before is read too, which tells whether a line starts with the block.
fn lines(source: &(impl Source + ?Sized), start: u64, bytes: &mut Vec<u8>) -> io::Result<Range<usize>> {
    let from = start.saturating_sub(1);
    let mut end = source.size().min(start + BLOCK);
    bytes.resize((end - from) as usize, 0);
    source.read_at(from, bytes)?;
    let head = if start == 0 {
        0
    } else {
        match memchr(b'\n', bytes) {
            Some(place) if from + place as u64 + 1 < end => place + 1,
            _ => return Ok(0..0),
        }
    };
    // The last line goes on in the next blocks.
    while bytes.last() != Some(&b'\n') && end < source.size() {
        let next = source.size().min(end + (BLOCK / 16).max(end - from));
        let known = bytes.len();
        bytes.resize(known + (next - end) as usize, 0);
        source.read_at(end, &mut bytes[known..])?;
        end = next;
        if let Some(place) = memchr(b'\n', &bytes[known..]) {
            bytes.truncate(known + place + 1);
        }
    }
    Ok(head..bytes.len())
}

#[cfg(test)]
mod tests;
