//! Where bytes come from: the core reads no files itself.

use std::io;

/// Something that bytes can be read from at any place, by several threads.
pub trait Source: Sync {
    /// Number of bytes.
    fn size(&self) -> u64;

    /// Fill `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// Whatever reading may fail with, and an unexpected end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}
