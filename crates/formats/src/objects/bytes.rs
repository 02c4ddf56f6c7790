/// Reads bytes from the front.
pub(super) struct Bytes<'b> {
    bytes: &'b [u8],
    place: usize,
}

impl<'b> Bytes<'b> {
    pub(super) fn new(bytes: &'b [u8], place: usize) -> Self {
        Self { bytes, place }
    }

    pub(super) fn place(&self) -> usize {
        self.place
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let end = self.place.checked_add(count)?;
        let taken = self.bytes.get(self.place..end)?;
        self.place = end;
        Some(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.place >= self.bytes.len()
    }

    /// Bytes up to `end`, which is stepped over.
    pub(super) fn until(&mut self, end: u8, most: usize) -> Option<&'b [u8]> {
        let rest = self.bytes.get(self.place..)?;
        let length = rest.iter().take(most).position(|byte| *byte == end)?;
        let taken = self.take(length)?;
        self.place += 1;
        Some(taken)
    }
}
