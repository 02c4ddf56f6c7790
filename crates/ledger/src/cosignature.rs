//! Witnesses' keys and cosignatures (C2SP tlog-cosignature, Ed25519).

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sealyard_core::{Digest, Rng, Timestamp};

use crate::key::{KeyError, LedgerKey, VerifierKey};
use crate::note::{Note, NoteError};

/// C2SP's number for a timestamped Ed25519 cosignature.
const ALGORITHM: u8 = 4;

/// The key that a witness cosigns with.
#[derive(Debug)]
pub struct WitnessKey(LedgerKey);

impl WitnessKey {
    /// Reads the key at `path`, or makes one there with mode 0600. A witness's key must sign nothing else.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn open_or_create(path: &Path, name: &str, rng: &dyn Rng) -> Result<Self, KeyError> {
        LedgerKey::open_or_create(path, name, rng).map(Self)
    }

    /// A new key, held in memory only.
    ///
    /// # Errors
    /// [`KeyError::Origin`].
    pub fn generate(name: &str, rng: &dyn Rng) -> Result<Self, KeyError> {
        LedgerKey::generate(name, rng).map(Self)
    }

    /// What others check its cosignatures with.
    #[must_use]
    pub fn verifier(&self) -> WitnessVerifier {
        WitnessVerifier(self.0.verifier())
    }

    /// The signature line for a checkpoint's text, which ends in a newline.
    #[must_use]
    pub fn cosign(&self, text: &str, now: Timestamp) -> String {
        let seconds = u64::try_from(now.as_millis() / 1000).unwrap_or(0);
        let signature = self.0.sign(&message(text, seconds));
        let line = [self.verifier().key_id().as_slice(), &seconds.to_be_bytes(), &signature].concat();
        format!("\u{2014} {} {}\n", self.0.origin(), STANDARD.encode(line))
    }
}

/// The public half of a [`WitnessKey`]. As text: `<name>+<key id in hex>+<base64>`, with the key's type 4.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WitnessVerifier(VerifierKey);

impl WitnessVerifier {
    /// Name of the witness.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// Whether it is the same key, whatever it is called: two names of one key are not two witnesses.
    #[must_use]
    pub fn is_same_key(&self, other: &Self) -> bool {
        self.0.public() == other.0.public()
    }

    /// First bytes of the hash of name and key.
    #[must_use]
    pub fn key_id(&self) -> [u8; 4] {
        let digest = Digest::of(&[self.name().as_bytes(), b"\n", &[ALGORITHM], self.0.public()].concat());
        digest.as_bytes().first_chunk().copied().unwrap_or_default()
    }

    /// When this witness cosigned the note; `None` when it did not.
    ///
    /// # Errors
    /// [`NoteError::Forged`] when a line says that it is by this witness and is not.
    pub fn cosigned(&self, note: &Note) -> Result<Option<Timestamp>, NoteError> {
        let mut newest = None;
        for bytes in note.signatures_by(self.name(), self.key_id()) {
            let forged = || NoteError::Forged(self.name().to_owned());
            let (seconds, signature) = bytes.split_first_chunk::<8>().ok_or_else(forged)?;
            let seconds = u64::from_be_bytes(*seconds);
            let millis =
                i64::try_from(seconds).ok().and_then(|seconds| seconds.checked_mul(1000)).ok_or_else(forged)?;
            if !self.0.verifies(&message(note.unverified_text(), seconds), signature) {
                return Err(forged());
            }
            newest = newest.max(Some(Timestamp::from_millis(millis)));
        }
        Ok(newest)
    }
}

fn message(text: &str, seconds: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {seconds}\n{text}").into_bytes()
}

impl fmt::Display for WitnessVerifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let key = STANDARD.encode([&[ALGORITHM], self.0.public()].concat());
        write!(f, "{}+{}+{key}", self.name(), hex::encode(self.key_id()))
    }
}

impl FromStr for WitnessVerifier {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || KeyError::Verifier(text.chars().take(80).collect());
        if text.len() > 1024 {
            return Err(malformed());
        }
        let mut parts = text.trim().splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(malformed());
        };
        let material = STANDARD.decode(encoded).map_err(|_| malformed())?;
        let public = match material.split_first() {
            Some((&ALGORITHM, public)) => public.try_into().map_err(|_| malformed())?,
            _ => return Err(malformed()),
        };
        let key = Self(VerifierKey::new(name, public)?);
        if hex::encode(key.key_id()) == id { Ok(key) } else { Err(malformed()) }
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::FixedRng;

    use super::*;
    use crate::Checkpoint;

    fn witness(seed: u64) -> WitnessKey {
        WitnessKey::generate("witness.example/w1", &FixedRng::seeded(seed)).unwrap()
    }

    #[test]
    fn a_cosignature_verifies_and_no_changed_one() {
        let log = LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap();
        let note = Checkpoint::sign(7, &Digest::of(b"root"), &log);
        let text = Note::parse(&note).unwrap().unverified_text().to_owned();
        let now = Timestamp::from_millis(1_800_000_000_123);
        let cosigned = format!("{note}{}", witness(2).cosign(&text, now));
        let parsed = Note::parse(&cosigned).unwrap();
        let verifier = witness(2).verifier();
        assert_eq!(verifier.cosigned(&parsed), Ok(Some(Timestamp::from_millis(1_800_000_000_000))));
        assert_eq!(verifier.cosigned(&Note::parse(&note).unwrap()), Ok(None));
        assert_eq!(witness(3).verifier().cosigned(&parsed), Ok(None), "another key of that name");
        assert!(Checkpoint::open(&cosigned, &log.verifier()).is_ok());
        let other = Note::parse(&cosigned.replace("\n7\n", "\n8\n")).unwrap();
        assert!(verifier.cosigned(&other).is_err());
    }

    #[test]
    fn a_verifier_round_trips_and_others_are_refused() {
        let text = witness(2).verifier().to_string();
        assert_eq!(text.parse::<WitnessVerifier>().unwrap(), witness(2).verifier());
        assert!(text.parse::<VerifierKey>().is_err(), "a witness's key is no log's");
        let log = LedgerKey::generate("log.example", &FixedRng::seeded(1)).unwrap().verifier().to_string();
        for other in ["", "a+b+c", &text.replace("w1", "w2"), &log] {
            assert!(other.parse::<WitnessVerifier>().is_err(), "{other}");
        }
    }
}
