use sealyard_core::ReadAt;
use sealyard_formats::zip::{Archive, Member, ZipError, ZipLimits};

const END: &[u8] = b"PK\x05\x06";
const END_SIZE: usize = 22;

/// Every end record in the part of the file where one may lie: its offset, and whether its comment ends with the file.
fn ends(data: &dyn ReadAt) -> std::io::Result<Vec<(u64, bool)>> {
    let window = data.size().min(0xffff + END_SIZE as u64);
    let start = data.size() - window;
    let mut tail = vec![0; usize::try_from(window).unwrap_or_default()];
    data.read_exact_at(start, &mut tail)?;
    let record = |place: usize| tail.get(place..place + END_SIZE).filter(|record| record.starts_with(END));
    Ok((0..tail.len())
        .filter_map(|place| {
            let comment = record(place)?.last_chunk::<2>().map(|length| usize::from(u16::from_le_bytes(*length)))?;
            Some((start + place as u64, place + END_SIZE + comment == tail.len()))
        })
        .collect())
}

/// Where the end records lie that readers could believe.
///
/// # Errors
/// Only what reading gives.
pub(crate) fn places(data: &dyn ReadAt) -> std::io::Result<Vec<u64>> {
    Ok(ends(data)?.into_iter().map(|(place, _)| place).collect())
}

/// Whether a file that begins as something else is an archive for readers that look at its end.
pub(crate) fn is_behind(data: &dyn ReadAt) -> bool {
    // Where the end can't be read, the rest of the file is reported as unreadable.
    let Ok(ends) = ends(data) else { return false };
    if ends.iter().any(|(_, fits)| *fits) {
        return true;
    }
    // Python's zipfile takes the last end record, whatever comment it claims and whatever follows it.
    !ends.is_empty()
        && match Archive::open(data, &ZipLimits::default()) {
            Ok(archive) => !archive.members().is_empty(),
            Err(error) => matches!(error, ZipError::Bound(_)),
        }
}

/// Whether all end records but the one that closes the file lie within stored members: an archive inside this one has
/// its own.
pub(super) fn others_are_stored(data: &dyn ReadAt, members: &[Member]) -> bool {
    let Ok(ends) = ends(data) else { return false };
    let within = |offset: u64| {
        members.iter().any(|member| {
            let end = member.data_offset.saturating_add(member.compressed);
            (member.data_offset..end).contains(&offset)
        })
    };
    ends.iter().filter(|(_, fits)| *fits).count() == 1 && ends.iter().all(|(offset, fits)| *fits || within(*offset))
}
