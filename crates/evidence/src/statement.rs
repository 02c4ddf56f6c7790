//! in-toto statements, <https://in-toto.io/Statement/v1>.

use std::collections::BTreeMap;

use sealyard_core::{Digest, Subject};
use serde::{Deserialize, Serialize};

use crate::predicate::PredicateType;
use crate::unique;

/// The only statement type that is read and written.
pub const STATEMENT_V1: &str = "https://in-toto.io/Statement/v1";

/// More subjects than a statement about models, wheels or images has.
const MAX_SUBJECTS: usize = 4096;

/// What somebody says about subjects. It proves nothing until its envelope was verified.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Statement {
    /// Always [`STATEMENT_V1`].
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<StatementSubject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: serde_json::Value,
}

/// What a statement is about: a name and digests by algorithm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct StatementSubject {
    #[serde(default)]
    name: String,
    digest: BTreeMap<String, String>,
}

impl Statement {
    /// States `predicate` of `subjects`.
    ///
    /// # Errors
    /// [`StatementError`] without a subject, or when the predicate can't be written as JSON.
    pub fn new<P: PredicateType>(subjects: &[Subject], predicate: &P) -> Result<Self, StatementError> {
        if subjects.is_empty() || subjects.len() > MAX_SUBJECTS {
            return Err(StatementError::Subjects(subjects.len()));
        }
        let subject = subjects
            .iter()
            .map(|subject| StatementSubject {
                name: subject.name.clone(),
                digest: BTreeMap::from([("sha256".to_owned(), subject.digest.to_hex())]),
            })
            .collect();
        Ok(Self {
            kind: STATEMENT_V1.to_owned(),
            subject,
            predicate_type: P::TYPE.to_owned(),
            predicate: serde_json::to_value(predicate).map_err(StatementError::Json)?,
        })
    }

    /// Reads a payload.
    ///
    /// # Errors
    /// [`StatementError`] when it is no statement of version 1.
    pub fn parse(payload: &[u8]) -> Result<Self, StatementError> {
        unique::check(payload).map_err(StatementError::Json)?;
        let statement: Self = serde_json::from_slice(payload).map_err(StatementError::Json)?;
        if statement.kind != STATEMENT_V1 {
            return Err(StatementError::Type(statement.kind.chars().take(120).collect()));
        }
        if statement.subject.is_empty() || statement.subject.len() > MAX_SUBJECTS {
            return Err(StatementError::Subjects(statement.subject.len()));
        }
        Ok(statement)
    }

    /// The statement as JSON, to be signed.
    ///
    /// # Errors
    /// [`StatementError::Json`] when it can't be written.
    pub fn to_json(&self) -> Result<Vec<u8>, StatementError> {
        serde_json::to_vec_pretty(self).map_err(StatementError::Json)
    }

    /// What is stated about: every subject with its SHA-256.
    ///
    /// # Errors
    /// [`StatementError::Subject`] when one has no plain SHA-256: it would be about something we can't tell.
    pub fn subjects(&self) -> Result<Vec<Subject>, StatementError> {
        let subject = |subject: &StatementSubject| {
            let digest = subject.digest.get("sha256").and_then(|hex| Digest::from_hex(hex).ok());
            let digest = digest.ok_or_else(|| StatementError::Subject(subject.name.chars().take(120).collect()))?;
            Ok(Subject { name: subject.name.clone(), digest })
        };
        self.subject.iter().map(subject).collect()
    }

    /// The predicate's type, a URI.
    #[must_use]
    pub fn predicate_type(&self) -> &str {
        &self.predicate_type
    }

    /// The predicate as it was written.
    #[must_use]
    pub const fn predicate(&self) -> &serde_json::Value {
        &self.predicate
    }
}

/// The payload is no statement we can read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StatementError {
    /// Not JSON, or not of the right shape.
    #[error("the statement is not well-formed")]
    Json(#[source] serde_json::Error),
    /// Another version or another thing.
    #[error("the statement is of type {0:?}, expected {STATEMENT_V1}")]
    Type(String),
    /// None, or too many.
    #[error("the statement has {0} subjects, expected 1 to {MAX_SUBJECTS}")]
    Subjects(usize),
    /// A subject without a usable digest.
    #[error("the statement's subject {0:?} has no SHA-256 of 64 lower-case hex digits")]
    Subject(String),
}
