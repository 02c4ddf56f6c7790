//! The attestations that gates sign: made from decisions that allow, and from nothing else.

use std::collections::BTreeMap;

use sealyard_evidence::predicate::{BrokenGlass, DecisionDetails, Deployment, Package, Publish, ResourceDescriptor};
use sealyard_evidence::{Statement, StatementError};

use crate::decision::Decision;
use crate::request::Stage;

/// The publish attestation of a decision of the publish gate, to be signed with the gate's key.
///
/// # Errors
/// [`AttestationError`] when the decision is another gate's or does not allow.
pub fn publish_statement(decision: &Decision) -> Result<Statement, AttestationError> {
    check(decision, Stage::Publish)?;
    let context = decision.context();
    let predicate = Publish {
        creation_time: context.now,
        package: Package {
            name: decision.subject().name.clone(),
            registry: None,
            environment: context.environment.clone(),
        },
        properties: serde_json::Map::new(),
        decision_details: Some(details(decision)),
    };
    Ok(Statement::new(&[decision.subject().clone()], &predicate)?)
}

/// The deployment attestation of a decision of the deploy gate, to be signed with the gate's key. It is bound to the
/// scopes and to the environment that were decided on.
///
/// # Errors
/// [`AttestationError`] when the decision is another gate's or does not allow.
pub fn deployment_statement(decision: &Decision) -> Result<Statement, AttestationError> {
    check(decision, Stage::Deploy)?;
    let context = decision.context();
    let mut scopes: BTreeMap<String, String> = context.scopes.clone();
    if let Some(environment) = &context.environment {
        scopes.insert(Deployment::ENVIRONMENT_SCOPE.to_owned(), environment.clone());
    }
    let predicate = Deployment {
        creation_time: context.now,
        scopes,
        decision_details: Some(details(decision)),
        break_glass: broken_glass(decision),
    };
    Ok(Statement::new(&[decision.subject().clone()], &predicate)?)
}

/// Says of a deployment that it is one against the rules, to whoever reads the attestation without the ledger.
fn broken_glass(decision: &Decision) -> Option<BrokenGlass> {
    decision
        .broke_glass()
        .then(|| BrokenGlass { overruled: decision.failures().map(|reason| reason.rule().to_owned()).collect() })
}

fn check(decision: &Decision, stage: Stage) -> Result<(), AttestationError> {
    if decision.stage() != stage {
        return Err(AttestationError::Stage { expected: stage, found: decision.stage() });
    }
    if decision.allowed() { Ok(()) } else { Err(AttestationError::Denied) }
}

fn details(decision: &Decision) -> DecisionDetails {
    let evidence = decision.evidence();
    DecisionDetails {
        evidence: evidence.into_iter().map(|digest| ResourceDescriptor::sha256("bundle", digest)).collect(),
        policy: vec![ResourceDescriptor::sha256("policy", decision.policy())],
    }
}

/// No attestation can be made of the decision.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AttestationError {
    /// Of another gate.
    #[error("the decision is the {found} gate's, the attestation needs the {expected} gate's")]
    Stage {
        /// The gate it must be.
        expected: Stage,
        /// The gate it is.
        found: Stage,
    },
    /// Denied.
    #[error("the gate denied it, so there is nothing to attest")]
    Denied,
    /// The statement can't be made.
    #[error(transparent)]
    Statement(#[from] StatementError),
}
