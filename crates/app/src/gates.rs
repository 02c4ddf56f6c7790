//! The one place that calls `decide` for the server: publish, deploy, protected aliases, dry runs.

use sealyard_core::{Digest, Subject};
use sealyard_gate::{Context, Decision, Request, Stage, collect, decide, deployment_statement, publish_statement};
use sealyard_identity::{Authorized, Deploy, ModelName, Publish, Read};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::EvidenceRecord;
use serde::{Deserialize, Serialize};

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
        authorized: &Authorized<Publish, ModelName>,
        request: PublishRequest,
    ) -> Result<GateOutcome, AppError> {
        self.pass_gate(caller, authorized.resource(), request.version, Stage::Publish, request.environment).await
    }

    /// Asks the deployment gate; when it allows, signs the deployment attestation.
    ///
    /// # Errors
    /// As [`Self::publish`].
    pub async fn deploy(
        &self,
        caller: &Caller,
        authorized: &Authorized<Deploy, ModelName>,
        request: DeployRequest,
    ) -> Result<GateOutcome, AppError> {
        self.pass_gate(caller, authorized.resource(), request.version, Stage::Deploy, request.environment).await
    }

    /// What the gate would say now. Writes nothing.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Refused`] (`policy.absent`).
    pub async fn gate_check(
        &self,
        caller: &Caller,
        authorized: &Authorized<Read, ModelName>,
        version: u32,
        stage: Stage,
        environment: Option<String>,
    ) -> Result<GateOutcome, AppError> {
        self.check_gate(caller, authorized.resource(), version, stage, environment, false).await
    }

    async fn pass_gate(
        &self,
        caller: &Caller,
        name: &ModelName,
        version: u32,
        stage: Stage,
        environment: Option<String>,
    ) -> Result<GateOutcome, AppError> {
        let mut outcome = self.check_gate(caller, name, version, stage, environment.clone(), true).await?;
        if !outcome.decision.allowed() {
            return Err(AppError::GateDenied(Box::new(outcome.decision)));
        }
        let made = |error| AppError::internal("the attestation could not be made", error);
        let statement = match stage {
            Stage::Publish => publish_statement(&outcome.decision).map_err(made)?,
            // Of the other stages only a deployment has an attestation; the statement refuses the rest.
            Stage::Deploy | Stage::Admit | Stage::Load => deployment_statement(&outcome.decision).map_err(made)?,
        };
        let digest = outcome.decision.subject().digest;
        let attestation = self.sign_evidence(digest, &statement, &self.keys.gate)?;
        outcome.attestation = Some(attestation.digest);
        let act = match stage {
            Stage::Publish => {
                Act::Published { name: name.to_string(), version, digest, attestation: attestation.digest }
            }
            Stage::Deploy | Stage::Admit | Stage::Load => Act::Deployed {
                name: name.to_string(),
                version,
                digest,
                environment: environment.unwrap_or_default(),
                attestation: attestation.digest,
            },
        };
        let event = self.event(caller, Outcome::Done, act);
        let now = self.now();
        let name = name.clone();
        self.store()
            .write(move |tx| {
                tx.add_evidence(&attestation)?;
                if stage == Stage::Publish {
                    tx.mark_published(name.as_str(), version, attestation.digest, now)?;
                }
                Ok::<_, AppError>(tx.record(&event)?)
            })
            .await?;
        self.sequencer.notify();
        if stage == Stage::Publish {
            outcome.published = outcome.attestation;
        }
        Ok(outcome)
    }

    /// Collects the evidence of a version and decides. With `record` the decision goes into the ledger.
    pub(crate) async fn check_gate(
        &self,
        caller: &Caller,
        name: &ModelName,
        version: u32,
        stage: Stage,
        environment: Option<String>,
        record: bool,
    ) -> Result<GateOutcome, AppError> {
        let Some(loaded) = &self.policy else {
            return Err(AppError::refused(
                "policy.absent",
                "this server has no policy, so nothing can be published or deployed; start it with --policy FILE",
            ));
        };
        let wanted = name.as_str().to_owned();
        let (found, tree, records) = self
            .store()
            .read(move |tx| {
                let Some(found) = tx.model_version(&wanted, version)? else {
                    return Err(AppError::NotFound { kind: "model version", id: format!("{wanted}/{version}") });
                };
                let (tree, _) = tx.model_version_files(&wanted, version)?;
                let records: Vec<EvidenceRecord> = tx.evidence_for(&tree.digest())?;
                Ok((found, tree, records))
            })
            .await?;
        let (verified, rejected) =
            collect(records.iter().map(|record| record.bundle.as_bytes()), loaded.policy.trusted_keys());
        let request = Request {
            subject: Subject { name: format!("models:/{name}/{version}"), digest: found.tree },
            tree: &tree,
            stage,
            context: Context {
                environment,
                principal: caller.principal().map(|principal| principal.name.to_string()),
                ..Context::at(self.now())
            },
        };
        let decision = decide(&request, &verified, &rejected, &loaded.policy);
        if record {
            let act = Act::GateDecided {
                stage: stage.to_string(),
                subject: found.tree,
                resource: format!("models:/{name}/{version}"),
                allowed: decision.allowed(),
                refused_by: decision.failures().map(|reason| reason.rule().to_owned()).collect(),
                policy: decision.policy(),
            };
            let outcome = if decision.allowed() { Outcome::Done } else { Outcome::Refused };
            self.record(self.event(caller, outcome, act)).await?;
        }
        Ok(GateOutcome { decision, attestation: None, published: found.published })
    }
}
