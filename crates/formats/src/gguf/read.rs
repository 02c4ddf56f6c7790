use std::collections::BTreeSet;

use sealyard_core::ReadAt;

use super::{Entry, Gguf, GgufError, MAX_DEPTH, MAX_ENTRIES, MAX_ITEMS, MAX_KEPT, MAX_NAME, MAX_TEXT, Tensor, Value};
use crate::cursor::Cursor;

/// Most sizes of a tensor.
const MAX_SIZES: u32 = 4;
/// Flaws that are told.
const MAX_FLAWS: usize = 64;
/// Tensors begin at multiples of this where the metadata does not say otherwise.
const ALIGNMENT: u64 = 32;

pub(super) struct Reader<'s> {
    cursor: Cursor<'s>,
    size: u64,
    is_big_endian: bool,
    /// Whether lengths have eight bytes, as from version 2 on.
    is_wide: bool,
    kept: u64,
    items: u64,
    flaws: Vec<(u64, String)>,
}

type Result<T> = std::result::Result<T, GgufError>;

impl<'s> Reader<'s> {
    pub(super) fn new(source: &'s dyn ReadAt) -> Self {
        Self {
            cursor: Cursor::new(source, 4),
            size: source.size(),
            is_big_endian: false,
            is_wide: true,
            kept: 0,
            items: 0,
            flaws: Vec::new(),
        }
    }

    pub(super) fn read(mut self) -> Result<Gguf> {
        let mut version = self.u32()?;
        if version & 0xffff == 0 {
            self.is_big_endian = true;
            version = version.swap_bytes();
        }
        self.is_wide = match version {
            1 => false,
            2 | 3 => true,
            _ => return Err(GgufError::Version(version)),
        };
        let tensor_count = self.count("the number of tensors is more than the file has room for", 16)?;
        let entry_count = self.count("the number of entries is more than the file has room for", 8)?;
        let mut metadata = Vec::new();
        let mut keys = BTreeSet::new();
        for _ in 0..entry_count {
            let place = self.cursor.place();
            let key = self.name()?;
            if !keys.insert(key.clone()) {
                self.flaw(place, format!("the key {key:?} occurs twice"));
            }
            let offset = self.cursor.place();
            let kind = self.u32()?;
            let value = self.value(kind, 0)?;
            metadata.push(Entry { key, offset, value });
        }
        let mut tensors = Vec::new();
        for _ in 0..tensor_count {
            tensors.push(self.tensor()?);
        }
        let alignment = metadata.iter().find(|entry| entry.key == "general.alignment").map(|entry| &entry.value);
        let alignment = match alignment {
            None => ALIGNMENT,
            Some(Value::Integer(number)) if *number > 0 && *number <= 1 << 30 && (number & (number - 1)) == 0 => {
                u64::try_from(*number).unwrap_or(ALIGNMENT)
            }
            Some(other) => {
                self.flaw(0, format!("the alignment is {other:?}"));
                ALIGNMENT
            }
        };
        self.check(&tensors, alignment);
        Ok(Gguf { version, is_big_endian: self.is_big_endian, metadata, tensors, flaws: self.flaws })
    }

    fn tensor(&mut self) -> Result<Tensor> {
        let place = self.cursor.place();
        let name = self.name()?;
        let sizes = self.u32()?;
        if sizes > MAX_SIZES {
            return Err(GgufError::Lie(place, "a tensor has more sizes than there can be"));
        }
        let mut shape = Vec::new();
        for _ in 0..sizes {
            shape.push(self.length()?);
        }
        let kind = self.u32()?;
        let offset = self.u64()?;
        let tensor = Tensor { name, shape, kind, offset };
        if tensor.numbers().is_none_or(|numbers| numbers > i64::MAX as u64) {
            self.flaw(place, format!("the sizes of the tensor {:?} are more than can be counted", tensor.name));
        }
        Ok(tensor)
    }

    /// Tensors lie one behind another, within the file, each at its own place and under its own name.
    fn check(&mut self, tensors: &[Tensor], alignment: u64) {
        let start = self.cursor.place().next_multiple_of(alignment);
        let mut names = BTreeSet::new();
        let mut ranges = Vec::new();
        for tensor in tensors {
            if !names.insert(&*tensor.name) {
                self.flaw(start, format!("the name {:?} is that of two tensors", tensor.name));
            }
            if !tensor.offset.is_multiple_of(alignment) {
                self.flaw(start, format!("the tensor {:?} lies at no multiple of {alignment}", tensor.name));
            }
            // Of a type that is not known, the place alone can be told.
            let end = tensor.bytes().unwrap_or(0).checked_add(tensor.offset).and_then(|end| end.checked_add(start));
            if end.is_none_or(|end| end > self.size) {
                self.flaw(start, format!("the tensor {:?} goes past the end of the file", tensor.name));
            } else if let Some(bytes) = tensor.bytes().filter(|bytes| *bytes > 0) {
                ranges.push((tensor.offset, tensor.offset + bytes, &*tensor.name));
            }
        }
        ranges.sort_unstable();
        let mut last: Option<(u64, &str)> = None;
        for (from, to, name) in ranges {
            if let Some((end, before)) = last
                && from < end
            {
                self.flaw(start + from, format!("the tensors {before:?} and {name:?} overlap"));
            }
            if last.is_none_or(|(end, _)| to > end) {
                last = Some((to, name));
            }
        }
    }

    fn flaw(&mut self, offset: u64, what: String) {
        if self.flaws.len() < MAX_FLAWS {
            self.flaws.push((offset, what));
        }
    }

    fn value(&mut self, kind: u32, depth: usize) -> Result<Value> {
        let place = self.cursor.place();
        Ok(match kind {
            0 => Value::Integer(self.cursor.byte()?.into()),
            1 => Value::Integer(i8::from_le_bytes([self.cursor.byte()?]).into()),
            2 => Value::Integer(self.u16()?.into()),
            3 => Value::Integer(self.u16()?.cast_signed().into()),
            4 => Value::Integer(self.u32()?.into()),
            5 => Value::Integer(self.u32()?.cast_signed().into()),
            6 => Value::Float(f32::from_bits(self.u32()?).into()),
            7 => match self.cursor.byte()? {
                0 => Value::Boolean(false),
                1 => Value::Boolean(true),
                _ => return Err(GgufError::Lie(place, "a truth value is neither true nor false")),
            },
            8 => Value::Text(self.text(MAX_TEXT)?),
            9 => self.list(depth)?,
            10 => Value::Integer(self.u64()?.into()),
            11 => Value::Integer(self.u64()?.cast_signed().into()),
            12 => Value::Float(f64::from_bits(self.u64()?)),
            _ => return Err(GgufError::Lie(place, "a value has a type that there is not")),
        })
    }

    fn list(&mut self, depth: usize) -> Result<Value> {
        let place = self.cursor.place();
        if depth >= MAX_DEPTH {
            return Err(GgufError::Bound(place, "lists lie too deep in each other"));
        }
        let kind = self.u32()?;
        let count = self.length()?;
        let lie = GgufError::Lie(place, "a list goes past the end of the file");
        let each = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            10..=12 => 8,
            8 | 9 => {
                let least = if self.is_wide { 8 } else { 4 };
                if count.checked_mul(least).is_none_or(|bytes| bytes > self.size - self.cursor.place()) {
                    return Err(lie);
                }
                self.items = self.items.saturating_add(count);
                if self.items > MAX_ITEMS {
                    return Err(GgufError::Bound(place, "there are too many items"));
                }
                for _ in 0..count {
                    if kind == 9 {
                        self.list(depth + 1)?;
                    } else {
                        let length = self.length()?;
                        self.skip(length)?;
                    }
                }
                return Ok(Value::List { kind, count });
            }
            _ => return Err(GgufError::Lie(place, "a list has a type that there is not")),
        };
        self.cursor
            .skip(count.checked_mul(each).ok_or(GgufError::Lie(place, "a list is too long"))?)
            .map_err(|_| lie)?;
        Ok(Value::List { kind, count })
    }

    fn skip(&mut self, length: u64) -> Result<()> {
        let place = self.cursor.place();
        self.cursor.skip(length).map_err(|_| GgufError::Lie(place, "a text goes past the end of the file"))
    }

    fn name(&mut self) -> Result<String> {
        self.text(MAX_NAME)
    }

    fn text(&mut self, most: u64) -> Result<String> {
        let place = self.cursor.place();
        let length = self.length()?;
        if length > self.size.saturating_sub(self.cursor.place()) {
            return Err(GgufError::Lie(place, "a text goes past the end of the file"));
        }
        self.kept = self.kept.saturating_add(length);
        if length > most || self.kept > MAX_KEPT {
            return Err(GgufError::Bound(place, "a text is too long"));
        }
        let mut bytes = Vec::new();
        for _ in 0..length {
            bytes.push(self.cursor.byte()?);
        }
        Ok(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
    }

    /// A number of things that take at least `each` bytes.
    fn count(&mut self, lie: &'static str, each: u64) -> Result<u64> {
        let place = self.cursor.place();
        let count = self.length()?;
        if count.checked_mul(each).is_none_or(|bytes| bytes > self.size) {
            return Err(GgufError::Lie(place, lie));
        }
        if count > MAX_ENTRIES { Err(GgufError::Bound(place, "there are too many entries")) } else { Ok(count) }
    }

    fn length(&mut self) -> Result<u64> {
        if self.is_wide { self.u64() } else { Ok(self.u32()?.into()) }
    }

    fn bytes<const N: usize>(&mut self) -> Result<[u8; N]> {
        let place = self.cursor.place();
        if self.size.saturating_sub(place) < N as u64 {
            return Err(GgufError::Truncated(place));
        }
        let mut bytes = self.cursor.array::<N>()?;
        if self.is_big_endian {
            bytes.reverse();
        }
        Ok(bytes)
    }

    fn u16(&mut self) -> Result<u16> {
        self.bytes().map(u16::from_le_bytes)
    }

    fn u32(&mut self) -> Result<u32> {
        self.bytes().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64> {
        self.bytes().map(u64::from_le_bytes)
    }
}
