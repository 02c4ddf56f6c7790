//! The three encrypted files of a backup: deflated, then encrypted under the backup's key and the file's name.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::Path;

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use sealyard_core::{Redacted, Rng};
use sealyard_vault::{SealedReader, SealedWriter};

use crate::BackupError;
use crate::manifest::Part;
use crate::store::{create_file, finish_file};

/// Writes one; `fill` gives what stands in it.
pub(crate) fn write<T>(
    folder: &Path,
    name: &'static str,
    key: &Redacted<[u8; 32]>,
    rng: &dyn Rng,
    fill: impl FnOnce(&mut dyn Write) -> Result<T, BackupError>,
) -> Result<(Part, T), BackupError> {
    let path = folder.join(name);
    let failed = |source| BackupError::io("write", &path)(source);
    let sealed = SealedWriter::new(create_file(&path)?, key, name, rng).map_err(failed)?;
    let mut deflated = DeflateEncoder::new(sealed, Compression::fast());
    let given = fill(&mut deflated)?;
    let writer = deflated.finish().and_then(SealedWriter::finish).map_err(failed)?;
    let (sha256, size) = finish_file(&path, writer)?;
    Ok((Part { sha256, size }, given))
}

/// Reads one: only authentic bytes come out of it.
pub(crate) fn read(
    folder: &Path,
    name: &'static str,
    key: &Redacted<[u8; 32]>,
) -> Result<impl Read + use<>, BackupError> {
    let path = folder.join(name);
    let refused = |error: std::io::Error| BackupError::refused("backup.part", format!("{}: {error}", path.display()));
    let file = File::open(&path).map_err(refused)?;
    let sealed = SealedReader::new(BufReader::with_capacity(256 * 1024, file), key, name).map_err(refused)?;
    Ok(BufReader::with_capacity(64 * 1024, DeflateDecoder::new(sealed)))
}
