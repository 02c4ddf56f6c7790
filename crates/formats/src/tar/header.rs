//! One header block.

pub(super) const BLOCK: usize = 512;
const SUM: std::ops::Range<usize> = 148..156;

/// What is taken from a header.
#[derive(Debug)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) link: String,
    pub(super) kind: u8,
    pub(super) size: u64,
}

impl Header {
    /// Reads a block; none if its sum or a number in it is wrong.
    pub(super) fn parse(block: &[u8; BLOCK]) -> Option<Self> {
        if !sum_fits(block) {
            return None;
        }
        let field = |start: usize, end: usize| block.get(start..end).unwrap_or_default();
        let kind = *block.get(156)?;
        let mut name = super::text(field(0, 100));
        // GNU's own kinds have other things at this place. Its older magic is no reason to leave the prefix out: Python's
        // reader takes it whatever the magic is.
        let prefix = super::text(field(345, 500));
        if !prefix.is_empty() && !matches!(kind, b'L' | b'K' | b'S') {
            name = format!("{prefix}/{name}");
        }
        Some(Self { name, link: super::text(field(157, 257)), kind, size: number(field(124, 136))? })
    }
}

/// Octal digits, or a binary number whose first bit is set.
fn number(field: &[u8]) -> Option<u64> {
    match field {
        [0x80, rest @ ..] => {
            let (high, low) = rest.split_at_checked(rest.len().checked_sub(8)?)?;
            let fits = high.iter().all(|byte| *byte == 0);
            fits.then_some(u64::from_be_bytes(low.try_into().ok()?))
        }
        _ => {
            let digits = std::str::from_utf8(field.split(|byte| *byte == 0).next()?).ok()?.trim();
            if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
        }
    }
}

/// Whether the header's sum is right. Some writers added up signed bytes.
fn sum_fits(block: &[u8; BLOCK]) -> bool {
    let Some(claimed) = block.get(SUM).and_then(number) else { return false };
    let (mut unsigned, mut signed) = (0_u64, 0_i64);
    for (place, byte) in block.iter().enumerate() {
        let byte = if SUM.contains(&place) { b' ' } else { *byte };
        unsigned += u64::from(byte);
        signed += i64::from(byte.cast_signed());
    }
    claimed == unsigned || i64::try_from(claimed) == Ok(signed)
}
