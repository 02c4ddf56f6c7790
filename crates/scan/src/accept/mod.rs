//! Findings that somebody has looked at and lives with: they stay in the report, and no longer count.
//!
//! What is accepted is named by the digest of the file or, less surely, by its path. A file that was changed is looked at anew.

mod baseline;
mod exception;

use sealyard_core::{Severity, Timestamp};
use serde::{Deserialize, Serialize};

pub(crate) use baseline::fingerprint;
pub use baseline::{Baseline, BaselineFile};
pub use exception::{AcceptError, Exceptions};

use crate::{Finding, Location, NotAssessed, Report, SubjectReport};

/// The name under which an exception lets pass that something was not assessed.
pub const NOT_ASSESSED: &str = "not-assessed";

/// A finding that does not count any more, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accepted {
    /// What was found; what was not assessed stands here under the rule [`NOT_ASSESSED`].
    pub finding: Finding,
    /// Why it does not count: the reason in the file of exceptions, or `baseline`.
    pub reason: String,
    /// Until when; what stands in a baseline has no end.
    pub expires: Option<String>,
}

/// Takes what `exceptions` and `baseline` accept out of what counts. Also gives what people should know: exceptions that ended,
/// and those for which nothing was found any more.
#[must_use]
pub fn accept(report: Report, exceptions: &Exceptions, baseline: &Baseline, now: Timestamp) -> (Report, Vec<String>) {
    let mut used = vec![false; exceptions.len()];
    let mut subjects = report.subjects;
    for subject in &mut subjects {
        let (findings, missed) = (std::mem::take(&mut subject.findings), std::mem::take(&mut subject.not_assessed));
        for finding in findings {
            match why(subject, &finding, exceptions, baseline, now, &mut used) {
                Some((reason, expires)) => subject.accepted.push(Accepted { finding, reason, expires }),
                None => subject.findings.push(finding),
            }
        }
        for missed in missed {
            let finding = as_finding(&missed);
            match why(subject, &finding, exceptions, baseline, now, &mut used) {
                Some((reason, expires)) => subject.accepted.push(Accepted { finding, reason, expires }),
                None => subject.not_assessed.push(missed),
            }
        }
        subject.judge();
    }
    let notes = exceptions.notes(now, &used);
    (Report::new(report.tool, subjects), notes)
}

fn why(
    subject: &SubjectReport,
    finding: &Finding,
    exceptions: &Exceptions,
    baseline: &Baseline,
    now: Timestamp,
    used: &mut [bool],
) -> Option<(String, Option<String>)> {
    if let Some((index, reason, expires)) = exceptions.of(subject, finding, now) {
        if let Some(used) = used.get_mut(index) {
            *used = true;
        }
        return Some((reason.to_owned(), Some(expires)));
    }
    baseline.has(subject, finding).then(|| ("baseline".to_owned(), None))
}

fn as_finding(missed: &NotAssessed) -> Finding {
    Finding {
        rule: NOT_ASSESSED.to_owned(),
        severity: Severity::Unknown,
        message: missed.reason.clone(),
        location: Location::file(&missed.path),
        trace: Vec::new(),
        help: None,
        references: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::{Digest, Verdict};

    use super::*;
    use crate::report::tests::sample;

    fn now() -> Timestamp {
        Timestamp::from_rfc3339("2026-11-28T12:00:00Z").unwrap()
    }

    fn with_digests() -> Report {
        let Report { tool, mut subjects, .. } = sample();
        for subject in &mut subjects {
            subject.digest = Some(Digest::of(subject.path.as_bytes()));
        }
        Report::new(tool, subjects)
    }

    fn exceptions(condition: &str, rule: &str, expires: &str) -> Exceptions {
        let text = format!("[[exception]]\n{condition}\nrule = \"{rule}\"\nreason = \"ours\"\nexpires = {expires}\n");
        Exceptions::parse(&text).unwrap()
    }

    #[test]
    fn an_exception_is_for_one_file_one_rule_and_a_time() {
        let digest = Digest::of(b"model/m.zip");
        let bad = "pickle-dangerous-global";
        for (condition, rule, expires, holds) in [
            (format!("digest = \"{digest}\""), bad, "2026-12-01", true),
            ("path = \"model/*.zip\"".to_owned(), bad, "2026-12-01", true),
            ("path = \"**/m.zip\"".to_owned(), bad, "2026-12-01", true),
            ("path = \"*.zip\"".to_owned(), bad, "2026-12-01", false),
            (format!("digest = \"{}\"", Digest::of(b"other")), bad, "2026-12-01", false),
            (format!("digest = \"{digest}\""), "pickle-unlisted-global", "2026-12-01", false),
            (format!("digest = \"{digest}\""), bad, "2026-11-28", false),
        ] {
            let exceptions = exceptions(&condition, rule, expires);
            let (report, notes) = accept(with_digests(), &exceptions, &Baseline::default(), now());
            assert_eq!(report.verdict() == Verdict::NotAssessed, holds, "{condition} {rule} {expires}");
            assert_eq!(report.subjects[1].accepted.len(), usize::from(holds));
            assert_eq!(notes.len(), usize::from(!holds), "{notes:?}");
        }
    }

    #[test]
    fn what_was_not_assessed_can_be_lived_with() {
        let exceptions = exceptions("path = \"model/x.h5\"", NOT_ASSESSED, "2026-12-01");
        let (report, _) = accept(with_digests(), &exceptions, &Baseline::default(), now());
        assert_eq!((report.summary.not_assessed, report.summary.r#unsafe), (0, 1));
        assert_eq!(report.subjects[2].accepted[0].reason, "ours");
    }

    #[test]
    fn a_baseline_is_of_the_bytes_that_were_seen() {
        let baseline = Baseline::of(&with_digests());
        let baseline = Baseline::parse(&baseline.to_json()).unwrap();
        let (report, _) = accept(with_digests(), &Exceptions::default(), &baseline, now());
        assert_eq!(report.verdict(), Verdict::Safe);
        let mut changed = with_digests();
        changed.subjects[1].digest = Some(Digest::of(b"changed"));
        let (report, _) = accept(changed, &Exceptions::default(), &baseline, now());
        assert_eq!(report.verdict(), Verdict::Unsafe);
        // Without digests nothing is known of the bytes.
        let (report, _) = accept(sample(), &Exceptions::default(), &baseline, now());
        assert_eq!(report.verdict(), Verdict::Unsafe);
        assert_eq!(Baseline::of(&sample()).count(), 0);
    }
}
