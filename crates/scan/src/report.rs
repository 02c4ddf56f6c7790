use sealyard_core::{Digest, Severity, Verdict};
use serde::{Deserialize, Serialize};

use crate::{Accepted, Fact, Finding};

/// The schema that [`Report`] serializes to.
pub const SCHEMA: &str = "sealyard.scan/1";

/// Which scanner with which rules looked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Always `sealyard`.
    pub name: String,
    /// Version of the program.
    pub version: String,
    /// Version and digest of the rules and their data.
    pub rules: String,
}

/// Something that was not, or not wholly, looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotAssessed {
    /// The file, members as `a.zip!b/c.pkl`.
    pub path: String,
    /// Why.
    pub reason: String,
}

/// What was found in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubjectReport {
    /// The file as it was named to the scanner.
    pub path: String,
    /// Its digest, when it was asked for.
    pub digest: Option<Digest>,
    /// What its content is, such as `pickle`, `joblib`, `text`.
    pub kind: String,
    /// The worst of the findings and of what was not assessed.
    pub verdict: Verdict,
    /// What rules had to say.
    pub findings: Vec<Finding>,
    /// What was not looked at.
    pub not_assessed: Vec<NotAssessed>,
    /// What the file holds. Reports from before there were facts have none.
    #[serde(default)]
    pub facts: Vec<Fact>,
    /// What was found and no longer counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted: Vec<Accepted>,
}

impl SubjectReport {
    /// A report whose verdict follows from `findings` and `not_assessed`.
    #[must_use]
    pub fn new(path: &str, kind: &str, findings: Vec<Finding>, not_assessed: Vec<NotAssessed>) -> Self {
        let mut report = Self {
            path: path.to_owned(),
            digest: None,
            kind: kind.to_owned(),
            verdict: Verdict::Safe,
            findings,
            not_assessed,
            facts: Vec::new(),
            accepted: Vec::new(),
        };
        report.judge();
        report
    }

    /// A report of a file that could not be looked at.
    #[must_use]
    pub fn unread(path: &str, kind: &str, reason: impl Into<String>) -> Self {
        let reason = NotAssessed { path: path.to_owned(), reason: reason.into() };
        Self::new(path, kind, Vec::new(), vec![reason])
    }

    /// The same report with what the file holds.
    #[must_use]
    pub fn with_facts(mut self, facts: Vec<Fact>) -> Self {
        self.facts = facts;
        self
    }

    /// The same report with the findings for which `is` holds at most this severe; the verdict follows.
    #[must_use]
    pub fn at_most(mut self, severity: Severity, is: impl Fn(&Finding) -> bool) -> Self {
        for finding in self.findings.iter_mut().filter(|finding| is(finding)) {
            finding.severity = finding.severity.min(severity);
        }
        self.judge();
        self
    }

    /// Adds a finding; the verdict follows.
    pub fn push(&mut self, finding: Finding) {
        self.findings.push(finding);
        self.judge();
    }

    /// Adds why the file was not, or not wholly, looked at; the verdict follows.
    pub fn miss(&mut self, reason: impl Into<String>) {
        let missed = NotAssessed { path: self.path.clone(), reason: reason.into() };
        if !self.not_assessed.contains(&missed) {
            self.not_assessed.push(missed);
        }
        self.judge();
    }

    pub(crate) fn judge(&mut self) {
        let missed = if self.not_assessed.is_empty() { Verdict::Safe } else { Verdict::NotAssessed };
        let found = self.findings.iter().map(|finding| Verdict::of(finding.severity));
        self.verdict = found.fold(missed, Verdict::max);
    }
}

/// Counts over all subjects and the worst verdict.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// The worst verdict: unsafe > suspicious > not assessed > safe.
    pub verdict: Verdict,
    /// How many subjects there are.
    pub subjects: usize,
    /// How many are safe.
    pub safe: usize,
    /// How many are suspicious.
    pub suspicious: usize,
    /// How many are unsafe.
    pub r#unsafe: usize,
    /// How many are not assessed.
    pub not_assessed: usize,
}

/// A whole scan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// Who looked.
    pub tool: Tool,
    /// Every file that was looked at, safe ones too.
    pub subjects: Vec<SubjectReport>,
    /// Counts and the worst verdict.
    pub summary: Summary,
}

impl Report {
    /// A report over `subjects`. No subject at all is "not assessed": nobody looked at anything.
    #[must_use]
    pub fn new(tool: Tool, subjects: Vec<SubjectReport>) -> Self {
        let count = |verdict| subjects.iter().filter(|subject| subject.verdict == verdict).count();
        let summary = Summary {
            verdict: subjects.iter().map(|subject| subject.verdict).max().unwrap_or(Verdict::NotAssessed),
            subjects: subjects.len(),
            safe: count(Verdict::Safe),
            suspicious: count(Verdict::Suspicious),
            r#unsafe: count(Verdict::Unsafe),
            not_assessed: count(Verdict::NotAssessed),
        };
        Self { schema: SCHEMA.to_owned(), tool, subjects, summary }
    }

    /// The same report with the findings of these rules alone; what was not assessed stays.
    #[must_use]
    pub fn only(self, rules: &[String]) -> Self {
        let mut subjects = self.subjects;
        for subject in &mut subjects {
            subject.findings.retain(|finding| rules.contains(&finding.rule));
            subject.judge();
        }
        Self::new(self.tool, subjects)
    }

    /// The worst verdict over all subjects.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        self.summary.verdict
    }

    /// All findings of all subjects.
    pub fn findings(&self) -> impl Iterator<Item = &Finding> {
        self.subjects.iter().flat_map(|subject| &subject.findings)
    }

    /// Everything that was not looked at.
    pub fn not_assessed(&self) -> impl Iterator<Item = &NotAssessed> {
        self.subjects.iter().flat_map(|subject| &subject.not_assessed)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::{FactKind, Location, RuleMetadata};

    pub(crate) const RULE: RuleMetadata = RuleMetadata {
        id: "pickle-dangerous-global",
        name: "Dangerous global",
        severity: Severity::Critical,
        summary: "A pickle reaches a function that runs commands.",
        help: "Do not load it.",
        references: &["https://docs.python.org/3/library/pickle.html"],
        docs: "",
    };

    pub(crate) fn sample() -> Report {
        let tool = Tool { name: "sealyard".into(), version: "0.1.0".into(), rules: "1".into() };
        let mut location = Location::file("model/m.zip").at(42);
        location.member = Some("data.pkl".into());
        let bad = Finding::new(&RULE, location, "the stream calls posix.system")
            .trace(["posix.system('env > \u{1b}[2Jpwnd.txt')".to_owned()]);
        Report::new(
            tool,
            vec![
                SubjectReport::new("model/MLmodel", "yaml", vec![], vec![]),
                SubjectReport::new("model/m.zip", "zip", vec![bad], vec![]).with_facts(vec![Fact::new(
                    FactKind::Framework,
                    "torch",
                    "2.9",
                )]),
                SubjectReport::unread("model/x.h5", "hdf5", "the format hdf5 is not supported"),
            ],
        )
    }

    #[test]
    fn the_verdict_is_the_worst() {
        let report = sample();
        let verdicts: Vec<_> = report.subjects.iter().map(|subject| subject.verdict).collect();
        assert_eq!(verdicts, [Verdict::Safe, Verdict::Unsafe, Verdict::NotAssessed]);
        assert_eq!(report.verdict(), Verdict::Unsafe);
        assert_eq!((report.summary.safe, report.summary.r#unsafe, report.summary.not_assessed), (1, 1, 1));
    }

    #[test]
    fn a_scan_of_nothing_is_not_assessed() {
        let report = Report::new(sample().tool, vec![]);
        assert_eq!(report.verdict(), Verdict::NotAssessed);
    }

    #[test]
    fn suspicious_outweighs_not_assessed() {
        let rule = RuleMetadata { severity: Severity::Medium, ..RULE };
        let suspicious = SubjectReport::new("a", "pickle", vec![Finding::new(&rule, Location::file("a"), "")], vec![]);
        let report = Report::new(sample().tool, vec![SubjectReport::unread("b", "hdf5", ""), suspicious]);
        assert_eq!(report.verdict(), Verdict::Suspicious);
    }
}
