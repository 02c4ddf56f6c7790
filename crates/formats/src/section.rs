use std::io;
use std::ops::Range;

use sealyard_core::ReadAt;

/// A part of a source, as a source of its own: a member of an archive that is stored as it is costs no memory.
#[derive(Clone)]
pub struct Section<'s> {
    source: &'s dyn ReadAt,
    range: Range<u64>,
}

impl std::fmt::Debug for Section<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Section").field("range", &self.range).finish()
    }
}

impl<'s> Section<'s> {
    /// The bytes of `source` at `range`, as far as there are such.
    #[must_use]
    pub fn new(source: &'s dyn ReadAt, range: Range<u64>) -> Self {
        let end = range.end.min(source.size());
        Self { source, range: range.start.min(end)..end }
    }
}

impl ReadAt for Section<'_> {
    fn size(&self) -> u64 {
        self.range.end - self.range.start
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.size().saturating_sub(offset);
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        match buffer.get_mut(..length) {
            Some(buffer) if length > 0 => self.source.read_at(self.range.start + offset, buffer),
            _ => Ok(0),
        }
    }

    fn in_memory(&self) -> Option<&[u8]> {
        let (start, end) = (usize::try_from(self.range.start).ok()?, usize::try_from(self.range.end).ok()?);
        self.source.in_memory()?.get(start..end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_is_read() {
        let source = b"before inside after".to_vec();
        let section = Section::new(&source, 7..13);
        assert_eq!(section.read_all(100).unwrap(), b"inside");
        assert_eq!(section.in_memory(), Some(&b"inside"[..]));
        let mut buffer = [0; 10];
        assert_eq!(section.read_at(4, &mut buffer).unwrap(), 2);
        assert_eq!(section.read_at(6, &mut buffer).unwrap(), 0);
        assert_eq!(section.read_at(u64::MAX, &mut buffer).unwrap(), 0);
        assert_eq!(Section::new(&source, 14..1000).size(), 5);
        assert_eq!(Section::new(&source, Range { start: 1000, end: 10 }).size(), 0);
    }
}
