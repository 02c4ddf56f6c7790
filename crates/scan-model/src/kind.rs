use sealyard_core::ReadAt;
use sealyard_formats::decompress::Codec;

/// Bytes at the start that decide what a file is.
const HEAD: usize = 8192;

/// What a file's content is. Its name never matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Empty,
    /// A pickle with a `PROTO` opcode at its start.
    Pickle,
    /// Compressed bytes; joblib's compressed files are these.
    Compressed,
    Zip,
    Npy,
    Safetensors,
    /// Recognised, and able to hold code or to trouble its reader, but not supported.
    Unsupported(&'static str),
    /// Recognised, and nothing in it is ever run by loading it.
    Harmless(&'static str),
    /// Printable UTF-8.
    Text,
    Unknown,
}

const HDF5: &[u8; 8] = b"\x89HDF\r\n\x1a\n";
const MAGIC: &[(&[u8], Kind)] = &[
    (b"PK\x03\x04", Kind::Zip),
    (b"PK\x05\x06", Kind::Zip),
    (b"PK\x01\x02", Kind::Zip),
    (b"\x93NUMPY", Kind::Npy),
    (HDF5, Kind::Unsupported("hdf5")),
    (b"GGUF", Kind::Unsupported("gguf")),
    (b"\x28\xb5\x2f\xfd", Kind::Unsupported("zstd")),
    (b"7z\xbc\xaf\x27\x1c", Kind::Unsupported("7z")),
    (b"Rar!\x1a\x07", Kind::Unsupported("rar")),
    (b"\x7fELF", Kind::Unsupported("elf")),
    (b"\xcf\xfa\xed\xfe", Kind::Unsupported("mach-o")),
    (b"\xca\xfe\xba\xbe", Kind::Unsupported("java-class")),
    (b"PAR1", Kind::Unsupported("parquet")),
    (b"ARROW1", Kind::Unsupported("arrow")),
    (b"RDX2\n", Kind::Unsupported("r-data")),
    (b"RDX3\n", Kind::Unsupported("r-data")),
    (b"SQLite format 3\x00", Kind::Unsupported("sqlite")),
    (b"\x89PNG\r\n\x1a\n", Kind::Harmless("png")),
    (b"\xff\xd8\xff", Kind::Harmless("jpeg")),
    (b"GIF87a", Kind::Harmless("gif")),
    (b"GIF89a", Kind::Harmless("gif")),
];

impl Kind {
    /// What `data` is.
    pub(crate) fn of(data: &dyn ReadAt) -> std::io::Result<Self> {
        let mut head = vec![0; HEAD];
        let mut filled = 0;
        while let Some(rest) = head.get_mut(filled..)
            && !rest.is_empty()
        {
            match data.read_at(filled as u64, rest)? {
                0 => break,
                read => filled += read,
            }
        }
        head.truncate(filled);
        Ok(Self::of_head(&head, data.size()))
    }

    fn of_head(head: &[u8], size: u64) -> Self {
        if head.is_empty() {
            return Self::Empty;
        }
        if let Some((_, kind)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
            return *kind;
        }
        if let [0x80, 0..=8, ..] = head {
            return Self::Pickle;
        }
        if !head.starts_with(b"]") && Codec::of(head).is_some() || head.starts_with(b"]\x00\x00") {
            return Self::Compressed;
        }
        if head.get(257..262) == Some(b"ustar") {
            return Self::Unsupported("tar");
        }
        if head.get(4..8) == Some(b"TFL3") {
            return Self::Unsupported("tflite");
        }
        if let (Some(length), Some(b'{')) = (head.first_chunk::<8>(), head.get(8)) {
            let length = u64::from_le_bytes(*length);
            if length >= 2 && length <= size.saturating_sub(8) {
                return Self::Safetensors;
            }
        }
        if is_text(head, size) || is_latin1(head) { Self::Text } else { Self::Unknown }
    }
}

/// HDF5 may begin behind a block of anything, at 512 bytes or a doubling of that.
pub(crate) fn has_hdf5_behind(data: &dyn ReadAt) -> std::io::Result<bool> {
    let mut offset = 512;
    let mut magic = [0; HDF5.len()];
    while offset + magic.len() as u64 <= data.size() {
        data.read_exact_at(offset, &mut magic)?;
        if magic == *HDF5 {
            return Ok(true);
        }
        offset *= 2;
    }
    Ok(false)
}

/// UTF-8 without control characters other than white space. A character that the head's end cuts is no fault.
fn is_text(head: &[u8], size: u64) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        Err(error) if error.error_len().is_none() && size > head.len() as u64 => {
            let valid = head.get(..error.valid_up_to()).unwrap_or_default();
            std::str::from_utf8(valid).unwrap_or_default()
        }
        Err(_) => return false,
    };
    !text.chars().any(|character| character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{c}'))
}

/// Text in one of the encodings with one byte a character.
fn is_latin1(head: &[u8]) -> bool {
    head.iter().all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0xa0..=0xff))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_decides() {
        let cases: &[(&[u8], Kind)] = &[
            (b"", Kind::Empty),
            (b"\x80\x04K\x01.", Kind::Pickle),
            (b"\x80\x02K\x01.", Kind::Pickle),
            (b"\x78\x9c\x00", Kind::Compressed),
            (b"\x78\x01\x00", Kind::Compressed),
            (b"PK\x03\x04", Kind::Zip),
            (b"\x93NUMPY\x01\x00", Kind::Npy),
            (b"\x02\0\0\0\0\0\0\0{}", Kind::Safetensors),
            (b"a: 1\nb: \xc3\xa9\n", Kind::Text),
            (b"x\x00y", Kind::Unknown),
            (b"caf\xe9", Kind::Text),
            (b"caf\x85", Kind::Unknown),
        ];
        for (bytes, kind) in cases {
            assert_eq!(Kind::of(&bytes.to_vec()).unwrap(), *kind, "{bytes:?}");
        }
    }

    #[test]
    fn a_block_of_text_hides_no_hdf5() {
        assert!(!has_hdf5_behind(&vec![b' '; 10_000]).unwrap());
        for offset in [512, 1 << 14, 1 << 20] {
            let mut bytes = vec![b' '; offset];
            bytes.extend(HDF5);
            bytes.extend([0; 100]);
            assert!(has_hdf5_behind(&bytes).unwrap(), "{offset}");
        }
    }
}
