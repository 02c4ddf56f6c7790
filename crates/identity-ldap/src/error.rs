/// A section of the settings that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LdapSettingsError {
    /// A value is missing or makes no sense.
    #[error("{key}: {what}")]
    Value {
        /// Which.
        key: &'static str,
        /// Why.
        what: String,
    },
    /// A file can't be read.
    #[error("{key}: can't read {path}")]
    File {
        /// Which.
        key: &'static str,
        /// Its path.
        path: String,
        /// Why.
        source: std::io::Error,
    },
}

impl LdapSettingsError {
    pub(crate) fn value(key: &'static str, what: impl Into<String>) -> Self {
        Self::Value { key, what: what.into() }
    }
}

/// Why nobody was let in.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LdapError {
    /// The directory answered, and the answer is no.
    #[error("{0}")]
    Refused(&'static str),
    /// No answer that can be used came: nothing is known of the password.
    #[error("{0}")]
    Unavailable(String),
}

impl LdapError {
    pub(crate) fn unavailable(what: impl std::fmt::Display) -> Self {
        Self::Unavailable(what.to_string())
    }
}
