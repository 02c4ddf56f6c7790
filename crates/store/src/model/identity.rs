use sealyard_core::Timestamp;

/// A person or machine that may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRecord {
    /// Its number, never reused.
    pub id: i64,
    /// The name it logs in with.
    pub name: String,
    /// The argon2id string, for accounts with a password.
    pub password: Option<String>,
    /// May do everything.
    pub admin: bool,
    /// When it was made.
    pub created: Timestamp,
}

impl UserRecord {
    /// The principal id that grants to this user name: `u` and its number. It outlives a rename and is never reused.
    #[must_use]
    pub fn principal_id(&self) -> String {
        format!("u{}", self.id)
    }
}

/// A token, without the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// What `tokens` commands call it.
    pub id: String,
    /// Whose it is, by name.
    pub owner: String,
    /// SHA-256 of the token in hex: all that is kept of it.
    pub hash: String,
    /// What it is limited to, in the notation of the identity crate.
    pub scopes: Vec<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it stops working.
    pub expires: Option<Timestamp>,
    /// Whether it was revoked.
    pub revoked: bool,
}
