use serde::Deserialize;

/// Why the server did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server could not be reached, or the transfer broke.
    #[error("the server could not be reached, or the transfer broke")]
    Transport(#[source] reqwest::Error),
    /// The server said no.
    #[error("the server answered {status} {code}: {message}")]
    Answer {
        /// HTTP status.
        status: u16,
        /// MLflow's error code.
        code: String,
        /// What it said.
        message: String,
        /// The rules that refused, as the server names them.
        rules: Vec<String>,
    },
    /// The answer is not what was asked for.
    #[error("the server's answer is not understood")]
    Json(#[source] serde_json::Error),
    /// The answer is too large.
    #[error("the server's answer is too large")]
    TooLarge,
    /// The certificate to trust can't be used.
    #[error("the certificate to trust can't be used: {0}")]
    Tls(String),
}

#[derive(Deserialize, Default)]
struct Body {
    #[serde(default)]
    error_code: String,
    #[serde(default)]
    message: String,
    #[serde(default)]
    rules: Vec<String>,
}

impl ClientError {
    pub(crate) fn answer(status: u16, body: &[u8]) -> Self {
        let Body { error_code, message, rules } = serde_json::from_slice(body).unwrap_or_default();
        Self::Answer { status, code: error_code, message, rules }
    }

    /// The rules that refused.
    #[must_use]
    pub fn rules(&self) -> &[String] {
        match self {
            Self::Answer { rules, .. } => rules,
            _ => &[],
        }
    }
}
