use std::io;
use std::sync::{Mutex, PoisonError};

use sealyard_core::ReadAt;

/// Bytes that are read at once.
const PAGE: usize = 4 << 10;
/// Pages that are kept, so that two places far apart can be read by turns.
const PAGES: usize = 16;

/// A source of which the last parts that were read are kept: parsers that jump about in small steps ask a file seldom.
pub(crate) struct Window<'s> {
    source: &'s dyn ReadAt,
    pages: Mutex<Vec<Page>>,
}

#[derive(Default, Clone)]
struct Page {
    start: u64,
    bytes: Vec<u8>,
}

impl<'s> Window<'s> {
    pub(crate) fn new(source: &'s dyn ReadAt) -> Self {
        Self { source, pages: Mutex::new(vec![Page::default(); PAGES]) }
    }
}

impl Page {
    /// What of the page lies at `offset` and behind it.
    fn at(&self, offset: u64) -> &[u8] {
        let index = offset.checked_sub(self.start).and_then(|index| usize::try_from(index).ok());
        index.and_then(|index| self.bytes.get(index..)).unwrap_or_default()
    }

    fn load(&mut self, source: &dyn ReadAt, start: u64) -> io::Result<()> {
        let left = usize::try_from(source.size().saturating_sub(start)).unwrap_or(usize::MAX);
        self.start = start;
        self.bytes.clear();
        self.bytes.resize(left.min(PAGE), 0);
        let read = source.read_exact_at(start, &mut self.bytes);
        if read.is_err() {
            self.bytes.clear();
        }
        read
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
        let number = offset / PAGE as u64;
        let mut pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = usize::try_from(number % PAGES as u64).unwrap_or_default();
        let Some(page) = pages.get_mut(slot) else { return self.source.read_at(offset, buffer) };
        if page.at(offset).is_empty() {
            page.load(self.source, number * PAGE as u64)?;
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
