use super::Hdf5Error;
use super::cursor::Cursor;
use super::group;
use super::header::{EXTERNAL_FILES, LAYOUT, Message};
use super::store::Store;

/// Most files that one data set may lie in.
const MAX_FILES: u64 = 1000;

/// Where the elements of a data set are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Storage {
    /// In this file.
    Inside,
    /// In other files that hold nothing else.
    External(Vec<String>),
    /// In data sets of other files, or of this one; the first file is named.
    Virtual(String),
}

/// Where the elements are, as the messages of a data set say it.
pub(super) fn storage(store: &Store<'_>, messages: &[Message]) -> Result<Storage, Hdf5Error> {
    for message in messages {
        match message.kind {
            EXTERNAL_FILES => return external(store, &message.body).map(Storage::External),
            LAYOUT => {
                if let [version, 3, rest @ ..] = message.body.as_slice()
                    && *version >= 4
                {
                    return virtual_file(store, rest).map(Storage::Virtual);
                }
            }
            _ => {}
        }
    }
    Ok(Storage::Inside)
}

fn external(store: &Store<'_>, body: &[u8]) -> Result<Vec<String>, Hdf5Error> {
    let broken = || Hdf5Error::Broken("the list of external files");
    let mut cursor = Cursor::new(body);
    cursor.skip(6).ok_or_else(broken)?;
    let count = cursor.number(2).filter(|count| *count <= MAX_FILES).ok_or_else(broken)?;
    let heap = store.offset(&mut cursor).ok_or_else(broken)?;
    let names = group::local_heap(store, heap)?;
    (0..count)
        .map(|_| {
            let name = cursor.length(store.length_width).and_then(|place| group::name_at(&names, place));
            store.length(&mut cursor).and_then(|_| store.length(&mut cursor)).ok_or_else(broken)?;
            name.ok_or_else(broken)
        })
        .collect()
}

fn virtual_file(store: &Store<'_>, rest: &[u8]) -> Result<String, Hdf5Error> {
    let broken = || Hdf5Error::Broken("a virtual data set");
    let mut cursor = Cursor::new(rest);
    let address = store.offset(&mut cursor).ok_or_else(broken)?;
    let index = cursor.number(4).and_then(|index| u32::try_from(index).ok()).ok_or_else(broken)?;
    if store.is_undefined(address) || address == 0 {
        return Ok(String::new());
    }
    let object = store.heap_object(address, index)?;
    let mut cursor = Cursor::new(&object);
    cursor.skip(1 + store.length_width).ok_or_else(broken)?;
    cursor.text().map(|file| String::from_utf8_lossy(file).into_owned()).ok_or_else(broken)
}

/// Where the bytes of all elements are in one piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the header.
    Here(Vec<u8>),
    /// Elsewhere in the file.
    At { address: u64, length: u64 },
}

/// The piece in which all elements are; none for those in chunks, in other files, or never written.
pub(super) fn place(store: &Store<'_>, messages: &[Message]) -> Option<Place> {
    if messages.iter().any(|message| message.kind == EXTERNAL_FILES) {
        return None;
    }
    let layout = messages.iter().find(|message| message.kind == LAYOUT)?;
    let mut cursor = Cursor::new(&layout.body);
    // The first versions do not say the length.
    if !matches!(cursor.byte()?, 3..=5) {
        return None;
    }
    match cursor.byte()? {
        0 => {
            let length = cursor.length(2)?;
            cursor.take(length).map(|bytes| Place::Here(bytes.to_vec()))
        }
        1 => {
            let address = store.offset(&mut cursor)?;
            let length = store.length(&mut cursor)?;
            (!store.is_undefined(address)).then_some(Place::At { address, length })
        }
        _ => None,
    }
}
