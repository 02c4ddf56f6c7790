//! Bytes that no member of the directory owns, and members hidden in them.

use super::directory::{HAS_DESCRIPTOR, LOCAL, LOCAL_SIZE, Layout};
use super::{Anomaly, Archive, Member, Origin, ZipError, ZipLimits, number, spend};

/// A data descriptor: signature, CRC, two sizes of 8 bytes.
const MAX_DESCRIPTOR: u64 = 24;

impl Archive<'_> {
    pub(super) fn search_gaps(
        &mut self,
        layout: &Layout,
        limits: &ZipLimits,
        headers: &mut u64,
    ) -> Result<(), ZipError> {
        let mut spans: Vec<(u64, u64, bool)> = self
            .members
            .iter()
            .filter(|member| member.data_offset != u64::MAX)
            .map(|member| {
                let end = member.data_offset.saturating_add(member.compressed);
                (member.header_offset, end, member.flags & HAS_DESCRIPTOR != 0)
            })
            .collect();
        spans.sort_unstable();
        spans.push((layout.directory, layout.directory, false));
        // A prefix is searched as well: a streaming reader starts there.
        let mut gaps = if layout.base > 0 { vec![(0, layout.base)] } else { Vec::new() };
        let mut reached = layout.base;
        let mut descriptor = false;
        for (start, end, has_descriptor) in spans {
            if start < reached {
                self.anomalies.push(Anomaly::Overlap { offset: start });
            } else if start > reached && !(descriptor && start - reached <= MAX_DESCRIPTOR) {
                self.anomalies.push(Anomaly::Gap { offset: reached, len: start - reached });
                gaps.push((reached, start));
            }
            reached = reached.max(end);
            descriptor = has_descriptor;
        }
        let mut budget = limits.gaps;
        for (start, end) in gaps {
            let len = (end - start).min(budget);
            budget -= len;
            if len < end - start {
                self.anomalies.push(Anomaly::GapsNotSearched(end - start - len));
            }
            self.search(start, len, limits, headers)?;
        }
        Ok(())
    }

    fn search(&mut self, start: u64, len: u64, limits: &ZipLimits, headers: &mut u64) -> Result<(), ZipError> {
        let mut bytes = vec![0; usize::try_from(len).unwrap_or_default()];
        self.source.read_exact_at(start, &mut bytes)?;
        let mut place = 0;
        while let Some(found) = bytes.get(place..).and_then(|rest| rest.windows(LOCAL.len()).position(|at| at == LOCAL))
        {
            place += found;
            let header = bytes.get(place..).unwrap_or_default();
            place += LOCAL.len();
            let name_len = number(header, 26, 2) as usize;
            let Some(raw_name) = header.get(LOCAL_SIZE..LOCAL_SIZE + name_len) else { continue };
            if self.members.len() >= limits.members {
                return Err(ZipError::Bound("the number of members"));
            }
            spend(headers, name_len as u64)?;
            let header_offset = start + (place - LOCAL.len()) as u64;
            self.members.push(Member {
                name: String::from_utf8_lossy(raw_name).into_owned(),
                raw_name: raw_name.to_vec(),
                method: number(header, 8, 2) as u16,
                flags: number(header, 6, 2) as u16,
                crc32: number(header, 14, 4) as u32,
                compressed: number(header, 18, 4),
                size: number(header, 22, 4),
                header_offset,
                data_offset: header_offset + LOCAL_SIZE as u64 + name_len as u64 + number(header, 28, 2),
                origin: Origin::LocalOnly,
                mode: 0,
            });
        }
        Ok(())
    }
}
