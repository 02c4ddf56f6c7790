use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use sealyard_core::ReadAt;

use super::cursor::Cursor;
use super::{Hdf5Error, Hdf5Limits};

/// Largest block that is read at once.
const MAX_BLOCK: u64 = 256 << 20;
/// Bytes of heaps that are kept for the next use.
const MAX_KEPT: usize = 64 << 20;

/// A collection of the global heap: its bytes, and where its objects lie in them.
#[derive(Debug)]
pub(super) struct Collection {
    bytes: Vec<u8>,
    objects: HashMap<u16, Range<usize>>,
}

impl Collection {
    /// Reads a collection from its bytes, which begin with its signature.
    pub(super) fn parse(bytes: Vec<u8>, length_width: usize) -> Option<Self> {
        let mut objects = HashMap::new();
        let head = 8 + length_width;
        let mut place = head;
        loop {
            let mut cursor = Cursor::new(bytes.get(place..)?);
            let Some(index) = cursor.short() else { break };
            // Free space, or what is left at the end: there are no more objects.
            if index == 0 || cursor.skip(6).is_none() {
                break;
            }
            let size = cursor.length(length_width)?;
            let start = place + 8 + length_width;
            let end = start.checked_add(size)?;
            if end > bytes.len() {
                return None;
            }
            objects.insert(index, start..end);
            place = end.next_multiple_of(8).min(bytes.len());
        }
        Some(Self { bytes, objects })
    }

    pub(super) fn get(&self, index: u16) -> Option<&[u8]> {
        self.bytes.get(self.objects.get(&index)?.clone())
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        // The order of the file, whatever the table's own order is.
        let mut ranges: Vec<_> = self.objects.values().cloned().collect();
        ranges.sort_by_key(|range| range.start);
        ranges.into_iter().filter_map(|range| self.bytes.get(range))
    }
}

/// The file with the widths of its fields, and what may still be read of it.
pub(super) struct Store<'r> {
    source: &'r dyn ReadAt,
    base: u64,
    pub(super) offset_width: usize,
    pub(super) length_width: usize,
    bytes: Cell<u64>,
    reads: Cell<u64>,
    /// Bytes of elements that may still be handed out; many places may lead to one object.
    handed: Cell<u64>,
    kept: RefCell<(usize, HashMap<u64, Rc<Collection>>)>,
}

impl<'r> Store<'r> {
    pub(super) fn new(source: &'r dyn ReadAt, base: u64, widths: (u8, u8), limits: &Hdf5Limits) -> Self {
        Self {
            source,
            base,
            offset_width: usize::from(widths.0),
            length_width: usize::from(widths.1),
            bytes: Cell::new(limits.bytes),
            reads: Cell::new(limits.reads),
            handed: Cell::new(limits.values),
            kept: RefCell::new((0, HashMap::new())),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.source.size()
    }

    /// Whether an address stands for "none": all its bits are set.
    pub(super) fn is_undefined(&self, address: u64) -> bool {
        let bits = u32::try_from(self.offset_width * 8).unwrap_or(64);
        address == u64::MAX >> (64 - bits.clamp(8, 64))
    }

    /// An address, or a length, of a block at `cursor`.
    pub(super) fn offset(&self, cursor: &mut Cursor<'_>) -> Option<u64> {
        cursor.number(self.offset_width)
    }

    pub(super) fn length(&self, cursor: &mut Cursor<'_>) -> Option<u64> {
        cursor.number(self.length_width)
    }

    /// `length` bytes at `address`; an error when the file has not so many, before memory is taken for them.
    pub(super) fn read(&self, address: u64, length: u64) -> Result<Vec<u8>, Hdf5Error> {
        let start = self.base.checked_add(address).ok_or(Hdf5Error::Broken("an address"))?;
        let is_inside = start.checked_add(length).is_some_and(|end| end <= self.source.size());
        if !is_inside || self.is_undefined(address) {
            return Err(Hdf5Error::Broken("an address outside of the file"));
        }
        let (bytes, reads) = (self.bytes.get().checked_sub(length), self.reads.get().checked_sub(1));
        let (Some(bytes), Some(reads), true) = (bytes, reads, length <= MAX_BLOCK) else {
            return Err(Hdf5Error::Bound("bytes"));
        };
        self.bytes.set(bytes);
        self.reads.set(reads);
        let mut block = vec![0; usize::try_from(length).map_err(|_| Hdf5Error::Bound("bytes"))?];
        self.source.read_exact_at(start, &mut block)?;
        Ok(block)
    }

    /// Up to `length` bytes at `address`: fewer at the end of the file.
    pub(super) fn read_up_to(&self, address: u64, length: u64) -> Result<Vec<u8>, Hdf5Error> {
        let left = self.source.size().saturating_sub(self.base.saturating_add(address));
        self.read(address, length.min(left))
    }

    /// An object of the global heap.
    pub(super) fn heap_object(&self, address: u64, index: u32) -> Result<Vec<u8>, Hdf5Error> {
        let known = self.kept.borrow().1.get(&address).map(Rc::clone);
        let collection = match known {
            Some(collection) => collection,
            None => self.collection(address)?,
        };
        let index = u16::try_from(index).map_err(|_| Hdf5Error::Broken("the global heap"))?;
        let object = collection.get(index).ok_or(Hdf5Error::Broken("the global heap"))?;
        let left = self.handed.get().checked_sub(object.len() as u64).ok_or(Hdf5Error::Bound("bytes in attributes"))?;
        self.handed.set(left);
        Ok(object.to_vec())
    }

    fn collection(&self, address: u64) -> Result<Rc<Collection>, Hdf5Error> {
        let broken = || Hdf5Error::Broken("the global heap");
        let head = self.read(address, 8 + self.length_width as u64)?;
        let mut cursor = Cursor::new(&head);
        cursor.expect(b"GCOL\x01").and_then(|()| cursor.skip(3)).ok_or_else(broken)?;
        let size = self.length(&mut cursor).ok_or_else(broken)?;
        let bytes = self.read(address, size)?;
        let count = bytes.len();
        let collection = Rc::new(Collection::parse(bytes, self.length_width).ok_or_else(broken)?);
        let mut kept = self.kept.borrow_mut();
        if kept.0.saturating_add(count) > MAX_KEPT {
            *kept = (0, HashMap::new());
        }
        kept.0 += count;
        kept.1.insert(address, Rc::clone(&collection));
        Ok(collection)
    }

    /// Goes through the whole file for collections of the global heap, and gives each object in them to `visit`.
    pub(super) fn search_heaps(&self, visit: &mut dyn FnMut(&[u8])) -> Result<(), Hdf5Error> {
        const MAGIC: &[u8] = b"GCOL\x01";
        const BLOCK: u64 = 1 << 20;
        let mut place = self.base;
        while place < self.source.size() {
            let block = self.read_up_to(place - self.base, BLOCK)?;
            let found = block.windows(MAGIC.len()).position(|window| window == MAGIC);
            let Some(found) = found else {
                if block.len() < BLOCK as usize {
                    break;
                }
                // The signature may lie across the end of the block.
                place += (block.len() - MAGIC.len() + 1) as u64;
                continue;
            };
            let start = place + found as u64;
            match self.collection(start - self.base) {
                Ok(collection) => collection.iter().for_each(&mut *visit),
                Err(error @ (Hdf5Error::Bound(_) | Hdf5Error::Read(_))) => return Err(error),
                // These letters in other data.
                Err(_) => {}
            }
            // A collection in a collection is found too: the next search begins behind this signature only.
            place = start + MAGIC.len() as u64;
        }
        Ok(())
    }
}
