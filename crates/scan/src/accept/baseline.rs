use std::collections::BTreeSet;

use sealyard_core::{Digest, Hasher};
use serde::{Deserialize, Serialize};

use super::{AcceptError, as_finding};
use crate::{Finding, Report, SubjectReport};

/// The schema of a baseline.
const SCHEMA: &str = "sealyard.baseline/1";

/// What a scan found once: a later scan counts what is new. Each finding is of the bytes in which it was found.
#[derive(Debug, Default)]
pub struct Baseline(BTreeSet<String>);

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    schema: String,
    findings: Vec<Known>,
}

/// The path and the rule are for people; the fingerprint decides.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    path: String,
    rule: String,
    fingerprint: String,
}

impl Baseline {
    /// Reads a baseline.
    ///
    /// # Errors
    /// [`AcceptError::Malformed`].
    pub fn parse(text: &str) -> Result<Self, AcceptError> {
        let file: File = serde_json::from_str(text).map_err(|error| AcceptError::Malformed(error.to_string()))?;
        if file.schema != SCHEMA {
            return Err(AcceptError::Malformed(format!("its schema is not {SCHEMA}")));
        }
        Ok(Self(file.findings.into_iter().map(|known| known.fingerprint).collect()))
    }

    /// The baseline of a report. What was found in files whose digest is not known, such as links that lead out, is not in it, and is
    /// found each time.
    #[must_use]
    pub fn of(report: &Report) -> BaselineFile {
        let mut findings = Vec::new();
        for subject in &report.subjects {
            let Some(digest) = &subject.digest else { continue };
            let missed: Vec<Finding> = subject.not_assessed.iter().map(as_finding).collect();
            for finding in subject.findings.iter().chain(&missed) {
                let (path, rule) = (subject.path.clone(), finding.rule.clone());
                findings.push(Known { path, rule, fingerprint: fingerprint(digest, finding) });
            }
        }
        BaselineFile(File { schema: SCHEMA.to_owned(), findings })
    }

    pub(super) fn has(&self, subject: &SubjectReport, finding: &Finding) -> bool {
        !self.0.is_empty()
            && subject.digest.as_ref().is_some_and(|digest| self.0.contains(&fingerprint(digest, finding)))
    }
}

/// A baseline as it is written.
#[derive(Debug)]
pub struct BaselineFile(File);

impl BaselineFile {
    /// As JSON, with a newline at the end.
    #[must_use]
    pub fn to_json(&self) -> String {
        let mut text = serde_json::to_string_pretty(&self.0).unwrap_or_default();
        text.push('\n');
        text
    }

    /// How many findings it has.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.findings.len()
    }
}

/// Of the file's bytes, the rule, the place in the file and what was said; not of the file's name, which may differ.
pub(crate) fn fingerprint(digest: &Digest, finding: &Finding) -> String {
    let mut hasher = Hasher::default();
    let offset = finding.location.offset.map(|offset| offset.to_string()).unwrap_or_default();
    let member = finding.location.member.as_deref().unwrap_or_default();
    for part in [&digest.to_hex(), finding.rule.as_str(), member, offset.as_str(), finding.message.as_str()] {
        hasher.update(&(part.len() as u64).to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hasher.finish().to_hex()
}
