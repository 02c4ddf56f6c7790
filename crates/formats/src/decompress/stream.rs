//! A source read from its beginning on, of which the place is known after any reader.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use sealyard_core::ReadAt;

const BUFFER: usize = 1 << 16;
/// How many bytes are looked at to tell what follows.
const HEAD: usize = 32;
/// Longest padding.
const MAX_PADDING: u64 = 1 << 20;

/// A part of a source as a stream.
pub(crate) struct Stream<'s> {
    source: &'s dyn ReadAt,
    /// Where the buffer begins.
    start: u64,
    end: u64,
    buffer: Vec<u8>,
    used: usize,
}

impl<'s> Stream<'s> {
    pub(crate) fn new(source: &'s dyn ReadAt, range: Range<u64>) -> Self {
        let end = range.end.min(source.size());
        Self { source, start: range.start.min(end), end, buffer: Vec::new(), used: 0 }
    }

    /// Where the next byte is in the source.
    pub(crate) fn place(&self) -> u64 {
        self.start + self.used as u64
    }

    /// How many bytes there are still.
    pub(crate) fn left(&self) -> u64 {
        self.end - self.place()
    }

    /// The next bytes, without using them; fewer at the end or where they can't be read.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = vec![0; usize::try_from(self.left()).unwrap_or(HEAD).min(HEAD)];
        match self.source.read_exact_at(self.place(), &mut head) {
            Ok(()) => head,
            Err(_) => Vec::new(),
        }
    }

    /// Whether only zeros are left, and not too many.
    pub(crate) fn is_zero(&self) -> bool {
        if self.left() > MAX_PADDING {
            return false;
        }
        let mut rest = vec![0; usize::try_from(self.left()).unwrap_or_default()];
        self.source.read_exact_at(self.place(), &mut rest).is_ok() && rest.iter().all(|byte| *byte == 0)
    }

    /// The length of a frame of Zstandard's that is to be skipped, if one is next.
    pub(crate) fn skippable(&self) -> Option<u64> {
        match self.head().as_slice() {
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] => {
                Some(8 + u64::from(u32::from_le_bytes([*a, *b, *c, *d])))
            }
            _ => None,
        }
    }

    /// Goes over so many bytes, or to the end.
    pub(crate) fn skip(&mut self, count: u64) {
        self.start = self.place().saturating_add(count).min(self.end);
        self.buffer.clear();
        self.used = 0;
    }
}

impl Stream<'_> {
    /// Gives back bytes that a reader took and did not use.
    pub(crate) fn back(&mut self, count: u64) {
        self.start = self.place().saturating_sub(count);
        self.buffer.clear();
        self.used = 0;
    }
}

impl BufRead for Stream<'_> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.used >= self.buffer.len() {
            self.start = self.place();
            self.used = 0;
            let length = usize::try_from(self.end - self.start).unwrap_or(BUFFER).min(BUFFER);
            self.buffer.resize(length, 0);
            let read = if length == 0 { Ok(0) } else { self.source.read_at(self.start, &mut self.buffer) };
            match read {
                Ok(read) => self.buffer.truncate(read),
                Err(error) => {
                    self.buffer.clear();
                    return Err(error);
                }
            }
        }
        Ok(self.buffer.get(self.used..).unwrap_or_default())
    }

    fn consume(&mut self, count: usize) {
        self.used = self.used.saturating_add(count).min(self.buffer.len());
    }
}

impl Read for Stream<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.fill_buf()?.read(buffer)?;
        self.consume(read);
        Ok(read)
    }
}
