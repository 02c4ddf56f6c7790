//! The chain of coders that a folder's stream went through.

use std::io::{BufReader, Read};
use std::ops::Range;

use lzma_rust2::filter::bcj::BcjReader;
use lzma_rust2::filter::delta::DeltaReader;
use sealyard_core::ReadAt;

use super::header::{Coder, Folder, Header};
use super::{START, SevenZipError};
use crate::decompress::Stream;

/// Most memory that one coder may claim, in bytes.
const MAX_MEMORY: u32 = 128 << 20;
/// Coders behind each other.
const MAX_CHAIN: usize = 8;

/// How the bytes of a folder are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Method {
    /// As they are.
    Copy,
    /// LZMA.
    Lzma,
    /// LZMA2.
    Lzma2,
    /// Deflate.
    Deflate,
    /// bzip2.
    Bzip2,
    /// Zstandard.
    Zstd,
    /// Differences of bytes.
    Delta,
    /// Branches of programs for x86.
    Bcj,
    /// The same for ARM with 64 bits.
    Arm64,
}

impl Method {
    fn of(id: u64) -> Result<Self, SevenZipError> {
        match id {
            0x00 => Ok(Self::Copy),
            0x21 => Ok(Self::Lzma2),
            0x03_0101 => Ok(Self::Lzma),
            0x04_0108 => Ok(Self::Deflate),
            0x04_0202 => Ok(Self::Bzip2),
            0x04f7_1101 => Ok(Self::Zstd),
            0x03 => Ok(Self::Delta),
            0x04 | 0x0303_0103 => Ok(Self::Bcj),
            0x0a => Ok(Self::Arm64),
            0x06f0_0101..=0x06f1_ffff => Err(SevenZipError::Encrypted),
            id => Err(SevenZipError::Method(id)),
        }
    }
}

/// The readers from the packed stream to the folder's own.
pub(super) fn chain<'s>(
    source: &'s dyn ReadAt,
    header: &Header,
    folder: &Folder,
) -> Result<Box<dyn Read + 's>, SevenZipError> {
    if let Some(encrypted) = folder.coders.iter().find_map(|coder| match Method::of(coder.method) {
        Err(error @ SevenZipError::Encrypted) => Some(error),
        _ => None,
    }) {
        return Err(encrypted);
    }
    // Coders with several streams, such as BCJ2, make a tree of it.
    if let Some(odd) = folder.coders.iter().find(|coder| (coder.inputs, coder.outputs) != (1, 1)) {
        return Err(SevenZipError::Method(odd.method));
    }
    let [packed] = folder.packed.as_slice() else { return Err(SevenZipError::Directory("a folder has many streams")) };
    let range = packed_range(source, header, folder)?;
    let mut reader: Box<dyn Read + 's> = Box::new(Stream::new(source, range));
    let mut input = *packed;
    for _ in 0..folder.coders.len().min(MAX_CHAIN) {
        // With one stream each, inputs and outputs have the numbers of their coders.
        let index = usize::try_from(input).unwrap_or(usize::MAX);
        let coder = folder.coders.get(index).ok_or(SevenZipError::Directory("a bond leads nowhere"))?;
        let size = folder.sizes.get(index).copied().unwrap_or_default();
        reader = decode(reader, coder, size)?;
        match folder.bonds.iter().find(|(_, output)| *output == input) {
            Some((next, _)) => input = *next,
            None => return Ok(reader),
        }
    }
    Err(SevenZipError::Bound("the number of coders"))
}

/// Where a folder's packed stream lies.
fn packed_range(source: &dyn ReadAt, header: &Header, folder: &Folder) -> Result<Range<u64>, SevenZipError> {
    let size = header.pack_sizes.get(folder.first_packed).copied();
    let size = size.ok_or(SevenZipError::Directory("a packed stream has no size"))?;
    let before = header.packed_before.get(folder.first_packed).copied().unwrap_or(u64::MAX);
    let start = START.saturating_add(header.pack_offset).saturating_add(before);
    let end = start.checked_add(size).filter(|end| *end <= source.size());
    Ok(start..end.ok_or(SevenZipError::Directory("a packed stream is cut off"))?)
}

/// Where the bytes of a folder lie as they are, if it is only copied.
pub(super) fn copied(source: &dyn ReadAt, header: &Header, folder: &Folder) -> Option<Range<u64>> {
    let [only] = folder.coders.as_slice() else { return None };
    let is_copied = matches!(Method::of(only.method), Ok(Method::Copy));
    if is_copied { packed_range(source, header, folder).ok() } else { None }
}

fn decode<'s>(reader: Box<dyn Read + 's>, coder: &Coder, size: u64) -> Result<Box<dyn Read + 's>, SevenZipError> {
    let property = |index: usize| coder.properties.get(index).copied();
    let broken = SevenZipError::Directory("a coder's properties are cut off");
    // No more of a dictionary is ever used than comes out.
    let memory = |claimed: u64| {
        let needed = u32::try_from(claimed.min(size.max(4096))).ok().filter(|needed| *needed <= MAX_MEMORY);
        needed.ok_or(SevenZipError::Bound("the memory for a dictionary"))
    };
    Ok(match Method::of(coder.method)? {
        Method::Copy => reader,
        Method::Lzma => {
            let [first, dictionary @ ..] = coder.properties.as_slice() else { return Err(broken) };
            let dictionary = dictionary.first_chunk::<4>().ok_or(broken)?;
            let dictionary = memory(u64::from(u32::from_le_bytes(*dictionary)))?;
            Box::new(lzma_rust2::LzmaReader::new_with_props(BufReader::new(reader), size, *first, dictionary, None)?)
        }
        Method::Lzma2 => {
            let bits = u32::from(property(0).ok_or(broken)?);
            let dictionary = match bits {
                40 => u64::from(u32::MAX),
                0..40 => u64::from(2 | bits & 1) << (bits / 2 + 11),
                _ => return Err(SevenZipError::Directory("a dictionary has no size")),
            };
            Box::new(lzma_rust2::Lzma2Reader::new(BufReader::new(reader), memory(dictionary)?, None))
        }
        Method::Deflate => Box::new(flate2::read::DeflateDecoder::new(reader)),
        Method::Bzip2 => Box::new(bzip2::read::MultiBzDecoder::new(reader)),
        Method::Zstd => Box::new(
            ruzstd::decoding::StreamingDecoder::new_with_max_window_size(reader, u64::from(MAX_MEMORY))
                .map_err(|error| std::io::Error::other(error.to_string()))?,
        ),
        Method::Delta => Box::new(DeltaReader::new(reader, usize::from(property(0).unwrap_or_default()) + 1)),
        Method::Bcj => Box::new(BcjReader::new_x86(reader, 0)),
        Method::Arm64 => Box::new(BcjReader::new_arm64(reader, 0)),
    })
}
