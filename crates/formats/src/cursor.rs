use std::io;

use sealyard_core::ReadAt;

/// Bytes that are read at once.
const WINDOW: usize = 8192;

/// Reads a source from the front, with few reads below; bytes that are stepped over are not read.
pub(crate) struct Cursor<'s> {
    source: &'s dyn ReadAt,
    place: u64,
    window: Vec<u8>,
    window_start: u64,
}

impl<'s> Cursor<'s> {
    pub(crate) fn new(source: &'s dyn ReadAt, place: u64) -> Self {
        Self { source, place, window: Vec::new(), window_start: 0 }
    }

    /// Where the next byte lies.
    pub(crate) fn place(&self) -> u64 {
        self.place
    }

    /// Goes to a place, which may be one that was passed.
    pub(crate) fn go_to(&mut self, place: u64) {
        self.place = place;
    }

    /// Steps over so many bytes, which have to be there.
    pub(crate) fn skip(&mut self, count: u64) -> io::Result<()> {
        let place = self.place.checked_add(count).filter(|place| *place <= self.source.size());
        self.place = place.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(())
    }

    pub(crate) fn byte(&mut self) -> io::Result<u8> {
        if let Some(byte) = self.in_window() {
            self.place += 1;
            return Ok(byte);
        }
        let left = usize::try_from(self.source.size().saturating_sub(self.place)).unwrap_or(WINDOW);
        self.window.resize(left.min(WINDOW), 0);
        self.source.read_exact_at(self.place, &mut self.window)?;
        self.window_start = self.place;
        let byte = self.in_window().ok_or(io::ErrorKind::UnexpectedEof)?;
        self.place += 1;
        Ok(byte)
    }

    fn in_window(&self) -> Option<u8> {
        let index = usize::try_from(self.place.checked_sub(self.window_start)?).ok()?;
        self.window.get(index).copied()
    }

    pub(crate) fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut array = [0; N];
        for byte in &mut array {
            *byte = self.byte()?;
        }
        Ok(array)
    }
}
