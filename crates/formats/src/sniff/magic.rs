use super::Format;
use crate::mat::is_mat;
use crate::npy::Npy;
use crate::objects::{is_php, is_ruby, is_torch7};

/// What begins with what.
const MAGIC: &[(&[u8], Format)] = &[
    (b"PK\x03\x04", Format::Zip),
    (b"PK\x05\x06", Format::Zip),
    (b"PK\x01\x02", Format::Zip),
    (super::HDF5, Format::Hdf5),
    // Little-endian numbers, so that the letters stand in the other order.
    (b"lmgg", Format::Ggml),
    (b"fmgg", Format::Ggml),
    (b"tjgg", Format::Ggml),
    (b"algg", Format::Ggml),
    (b"\x28\xb5\x2f\xfd", Format::Zstd),
    (b"7z\xbc\xaf\x27\x1c", Format::SevenZip),
    (b"Rar!\x1a\x07", Format::Rar),
    (b"PAR1", Format::Parquet),
    (b"PARE", Format::Parquet),
    (b"ARROW1", Format::Arrow),
    (b"SQLite format 3\x00", Format::Sqlite),
    (b"RDX2\n", Format::RData),
    (b"RDX3\n", Format::RData),
    (b"RDA2\n", Format::RData),
    (b"RDA3\n", Format::RData),
    (b"RDB2\n", Format::RData),
    (b"RDB3\n", Format::RData),
    (b"X\n\0\0\0\x02\0", Format::RData),
    (b"X\n\0\0\0\x03\0", Format::RData),
    (b"B\n\x02\0\0\0", Format::RData),
    (b"B\n\x03\0\0\0", Format::RData),
    (b"CBM1", Format::CatBoost),
    (b"binf", Format::XgboostBinary),
    (b"bs64\t", Format::XgboostBinary),
    (b"tree\nversion=", Format::LightGbm),
    (b"tree\r\nversion=", Format::LightGbm),
    (b"\x7fELF", Format::Elf),
    (b"MZqFpD", Format::Llamafile),
    (b"\xfe\xed\xfa\xce", Format::MachO),
    (b"\xfe\xed\xfa\xcf", Format::MachO),
    (b"\xce\xfa\xed\xfe", Format::MachO),
    (b"\xcf\xfa\xed\xfe", Format::MachO),
    (b"\xac\xed\x00\x05", Format::JavaObjects),
    (b"\0asm", Format::Wasm),
    (b"dex\n03", Format::Dex),
    (b"dex\n04", Format::Dex),
    (b"\x4c\0\0\0\x01\x14\x02\0\0\0\0\0\xc0\0\0\0", Format::ShellLink),
    (b"\x89PNG\r\n\x1a\n", Format::Png),
    (b"\xff\xd8\xff", Format::Jpeg),
    (b"GIF87a", Format::Gif),
    // XML in letters of two bytes.
    (b"\xff\xfe<\0", Format::Xml),
    (b"\xfe\xff\0<", Format::Xml),
    (b"<\0?\0", Format::Xml),
    (b"\0<\0?", Format::Xml),
    (b"<\0!\0", Format::Xml),
    (b"\0<\0!", Format::Xml),
    (b"GIF89a", Format::Gif),
];

/// A safetensors header may not be longer.
const MAX_SAFETENSORS_HEADER: u64 = 100_000_000;
/// The first version of a Java class file; the number of parts of a fat Mach-O file lies at the same place.
const FIRST_JAVA: u32 = 45;
/// R 1.4.0 as it writes its own version.
const FIRST_R: u32 = 0x1_04_00;

/// By the first bytes.
pub(super) fn by_magic(head: &[u8], size: u64) -> Option<Format> {
    if head.is_empty() {
        return Some(Format::Empty);
    }
    if let Some((_, format)) = MAGIC.iter().find(|(magic, _)| head.starts_with(magic)) {
        return Some(*format);
    }
    let format = match head {
        // Two letters are little; but nothing else that has them has a header at the place named behind them.
        [b'M', b'Z', ..] if is_pe(head) => Format::Pe,
        [0xca, 0xfe, 0xba, 0xbe, rest @ ..] => {
            let count = rest.first_chunk::<4>().map_or(0, |count| u32::from_be_bytes(*count));
            if count < FIRST_JAVA { Format::MachO } else { Format::JavaClass }
        }
        [_, _, _, _, b'T', b'F', b'L', b'3', ..] => Format::Tflite,
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Format::Webp,
        [low, high, b'\r', b'\n', ..] if is_python(u16::from_le_bytes([*low, *high])) => Format::PythonBytecode,
        // A version follows, which is a small number in either byte order; text is none.
        [b'G', b'G', b'U', b'F', version @ ..] if version.iter().take(4).any(|byte| *byte == 0) => Format::Gguf,
        _ if is_code(head, size) => Format::PythonBytecode,
        _ if is_mat(head) => Format::Mat,
        _ if is_torch7(head) => Format::Torch7,
        _ if is_ruby(head) => Format::RubyObjects,
        _ if is_php(head) => Format::PhpObjects,
        _ if is_safetensors(head, size) => Format::Safetensors,
        _ if is_r_text(head) => Format::RData,
        _ if Npy::matches(head) => Format::Npy,
        _ if is_ubjson(head) => Format::Ubjson,
        _ if is_msgpack(head) => Format::Msgpack,
        _ => return None,
    };
    Some(format)
}

/// The length of a header in JSON, and its first letter.
pub(super) fn is_safetensors(head: &[u8], size: u64) -> bool {
    let (Some(length), Some(b'{')) = (head.first_chunk::<8>(), head.get(8)) else { return false };
    let length = u64::from_le_bytes(*length);
    (2..=MAX_SAFETENSORS_HEADER).contains(&length) && length.saturating_add(8) <= size
}

/// R's serialization as text: the versions of the form, of R, and of the oldest R that reads it, a number a line. The
/// first two lines alone could be a table with one column.
fn is_r_text(head: &[u8]) -> bool {
    let Some(rest) = head.strip_prefix(b"A\n") else { return false };
    let mut lines = rest.split(|byte| *byte == b'\n');
    let mut number = |least: u32| {
        let line = lines.next().and_then(|line| std::str::from_utf8(line).ok());
        line.and_then(|line| line.trim_end().parse().ok()).is_some_and(|number: u32| number >= least)
    };
    number(2) && number(FIRST_R) && number(FIRST_R)
}

/// Programs for Windows have the place of their second header at 0x3c; what is cut off or for DOS has binary bytes there.
fn is_pe(head: &[u8]) -> bool {
    let Some(place) = head.get(0x3c..).and_then(|place| place.first_chunk::<4>()) else {
        return head.get(2..).is_some_and(|rest| rest.contains(&0));
    };
    match head.get(usize::try_from(u32::from_le_bytes(*place)).unwrap_or(usize::MAX)..) {
        Some(header) => header.starts_with(b"PE\0\0") || head.get(3) == Some(&0),
        None => head.iter().take(0x40).any(|byte| *byte == 0),
    }
}

/// The numbers that compiled Python begins with: 1.5 to 2.7, then 3.0 and up.
const fn is_python(magic: u16) -> bool {
    matches!(magic, 20121 | 50428 | 50823 | 60202 | 60717 | 62011..=62211 | 3000..=3999)
}

/// A code object as `marshal` writes it, which may be marked for references: counts and flags, then the bytes of the code.
/// Python 2 has four numbers before them, the first versions of Python 3 five, those of 3.8 to 3.10 six, later ones five.
fn is_code(head: &[u8], size: u64) -> bool {
    let [b'c' | 0xe3, numbers @ ..] = head else { return false };
    let number = |place: usize| {
        numbers.get(place * 4..).and_then(|rest| rest.first_chunk::<4>()).map(|bytes| u32::from_le_bytes(*bytes))
    };
    (4..=6).any(|count| {
        let kind = numbers.get(count * 4);
        let length = numbers.get(count * 4 + 1..).and_then(|rest| rest.first_chunk::<4>());
        let length = length.map_or(0, |length| u64::from(u32::from_le_bytes(*length)));
        // Arguments, sizes of the stack; the last is a set of flags.
        let is_small = (0..count - 1).all(|place| number(place).is_some_and(|number| number < 1 << 16));
        matches!(kind, Some(b's' | 0xf3)) && is_small && (2..size).contains(&length)
    })
}

/// A table whose first key has a length and letters, or that says its type or count.
fn is_ubjson(head: &[u8]) -> bool {
    let [b'{', rest @ ..] = head else { return false };
    let (length, key) = match rest {
        [b'i' | b'U', length, key @ ..] => (u64::from(*length), key),
        [b'I', a, b, key @ ..] => (u64::from(u16::from_be_bytes([*a, *b])), key),
        [b'l', a, b, c, d, key @ ..] => (u64::from(u32::from_be_bytes([*a, *b, *c, *d])), key),
        [b'L', a, b, c, d, e, f, g, h, key @ ..] => (u64::from_be_bytes([*a, *b, *c, *d, *e, *f, *g, *h]), key),
        [b'$', kind, b'#', ..] => return kind.is_ascii_alphabetic(),
        [b'#', b'i' | b'U' | b'I' | b'l' | b'L', ..] => return true,
        _ => return false,
    };
    is_word(key, length)
}

/// A table whose first key is a text.
fn is_msgpack(head: &[u8]) -> bool {
    let rest = match head {
        [0x81..=0x8f, rest @ ..] => rest,
        [0xde, high, low, rest @ ..] if (*high, *low) != (0, 0) => rest,
        [0xdf, a, b, c, d, rest @ ..] if (*a, *b, *c, *d) != (0, 0, 0, 0) => rest,
        _ => return false,
    };
    match rest {
        [short @ 0xa1..=0xbf, key @ ..] => is_word(key, u64::from(short - 0xa0)),
        [0xd9, length, key @ ..] => is_word(key, u64::from(*length)),
        [0xda, high, low, key @ ..] => is_word(key, u64::from(u16::from_be_bytes([*high, *low]))),
        _ => false,
    }
}

/// Whether so many bytes are the letters of a key.
fn is_word(key: &[u8], length: u64) -> bool {
    let key = usize::try_from(length).ok().and_then(|length| key.get(..length));
    key.is_some_and(|key| !key.is_empty() && std::str::from_utf8(key).is_ok_and(|key| !key.contains(char::is_control)))
}
