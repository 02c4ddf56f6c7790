/// A section of the settings that can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SamlSettingsError {
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

impl SamlSettingsError {
    pub(crate) fn value(key: &'static str, what: impl Into<String>) -> Self {
        Self::Value { key, what: what.into() }
    }
}

/// Why nobody was let in.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}")]
#[non_exhaustive]
pub struct SamlError {
    /// What refuses: `saml.…`.
    pub rule: &'static str,
    /// Why; nothing of the person is in it.
    pub what: String,
}

impl SamlError {
    pub(crate) fn new(rule: &'static str, what: impl Into<String>) -> Self {
        Self { rule, what: what.into() }
    }

    /// An assertion came before. Whoever remembers that says so.
    #[must_use]
    pub fn replay() -> Self {
        Self::new("saml.replay", "this assertion was used before")
    }

    /// What came is no document that is read.
    pub(crate) fn document(what: impl Into<String>) -> Self {
        Self::new("saml.document", what)
    }

    /// A signature is missing, or is not what is asked for.
    pub(crate) fn signature(what: impl Into<String>) -> Self {
        Self::new("saml.signature", what)
    }

    /// What was signed is for somebody or something else.
    pub(crate) fn assertion(what: impl Into<String>) -> Self {
        Self::new("saml.assertion", what)
    }

    /// It does not belong to a log-in that this browser began.
    pub(crate) fn state(what: impl Into<String>) -> Self {
        Self::new("saml.state", what)
    }
}
