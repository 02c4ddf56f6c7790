use std::io::{self, Read, Write};

use aws_lc_rs::aead::{AES_256_GCM, LessSafeKey, UnboundKey};
use sealyard_core::{Digest, Redacted, Rng};
use zeroize::Zeroizing;

use crate::chunks::{CHUNK, Cipher, TAG};

const MAGIC: &[u8; 8] = b"SYSTRM\0\x01";
const PREFIX: usize = 7;

fn cipher(key: &Redacted<[u8; 32]>, prefix: [u8; PREFIX], context: &str) -> io::Result<Cipher> {
    let key = UnboundKey::new(&AES_256_GCM, key.expose()).map_err(|_| io::Error::other("the cipher failed"))?;
    let head = Digest::of(&[&MAGIC[..], &prefix].concat());
    Ok(Cipher::new(LessSafeKey::new(key), prefix, [&head.as_bytes()[..], context.as_bytes()].concat()))
}

/// Encrypts what is written to it, as the vault encrypts objects: each chunk is bound to its place and to a context, and so is
/// the end. A key may encrypt several streams.
pub struct SealedWriter<W: Write> {
    to: W,
    cipher: Cipher,
    buffer: Zeroizing<Vec<u8>>,
    next: u32,
    failed: bool,
}

impl<W: Write> SealedWriter<W> {
    /// Begins a stream.
    ///
    /// # Errors
    /// Any error of `to`.
    pub fn new(mut to: W, key: &Redacted<[u8; 32]>, context: &str, rng: &dyn Rng) -> io::Result<Self> {
        let prefix = rng.bytes::<PREFIX>();
        to.write_all(MAGIC)?;
        to.write_all(&prefix)?;
        let buffer = Zeroizing::new(Vec::with_capacity(CHUNK + TAG));
        Ok(Self { to, cipher: cipher(key, prefix, context)?, buffer, next: 0, failed: false })
    }

    /// Writes the end. Without it what was written can't be read.
    ///
    /// # Errors
    /// Any error of what is written to, also of an earlier write.
    pub fn finish(mut self) -> io::Result<W> {
        self.chunk(true)?;
        self.to.flush()?;
        Ok(self.to)
    }

    fn chunk(&mut self, last: bool) -> io::Result<()> {
        if std::mem::replace(&mut self.failed, true) {
            return Err(io::Error::other("an earlier write failed"));
        }
        let too_long = || io::Error::from(io::ErrorKind::FileTooLarge);
        let end = self.buffer.len() + TAG;
        self.buffer.resize(end, 0);
        self.cipher.seal(self.next, last, &mut self.buffer).ok_or_else(too_long)?;
        self.to.write_all(&self.buffer)?;
        self.buffer.clear();
        if !last {
            self.next = self.next.checked_add(1).ok_or_else(too_long)?;
        }
        self.failed = false;
        Ok(())
    }
}

impl<W: Write> Write for SealedWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.buffer.len() == CHUNK && !bytes.is_empty() {
            self.chunk(false)?;
        }
        let taken = bytes.get(..bytes.len().min(CHUNK - self.buffer.len())).unwrap_or_default();
        self.buffer.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<W: Write> std::fmt::Debug for SealedWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedWriter")
    }
}

/// Reads what a [`SealedWriter`] wrote, under the same key and context. Only authentic bytes ever come out of it.
pub struct SealedReader<R: Read> {
    from: R,
    cipher: Cipher,
    /// What comes next in the stored stream: always a byte more than a chunk, unless it is the last.
    ahead: Vec<u8>,
    plain: Zeroizing<Vec<u8>>,
    given: usize,
    next: Option<u32>,
}

impl<R: Read> SealedReader<R> {
    /// Begins to read.
    ///
    /// # Errors
    /// `InvalidData` for what is no such stream; any error of `from`.
    pub fn new(mut from: R, key: &Redacted<[u8; 32]>, context: &str) -> io::Result<Self> {
        let mut head = [0; MAGIC.len() + PREFIX];
        from.read_exact(&mut head).map_err(|error| match error.kind() {
            io::ErrorKind::UnexpectedEof => not_authentic(),
            _ => error,
        })?;
        let prefix = head.strip_prefix(MAGIC).and_then(|rest| rest.try_into().ok()).ok_or_else(not_authentic)?;
        let cipher = cipher(key, prefix, context)?;
        Ok(Self { from, cipher, ahead: Vec::new(), plain: Zeroizing::default(), given: 0, next: Some(0) })
    }

    /// Decrypts the next chunk; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        let Some(index) = self.next else { return Ok(false) };
        let missing = (CHUNK + TAG + 1 - self.ahead.len()) as u64;
        (&mut self.from).take(missing).read_to_end(&mut self.ahead)?;
        let last = self.ahead.len() <= CHUNK + TAG;
        let rest = if last { Vec::new() } else { self.ahead.split_off(CHUNK + TAG) };
        let mut chunk = std::mem::replace(&mut self.ahead, rest);
        self.cipher.open(index, last, &mut chunk).ok_or_else(not_authentic)?;
        // Only an empty stream has an empty last chunk; so each content has one form.
        if last && index > 0 && chunk.is_empty() {
            return Err(not_authentic());
        }
        self.plain = Zeroizing::new(chunk);
        self.given = 0;
        self.next = if last { None } else { Some(index.checked_add(1).ok_or_else(not_authentic)?) };
        Ok(true)
    }
}

impl<R: Read> Read for SealedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.given >= self.plain.len() {
            if !self.advance()? {
                return Ok(0);
            }
        }
        let rest = self.plain.get(self.given..).unwrap_or_default();
        let count = rest.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
            to.copy_from_slice(from);
        }
        self.given += count;
        Ok(count)
    }
}

impl<R: Read> std::fmt::Debug for SealedReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SealedReader")
    }
}

fn not_authentic() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidData,
        "it is not what was written: it was changed, cut, or is of another place or key",
    )
}

#[cfg(test)]
mod tests {
    use sealyard_core::SystemRng;

    use super::*;

    fn sealed(content: &[u8], key: &Redacted<[u8; 32]>) -> Vec<u8> {
        let mut writer = SealedWriter::new(Vec::new(), key, "catalog", &SystemRng).unwrap();
        for part in content.chunks(1000) {
            writer.write_all(part).unwrap();
        }
        writer.finish().unwrap()
    }

    fn opened(sealed: &[u8], key: &Redacted<[u8; 32]>, context: &str) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        SealedReader::new(sealed, key, context)?.read_to_end(&mut content)?;
        Ok(content)
    }

    #[test]
    fn what_was_written_is_read_and_nothing_else() {
        let key = Redacted::new([7; 32]);
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK + 5] {
            let content = vec![0x5a; length];
            let bytes = sealed(&content, &key);
            assert_eq!(opened(&bytes, &key, "catalog").unwrap(), content, "{length}");
            assert!(opened(&bytes, &key, "keys").is_err());
            assert!(opened(&bytes, &Redacted::new([8; 32]), "catalog").is_err());
            for position in [0, 7, 8, 14, 15, bytes.len() / 2, bytes.len() - 1] {
                let mut damaged = bytes.clone();
                damaged[position] ^= 1;
                assert!(opened(&damaged, &key, "catalog").is_err(), "{length} {position}");
                assert!(opened(&bytes[..position], &key, "catalog").is_err(), "{length} {position}");
            }
            assert!(opened(&[bytes.as_slice(), &[0]].concat(), &key, "catalog").is_err());
        }
        // Cut at a chunk's end, and two chunks exchanged.
        let bytes = sealed(&vec![1; 3 * CHUNK], &key);
        let chunk = CHUNK + TAG;
        assert!(opened(&bytes[..15 + 2 * chunk], &key, "catalog").is_err());
        let mut exchanged = bytes.clone();
        exchanged[15..15 + 2 * chunk].rotate_left(chunk);
        assert!(opened(&exchanged, &key, "catalog").is_err());
    }
}
