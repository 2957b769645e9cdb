//! String constants of a Java class file.
//!
//! The format is that of chapter 4 of the Java Virtual Machine Specification. Every length is checked, so any bytes are
//! read or are an error.

use super::invalid;
use crate::error::Result;

const MAGIC: u32 = 0xcafe_babe;

/// An entry of the constant pool, as far as it matters here.
#[derive(Clone)]
enum Constant<'c> {
    /// Text in the encoding of class files.
    Text(&'c [u8]),
    /// A string, by the index of its text.
    String(usize),
    Other,
}

/// The constants of type `String` that static fields of the class have.
pub(super) struct StringFields<'c> {
    pool: Vec<Constant<'c>>,
    /// The name of each field, and the index of its string.
    fields: Vec<(&'c [u8], usize)>,
}

impl<'c> StringFields<'c> {
    pub(super) fn read(class: &'c [u8]) -> Result<Self> {
        let mut input = Input(class);
        if input.u32()? != MAGIC {
            return Err(invalid("is not a class file"));
        }
        input.take(4)?;
        let pool = read_pool(&mut input)?;
        input.take(6)?;
        let interfaces = usize::from(input.u16()?);
        input.take(2 * interfaces)?;
        let mut this = Self { pool, fields: Vec::new() };
        for _ in 0..input.u16()? {
            this.read_field(&mut input)?;
        }
        Ok(this)
    }

    /// Return the UTF-16 units of the string that the field has.
    pub(super) fn units(&self, field: &str) -> Option<Result<Vec<u16>>> {
        let &(_, index) = self.fields.iter().find(|(name, _)| *name == field.as_bytes())?;
        let text = match self.pool.get(index) {
            Some(&Constant::String(text)) => self.text(text),
            _ => Err(invalid("has a field without its string")),
        };
        Some(text.and_then(decode))
    }

    fn read_field(&mut self, input: &mut Input<'c>) -> Result<()> {
        input.take(2)?;
        let name = self.text(usize::from(input.u16()?))?;
        input.take(2)?;
        for _ in 0..input.u16()? {
            let attribute = self.text(usize::from(input.u16()?))?;
            let length = input.u32()? as usize;
            let mut content = Input(input.take(length)?);
            if attribute == b"ConstantValue" {
                let index = usize::from(content.u16()?);
                if matches!(self.pool.get(index), Some(Constant::String(_))) {
                    self.fields.push((name, index));
                }
            }
        }
        Ok(())
    }

    fn text(&self, index: usize) -> Result<&'c [u8]> {
        match self.pool.get(index) {
            Some(Constant::Text(text)) => Ok(text),
            _ => Err(invalid("has a name without its text")),
        }
    }
}

fn read_pool<'c>(input: &mut Input<'c>) -> Result<Vec<Constant<'c>>> {
    let count = usize::from(input.u16()?);
    // Index 0 is not used.
    let mut pool = vec![Constant::Other];
    while pool.len() < count {
        let tag = input.take(1)?[0];
        let constant = match tag {
            1 => {
                let length = usize::from(input.u16()?);
                Constant::Text(input.take(length)?)
            }
            8 => Constant::String(usize::from(input.u16()?)),
            3 | 4 | 9..=12 | 17 | 18 => input.skip(4)?,
            5 | 6 => input.skip(8)?,
            7 | 16 | 19 | 20 => input.skip(2)?,
            15 => input.skip(3)?,
            _ => return Err(invalid("has an unknown constant")),
        };
        pool.push(constant);
        // Numbers of eight bytes take two indices.
        if matches!(tag, 5 | 6) {
            pool.push(Constant::Other);
        }
    }
    Ok(pool)
}

/// Decode text of a class file, which encodes each UTF-16 unit by itself, in one to three bytes.
fn decode(text: &[u8]) -> Result<Vec<u16>> {
    let mut units = Vec::with_capacity(text.len());
    let mut input = Input(text);
    while !input.0.is_empty() {
        let first = u16::from(input.take(1)?[0]);
        let mut next = || input.take(1).map(|byte| u16::from(byte[0] & 0x3f));
        units.push(match first >> 4 {
            0..=7 => first,
            12 | 13 => (first & 0x1f) << 6 | next()?,
            14 => (first & 0x0f) << 12 | next()? << 6 | next()?,
            _ => return Err(invalid("has a string that is not in the encoding of class files")),
        });
    }
    Ok(units)
}

/// Bytes that are not read yet.
struct Input<'c>(&'c [u8]);

impl<'c> Input<'c> {
    fn take(&mut self, length: usize) -> Result<&'c [u8]> {
        let (bytes, rest) = self.0.split_at_checked(length).ok_or_else(|| invalid("ends early"))?;
        self.0 = rest;
        Ok(bytes)
    }

    fn skip(&mut self, length: usize) -> Result<Constant<'c>> {
        self.take(length).map(|_| Constant::Other)
    }

    fn u16(&mut self) -> Result<u16> {
        self.take(2).map(|bytes| u16::from_be_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from(self.u16()?) << 16 | u32::from(self.u16()?))
    }
}
