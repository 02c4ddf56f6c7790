//! What a file is, by its content and never by its name.

use std::io;

use sealyard_core::ReadAt;
use serde::Serialize;

use crate::decompress::Codec;
use crate::npy::Npy;
use crate::pickle::{Act, Limits, Opcode, Options, Stop, interpret};
use crate::zip::{Archive, ZipLimits};

const HEAD: usize = 4096;
/// A safetensors header may not be longer.
const MAX_SAFETENSORS_HEADER: u64 = 100_000_000;

/// A file's format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Format {
    /// A pickle, joblib's uncompressed files included.
    Pickle,
    /// A compressed stream, as joblib writes them.
    Compressed(Codec),
    /// A zip of PyTorch: it holds a `data.pkl`.
    TorchZip,
    /// A zip of skops: it holds a `schema.json`.
    Skops,
    /// A zip of arrays.
    Npz,
    /// A zip of Keras: it holds `config.json` and `metadata.json`.
    Keras,
    /// Another zip.
    Zip,
    /// A numpy array.
    Npy,
    /// safetensors.
    Safetensors,
    /// GGUF.
    Gguf,
    /// HDF5.
    Hdf5,
    /// ONNX, as far as a protobuf can be known by its first fields.
    Onnx,
    /// A TensorFlow Lite flat buffer.
    Tflite,
    /// A tar archive.
    Tar,
    /// A 7z archive.
    SevenZip,
    /// JSON.
    Json,
    /// XML.
    Xml,
    /// Other text.
    Text,
    /// An executable or library (ELF, PE, Mach-O).
    Executable,
    /// No bytes at all.
    Empty,
    /// None of these.
    Unknown,
}

/// Looks at the first bytes, for zips at the directory, and for pickles at the first opcodes.
///
/// # Errors
/// Only what reading itself gives.
pub fn sniff(source: &dyn ReadAt) -> io::Result<Format> {
    let size = source.size();
    let len = usize::try_from(size).unwrap_or(usize::MAX).min(HEAD);
    let mut head = vec![0; len];
    source.read_exact_at(0, &mut head)?;
    if let Some(format) = by_magic(&head, size) {
        return Ok(format);
    }
    if let Some(format) = by_archive(source, &head) {
        return Ok(format);
    }
    if let Some(codec) = Codec::of(&head) {
        return Ok(Format::Compressed(codec));
    }
    if is_pickle(&head) {
        return Ok(Format::Pickle);
    }
    Ok(by_text(&head))
}

fn by_magic(head: &[u8], size: u64) -> Option<Format> {
    let format = match head {
        [] => Format::Empty,
        [0x89, b'H', b'D', b'F', b'\r', b'\n', 0x1a, b'\n', ..] => Format::Hdf5,
        [b'G', b'G', b'U', b'F', ..] => Format::Gguf,
        [0x7f, b'E', b'L', b'F', ..]
        | [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..]
        | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..]
        | [b'M', b'Z', _, 0, ..] => Format::Executable,
        [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Format::SevenZip,
        [_, _, _, _, b'T', b'F', b'L', b'3', ..] => Format::Tflite,
        _ if Npy::matches(head) => Format::Npy,
        _ if head.get(257..262) == Some(b"ustar") => Format::Tar,
        [a, b, c, d, e, f, g, h, b'{', ..] => {
            let len = u64::from_le_bytes([*a, *b, *c, *d, *e, *f, *g, *h]);
            if len <= MAX_SAFETENSORS_HEADER && len.saturating_add(8) <= size {
                Format::Safetensors
            } else {
                return None;
            }
        }
        // ModelProto: field 1 (the IR version, a small number), then field 2 (the producer's name) or 7 or 8.
        [0x08, 1..=20, 0x12 | 0x1a | 0x3a | 0x42, ..] => Format::Onnx,
        _ => return None,
    };
    Some(format)
}

fn by_archive(source: &dyn ReadAt, head: &[u8]) -> Option<Format> {
    let archive = Archive::open(source, &ZipLimits { gaps: 0, ..ZipLimits::default() });
    let Ok(archive) = archive else {
        // A zip whose directory can't be read is still one.
        return head.starts_with(b"PK\x03\x04").then_some(Format::Zip);
    };
    // A pickle or another file with a zip behind it is what its beginning says; the zip's prefix tells the scanner.
    if !head.starts_with(b"PK") && (is_pickle(head) || Codec::of(head).is_some()) {
        return None;
    }
    let has = |wanted: &str| archive.members().iter().any(|member| member.name == wanted);
    let any = |test: &dyn Fn(&str) -> bool| archive.members().iter().any(|member| test(&member.name));
    Some(if any(&|name| name == "data.pkl" || name.ends_with("/data.pkl")) {
        Format::TorchZip
    } else if has("schema.json") {
        Format::Skops
    } else if has("config.json") && has("metadata.json") {
        Format::Keras
    } else if any(&|name| name.ends_with(".npy")) {
        Format::Npz
    } else {
        Format::Zip
    })
}

/// Whether the first bytes run as a pickle: to its end, or so far that chance is out of the question.
fn is_pickle(head: &[u8]) -> bool {
    if matches!(head, [0x80, 0..=5, ..]) {
        return true;
    }
    let limits = Limits { opcodes: 256, streams: 1, ..Limits::default() };
    let options = Options { limits, joblib: false };
    let pickle = interpret(head, &options);
    let Some(first) = pickle.streams.first() else { return false };
    if pickle.events.iter().any(|event| matches!(event.act, Act::Called(_))) {
        return true;
    }
    // Letters are opcodes: `cloudpickle==3\nnumpy\n` imports, and `N. America` ends at once. What reads as text and
    // calls nothing is a pickle only if it is one from end to end.
    if is_text(head).is_some() {
        return match &first.stop {
            Stop::Complete(_) => first.opcodes > 1 && first.end == head.len() as u64,
            Stop::Bound { .. } => true,
            Stop::Fault { .. } => false,
        };
    }
    match &first.stop {
        Stop::Complete(_) => first.opcodes > 1,
        Stop::Bound { .. } => true,
        Stop::Fault { opcode, .. } => {
            let cut = head.len() == HEAD && opcode.is_some_and(takes_bytes) && first.opcodes > 3;
            cut || !pickle.events.is_empty()
        }
    }
}

/// Opcodes whose argument may reach past the part that was looked at.
const fn takes_bytes(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Unicode
            | Opcode::String
            | Opcode::Binunicode
            | Opcode::Binstring
            | Opcode::Binbytes
            | Opcode::Long
            | Opcode::Int
            | Opcode::Frame
    )
}

/// The text, if it is UTF-8 without control characters.
fn is_text(head: &[u8]) -> Option<&str> {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // A character may be cut at the end of the part that was looked at.
        Err(error) if head.len() == HEAD && head.len() - error.valid_up_to() < 4 => {
            std::str::from_utf8(head.get(..error.valid_up_to())?).ok()?
        }
        Err(_) => return None,
    };
    let control = |letter: char| letter.is_control() && !matches!(letter, '\n' | '\r' | '\t' | '\x0c');
    (!text.chars().any(control)).then_some(text)
}

fn by_text(head: &[u8]) -> Format {
    let Some(text) = is_text(head) else { return Format::Unknown };
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if text.starts_with("<?xml") || text.starts_with("<!DOCTYPE") {
        Format::Xml
    } else if text.starts_with(['{', '[']) {
        Format::Json
    } else {
        Format::Text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_content() {
        for (bytes, format) in [
            (&b""[..], Format::Empty),
            (b"\x80\x04N.", Format::Pickle),
            (b"cos\nsystem\n(S'id'\ntR.", Format::Pickle),
            (b"(lp0\nI1\na.", Format::Pickle),
            (b"{\"a\": 1}", Format::Json),
            (b"Numbers are here.", Format::Text),
            (b"import os\n", Format::Text),
            (b"cloudpickle==3.1.2\nnumpy==2.3\n", Format::Text),
            (b"click\nnumpy\n", Format::Text),
            (b"channels:\n- conda-forge\n", Format::Text),
            (b"N. America", Format::Text),
            (b"cos\nsystem\n(S'id'\ntR and no STOP", Format::Pickle),
            (b"cos\nsystem\n\x8c\x02id\x85", Format::Pickle),
            (b"\x93NUMPY\x01\x00", Format::Npy),
            (b"GGUF\x03\0\0\0", Format::Gguf),
            (b"\x02\0\0\0\0\0\0\0{}", Format::Safetensors),
            (b"\x7fELF", Format::Executable),
            (b"\x1f\x8b\x08\x00", Format::Compressed(Codec::Gzip)),
            (b"\xff\xfe\x00", Format::Unknown),
        ] {
            assert_eq!(sniff(&bytes.to_vec()).unwrap(), format, "{}", bytes.escape_ascii());
        }
    }
}
