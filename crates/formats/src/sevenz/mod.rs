//! A bounded reader of 7z archives, after 7-Zip's own `7zFormat.txt`.
//!
//! Files lie behind each other in *folders*, each of which is one stream that went through a chain of coders. What only
//! some writers use (BCJ2 with its four streams, PPMd, encryption) is told and not read.

mod coder;
mod header;

use std::io::{self, Read};
use std::ops::Range;

use sealyard_core::ReadAt;

pub use coder::Method;
use header::Header;

/// How much of an archive is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SevenZipLimits {
    /// Bytes of the directory, packed and unpacked.
    pub directory: u64,
    /// Files, folders and streams, each.
    pub items: u64,
}

impl Default for SevenZipLimits {
    fn default() -> Self {
        Self { directory: 64 << 20, items: 100_000 }
    }
}

/// A file that is no 7z archive, or one that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SevenZipError {
    /// It does not begin as one.
    #[error("this is not a 7z archive")]
    NoHeader,
    /// The directory can't be read.
    #[error("the archive's directory is broken: {0}")]
    Directory(&'static str),
    /// A bound was met.
    #[error("the archive is over the bound on {0}")]
    Bound(&'static str),
    /// It is encrypted.
    #[error("it is encrypted")]
    Encrypted,
    /// A coder that is not read.
    #[error("it is compressed by {0:x}, which is not read")]
    Method(u64),
    /// Bytes below could not be read.
    #[error("the file could not be read")]
    Read(#[from] io::Error),
}

/// A file in the archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    /// Its path.
    pub name: String,
    /// Bytes that it expands to.
    pub size: u64,
    /// CRC-32 of these bytes, if the archive has one.
    pub crc32: Option<u32>,
    /// The folder it lies in; none for what has no bytes. Files of one folder follow each other in its stream.
    pub folder: Option<usize>,
    /// Whether it is a directory.
    pub is_directory: bool,
}

impl File {
    /// Whether these are the bytes that the archive describes.
    #[must_use]
    pub fn matches(&self, bytes: &[u8]) -> bool {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        bytes.len() as u64 == self.size && self.crc32.is_none_or(|crc32| crc32 == crc.sum())
    }
}

/// An opened archive.
pub struct SevenZip<'s> {
    source: &'s dyn ReadAt,
    header: Header,
    /// Bytes behind the directory.
    tail: u64,
}

impl std::fmt::Debug for SevenZip<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SevenZip").field("files", &self.header.files).finish_non_exhaustive()
    }
}

const MAGIC: &[u8] = b"7z\xbc\xaf\x27\x1c";
const START: u64 = 32;
/// Directories that are packed, and packed again.
const MAX_PACKED: usize = 4;

impl<'s> SevenZip<'s> {
    /// Reads the directory.
    ///
    /// # Errors
    /// [`SevenZipError`] when there is none or a bound is met.
    pub fn open(source: &'s dyn ReadAt, limits: &SevenZipLimits) -> Result<Self, SevenZipError> {
        let mut start = [0; START as usize];
        source.read_exact_at(0, &mut start).map_err(|_| SevenZipError::NoHeader)?;
        if !start.starts_with(MAGIC) {
            return Err(SevenZipError::NoHeader);
        }
        let number = |place: usize| {
            let bytes = start.get(place..place + 8).and_then(|bytes| bytes.first_chunk::<8>());
            bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
        };
        let (offset, size) = (number(12), number(20));
        let end = offset.checked_add(START).and_then(|start| start.checked_add(size));
        let end = end.filter(|end| *end <= source.size()).ok_or(SevenZipError::Directory("it is cut off"))?;
        if size > limits.directory {
            return Err(SevenZipError::Bound("the size of the directory"));
        }
        let tail = source.size() - end;
        let mut bytes = vec![0; usize::try_from(size).unwrap_or_default()];
        source.read_exact_at(START + offset, &mut bytes)?;
        for _ in 0..MAX_PACKED {
            if bytes.is_empty() {
                return Ok(Self { source, header: Header::default(), tail });
            }
            let header = Header::parse(&bytes, limits)?;
            if !header.is_packed {
                return Ok(Self { source, header, tail });
            }
            let packed = SevenZip { source, header, tail };
            let length = packed.header.folders.first().map_or(0, header::Folder::size);
            if length > limits.directory {
                return Err(SevenZipError::Bound("the size of the directory"));
            }
            bytes = Vec::new();
            packed.folder(0)?.take(length).read_to_end(&mut bytes)?;
        }
        Err(SevenZipError::Bound("the depth of the directory"))
    }

    /// The files, in the order of the archive.
    #[must_use]
    pub fn files(&self) -> &[File] {
        &self.header.files
    }

    /// How many folders there are.
    #[must_use]
    pub fn folders(&self) -> usize {
        self.header.folders.len()
    }

    /// Where in the file the bytes of files lie as they are: the streams of folders that are only copied.
    #[must_use]
    pub fn copied(&self) -> Vec<Range<u64>> {
        self.header.folders.iter().filter_map(|folder| coder::copied(self.source, &self.header, folder)).collect()
    }

    /// Bytes behind the archive.
    #[must_use]
    pub fn tail(&self) -> u64 {
        self.tail
    }

    /// The stream of a folder's files, one behind the other.
    ///
    /// # Errors
    /// [`SevenZipError`] when a coder is not read, or claims too much memory.
    pub fn folder(&self, index: usize) -> Result<Box<dyn Read + '_>, SevenZipError> {
        let folder = self.header.folders.get(index).ok_or(SevenZipError::Directory("there is no such folder"))?;
        coder::chain(self.source, &self.header, folder)
    }
}

#[cfg(test)]
mod tests;
