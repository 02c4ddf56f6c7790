//! What archives of several forms have in common.

use std::ops::Range;

use sealyard_core::ReadAt;
use sealyard_formats::sevenz::{SevenZip, SevenZipLimits};
use sealyard_formats::sniff::Format;
use sealyard_formats::tar::{Tar, TarLimits};

/// End records of zips that are looked for in members.
const MAX_ENDS: usize = 64;

/// Whether all that makes readers of zips see one in another archive lies within that archive's own members, which are
/// looked at by themselves.
pub(super) fn has_zip_within(format: Format, data: &dyn ReadAt) -> bool {
    let members: Vec<Range<u64>> = match format {
        Format::Tar | Format::Nemo => match Tar::open(data, &TarLimits::default()) {
            Ok(tar) if tar.broken.is_none() => tar.members.into_iter().map(|member| member.data).collect(),
            _ => return false,
        },
        Format::SevenZip => match SevenZip::open(data, &SevenZipLimits::default()) {
            Ok(archive) => archive.copied(),
            Err(_) => return false,
        },
        _ => return false,
    };
    let ends = super::zip::ends(data).unwrap_or_default();
    let is_within = |end: u64| members.iter().any(|member| member.contains(&end));
    (1..=MAX_ENDS).contains(&ends.len()) && ends.into_iter().all(is_within)
}

/// What is wrong with an archive or a compressed file as such.
#[derive(Debug)]
pub(crate) enum ArchiveConcern {
    /// It can't be read without a password.
    Encrypted,
    /// It has a model's name, and is of a form that no library reads.
    Opaque(&'static str),
    /// So many bytes follow its end.
    Trailing(u64),
    /// Readers could see different members.
    Ambiguous(String),
    /// A member leads out of the folder that is unpacked to.
    UnsafePath(String),
}
