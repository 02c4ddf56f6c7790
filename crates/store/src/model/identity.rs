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
    /// Whether it is somebody, or something.
    pub kind: UserKind,
    /// Nobody can be it any more, by whatever proof; its rows stay.
    pub disabled: bool,
    /// When it was made.
    pub created: Timestamp,
}

/// Who an account is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UserKind {
    /// Somebody.
    #[default]
    Person,
    /// A machine: it has no password.
    Service,
}

impl UserKind {
    /// As it is written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Service => "service",
        }
    }

    /// From what [`Self::as_str`] gives.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        [Self::Person, Self::Service].into_iter().find(|kind| kind.as_str() == text)
    }
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
    /// When it was last used, to the minute or so.
    pub used: Option<Timestamp>,
}
