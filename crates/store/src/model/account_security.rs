use sealyard_core::Timestamp;

/// The second factor of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactorRecord {
    /// Whose it is, by number.
    pub user: i64,
    /// The secret, sealed for [`SecondFactorRecord::row`].
    pub secret: Vec<u8>,
    /// Whether a code of it was shown once, so that it counts.
    pub confirmed: bool,
    /// The last step that a code was used of.
    pub used_step: i64,
    /// When it was made.
    pub created: Timestamp,
}

impl SecondFactorRecord {
    /// What its secret is bound to.
    #[must_use]
    pub fn row(user: i64) -> String {
        format!("u{user}")
    }
}

/// Wrong passwords for an account, from wherever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginFailures {
    /// How many.
    pub count: u32,
    /// When the last one was.
    pub last: Timestamp,
}
