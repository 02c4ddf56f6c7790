//! Bounded expansion of whole compressed streams, as joblib writes them.

mod stream;

use std::io::{BufRead, Read};

use lzma_rust2::{Action, Status};
use sealyard_core::ReadAt;
use serde::Serialize;

pub(crate) use stream::Stream;

/// Streams in a row that are expanded.
const MAX_STREAMS: usize = 100_000;
/// The same, of those that claim memory for each.
const MAX_LARGE_STREAMS: usize = 1000;

/// Most memory that a dictionary or window may claim, in KiB.
pub(crate) const LZMA_MEMORY_KIB: u32 = 128 << 10;
/// joblib's oldest compressed form: `ZF`, the length as a hexadecimal number padded to 19 bytes, then zlib.
const ZFILE_HEADER: usize = 2 + 19;
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

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
    /// Zstandard, which joblib does not know: [`Codec::of`] does not tell it.
    Zstd,
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

    /// Whether zeros behind a stream are padding.
    const fn is_padded(self) -> bool {
        matches!(self, Self::Gzip | Self::Xz)
    }

    /// Whether each stream may claim a large dictionary.
    const fn claims_memory(self) -> bool {
        matches!(self, Self::Xz | Self::Zstd | Self::Lzma)
    }

    /// Whether another stream of the same kind follows, which readers take for more of the same.
    fn goes_on(self, stream: &Stream<'_>) -> bool {
        let head = stream.head();
        match self {
            Self::Zstd => head.starts_with(ZSTD) || stream.skippable().is_some(),
            // The oldest form is one stream.
            Self::Zfile | Self::Lzma => false,
            codec => Self::of(&head) == Some(codec),
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
    expand_from(codec, &input, limit)
}

/// Expands all of `source`, at most to `limit` bytes, reading it piece by piece. Streams of the same kind that follow each
/// other are one, as their readers have it.
#[must_use]
pub fn expand_from(codec: Codec, source: &dyn ReadAt, limit: u64) -> Expanded {
    let mut stream = Stream::new(source, 0..source.size());
    if codec == Codec::Zfile {
        let mut head = [0; ZFILE_HEADER + 1];
        if source.read_exact_at(0, &mut head).is_err() {
            return Expanded { bytes: Vec::new(), end: ExpandEnd::Broken("the header is cut off".to_owned()) };
        }
        // Some versions padded the header with one more space.
        let start = ZFILE_HEADER as u64 + u64::from(head.last() == Some(&b' '));
        stream = Stream::new(source, start..source.size());
    }
    let mut bytes = Vec::new();
    let mut left = if codec.claims_memory() { MAX_LARGE_STREAMS } else { MAX_STREAMS };
    loop {
        let start = stream.place();
        let known = bytes.len();
        let end = one(codec, &mut stream, &mut bytes, limit);
        match end {
            ExpandEnd::Complete => {}
            // What only begins like another stream is none.
            ExpandEnd::Broken(_) if start > 0 && known > 0 && bytes.len() == known => {
                return Expanded { bytes, end: ExpandEnd::Trailing(source.size() - start) };
            }
            end => return Expanded { bytes, end },
        }
        let rest = stream.left();
        if rest == 0 || codec.is_padded() && stream.is_zero() {
            return Expanded { bytes, end: ExpandEnd::Complete };
        }
        left -= 1;
        if left == 0 {
            return Expanded { bytes, end: ExpandEnd::Bound };
        }
        if !codec.goes_on(&stream) || stream.place() == start {
            return Expanded { bytes, end: ExpandEnd::Trailing(rest) };
        }
    }
}

/// Expands one stream, and leaves `stream` behind it.
fn one(codec: Codec, stream: &mut Stream<'_>, bytes: &mut Vec<u8>, limit: u64) -> ExpandEnd {
    let broken = |error: &dyn std::fmt::Display| ExpandEnd::Broken(error.to_string());
    match codec {
        Codec::Zlib | Codec::Zfile => inflate(stream, true, bytes, limit),
        Codec::Gzip => drain_into(&mut flate2::bufread::GzDecoder::new(stream), bytes, limit),
        Codec::Bzip2 => drain_into(&mut bzip2::bufread::BzDecoder::new(stream), bytes, limit),
        Codec::Xz => drain_into(&mut lzma_rust2::XzReader::new_mem_limit(stream, false, LZMA_MEMORY_KIB), bytes, limit),
        Codec::Lzma => lzma(stream, bytes, limit).unwrap_or_else(|error| broken(&error)),
        Codec::Lz4 => drain_into(&mut lz4_flex::frame::FrameDecoder::new(stream), bytes, limit),
        Codec::Zstd => {
            if let Some(length) = stream.skippable() {
                stream.skip(length);
                return ExpandEnd::Complete;
            }
            let reader =
                ruzstd::decoding::StreamingDecoder::new_with_max_window_size(stream, u64::from(LZMA_MEMORY_KIB) << 10);
            match reader {
                Ok(mut reader) => drain_into(&mut reader, bytes, limit),
                Err(error) => broken(&error),
            }
        }
    }
}

/// zlib or deflate. What comes out before an error counts: a reader that goes on with it may be given what was there.
pub(crate) fn inflate(stream: &mut Stream<'_>, has_header: bool, bytes: &mut Vec<u8>, limit: u64) -> ExpandEnd {
    let mut decoder = flate2::Decompress::new(has_header);
    let mut output = [0; 1 << 15];
    loop {
        let input = match stream.fill_buf() {
            Ok(input) => input,
            Err(error) => return ExpandEnd::Broken(error.to_string()),
        };
        let is_last = input.is_empty();
        let (read, written) = (decoder.total_in(), decoder.total_out());
        let flush = if is_last { flate2::FlushDecompress::Finish } else { flate2::FlushDecompress::None };
        let step = decoder.decompress(input, &mut output, flush);
        let read = usize::try_from(decoder.total_in() - read).unwrap_or_default();
        let written = usize::try_from(decoder.total_out() - written).unwrap_or_default();
        stream.consume(read);
        let end = drain_into(&mut output.get(..written).unwrap_or_default(), bytes, limit);
        if end != ExpandEnd::Complete {
            return end;
        }
        match step {
            Ok(flate2::Status::StreamEnd) => return ExpandEnd::Complete,
            Ok(_) if read > 0 || written > 0 => {}
            Ok(_) => return ExpandEnd::Broken("it is cut off".to_owned()),
            Err(error) => return ExpandEnd::Broken(error.to_string()),
        }
    }
}

/// The older form of LZMA. Its decoder takes more input than it needs, and says how much that was.
fn lzma(stream: &mut Stream<'_>, bytes: &mut Vec<u8>, limit: u64) -> std::io::Result<ExpandEnd> {
    let mut decoder = lzma_rust2::LzmaStream::new_mem_limit(LZMA_MEMORY_KIB, None);
    let mut output = [0; 1 << 15];
    loop {
        let input = stream.fill_buf()?;
        let action = if input.is_empty() { Action::Finish } else { Action::Run };
        let step = decoder.process(input, &mut output, action)?;
        stream.consume(step.bytes_consumed);
        let end = drain_into(&mut output.get(..step.bytes_produced).unwrap_or_default(), bytes, limit);
        if end != ExpandEnd::Complete {
            return Ok(end);
        }
        if step.status == Status::StreamEnd {
            stream.back(decoder.unused_input().len() as u64);
            return Ok(ExpandEnd::Complete);
        }
        if step.bytes_consumed == 0 && step.bytes_produced == 0 {
            return Ok(ExpandEnd::Broken("it is cut off".to_owned()));
        }
    }
}

/// Reads to the end, the first error or the bound, whichever comes first.
pub(crate) fn drain(reader: &mut dyn Read, limit: u64) -> Expanded {
    let mut bytes = Vec::new();
    let end = drain_into(reader, &mut bytes, limit);
    Expanded { bytes, end }
}

/// As [`drain`], behind what is in `bytes` already, which counts for the bound.
fn drain_into(reader: &mut dyn Read, bytes: &mut Vec<u8>, limit: u64) -> ExpandEnd {
    let mut buffer = [0; 1 << 15];
    loop {
        let read = match reader.read(&mut buffer) {
            Ok(0) => return ExpandEnd::Complete,
            Ok(read) => buffer.get(..read).unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
            Err(error) => return ExpandEnd::Broken(error.to_string()),
        };
        let left = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(bytes.len());
        if read.len() > left {
            bytes.extend_from_slice(read.get(..left).unwrap_or_default());
            return ExpandEnd::Bound;
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
    fn what_comes_before_an_error_is_kept() {
        let mut wrong_sum = zlib(b"a payload that runs");
        *wrong_sum.last_mut().unwrap() ^= 1;
        let expanded = expand(Codec::Zlib, &wrong_sum, 100);
        assert_eq!(expanded.bytes, b"a payload that runs");
        assert!(matches!(expanded.end, ExpandEnd::Broken(_)));
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

    fn packed(codec: Codec) -> Vec<u8> {
        let text = b"a model".repeat(20);
        match codec {
            Codec::Zlib => zlib(&text),
            Codec::Zfile => [format!("ZF{:<19}", "0x8c").as_bytes(), &zlib(&text)].concat(),
            Codec::Gzip => {
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
                encoder.write_all(&text).unwrap();
                encoder.finish().unwrap()
            }
            Codec::Bzip2 => {
                let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
                encoder.write_all(&text).unwrap();
                encoder.finish().unwrap()
            }
            Codec::Lz4 => {
                let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
                encoder.write_all(&text).unwrap();
                encoder.finish().unwrap()
            }
            Codec::Xz => include_bytes!("../../tests/fixtures/model.xz").to_vec(),
            Codec::Lzma => include_bytes!("../../tests/fixtures/model.lzma").to_vec(),
            Codec::Zstd => include_bytes!("../../tests/fixtures/model.zst").to_vec(),
        }
    }

    const ALL: [Codec; 8] =
        [Codec::Zlib, Codec::Zfile, Codec::Gzip, Codec::Bzip2, Codec::Lz4, Codec::Xz, Codec::Lzma, Codec::Zstd];

    #[test]
    fn what_follows_any_stream_is_told_to_the_byte() {
        let text = b"a model".repeat(20);
        for codec in ALL {
            let bytes = packed(codec);
            let expanded = expand(codec, &bytes, 1000);
            assert_eq!((&expanded.bytes, expanded.end), (&text, ExpandEnd::Complete), "{codec:?}");
            let expanded = expand(codec, &[&bytes[..], b"cos\nsystem"].concat(), 1000);
            assert_eq!((&expanded.bytes, expanded.end), (&text, ExpandEnd::Trailing(10)), "{codec:?}");
            assert_eq!(expand(codec, &bytes, 139).end, ExpandEnd::Bound, "{codec:?}");
            let cut = &bytes[..bytes.len() - 5];
            assert!(matches!(expand(codec, cut, 1000).end, ExpandEnd::Broken(_)), "{codec:?}");
        }
    }

    #[test]
    fn streams_in_a_row_are_one() {
        for codec in ALL.into_iter().filter(|codec| !matches!(codec, Codec::Zfile | Codec::Lzma)) {
            let twice = packed(codec).repeat(2);
            let expanded = expand(codec, &twice, 1000);
            assert_eq!((expanded.bytes.len(), expanded.end), (280, ExpandEnd::Complete), "{codec:?}");
        }
        let padded = [packed(Codec::Xz), vec![0; 8]].concat();
        assert_eq!(expand(Codec::Xz, &padded, 1000).end, ExpandEnd::Complete);
        let skipped = [&b"\x50\x2a\x4d\x18\x03\0\0\0abc"[..], &packed(Codec::Zstd)].concat();
        assert_eq!(expand(Codec::Zstd, &skipped, 1000).bytes.len(), 140);
        // A million empty streams end.
        let many = zlib(b"").repeat(200_000);
        assert_eq!(expand(Codec::Zlib, &many, 1000).end, ExpandEnd::Bound);
    }
}
