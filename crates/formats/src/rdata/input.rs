use super::RDataError;

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    /// As text, a number a line.
    Text,
    /// As a machine of the usual kind has them in memory: the lowest byte first.
    Native,
    /// In the network's order.
    Xdr,
}

/// Longest word of a number that is written as text.
const MAX_WORD: usize = 128;

/// The bytes of a serialization, read once from their beginning.
#[derive(Debug)]
pub(super) struct Input<'b> {
    bytes: &'b [u8],
    place: usize,
    encoding: Encoding,
}

impl<'b> Input<'b> {
    pub(super) fn new(bytes: &'b [u8], place: usize, encoding: Encoding) -> Self {
        Self { bytes, place, encoding }
    }

    pub(super) fn place(&self) -> u64 {
        self.place as u64
    }

    /// Whether nothing but white space of a text is left.
    pub(super) fn left(&self) -> usize {
        let rest = self.bytes.get(self.place..).unwrap_or_default();
        match self.encoding {
            Encoding::Text => rest.trim_ascii_start().len(),
            _ => rest.len(),
        }
    }

    fn take(&mut self, count: usize) -> Result<&'b [u8], RDataError> {
        let end = self.place.checked_add(count).ok_or(RDataError::Truncated)?;
        let taken = self.bytes.get(self.place..end).ok_or(RDataError::Truncated)?;
        self.place = end;
        Ok(taken)
    }

    /// The next word of a text.
    fn word(&mut self) -> Result<&'b [u8], RDataError> {
        let rest = self.bytes.get(self.place..).unwrap_or_default();
        let start = rest.iter().position(|byte| !byte.is_ascii_whitespace()).ok_or(RDataError::Truncated)?;
        let word = rest.get(start..).unwrap_or_default();
        let length = word.iter().take(MAX_WORD + 1).position(u8::is_ascii_whitespace).unwrap_or(word.len());
        if length > MAX_WORD {
            return Err(RDataError::Broken("a number"));
        }
        self.place += start + length;
        Ok(word.get(..length).unwrap_or_default())
    }

    pub(super) fn integer(&mut self) -> Result<i32, RDataError> {
        if self.encoding == Encoding::Text {
            let word = std::str::from_utf8(self.word()?).map_err(|_| RDataError::Broken("a number"))?;
            return if word == "NA" { Ok(i32::MIN) } else { word.parse().map_err(|_| RDataError::Broken("a number")) };
        }
        let bytes = self.take(4)?.first_chunk::<4>().ok_or(RDataError::Truncated)?;
        Ok(if self.encoding == Encoding::Native { i32::from_le_bytes(*bytes) } else { i32::from_be_bytes(*bytes) })
    }

    /// A count of elements, which may be given in two parts.
    pub(super) fn count(&mut self) -> Result<usize, RDataError> {
        let count = match self.integer()? {
            -1 => {
                let (high, low) = (self.integer()?, self.integer()?);
                i64::from(high) << 32 | i64::from(low.cast_unsigned())
            }
            count => i64::from(count),
        };
        usize::try_from(count).map_err(|_| RDataError::Broken("a length"))
    }

    /// Passes over numbers of `width` bytes; as text each is a word.
    pub(super) fn skip_numbers(&mut self, count: usize, width: usize) -> Result<(), RDataError> {
        if self.encoding == Encoding::Text {
            for _ in 0..count {
                self.word()?;
            }
            return Ok(());
        }
        self.take(count.checked_mul(width).ok_or(RDataError::Truncated)?).map(|_| ())
    }

    /// A text of `length` bytes; what has been escaped in the text form is read back.
    pub(super) fn text(&mut self, length: usize) -> Result<String, RDataError> {
        if self.encoding != Encoding::Text {
            return Ok(String::from_utf8_lossy(self.take(length)?).into_owned());
        }
        if length > 0 {
            let rest = self.bytes.get(self.place..).unwrap_or_default();
            let start = rest.iter().position(|byte| !byte.is_ascii_whitespace()).ok_or(RDataError::Truncated)?;
            self.place += start;
        }
        // Each byte takes at least one in the file, so no length allocates more than the file has.
        let mut text = Vec::with_capacity(length.min(self.bytes.len() - self.place));
        for _ in 0..length {
            text.push(self.escaped()?);
        }
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    fn escaped(&mut self) -> Result<u8, RDataError> {
        let byte = self.byte()?;
        if byte != b'\\' {
            return Ok(byte);
        }
        Ok(match self.byte()? {
            b'n' => b'\n',
            b't' => b'\t',
            b'v' => 0x0b,
            b'b' => 0x08,
            b'r' => b'\r',
            b'f' => 0x0c,
            b'a' => 0x07,
            digit @ b'0'..=b'7' => {
                let mut value = u32::from(digit - b'0');
                for _ in 0..2 {
                    let Some(digit @ b'0'..=b'7') = self.bytes.get(self.place) else { break };
                    value = value << 3 | u32::from(digit - b'0');
                    self.place += 1;
                }
                u8::try_from(value & 0xff).unwrap_or_default()
            }
            other => other,
        })
    }

    fn byte(&mut self) -> Result<u8, RDataError> {
        self.take(1)?.first().copied().ok_or(RDataError::Truncated)
    }
}
