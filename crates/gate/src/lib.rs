//! The gate: policies, and the one pure function that decides.
//!
//! [`decide`] takes a subject, a stage, verified evidence and a [`Policy`], and gives a [`Decision`] with a reason for
//! every rule. It reads no file and asks nobody; whoever calls it collects the evidence and tells what was rejected.
//! Every rule is looked at in every decision of its stage, so that one can't hide another; evidence about another
//! subject counts for nothing, and the reason says so.
//!
//! There is no other way to "allowed". A [`Decision`] and a [`VerifiedModel`] can be made nowhere else:
//!
//! ```compile_fail,E0451
//! # use sealyard_gate::Decision;
//! fn forge() -> Decision {
//!     Decision { inner: todo!() }
//! }
//! ```
//! ```compile_fail,E0451
//! # use sealyard_gate::VerifiedModel;
//! fn forge(tree: sealyard_core::FileTree, decision: sealyard_gate::Decision) -> VerifiedModel {
//!     VerifiedModel { tree, decision }
//! }
//! ```
//! ```compile_fail,E0277
//! # use sealyard_gate::Decision;
//! fn forge(text: &str) -> Decision {
//!     serde_json::from_str(text).unwrap()
//! }
//! ```
//!
//! # The policy
//!
//! A TOML file with its keys beside it. Unknown keys are errors. A stage without a section denies everything.
//!
//! ```toml
//! version = 1
//!
//! [keys]                                   # a name and a public key, PEM, in the policy's folder
//! release = "release.pub"
//! runner = "runner.pub"
//! scanner = "scanner.pub"
//! gate = "gate.pub"
//!
//! [publish]
//! signed_by = ["release"]                  # who may sign a model's files (OMS)
//! scan = { signed_by = ["scanner"], verdict = "safe", max_age_days = 30 }
//! provenance = { signed_by = ["runner"], builders = ["https://sealyard.dev/runner/local/v1"] }
//! environments = ["production"]            # optional: then one of them must be named; without, none may be
//!
//! [deploy]                                 # as above, and:
//! published_by = ["gate"]                  # whose publish attestation counts
//! signed_by = ["release"]
//! scan = { signed_by = ["scanner"], verdict = "safe" }
//! provenance = "not required"              # said in so many words, and in every decision
//!
//! [load]                                   # [admit] has the same shape
//! deployed_by = ["gate"]                   # whose deployment attestation counts
//! max_attestation_age_days = 90            # optional, in [deploy] too
//! signed_by = ["release"]
//! scan = { signed_by = ["scanner"], verdict = "safe" }
//! provenance = { signed_by = ["runner"], builders = ["https://sealyard.dev/runner/local/v1"] }
//!
//! [aliases]
//! protected = ["champion", "production"]   # setting these asks the publish gate first
//!
//! [separation_of_duties]                   # optional
//! trained_may_not = ["publish", "promote", "deploy"]   # by whoever made the run, the logged model or the version
//!
//! [break_glass]                            # optional; without it nobody can
//! may = ["promote", "deploy"]              # promote: point a protected alias at a version; deploy: deploy one
//! ```
//!
//! # Environments and scopes
//!
//! A publish attestation is bound to the environment that was asked for, or to none, and the deploy gate wants the
//! same one: publishing for staging says nothing about production. A deployment attestation carries the environment
//! and the scopes of its request; the load and admit gates want every one of them to hold where the model is to run.
//!
//! # Certificates
//!
//! Policies name keys. Evidence signed by certificate verifies with [`sealyard_evidence::verify_at`], but its signer is
//! no key of the policy, so no rule counts it.
#![forbid(unsafe_code)]

mod attestation;
mod collect;
mod decide;
mod decision;
mod model;
mod policy;
mod request;
mod rules;

pub use attestation::{AttestationError, deployment_statement, publish_statement};
pub use collect::collect;
pub use decide::decide;
pub use decision::{Decision, Reason};
pub use model::VerifiedModel;
pub use policy::{
    AttestationRule, AttestedBy, Duty, Policy, PolicyError, ProvenanceRule, Requirement, ScanRule, Section,
};
pub use request::{Context, Rejected, Request, Stage};
pub use rules::RULES;
