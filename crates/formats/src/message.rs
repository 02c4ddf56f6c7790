//! Nested protobuf messages, walked within one set of bounds. The parsers of ONNX, TensorFlow, Core ML and SentencePiece
//! files are made of this.

use std::ops::Range;

use sealyard_core::ReadAt;

use crate::protobuf::{Field, Fields, Value, WireError};

/// Longest text that is read whole: a name or a path.
const MAX_TEXT: u64 = 64 << 10;

/// How much of a file's messages is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Most fields, of all messages together.
    pub fields: u64,
    /// Most bytes of names and texts that are kept.
    pub kept: u64,
    /// Messages inside each other.
    pub depth: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { fields: 20_000_000, kept: 32 << 20, depth: 200 }
    }
}

/// Why a file was not walked to its end.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MessageError {
    /// It is no message.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// It has too many fields.
    #[error("it has more fields than are looked at")]
    Fields,
    /// Its messages are nested too deeply.
    #[error("the messages at {0:#x} are nested too deeply")]
    Depth(u64),
    /// Its names and texts are too long together.
    #[error("its names and texts are longer than is looked at")]
    Kept,
    /// One name or text is too long.
    #[error("the text at {0:#x} is too long")]
    Text(u64),
    /// A field that must hold bytes holds a number, or the other way round.
    #[error("the field at {0:#x} has the wrong type")]
    Type(u64),
}

/// Walks messages, and counts what is looked at.
pub(crate) struct Walk<'s> {
    source: &'s dyn ReadAt,
    limits: Limits,
    depth: usize,
    fields: u64,
    kept: u64,
}

impl<'s> Walk<'s> {
    pub(crate) fn new(source: &'s dyn ReadAt, limits: Limits) -> Self {
        Self { source, limits, depth: 0, fields: 0, kept: 0 }
    }

    /// All of the source.
    pub(crate) fn whole(&self) -> Range<u64> {
        0..self.source.size()
    }

    /// How many fields were looked at.
    pub(crate) fn fields(&self) -> u64 {
        self.fields
    }

    /// Shows `see` each field of the message at `range`. One that has another type than it should is stepped over.
    pub(crate) fn each(
        &mut self,
        range: Range<u64>,
        mut see: impl FnMut(&mut Self, &Field) -> Result<(), MessageError>,
    ) -> Result<(), MessageError> {
        if self.depth >= self.limits.depth {
            return Err(MessageError::Depth(range.start));
        }
        self.depth += 1;
        let seen = self.walk(range, &mut see);
        self.depth -= 1;
        seen
    }

    fn walk(
        &mut self,
        range: Range<u64>,
        see: &mut impl FnMut(&mut Self, &Field) -> Result<(), MessageError>,
    ) -> Result<(), MessageError> {
        for field in Fields::within(self.source, range) {
            if self.fields >= self.limits.fields {
                return Err(MessageError::Fields);
            }
            self.fields += 1;
            match see(self, &field?) {
                // Readers step over it as over a field that they do not know.
                Err(MessageError::Type(_)) => {}
                seen => seen?,
            }
        }
        Ok(())
    }

    /// Where all fields with that number lie in the message at `range`: of a message that is there several times readers
    /// make one, of a text they take the last.
    pub(crate) fn all(&mut self, range: Range<u64>, number: u32) -> Result<Vec<Range<u64>>, MessageError> {
        let mut all = Vec::new();
        self.each(range, |walk, field| {
            if field.number == number {
                walk.keep(16)?;
                all.push(field.bytes()?);
            }
            Ok(())
        })?;
        Ok(all)
    }

    /// A name or path; what is no UTF-8 in it is replaced.
    pub(crate) fn text(&self, range: Range<u64>) -> Result<String, MessageError> {
        let length = range.end.saturating_sub(range.start);
        if length > MAX_TEXT { Err(MessageError::Text(range.start)) } else { self.start(range, MAX_TEXT) }
    }

    /// The first bytes of a text.
    pub(crate) fn start(&self, range: Range<u64>, most: u64) -> Result<String, MessageError> {
        let end = range.end.min(range.start.saturating_add(most));
        Ok(String::from_utf8_lossy(&self.bytes(range.start..end)?).into_owned())
    }

    /// Bytes, which the caller has bounded.
    pub(crate) fn bytes(&self, range: Range<u64>) -> Result<Vec<u8>, MessageError> {
        let length = usize::try_from(range.end.saturating_sub(range.start)).unwrap_or_default();
        let mut bytes = vec![0; length];
        self.source.read_exact_at(range.start, &mut bytes).map_err(WireError::Read)?;
        Ok(bytes)
    }

    /// Takes from what may be kept.
    pub(crate) fn keep(&mut self, bytes: usize) -> Result<(), MessageError> {
        self.kept = self.kept.saturating_add(bytes as u64);
        if self.kept > self.limits.kept { Err(MessageError::Kept) } else { Ok(()) }
    }

    /// The numbers of a repeated field, packed or not; at most `most` of them.
    pub(crate) fn numbers(&self, field: &Field, most: usize) -> Result<Vec<u64>, MessageError> {
        match &field.value {
            Value::Varint(number) => Ok(vec![*number]),
            Value::Bytes(range) => {
                // Packed numbers are what the fields of a message would be without their tags.
                let end = range.end.min(range.start.saturating_add(10 * most as u64));
                Ok(varints(&self.bytes(range.start..end)?, most))
            }
            _ => Err(MessageError::Type(field.offset)),
        }
    }
}

/// The first numbers of a packed list.
pub(crate) fn varints(bytes: &[u8], most: usize) -> Vec<u64> {
    let mut numbers = Vec::new();
    let (mut number, mut shift) = (0_u64, 0_u32);
    for byte in bytes {
        number |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if byte & 0x80 == 0 {
            numbers.push(number);
            (number, shift) = (0, 0);
            if numbers.len() == most {
                break;
            }
        }
    }
    numbers
}

impl Field {
    /// Where its bytes lie; an error for a number, which readers refuse or drop.
    pub(crate) fn bytes(&self) -> Result<Range<u64>, MessageError> {
        self.range().ok_or(MessageError::Type(self.offset))
    }

    /// Its number.
    pub(crate) fn varint(&self) -> Result<u64, MessageError> {
        if let Value::Varint(number) = self.value { Ok(number) } else { Err(MessageError::Type(self.offset)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn depth(walk: &mut Walk<'_>, range: Range<u64>) -> Result<(), MessageError> {
        walk.each(range, |walk, field| depth(walk, field.bytes()?))
    }

    #[test]
    fn nesting_and_counts_are_bounded() {
        let mut bytes = Vec::new();
        for _ in 0..100 {
            let mut outer = vec![0x0a];
            let mut length = bytes.len();
            while length >= 0x80 {
                outer.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
                length >>= 7;
            }
            outer.push(u8::try_from(length).unwrap());
            outer.extend(&bytes);
            bytes = outer;
        }
        let walk = |limits| {
            let mut walk = Walk::new(&bytes, limits);
            let range = walk.whole();
            depth(&mut walk, range)
        };
        let limits = Limits::default();
        assert!(walk(limits).is_ok());
        assert!(matches!(walk(Limits { depth: 100, ..limits }), Err(MessageError::Depth(_))));
        assert!(matches!(walk(Limits { fields: 99, ..limits }), Err(MessageError::Fields)));
    }

    #[test]
    fn packed_numbers_are_read_up_to_a_bound() {
        assert_eq!(varints(b"\x01\x96\x01\xff", 10), [1, 150]);
        assert_eq!(varints(&[1; 100], 3), [1, 1, 1]);
        assert_eq!(varints(&[0xff; 100], 3), [0_u64; 0]);
    }
}
