//! Time-based one-time passwords (RFC 6238): HMAC-SHA1, six digits, thirty seconds, as every authenticator app has them.

use std::fmt::Write as _;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::hmac;
use sealyard_core::{Digest, Redacted, Rng, Timestamp};

/// RFC 4226 asks for 160 bits.
const SECRET_BYTES: usize = 20;
const STEP_MILLIS: i64 = 30_000;
const DIGITS: usize = 6;
/// Clocks of telephones are off by less; one step before and one after.
const SKEW: i64 = 1;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
/// Without what is read as something else.
const RECOVERY: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 100 bits: nothing that is guessed, so that a plain digest is enough to keep.
const RECOVERY_CHARS: usize = 20;
/// How many there are.
const RECOVERY_CODES: usize = 10;

/// What an authenticator app and the server both know.
#[derive(Debug, Clone)]
pub struct TotpSecret(Redacted<[u8; SECRET_BYTES]>);

impl TotpSecret {
    /// A new one.
    #[must_use]
    pub fn generate(rng: &dyn Rng) -> Self {
        Self(Redacted::new(rng.bytes()))
    }

    /// From the bytes that were kept; `None` for another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(|bytes| Self(Redacted::new(bytes)))
    }

    /// What to keep, sealed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.expose()
    }

    /// What is typed into an app that can't read the picture: base 32, without padding.
    #[must_use]
    pub fn to_base32(&self) -> Redacted<String> {
        let mut text = String::with_capacity(SECRET_BYTES * 8 / 5);
        let (mut bits, mut held) = (0_u32, 0_u32);
        for byte in self.0.expose() {
            bits = (bits << 8) | u32::from(*byte);
            held += 8;
            while held >= 5 {
                held -= 5;
                let index = (bits >> held) & 31;
                text.extend(BASE32.get(index as usize).copied().map(char::from));
            }
            bits &= (1 << held) - 1;
        }
        Redacted::new(text)
    }

    /// What an app reads: `otpauth://totp/Sealyard:ada?secret=…&issuer=Sealyard`.
    #[must_use]
    pub fn to_uri(&self, issuer: &str, account: &str) -> Redacted<String> {
        let (issuer, account) = (percent(issuer), percent(account));
        let secret = self.to_base32();
        Redacted::new(format!("otpauth://totp/{issuer}:{account}?secret={}&issuer={issuer}", secret.expose()))
    }

    /// The step that `code` is of, if it is right about `now` and of a later one than `used`: a code is good once.
    #[must_use]
    pub fn verify(&self, code: &str, now: Timestamp, used: i64) -> Option<i64> {
        if code.len() != DIGITS || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let present = now.as_millis().div_euclid(STEP_MILLIS);
        let mut found = None;
        // All of them, so that the time tells nothing of which.
        for step in present.saturating_sub(SKEW)..=present.saturating_add(SKEW) {
            let right = verify_slices_are_equal(self.code(step).expose().as_bytes(), code.as_bytes()).is_ok();
            if right && step > used && found.is_none() {
                found = Some(step);
            }
        }
        found
    }

    /// The code of a step.
    #[must_use]
    pub fn code(&self, step: i64) -> Redacted<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.0.expose());
        let tag = hmac::sign(&key, &step.to_be_bytes());
        let tag = tag.as_ref();
        let offset = usize::from(tag.last().copied().unwrap_or_default() & 15);
        let mut word = [0; 4];
        for (to, from) in word.iter_mut().zip(tag.iter().skip(offset)) {
            *to = *from;
        }
        let number = (u32::from_be_bytes(word) & 0x7fff_ffff) % 1_000_000;
        Redacted::new(format!("{number:0DIGITS$}"))
    }

    /// The step of a moment.
    #[must_use]
    pub fn step_at(now: Timestamp) -> i64 {
        now.as_millis().div_euclid(STEP_MILLIS)
    }
}

fn percent(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// For whoever has lost the authenticator: each is good once. Shown once, kept as digests.
#[derive(Debug)]
pub struct RecoveryCodes {
    codes: Vec<Redacted<String>>,
}

impl RecoveryCodes {
    /// New ones, such as `k3m9p-…`, four groups of five.
    #[must_use]
    pub fn generate(rng: &dyn Rng) -> Self {
        let code = |_| {
            let mut text = String::with_capacity(RECOVERY_CHARS + 3);
            for (position, byte) in rng.bytes::<RECOVERY_CHARS>().iter().enumerate() {
                if position > 0 && position % 5 == 0 {
                    text.push('-');
                }
                // 32 divides 256, so every character is equally likely.
                text.extend(RECOVERY.get(usize::from(byte % 32)).copied().map(char::from));
            }
            Redacted::new(text)
        };
        Self { codes: (0..RECOVERY_CODES).map(code).collect() }
    }

    /// To be shown, once.
    #[must_use]
    pub fn shown(&self) -> Vec<String> {
        self.codes.iter().map(|code| code.expose().clone()).collect()
    }

    /// To be kept.
    #[must_use]
    pub fn hashes(&self) -> Vec<String> {
        self.codes.iter().filter_map(|code| Self::hash(code.expose())).collect()
    }

    /// What a code is looked up by; `None` for what can't be one.
    #[must_use]
    pub fn hash(code: &str) -> Option<String> {
        let plain: String = code.chars().filter(|character| !matches!(character, '-' | ' ')).take(64).collect();
        let valid = plain.len() == RECOVERY_CHARS && plain.bytes().all(|byte| RECOVERY.contains(&byte));
        valid.then(|| Digest::of(format!("sealyard recovery {plain}").as_bytes()).to_hex())
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::{FixedRng, SystemRng};

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_millis(seconds * 1000)
    }

    /// The values of RFC 6238, appendix B; its last six digits.
    #[test]
    fn codes_are_those_of_the_standard() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        for (time, code) in [
            (59, "287082"),
            (1_111_111_109, "081804"),
            (1_111_111_111, "050471"),
            (1_234_567_890, "005924"),
            (2_000_000_000, "279037"),
            (20_000_000_000, "353130"),
        ] {
            assert_eq!(secret.code(TotpSecret::step_at(at(time))).expose(), code, "{time}");
            assert_eq!(secret.verify(code, at(time), 0), Some(TotpSecret::step_at(at(time))));
        }
        assert_eq!(secret.to_base32().expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
    }

    #[test]
    fn a_code_is_good_for_a_step_before_and_after_and_once() {
        let secret = TotpSecret::generate(&FixedRng::seeded(7));
        let now = at(1_800_000_000);
        let step = TotpSecret::step_at(now);
        for (of, good) in [(step - 2, false), (step - 1, true), (step, true), (step + 1, true), (step + 2, false)] {
            assert_eq!(secret.verify(secret.code(of).expose(), now, 0).is_some(), good, "{of}");
        }
        assert_eq!(secret.verify(secret.code(step).expose(), now, step), None, "used");
        assert_eq!(secret.verify(secret.code(step - 1).expose(), now, step), None, "before one that was used");
        assert!(secret.verify(secret.code(step + 1).expose(), now, step).is_some());
        for odd in ["", "12345", "1234567", "12345a", "１２３４５６", " 12345"] {
            assert_eq!(secret.verify(odd, now, 0), None, "{odd}");
        }
    }

    #[test]
    fn an_app_reads_the_uri_and_nothing_prints_the_secret() {
        let secret = TotpSecret::from_bytes(b"12345678901234567890").unwrap();
        assert_eq!(
            secret.to_uri("Sealyard", "ada@example.org").expose(),
            "otpauth://totp/Sealyard:ada%40example.org?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Sealyard"
        );
        assert!(!format!("{secret:?}").contains("49"));
        assert!(TotpSecret::from_bytes(b"short").is_none());
    }

    #[test]
    fn recovery_codes_are_found_by_their_digest_however_they_are_typed() {
        let codes = RecoveryCodes::generate(&SystemRng);
        let (shown, hashes) = (codes.shown(), codes.hashes());
        assert_eq!((shown.len(), hashes.len()), (RECOVERY_CODES, RECOVERY_CODES));
        assert_eq!(RecoveryCodes::hash(&shown[0]).as_ref(), Some(&hashes[0]));
        assert_eq!(RecoveryCodes::hash(&shown[0].replace('-', " ")).as_ref(), Some(&hashes[0]));
        assert_ne!(hashes[0], hashes[1]);
        for odd in ["", "123456", "l0l0l-l0l0l-l0l0l-l0l0l", &"a".repeat(21)] {
            assert_eq!(RecoveryCodes::hash(odd), None, "{odd}");
        }
        assert!(!format!("{codes:?}").contains(&shown[0]));
    }
}
