//! The bytes of a member.

use std::io::{self, Read};

use sealyard_core::ReadAt;

use super::{Archive, Member, ZipError};
use crate::decompress::{ExpandEnd, drain};

const ENCRYPTED: u16 = 1;

/// What a member expands to.
#[derive(Debug)]
pub struct Content {
    /// The bytes, up to the first error.
    pub bytes: Vec<u8>,
    /// How the expansion ended.
    pub end: ExpandEnd,
    /// Whether they have the CRC-32 and size that the member claims.
    pub matches: bool,
}

impl Content {
    /// The bytes, if nothing at all is wrong with them.
    #[must_use]
    pub fn intact(self) -> Option<Vec<u8>> {
        (self.matches && self.end == ExpandEnd::Complete).then_some(self.bytes)
    }
}

impl Archive<'_> {
    /// Expands a member, at most to `limit` bytes.
    ///
    /// # Errors
    /// [`ZipError`] when the method is unknown, when it is encrypted, or when its bytes are not in the file. A broken
    /// stream or a wrong CRC is no error: [`Content`] says so.
    pub fn read(&self, member: &Member, limit: u64) -> Result<Content, ZipError> {
        let expanded = drain(&mut *self.reader(member)?, limit);
        let mut crc = flate2::Crc::new();
        crc.update(&expanded.bytes);
        let matches = crc.sum() == member.crc32 && expanded.bytes.len() as u64 == member.size;
        Ok(Content { bytes: expanded.bytes, end: expanded.end, matches })
    }

    /// At most the first `count` bytes of a member.
    ///
    /// # Errors
    /// As [`Archive::read`], and when the stream is broken before that.
    pub fn head(&self, member: &Member, count: u16) -> Result<Vec<u8>, ZipError> {
        let mut head = Vec::new();
        self.reader(member)?.take(u64::from(count)).read_to_end(&mut head)?;
        Ok(head)
    }

    /// A stream over a member's expanded bytes; neither size nor CRC is checked.
    ///
    /// # Errors
    /// As [`Archive::read`].
    pub fn reader(&self, member: &Member) -> Result<Box<dyn Read + '_>, ZipError> {
        if member.flags & ENCRYPTED != 0 {
            return Err(ZipError::Encrypted(member.name.clone()));
        }
        let end = member.data_offset.checked_add(member.compressed);
        let end =
            end.filter(|end| *end <= self.source.size()).ok_or_else(|| ZipError::Truncated(member.name.clone()))?;
        let raw = Span { source: self.source, place: member.data_offset, end };
        match member.method {
            0 => Ok(Box::new(raw)),
            8 => Ok(Box::new(flate2::read::DeflateDecoder::new(raw))),
            method => Err(ZipError::Method { name: member.name.clone(), method }),
        }
    }
}

struct Span<'r> {
    source: &'r dyn ReadAt,
    place: u64,
    end: u64,
}

impl Read for Span<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.place).unwrap_or(usize::MAX);
        let count = buffer.len().min(left);
        let read = self.source.read_at(self.place, buffer.get_mut(..count).unwrap_or_default())?;
        self.place += read as u64;
        Ok(read)
    }
}
