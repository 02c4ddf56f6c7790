//! Refusals that HTTP finds before there is anything to ask the authorizer about.

use sealyard_identity::{ActsOn, Authorized, ExperimentId, Read, Scope};
use sealyard_ledger::{Act, Outcome};

use crate::{App, AppError, Caller};

/// Name of the rule that refuses paths which are not plain relative ones.
pub const ARTIFACT_PATH_RULE: &str = "artifact.path";

impl App {
    /// Puts a refused artifact path into the ledger; gives the refusal.
    pub async fn refuse_artifact_path(&self, caller: &Caller, path: &str, reason: &str) -> AppError {
        let shown: String = path.chars().take(200).flat_map(char::escape_default).collect();
        let rule = ARTIFACT_PATH_RULE.to_owned();
        let act = Act::ArtifactRefused { path: shown, digest: None, rule, reason: reason.to_owned() };
        match self.record_refusal(self.event(caller, Outcome::Refused, act)).await {
            Ok(()) => AppError::refused(ARTIFACT_PATH_RULE, reason),
            Err(error) => error,
        }
    }

    /// Authorizes on the experiment that a thing belongs to. Whoever may not even see the experiment is told no more of the
    /// thing than if it were not there.
    pub(crate) async fn authorize_below<A>(
        &self,
        caller: &Caller,
        action: A,
        experiment: ExperimentId,
        kind: &'static str,
        id: &str,
    ) -> Result<Authorized<A, ExperimentId>, AppError>
    where
        A: ActsOn<ExperimentId>,
    {
        match self.authorize(caller, action, experiment.clone()).await {
            Err(AppError::Denied { action, .. }) if !self.may(caller, Read, experiment) => {
                Err(self.not_visible(caller, action, kind, id))
            }
            other => other,
        }
    }

    /// Refuses a thing that the caller may not touch, or that is not there: in the same words, and both go into the ledger, so that
    /// neither answer nor its time tells which it was.
    pub(crate) async fn deny_unseen(
        &self,
        caller: &Caller,
        action: String,
        kind: &'static str,
        id: &str,
    ) -> Result<AppError, AppError> {
        let error = self.not_visible(caller, action, kind, id);
        if let AppError::Denied { rule, action, resource } = &error {
            let act =
                Act::AccessDenied { action: action.clone(), resource: resource.clone(), rule: (*rule).to_owned() };
            self.record_refusal(self.event(caller, Outcome::Refused, act)).await?;
        }
        Ok(error)
    }

    /// What someone is told of a thing that is not there: an administrator that, anybody else the same as of a thing they
    /// may not see.
    pub(crate) fn not_visible(&self, caller: &Caller, action: String, kind: &'static str, id: &str) -> AppError {
        let Some(principal) = caller.principal() else { return AppError::Unauthenticated };
        let id: String = id.chars().take(200).collect();
        if principal.admin && principal.scopes().is_none_or(|scopes| scopes.contains(&Scope::All)) {
            return AppError::NotFound { kind, id };
        }
        AppError::Denied { rule: "authorization", action, resource: format!("{kind} {id:?}") }
    }
}
