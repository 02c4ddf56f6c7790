//! What a file is, by its content and never by its name.
//!
//! To add a format: a variant in `format.rs`, and a line in the table of `magic.rs` or a test of its structure in
//! `protobuf.rs`, `archive.rs` or `text.rs`.

mod archive;
mod format;
mod magic;
mod pickle;
mod protobuf;
mod text;

use std::io;

use sealyard_core::ReadAt;

pub use archive::zip_of;
pub use format::Format;
pub use text::is_graph_text;

use crate::decompress::Codec;
use crate::pickle::Opcode;
use crate::zip::{Archive, ZipLimits};

/// Bytes at the start that decide most.
const HEAD: usize = 8192;
/// What a sorted table of LevelDB's ends with.
const LEVELDB: &[u8; 8] = b"\x57\xfb\x80\x8b\x24\x75\x47\xdb";
const HDF5: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// What a file is for readers that know nothing of it: by its first bytes, for archives by their members, and for
/// pickles by their first opcodes.
///
/// # Errors
/// Only what reading itself gives.
pub fn sniff(source: &dyn ReadAt) -> io::Result<Format> {
    let head = head(source)?;
    let is_cut = source.size() > head.len() as u64;
    let format = signature_of(source, &head);
    if matches!(format, Format::Zip | Format::Tar) {
        return Ok(refine(source, format));
    }
    // What has no signature of its own may be a pickle of an old protocol.
    let is_weak = matches!(format, Format::Unknown) || format.is_text();
    let is_pickle = is_weak && pickle::is_pickle(&head, format.is_text(), is_cut);
    let is_stream = matches!(format, Format::Pickle | Format::Compressed(_)) || is_pickle;
    // A pickle or another file with a zip behind it is what its beginning says; the zip's prefix tells the scanner.
    if !is_stream && (is_weak || format == Format::Pe) && is_archive(source) {
        return Ok(refine(source, Format::Zip));
    }
    Ok(if is_pickle { Format::Pickle } else { format })
}

/// What a file is by signature and structure, without opening archives and without running opcodes: pickles of the
/// protocols 0 and 1 are text or unknown for it. It is for readers that look at these themselves.
///
/// # Errors
/// Only what reading itself gives.
pub fn signature(source: &dyn ReadAt) -> io::Result<Format> {
    Ok(signature_of(source, &head(source)?))
}

/// What a zip or a tar is by its members.
#[must_use]
pub fn refine(source: &dyn ReadAt, format: Format) -> Format {
    match format {
        // A zip whose directory can't be read is still one.
        Format::Zip => archive::zip(source).unwrap_or(Format::Zip),
        Format::Tar => archive::tar(source),
        format => format,
    }
}

/// Whether HDF5 begins behind a block of anything, at 512 bytes or a doubling of that, where its readers look too.
///
/// # Errors
/// Only what reading itself gives.
pub fn has_hdf5_behind(source: &dyn ReadAt) -> io::Result<bool> {
    let mut offset = 512;
    let mut magic = [0; HDF5.len()];
    while offset + magic.len() as u64 <= source.size() {
        source.read_exact_at(offset, &mut magic)?;
        if magic == *HDF5 {
            return Ok(true);
        }
        offset *= 2;
    }
    Ok(false)
}

fn head(source: &dyn ReadAt) -> io::Result<Vec<u8>> {
    let length = usize::try_from(source.size()).unwrap_or(usize::MAX).min(HEAD);
    let mut head = vec![0; length];
    source.read_exact_at(0, &mut head)?;
    Ok(head)
}

fn signature_of(source: &dyn ReadAt, head: &[u8]) -> Format {
    // The unpickler takes no other protocols; where it would take one, it runs what follows. The length of a header may
    // have the same first bytes, but then comes one that ends every unpickler.
    let is_length =
        || head.get(2).is_some_and(|byte| Opcode::of(*byte).is_none()) && magic::is_safetensors(head, source.size());
    if matches!(head, [0x80, 0..=8, ..]) && !is_length() {
        return Format::Pickle;
    }
    if let Some(format) = magic::by_magic(head, source.size()) {
        return format;
    }
    match Codec::of(head) {
        // An empty list and a mark are opcodes, and may begin a pickle.
        Some(Codec::Lzma) if !head.starts_with(b"]\0\0") => {}
        Some(codec) => return Format::Compressed(codec),
        None => {}
    }
    if archive::is_tar(head) {
        return Format::Tar;
    }
    if let Some(format) = protobuf::by_fields(source, head) {
        return format;
    }
    if let Some(format) = text::by_text(head, source.size()) {
        return format;
    }
    if has_end(source, LEVELDB) { Format::TensorIndex } else { Format::Unknown }
}

fn has_end(source: &dyn ReadAt, end: &[u8; 8]) -> bool {
    let mut last = [0; 8];
    source.size().checked_sub(8).is_some_and(|place| source.read_exact_at(place, &mut last).is_ok()) && last == *end
}

fn is_archive(source: &dyn ReadAt) -> bool {
    Archive::open(source, &ZipLimits { gaps: 0, ..ZipLimits::default() })
        .is_ok_and(|archive| !archive.members().is_empty())
}

#[cfg(test)]
mod tests;
