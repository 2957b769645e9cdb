//! Feature files: on each line a JSON object with an id and a list of numbers.
//!
//! Blocks of the file are read and parsed on all threads. `usual_line` parses lines of the usual form, `any_line` all
//! others with `serde_json`, which also reports what is wrong with them.

mod any_line;
mod ids;
mod usual_line;
mod write;

use std::mem;
use std::ops::Range;

use memchr::memchr;

use self::ids::Id;
use crate::error::{Error, Result};
use crate::io::source::Source;
use crate::memory;
use crate::parallel::{Plan, split_by_lengths};
use crate::simd::Level;

pub use ids::{ID_FIELDS, Ids};
pub use write::lines as write;

/// Bytes of the file that are read at a time: they stay in the second-level cache while they are parsed.
const BLOCK: u64 = 1 << 19;

/// Ids and features, row by row.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Features {
    /// Name of the field of the id, one of [`ID_FIELDS`], the same in all lines.
    pub field: &'static str,
    /// Id of each row.
    pub ids: Ids,
    /// The numbers of all rows, one row after the other.
    pub values: Vec<f32>,
}

impl Features {
    /// Number of numbers in each row.
    pub fn width(&self) -> usize {
        self.values.len().checked_div(self.ids.len()).unwrap_or(0)
    }
}

/// Read features: `{"image_id": 7, "feature": [0.25, …]}` on each line; the id may have another name of [`ID_FIELDS`], and
/// be a string. Each number is rounded to the nearest double and that to the nearest float. Blank lines and other fields
/// are skipped.
///
/// # Errors
/// [`Error::Line`] for the first malformed line, or one with another number of features, name or type of the id than the
/// first; [`Error::Empty`] for a file without rows; [`Error::Io`]; [`Error::Memory`]; [`Error::Cancelled`].
pub fn read(source: &(impl Source + ?Sized), level: Level, plan: &Plan) -> Result<Features> {
    let blocks = source.size().div_ceil(BLOCK) as usize;
    let mut blocks =
        plan.map(blocks, 1, Buffers::default, |buffers, block| Block::read(source, block.start, buffers, level))?;
    let mut form = None;
    for block in &mut blocks {
        block.check_form(&mut form);
        if let Some(problem) = block.problem.take() {
            return Err(problem.locate(source));
        }
    }
    let Some(Form { width, field, .. }) = form else {
        return Err(Error::Empty("the file"));
    };
    let rows: usize = blocks.iter().map(|block| block.rows.ids.len()).sum();
    let ids = Ids::concat(blocks.iter_mut().map(|block| &mut block.rows.ids), rows)?;
    let mut all = Features { field, ids, values: memory::zeroed(rows * width)? };
    let parts = split_by_lengths(&mut all.values, blocks.iter().map(|block| block.rows.values.len()));
    let mut parts: Vec<_> = parts.into_iter().zip(&blocks).collect();
    plan.each(
        &mut parts,
        || (),
        |(), _, (part, block)| {
            part.copy_from_slice(&block.rows.values);
            Ok(())
        },
    )?;
    Ok(all)
}

/// What is wrong with a line, and where it starts in the file.
#[derive(Debug)]
struct Problem {
    offset: u64,
    text: String,
}

impl Problem {
    /// Return the error, with the number of the line.
    fn locate(self, source: &(impl Source + ?Sized)) -> Error {
        let mut number = 1;
        let mut bytes = [0; 1 << 13];
        let mut start = 0;
        while start < self.offset {
            let part = &mut bytes[..(1 << 13).min(self.offset - start) as usize];
            if let Err(error) = source.read_at(start, part) {
                return error.into();
            }
            number += part.split(|&byte| byte == b'\n').count() - 1;
            start += part.len() as u64;
        }
        Error::Line { number, problem: self.text }
    }
}

/// What all lines of a file have in common.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Form {
    /// Number of numbers.
    width: usize,
    /// Name of the id.
    field: &'static str,
    /// Whether the id is a string.
    is_text: bool,
}

impl Form {
    /// Return how a line differs from the first line.
    fn difference(self, first: Self) -> String {
        if self.field != first.field {
            return format!("has {}, the first line has {}", self.field, first.field);
        }
        if self.is_text != first.is_text {
            let name = |is_text| if is_text { "a string" } else { "an integer" };
            return format!("{} is {}, in the first line {}", self.field, name(self.is_text), name(first.is_text));
        }
        format!("feature has {} numbers, the first line has {}", self.width, first.width)
    }
}

/// Memory that a thread uses for all its blocks, so that the kernel need not clear it for each.
#[derive(Debug, Default)]
struct Buffers {
    /// Lines of the file.
    bytes: Vec<u8>,
    /// Their numbers. Lines need room for more numbers than they have (see [`Block::parse`]).
    values: Vec<f32>,
}

/// The lines that start in one block of the file.
#[derive(Debug, Default)]
struct Block {
    rows: Features,
    /// Form of the first row, and its offset in the file.
    first: Option<(Form, u64)>,
    problem: Option<Problem>,
}

impl Block {
    fn read(source: &(impl Source + ?Sized), block: usize, buffers: &mut Buffers, level: Level) -> Result<Self> {
        let Buffers { bytes, values } = buffers;
        let mut this = Self::default();
        let start = block as u64 * BLOCK;
        let lines = lines(source, start, bytes)?;
        let offset = start + lines.start as u64 - u64::from(block > 0);
        this.rows.values = mem::take(values);
        this.rows.values.clear();
        this.parse(&bytes[lines], offset, level)?;
        let parsed = memory::collect(this.rows.values.iter().copied(), this.rows.values.len())?;
        *values = mem::replace(&mut this.rows.values, parsed);
        Ok(this)
    }

    /// Parse lines, the first of which is at `offset` in the file, until one is malformed.
    fn parse(&mut self, lines: &[u8], mut offset: u64, level: Level) -> Result<()> {
        let mut start = 0;
        while start < lines.len() {
            let end = memchr(b'\n', &lines[start..]).map_or(lines.len(), |length| start + length + 1);
            let line = &lines[start..end];
            // Room for a digit and a comma each, so that parsers never have to grow it.
            memory::reserve(&mut self.rows.values, line.len() / 2 + 1)?;
            match self.push(line, offset, level) {
                Ok(Some(id)) => self.rows.ids.push(id)?,
                Ok(None) => {}
                Err(text) => {
                    self.problem = Some(Problem { offset, text });
                    return Ok(());
                }
            }
            offset += line.len() as u64;
            start = end;
        }
        Ok(())
    }

    /// Append the numbers of a line and return its id, None for a blank line, or a description of the error.
    fn push<'a>(&mut self, line: &'a [u8], offset: u64, level: Level) -> std::result::Result<Option<Id<'a>>, String> {
        if usual_line::skip_space(line).is_empty() {
            return Ok(None);
        }
        let before = self.rows.values.len();
        let (field, id) = if let Some(id) = usual_line::line(line, &mut self.rows.values, level) {
            id
        } else {
            self.rows.values.truncate(before);
            any_line::line(line, &mut self.rows.values)?
        };
        let width = self.rows.values.len() - before;
        let form = Form { width, field, is_text: matches!(id, Id::Text(_)) };
        let (first, _) = *self.first.get_or_insert((form, offset));
        if form != first {
            self.rows.values.truncate(before);
            return Err(form.difference(first));
        }
        Ok(Some(id))
    }

    /// Compare the form of the first row with that of the file.
    fn check_form(&mut self, form: &mut Option<Form>) {
        if let Some((found, offset)) = self.first {
            let expected = *form.get_or_insert(found);
            if found != expected {
                self.problem = Some(Problem { offset, text: found.difference(expected) });
            }
        }
    }
}

/// Read the lines that start in the block at `start`, and return their range in `bytes`. For all blocks but the first, the
/// byte before the block is read too: if it is a line end, a line starts with the block.
fn lines(source: &(impl Source + ?Sized), start: u64, bytes: &mut Vec<u8>) -> Result<Range<usize>> {
    let from = start.saturating_sub(1);
    let mut end = source.size().min(start + BLOCK);
    memory::resize(bytes, (end - from) as usize)?;
    source.read_at(from, bytes)?;
    let head = if start == 0 {
        0
    } else {
        match memchr(b'\n', bytes) {
            Some(index) if from + index as u64 + 1 < end => index + 1,
            _ => return Ok(0..0),
        }
    };
    // The last line may continue in the next blocks.
    while bytes.last() != Some(&b'\n') && end < source.size() {
        let next = source.size().min(end + (BLOCK / 16).max(end - from));
        let len = bytes.len();
        memory::resize(bytes, len + (next - end) as usize)?;
        source.read_at(end, &mut bytes[len..])?;
        end = next;
        if let Some(index) = memchr(b'\n', &bytes[len..]) {
            bytes.truncate(len + index + 1);
        }
    }
    Ok(head..bytes.len())
}

#[cfg(test)]
mod tests;
