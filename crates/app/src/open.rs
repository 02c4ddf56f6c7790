//! A server that asks nobody who they are.

use std::net::IpAddr;
use std::sync::OnceLock;

use sealyard_identity::{Principal, PrincipalId, PrincipalName, Via};
use sealyard_ledger::{Act, Outcome};

use crate::{App, AppError, Caller};

/// Who everybody is then, in the ledger and to clients. No account can have this name.
pub const LOCAL_ADMINISTRATOR: &str = "local-administrator";
/// What their grants hang on; accounts are `u` and a number.
const ID: &str = "local";

/// Set once and never taken back: who is let in while the server runs does not change under anybody's hands.
#[derive(Debug, Default)]
pub(crate) struct Open(OnceLock<Principal>);

impl App {
    /// From now on everybody is an administrator, and the ledger says so. Only for a server that others can't reach.
    ///
    /// # Errors
    /// [`AppError::Store`]: nobody is let in then.
    pub async fn disable_authentication(&self) -> Result<(), AppError> {
        let name =
            |error: sealyard_identity::IdentifierError| AppError::internal("the administrator has no name", error);
        let principal = Principal {
            id: PrincipalId::new(ID).map_err(name)?,
            name: PrincipalName::new(LOCAL_ADMINISTRATOR).map_err(name)?,
            admin: true,
            via: Via::Open,
        };
        self.record(self.event(&Caller::system(), Outcome::Done, Act::AuthenticationDisabled {})).await?;
        let _ = self.open.0.set(principal);
        Ok(())
    }

    /// The administrator that everybody is after [`Self::disable_authentication`], but nobody from another machine.
    #[must_use]
    pub fn local_administrator(&self, source: Option<IpAddr>, request_id: Option<String>) -> Option<Caller> {
        let principal = self.open.0.get()?;
        // The listener is on loopback; this holds even if it is not.
        let local = source.is_none_or(|source| source.to_canonical().is_loopback());
        local.then(|| Caller::new(principal.clone(), source, request_id))
    }
}
