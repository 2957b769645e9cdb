//! Names and operands of a pickle's instructions: numbers, texts, memo indices.

use std::borrow::Cow;

use super::pickle::{Step, Value};

/// Bytes that are read from start to end. Lengths in the file are checked against what is left of it.
#[derive(Debug, Default)]
pub struct Reader<'b> {
    pub bytes: &'b [u8],
    pub offset: usize,
}

impl<'b> Reader<'b> {
    fn take(&mut self, len: usize) -> Step<&'b [u8]> {
        let end = self.offset.checked_add(len);
        let taken = end.and_then(|end| self.bytes.get(self.offset..end)).ok_or("the file ends too early")?;
        self.offset += len;
        Ok(taken)
    }

    /// Read `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| "the file ends too early".to_owned())
    }

    /// Read the bytes up to the end of the line.
    pub fn line(&mut self) -> Step<&'b [u8]> {
        let rest = self.bytes.get(self.offset..).unwrap_or_default();
        let len = rest.iter().position(|&byte| byte == b'\n').ok_or("the file ends within a line")?;
        let line = self.take(len)?;
        self.offset += 1;
        Ok(line)
    }

    /// Read a length of `width` bytes, at most 8, and as many bytes as it says.
    pub fn sized(&mut self, width: usize) -> Step<&'b [u8]> {
        let len = self.take(width)?.iter().rev().fold(0u64, |len, &byte| (len << 8) | u64::from(byte));
        self.take(usize::try_from(len).map_err(|_| "the file ends too early")?)
    }

    /// Skip a frame's header. Frames say how much to buffer, and the whole file is in memory.
    pub fn frame(&mut self) -> Step<()> {
        let len = u64::from_le_bytes(self.array()?);
        let left = self.bytes.len() - self.offset.min(self.bytes.len());
        if len > left as u64 { Err("the file ends within a frame".to_owned()) } else { Ok(()) }
    }

    /// Read the index of a memo entry.
    pub fn memo_index(&mut self, opcode: u8) -> Step<usize> {
        match opcode {
            b'p' | b'g' => {
                let line = std::str::from_utf8(self.line()?).ok().filter(|line| !line.starts_with('+'));
                line.and_then(|line| line.parse().ok())
                    .ok_or_else(|| "memo index that is not a whole number".to_owned())
            }
            b'q' | b'h' => Ok(u8::from_le_bytes(self.array()?).into()),
            _ => Ok(u32::from_le_bytes(self.array()?) as usize),
        }
    }

    /// Read a number.
    pub fn number(&mut self, opcode: u8) -> Step<Value> {
        Ok(Value::Number(match opcode {
            b'J' => i32::from_le_bytes(self.array()?).into(),
            b'K' => u8::from_le_bytes(self.array()?).into(),
            b'M' => u16::from_le_bytes(self.array()?).into(),
            b'G' => f64::from_be_bytes(self.array()?),
            0x8a => integer(self.sized(1)?),
            0x8b => integer(self.sized(4)?),
            b'F' => decimal(self.line()?)?,
            _ => match self.line()? {
                b"00" | b"01" if opcode == b'I' => return Ok(Value::Nothing),
                line => {
                    let line = if opcode == b'L' { line.strip_suffix(b"L").unwrap_or(line) } else { line };
                    let digits = line.strip_prefix(b"-").unwrap_or(line);
                    if !digits.iter().all(u8::is_ascii_digit) {
                        return Err("integer with characters other than digits".to_owned());
                    }
                    decimal(line)?
                }
            },
        }))
    }
}

/// Decode an integer in two's complement, little-endian, with the precision of a float. Integers beyond the largest float
/// become infinite, which is not a valid count.
fn integer(bytes: &[u8]) -> f64 {
    let sign = if bytes.last().is_some_and(|&byte| byte > 0x7f) { -1.0 } else { 0.0 };
    bytes.iter().rev().fold(sign, |number, &byte| number * 256.0 + f64::from(byte))
}

fn decimal(line: &[u8]) -> Step<f64> {
    let number = std::str::from_utf8(line).ok().and_then(|line| line.parse().ok());
    number.ok_or_else(|| "invalid number".to_owned())
}

/// Decode a byte string in quotes, as Python 2 writes it.
pub fn unescape_bytes(line: &[u8], out: &mut Vec<u8>) -> Step<()> {
    let ([b'\'', inner @ .., b'\''] | [b'"', inner @ .., b'"']) = line else {
        return Err("string without quotes".to_owned());
    };
    let mut rest = inner;
    while let Some((&byte, after)) = rest.split_first() {
        let (decoded, after) = match (byte, after) {
            (b'\\', [b'x', digits @ ..]) => {
                let (code, after) = hexadecimal(digits, 2)?;
                (code as u8, after)
            }
            (b'\\', [b'n', after @ ..]) => (b'\n', after),
            (b'\\', [b'r', after @ ..]) => (b'\r', after),
            (b'\\', [b't', after @ ..]) => (b'\t', after),
            (b'\\', [quoted @ (b'\\' | b'\'' | b'"'), after @ ..]) => (*quoted, after),
            // Python 2 writes no others.
            (b'\\', _) => return Err("string with an unknown escape".to_owned()),
            _ => (byte, after),
        };
        out.push(decoded);
        rest = after;
    }
    Ok(())
}

/// Decode Latin-1 text with `\uXXXX` and `\UXXXXXXXX` for other characters.
pub fn unescape_text(line: &[u8], out: &mut Vec<u8>) -> Step<()> {
    let mut rest = line;
    while let Some((&byte, after)) = rest.split_first() {
        let (code, after) = match (byte, after) {
            (b'\\', [b'u', digits @ ..]) => hexadecimal(digits, 4)?,
            (b'\\', [b'U', digits @ ..]) => hexadecimal(digits, 8)?,
            (b'\\', [other, after @ ..]) => {
                out.push(b'\\');
                (u32::from(*other), after)
            }
            _ => (u32::from(byte), after),
        };
        let decoded = char::from_u32(code).ok_or("text with a lone surrogate")?;
        out.extend_from_slice(decoded.encode_utf8(&mut [0; 4]).as_bytes());
        rest = after;
    }
    Ok(())
}

fn hexadecimal(bytes: &[u8], len: usize) -> Step<(u32, &[u8])> {
    let (digits, after) = bytes.split_at_checked(len).ok_or("escape that ends too early")?;
    let code = digits.iter().try_fold(0, |code, &digit| Some(code << 4 | char::from(digit).to_digit(16)?));
    Ok((code.ok_or("escape with characters other than hexadecimal digits")?, after))
}

/// Return the name of an instruction that is always rejected, or the byte of any other.
pub fn name(opcode: u8) -> Cow<'static, str> {
    Cow::Borrowed(match opcode {
        b'P' => "PERSID",
        b'Q' => "BINPERSID",
        b'R' => "REDUCE",
        b'a' => "APPEND",
        b'b' => "BUILD",
        b'e' => "APPENDS",
        b'i' => "INST",
        b'l' => "LIST",
        b'o' => "OBJ",
        b']' => "EMPTY_LIST",
        b'B' => "BINBYTES",
        b'C' => "SHORT_BINBYTES",
        0x81 => "NEWOBJ",
        0x82..=0x84 => "EXT",
        0x8e => "BINBYTES8",
        0x8f => "EMPTY_SET",
        0x90 => "ADDITEMS",
        0x91 => "FROZENSET",
        0x92 => "NEWOBJ_EX",
        0x96 => "BYTEARRAY8",
        0x97 => "NEXT_BUFFER",
        0x98 => "READONLY_BUFFER",
        _ => return Cow::Owned(format!("0x{opcode:02x}")),
    })
}
