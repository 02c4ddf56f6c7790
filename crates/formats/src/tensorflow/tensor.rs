use std::ops::Range;

use crate::message::{MessageError, Walk, varints};

/// Most texts of one tensor that are kept.
const MAX_TEXTS: usize = 256;
/// Longest text of a tensor or attribute that is kept.
const MAX_TEXT: u64 = 4096;
/// Dimensions that are looked at.
const MAX_DIMENSIONS: usize = 64;
/// The type of texts.
const STRING: u64 = 7;

/// What a constant is, without its numbers.
#[derive(Default)]
pub(super) struct Tensor {
    pub(super) kind: u64,
    pub(super) numbers: u64,
    pub(super) texts: Vec<String>,
    pub(super) is_cut: bool,
}

impl Tensor {
    pub(super) fn is_text(&self) -> bool {
        self.kind == STRING
    }

    /// A `TensorProto`.
    pub(super) fn read(walk: &mut Walk<'_>, range: Range<u64>) -> Result<Self, MessageError> {
        let mut tensor = Self { numbers: 1, ..Self::default() };
        let mut content = None;
        let mut texts = Vec::new();
        walk.each(range, |walk, field| {
            match field.number {
                1 => tensor.kind = field.varint()?,
                2 => {
                    for size in shape(walk, field.bytes()?)? {
                        tensor.numbers = tensor.numbers.saturating_mul(size.unwrap_or(1));
                    }
                }
                4 => content = Some(field.bytes()?),
                8 if texts.len() < MAX_TEXTS => texts.push(field.bytes()?),
                8 => tensor.is_cut = true,
                _ => {}
            }
            Ok(())
        })?;
        if tensor.is_text() {
            if let Some(content) = content {
                texts.extend(packed(walk, &content, tensor.numbers, &mut tensor.is_cut)?);
            }
            for range in texts {
                let text = text(walk, range, &mut tensor.is_cut)?;
                tensor.texts.push(text);
            }
        }
        Ok(tensor)
    }
}

/// A text of which the first part is kept.
pub(super) fn text(walk: &mut Walk<'_>, range: Range<u64>, is_cut: &mut bool) -> Result<String, MessageError> {
    *is_cut |= range.end.saturating_sub(range.start) > MAX_TEXT;
    let text = walk.start(range, MAX_TEXT)?;
    walk.keep(text.len() + 32)?;
    Ok(text)
}

/// Texts in `tensor_content`: all lengths, then all bytes.
fn packed(
    walk: &Walk<'_>,
    content: &Range<u64>,
    count: u64,
    is_cut: &mut bool,
) -> Result<Vec<Range<u64>>, MessageError> {
    let Some(count) = usize::try_from(count).ok().filter(|count| *count <= MAX_TEXTS) else {
        *is_cut = true;
        return Ok(Vec::new());
    };
    let lengths = walk.bytes(content.start..content.end.min(content.start + 10 * count as u64))?;
    let mut place = content.start;
    let mut seen = 0;
    for byte in &lengths {
        if seen == count {
            break;
        }
        place += 1;
        seen += usize::from(byte & 0x80 == 0);
    }
    let mut ranges = Vec::new();
    for length in varints(&lengths, count) {
        let end = place.saturating_add(length).min(content.end);
        ranges.push(place.min(end)..end);
        place = end;
    }
    Ok(ranges)
}

/// The sizes of a `TensorShapeProto`; none for one that is open.
pub(super) fn shape(walk: &mut Walk<'_>, range: Range<u64>) -> Result<Vec<Option<u64>>, MessageError> {
    let mut sizes = Vec::new();
    walk.each(range, |walk, field| {
        if field.number == 2 {
            let mut size = 0;
            walk.each(field.bytes()?, |_, field| {
                if field.number == 1 {
                    size = field.varint()?;
                }
                Ok(())
            })?;
            // -1 is a size that is not known.
            if sizes.len() < MAX_DIMENSIONS {
                sizes.push((size != u64::MAX).then_some(size));
            }
        }
        Ok(())
    })?;
    Ok(sizes)
}

/// The name of an element type.
#[must_use]
pub const fn data_type(number: u64) -> &'static str {
    match number {
        1 => "float32",
        2 => "float64",
        3 => "int32",
        4 => "uint8",
        5 => "int16",
        6 => "int8",
        7 => "string",
        8 => "complex64",
        9 => "int64",
        10 => "bool",
        11 => "qint8",
        12 => "quint8",
        13 => "qint32",
        14 => "bfloat16",
        15 => "qint16",
        16 => "quint16",
        17 => "uint16",
        18 => "complex128",
        19 => "float16",
        20 => "resource",
        21 => "variant",
        22 => "uint32",
        23 => "uint64",
        24 => "float8e5m2",
        25 => "float8e4m3fn",
        29 => "int4",
        30 => "uint4",
        _ => "unknown type",
    }
}
