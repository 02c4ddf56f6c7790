use super::cursor::Cursor;
use super::datatype::{self, Class, Datatype};
use super::header::{self, ATTRIBUTE, ATTRIBUTE_INFO, Message};
use super::heap::FractalHeap;
use super::store::Store;
use super::{Hdf5Error, btree, product};

/// Most elements of an attribute in the global heap.
const MAX_ELEMENTS: u64 = 1 << 20;

/// An attribute of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// What its elements are.
    pub datatype: Datatype,
    /// The elements of texts and sequences, without the zeros or spaces that fill them up; of anything else all its bytes.
    pub items: Vec<Vec<u8>>,
}

impl Attribute {
    /// Its only text, if it is one.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match (&self.datatype.class, self.items.as_slice()) {
            (Class::Text | Class::VariableText, [item]) => std::str::from_utf8(item).ok(),
            _ => None,
        }
    }
}

/// The attributes of an object; what can't be read is told to `fault` by its name.
pub(super) fn attributes(
    store: &Store<'_>,
    messages: &[Message],
    fault: &mut dyn FnMut(Hdf5Error) -> Result<(), Hdf5Error>,
) -> Result<Vec<Attribute>, Hdf5Error> {
    let mut attributes = Vec::new();
    let mut add = |bytes: &[u8], fault: &mut dyn FnMut(Hdf5Error) -> Result<(), Hdf5Error>| match parse(store, bytes) {
        Ok(attribute) => {
            attributes.push(attribute);
            Ok(())
        }
        Err(error) => fault(error),
    };
    for message in messages {
        match message.kind {
            ATTRIBUTE if message.is_shared() => fault(Hdf5Error::Unsupported("shared attributes"))?,
            ATTRIBUTE => add(&message.body, fault)?,
            ATTRIBUTE_INFO => match dense(store, &message.body) {
                Ok(bodies) => bodies.iter().try_for_each(|body| add(body, fault))?,
                Err(error) => fault(error)?,
            },
            _ => {}
        }
    }
    Ok(attributes)
}

fn dense(store: &Store<'_>, body: &[u8]) -> Result<Vec<Vec<u8>>, Hdf5Error> {
    let broken = || Hdf5Error::Broken("attributes");
    let mut cursor = Cursor::new(body);
    cursor.skip(1).ok_or_else(broken)?;
    let flags = cursor.byte().ok_or_else(broken)?;
    if flags & 1 != 0 {
        cursor.skip(2).ok_or_else(broken)?;
    }
    let heap = store.offset(&mut cursor).ok_or_else(broken)?;
    let index = store.offset(&mut cursor).ok_or_else(broken)?;
    if store.is_undefined(heap) {
        return Ok(Vec::new());
    }
    let heap = FractalHeap::open(store, heap)?;
    let records = btree::records(store, index)?;
    records
        .iter()
        .map(|record| {
            // The place, then the message's flags.
            if record.get(8).is_some_and(|flags| flags & 2 != 0) {
                return Err(Hdf5Error::Unsupported("shared attributes"));
            }
            heap.object(record.get(..8).ok_or_else(broken)?)
        })
        .collect()
}

fn parse(store: &Store<'_>, body: &[u8]) -> Result<Attribute, Hdf5Error> {
    let broken = || Hdf5Error::Broken("an attribute");
    let mut cursor = Cursor::new(body);
    let version = cursor.byte().ok_or_else(broken)?;
    let flags = cursor.byte().ok_or_else(broken)?;
    let mut length = || cursor.length(2).ok_or_else(broken);
    let (name_length, type_length, space_length) = (length()?, length()?, length()?);
    if version == 3 {
        cursor.skip(1).ok_or_else(broken)?;
    }
    let fill = |length: usize| if version == 1 { length.next_multiple_of(8) } else { length };
    let name = cursor.take(fill(name_length)).ok_or_else(broken)?;
    let kind = cursor.take(fill(type_length)).ok_or_else(broken)?;
    let space = cursor.take(fill(space_length)).ok_or_else(broken)?;
    let has_flags = version > 1;
    if !(1..=3).contains(&version) || has_flags && flags & 2 != 0 {
        return Err(Hdf5Error::Unsupported("a form of attributes"));
    }
    let datatype = if has_flags && flags & 1 != 0 {
        committed(store, kind)?
    } else {
        Datatype::parse(kind).ok_or(Hdf5Error::Broken("a type"))?
    };
    let dimensions = datatype::dimensions(space, store.length_width).ok_or_else(broken)?;
    let count = dimensions.as_deref().map_or(Some(0), product).ok_or_else(broken)?;
    let items = items(store, &datatype, count, cursor.rest())?;
    let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
    Ok(Attribute { name: String::from_utf8_lossy(name).into_owned(), datatype, items })
}

/// The type of another object that a message points to.
pub(super) fn committed(store: &Store<'_>, body: &[u8]) -> Result<Datatype, Hdf5Error> {
    let address = header::shared_address(store, body)?;
    let messages = header::messages(store, address)?;
    let message = messages.iter().find(|message| message.kind == header::DATATYPE && !message.is_shared());
    message.and_then(|message| Datatype::parse(&message.body)).ok_or(Hdf5Error::Broken("a type"))
}

fn items(store: &Store<'_>, datatype: &Datatype, count: u64, data: &[u8]) -> Result<Vec<Vec<u8>>, Hdf5Error> {
    let broken = || Hdf5Error::Broken("an attribute");
    let size = usize::try_from(datatype.size).map_err(|_| broken())?;
    let total = usize::try_from(count).ok().and_then(|count| count.checked_mul(size)).ok_or_else(broken)?;
    let data = data.get(..total).ok_or_else(broken)?;
    match &datatype.class {
        Class::Text if size > 0 => Ok(data.chunks(size).map(|item| filled(item).to_vec()).collect()),
        Class::VariableText | Class::Sequence(_) if size > 0 => {
            if count > MAX_ELEMENTS {
                return Err(Hdf5Error::Bound("elements of an attribute"));
            }
            let width = match &datatype.class {
                Class::Sequence(inner) => u64::from(inner.size),
                _ => 1,
            };
            data.chunks(size)
                .map(|item| sequence(store, item, width).and_then(|item| item.ok_or_else(broken)))
                .collect()
        }
        _ => Ok(vec![data.to_vec()]),
    }
}

/// What is behind a place in the global heap; nothing for an empty one. None where the place is broken.
fn sequence(store: &Store<'_>, place: &[u8], width: u64) -> Result<Option<Vec<u8>>, Hdf5Error> {
    let mut cursor = Cursor::new(place);
    let (Some(count), Some(address), Some(index)) =
        (cursor.number(4), store.offset(&mut cursor), cursor.number(4).and_then(|index| u32::try_from(index).ok()))
    else {
        return Ok(None);
    };
    if address == 0 || store.is_undefined(address) || count == 0 {
        return Ok(Some(Vec::new()));
    }
    let mut object = store.heap_object(address, index)?;
    let length = count.checked_mul(width).and_then(|length| usize::try_from(length).ok());
    let Some(length) = length.filter(|length| *length <= object.len()) else { return Ok(None) };
    object.truncate(length);
    Ok(Some(object))
}

fn filled(item: &[u8]) -> &[u8] {
    let end = item.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    item.get(..end).unwrap_or_default()
}
