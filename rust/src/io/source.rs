//! Sources of bytes: the caller opens files, the core reads from them.

use std::io;

/// A source from which several threads can read at any offset.
pub trait Source: Sync {
    /// Number of bytes.
    fn size(&self) -> u64;

    /// Fill `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// Reading fails, or the source ends before the buffer is full.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

/// Bytes in memory.
impl Source for [u8] {
    fn size(&self) -> u64 {
        self.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let start = usize::try_from(offset).map_err(io::Error::other)?;
        let bytes = self.get(start..).and_then(|rest| rest.get(..buffer.len()));
        buffer.copy_from_slice(bytes.ok_or(io::ErrorKind::UnexpectedEof)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_read_at_any_offset_up_to_their_end() {
        let (bytes, mut buffer) = (b"abcdef".as_slice(), [0; 3]);
        assert_eq!(bytes.size(), 6);
        bytes.read_at(3, &mut buffer).expect("within");
        assert_eq!(&buffer, b"def");
        for offset in [4, 7, u64::MAX] {
            assert!(bytes.read_at(offset, &mut buffer).is_err());
        }
    }
}
