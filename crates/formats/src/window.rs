use std::io;
use std::sync::{Mutex, PoisonError};

use sealyard_core::ReadAt;

/// Bytes that are read at once.
const PAGE: usize = 32 << 10;

/// A source of which the last part that was read is kept: parsers that jump about in small steps ask a file seldom.
pub(crate) struct Window<'s> {
    source: &'s dyn ReadAt,
    page: Mutex<Page>,
}

#[derive(Default)]
struct Page {
    start: u64,
    bytes: Vec<u8>,
}

impl<'s> Window<'s> {
    pub(crate) fn new(source: &'s dyn ReadAt) -> Self {
        Self { source, page: Mutex::new(Page::default()) }
    }
}

impl Page {
    /// What of the page lies at `offset` and behind it.
    fn at(&self, offset: u64) -> &[u8] {
        let index = offset.checked_sub(self.start).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.bytes.get(index..)).unwrap_or_default()
    }

    fn load(&mut self, source: &dyn ReadAt, offset: u64) -> io::Result<()> {
        let left = usize::try_from(source.size().saturating_sub(offset)).unwrap_or(usize::MAX);
        self.start = offset;
        self.bytes.clear();
        self.bytes.resize(left.min(PAGE), 0);
        let read = source.read_at(offset, &mut self.bytes);
        self.bytes.truncate(*read.as_ref().unwrap_or(&0));
        read.map(|_| ())
    }
}

impl ReadAt for Window<'_> {
    fn size(&self) -> u64 {
        self.source.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.len() >= PAGE {
            return self.source.read_at(offset, buffer);
        }
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        if page.at(offset).is_empty() {
            page.load(self.source, offset)?;
        }
        let there = page.at(offset);
        let count = there.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), there.get(..count)) {
            to.copy_from_slice(from);
        }
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_gives_what_is_there() {
        let bytes: Vec<u8> = (0..100_000_u32).map(|index| u8::try_from(index % 251).unwrap()).collect();
        let window = Window::new(&bytes);
        for (offset, length) in [(0, 10), (5, 600), (99_990, 10), (32_760, 20), (3, 40_000), (70_000, 1), (10, 10)] {
            let mut buffer = vec![0; length];
            window.read_exact_at(offset as u64, &mut buffer).unwrap();
            assert_eq!(buffer, bytes[offset..offset + length]);
        }
        assert_eq!(window.read_at(100_000, &mut [0; 4]).unwrap(), 0);
        assert_eq!(window.read_at(u64::MAX, &mut [0; 4]).unwrap(), 0);
        assert!(window.read_exact_at(99_999, &mut [0; 2]).is_err());
    }
}
