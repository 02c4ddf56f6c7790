use std::fmt;

use sealyard_core::Redacted;
use serde::Deserialize;

/// A password or key in a request: a secret from the moment it is read.
#[derive(Clone, Deserialize)]
#[serde(from = "String")]
pub(crate) struct SecretText(pub(crate) Redacted<String>);

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(Redacted::new(text))
    }
}

impl Default for SecretText {
    fn default() -> Self {
        String::new().into()
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}
