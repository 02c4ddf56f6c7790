use std::collections::VecDeque;

use super::Hdf5Error;
use super::cursor::Cursor;
use super::store::Store;

/// Most messages of one object.
const MAX_MESSAGES: usize = 200_000;
/// Most blocks that one object's header is spread over.
const MAX_BLOCKS: usize = 10_000;

pub(super) const DATASPACE: u16 = 0x01;
pub(super) const LINK_INFO: u16 = 0x02;
pub(super) const DATATYPE: u16 = 0x03;
pub(super) const LINK: u16 = 0x06;
pub(super) const EXTERNAL_FILES: u16 = 0x07;
pub(super) const LAYOUT: u16 = 0x08;
pub(super) const ATTRIBUTE: u16 = 0x0c;
const CONTINUATION: u16 = 0x10;
pub(super) const SYMBOL_TABLE: u16 = 0x11;
pub(super) const ATTRIBUTE_INFO: u16 = 0x15;

/// One message of an object's header.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) kind: u16,
    flags: u8,
    pub(super) body: Vec<u8>,
}

impl Message {
    /// Whether the body only says where the message is.
    pub(super) fn is_shared(&self) -> bool {
        self.flags & 2 != 0
    }
}

struct Layout {
    is_second: bool,
    has_order: bool,
}

/// All messages of the object at `address`, those of continuations included.
pub(super) fn messages(store: &Store<'_>, address: u64) -> Result<Vec<Message>, Hdf5Error> {
    let broken = || Hdf5Error::Broken("an object header");
    let head = store.read_up_to(address, 64)?;
    let mut cursor = Cursor::new(&head);
    let (layout, start, size) = if head.starts_with(b"OHDR") {
        cursor.skip(4).ok_or_else(broken)?;
        if cursor.byte() != Some(2) {
            return Err(Hdf5Error::Unsupported("a version of object headers"));
        }
        let flags = cursor.byte().ok_or_else(broken)?;
        let times = if flags & 0x20 != 0 { 16 } else { 0 };
        let phases = if flags & 0x10 != 0 { 4 } else { 0 };
        cursor.skip(times + phases).ok_or_else(broken)?;
        let size = cursor.number(1 << (flags & 3)).ok_or_else(broken)?;
        (Layout { is_second: true, has_order: flags & 4 != 0 }, head.len() - cursor.rest().len(), size)
    } else {
        if cursor.byte() != Some(1) {
            return Err(Hdf5Error::Broken("an object header"));
        }
        cursor.skip(7).ok_or_else(broken)?;
        let size = cursor.number(4).ok_or_else(broken)?;
        // The messages begin at a multiple of eight bytes.
        (Layout { is_second: false, has_order: false }, 16, size)
    };
    let first = address.checked_add(start as u64).ok_or_else(broken)?;
    let mut pending = VecDeque::from([(first, size, false)]);
    let mut messages = Vec::new();
    let mut blocks = 0;
    while let Some((place, size, is_continued)) = pending.pop_front() {
        blocks += 1;
        if blocks > MAX_BLOCKS {
            return Err(Hdf5Error::Bound("blocks of a header"));
        }
        let bytes = store.read(place, size)?;
        let mut block = Cursor::new(&bytes);
        if is_continued && layout.is_second {
            // Signature before, checksum behind.
            block.expect(b"OCHK").ok_or_else(broken)?;
            let length = block.rest().len().checked_sub(4).ok_or_else(broken)?;
            block = Cursor::new(block.rest().get(..length).ok_or_else(broken)?);
        }
        while let Some(message) = message(&mut block, &layout) {
            if messages.len() >= MAX_MESSAGES {
                return Err(Hdf5Error::Bound("messages of a header"));
            }
            if message.kind == CONTINUATION {
                let mut body = Cursor::new(&message.body);
                let place = store.offset(&mut body).ok_or_else(broken)?;
                let size = store.length(&mut body).ok_or_else(broken)?;
                pending.push_back((place, size, true));
            } else {
                messages.push(message);
            }
        }
    }
    Ok(messages)
}

/// The next message; none at the end of the block, or where what is left is too small for one.
fn message(block: &mut Cursor<'_>, layout: &Layout) -> Option<Message> {
    let (kind, size, flags) = if layout.is_second {
        let kind = u16::from(block.byte()?);
        let size = block.short()?;
        let flags = block.byte()?;
        if layout.has_order {
            block.skip(2)?;
        }
        (kind, size, flags)
    } else {
        let kind = block.short()?;
        let size = block.short()?;
        let flags = block.byte()?;
        block.skip(3)?;
        (kind, size, flags)
    };
    let body = block.take(usize::from(size))?.to_vec();
    Some(Message { kind, flags, body })
}

/// Where the object is that holds a shared message.
pub(super) fn shared_address(store: &Store<'_>, body: &[u8]) -> Result<u64, Hdf5Error> {
    let broken = || Hdf5Error::Broken("a shared message");
    let mut cursor = Cursor::new(body);
    let version = cursor.byte().ok_or_else(broken)?;
    let kind = cursor.byte().ok_or_else(broken)?;
    match (version, kind) {
        (1, _) => cursor.skip(6).ok_or_else(broken)?,
        (2, _) | (3, 2) => {}
        _ => return Err(Hdf5Error::Unsupported("messages shared in a heap")),
    }
    store.offset(&mut cursor).ok_or_else(broken)
}
