//! The bytes of a member.

use std::io::{self, Read};

use super::{Archive, Member, ZipError};
use crate::Section;
use crate::decompress::{ExpandEnd, Expanded, LZMA_MEMORY_KIB, Stream, drain, inflate};

const ENCRYPTED: u16 = 1;
/// Of LZMA: the stream has a mark at its end.
const HAS_END_MARK: u16 = 1 << 1;

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
        let expanded = if member.method == 8 {
            let mut bytes = Vec::new();
            let end = inflate(&mut self.raw(member)?, false, &mut bytes, limit);
            Expanded { bytes, end }
        } else {
            drain(&mut *self.reader(member)?, limit)
        };
        let mut crc = flate2::Crc::new();
        crc.update(&expanded.bytes);
        let matches = crc.sum() == member.crc32 && expanded.bytes.len() as u64 == member.size;
        Ok(Content { bytes: expanded.bytes, end: expanded.end, matches })
    }

    /// As [`Archive::read`], of a member that says it is encrypted: its bytes as if it were not. Readers differ in whether
    /// they believe that flag; where the CRC fits, it is a lie.
    ///
    /// # Errors
    /// As [`Archive::read`].
    pub fn read_unmasked(&self, member: &Member, limit: u64) -> Result<Content, ZipError> {
        let plain = Member { flags: member.flags & !ENCRYPTED, ..member.clone() };
        self.read(&plain, limit)
    }

    /// The bytes of a member that is stored as it is, where they lie.
    #[must_use]
    pub fn stored(&self, member: &Member) -> Option<Section<'_>> {
        let end = member.data_offset.checked_add(member.compressed).filter(|end| *end <= self.source.size())?;
        let is_stored = member.method == 0 && member.flags & ENCRYPTED == 0 && member.compressed == member.size;
        is_stored.then(|| Section::new(self.source, member.data_offset..end))
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

    /// A stream over a member's bytes as they are in the file.
    fn raw(&self, member: &Member) -> Result<Stream<'_>, ZipError> {
        if member.flags & ENCRYPTED != 0 {
            return Err(ZipError::Encrypted(member.name.clone()));
        }
        let end = member.data_offset.checked_add(member.compressed);
        let end =
            end.filter(|end| *end <= self.source.size()).ok_or_else(|| ZipError::Truncated(member.name.clone()))?;
        Ok(Stream::new(self.source, member.data_offset..end))
    }

    /// A stream over a member's expanded bytes; neither size nor CRC is checked.
    ///
    /// # Errors
    /// As [`Archive::read`].
    pub fn reader(&self, member: &Member) -> Result<Box<dyn Read + '_>, ZipError> {
        let raw = self.raw(member)?;
        match member.method {
            0 => Ok(Box::new(raw)),
            8 => Ok(Box::new(flate2::bufread::DeflateDecoder::new(raw))),
            12 => Ok(Box::new(bzip2::bufread::BzDecoder::new(raw))),
            14 => lzma(raw, member),
            93 => {
                let window = u64::from(LZMA_MEMORY_KIB) << 10;
                let reader = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(raw, window);
                Ok(Box::new(reader.map_err(|error| io::Error::other(error.to_string()))?))
            }
            method => Err(ZipError::Method { name: member.name.clone(), method }),
        }
    }
}

/// LZMA in a zip: a version, the length of the properties, these, and the bytes.
fn lzma<'r>(mut raw: Stream<'r>, member: &Member) -> Result<Box<dyn Read + 'r>, ZipError> {
    let mut head = [0; 9];
    raw.read_exact(&mut head)?;
    let [_, _, 5, 0, properties, dictionary @ ..] = head else {
        return Err(io::Error::from(io::ErrorKind::InvalidData).into());
    };
    let size = if member.flags & HAS_END_MARK != 0 { u64::MAX } else { member.size };
    let dictionary = u64::from(u32::from_le_bytes(dictionary)).min(member.size.max(4096));
    let dictionary = u32::try_from(dictionary).unwrap_or(u32::MAX);
    if dictionary > LZMA_MEMORY_KIB << 10 {
        return Err(ZipError::Bound("the memory for a dictionary"));
    }
    Ok(Box::new(lzma_rust2::LzmaReader::new_with_props(raw, size, properties, dictionary, None)?))
}
