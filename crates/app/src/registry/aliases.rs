//! Aliases: names that point at versions, some of them protected by the policy.

use sealyard_core::Verdict;
use sealyard_evidence::Bundle;
use sealyard_evidence::predicate::Predicate;
use sealyard_gate::Stage;
use sealyard_identity::{BreakGlass, Edit, ModelName, Promote};
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::model::ModelVersion;

use super::source::shorten;
use crate::gates::{Asked, check_unchanged};
use crate::webhooks::Happening;
use crate::{App, AppError, Caller};

/// What the publish gate let through for a protected alias.
pub(super) struct Promoted {
    pub(super) version: ModelVersion,
    /// The decision's, and that glass was broken.
    pub(super) events: Vec<Event>,
}

impl App {
    /// Points `alias` at a version. An alias that the policy protects takes the right to promote, and the publish gate
    /// is asked again over the evidence there is now.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::GateDenied`], [`AppError::NotFound`]; [`AppError::Refused`]
    /// (`alias.unpublished`, `artifact.verdict`).
    pub async fn set_alias(
        &self,
        caller: &Caller,
        name: ModelName,
        alias: String,
        version: u32,
    ) -> Result<(), AppError> {
        self.point_alias(caller, name, alias, version, None).await
    }

    /// Likewise; with a reason to break glass, which takes the right to, although the gate's rules are not content or the
    /// version is not published.
    ///
    /// # Errors
    /// As [`Self::set_alias`].
    pub async fn point_alias(
        &self,
        caller: &Caller,
        name: ModelName,
        alias: String,
        version: u32,
        break_glass: Option<String>,
    ) -> Result<(), AppError> {
        check_alias(&alias)?;
        let promoted = if self.is_protected_alias(&alias) {
            let entry = self.registry_entry(name.clone()).await?;
            let _may_promote = self.authorize(caller, Promote, entry.clone()).await?;
            if break_glass.is_some() {
                let _may_break_glass = self.authorize(caller, BreakGlass, entry).await?;
            }
            Some(self.promote(caller, &name, &alias, version, break_glass).await?)
        } else {
            let _may_edit = self.authorize(caller, Edit, self.registry_entry(name.clone()).await?).await?;
            None
        };
        let now = self.now();
        let act = Act::AliasSet { name: name.to_string(), alias: alias.clone(), version };
        let event = self.event(caller, Outcome::Done, act);
        let announcer = self.announcer();
        self.store()
            .write(move |tx| {
                let Some(found) = tx.model_version(name.as_str(), version)? else {
                    return Err(AppError::NotFound { kind: "model version", id: format!("{name}/{version}") });
                };
                if found.verdict == Verdict::Unsafe {
                    return Err(AppError::refused("artifact.verdict", "the version was found to be unsafe"));
                }
                if let Some(promoted) = promoted {
                    check_unchanged(&promoted.version, &found)?;
                    for event in promoted.events {
                        tx.record(&event)?;
                    }
                }
                tx.set_alias(name.as_str(), &alias, version, now)?;
                announcer.announce(tx, Happening::AliasSet { name: name.as_str(), alias: &alias, version })?;
                Ok(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Asks the publish gate whether the version is still one that it would let through.
    pub(super) async fn promote(
        &self,
        caller: &Caller,
        name: &ModelName,
        alias: &str,
        version: u32,
        break_glass: Option<String>,
    ) -> Result<Promoted, AppError> {
        let environment = self.published_environment(name, version).await?;
        let asked = Asked { environment, promoting: true, break_glass };
        let judged = self.judge(caller, name, version, Stage::Publish, asked, true).await?;
        if !judged.decision.allowed() {
            self.record(judged.event).await?;
            return Err(AppError::GateDenied(Box::new(judged.decision)));
        }
        let broken = self.broken_glass(caller, &judged, &format!("set the alias {alias}"));
        if judged.version.published.is_none() && broken.is_none() {
            let rule = "alias.unpublished";
            let refused = Act::AccessDenied {
                action: format!("set the alias {alias}"),
                resource: format!("models:/{name}/{version}"),
                rule: rule.to_owned(),
            };
            let refused = self.event(caller, Outcome::Refused, refused);
            self.record_all(vec![judged.event, refused]).await?;
            let reason = format!("the name {alias:?} is protected and version {version} is not published");
            return Err(AppError::refused(rule, reason));
        }
        let events = std::iter::once(judged.event).chain(broken).collect();
        Ok(Promoted { version: judged.version, events })
    }

    /// The environment that a version was published for: a policy that asks for one is asked about that one again.
    async fn published_environment(&self, name: &ModelName, version: u32) -> Result<Option<String>, AppError> {
        let name = name.as_str().to_owned();
        let published = self
            .store()
            .read(move |tx| {
                let Some(digest) = tx.model_version(&name, version)?.and_then(|found| found.published) else {
                    return Ok(None);
                };
                Ok::<_, AppError>(tx.evidence(&digest)?)
            })
            .await?;
        let Some(published) = published else { return Ok(None) };
        let unreadable = |error: String| AppError::internal("a publish attestation can't be read", error);
        let bundle = Bundle::parse(published.bundle.as_bytes()).map_err(|error| unreadable(error.to_string()))?;
        let statement = bundle.claimed_statement().map_err(|error| unreadable(error.to_string()))?;
        match Predicate::parse(statement.predicate_type(), statement.predicate()) {
            Ok(Predicate::Publish(publish)) => Ok(publish.package.environment),
            Ok(_) => Ok(None),
            Err(error) => Err(unreadable(error.to_string())),
        }
    }

    /// Takes an alias away; a protected one takes the right to promote.
    ///
    /// # Errors
    /// [`AppError::Denied`], [`AppError::NotFound`].
    pub async fn delete_alias(&self, caller: &Caller, name: ModelName, alias: String) -> Result<(), AppError> {
        if self.is_protected_alias(&alias) {
            let _may_promote = self.authorize(caller, Promote, self.registry_entry(name.clone()).await?).await?;
        } else {
            let _may_edit = self.authorize(caller, Edit, self.registry_entry(name.clone()).await?).await?;
        }
        let act = Act::AliasDeleted { name: name.to_string(), alias: alias.clone() };
        let event = self.event(caller, Outcome::Done, act);
        let announcer = self.announcer();
        self.store()
            .write(move |tx| {
                tx.delete_alias(name.as_str(), &alias)?;
                announcer.announce(tx, Happening::AliasDeleted { name: name.as_str(), alias: &alias })?;
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }

    /// Whether the policy protects the alias.
    #[must_use]
    pub fn is_protected_alias(&self, alias: &str) -> bool {
        self.policy.as_ref().is_some_and(|loaded| loaded.policy.is_protected_alias(alias))
    }
}

/// MLflow's rules for an alias: it must not look like a version.
fn check_alias(alias: &str) -> Result<(), AppError> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let like_a_version =
        alias.strip_prefix(['v', 'V']).is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    if alias.is_empty() || alias.len() > 255 || !alias.bytes().all(plain) || like_a_version || alias == "latest" {
        return Err(AppError::Invalid(format!("Invalid alias name: '{}'", shorten(alias))));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aliases_that_look_like_versions_are_refused() {
        for alias in ["", "v1", "V2", "latest", "a b", "a/b"] {
            assert!(check_alias(alias).is_err(), "{alias}");
        }
        assert!(check_alias("champion").is_ok() && check_alias("v").is_ok());
    }
}
