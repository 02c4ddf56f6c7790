//! `.npz` archives: a zip of arrays.

use crate::npy::{Npy, NpyError};
use crate::numeric::Dense;
use crate::zip::{Archive, Member, ZipError};

/// An array of an archive that can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NpzError {
    /// The member can't be read.
    #[error(transparent)]
    Zip(#[from] ZipError),
    /// The member is broken, over the bound, or not what its header in the archive says.
    #[error("the member {0:?} is broken or over the bound")]
    Broken(String),
    /// The array can't be read.
    #[error(transparent)]
    Array(#[from] NpyError),
}

/// The members that numpy gives out as arrays: all whose bytes begin like one, whatever their names.
///
/// A member that can't be expanded is listed too, since a more lenient reader may expand it.
pub fn arrays<'z>(archive: &'z Archive<'_>) -> impl Iterator<Item = &'z Member> {
    let files = archive.members().iter().filter(|member| !member.is_directory());
    files.filter(|member| match archive.read(member, 64) {
        Ok(content) => Npy::matches(&content.bytes) || content.bytes.is_empty(),
        Err(_) => true,
    })
}

/// The elements of one array, at most `limit` bytes of file.
///
/// # Errors
/// [`NpzError`]; arrays of objects are [`NpyError::Objects`].
pub fn read(archive: &Archive<'_>, member: &Member, limit: u64) -> Result<Dense, NpzError> {
    let content = archive.read(member, limit)?;
    let bytes = content.intact().ok_or_else(|| NpzError::Broken(member.name.clone()))?;
    Ok(Npy::parse(&bytes)?.read(&bytes)?)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::zip::ZipLimits;

    #[test]
    fn arrays_are_known_by_content() {
        let mut array = b"\x93NUMPY\x01\x00".to_vec();
        let header = "{'descr': '|u1', 'fortran_order': False, 'shape': (100,)}";
        array.extend((header.len() as u16).to_le_bytes());
        array.extend(header.as_bytes());
        array.extend([7; 100]);
        let mut writer = ::zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
        for (name, bytes) in [("a.npy", &array[..]), ("hidden", &array), ("text", b"hello")] {
            let options = ::zip::write::SimpleFileOptions::default();
            writer.start_file(name, options).unwrap();
            writer.write_all(bytes).unwrap();
        }
        let bytes = writer.finish().unwrap().into_inner();
        let archive = Archive::open(&bytes, &ZipLimits::default()).unwrap();
        let names: Vec<&str> = arrays(&archive).map(|member| member.name.as_str()).collect();
        assert_eq!(names, ["a.npy", "hidden"]);
        let member = archive.only("a.npy").unwrap();
        assert_eq!(read(&archive, member, 1 << 20).unwrap().values.len(), 100);
        assert!(matches!(read(&archive, member, 50), Err(NpzError::Broken(_))));
    }
}
