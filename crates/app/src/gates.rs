//! The one place that calls `decide` for the server: publish, deploy, protected aliases, dry runs.

use std::collections::BTreeSet;

use sealyard_core::{Digest, Subject, Verdict};
use sealyard_gate::{Context, Decision, Request, Stage, collect, decide, deployment_statement, publish_statement};
use sealyard_identity::{Authorized, BreakGlass, Deploy, ModelName, Publish, Read, RegistryEntry};
use sealyard_ledger::{Act, Event, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::{EvidenceRecord, ModelVersion};
use serde::{Deserialize, Serialize};

use crate::tasks::blocking;
use crate::{App, AppError, Caller};

/// Asks the publish gate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishRequest {
    /// Name of the registered model.
    pub name: String,
    /// Which version.
    pub version: u32,
    /// The environment to publish for, where the policy knows some.
    #[serde(default)]
    pub environment: Option<String>,
}

/// Asks the deployment gate.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeployRequest {
    /// Name of the registered model.
    pub name: String,
    /// Which version.
    pub version: u32,
    /// The environment to deploy to, where the policy knows some.
    #[serde(default)]
    pub environment: Option<String>,
    /// Why it shall be deployed although the gate's rules are not content. Takes the right to break glass, and a policy that
    /// lets it be broken.
    #[serde(default)]
    pub break_glass: Option<String>,
}

/// What is asked of a gate, beside the stage.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    pub(crate) environment: Option<String>,
    /// An alias is to be set, at the publish stage.
    pub(crate) promoting: bool,
    /// Why glass is broken, by somebody who was authorized to.
    pub(crate) break_glass: Option<String>,
}

/// What a gate said, and what came of it.
#[derive(Debug, Clone, Serialize)]
pub struct GateOutcome {
    /// The decision with its reasons.
    #[serde(flatten)]
    pub decision: Decision,
    /// Digest of the attestation that was signed, if it was allowed and not a dry run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attestation: Option<Digest>,
    /// Digest of the publish attestation the version has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub published: Option<Digest>,
}

impl App {
    /// Asks the publish gate over the evidence there is; when it allows, signs the publish attestation and marks the
    /// version published, in one transaction with the decision's event.
    ///
    /// # Errors
    /// [`AppError::GateDenied`], [`AppError::NotFound`], [`AppError::Refused`] (`policy.absent`) on a server without policy.
    pub async fn publish(
        &self,
        caller: &Caller,
        authorized: &Authorized<Publish, RegistryEntry>,
        request: PublishRequest,
    ) -> Result<GateOutcome, AppError> {
        let asked = Asked { environment: request.environment, ..Asked::default() };
        self.pass_gate(caller, authorized.resource().name(), request.version, Stage::Publish, asked).await
    }

    /// Asks the deployment gate; when it allows, or glass is broken, signs the deployment attestation.
    ///
    /// # Errors
    /// As [`Self::publish`]; [`AppError::Denied`] for breaking glass without the right to.
    pub async fn deploy(
        &self,
        caller: &Caller,
        authorized: &Authorized<Deploy, RegistryEntry>,
        request: DeployRequest,
    ) -> Result<GateOutcome, AppError> {
        let DeployRequest { version, environment, break_glass, .. } = request;
        if break_glass.is_some() {
            let _may_break_glass = self.authorize(caller, BreakGlass, authorized.resource().clone()).await?;
        }
        let asked = Asked { environment, promoting: false, break_glass };
        self.pass_gate(caller, authorized.resource().name(), version, Stage::Deploy, asked).await
    }

    /// What the gate would say now. Writes nothing.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Refused`] (`policy.absent`).
    pub async fn gate_check(
        &self,
        caller: &Caller,
        authorized: &Authorized<Read, RegistryEntry>,
        version: u32,
        stage: Stage,
        environment: Option<String>,
    ) -> Result<GateOutcome, AppError> {
        let asked = Asked { environment, ..Asked::default() };
        let judged = self.judge(caller, authorized.resource().name(), version, stage, asked, false).await?;
        Ok(GateOutcome { decision: judged.decision, attestation: None, published: judged.version.published })
    }

    async fn pass_gate(
        &self,
        caller: &Caller,
        name: &ModelName,
        version: u32,
        stage: Stage,
        asked: Asked,
    ) -> Result<GateOutcome, AppError> {
        let environment = asked.environment.clone();
        let judged = self.judge(caller, name, version, stage, asked, true).await?;
        let broken = self.broken_glass(caller, &judged, &format!("{stage} it"));
        let Judged { decision, version: decided_on, event: decided } = judged;
        if !decision.allowed() {
            self.record(decided).await?;
            return Err(AppError::GateDenied(Box::new(decision)));
        }
        if broken.is_some() && decided_on.verdict == Verdict::Unsafe {
            // Not even then.
            self.record(decided).await?;
            return Err(AppError::refused("artifact.verdict", "the version was found to be unsafe"));
        }
        let made = |error| AppError::internal("the attestation could not be made", error);
        let statement = match stage {
            Stage::Publish => publish_statement(&decision).map_err(made)?,
            // Of the other stages only a deployment has an attestation; the statement refuses the rest.
            Stage::Deploy | Stage::Admit | Stage::Load => deployment_statement(&decision).map_err(made)?,
        };
        let digest = decision.subject().digest;
        let attestation = self.sign_evidence(digest, &statement, &self.keys.gate)?;
        let signed = attestation.digest;
        let act = match stage {
            Stage::Publish => Act::Published { name: name.to_string(), version, digest, attestation: signed },
            Stage::Deploy | Stage::Admit | Stage::Load => Act::Deployed {
                name: name.to_string(),
                version,
                digest,
                environment: environment.unwrap_or_default(),
                attestation: signed,
            },
        };
        let event = self.event(caller, Outcome::Done, act);
        let key_used = self.event(caller, Outcome::Done, self.gate_signed(&attestation));
        let now = self.now();
        let name = name.clone();
        let published = self
            .store()
            .write(move |tx| {
                let Some(found) = tx.model_version(name.as_str(), version)? else {
                    return Err(AppError::NotFound { kind: "model version", id: format!("{name}/{version}") });
                };
                check_unchanged(&decided_on, &found)?;
                tx.record(&decided)?;
                if let Some(broken) = &broken {
                    tx.record(broken)?;
                }
                tx.add_evidence(&attestation)?;
                tx.record(&key_used)?;
                if stage == Stage::Publish {
                    tx.mark_published(name.as_str(), version, signed, now)?;
                }
                tx.record(&event)?;
                Ok(if stage == Stage::Publish { Some(signed) } else { found.published })
            })
            .await?;
        self.sequencer.notify();
        Ok(GateOutcome { decision, attestation: Some(signed), published })
    }

    /// Collects the evidence of a version and decides. The caller of this writes the event, with what comes of it; only
    /// that there is no policy to decide by is written here, when something was to be done (`acting`).
    pub(crate) async fn judge(
        &self,
        caller: &Caller,
        name: &ModelName,
        version: u32,
        stage: Stage,
        asked: Asked,
        acting: bool,
    ) -> Result<Judged, AppError> {
        let resource = format!("models:/{name}/{version}");
        let Some(loaded) = self.policy.clone() else {
            let rule = "policy.absent";
            if acting {
                let act = Act::AccessDenied { action: stage.to_string(), resource, rule: rule.to_owned() };
                self.record_refusal(self.event(caller, Outcome::Refused, act)).await?;
            }
            return Err(AppError::refused(
                rule,
                "this server has no policy, so nothing can be published or deployed; start it with --policy FILE",
            ));
        };
        let wanted = name.as_str().to_owned();
        let (found, tree, records, trained_by) = self
            .store()
            .read(move |tx| {
                let Some(found) = tx.model_version(&wanted, version)? else {
                    return Err(AppError::NotFound { kind: "model version", id: format!("{wanted}/{version}") });
                };
                let (tree, _) = tx.model_version_files(&wanted, version)?;
                let records: Vec<EvidenceRecord> = tx.evidence_for(&tree.digest())?;
                let trained_by = trained_by(tx, &found)?;
                Ok((found, tree, records, trained_by))
            })
            .await?;
        let subject = Subject { name: resource.clone(), digest: found.tree };
        let principal = caller.principal().map(|principal| principal.name.to_string());
        let Asked { environment, promoting, break_glass } = asked;
        let trained_by = Some(trained_by);
        let context = Context { environment, principal, promoting, trained_by, break_glass, ..Context::at(self.now()) };
        // Many signatures take their time.
        let decision = blocking("a decision broke", move || {
            let bundles = records.iter().map(|record| record.bundle.as_bytes());
            let (verified, rejected) = collect(bundles, loaded.policy.trusted_keys());
            let request = Request { subject, tree: &tree, stage, context };
            Ok(decide(&request, &verified, &rejected, &loaded.policy))
        })
        .await?;
        let act = Act::GateDecided {
            stage: stage.to_string(),
            subject: found.tree,
            resource,
            allowed: decision.allowed(),
            refused_by: decision.failures().map(|reason| reason.rule().to_owned()).collect(),
            policy: decision.policy(),
        };
        let outcome = if decision.allowed() { Outcome::Done } else { Outcome::Refused };
        let event = self.event(caller, outcome, act);
        Ok(Judged { decision, version: found, event })
    }
}

/// Who made what the version came from: the run, the logged model, and the version itself.
fn trained_by(tx: &mut dyn Transaction, version: &ModelVersion) -> Result<BTreeSet<String>, AppError> {
    let mut names = BTreeSet::from([version.created_by.clone()]);
    let mut run_id = version.run_id.clone();
    if let Some(model) = &version.model_id
        && let Some(model) = tx.logged_model(model)?
    {
        names.insert(model.created_by);
        run_id = run_id.or(model.source_run_id);
    }
    if let Some(run) = run_id
        && let Some(run) = tx.run(&run)?
    {
        names.insert(run.created_by);
    }
    Ok(names)
}

impl App {
    /// The event of glass that was broken, if it was. It goes with what came of it.
    pub(crate) fn broken_glass(&self, caller: &Caller, judged: &Judged, what: &str) -> Option<Event> {
        let decision = &judged.decision;
        let reason = decision.context().break_glass.clone().filter(|_| decision.broke_glass())?;
        let act = Act::GlassBroken {
            severity: "high".to_owned(),
            what: what.to_owned(),
            resource: decision.subject().name.clone(),
            reason,
            overruled: decision.failures().map(|reason| reason.rule().to_owned()).collect(),
        };
        Some(self.event(caller, Outcome::Done, act))
    }
}

/// A decision, what it was made about, and its event, which is not written yet.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) decision: Decision,
    pub(crate) version: ModelVersion,
    pub(crate) event: Event,
}

/// A name and a number can come to mean another version between a decision and what comes of it, when a model is deleted
/// or renamed and made anew.
pub(crate) fn check_unchanged(decided_on: &ModelVersion, now: &ModelVersion) -> Result<(), AppError> {
    if decided_on.tree == now.tree && decided_on.created == now.created && decided_on.published == now.published {
        return Ok(());
    }
    Err(AppError::Conflict(format!("version {} of {:?} changed while the gate decided", now.version, now.name)))
}
