//! A bounded reader of HDF5's structure: groups, links, attributes, types and places of data sets, in all versions of
//! the form up to that of HDF5 1.14. The elements of data sets are never read.
//!
//! The form: <https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html>.

mod attribute;
mod btree;
mod cursor;
mod datatype;
mod group;
mod header;
mod heap;
mod storage;
mod store;

use std::collections::{HashSet, VecDeque};

use sealyard_core::ReadAt;

pub use attribute::Attribute;
pub use datatype::{Class, Datatype};
pub use group::Target;
pub use storage::Storage;

use cursor::Cursor;
use header::Message;
use store::Store;

const MAGIC: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// How much of a file is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hdf5Limits {
    /// Bytes of structure that are read; what is read twice counts twice.
    pub bytes: u64,
    /// Blocks of structure that are read.
    pub reads: u64,
    /// Bytes of texts and sequences in attributes.
    pub values: u64,
    /// Objects.
    pub objects: usize,
    /// Links, those to objects that were seen before included.
    pub links: usize,
    /// Things that could not be read, before the rest is left alone.
    pub faults: usize,
}

impl Default for Hdf5Limits {
    fn default() -> Self {
        Self { bytes: 1 << 30, reads: 5_000_000, values: 256 << 20, objects: 200_000, links: 1_000_000, faults: 100 }
    }
}

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Hdf5Error {
    /// No superblock at any of the places where one may be.
    #[error("it has no superblock")]
    NoSuperblock,
    /// The file ends before the place that its superblock names.
    #[error("it is cut off")]
    Truncated,
    /// The structure is broken at this thing.
    #[error("{0} is broken")]
    Broken(&'static str),
    /// A part of the form that is not supported.
    #[error("{0} are not supported")]
    Unsupported(&'static str),
    /// One of [`Hdf5Limits`], or a fixed bound, was met.
    #[error("it has too many {0}")]
    Bound(&'static str),
    /// The source could not be read.
    #[error("it could not be read: {0}")]
    Read(#[from] std::io::Error),
}

/// A name that leads out of the usual tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Its path.
    pub path: String,
    /// What it leads to; never an object.
    pub target: Target,
}

/// An object: a group, a data set, or a type that was given a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// The first path that led to it; `/` is the root.
    pub path: String,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
    /// What it is as a data set, if it is one.
    pub dataset: Option<Dataset>,
}

impl Object {
    /// The attribute of a name.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name == name)
    }
}

/// A data set, without its elements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dataset {
    /// What its elements are.
    pub datatype: Datatype,
    /// How many elements each dimension has; none if it has no elements at all.
    pub dimensions: Option<Vec<u64>>,
    /// Where the elements are.
    pub storage: Storage,
    /// Where their bytes are in one piece, if they are.
    place: Option<storage::Place>,
}

impl Dataset {
    /// How many elements it has.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.dimensions.as_deref().map_or(0, |dimensions| product(dimensions).unwrap_or(u64::MAX))
    }
}

/// The structure of a file.
pub struct Hdf5<'r> {
    store: Store<'r>,
    /// The version of its superblock.
    pub version: u8,
    /// All objects that can be reached from the root by their names.
    pub objects: Vec<Object>,
    /// All links that are not simply to an object.
    pub links: Vec<Link>,
    /// What could not be read, and where.
    pub faults: Vec<String>,
}

impl std::fmt::Debug for Hdf5<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hdf5")
            .field("version", &self.version)
            .field("objects", &self.objects)
            .field("links", &self.links)
            .field("faults", &self.faults)
            .finish_non_exhaustive()
    }
}

impl<'r> Hdf5<'r> {
    /// Reads the structure of `source`.
    ///
    /// # Errors
    /// What stops the whole look: no or a broken superblock, a bound, an error of reading. What concerns one object is in
    /// [`Hdf5::faults`].
    pub fn open(source: &'r dyn ReadAt, limits: &Hdf5Limits) -> Result<Self, Hdf5Error> {
        let base = superblock_place(source)?;
        let (version, root, store) = superblock(source, base, limits)?;
        let mut file = Self { store, version, objects: Vec::new(), links: Vec::new(), faults: Vec::new() };
        file.walk(root, limits)?;
        Ok(file)
    }

    /// The bytes of a data set's elements, if they lie in one piece of at most `limit` bytes.
    ///
    /// # Errors
    /// A bound, a place outside of the file, or an error of reading.
    pub fn elements(&self, dataset: &Dataset, limit: u64) -> Result<Option<Vec<u8>>, Hdf5Error> {
        match &dataset.place {
            Some(storage::Place::Here(bytes)) if bytes.len() as u64 <= limit => Ok(Some(bytes.clone())),
            Some(storage::Place::At { address, length }) if *length <= limit => {
                self.store.read(*address, *length).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// How many bytes the whole file has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.store.size()
    }

    /// Gives every object of the global heap to `visit`: the elements of texts and sequences of any length. The whole file
    /// is searched for them, so that no filter of a data set hides any.
    ///
    /// # Errors
    /// A bound, or an error of reading.
    pub fn search_heaps(&self, visit: &mut dyn FnMut(&[u8])) -> Result<(), Hdf5Error> {
        self.store.search_heaps(visit)
    }

    fn walk(&mut self, root: u64, limits: &Hdf5Limits) -> Result<(), Hdf5Error> {
        let mut seen = HashSet::from([root]);
        let mut pending = VecDeque::from([("/".to_owned(), root)]);
        let mut count = 0;
        while let Some((path, address)) = pending.pop_front() {
            if self.objects.len() >= limits.objects {
                return Err(Hdf5Error::Bound("objects"));
            }
            let messages = match header::messages(&self.store, address) {
                Ok(messages) => messages,
                Err(error) => {
                    self.fault(&path, error, limits)?;
                    continue;
                }
            };
            let mut links = Vec::new();
            let result = group::links(&self.store, &messages, &mut |name, target| {
                count += 1;
                if count > limits.links {
                    return Err(Hdf5Error::Bound("links"));
                }
                links.push((name, target));
                Ok(())
            });
            if let Err(error) = result {
                self.fault(&path, error, limits)?;
            }
            for (name, target) in links {
                let path = if path == "/" { format!("/{name}") } else { format!("{path}/{name}") };
                match target {
                    Target::Object(address) => {
                        if seen.insert(address) {
                            pending.push_back((path, address));
                        }
                    }
                    target => self.links.push(Link { path, target }),
                }
            }
            self.object(path, &messages, limits)?;
        }
        Ok(())
    }

    fn object(&mut self, path: String, messages: &[Message], limits: &Hdf5Limits) -> Result<(), Hdf5Error> {
        let mut faults = Vec::new();
        let attributes = attribute::attributes(&self.store, messages, &mut |error| {
            faults.push(error);
            if faults.len() > limits.faults { Err(Hdf5Error::Bound("faults")) } else { Ok(()) }
        })?;
        let dataset = match dataset(&self.store, messages) {
            Ok(dataset) => dataset,
            Err(error) => {
                faults.push(error);
                None
            }
        };
        for error in faults {
            self.fault(&path, error, limits)?;
        }
        self.objects.push(Object { path, attributes, dataset });
        Ok(())
    }

    /// Notes what concerns one object; gives back what concerns them all.
    fn fault(&mut self, path: &str, error: Hdf5Error, limits: &Hdf5Limits) -> Result<(), Hdf5Error> {
        if matches!(error, Hdf5Error::Read(_) | Hdf5Error::Bound(_)) {
            return Err(error);
        }
        if self.faults.len() >= limits.faults {
            return Err(Hdf5Error::Bound("faults"));
        }
        self.faults.push(format!("{path}: {error}"));
        Ok(())
    }
}

fn dataset(store: &Store<'_>, messages: &[Message]) -> Result<Option<Dataset>, Hdf5Error> {
    let find = |kind: u16| messages.iter().find(|message| message.kind == kind);
    let (Some(datatype), Some(space), Some(_)) =
        (find(header::DATATYPE), find(header::DATASPACE), find(header::LAYOUT))
    else {
        return Ok(None);
    };
    let datatype = if datatype.is_shared() {
        attribute::committed(store, &datatype.body)?
    } else {
        Datatype::parse(&datatype.body).ok_or(Hdf5Error::Broken("a type"))?
    };
    if space.is_shared() {
        return Err(Hdf5Error::Unsupported("shared dataspaces"));
    }
    let dimensions = datatype::dimensions(&space.body, store.length_width).ok_or(Hdf5Error::Broken("a dataspace"))?;
    let place = storage::place(store, messages);
    Ok(Some(Dataset { datatype, dimensions, storage: storage::storage(store, messages)?, place }))
}

/// The first of the places where readers look: the start, then 512 bytes and each doubling of that.
fn superblock_place(source: &dyn ReadAt) -> Result<u64, Hdf5Error> {
    let mut place = 0_u64;
    let mut magic = [0; MAGIC.len()];
    while place.checked_add(MAGIC.len() as u64).is_some_and(|end| end <= source.size()) {
        source.read_exact_at(place, &mut magic)?;
        if magic == *MAGIC {
            return Ok(place);
        }
        place = if place == 0 { 512 } else { place.saturating_mul(2) };
    }
    Err(Hdf5Error::NoSuperblock)
}

fn superblock<'r>(source: &'r dyn ReadAt, base: u64, limits: &Hdf5Limits) -> Result<(u8, u64, Store<'r>), Hdf5Error> {
    let broken = || Hdf5Error::Broken("the superblock");
    let mut head = vec![0; usize::try_from((source.size() - base).min(256)).unwrap_or_default()];
    source.read_exact_at(base, &mut head)?;
    let mut cursor = Cursor::new(&head);
    cursor.expect(MAGIC).ok_or_else(broken)?;
    let version = cursor.byte().ok_or_else(broken)?;
    let widths = match version {
        0 | 1 => {
            cursor.skip(4).ok_or_else(broken)?;
            let widths = (cursor.byte().ok_or_else(broken)?, cursor.byte().ok_or_else(broken)?);
            cursor.skip(if version == 0 { 9 } else { 13 }).ok_or_else(broken)?;
            widths
        }
        2 | 3 => {
            let widths = (cursor.byte().ok_or_else(broken)?, cursor.byte().ok_or_else(broken)?);
            cursor.skip(1).ok_or_else(broken)?;
            widths
        }
        _ => return Err(Hdf5Error::Unsupported("later superblocks")),
    };
    if !matches!(widths, (2 | 4 | 8, 2 | 4 | 8)) {
        return Err(broken());
    }
    let store = Store::new(source, base, widths, limits);
    // The base: readers take the place where they found the superblock instead. Then free space, or an extension.
    store.offset(&mut cursor).and_then(|_| store.offset(&mut cursor)).ok_or_else(broken)?;
    let end = store.offset(&mut cursor).ok_or_else(broken)?;
    if end > store.size() {
        return Err(Hdf5Error::Truncated);
    }
    if version < 2 {
        // The driver's block, and the offset of the root's name, which is empty.
        store.offset(&mut cursor).and_then(|_| store.offset(&mut cursor)).ok_or_else(broken)?;
    }
    let root = store.offset(&mut cursor).ok_or_else(broken)?;
    Ok((version, root, store))
}

/// How many elements dimensions make; none where a `u64` can't hold it.
fn product(dimensions: &[u64]) -> Option<u64> {
    dimensions.iter().try_fold(1_u64, |product, size| product.checked_mul(*size))
}

#[cfg(test)]
mod tests;
