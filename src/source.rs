//! Files as the core reads them.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use muge_fast_core::Error;
use muge_fast_core::io::source::Source;
use pyo3::prelude::*;

use crate::border::{exception, with_filename};

/// A file that is read at any offset.
pub struct OpenFile {
    file: File,
    path: PathBuf,
    /// Size when it was opened. What is appended later is not read; a file that shrinks is an error.
    size: u64,
}

impl OpenFile {
    /// Open a regular file. What was opened decides: a path can become that of a pipe after a caller has looked at it.
    pub fn open(py: Python<'_>, path: &Path) -> PyResult<Self> {
        let open = || {
            let file = open_at_once(path)?;
            let metadata = file.metadata()?;
            // Reading a directory raises the right error.
            if !metadata.is_file() && !metadata.is_dir() {
                return Err(io::Error::other(format!("{}: not a regular file", path.display())));
            }
            Ok(Self { size: metadata.len(), file, path: path.to_owned() })
        };
        with_filename(py, path, open().map_err(|error: io::Error| exception(&Error::from(error))))
    }

    /// Name the file in the error for a file that ends early: it has no number, so Python would not show the name.
    fn name(&self, error: io::Error) -> io::Error {
        if error.kind() != io::ErrorKind::UnexpectedEof {
            return error;
        }
        io::Error::other(format!("{} was changed: it ends early", self.path.display()))
    }
}

/// Open a file without waiting for the writer of a pipe.
#[cfg(unix)]
fn open_at_once(path: &Path) -> io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt;

    File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY).open(path)
}

#[cfg(windows)]
fn open_at_once(path: &Path) -> io::Result<File> {
    File::open(path)
}

impl Source for OpenFile {
    fn size(&self) -> u64 {
        self.size
    }

    #[cfg(unix)]
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, buffer, offset).map_err(|error| self.name(error))
    }

    #[cfg(windows)]
    fn read_at(&self, mut offset: u64, mut buffer: &mut [u8]) -> io::Result<()> {
        while !buffer.is_empty() {
            let count = std::os::windows::fs::FileExt::seek_read(&self.file, buffer, offset)?;
            if count == 0 {
                return Err(self.name(io::ErrorKind::UnexpectedEof.into()));
            }
            buffer = &mut buffer[count..];
            offset += count as u64;
        }
        Ok(())
    }
}
