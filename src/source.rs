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
    /// Open a file.
    pub fn open(py: Python<'_>, path: &Path) -> PyResult<Self> {
        let open = || {
            let file = File::open(path)?;
            Ok(Self { size: file.metadata()?.len(), file, path: path.to_owned() })
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
