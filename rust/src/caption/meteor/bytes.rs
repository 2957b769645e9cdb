//! Numbers and lists of strings in the tables that METEOR's data is stored in, little-endian.

use crate::error::{Error, Result};

/// Part of a table that has not been read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rest<'a>(pub &'a [u8]);

impl<'a> Rest<'a> {
    /// Take the next `length` bytes.
    pub fn bytes(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or_else(damaged)?;
        self.0 = rest;
        Ok(taken)
    }

    pub fn number(&mut self) -> Result<u32> {
        let (taken, rest) = self.0.split_first_chunk().ok_or_else(damaged)?;
        self.0 = rest;
        Ok(u32::from_le_bytes(*taken))
    }

    /// Take `count` numbers of 16 bits.
    pub fn shorts(&mut self, count: usize) -> Result<Vec<u16>> {
        let bytes = self.bytes(count.checked_mul(2).ok_or_else(damaged)?)?;
        Ok(bytes.as_chunks().0.iter().map(|&chunk| u16::from_le_bytes(chunk)).collect())
    }

    /// Take `count` numbers of 32 bits.
    pub fn numbers(&mut self, count: usize) -> Result<Vec<u32>> {
        let bytes = self.bytes(count.checked_mul(4).ok_or_else(damaged)?)?;
        Ok(bytes.as_chunks().0.iter().map(|&chunk| u32::from_le_bytes(chunk)).collect())
    }

    /// Take `count` numbers of 64 bits.
    pub fn longs(&mut self, count: usize) -> Result<Vec<u64>> {
        let bytes = self.bytes(count.checked_mul(8).ok_or_else(damaged)?)?;
        Ok(bytes.as_chunks().0.iter().map(|&chunk| u64::from_le_bytes(chunk)).collect())
    }

    /// Take the `count + 1` bounds of as many parts of something with `length` elements.
    pub fn bounds(&mut self, count: usize, length: impl FnOnce(usize) -> usize) -> Result<Vec<u32>> {
        let bounds = self.numbers(count.checked_add(1).ok_or_else(damaged)?)?;
        let last = bounds.last().map_or(0, |&last| last as usize);
        if bounds.is_sorted() && last == length(last) { Ok(bounds) } else { Err(damaged()) }
    }

    pub fn text(&mut self) -> Result<&'a str> {
        let length = self.number()? as usize;
        str::from_utf8(self.bytes(length)?).map_err(|_| damaged())
    }
}

pub(super) fn put_number(table: &mut Vec<u8>, number: usize) {
    table.extend((number as u32).to_le_bytes());
}

pub(super) fn put_text(table: &mut Vec<u8>, text: &str) {
    put_number(table, text.len());
    table.extend(text.as_bytes());
}

/// Different strings in alphabetic order, each known by its index.
#[derive(Debug, Default)]
pub(super) struct Strings {
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl Strings {
    pub fn read(rest: &mut Rest<'_>) -> Result<Self> {
        let count = rest.number()? as usize;
        let length = rest.number()? as usize;
        let ends = rest.bounds(count, |_| length)?;
        Ok(Self { ends, bytes: rest.bytes(length)?.to_vec() })
    }

    pub fn write<'a>(table: &mut Vec<u8>, sorted: impl Iterator<Item = &'a str> + Clone) {
        put_number(table, sorted.clone().count());
        put_number(table, sorted.clone().map(str::len).sum());
        put_number(table, 0);
        let mut end = 0;
        for string in sorted.clone() {
            end += string.len();
            put_number(table, end);
        }
        sorted.for_each(|string| table.extend(string.as_bytes()));
    }

    pub fn len(&self) -> usize {
        self.ends.len().saturating_sub(1)
    }

    fn get(&self, index: usize) -> &[u8] {
        self.bytes.get(self.ends[index] as usize..self.ends[index + 1] as usize).unwrap_or_default()
    }

    pub fn find(&self, string: &str) -> Option<usize> {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = usize::midpoint(low, high);
            match self.get(middle).cmp(string.as_bytes()) {
                std::cmp::Ordering::Equal => return Some(middle),
                std::cmp::Ordering::Less => low = middle + 1,
                std::cmp::Ordering::Greater => high = middle,
            }
        }
        None
    }
}

/// Return a hash that tells a damaged table from a good one.
pub(super) fn checksum(bytes: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let (chunks, rest) = bytes.as_chunks();
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    let numbers = chunks.iter().chain([&last]).map(|&chunk| u64::from_le_bytes(chunk));
    numbers.fold(bytes.len() as u64, |hash, number| (hash ^ number).wrapping_mul(MULTIPLIER).rotate_left(29))
}

pub(super) fn damaged() -> Error {
    Error::Io { code: None, message: "the tables of METEOR are damaged".to_owned() }
}
