//! One file per attack. Each is really carried out; what counts is which rule refused.

mod egress;
mod exchanged_file;
mod foreign_builder;
mod ledger_rewrite;
mod malicious_joblib;
mod promotion;
mod stored_byte;
mod traversal;
mod unpinned;
mod unsigned;
mod versions;
mod wheel_byte;

use std::future::Future;
use std::pin::Pin;

use sealyard_client::ClientError;

use super::context::Context;
use crate::exit::{Failure, Result};

/// What the one who attacks is told.
#[derive(Debug, Default)]
pub(crate) struct Refusal {
    /// The rules that refused.
    pub(crate) rules: Vec<String>,
    /// In words.
    pub(crate) reason: String,
}

impl Refusal {
    fn new(rule: impl Into<String>, reason: impl std::fmt::Display) -> Self {
        Self { rules: vec![rule.into()], reason: reason.to_string() }
    }

    /// For the table.
    pub(crate) fn describe(&self) -> String {
        if self.rules.is_empty() { format!("refused by no named rule: {}", self.reason) } else { self.reason.clone() }
    }
}

/// The attack went through.
fn went_through(what: &str) -> Failure {
    Failure::no(anyhow::anyhow!("{what}"))
}

/// A request that must be refused by the server.
fn refused<T>(result: std::result::Result<T, ClientError>, what: &str) -> Result<Refusal> {
    match result {
        Ok(_) => Err(went_through(what)),
        Err(ClientError::Answer { rules, message, status, .. }) => {
            // A scan names all its rules as one; each of them refused.
            let rules = rules
                .iter()
                .flat_map(|rule| rule.strip_prefix("scan:").unwrap_or(rule).split(','))
                .map(str::to_owned)
                .collect();
            Ok(Refusal { rules, reason: format!("{status}: {message}") })
        }
        Err(error) => Err(Failure::could_not(error)),
    }
}

type Work<'a> = Pin<Box<dyn Future<Output = Result<Refusal>> + 'a>>;

/// An attack and the rule that must stop it.
pub(crate) struct Attack {
    pub(crate) name: &'static str,
    pub(crate) gate: &'static str,
    work: for<'a> fn(&'a Context) -> Work<'a>,
}

impl Attack {
    /// Does it. An error means that it went through, or could not be tried; both fail the demo.
    pub(crate) async fn carry_out(&self, demo: &Context) -> Result<Refusal> {
        (self.work)(demo).await
    }
}

macro_rules! attacks {
    ($($module:ident: $name:literal => $gate:literal,)*) => {
        /// All of them, in the order of the pipeline.
        pub(crate) const ALL: &[Attack] = &[
            $(Attack { name: $name, gate: $gate, work: |demo| Box::pin($module::carry_out(demo)) },)*
        ];
    };
}

attacks! {
    wheel_byte: "a wheel with a changed byte" => "environment.wheel-digest",
    unpinned: "an unpinned requirement" => "environment.unpinned",
    egress: "training code that opens a connection" => "sandbox.egress",
    malicious_joblib: "a malicious joblib uploaded as a model" => "pickle-dangerous-global",
    traversal: "a traversal in an artifact path" => "artifact.path",
    stored_byte: "one byte of a stored blob changed" => "vault.authentication",
    exchanged_file: "a model file exchanged and re-encrypted" => "load.file-digest",
    unsigned: "an unsigned version deployed" => "signature.signer",
    foreign_builder: "provenance from another builder" => "provenance.builder",
    promotion: "a user without the role promoting" => "authorization",
    ledger_rewrite: "a ledger entry rewritten on disk" => "ledger.leaf-hash",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_eleven_and_each_has_a_rule_of_its_own() {
        let rules: std::collections::BTreeSet<_> = ALL.iter().map(|attack| attack.gate).collect();
        assert_eq!(ALL.len(), 11);
        assert_eq!(rules.len(), ALL.len());
    }
}
