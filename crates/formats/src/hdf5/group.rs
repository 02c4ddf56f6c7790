use super::cursor::Cursor;
use super::header::{LINK, LINK_INFO, Message, SYMBOL_TABLE};
use super::heap::FractalHeap;
use super::store::Store;
use super::{Hdf5Error, btree};

/// Deepest tree of a group.
const MAX_DEPTH: u8 = 16;

/// What a name in a group leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// An object of the file, by its address.
    Object(u64),
    /// A path in the file.
    Soft(String),
    /// An object of another file.
    External {
        /// The other file.
        file: String,
        /// The path in it.
        path: String,
    },
    /// A kind that a program must register.
    UserDefined(u8),
}

/// Goes through the links of an object, in whatever form they are kept.
pub(super) fn links(
    store: &Store<'_>,
    messages: &[Message],
    see: &mut dyn FnMut(String, Target) -> Result<(), Hdf5Error>,
) -> Result<(), Hdf5Error> {
    let broken = || Hdf5Error::Broken("a group");
    for message in messages {
        match message.kind {
            LINK => {
                let (name, target) = link(store, &message.body).ok_or_else(broken)?;
                see(name, target)?;
            }
            LINK_INFO => dense(store, &message.body, see)?,
            SYMBOL_TABLE => {
                let mut cursor = Cursor::new(&message.body);
                let tree = store.offset(&mut cursor).ok_or_else(broken)?;
                let heap = store.offset(&mut cursor).ok_or_else(broken)?;
                let names = local_heap(store, heap)?;
                symbols(store, tree, &names, MAX_DEPTH, see)?;
            }
            _ => {}
        }
    }
    Ok(())
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn link(store: &Store<'_>, body: &[u8]) -> Option<(String, Target)> {
    let mut cursor = Cursor::new(body);
    let version = cursor.byte()?;
    let flags = cursor.byte()?;
    let kind = if flags & 8 != 0 { cursor.byte()? } else { 0 };
    if flags & 4 != 0 {
        cursor.skip(8)?;
    }
    if flags & 0x10 != 0 {
        cursor.skip(1)?;
    }
    let length = cursor.length(1 << (flags & 3))?;
    let name = text(cursor.take(length)?);
    let target = match (version, kind) {
        (1, 0) => Target::Object(store.offset(&mut cursor)?),
        (1, 1) => {
            let length = cursor.length(2)?;
            Target::Soft(text(cursor.take(length)?))
        }
        (1, 64) => {
            let length = cursor.length(2)?;
            let mut value = Cursor::new(cursor.take(length)?);
            value.skip(1)?;
            let file = text(value.text()?);
            // The path may lack the zero behind it.
            let path = value.text().unwrap_or(value.rest());
            Target::External { file, path: text(path) }
        }
        (1, kind) => Target::UserDefined(kind),
        _ => return None,
    };
    Some((name, target))
}

fn dense(
    store: &Store<'_>,
    body: &[u8],
    see: &mut dyn FnMut(String, Target) -> Result<(), Hdf5Error>,
) -> Result<(), Hdf5Error> {
    let broken = || Hdf5Error::Broken("a group");
    let mut cursor = Cursor::new(body);
    cursor.skip(1).ok_or_else(broken)?;
    let flags = cursor.byte().ok_or_else(broken)?;
    if flags & 1 != 0 {
        cursor.skip(8).ok_or_else(broken)?;
    }
    let heap = store.offset(&mut cursor).ok_or_else(broken)?;
    let index = store.offset(&mut cursor).ok_or_else(broken)?;
    if store.is_undefined(heap) {
        return Ok(());
    }
    let heap = FractalHeap::open(store, heap)?;
    for record in btree::records(store, index)? {
        // A hash of the name, then the place.
        let object = heap.object(record.get(4..).ok_or_else(broken)?)?;
        let (name, target) = link(store, &object).ok_or_else(broken)?;
        see(name, target)?;
    }
    Ok(())
}

/// The bytes of names of a group of the first version.
pub(super) fn local_heap(store: &Store<'_>, address: u64) -> Result<Vec<u8>, Hdf5Error> {
    let broken = || Hdf5Error::Broken("a heap of names");
    let head = store.read(address, 8 + 2 * store.length_width as u64 + store.offset_width as u64)?;
    let mut cursor = Cursor::new(&head);
    cursor.expect(b"HEAP\0").and_then(|()| cursor.skip(3)).ok_or_else(broken)?;
    let size = store.length(&mut cursor).ok_or_else(broken)?;
    store.length(&mut cursor).ok_or_else(broken)?;
    let place = store.offset(&mut cursor).ok_or_else(broken)?;
    store.read(place, size)
}

/// The text at `offset` of a heap of names.
pub(super) fn name_at(names: &[u8], offset: usize) -> Option<String> {
    Cursor::new(names.get(offset..)?).text().map(text)
}

fn symbols(
    store: &Store<'_>,
    address: u64,
    names: &[u8],
    depth: u8,
    see: &mut dyn FnMut(String, Target) -> Result<(), Hdf5Error>,
) -> Result<(), Hdf5Error> {
    let broken = || Hdf5Error::Broken("a group");
    let head = store.read_up_to(address, 8)?;
    let mut cursor = Cursor::new(&head);
    if head.starts_with(b"SNOD\x01") {
        cursor.skip(6).ok_or_else(broken)?;
        let count = cursor.number(2).ok_or_else(broken)?;
        let size = 2 * store.offset_width as u64 + 24;
        let bytes = store.read(address, 8 + count * size)?;
        let mut entries = Cursor::new(bytes.get(8..).unwrap_or_default());
        for _ in 0..count {
            let (name, target) = symbol(store, &mut entries, names).ok_or_else(broken)?;
            see(name, target)?;
        }
        return Ok(());
    }
    cursor.expect(b"TREE\0").ok_or_else(broken)?;
    let _level = cursor.byte().ok_or_else(broken)?;
    let count = cursor.number(2).ok_or_else(broken)?;
    let Some(depth) = depth.checked_sub(1) else { return Err(Hdf5Error::Bound("depth of a group")) };
    let pair = (store.offset_width + store.length_width) as u64;
    let start = 8 + 2 * store.offset_width as u64;
    let bytes = store.read(address, start + count * pair)?;
    let mut cursor = Cursor::new(bytes.get(usize::try_from(start).unwrap_or_default()..).unwrap_or_default());
    for _ in 0..count {
        store.length(&mut cursor).ok_or_else(broken)?;
        let child = store.offset(&mut cursor).ok_or_else(broken)?;
        symbols(store, child, names, depth, see)?;
    }
    Ok(())
}

fn symbol(store: &Store<'_>, cursor: &mut Cursor<'_>, names: &[u8]) -> Option<(String, Target)> {
    let name = cursor.length(store.offset_width)?;
    let address = store.offset(cursor)?;
    let kind = cursor.number(4)?;
    cursor.skip(4)?;
    let mut scratch = Cursor::new(cursor.take(16)?);
    let name = name_at(names, name)?;
    let target = match kind {
        2 => Target::Soft(name_at(names, scratch.length(4)?)?),
        _ => Target::Object(address),
    };
    Some((name, target))
}
