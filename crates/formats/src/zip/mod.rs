//! A lenient, bounded zip reader that says where central directory, local headers and bytes disagree.
//!
//! Readers differ in which header, name or member they believe. This one lists every member that any of them could
//! find, and an [`Anomaly`] for each thing on which they could differ.

mod directory;
mod gaps;
mod read;

use std::io;

use sealyard_core::ReadAt;

pub use read::Content;

/// How much of an archive is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ZipLimits {
    /// Members, those outside the directory included.
    pub members: usize,
    /// Bytes of the central directory.
    pub directory: u64,
    /// Bytes between members that are searched for hidden ones.
    pub gaps: u64,
    /// Bytes of names and extra fields in local headers. Many entries may point to one header with a long name.
    pub headers: u64,
}

impl Default for ZipLimits {
    fn default() -> Self {
        Self { members: 100_000, directory: 64 << 20, gaps: 16 << 20, headers: 64 << 20 }
    }
}

/// An opened archive.
pub struct Archive<'r> {
    pub(crate) source: &'r dyn ReadAt,
    members: Vec<Member>,
    anomalies: Vec<Anomaly>,
}

impl std::fmt::Debug for Archive<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Archive").field("members", &self.members).field("anomalies", &self.anomalies).finish()
    }
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name, as text; bytes that are no UTF-8 are replaced.
    pub name: String,
    /// Its name as it is written.
    pub raw_name: Vec<u8>,
    /// Compression method: 0 stored, 8 deflate, 12 bzip2, 14 LZMA, 93 Zstandard.
    pub method: u16,
    /// General purpose flags.
    pub flags: u16,
    /// CRC-32 that the directory claims.
    pub crc32: u32,
    /// Bytes in the file.
    pub compressed: u64,
    /// Bytes it claims to expand to.
    pub size: u64,
    /// Where its local header is in the file.
    pub header_offset: u64,
    /// Where its bytes begin in the file.
    pub data_offset: u64,
    /// Where it was found.
    pub origin: Origin,
    /// Type and permissions as Unix has them, where the archive says so; 0 otherwise.
    pub mode: u16,
}

impl Member {
    /// Whether it is a folder's entry.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        self.name.ends_with('/')
    }

    /// Whether it is a symbolic link for readers that make such: its bytes are what it links to.
    #[must_use]
    pub fn is_link(&self) -> bool {
        self.mode & 0o170_000 == 0o120_000
    }
}

/// Where a [`Member`] was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// In the central directory.
    Directory,
    /// Only as a local header, which streaming readers believe.
    LocalOnly,
}

/// Something on which zip readers may differ.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Anomaly {
    /// Bytes before the archive.
    Prefix(u64),
    /// Bytes after the archive's end record and its comment.
    Tail(u64),
    /// The archive has a comment of so many bytes.
    Comment(u64),
    /// Bytes between members that belong to none.
    Gap {
        /// Where.
        offset: u64,
        /// How many.
        len: u64,
    },
    /// Bytes that belong to two members.
    Overlap {
        /// Where the second one begins.
        offset: u64,
    },
    /// A name occurs more than once.
    DuplicateName(String),
    /// The local header's name is not the directory's.
    NameMismatch {
        /// The directory's.
        directory: String,
        /// The local header's.
        local: String,
    },
    /// Local header and directory differ in sizes or CRC.
    SizeMismatch(String),
    /// Local header and directory differ in the method.
    MethodMismatch(String),
    /// Local header and directory differ in the flags, or the member says that it is encrypted.
    Flags(String),
    /// The name is absolute, steps through `..`, or holds a backslash or NUL.
    UnsafeName(String),
    /// There is no local header where the directory says.
    NoLocalHeader(String),
    /// The directory says there are more or fewer members than it lists.
    MemberCount {
        /// What the end record says.
        claimed: u64,
        /// What the directory lists.
        found: u64,
    },
    /// More than one end record could be believed.
    SeveralEnds,
    /// The directory is not where the end record says.
    DirectoryMoved,
    /// Gaps were too large to search them all.
    GapsNotSearched(u64),
}

/// A file that is no archive, or a member that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ZipError {
    /// No end record.
    #[error("this is not a zip archive: it has no end record")]
    NoEnd,
    /// The central directory can't be read.
    #[error("the archive's directory is broken at byte {0}")]
    Directory(u64),
    /// A bound was met.
    #[error("the archive is over the bound on {0}")]
    Bound(&'static str),
    /// A method that is not read.
    #[error("{name:?} is compressed with method {method}, which is not read")]
    Method {
        /// The member.
        name: String,
        /// Its method.
        method: u16,
    },
    /// The member is encrypted.
    #[error("{0:?} is encrypted")]
    Encrypted(String),
    /// The member goes past the end of the file.
    #[error("{0:?} goes past the end of the file")]
    Truncated(String),
    /// Bytes below could not be read.
    #[error("the file could not be read")]
    Read(#[from] io::Error),
}

impl<'r> Archive<'r> {
    /// Reads the directory and every local header.
    ///
    /// # Errors
    /// [`ZipError`] when there is no directory to read or a bound is met.
    pub fn open(source: &'r dyn ReadAt, limits: &ZipLimits) -> Result<Self, ZipError> {
        let mut archive = Self { source, members: Vec::new(), anomalies: Vec::new() };
        let layout = archive.read_directory(limits)?;
        let mut headers = limits.headers;
        archive.read_locals(&mut headers)?;
        archive.find_duplicates();
        archive.search_gaps(&layout, limits, &mut headers)?;
        Ok(archive)
    }

    /// All members, those of the directory first, in its order.
    #[must_use]
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// All that readers could differ on.
    #[must_use]
    pub fn anomalies(&self) -> &[Anomaly] {
        &self.anomalies
    }

    /// The only member of that name in the directory; `None` if there is none or more than one.
    #[must_use]
    pub fn only(&self, name: &str) -> Option<&Member> {
        let mut found = self.members.iter().filter(|member| member.name == name && member.origin == Origin::Directory);
        let first = found.next()?;
        found.next().is_none().then_some(first)
    }
}

/// Takes `count` bytes off the budget for local headers.
fn spend(headers: &mut u64, count: u64) -> Result<(), ZipError> {
    *headers = headers.checked_sub(count).ok_or(ZipError::Bound("the size of local headers"))?;
    Ok(())
}

/// A little-endian number of `width` bytes at `offset`; 0 where there are not so many.
fn number(bytes: &[u8], offset: usize, width: usize) -> u64 {
    let bytes = bytes.get(offset..offset.saturating_add(width)).unwrap_or_default();
    bytes.iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}
