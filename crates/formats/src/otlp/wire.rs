//! Protobuf's wire format.

use super::OtlpError;

/// A field's value as it lies in the bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wire<'a> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'a [u8]),
}

/// Reads the fields of one message. Lengths are looked at, never allocated.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

const CUT: OtlpError = OtlpError::Malformed("it is cut off");

impl<'a> Reader<'a> {
    pub(super) const fn new(message: &'a [u8]) -> Self {
        Self { rest: message }
    }

    /// The next field's number and value; `None` at the end.
    pub(super) fn field(&mut self) -> Result<Option<(u32, Wire<'a>)>, OtlpError> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let tag = self.varint()?;
        let number = u32::try_from(tag >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let number = number.ok_or(OtlpError::Malformed("a field has no number"))?;
        let value = match tag & 7 {
            0 => Wire::Varint(self.varint()?),
            1 => Wire::Fixed64(u64::from_le_bytes(self.array()?)),
            2 => {
                let length = usize::try_from(self.varint()?).map_err(|_| CUT)?;
                Wire::Bytes(self.take(length)?)
            }
            5 => Wire::Fixed32(u32::from_le_bytes(self.array()?)),
            _ => return Err(OtlpError::Malformed("a field has an unknown type")),
        };
        Ok(Some((number, value)))
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], OtlpError> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(CUT)?;
        self.rest = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], OtlpError> {
        self.take(N)?.try_into().map_err(|_| CUT)
    }

    fn varint(&mut self) -> Result<u64, OtlpError> {
        let mut value = 0u64;
        for shift in (0..70).step_by(7) {
            let [byte] = self.array()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(OtlpError::Malformed("a number is too long"))
    }
}

impl<'a> Wire<'a> {
    pub(super) fn bytes(self) -> Result<&'a [u8], OtlpError> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(OtlpError::Malformed("a field has another type")),
        }
    }

    pub(super) fn text(self) -> Result<&'a str, OtlpError> {
        std::str::from_utf8(self.bytes()?).map_err(|_| OtlpError::Malformed("a text is not UTF-8"))
    }

    pub(super) const fn fixed64(self) -> Result<u64, OtlpError> {
        match self {
            Self::Fixed64(value) => Ok(value),
            _ => Err(OtlpError::Malformed("a field has another type")),
        }
    }

    #[allow(clippy::cast_possible_wrap, reason = "protobuf's int64 is the two's complement")]
    pub(super) const fn integer(self) -> Result<i64, OtlpError> {
        match self {
            Self::Varint(value) => Ok(value as i64),
            _ => Err(OtlpError::Malformed("a field has another type")),
        }
    }
}
