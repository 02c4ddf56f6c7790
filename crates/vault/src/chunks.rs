use std::fmt;

use aws_lc_rs::aead::{Aad, LessSafeKey, Nonce};

/// Plain bytes in a chunk, all but perhaps the last.
pub(crate) const CHUNK: usize = 64 * 1024;
/// Bytes that authentication adds to each chunk.
pub(crate) const TAG: usize = 16;
/// Chunks of a large object that are encrypted, or read and decrypted, at once.
pub(crate) const GROUP: u32 = 4;
/// A stored chunk, all but perhaps the last.
pub(crate) const STRIDE: usize = CHUNK + TAG;
const SEALED: u64 = STRIDE as u64;

/// Encrypts and decrypts one object's chunks.
pub(crate) struct Cipher {
    key: LessSafeKey,
    nonce_prefix: [u8; 7],
    aad: Vec<u8>,
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher")
    }
}

impl Cipher {
    pub(crate) const fn new(key: LessSafeKey, nonce_prefix: [u8; 7], aad: Vec<u8>) -> Self {
        Self { key, nonce_prefix, aad }
    }

    /// Encrypts the chunk that all but the last [`TAG`] bytes of `room` are, in place, and puts its tag into those. Each `index`
    /// must be used once only.
    pub(crate) fn seal(&self, index: u32, last: bool, room: &mut [u8]) -> Option<()> {
        #[cfg(feature = "bench-plain")]
        if crate::bench_plain::is_on() {
            return Some(());
        }
        let (chunk, to) = room.split_last_chunk_mut::<TAG>()?;
        let aad = Aad::from(self.aad.as_slice());
        let tag = self.key.seal_in_place_separate_tag(self.nonce(index, last), aad, chunk).ok()?;
        *to = tag.as_ref().try_into().ok()?;
        Some(())
    }

    /// Decrypts `chunk` in place and takes its tag off; `None` when it is not authentic, and then it holds nothing.
    pub(crate) fn open(&self, index: u32, last: bool, chunk: &mut Vec<u8>) -> Option<()> {
        #[cfg(feature = "bench-plain")]
        if crate::bench_plain::is_on() {
            chunk.truncate(chunk.len().checked_sub(TAG)?);
            return Some(());
        }
        let opened = self
            .key
            .open_in_place(self.nonce(index, last), Aad::from(self.aad.as_slice()), chunk)
            .map(|plain| plain.len());
        chunk.truncate(opened.unwrap_or(0));
        opened.ok().map(drop)
    }

    /// Decrypts a stored chunk into `plain`, which is as long as it is; `None` when it is not authentic, and then `plain` holds
    /// nothing of it.
    pub(crate) fn open_into(&self, index: u32, last: bool, sealed: &[u8], plain: &mut [u8]) -> Option<()> {
        let (chunk, tag) = sealed.split_last_chunk::<TAG>()?;
        if chunk.len() != plain.len() {
            return None;
        }
        #[cfg(feature = "bench-plain")]
        if crate::bench_plain::is_on() {
            plain.copy_from_slice(chunk);
            return Some(());
        }
        let aad = Aad::from(self.aad.as_slice());
        let opened = self.key.open_separate_gather(self.nonce(index, last), aad, chunk, tag, plain);
        if opened.is_err() {
            plain.fill(0);
        }
        opened.ok()
    }

    fn nonce(&self, index: u32, last: bool) -> Nonce {
        let mut nonce = [0; 12];
        let parts = self.nonce_prefix.iter().copied().chain(index.to_be_bytes()).chain([u8::from(last)]);
        for (to, from) in nonce.iter_mut().zip(parts) {
            *to = from;
        }
        Nonce::assume_unique_for_key(nonce)
    }
}

/// Where an object's chunks lie, from the length of its body. Believed once the last chunk is authentic, because it
/// alone says that it is the last and which one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Layout {
    /// The last chunk's number.
    pub(crate) last: u32,
    /// Plain bytes in all.
    pub(crate) size: u64,
}

impl Layout {
    /// `None` for a length that no object has.
    pub(crate) fn of_body(length: u64) -> Option<Self> {
        let chunks = length.div_ceil(SEALED);
        let last = u32::try_from(chunks.checked_sub(1)?).ok()?;
        let in_last = length.checked_sub(u64::from(last) * SEALED)?.checked_sub(TAG as u64)?;
        // Only an empty object has an empty last chunk; so each content has one form.
        if in_last == 0 && last > 0 {
            return None;
        }
        Some(Self { last, size: u64::from(last) * CHUNK as u64 + in_last })
    }

    /// The chunk that holds the byte at `offset`, and where in it.
    pub(crate) fn locate(self, offset: u64) -> Option<(u32, usize)> {
        if offset >= self.size {
            return None;
        }
        Some((u32::try_from(offset / CHUNK as u64).ok()?, usize::try_from(offset % CHUNK as u64).ok()?))
    }

    /// Where chunk `index` starts in the body, and its length with the tag.
    pub(crate) fn sealed(self, index: u32) -> (u64, usize) {
        let before = u64::from(index) * CHUNK as u64;
        let plain = usize::try_from(self.size.saturating_sub(before)).unwrap_or(CHUNK).min(CHUNK);
        (u64::from(index) * SEALED, plain + TAG)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_length_has_at_most_one_layout() {
        assert_eq!(Layout::of_body(0), None);
        assert_eq!(Layout::of_body(15), None);
        assert_eq!(Layout::of_body(16), Some(Layout { last: 0, size: 0 }));
        assert_eq!(Layout::of_body(17), Some(Layout { last: 0, size: 1 }));
        assert_eq!(Layout::of_body(SEALED), Some(Layout { last: 0, size: CHUNK as u64 }));
        for short in 1..=16 {
            assert_eq!(Layout::of_body(SEALED + short), None, "{short}");
        }
        assert_eq!(Layout::of_body(SEALED + 17), Some(Layout { last: 1, size: CHUNK as u64 + 1 }));
        assert_eq!(Layout::of_body(SEALED << 32), Some(Layout { last: u32::MAX, size: (CHUNK as u64) << 32 }));
        assert_eq!(Layout::of_body((SEALED << 32) + 17), None);
        assert_eq!(Layout::of_body(u64::MAX), None);
    }
}
