//! The end record, the central directory and the local headers.

use std::collections::BTreeMap;

use super::{Anomaly, Archive, Member, Origin, ZipError, ZipLimits, number, spend};

const END: &[u8] = b"PK\x05\x06";
const END_SIZE: usize = 22;
const ZIP64_LOCATOR: &[u8] = b"PK\x06\x07";
const ZIP64_END: &[u8] = b"PK\x06\x06";
const ENTRY: &[u8] = b"PK\x01\x02";
const ENTRY_SIZE: usize = 46;
pub(super) const LOCAL: &[u8] = b"PK\x03\x04";
pub(super) const LOCAL_SIZE: usize = 30;
const MAX_COMMENT: u64 = 0xffff;
const ZIP64_EXTRA: u64 = 1;
/// Another name for the member, which newer readers prefer.
const UNICODE_NAME: u64 = 0x7075;
const NEEDS_ZIP64: u64 = 0xffff_ffff;
/// Sizes follow the data instead of standing in the local header.
pub(super) const HAS_DESCRIPTOR: u16 = 1 << 3;
const ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;

/// Where the archive's own records are.
pub(super) struct Layout {
    /// Where the archive begins: offsets count from here.
    pub(super) base: u64,
    pub(super) directory: u64,
}

impl Archive<'_> {
    pub(super) fn read_directory(&mut self, limits: &ZipLimits) -> Result<Layout, ZipError> {
        let size = self.source.size();
        let window = size.min(MAX_COMMENT + END_SIZE as u64);
        let tail_start = size - window;
        let mut tail = vec![0; usize::try_from(window).unwrap_or_default()];
        self.source.read_exact_at(tail_start, &mut tail)?;
        let ends: Vec<usize> = tail
            .windows(END.len())
            .enumerate()
            .filter(|(place, bytes)| *bytes == END && place + END_SIZE <= tail.len())
            .map(|(place, _)| place)
            .collect();
        let place = *ends.last().ok_or(ZipError::NoEnd)?;
        if ends.len() > 1 {
            self.anomalies.push(Anomaly::SeveralEnds);
        }
        let end = tail.get(place..).unwrap_or_default();
        let end_offset = tail_start + place as u64;
        let comment = number(end, 20, 2);
        let after = size.saturating_sub(end_offset + END_SIZE as u64);
        if comment > 0 {
            self.anomalies.push(Anomaly::Comment(comment.min(after)));
        }
        if after > comment {
            self.anomalies.push(Anomaly::Tail(after - comment));
        }
        let mut claimed = number(end, 10, 2);
        let mut directory_size = number(end, 12, 4);
        let mut directory = number(end, 16, 4);
        let mut records = end_offset;
        if let Some((place, end64)) = self.zip64_end(end_offset) {
            claimed = number(&end64, 32, 8);
            directory_size = number(&end64, 40, 8);
            directory = number(&end64, 48, 8);
            records = place;
        }
        // What is before the directory must be the archive; more of it is a prefix, as Python's zipfile has it.
        let real = records.checked_sub(directory_size).ok_or(ZipError::Directory(directory))?;
        let base = real.checked_sub(directory).unwrap_or_else(|| {
            self.anomalies.push(Anomaly::DirectoryMoved);
            0
        });
        if base > 0 {
            self.anomalies.push(Anomaly::Prefix(base));
        }
        if directory_size > limits.directory {
            return Err(ZipError::Bound("the size of the directory"));
        }
        let mut bytes = vec![0; usize::try_from(directory_size).unwrap_or_default()];
        self.source.read_exact_at(real, &mut bytes)?;
        self.read_entries(&bytes, base, real, limits)?;
        let found = self.members.len() as u64;
        if found != claimed {
            self.anomalies.push(Anomaly::MemberCount { claimed, found });
        }
        Ok(Layout { base, directory: real })
    }

    /// The zip64 end record, if its locator stands right before the end record. It is looked for there, since the
    /// locator's offset does not count a prefix.
    fn zip64_end(&self, end_offset: u64) -> Option<(u64, [u8; 56])> {
        let mut locator = [0; 20];
        let place = end_offset.checked_sub(20)?;
        self.source.read_exact_at(place, &mut locator).ok()?;
        if !locator.starts_with(ZIP64_LOCATOR) {
            return None;
        }
        let mut record = [0; 56];
        for place in [number(&locator, 8, 8), place.checked_sub(56)?] {
            if self.source.read_exact_at(place, &mut record).is_ok() && record.starts_with(ZIP64_END) {
                return Some((place, record));
            }
        }
        None
    }

    fn read_entries(&mut self, bytes: &[u8], base: u64, start: u64, limits: &ZipLimits) -> Result<(), ZipError> {
        let mut rest = bytes;
        while rest.starts_with(ENTRY) {
            let broken = || ZipError::Directory(start + (bytes.len() - rest.len()) as u64);
            if self.members.len() >= limits.members {
                return Err(ZipError::Bound("the number of members"));
            }
            let name_end = ENTRY_SIZE + number(rest, 28, 2) as usize;
            let extra_end = name_end + number(rest, 30, 2) as usize;
            let entry_end = extra_end + number(rest, 32, 2) as usize;
            let raw_name = rest.get(ENTRY_SIZE..name_end).ok_or_else(broken)?.to_vec();
            let extra = rest.get(name_end..extra_end).ok_or_else(broken)?;
            if let Some(other) = extra_field(extra, UNICODE_NAME) {
                let directory = String::from_utf8_lossy(&raw_name).into_owned();
                // A version and a CRC stand before the name.
                let local = String::from_utf8_lossy(other.get(5..).unwrap_or_default()).into_owned();
                if directory != local {
                    self.anomalies.push(Anomaly::NameMismatch { directory, local });
                }
            }
            let mut wide = Zip64::new(extra);
            let size = wide.or(number(rest, 24, 4));
            let compressed = wide.or(number(rest, 20, 4));
            let header_offset = wide.or(number(rest, 42, 4)).saturating_add(base);
            let member = Member {
                name: String::from_utf8_lossy(&raw_name).into_owned(),
                raw_name,
                method: number(rest, 10, 2) as u16,
                flags: number(rest, 8, 2) as u16,
                crc32: number(rest, 16, 4) as u32,
                compressed,
                size,
                header_offset,
                data_offset: 0,
                origin: Origin::Directory,
                mode: number(rest, 40, 2) as u16,
            };
            rest = rest.get(entry_end..).ok_or_else(broken)?;
            self.members.push(member);
        }
        if rest.is_empty() { Ok(()) } else { Err(ZipError::Directory(start + (bytes.len() - rest.len()) as u64)) }
    }

    /// Compares each member's local header with the directory.
    pub(super) fn read_locals(&mut self, headers: &mut u64) -> Result<(), ZipError> {
        let mut anomalies = Vec::new();
        for member in &mut self.members {
            let name = || member.name.clone();
            let mut header = [0; LOCAL_SIZE];
            let found = self.source.read_exact_at(member.header_offset, &mut header).is_ok();
            if !found || !header.starts_with(LOCAL) {
                anomalies.push(Anomaly::NoLocalHeader(name()));
                // Past every end, so that nothing is read.
                member.data_offset = u64::MAX;
                continue;
            }
            let name_len = number(&header, 26, 2);
            let extra_len = number(&header, 28, 2);
            member.data_offset = member.header_offset + LOCAL_SIZE as u64 + name_len + extra_len;
            spend(headers, name_len + extra_len)?;
            let mut variable = vec![0; (name_len + extra_len) as usize];
            if self.source.read_exact_at(member.header_offset + LOCAL_SIZE as u64, &mut variable).is_err() {
                anomalies.push(Anomaly::NoLocalHeader(name()));
                continue;
            }
            let (local_name, extra) = variable.split_at(name_len as usize);
            if local_name != member.raw_name {
                let local = String::from_utf8_lossy(local_name).into_owned();
                anomalies.push(Anomaly::NameMismatch { directory: name(), local });
            }
            let flags = number(&header, 6, 2) as u16;
            if flags != member.flags || flags & ENCRYPTED != 0 {
                anomalies.push(Anomaly::Flags(name()));
            }
            if number(&header, 8, 2) as u16 != member.method {
                anomalies.push(Anomaly::MethodMismatch(name()));
            }
            let mut wide = Zip64::new(extra);
            let size = wide.or(number(&header, 22, 4));
            let compressed = wide.or(number(&header, 18, 4));
            let crc = number(&header, 14, 4) as u32;
            let zeroed = flags & HAS_DESCRIPTOR != 0 && size == 0 && compressed == 0;
            if !zeroed && (size, compressed, crc) != (member.size, member.compressed, member.crc32) {
                // With a descriptor some writers leave only the CRC empty.
                let only_crc = (size, compressed) == (member.size, member.compressed);
                if !(flags & HAS_DESCRIPTOR != 0 && only_crc && crc == 0) {
                    anomalies.push(Anomaly::SizeMismatch(name()));
                }
            }
        }
        self.anomalies.append(&mut anomalies);
        Ok(())
    }

    pub(super) fn find_duplicates(&mut self) {
        let mut seen: BTreeMap<&[u8], usize> = BTreeMap::new();
        let mut anomalies = Vec::new();
        for member in &self.members {
            let count = seen.entry(&member.raw_name).or_default();
            *count += 1;
            if *count == 2 {
                anomalies.push(Anomaly::DuplicateName(member.name.clone()));
            }
            let steps_out = member.name.split(['/', '\\']).any(|part| part == "..");
            if steps_out || member.name.starts_with('/') || member.name.contains(['\\', '\0']) {
                anomalies.push(Anomaly::UnsafeName(member.name.clone()));
            }
        }
        self.anomalies.append(&mut anomalies);
    }
}

/// The zip64 extra field: only those numbers that did not fit, in order.
struct Zip64<'e>(&'e [u8]);

impl<'e> Zip64<'e> {
    fn new(extra: &'e [u8]) -> Self {
        Self(extra_field(extra, ZIP64_EXTRA).unwrap_or_default())
    }

    fn or(&mut self, value: u64) -> u64 {
        if value != NEEDS_ZIP64 || self.0.len() < 8 {
            return value;
        }
        let wide = number(self.0, 0, 8);
        self.0 = self.0.get(8..).unwrap_or_default();
        wide
    }
}

/// The body of the first extra field of that kind.
fn extra_field(extra: &[u8], kind: u64) -> Option<&[u8]> {
    let mut rest = extra;
    while rest.len() >= 4 {
        let end = 4 + number(rest, 2, 2) as usize;
        if number(rest, 0, 2) == kind {
            return Some(rest.get(4..end).unwrap_or_default());
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    None
}
