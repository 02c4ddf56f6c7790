//! Bounded expansion of whole compressed streams, as joblib writes them.

use std::io::Read;

use serde::Serialize;

/// Most memory that an LZMA dictionary may claim, in KiB.
const LZMA_MEMORY_KIB: u32 = 128 << 10;
/// joblib's oldest compressed form: `ZF`, the length as a hexadecimal number padded to 19 bytes, then zlib.
const ZFILE_HEADER: usize = 2 + 19;

/// A compression known by the first bytes of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Codec {
    /// zlib.
    Zlib,
    /// gzip, several members too.
    Gzip,
    /// bzip2, several streams too.
    Bzip2,
    /// xz.
    Xz,
    /// The older `.lzma`.
    Lzma,
    /// LZ4 frames.
    Lz4,
    /// joblib before 0.10: a header and then zlib.
    Zfile,
}

impl Codec {
    /// By the first bytes, as joblib looks at them.
    #[must_use]
    pub fn of(head: &[u8]) -> Option<Self> {
        match head {
            // A dictionary of the writer's own (0x20) is none that joblib's readers have: `x = 1` is no such stream.
            [0x78, second, ..] if (0x7800 | u16::from(*second)).is_multiple_of(31) && second & 0x20 == 0 => {
                Some(Self::Zlib)
            }
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            [b'B', b'Z', b'h', ..] => Some(Self::Bzip2),
            [0xfd, b'7', b'z', b'X', b'Z', ..] => Some(Self::Xz),
            [0x5d, 0x00, ..] => Some(Self::Lzma),
            [0x04, 0x22, 0x4d, 0x18, ..] => Some(Self::Lz4),
            [b'Z', b'F', header @ ..] if is_zfile_length(header) => Some(Self::Zfile),
            _ => None,
        }
    }
}

/// Whether the length behind `ZF` is one for Python's `int(text, 16)`: that takes it with and without `0x`.
fn is_zfile_length(header: &[u8]) -> bool {
    let Some(field) = header.get(..ZFILE_HEADER - 2) else { return false };
    let field = field.trim_ascii();
    !field.is_empty() && field.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'X' | b'_' | b'+'))
}

/// What came out of a compressed stream.
#[derive(Debug)]
pub struct Expanded {
    /// The bytes up to its end or its first error.
    pub bytes: Vec<u8>,
    /// How it ended.
    pub end: ExpandEnd,
}

/// How an expansion ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpandEnd {
    /// All input was used.
    Complete,
    /// The stream is complete, and this many bytes of input follow it.
    Trailing(u64),
    /// The stream is broken; everything before is in [`Expanded::bytes`].
    Broken(String),
    /// It gives more than the bound allows.
    Bound,
}

/// Expands `input`, at most to `limit` bytes.
#[must_use]
pub fn expand(codec: Codec, input: &[u8], limit: u64) -> Expanded {
    let mut rest = input;
    match codec {
        Codec::Zlib => {
            let mut decoder = flate2::bufread::ZlibDecoder::new(rest);
            let expanded = drain(&mut decoder, limit);
            rest = decoder.into_inner();
            with_rest(expanded, rest)
        }
        Codec::Zfile => {
            let Some(body) = input.get(ZFILE_HEADER..) else {
                return Expanded { bytes: Vec::new(), end: ExpandEnd::Broken("the header is cut off".to_owned()) };
            };
            // Some versions padded the header with one more space.
            expand(Codec::Zlib, body.strip_prefix(b" ").unwrap_or(body), limit)
        }
        Codec::Gzip => {
            let expanded = drain(&mut flate2::bufread::MultiGzDecoder::new(&mut rest), limit);
            with_rest(expanded, rest)
        }
        Codec::Bzip2 => {
            let expanded = drain(&mut bzip2::bufread::MultiBzDecoder::new(&mut rest), limit);
            with_rest(expanded, rest)
        }
        Codec::Xz => {
            let expanded = drain(&mut lzma_rust2::XzReader::new_mem_limit(&mut rest, true, LZMA_MEMORY_KIB), limit);
            with_rest(expanded, rest)
        }
        Codec::Lzma => {
            let expanded = match lzma_rust2::LzmaReader::new_mem_limit(&mut rest, LZMA_MEMORY_KIB, None) {
                Ok(mut reader) => drain(&mut reader, limit),
                Err(error) => Expanded { bytes: Vec::new(), end: ExpandEnd::Broken(error.to_string()) },
            };
            with_rest(expanded, rest)
        }
        Codec::Lz4 => {
            let expanded = drain(&mut lz4_flex::frame::FrameDecoder::new(&mut rest), limit);
            with_rest(expanded, rest)
        }
    }
}

fn with_rest(mut expanded: Expanded, rest: &[u8]) -> Expanded {
    if expanded.end == ExpandEnd::Complete && !rest.is_empty() {
        expanded.end = ExpandEnd::Trailing(rest.len() as u64);
    }
    expanded
}

/// Reads to the end, the first error or the bound, whichever comes first.
pub(crate) fn drain(reader: &mut dyn Read, limit: u64) -> Expanded {
    let mut bytes = Vec::new();
    let mut buffer = [0; 1 << 15];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return Expanded { bytes, end: ExpandEnd::Complete },
            Ok(read) => buffer.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return Expanded { bytes, end: ExpandEnd::Broken(error.to_string()) },
        };
        let left = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(bytes.len());
        if read.len() > left {
            bytes.extend_from_slice(read.get(..left).unwrap_or_default());
            return Expanded { bytes, end: ExpandEnd::Bound };
        }
        bytes.extend_from_slice(read);
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn zlib(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_bomb_ends_at_the_bound() {
        let bomb = zlib(&vec![0; 10 << 20]);
        let expanded = expand(Codec::Zlib, &bomb, 1 << 20);
        assert_eq!(expanded.end, ExpandEnd::Bound);
        assert_eq!(expanded.bytes.len(), 1 << 20);
    }

    #[test]
    fn the_oldest_form_is_known_however_its_length_is_written() {
        for length in ["0x2a", "2a", " 0X2A", "2_a"] {
            let header = format!("ZF{length:<19}x");
            assert_eq!(Codec::of(header.as_bytes()), Some(Codec::Zfile), "{length}");
        }
        assert_eq!(Codec::of(b"ZF is what this text begins with"), None);
        assert_eq!(Codec::of(b"ZF"), None);
    }

    #[test]
    fn what_follows_or_breaks_is_said() {
        let mut bytes = zlib(b"model");
        assert_eq!(Codec::of(&bytes), Some(Codec::Zlib));
        assert_eq!(expand(Codec::Zlib, &bytes, 100).end, ExpandEnd::Complete);
        bytes.extend(b"tail");
        let expanded = expand(Codec::Zlib, &bytes, 100);
        assert_eq!((expanded.bytes.as_slice(), expanded.end), (&b"model"[..], ExpandEnd::Trailing(4)));
        bytes.truncate(6);
        assert!(matches!(expand(Codec::Zlib, &bytes, 100).end, ExpandEnd::Broken(_)));
    }
}
