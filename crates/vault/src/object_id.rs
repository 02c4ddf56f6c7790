use std::fmt;
use std::str::FromStr;

use sealyard_core::Rng;
use serde::{Deserialize, Serialize};

/// Names a stored object: 128 random bits, written as 32 lower-case hex digits. Says nothing of the content.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ObjectId([u8; 16]);

impl ObjectId {
    /// A new one.
    #[must_use]
    pub fn random(rng: &dyn Rng) -> Self {
        Self(rng.bytes())
    }

    pub(crate) const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not an object id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an object id: expected 32 lower-case hex digits")]
pub struct ObjectIdError(String);

impl FromStr for ObjectId {
    type Err = ObjectIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || ObjectIdError(text.chars().take(80).collect());
        let mut bytes = [0; 16];
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            return Err(malformed());
        }
        hex::decode_to_slice(text, &mut bytes).map_err(|_| malformed())?;
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for ObjectId {
    type Error = ObjectIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<ObjectId> for String {
    fn from(id: ObjectId) -> Self {
        id.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_spelling_is_read() {
        let id: ObjectId = "00112233445566778899aabbccddeeff".parse().unwrap();
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"00112233445566778899aabbccddeeff\"");
        for text in
            ["", "..", "../../etc/passwd", "00112233445566778899AABBCCDDEEFF", "00112233445566778899aabbccddeef"]
        {
            assert!(text.parse::<ObjectId>().is_err(), "{text}");
        }
    }
}
