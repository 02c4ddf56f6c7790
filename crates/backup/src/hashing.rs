use std::io::{self, Read, Write};

use sealyard_core::{Digest, Hasher};

/// Counts and hashes what goes through.
pub(crate) struct HashingWriter<W> {
    to: W,
    hasher: Hasher,
    size: u64,
}

impl<W: Write> HashingWriter<W> {
    pub(crate) fn new(to: W) -> Self {
        Self { to, hasher: Hasher::default(), size: 0 }
    }

    pub(crate) fn finish(self) -> (W, Digest, u64) {
        (self.to, self.hasher.finish(), self.size)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.to.write(bytes)?;
        self.hasher.update(bytes.get(..count).unwrap_or_default());
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// The digest of all that can be read, and its length.
pub(crate) fn digest_of(mut from: impl Read) -> io::Result<(Digest, u64)> {
    let mut to = HashingWriter::new(io::sink());
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = from.read(&mut buffer)?;
        if count == 0 {
            let (_, digest, size) = to.finish();
            return Ok((digest, size));
        }
        to.write_all(buffer.get(..count).unwrap_or_default())?;
    }
}
