use std::fmt;
use std::sync::Mutex;

/// Where randomness comes from. Keys, tokens and identifiers all ask here.
pub trait Rng: fmt::Debug + Send + Sync {
    /// Fills `bytes` with random ones. An implementation that can't does not return.
    fn fill(&self, bytes: &mut [u8]);
}

impl dyn Rng + '_ {
    /// `N` random bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// A random identifier of 32 lower-case hex digits, as MLflow's run ids are.
    pub fn hex_id(&self) -> String {
        hex::encode(self.bytes::<16>())
    }

    /// A random UUID (RFC 9562, version 4).
    pub fn uuid(&self) -> String {
        let mut bytes = self.bytes::<16>();
        let [_, _, _, _, _, _, version, _, variant, ..] = &mut bytes;
        *version = (*version & 0x0f) | 0x40;
        *variant = (*variant & 0x3f) | 0x80;
        let hex = hex::encode(bytes);
        let part = |from, to| hex.get(from..to).unwrap_or_default();
        format!("{}-{}-{}-{}-{}", part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32))
    }
}

/// The operating system's generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRng;

impl Rng for SystemRng {
    #[allow(
        clippy::panic,
        clippy::disallowed_methods,
        reason = "the one place that asks; without randomness no key or token may be made"
    )]
    fn fill(&self, bytes: &mut [u8]) {
        if aws_lc_rs::rand::fill(bytes).is_err() {
            panic!("the operating system gave no randomness");
        }
    }
}

/// A repeatable stream for tests: SHA-256 in counter mode over a seed.
#[derive(Debug)]
pub struct FixedRng(Mutex<(u64, u64)>);

impl FixedRng {
    /// A stream that depends on `seed` only.
    #[must_use]
    pub const fn seeded(seed: u64) -> Self {
        Self(Mutex::new((seed, 0)))
    }
}

impl Rng for FixedRng {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for chunk in bytes.chunks_mut(32) {
            let block = crate::Digest::of(format!("{}/{}", state.0, state.1).as_bytes());
            chunk.copy_from_slice(block.as_bytes().get(..chunk.len()).unwrap_or_default());
            state.1 += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_are_of_version_4() {
        let rng: &dyn Rng = &SystemRng;
        let id = rng.uuid();
        assert_eq!(id.len(), 36);
        assert_eq!(id.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&id.as_bytes()[19]));
        assert_ne!(id, rng.uuid());
    }
}
