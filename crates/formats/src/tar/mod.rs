//! A lenient, bounded tar reader: ustar, pax, GNU and what was before them. It lists every member that a reader could
//! find, those behind the archive's end too, and what could lead a reader out of the folder it extracts to.

mod header;
mod names;

use std::io;
use std::ops::Range;

use sealyard_core::ReadAt;

use header::{BLOCK, Header};
pub use names::{leaves, links_outside};

/// How much of an archive is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TarLimits {
    /// Members.
    pub members: usize,
    /// Bytes of one long name or of one set of pax records.
    pub extended: u64,
    /// Bytes of all of them.
    pub names: u64,
    /// Bytes behind the archive's end that are searched for members.
    pub tail: u64,
}

impl Default for TarLimits {
    fn default() -> Self {
        Self { members: 100_000, extended: 1 << 20, names: 64 << 20, tail: 16 << 20 }
    }
}

/// What a member is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MemberKind {
    /// A regular file.
    File,
    /// A regular file with holes: what lies in the archive is not what is extracted.
    Sparse,
    /// A directory.
    Directory,
    /// Another name of a member.
    HardLink,
    /// A symbolic link.
    SymbolicLink,
    /// A device or a pipe.
    Device,
    /// Something that readers skip or take for a file.
    Other(u8),
}

/// One member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its path.
    pub name: String,
    /// What it links to.
    pub link: String,
    /// What it is.
    pub kind: MemberKind,
    /// Where its header is.
    pub header_offset: u64,
    /// Where its bytes are.
    pub data: Range<u64>,
    /// Whether it lies behind the archive's end, where only some readers look.
    pub is_behind: bool,
}

/// Something that could lead a reader astray.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum TarAnomaly {
    /// The name leads out of the folder that is extracted to.
    UnsafeName(String),
    /// The member is a link to something outside.
    LinkOutside {
        /// The member.
        name: String,
        /// What it links to.
        target: String,
    },
    /// The member lies below a member that is a link.
    ThroughLink(String),
    /// The member is a device or a pipe.
    Device(String),
    /// A name occurs more than once; the last one stays.
    DuplicateName(String),
    /// Something that has no bytes says that it has some: readers go on at different places.
    Sized(String),
    /// Members behind the archive's end.
    Behind(String),
    /// So many bytes behind the end that are not zero and no member.
    Tail(u64),
    /// So many bytes behind the end were not searched.
    NotSearched(u64),
}

/// A file that is no tar, or too much of one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TarError {
    /// The first block is no header.
    #[error("this is not a tar archive")]
    NoHeader,
    /// A header or what extends it is broken.
    #[error("the archive is broken at byte {0}")]
    Broken(u64),
    /// The member goes past the end of the file.
    #[error("{0:?} goes past the end of the file")]
    Truncated(String),
    /// A bound was met.
    #[error("the archive is over the bound on {0}")]
    Bound(&'static str),
    /// Bytes below could not be read.
    #[error("the file could not be read")]
    Read(#[from] io::Error),
}

/// The members of an archive.
#[derive(Debug, Default)]
pub struct Tar {
    /// In the order of the archive.
    pub members: Vec<Member>,
    /// What could lead a reader astray.
    pub anomalies: Vec<TarAnomaly>,
    /// Why the list breaks off, if it does.
    pub broken: Option<TarError>,
}

/// What precedes a header and changes it.
#[derive(Debug, Default, Clone)]
struct Extension {
    name: Option<String>,
    link: Option<String>,
    size: Option<u64>,
    is_sparse: bool,
}

impl Tar {
    /// Reads all headers. What breaks off is told in [`Tar::broken`]; the members before that are listed.
    ///
    /// # Errors
    /// [`TarError::NoHeader`] when there is no member at all, and what reading gives.
    pub fn open(source: &dyn ReadAt, limits: &TarLimits) -> Result<Self, TarError> {
        let mut tar = Self::default();
        let mut walk = Walk { source, limits, place: 0, names: limits.names, global: Extension::default() };
        let ended = walk.members(&mut tar, false);
        if tar.members.is_empty() {
            return Err(match ended {
                Err(error) => error,
                Ok(()) => TarError::NoHeader,
            });
        }
        match ended {
            Ok(()) => {
                if let Err(error) = walk.behind(&mut tar) {
                    tar.broken = Some(error);
                }
            }
            Err(error) => tar.broken = Some(error),
        }
        tar.anomalies.splice(0..0, names::anomalies(&tar.members));
        Ok(tar)
    }
}

struct Walk<'s> {
    source: &'s dyn ReadAt,
    limits: &'s TarLimits,
    place: u64,
    names: u64,
    global: Extension,
}

impl Walk<'_> {
    /// The block at the present place; none at the end of the file.
    fn block(&self) -> Result<Option<[u8; BLOCK]>, TarError> {
        let mut block = [0; BLOCK];
        match self.source.read_exact_at(self.place, &mut block) {
            Ok(()) => Ok(Some(block)),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Reads members up to a block of zeros or the end of the file.
    fn members(&mut self, tar: &mut Tar, is_behind: bool) -> Result<(), TarError> {
        let mut extension = self.global.clone();
        while let Some(block) = self.block()? {
            if block.iter().all(|byte| *byte == 0) {
                return Ok(());
            }
            let header_offset = self.place;
            let header = Header::parse(&block).ok_or(if header_offset == 0 {
                TarError::NoHeader
            } else {
                TarError::Broken(header_offset)
            })?;
            if tar.members.len() >= self.limits.members {
                return Err(TarError::Bound("the number of members"));
            }
            let data = header_offset + BLOCK as u64;
            match header.kind {
                b'L' | b'K' | b'x' | b'X' | b'g' => {
                    let bytes = self.extended(data, &header)?;
                    match header.kind {
                        b'L' => extension.name = Some(text(&bytes)),
                        b'K' => extension.link = Some(text(&bytes)),
                        b'g' => {
                            self.global.apply(&bytes).ok_or(TarError::Broken(data))?;
                            extension.apply(&bytes).ok_or(TarError::Broken(data))?;
                        }
                        _ => extension.apply(&bytes).ok_or(TarError::Broken(data))?,
                    }
                    self.place = after(data, header.size).ok_or(TarError::Broken(header_offset))?;
                    continue;
                }
                _ => {}
            }
            let extended = std::mem::replace(&mut extension, self.global.clone());
            let name = extended.name.unwrap_or(header.name);
            let link = extended.link.unwrap_or(header.link);
            let size = extended.size.unwrap_or(header.size);
            let mut kind = kind_of(header.kind, &name);
            if extended.is_sparse && kind == MemberKind::File {
                kind = MemberKind::Sparse;
            }
            let mut start = data;
            if header.kind == b'S' {
                start = self.sparse_maps(&block, data)?;
            }
            let has_bytes = matches!(kind, MemberKind::File | MemberKind::Sparse | MemberKind::Other(_));
            if !has_bytes && size > 0 {
                tar.anomalies.push(TarAnomaly::Sized(name.clone()));
            }
            let length = if has_bytes { size } else { 0 };
            let end = start.checked_add(length).ok_or(TarError::Broken(header_offset))?;
            let member = Member { name, link, kind, header_offset, data: start..end, is_behind };
            if end > self.source.size() {
                return Err(TarError::Truncated(member.name));
            }
            tar.members.push(member);
            self.place = after(start, length).ok_or(TarError::Broken(header_offset))?;
        }
        Ok(())
    }

    /// The bytes of a long name or of pax records.
    fn extended(&mut self, data: u64, header: &Header) -> Result<Vec<u8>, TarError> {
        if header.size > self.limits.extended {
            return Err(TarError::Bound("the length of a name"));
        }
        self.names = self.names.checked_sub(header.size).ok_or(TarError::Bound("the length of all names"))?;
        let mut bytes = vec![0; usize::try_from(header.size).unwrap_or_default()];
        self.source.read_exact_at(data, &mut bytes).map_err(|_| TarError::Broken(data))?;
        Ok(bytes)
    }

    /// Where the bytes of GNU's old sparse form begin: behind the blocks that go on with the map.
    fn sparse_maps(&mut self, header: &[u8; BLOCK], data: u64) -> Result<u64, TarError> {
        let mut start = data;
        let mut goes_on = header.get(482) == Some(&1);
        while goes_on {
            self.names = self.names.checked_sub(BLOCK as u64).ok_or(TarError::Bound("the length of all names"))?;
            self.place = start;
            let block = self.block()?.ok_or(TarError::Broken(start))?;
            goes_on = block.get(504) == Some(&1);
            start += BLOCK as u64;
        }
        Ok(start)
    }

    /// Looks behind the archive's end for members that lenient readers find.
    fn behind(&mut self, tar: &mut Tar) -> Result<(), TarError> {
        let start = self.place;
        let end = self.source.size().min(start.saturating_add(self.limits.tail));
        let mut strange = 0;
        while self.place < end {
            let Some(block) = self.block()? else {
                let mut rest = vec![0; usize::try_from(self.source.size() - self.place).unwrap_or_default()];
                self.source.read_exact_at(self.place, &mut rest)?;
                strange += rest.iter().filter(|byte| **byte != 0).count() as u64;
                self.place = self.source.size();
                break;
            };
            if Header::parse(&block).is_some() {
                let known = tar.members.len();
                let place = self.place;
                // A broken one is no member; what is behind it may be.
                let ended = self.members(tar, true);
                if let Some(member) = tar.members.get(known) {
                    tar.anomalies.push(TarAnomaly::Behind(member.name.clone()));
                }
                if let Err(bound @ TarError::Bound(_)) = ended {
                    return Err(bound);
                }
                if self.place > place {
                    continue;
                }
            }
            strange += block.iter().filter(|byte| **byte != 0).count() as u64;
            self.place += BLOCK as u64;
        }
        if strange > 0 {
            tar.anomalies.push(TarAnomaly::Tail(strange));
        }
        if self.place < self.source.size() {
            tar.anomalies.push(TarAnomaly::NotSearched(self.source.size() - self.place));
        }
        Ok(())
    }
}

impl Extension {
    /// Takes over pax records: a length, a blank, `key=value`, a line feed.
    fn apply(&mut self, records: &[u8]) -> Option<()> {
        let mut rest = records;
        while rest.first().is_some_and(|first| *first != 0) {
            let digits = rest.iter().position(|byte| *byte == b' ')?;
            let length: usize = std::str::from_utf8(rest.get(..digits)?).ok()?.parse().ok()?;
            let record = rest.get(digits + 1..length)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            let (key, value) = (record.get(..equals)?, record.get(equals + 1..)?);
            match key {
                b"path" | b"GNU.sparse.name" => self.name = Some(text(value)),
                b"linkpath" => self.link = Some(text(value)),
                b"size" => self.size = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
                _ => {}
            }
            self.is_sparse |= key.starts_with(b"GNU.sparse.");
            rest = rest.get(length..)?;
        }
        Some(())
    }
}

/// Up to the first NUL.
fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes.split(|byte| *byte == 0).next().unwrap_or_default()).into_owned()
}

/// The place of the next header.
fn after(data: u64, size: u64) -> Option<u64> {
    data.checked_add(size.checked_next_multiple_of(BLOCK as u64)?)
}

fn kind_of(kind: u8, name: &str) -> MemberKind {
    match kind {
        // Before there were kinds, a slash at the end made a directory.
        0 | b'0' | b'7' if name.ends_with('/') && kind == 0 => MemberKind::Directory,
        0 | b'0' | b'7' => MemberKind::File,
        b'1' => MemberKind::HardLink,
        b'2' => MemberKind::SymbolicLink,
        b'3' | b'4' | b'6' => MemberKind::Device,
        b'5' => MemberKind::Directory,
        b'S' => MemberKind::Sparse,
        other => MemberKind::Other(other),
    }
}

#[cfg(test)]
mod tests;
