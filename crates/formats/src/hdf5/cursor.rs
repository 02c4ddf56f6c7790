/// Reads little-endian fields from a block; every read past its end is [`None`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'b> {
    rest: &'b [u8],
}

impl<'b> Cursor<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(super) fn rest(&self) -> &'b [u8] {
        self.rest
    }

    pub(super) fn take(&mut self, count: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(taken)
    }

    pub(super) fn skip(&mut self, count: usize) -> Option<()> {
        self.take(count).map(|_| ())
    }

    /// A number of `width` bytes, at most eight.
    pub(super) fn number(&mut self, width: usize) -> Option<u64> {
        if width > 8 {
            return None;
        }
        let bytes = self.take(width)?;
        Some(bytes.iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        self.take(1)?.first().copied()
    }

    pub(super) fn short(&mut self) -> Option<u16> {
        self.number(2).and_then(|number| u16::try_from(number).ok())
    }

    /// A length of `width` bytes that fits into memory's addresses.
    pub(super) fn length(&mut self, width: usize) -> Option<usize> {
        self.number(width).and_then(|number| usize::try_from(number).ok())
    }

    /// The bytes up to a zero, which is passed over.
    pub(super) fn text(&mut self) -> Option<&'b [u8]> {
        let end = self.rest.iter().position(|byte| *byte == 0)?;
        let text = self.take(end)?;
        self.skip(1)?;
        Some(text)
    }

    pub(super) fn expect(&mut self, magic: &[u8]) -> Option<()> {
        (self.take(magic.len())? == magic).then_some(())
    }
}
