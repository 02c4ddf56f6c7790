//! Protobuf's wire format, walked without a schema and without reading what a field holds: a graph of many gigabytes
//! costs what its fields cost, not what its tensors cost.
//!
//! The format is described at <https://protobuf.dev/programming-guides/encoding/>.

use std::io;
use std::ops::Range;

use sealyard_core::ReadAt;

/// Groups inside each other that are walked over.
const MAX_GROUPS: usize = 64;
/// Bytes that are read at once.
const WINDOW: usize = 512;

/// A field's value, or where it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// A number of variable length: all integers, booleans and enumerations.
    Varint(u64),
    /// Eight bytes: `fixed64` and `double`.
    Fixed64(u64),
    /// Four bytes: `fixed32` and `float`.
    Fixed32(u32),
    /// Where the bytes of a text, a message or a packed list lie in the source.
    Bytes(Range<u64>),
    /// Where a group lies: an old form, which readers of today's messages step over.
    Group(Range<u64>),
}

/// A field of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its number.
    pub number: u32,
    /// Where its tag lies in the source.
    pub offset: u64,
    /// Its value.
    pub value: Value,
}

impl Field {
    /// Where the field's bytes lie, if it has such.
    #[must_use]
    pub fn range(&self) -> Option<Range<u64>> {
        if let Value::Bytes(range) = &self.value { Some(range.clone()) } else { None }
    }
}

/// Bytes that are no message.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WireError {
    /// A field goes past the end of its message.
    #[error("the field at {0:#x} goes past the end of its message")]
    Truncated(u64),
    /// A tag without a number, or of a type that there is not.
    #[error("there is no field at {0:#x}")]
    Tag(u64),
    /// A number of more than ten bytes.
    #[error("the number at {0:#x} is too long")]
    Varint(u64),
    /// A group that does not end, or that is nested too deeply.
    #[error("the group at {0:#x} does not end")]
    Group(u64),
    /// Bytes below could not be read.
    #[error("the file could not be read")]
    Read(#[from] io::Error),
}

/// The fields of one message, in their order. It ends after the first error.
#[derive(Clone)]
pub struct Fields<'s> {
    source: &'s dyn ReadAt,
    place: u64,
    end: u64,
    window: Vec<u8>,
    window_start: u64,
    failed: bool,
}

impl std::fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fields").field("place", &self.place).field("end", &self.end).finish()
    }
}

impl<'s> Fields<'s> {
    /// The fields of a message that fills `source`.
    #[must_use]
    pub fn of(source: &'s dyn ReadAt) -> Self {
        Self::within(source, 0..source.size())
    }

    /// The fields of a message that lies at `range` of `source`.
    #[must_use]
    pub fn within(source: &'s dyn ReadAt, range: Range<u64>) -> Self {
        let end = range.end.min(source.size());
        Self { source, place: range.start, end, window: Vec::new(), window_start: 0, failed: false }
    }

    fn byte(&mut self) -> Result<u8, WireError> {
        if self.place >= self.end {
            return Err(WireError::Truncated(self.place));
        }
        let within = |window: &[u8], start: u64, place: u64| {
            usize::try_from(place.checked_sub(start)?).ok().and_then(|index| window.get(index).copied())
        };
        let byte = match within(&self.window, self.window_start, self.place) {
            Some(byte) => byte,
            None => {
                let length = usize::try_from(self.end - self.place).unwrap_or(WINDOW).min(WINDOW);
                self.window.resize(length, 0);
                self.source.read_exact_at(self.place, &mut self.window)?;
                self.window_start = self.place;
                *self.window.first().ok_or(WireError::Truncated(self.place))?
            }
        };
        self.place += 1;
        Ok(byte)
    }

    fn varint(&mut self) -> Result<u64, WireError> {
        let start = self.place;
        let mut value = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.byte()?;
            // Readers drop the bits above the 64th.
            value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(WireError::Varint(start))
    }

    fn little_endian(&mut self, width: u32) -> Result<u64, WireError> {
        (0..width).try_fold(0, |value, index| Ok(value | u64::from(self.byte()?) << (8 * index)))
    }

    fn tag(&mut self) -> Result<(u32, u64), WireError> {
        let start = self.place;
        let tag = self.varint()?;
        // A tag has 32 bits.
        let number = u32::try_from(tag).map_err(|_| WireError::Tag(start))? >> 3;
        if number == 0 { Err(WireError::Tag(start)) } else { Ok((number, tag & 7)) }
    }

    fn field(&mut self) -> Result<Field, WireError> {
        let offset = self.place;
        let (number, kind) = self.tag()?;
        let value = match kind {
            3 => {
                let start = self.place;
                self.skip_group(number, offset)?;
                Value::Group(start..self.place)
            }
            kind => self.value(kind, offset)?,
        };
        Ok(Field { number, offset, value })
    }

    fn value(&mut self, kind: u64, offset: u64) -> Result<Value, WireError> {
        Ok(match kind {
            0 => Value::Varint(self.varint()?),
            1 => Value::Fixed64(self.little_endian(8)?),
            2 => {
                let length = self.varint()?;
                let start = self.place;
                let end = start.checked_add(length).filter(|end| *end <= self.end);
                self.place = end.ok_or(WireError::Truncated(offset))?;
                Value::Bytes(start..self.place)
            }
            5 => Value::Fixed32(u32::try_from(self.little_endian(4)?).unwrap_or_default()),
            _ => return Err(WireError::Tag(offset)),
        })
    }

    fn skip_group(&mut self, number: u32, offset: u64) -> Result<(), WireError> {
        let mut open = vec![number];
        while let Some(innermost) = open.last().copied() {
            match self.tag()? {
                (inner, 3) if open.len() < MAX_GROUPS => open.push(inner),
                (inner, 4) if inner == innermost => {
                    open.pop();
                }
                (_, 3 | 4) => return Err(WireError::Group(offset)),
                (_, kind) => {
                    self.value(kind, offset)?;
                }
            }
        }
        Ok(())
    }
}

impl Iterator for Fields<'_> {
    type Item = Result<Field, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.place >= self.end {
            return None;
        }
        let field = self.field();
        self.failed = field.is_err();
        Some(field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(bytes: &[u8]) -> Result<Vec<(u32, Value)>, WireError> {
        Fields::of(&bytes.to_vec()).map(|field| field.map(|field| (field.number, field.value))).collect()
    }

    #[test]
    fn every_type_is_walked() {
        let bytes = b"\x08\x96\x01\x12\x03abc\x1d\x01\0\0\0\x21\x02\0\0\0\0\0\0\0\x2b\x08\x01\x33\x34\x2c\x30\0";
        let expected = [
            (1, Value::Varint(150)),
            (2, Value::Bytes(5..8)),
            (3, Value::Fixed32(1)),
            (4, Value::Fixed64(2)),
            (5, Value::Group(23..28)),
            (6, Value::Varint(0)),
        ];
        assert_eq!(fields(bytes).unwrap(), expected);
    }

    #[test]
    fn hostile_bytes_end_in_an_error() {
        for bytes in [
            &b"\x12\x05abc"[..],
            b"\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x00\x01",
            b"\x08",
            b"\x0f",
            b"\x0c",
            b"\x0b\x08\x01",
            b"\x0b\x14",
            b"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            b"\x80\x80\x80\x80\x80\x80\x80\x80\x01\x01",
        ] {
            assert!(fields(bytes).is_err(), "{}", bytes.escape_ascii());
        }
        assert!(fields(&[0x0b; 10_000]).is_err());
    }

    #[test]
    fn what_a_field_holds_is_not_read() {
        struct Sparse(Vec<u8>);
        impl ReadAt for Sparse {
            fn size(&self) -> u64 {
                1 << 40
            }
            fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
                assert!(offset < 1024, "the tensor is read");
                buffer.fill(0);
                let _ = self.0.read_at(offset, buffer)?;
                Ok(buffer.len())
            }
        }
        // A field of 2^40 - 9 bytes.
        let source = Sparse(b"\x08\x01\x12\xf7\xff\xff\xff\xff\x1f".to_vec());
        let fields: Vec<_> = Fields::of(&source).collect();
        assert_eq!(fields.len(), 2, "{fields:?}");
    }
}
