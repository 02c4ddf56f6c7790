//! GGUF, the form of llama.cpp's models: a table of metadata, then tensors by name, place and type.
//!
//! <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>. Versions 1 to 3 in both byte orders; the numbers of the
//! tensors are never read.

mod read;
mod tensor;

use sealyard_core::ReadAt;

pub use tensor::Tensor;

/// Most entries of metadata and most tensors that are read.
const MAX_ENTRIES: u64 = 1 << 20;
/// Longest text that is kept; names may be as long as the format says.
const MAX_TEXT: u64 = 4 << 20;
/// Most bytes of texts that are kept in all.
const MAX_KEPT: u64 = 64 << 20;
/// Longest name of an entry or a tensor.
const MAX_NAME: u64 = 65_535;
/// Most items of lists that are stepped over.
const MAX_ITEMS: u64 = 64 << 20;
/// Lists inside each other.
const MAX_DEPTH: usize = 4;

/// A value of the metadata.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Integer(i128),
    /// A number with a fraction.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// A text, read as UTF-8.
    Text(String),
    /// A list; its items are stepped over.
    List {
        /// Number of the items' type.
        kind: u32,
        /// How many items there are.
        count: u64,
    },
}

/// An entry of the metadata.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Where its value begins.
    pub offset: u64,
    /// Its value.
    pub value: Value,
}

/// The head of a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Gguf {
    /// The form's version.
    pub version: u32,
    /// Whether numbers begin with their highest byte.
    pub is_big_endian: bool,
    /// The metadata in order.
    pub metadata: Vec<Entry>,
    /// The tensors in order.
    pub tensors: Vec<Tensor>,
    /// What is wrong with it, and where. Readers without checks read or write memory that is not theirs there.
    pub flaws: Vec<(u64, String)>,
}

/// A file that could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GgufError {
    /// It says what can not be: more items or longer texts than the file has bytes for, types that there are not.
    #[error("at {0:#x}: {1}")]
    Lie(u64, &'static str),
    /// It ends before its head does.
    #[error("at {0:#x}: the file ends within its head")]
    Truncated(u64),
    /// More than is read.
    #[error("at {0:#x}: {1}")]
    Bound(u64, &'static str),
    /// A version that is not known.
    #[error("the version {0} is not known")]
    Version(u32),
    /// The source could not be read.
    #[error("could not be read: {0}")]
    Io(#[from] std::io::Error),
}

impl Gguf {
    /// Reads the head of a file.
    ///
    /// # Errors
    /// Where the rest could not be made sense of.
    pub fn read(source: &dyn ReadAt) -> Result<Self, GgufError> {
        read::Reader::new(source).read()
    }

    /// The first value of a key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.metadata.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    /// The chat templates: every text that readers render, with its key and place.
    pub fn templates(&self) -> impl Iterator<Item = (&str, u64, &str)> {
        self.metadata.iter().filter_map(|entry| match &entry.value {
            Value::Text(text) if entry.key.contains("chat_template") => Some((&*entry.key, entry.offset, &**text)),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests;
