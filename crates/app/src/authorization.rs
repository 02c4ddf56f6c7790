use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use sealyard_identity::{
    Action, ActionKind, ActsOn, Authorized, Authorizer, Explanation, Principal, ProtectedResource, Resource,
    ResourcePattern, WorkspaceName,
};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::{Store, Transaction};

use crate::tasks::to_its_end;
use crate::{App, AppError, Caller};

/// The grants as the catalog has them, ready to be asked.
#[derive(Debug)]
pub(crate) struct Grants {
    store: Arc<dyn Store>,
    current: RwLock<Arc<Authorizer>>,
    /// The last reading failed, so that a change may not be in `current`.
    stale: AtomicBool,
    /// One reading at a time: an older one must not overwrite a newer one.
    reloading: tokio::sync::Mutex<()>,
}

impl Grants {
    /// Nobody has a grant before the first reading.
    pub(crate) fn new(store: Arc<dyn Store>) -> Self {
        let nobody = Arc::new(Authorizer::new(Vec::new(), Vec::new()));
        Self {
            store,
            current: RwLock::new(nobody),
            stale: AtomicBool::new(true),
            reloading: tokio::sync::Mutex::default(),
        }
    }

    fn current(&self) -> Arc<Authorizer> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    async fn reload(&self) -> Result<(), AppError> {
        let _one = self.reloading.lock().await;
        let read = self.store.read(|tx| Ok::<_, AppError>(tx.access_rules()?)).await;
        self.stale.store(read.is_err(), Ordering::SeqCst);
        let rules = read?;
        let authorizer = Arc::new(Authorizer::new(rules.grants, rules.memberships));
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = authorizer;
        Ok(())
    }

    /// Changes grants, from within the workspace that `store` shows, and has the change take effect before it is
    /// acknowledged.
    async fn change<T: Send + 'static>(
        &self,
        store: &dyn Store,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let done = store.write(work).await;
        // Also after a failure: a commit that seemed to fail may have been written.
        self.reload().await?;
        done
    }
}

/// Rights in one workspace.
#[derive(Debug)]
pub(crate) struct Rights {
    authorizer: Arc<Authorizer>,
    workspace: Arc<WorkspaceName>,
}

impl Rights {
    pub(crate) fn may<A, R>(&self, principal: &Principal, action: A, resource: R) -> bool
    where
        A: ActsOn<R>,
        R: ProtectedResource,
    {
        self.authorizer.authorize(&self.workspace, principal, action, resource).is_ok()
    }

    /// Whether it matters to `principal` what is a prompt.
    pub(crate) fn tells_prompts_apart(&self, principal: &Principal) -> bool {
        self.authorizer.tells_prompts_apart(principal, &self.workspace)
    }

    pub(crate) fn explain(&self, principal: &Principal, action: ActionKind, resource: Resource) -> Explanation {
        self.authorizer.explain(&self.workspace, principal, action, resource)
    }
}

impl App {
    /// Asks the one authorizer whether `caller` may do `action` to `resource`; a refusal goes into the ledger, or is
    /// counted there.
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
        if self.grants.stale.load(Ordering::SeqCst) {
            // A change could not be read back when it was made; nothing is allowed by what was before it.
            self.reload_grants().await?;
        }
        let named = match resource.resource() {
            // Whoever may not see it is not told what it is.
            Resource::Prompt(name) => Resource::RegisteredModel(name),
            other => other,
        };
        let named = ResourcePattern::exact(&self.workspace, &named).to_string();
        match self.authorizer().authorize(&self.workspace, principal, action, resource) {
            Ok(authorized) => Ok(authorized),
            Err(_) => {
                let action = <A as Action>::KIND.to_string();
                let rule = "authorization";
                let act = Act::AccessDenied { action: action.clone(), resource: named.clone(), rule: rule.to_owned() };
                self.record_refusal(self.event(caller, Outcome::Refused, act)).await?;
                Err(AppError::Denied { rule, action, resource: named })
            }
        }
    }

    /// Like [`Self::authorize`], without an entry in the ledger: for filtering what a search shows.
    pub fn may<A, R>(&self, caller: &Caller, action: A, resource: R) -> bool
    where
        A: ActsOn<R>,
        R: ProtectedResource,
    {
        caller.principal().is_some_and(|principal| {
            !principal.is_expired(self.now())
                && self.authorizer().authorize(&self.workspace, principal, action, resource).is_ok()
        })
    }

    /// The authorizer over the grants as they are now, asked about this workspace, for closures that sort out what is seen.
    pub(crate) fn rights(&self) -> Rights {
        Rights { authorizer: self.authorizer(), workspace: Arc::clone(&self.workspace) }
    }

    /// The pattern that speaks of this thing of this workspace alone.
    pub(crate) fn only<R: ProtectedResource>(&self, resource: &R) -> ResourcePattern {
        ResourcePattern::exact(&self.workspace, &resource.resource())
    }

    /// The authorizer over the grants as they are now.
    pub(crate) fn authorizer(&self) -> Arc<Authorizer> {
        self.grants.current()
    }

    /// Reads the grants again; called after every change of them. Goes on to its end when the one who asked is gone.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn reload_grants(&self) -> Result<(), AppError> {
        let grants = Arc::clone(&self.grants);
        to_its_end("the grants could not be read", async move { grants.reload().await }).await
    }

    /// Runs `work`, which changes grants, and reads them again; neither without the other, whoever hangs up meanwhile.
    pub(crate) async fn change_grants<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut dyn Transaction) -> Result<T, AppError> + Send + 'static,
    ) -> Result<T, AppError> {
        let (grants, store) = (Arc::clone(&self.grants), Arc::clone(&self.store));
        let done = to_its_end("grants could not be changed", async move { grants.change(&*store, work).await }).await?;
        self.sequencer.notify();
        Ok(done)
    }
}
