use std::collections::BTreeMap;
use std::io;
use std::ops::Range;

use sealyard_core::ReadAt;

use super::tensor::shape;
use crate::message::{Limits, MessageError, Walk, varints};
use crate::window::Window;

/// Bytes of the record that ends the file, and of the number that ends that.
const FOOTER: u64 = 48;
const MAGIC: u64 = 8;
/// Bytes behind a block: how it is compressed, and a sum.
const TRAILER: u64 = 5;
/// Largest block that is read.
const MAX_BLOCK: u64 = 64 << 20;
/// Entries that are looked at.
const MAX_ENTRIES: u64 = 5_000_000;
/// Longest name of a tensor.
const MAX_KEY: usize = 1 << 16;

/// The index of a checkpoint, or a checkpoint of the first version: a sorted table as LevelDB has them.
///
/// The form is described at <https://github.com/google/leveldb/blob/main/doc/table_format.md>, the entries in
/// TensorFlow's `tensor_bundle.proto`.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Checkpoint {
    /// By element type: how many tensors, and how many numbers in them.
    pub tensors: BTreeMap<u64, (u64, u64)>,
    /// Files that the numbers lie in.
    pub shards: u64,
    /// Entries that were looked at.
    pub entries: u64,
}

/// What is no such table.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// A block lies outside of the file, or is too large.
    #[error("the block at {0:#x} is not in the file, or too large")]
    Block(u64),
    /// A block is compressed, which TensorFlow never does.
    #[error("the block at {0:#x} is compressed")]
    Compressed(u64),
    /// An entry goes past the end of its block.
    #[error("an entry of the block at {0:#x} goes past its end")]
    Entry(u64),
    /// There are too many entries.
    #[error("it has more entries than are looked at")]
    Entries,
    /// An entry is no message.
    #[error(transparent)]
    Message(#[from] MessageError),
    /// Bytes below could not be read.
    #[error("the file could not be read")]
    Read(#[from] io::Error),
}

impl Checkpoint {
    /// Reads an index.
    ///
    /// # Errors
    /// When it is no such table, or has more than is looked at.
    pub fn parse(source: &dyn ReadAt) -> Result<Self, CheckpointError> {
        let window = Window::new(source);
        let mut table = Table { source: &window, entries: 0 };
        let start = source.size().checked_sub(FOOTER).ok_or(CheckpointError::Block(0))?;
        let footer = table.bytes(start..source.size() - MAGIC)?;
        let [_, _, offset, size] = varints(&footer, 4).try_into().map_err(|_| CheckpointError::Block(start))?;
        let mut blocks = Vec::new();
        table.block(offset, size, &mut |_, value| {
            let handle = varints(value, 2);
            if let [offset, size] = handle.as_slice() {
                blocks.push((*offset, *size));
            }
            Ok(())
        })?;
        let mut checkpoint = Self::default();
        for (offset, size) in blocks {
            table.block(offset, size, &mut |key, value| {
                if key.is_empty() { checkpoint.header(value) } else { checkpoint.entry(value) }
            })?;
        }
        checkpoint.entries = table.entries;
        Ok(checkpoint)
    }

    /// `BundleHeaderProto`, or in the first version all that is known of the tensors.
    fn header(&mut self, value: &[u8]) -> Result<(), CheckpointError> {
        let mut walk = Walk::new(&value, Limits::default());
        let whole = walk.whole();
        walk.each(whole, |_, field| {
            if field.number == 1 {
                self.shards = field.varint()?;
            }
            Ok(())
        })?;
        Ok(())
    }

    /// `BundleEntryProto`.
    fn entry(&mut self, value: &[u8]) -> Result<(), CheckpointError> {
        let mut walk = Walk::new(&value, Limits::default());
        let (mut kind, mut numbers) = (0, 1_u64);
        let whole = walk.whole();
        walk.each(whole, |walk, field| {
            match field.number {
                1 => kind = field.varint()?,
                2 => {
                    for size in shape(walk, field.bytes()?)? {
                        numbers = numbers.saturating_mul(size.unwrap_or(1));
                    }
                }
                _ => {}
            }
            Ok(())
        })?;
        if kind != 0 {
            let (tensors, total) = self.tensors.entry(kind).or_default();
            (*tensors, *total) = (*tensors + 1, total.saturating_add(numbers));
        }
        Ok(())
    }
}

struct Table<'s> {
    source: &'s dyn ReadAt,
    entries: u64,
}

/// Sees an entry: its key and its value.
type See<'a> = dyn FnMut(&[u8], &[u8]) -> Result<(), CheckpointError> + 'a;

impl Table<'_> {
    fn bytes(&self, range: Range<u64>) -> Result<Vec<u8>, CheckpointError> {
        let is_inside = range.start <= range.end && range.end <= self.source.size();
        if !is_inside || range.end - range.start > MAX_BLOCK {
            return Err(CheckpointError::Block(range.start));
        }
        let mut bytes = vec![0; usize::try_from(range.end - range.start).unwrap_or_default()];
        self.source.read_exact_at(range.start, &mut bytes)?;
        Ok(bytes)
    }

    /// Shows the entries of a block.
    fn block(&mut self, offset: u64, size: u64, see: &mut See<'_>) -> Result<(), CheckpointError> {
        let end = offset.checked_add(size).and_then(|end| end.checked_add(TRAILER));
        let bytes = self.bytes(offset..end.ok_or(CheckpointError::Block(offset))?)?;
        let size = usize::try_from(size).unwrap_or_default();
        if bytes.get(size) != Some(&0) {
            return Err(CheckpointError::Compressed(offset));
        }
        // The block ends with places at which names are whole, and the count of these.
        let wrong = || CheckpointError::Entry(offset);
        let count = bytes.get(..size).and_then(|block| block.last_chunk::<4>()).map(|count| u32::from_le_bytes(*count));
        let places = 4 * (usize::try_from(count.ok_or_else(wrong)?).unwrap_or(usize::MAX).saturating_add(1)).min(size);
        let mut rest = size.checked_sub(places).and_then(|end| bytes.get(..end)).ok_or_else(wrong)?;
        let mut key: Vec<u8> = Vec::new();
        while !rest.is_empty() {
            self.entries += 1;
            if self.entries > MAX_ENTRIES {
                return Err(CheckpointError::Entries);
            }
            let (shared, more, length) = (number(&mut rest), number(&mut rest), number(&mut rest));
            let (Some(shared), Some(more), Some(length)) = (shared, more, length) else { return Err(wrong()) };
            let (Some(name), Some(behind)) = (rest.get(..more), rest.get(more..)) else { return Err(wrong()) };
            let (Some(value), Some(behind)) = (behind.get(..length), behind.get(length..)) else { return Err(wrong()) };
            if shared > key.len() || shared.saturating_add(more) > MAX_KEY {
                return Err(wrong());
            }
            key.truncate(shared);
            key.extend(name);
            see(&key, value)?;
            rest = behind;
        }
        Ok(())
    }
}

/// Takes a number of variable length.
fn number(rest: &mut &[u8]) -> Option<usize> {
    let end = rest.iter().take(10).position(|byte| byte & 0x80 == 0)? + 1;
    let (bytes, behind) = rest.split_at_checked(end)?;
    *rest = behind;
    usize::try_from(*varints(bytes, 1).first()?).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn block(entries: &[(&[u8], &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (key, value) in entries {
            bytes.extend([0, u8::try_from(key.len()).unwrap(), u8::try_from(value.len()).unwrap()]);
            bytes.extend(*key);
            bytes.extend(*value);
        }
        bytes.extend([0, 0, 0, 0, 1, 0, 0, 0]);
        bytes
    }

    fn table() -> Vec<u8> {
        // A header with one shard; a tensor of 2 times 3 numbers of 4 bytes.
        let data = block(&[(b"", b"\x08\x01"), (b"w", b"\x08\x01\x12\x08\x12\x02\x08\x02\x12\x02\x08\x03")]);
        let index = block(&[(b"x", &[0, u8::try_from(data.len()).unwrap()])]);
        let mut bytes = [&data[..], &[0; 5], &index, &[0; 5]].concat();
        let mut footer = vec![0, 0, u8::try_from(data.len() + 5).unwrap(), u8::try_from(index.len()).unwrap()];
        footer.resize(40, 0);
        bytes.extend(footer);
        bytes.extend(b"\x57\xfb\x80\x8b\x24\x75\x47\xdb");
        bytes
    }

    #[test]
    fn tensors_are_counted() {
        let checkpoint = Checkpoint::parse(&table()).unwrap();
        assert_eq!(checkpoint.tensors, BTreeMap::from([(1, (1, 6))]));
        assert_eq!((checkpoint.shards, checkpoint.entries), (1, 3));
    }

    #[test]
    fn what_is_cut_is_no_table() {
        let bytes = table();
        assert!(Checkpoint::parse(&bytes[1..].to_vec()).is_err());
        assert!(Checkpoint::parse(&vec![0xff; 100]).is_err());
        assert!(Checkpoint::parse(&Vec::new()).is_err());
    }

    proptest! {
        #[test]
        fn no_change_panics(place in 0..100_usize, byte: u8) {
            let mut bytes = table();
            if let Some(old) = bytes.get_mut(place) {
                *old = byte;
            }
            let _ = Checkpoint::parse(&bytes);
        }
    }
}
