//! Thrift's compact protocol, walked without a schema, as far as Parquet's footers need it.
//!
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>

/// Structures and lists inside each other.
const MAX_DEPTH: usize = 32;

/// A field's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Value<'a> {
    Boolean(bool),
    Integer(i64),
    Bytes(&'a [u8]),
    /// The bytes from the list's header on; [`Reader::list`] reads it.
    List(&'a [u8]),
    /// The bytes of the structure, with its end.
    Structure(&'a [u8]),
    /// Anything else, which was stepped over.
    Other,
}

/// Bytes that are no value of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Broken;

/// Reads the fields of one structure.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    last: i64,
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(structure: &'a [u8]) -> Self {
        Self { rest: structure, last: 0 }
    }

    /// The next field; none at the structure's end.
    pub(crate) fn field(&mut self) -> Result<Option<(i64, Value<'a>)>, Broken> {
        self.field_at(0)
    }

    /// Whether nothing follows what was read.
    pub(crate) const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// The elements of a list.
    pub(crate) fn list(list: &'a [u8]) -> Result<Vec<Value<'a>>, Broken> {
        let mut reader = Self::new(list);
        let (kind, count) = reader.list_header()?;
        // Each element has a byte at least.
        let count = usize::try_from(count).ok().filter(|count| *count <= list.len()).ok_or(Broken)?;
        (0..count).map(|_| reader.element(kind, 0)).collect()
    }

    fn field_at(&mut self, depth: usize) -> Result<Option<(i64, Value<'a>)>, Broken> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        let number = match head >> 4 {
            0 => self.integer()?,
            delta => self.last.checked_add(delta.into()).ok_or(Broken)?,
        };
        self.last = number;
        let value = match head & 15 {
            1 => Value::Boolean(true),
            2 => Value::Boolean(false),
            kind => self.element(kind, depth)?,
        };
        Ok(Some((number, value)))
    }

    fn element(&mut self, kind: u8, depth: usize) -> Result<Value<'a>, Broken> {
        if depth > MAX_DEPTH {
            return Err(Broken);
        }
        let start = self.rest;
        let used = |rest: &[u8]| start.get(..start.len() - rest.len()).ok_or(Broken);
        Ok(match kind {
            // In a list, a boolean has a byte of its own.
            1 | 2 => Value::Boolean(self.byte()? == 1),
            3 => Value::Integer(i64::from(self.byte()?.cast_signed())),
            4..=6 => Value::Integer(self.integer()?),
            7 => {
                self.take(8)?;
                Value::Other
            }
            8 => {
                let length = usize::try_from(self.unsigned()?).map_err(|_| Broken)?;
                Value::Bytes(self.take(length)?)
            }
            9 | 10 => {
                let (kind, count) = self.list_header()?;
                for _ in 0..count {
                    self.element(kind, depth + 1)?;
                }
                Value::List(used(self.rest)?)
            }
            11 => {
                let count = self.unsigned()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                for _ in 0..count {
                    self.element(kinds >> 4, depth + 1)?;
                    self.element(kinds & 15, depth + 1)?;
                }
                Value::Other
            }
            12 => {
                let outer = std::mem::replace(&mut self.last, 0);
                while self.field_at(depth + 1)?.is_some() {}
                self.last = outer;
                Value::Structure(used(self.rest)?)
            }
            13 => {
                self.take(16)?;
                Value::Other
            }
            _ => return Err(Broken),
        })
    }

    fn list_header(&mut self) -> Result<(u8, u64), Broken> {
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.unsigned()? } else { u64::from(head >> 4) };
        Ok((head & 15, count))
    }

    fn byte(&mut self) -> Result<u8, Broken> {
        let (first, rest) = self.rest.split_first().ok_or(Broken)?;
        self.rest = rest;
        Ok(*first)
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Broken> {
        let (taken, rest) = self.rest.split_at_checked(length).ok_or(Broken)?;
        self.rest = rest;
        Ok(taken)
    }

    fn unsigned(&mut self) -> Result<u64, Broken> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Broken)
    }

    /// Zigzag.
    fn integer(&mut self) -> Result<i64, Broken> {
        let value = self.unsigned()?;
        Ok((value >> 1).cast_signed() ^ -((value & 1).cast_signed()))
    }
}
