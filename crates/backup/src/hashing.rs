use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

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

/// The digest of the file at `path`, if it is a regular one of this length: nothing else is read, and none of it goes on for ever.
pub(crate) fn digest_of_file(path: &Path, size: u64) -> io::Result<Option<Digest>> {
    // Before it is opened, too: opening a pipe would wait for ever.
    if !path.symlink_metadata()?.is_file() {
        return Ok(None);
    }
    let file = File::open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() != size {
        return Ok(None);
    }
    // It may grow meanwhile.
    let mut file = file.take(size.saturating_add(1));
    let mut to = HashingWriter::new(io::sink());
    let mut buffer = vec![0; 256 * 1024];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            let (_, digest, length) = to.finish();
            return Ok(Some(digest).filter(|_| length == size));
        }
        to.write_all(buffer.get(..count).unwrap_or_default())?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_regular_file_of_its_length_is_hashed() {
        let directory = tempfile::tempdir().unwrap();
        let (file, link) = (directory.path().join("file"), directory.path().join("link"));
        std::fs::write(&file, b"abc").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        assert_eq!(digest_of_file(&file, 3).unwrap(), Some(Digest::of(b"abc")));
        for (odd, size) in
            [(file.as_path(), 2), (&file, 4), (&link, 3), (directory.path(), 3), (Path::new("/dev/zero"), 0)]
        {
            assert_eq!(digest_of_file(odd, size).unwrap(), None, "{} {size}", odd.display());
        }
        assert_eq!(digest_of_file(&directory.path().join("none"), 3).unwrap_err().kind(), io::ErrorKind::NotFound);
    }
}
