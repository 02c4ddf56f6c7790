use sealyard_identity::Grant;

use crate::StoreError;
use crate::model::{TokenRecord, UserRecord};

type Result<T> = std::result::Result<T, StoreError>;

/// Users, tokens and grants.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Identities {
    /// The record's id is ignored; the new one is in the answer.
    fn create_user(&mut self, user: &UserRecord) -> Result<UserRecord>;
    fn user(&mut self, name: &str) -> Result<Option<UserRecord>>;
    fn user_numbered(&mut self, id: i64) -> Result<Option<UserRecord>>;
    fn users(&mut self) -> Result<Vec<UserRecord>>;
    fn set_user_password(&mut self, name: &str, password: Option<&str>) -> Result<()>;
    fn set_user_admin(&mut self, name: &str, admin: bool) -> Result<()>;
    /// A user that is disabled has no sessions any more.
    fn set_user_disabled(&mut self, name: &str, disabled: bool) -> Result<()>;
    /// With its tokens and the grants to [`UserRecord::principal_id`].
    fn delete_user(&mut self, name: &str) -> Result<()>;

    fn create_token(&mut self, token: &TokenRecord) -> Result<()>;
    fn token_by_hash(&mut self, hash: &str) -> Result<Option<TokenRecord>>;
    fn tokens_of(&mut self, owner: &str) -> Result<Vec<TokenRecord>>;
    fn revoke_token(&mut self, id: &str) -> Result<()>;

    /// Replaces the level or denial of the same principal on the same resource pattern; acts stand beside it, one each.
    fn set_grant(&mut self, grant: &Grant) -> Result<()>;
    fn remove_grant(&mut self, grant: &Grant) -> Result<()>;
    fn grants(&mut self) -> Result<Vec<Grant>>;
}
