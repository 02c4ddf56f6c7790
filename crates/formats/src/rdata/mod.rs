//! R's serialization, as `saveRDS` and `save` write it: versions 2 and 3, as XDR, native bytes and text.
//!
//! [`RData::read`] walks it once and keeps no values: only what could run, with the names that it calls, and what tells
//! what the file is. The form: <https://cran.r-project.org/doc/manuals/r-release/R-ints.html#Serialization-Formats>.

mod input;
mod walk;

use std::collections::BTreeMap;

use input::{Encoding, Input};

/// How much of a file is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RDataLimits {
    /// Values, and cells of lists.
    pub items: u64,
    /// Values inside each other.
    pub depth: usize,
    /// Pieces of code.
    pub codes: usize,
}

impl Default for RDataLimits {
    fn default() -> Self {
        Self { items: 50_000_000, depth: 256, codes: 200_000 }
    }
}

/// Why a file could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RDataError {
    /// It does not begin as R writes it.
    #[error("it is not what R writes")]
    NoHeader,
    /// It ends too early.
    #[error("it is cut off")]
    Truncated,
    /// This thing in it is broken.
    #[error("{0} is broken")]
    Broken(&'static str),
    /// One of [`RDataLimits`] was met.
    #[error("it has too many {0}")]
    Bound(&'static str),
    /// A kind of value that is unknown.
    #[error("the kind of value {0} is unknown")]
    UnknownType(u8),
}

/// What a piece of code is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeKind {
    /// Code whose value has not been asked for yet: to look at the value runs it.
    Promise {
        /// Whether it is a variable of an environment, as arguments that a function never looked at are.
        is_variable: bool,
    },
    /// A function.
    Function,
    /// A function that runs whenever the variable is looked at.
    ActiveBinding,
    /// A call or a formula that is kept as a value.
    Language,
}

/// A piece of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    /// What it is.
    pub kind: CodeKind,
    /// Where it begins in the serialization.
    pub offset: u64,
    /// The functions that it calls by their names, in order and once each.
    pub calls: Vec<String>,
    /// Other names and texts in it.
    pub words: Vec<String>,
    /// The variable of the file that holds it; empty if it is deeper, or has no name.
    pub variable: String,
}

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RData {
    /// The version of the form.
    pub version: i32,
    /// The version of R that wrote it, such as `4.2.2`.
    pub writer: String,
    /// Whether it is a workspace of variables, as `save` writes it.
    pub is_workspace: bool,
    /// The variables of a workspace, the first of them.
    pub variables: Vec<String>,
    /// The class of the value, or of each variable's value.
    pub root_classes: Vec<String>,
    /// All classes, and how often each occurs.
    pub classes: BTreeMap<String, u64>,
    /// How many numbers of each type there are in vectors, and in how many vectors.
    pub vectors: BTreeMap<&'static str, (u64, u64)>,
    /// Namespaces of packages that are loaded with it.
    pub namespaces: Vec<String>,
    /// Places that a program outside of R fills in.
    pub pointers: u64,
    /// All code.
    pub codes: Vec<Code>,
    /// How many values were passed over.
    pub items: u64,
    /// Bytes behind the end.
    pub trailing: u64,
}

impl RData {
    /// Walks through a serialization.
    ///
    /// # Errors
    /// Where it is broken, or goes over a bound.
    pub fn read(bytes: &[u8], limits: &RDataLimits) -> Result<Self, RDataError> {
        let is_workspace = matches!(bytes, [b'R', b'D', b'X' | b'A' | b'B', b'2' | b'3', b'\n', ..]);
        let start = if is_workspace { 5 } else { 0 };
        let encoding = match bytes.get(start..start + 2) {
            Some(b"X\n") => Encoding::Xdr,
            Some(b"A\n") => Encoding::Text,
            Some(b"B\n") => Encoding::Native,
            _ => return Err(RDataError::NoHeader),
        };
        let mut input = Input::new(bytes, start + 2, encoding);
        let version = input.integer()?;
        let writer = input.integer()?;
        input.integer()?;
        match version {
            2 => {}
            3 => {
                let length = input.integer()?;
                input.text(usize::try_from(length).map_err(|_| RDataError::Broken("the encoding"))?)?;
            }
            _ => return Err(RDataError::NoHeader),
        }
        let writer = format!("{}.{}.{}", writer >> 16, writer >> 8 & 0xff, writer & 0xff);
        walk::walk(input, limits, Self::empty(version, writer, is_workspace))
    }

    fn empty(version: i32, writer: String, is_workspace: bool) -> Self {
        Self {
            version,
            writer,
            is_workspace,
            variables: Vec::new(),
            root_classes: Vec::new(),
            classes: BTreeMap::new(),
            vectors: BTreeMap::new(),
            namespaces: Vec::new(),
            pointers: 0,
            codes: Vec::new(),
            items: 0,
            trailing: 0,
        }
    }
}

#[cfg(test)]
mod tests;
