use std::fmt;
use std::str::FromStr;

use sealyard_core::{Severity, Verdict};

use crate::Report;

/// From where on a scan fails: `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// A subject with this verdict or a worse one.
    Verdict(Verdict),
    /// A finding of this severity or a worse one.
    Severity(Severity),
}

impl Default for Threshold {
    fn default() -> Self {
        Self::Verdict(Verdict::Suspicious)
    }
}

impl Threshold {
    /// Whether something in `report` is at or above the threshold.
    #[must_use]
    pub fn is_reached(self, report: &Report) -> bool {
        match self {
            Self::Verdict(verdict) => report.subjects.iter().any(|subject| subject.verdict >= verdict),
            Self::Severity(severity) => report.findings().any(|finding| finding.severity >= severity),
        }
    }

    /// The exit code of a scan: 1 when the threshold is reached, else 2 when something was not assessed or nothing
    /// was read, else 0.
    #[must_use]
    pub fn exit_code(self, report: &Report) -> u8 {
        if self.is_reached(report) {
            1
        } else if report.subjects.is_empty() || report.not_assessed().next().is_some() {
            2
        } else {
            0
        }
    }
}

impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Verdict(verdict) => verdict.fmt(f),
            Self::Severity(severity) => severity.fmt(f),
        }
    }
}

impl FromStr for Threshold {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(match text {
            "suspicious" => Self::Verdict(Verdict::Suspicious),
            "unsafe" => Self::Verdict(Verdict::Unsafe),
            "info" => Self::Severity(Severity::Info),
            "low" => Self::Severity(Severity::Low),
            "medium" => Self::Severity(Severity::Medium),
            "unknown" => Self::Severity(Severity::Unknown),
            "high" => Self::Severity(Severity::High),
            "critical" => Self::Severity(Severity::Critical),
            _ => return Err(ThresholdError(text.chars().take(40).collect())),
        })
    }
}

/// The text names no threshold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a level: expected suspicious or unsafe, or info, low, medium, unknown, high or critical")]
pub struct ThresholdError(String);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::sample;

    #[test]
    fn found_wins_over_not_assessed_which_wins_over_fine() {
        let mut report = sample();
        let threshold = Threshold::default();
        assert_eq!(threshold.exit_code(&report), 1);
        report.subjects.remove(1);
        assert_eq!(threshold.exit_code(&report), 2);
        report.subjects.remove(1);
        assert_eq!(threshold.exit_code(&report), 0);
        report.subjects.clear();
        assert_eq!(threshold.exit_code(&report), 2);
    }

    #[test]
    fn levels_are_verdicts_or_severities() {
        for text in ["suspicious", "unsafe", "info", "low", "medium", "unknown", "high", "critical"] {
            assert_eq!(text.parse::<Threshold>().unwrap().to_string(), text);
        }
        for text in ["safe", "not_assessed", "HIGH", ""] {
            assert!(text.parse::<Threshold>().is_err(), "{text}");
        }
    }
}
