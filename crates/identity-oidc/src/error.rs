use sealyard_outbound::OutboundError;

/// Why nobody was recognised. No text holds a token, code or secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OidcError {
    /// A check said no.
    #[error("refused by {rule}: {reason}")]
    Refused {
        /// The rule that said no.
        rule: &'static str,
        /// Why, for people.
        reason: String,
    },
    /// The provider could not be asked, or answered what can't be used.
    #[error("the identity provider {provider} can't be used now: {reason}")]
    Unavailable {
        /// Which one.
        provider: String,
        /// What happened.
        reason: String,
    },
    /// There is no such provider, or not for this.
    #[error("there is no such identity provider")]
    Unknown,
}

impl OidcError {
    pub(crate) fn refused(rule: &'static str, reason: impl Into<String>) -> Self {
        Self::Refused { rule, reason: reason.into() }
    }

    pub(crate) fn unavailable(provider: &str, reason: impl Into<String>) -> Self {
        Self::Unavailable { provider: provider.to_owned(), reason: reason.into() }
    }

    pub(crate) fn outgoing(provider: &str, what: &str, error: &OutboundError) -> Self {
        Self::unavailable(provider, format!("{what}: {error}"))
    }

    /// The rule that said no, if one did.
    #[must_use]
    pub const fn rule(&self) -> Option<&'static str> {
        match self {
            Self::Refused { rule, .. } => Some(rule),
            _ => None,
        }
    }
}

/// Text of somebody else, fit to be shown: short, and without what a terminal or a log would act on.
pub(crate) fn shown(text: &str) -> String {
    text.chars().take(120).map(|character| if character.is_control() { '?' } else { character }).collect()
}
