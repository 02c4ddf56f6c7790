use sealyard_core::Timestamp;

/// A browser's session, without the secret in its cookie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionRecord {
    /// What the ledger calls it.
    pub id: String,
    /// Whose it is, by name.
    pub owner: String,
    /// SHA-256 of the cookie's value in hex: all that is kept of it.
    pub hash: String,
    /// When the user logged in.
    pub created: Timestamp,
    /// When it was last used, to the minute or so.
    pub seen: Timestamp,
    /// When it ends, however busy it is.
    pub expires: Timestamp,
    /// The provider that said who it is, where that was not this server.
    pub provider: Option<String>,
    /// What the provider calls its own session, if it does.
    pub external: Option<String>,
}
