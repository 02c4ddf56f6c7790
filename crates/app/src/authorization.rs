use std::sync::{Arc, PoisonError};

use sealyard_identity::{Action, ActsOn, Authorized, Authorizer, ProtectedResource};
use sealyard_ledger::{Act, Outcome};

use crate::{App, AppError, Caller};

impl App {
    /// Asks the one authorizer whether `caller` may do `action` to `resource`; a refusal goes into the ledger.
    ///
    /// # Errors
    /// [`AppError::Denied`]; [`AppError::Unauthenticated`] for a caller without a principal or with an expired token.
    pub async fn authorize<A, R>(&self, caller: &Caller, action: A, resource: R) -> Result<Authorized<A, R>, AppError>
    where
        A: ActsOn<R>,
        R: ProtectedResource,
    {
        let Some(principal) = caller.principal() else { return Err(AppError::Unauthenticated) };
        if principal.is_expired(self.now()) {
            return Err(AppError::Unauthenticated);
        }
        let named = resource.resource().to_string();
        match self.authorizer().authorize(principal, action, resource) {
            Ok(authorized) => Ok(authorized),
            Err(_) => {
                let action = <A as Action>::KIND.to_string();
                let rule = "authorization";
                let act = Act::AccessDenied { action: action.clone(), resource: named.clone(), rule: rule.to_owned() };
                self.record(self.event(caller, Outcome::Refused, act)).await?;
                Err(AppError::Denied { rule, action, resource: named })
            }
        }
    }

    /// Like [`Self::authorize`], without an entry in the ledger: for filtering what a search shows.
    ///
    /// # Errors
    /// [`AppError::Denied`].
    pub fn may<A, R>(&self, caller: &Caller, action: A, resource: R) -> bool
    where
        A: ActsOn<R>,
        R: ProtectedResource,
    {
        caller.principal().is_some_and(|principal| {
            !principal.is_expired(self.now()) && self.authorizer().authorize(principal, action, resource).is_ok()
        })
    }

    /// The authorizer over the grants as they are now.
    #[must_use]
    pub fn authorizer(&self) -> Arc<Authorizer> {
        Arc::clone(&self.authorizer.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Reads the grants again; called after every change of them.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn reload_grants(&self) -> Result<(), AppError> {
        // One at a time: an older reading must not overwrite a newer one.
        let _one = self.reloading.lock().await;
        let grants = self.store().read(|tx| Ok::<_, AppError>(tx.grants()?)).await?;
        let fresh = Arc::new(Authorizer::new(grants, Vec::new()));
        *self.authorizer.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        Ok(())
    }
}
