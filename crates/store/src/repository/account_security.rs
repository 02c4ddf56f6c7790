use sealyard_core::Timestamp;

use crate::StoreError;
use crate::model::{LoginFailures, SecondFactorRecord};

type Result<T> = std::result::Result<T, StoreError>;

/// Second factors, wrong passwords, the addresses that accounts are used from, and when tokens were used. All of it goes with its
/// account.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait AccountSecurity {
    fn second_factor(&mut self, user: i64) -> Result<Option<SecondFactorRecord>>;
    /// In place of what there was, without recovery codes.
    fn put_second_factor(&mut self, factor: &SecondFactorRecord) -> Result<()>;
    /// Makes it count, with these recovery codes (their digests) and no others.
    fn confirm_second_factor(&mut self, user: i64, step: i64, recovery: &[String]) -> Result<()>;
    /// Gives whether no code of this step, or a later one, was used before.
    fn use_second_factor_step(&mut self, user: i64, step: i64) -> Result<bool>;
    /// Gives whether there was such a code; there is none any more.
    fn use_recovery_code(&mut self, user: i64, hash: &str) -> Result<bool>;
    fn recovery_codes_left(&mut self, user: i64) -> Result<u64>;
    /// Gives whether there was one.
    fn remove_second_factor(&mut self, user: i64) -> Result<bool>;

    fn login_failures(&mut self, user: i64) -> Result<Option<LoginFailures>>;
    /// One more; those before `since` are forgotten.
    fn note_login_failure(&mut self, user: i64, now: Timestamp, since: Timestamp) -> Result<LoginFailures>;
    /// Gives whether there were some.
    fn forget_login_failures(&mut self, user: i64) -> Result<bool>;
    /// The network has been used for the account; the oldest of more than `most` are forgotten.
    fn note_login_network(&mut self, user: i64, network: &str, now: Timestamp, most: u32) -> Result<()>;
    fn knows_login_network(&mut self, user: i64, network: &str, since: Timestamp) -> Result<bool>;

    /// Tokens by id, and when they were used last; an earlier moment than the noted one changes nothing.
    fn tokens_used(&mut self, uses: &[(String, Timestamp)]) -> Result<()>;
}
