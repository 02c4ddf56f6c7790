//! FlatBuffers, read at their places and checked at each step.
//!
//! The format is described at <https://flatbuffers.dev/internals/>, and that of FlexBuffers at the same place.

use std::io;
use std::ops::Range;

use sealyard_core::ReadAt;

use crate::window::Window;

/// Longest text that is read.
const MAX_TEXT: u64 = 64 << 10;

/// Bytes that are no such buffer.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FlatError {
    /// A place points out of the buffer.
    #[error("what is named at {0:#x} lies outside of the buffer")]
    Outside(u64),
    /// A text is too long.
    #[error("the text at {0:#x} is too long")]
    Text(u64),
    /// There are too many elements.
    #[error("it has more elements than are looked at")]
    Elements,
    /// Options that are no list of texts.
    #[error("the options at {0:#x} can't be read")]
    Options(u64),
    /// Bytes below could not be read.
    #[error("the file could not be read")]
    Read(#[from] io::Error),
}

/// A buffer, and how many elements of it may still be looked at.
pub(crate) struct Flat<'s> {
    window: Window<'s>,
    left: u64,
}

/// A table in a buffer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Table {
    /// Where it lies.
    pub(crate) place: u64,
    fields: u64,
    size: u64,
}

/// A list in a buffer: where its first element lies, and how many there are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct List {
    pub(crate) start: u64,
    pub(crate) count: u64,
}

impl<'s> Flat<'s> {
    pub(crate) fn new(source: &'s dyn ReadAt, elements: u64) -> Self {
        Self { window: Window::new(source), left: elements }
    }

    /// How many more elements may be looked at.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    fn bytes<const N: usize>(&self, place: u64) -> Result<[u8; N], FlatError> {
        let mut bytes = [0; N];
        match self.window.read_exact_at(place, &mut bytes) {
            Ok(()) => Ok(bytes),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Err(FlatError::Outside(place)),
            Err(error) => Err(error.into()),
        }
    }

    pub(crate) fn u8(&self, place: u64) -> Result<u8, FlatError> {
        self.bytes(place).map(u8::from_le_bytes)
    }

    pub(crate) fn u32(&self, place: u64) -> Result<u32, FlatError> {
        self.bytes(place).map(u32::from_le_bytes)
    }

    pub(crate) fn i32(&self, place: u64) -> Result<i32, FlatError> {
        self.bytes(place).map(i32::from_le_bytes)
    }

    fn u16(&self, place: u64) -> Result<u16, FlatError> {
        self.bytes(place).map(u16::from_le_bytes)
    }

    pub(crate) fn u64(&self, place: u64) -> Result<u64, FlatError> {
        self.bytes(place).map(u64::from_le_bytes)
    }

    /// Takes from what may be looked at.
    pub(crate) fn spend(&mut self, elements: u64) -> Result<(), FlatError> {
        self.left = self.left.checked_sub(elements).ok_or(FlatError::Elements)?;
        Ok(())
    }

    /// The table that the buffer begins with.
    pub(crate) fn root(&mut self) -> Result<Table, FlatError> {
        self.table(0)
    }

    /// The table that is named at `place`.
    pub(crate) fn table(&mut self, place: u64) -> Result<Table, FlatError> {
        self.spend(1)?;
        let place = self.named(place)?;
        let fields = i64::try_from(place).ok().and_then(|start| start.checked_sub(i64::from(self.i32(place).ok()?)));
        let fields = fields.and_then(|fields| u64::try_from(fields).ok()).ok_or(FlatError::Outside(place))?;
        let size = u64::from(self.u16(fields)?);
        Ok(Table { place, fields, size })
    }

    /// Where a field of a table lies; none for one that has its default.
    pub(crate) fn field(&self, table: Table, index: u64) -> Result<Option<u64>, FlatError> {
        let slot = 4 + 2 * index;
        if slot + 2 > table.size {
            return Ok(None);
        }
        let offset = u64::from(self.u16(table.fields + slot)?);
        Ok((offset != 0).then_some(table.place + offset))
    }

    /// The list in a field, whose elements have `width` bytes; an empty one where there is none.
    pub(crate) fn list(&self, table: Table, index: u64, width: u64) -> Result<List, FlatError> {
        let Some(field) = self.field(table, index)? else { return Ok(List { start: 0, count: 0 }) };
        let place = self.named(field)?;
        let count = u64::from(self.u32(place)?);
        let start = place + 4;
        let fits = start.checked_add(count * width).is_some_and(|end| end <= self.window.size());
        if fits { Ok(List { start, count }) } else { Err(FlatError::Outside(field)) }
    }

    /// The text in a field, empty where there is none.
    pub(crate) fn text(&mut self, table: Table, index: u64) -> Result<String, FlatError> {
        let list = self.list(table, index, 1)?;
        if list.count > MAX_TEXT {
            return Err(FlatError::Text(list.start));
        }
        // The same bytes may be named any number of times.
        self.spend(1 + list.count / 16)?;
        let mut bytes = vec![0; usize::try_from(list.count).unwrap_or_default()];
        self.window.read_exact_at(list.start, &mut bytes)?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The tables of a list in a field.
    pub(crate) fn tables(&mut self, table: Table, index: u64) -> Result<Vec<Table>, FlatError> {
        let list = self.list(table, index, 4)?;
        let mut tables = Vec::new();
        for element in 0..list.count {
            tables.push(self.table(list.start + 4 * element)?);
        }
        Ok(tables)
    }

    /// The place that is named at `place`, counted from there.
    fn named(&self, place: u64) -> Result<u64, FlatError> {
        let named = place + u64::from(self.u32(place)?);
        if named < self.window.size() { Ok(named) } else { Err(FlatError::Outside(place)) }
    }

    /// Where the texts of a FlexBuffer lie that is a list of such and fills `range`.
    pub(crate) fn flex_texts(&self, range: Range<u64>) -> Result<Vec<Range<u64>>, FlatError> {
        self.flex(&range).ok_or(FlatError::Options(range.start))
    }

    fn flex(&self, range: &Range<u64>) -> Option<Vec<Range<u64>>> {
        /// Texts that are looked at.
        const MAX_TEXTS: u64 = 16;
        let width = u64::from(self.u8(range.end.checked_sub(1)?).ok()?);
        let kind = self.u8(range.end.checked_sub(2)?).ok()?;
        // A table, a list, or the old list of texts.
        if !matches!(kind >> 2, 9 | 10 | 15) || !matches!(width, 1 | 2 | 4 | 8) {
            return None;
        }
        let root = range.end.checked_sub(2 + width)?;
        let list = root.checked_sub(self.number(root, width)?)?;
        let width = 1 << (kind & 3);
        let count = self.number(list.checked_sub(width)?, width)?.min(MAX_TEXTS);
        let mut texts = Vec::new();
        for index in 0..count {
            let place = list.checked_add(index * width)?;
            // The kinds of all elements lie behind them. In the old list each is a text whose length is as wide as a place.
            let kind =
                if kind >> 2 == 15 { kind & 3 } else { self.u8(list.checked_add(count * width + index)?).ok()? };
            let start = place.checked_sub(self.number(place, width)?)?;
            let width = 1 << (kind & 3);
            let length = self.number(start.checked_sub(width)?, width)?;
            let end = start.checked_add(length).filter(|end| *end <= range.end)?;
            if start < range.start {
                return None;
            }
            texts.push(start..end);
        }
        Some(texts)
    }

    fn number(&self, place: u64, width: u64) -> Option<u64> {
        Some(match width {
            1 => u64::from(self.u8(place).ok()?),
            2 => u64::from(self.u16(place).ok()?),
            4 => u64::from(self.u32(place).ok()?),
            _ => self.u64(place).ok()?,
        })
    }
}
