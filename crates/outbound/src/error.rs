/// Why a request was not sent, or got no answer. None of them shows the URL's path, which can hold a secret.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboundError {
    /// The guard said no.
    #[error("refused by {rule}: {reason}")]
    Refused {
        /// The rule that said no.
        rule: &'static str,
        /// Why.
        reason: String,
    },
    /// The name has no address now.
    #[error("the host name {0:?} could not be resolved")]
    Unresolved(String),
    /// It took too long.
    #[error("the receiver did not answer in time")]
    TimedOut,
    /// More came than was asked for.
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    /// Connecting, TLS or HTTP failed.
    #[error("{0}")]
    Transport(String),
}

impl OutboundError {
    pub(crate) fn refused(rule: &'static str, reason: impl Into<String>) -> Self {
        Self::Refused { rule, reason: reason.into() }
    }

    /// The rule that refused, if one did. What was refused is refused again; the others may pass another time.
    #[must_use]
    pub const fn rule(&self) -> Option<&'static str> {
        match self {
            Self::Refused { rule, .. } => Some(rule),
            _ => None,
        }
    }
}
