use glob::{MatchOptions, Pattern};
use sealyard_core::{Digest, Timestamp};
use serde::Deserialize;

use crate::{Finding, SubjectReport};

/// Why a file of exceptions or a baseline can't be used.
#[derive(Debug, thiserror::Error)]
pub enum AcceptError {
    /// It is not laid out as such a file.
    #[error("it can't be understood: {0}")]
    Malformed(String),
    /// One exception is not clear.
    #[error("exception {number}: {why}")]
    Unclear {
        /// Which, from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
}

/// Exceptions from a file: each for one rule, for files by digest or path, with a reason and an end.
///
/// ```toml
/// [[exception]]
/// digest = "sha256:…"                  # or path = "models/**/old.pkl"
/// rule = "pickle-unlisted-global"      # or not-assessed
/// reason = "our own class, reviewed in #12"
/// expires = 2027-03-01
/// ```
#[derive(Debug, Default)]
pub struct Exceptions(Vec<Exception>);

#[derive(Debug)]
struct Exception {
    digest: Option<Digest>,
    path: Option<Pattern>,
    rule: String,
    reason: String,
    /// The first moment in which it is none any more.
    end: Timestamp,
    expires: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    exception: Vec<Written>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    digest: Option<Digest>,
    path: Option<String>,
    rule: String,
    reason: String,
    expires: toml::value::Datetime,
}

/// `*` ends at a folder, `**` does not.
const BY_FOLDER: MatchOptions =
    MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

impl Exceptions {
    /// Reads a file of exceptions.
    ///
    /// # Errors
    /// [`AcceptError`]; nothing in it is passed over.
    pub fn parse(text: &str) -> Result<Self, AcceptError> {
        let file: File = toml::from_str(text).map_err(|error| AcceptError::Malformed(error.to_string()))?;
        let read = |(index, written): (usize, Written)| {
            let unclear = |why: &str| AcceptError::Unclear { number: index + 1, why: why.to_owned() };
            let Written { digest, path, rule, reason, expires } = written;
            if digest.is_some() == path.is_some() {
                return Err(unclear("name the file by digest or by path"));
            }
            if reason.trim().is_empty() {
                return Err(unclear("give a reason"));
            }
            let path = path.as_deref().map(Pattern::new).transpose().map_err(|error| unclear(error.msg))?;
            let expires = expires.to_string();
            let moment = if expires.contains('T') { expires.clone() } else { format!("{expires}T00:00:00Z") };
            let end = Timestamp::from_rfc3339(&moment)
                .ok_or_else(|| unclear("expires is a day, such as 2027-03-01, or a moment with its time zone"))?;
            Ok(Exception { digest, path, rule, reason, end, expires })
        };
        Ok(Self(file.exception.into_iter().enumerate().map(read).collect::<Result<_, _>>()?))
    }

    /// The rules that they are for.
    pub fn rules(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|exception| exception.rule.as_str())
    }

    /// Whether one names a digest, so that files have to be hashed.
    #[must_use]
    pub fn need_digests(&self) -> bool {
        self.0.iter().any(|exception| exception.digest.is_some())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The first that is for this finding: its place, its reason and its end.
    pub(super) fn of(
        &self,
        subject: &SubjectReport,
        finding: &Finding,
        now: Timestamp,
    ) -> Option<(usize, &str, String)> {
        let is_for = |exception: &Exception| {
            let path = |pattern: &Pattern| pattern.matches_with(&subject.path, BY_FOLDER);
            exception.rule == finding.rule
                && now < exception.end
                && exception.digest.as_ref().is_none_or(|digest| subject.digest.as_ref() == Some(digest))
                && exception.path.as_ref().is_none_or(path)
        };
        let (index, found) = self.0.iter().enumerate().find(|(_, exception)| is_for(exception))?;
        Some((index, &found.reason, found.expires.clone()))
    }

    pub(super) fn notes(&self, now: Timestamp, used: &[bool]) -> Vec<String> {
        let note = |(exception, used): (&Exception, &bool)| {
            let Exception { rule, reason, expires, .. } = exception;
            if now >= exception.end {
                Some(format!("the exception for {rule} ({reason}) ended on {expires}"))
            } else if !used {
                Some(format!("nothing was found for the exception for {rule} ({reason})"))
            } else {
                None
            }
        };
        self.0.iter().zip(used).filter_map(note).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_clear_is_refused() {
        let good = "[[exception]]\npath = \"a\"\nrule = \"r\"\nreason = \"x\"\nexpires = 2027-03-01\n";
        assert_eq!(Exceptions::parse(good).unwrap().len(), 1);
        assert_eq!(Exceptions::parse("").unwrap().len(), 0);
        for (from, to) in [
            ("path = \"a\"\n", ""),
            ("path = \"a\"\n", "path = \"a\"\ndigest = \"sha256:00\"\n"),
            ("path = \"a\"", "path = \"***\""),
            ("reason = \"x\"", "reason = \" \""),
            ("expires = 2027-03-01\n", ""),
            ("2027-03-01", "2027-03-01T10:00:00"),
            ("2027-03-01", "10:00:00"),
            ("rule = \"r\"\n", ""),
            ("rule", "ruel"),
            ("[[exception]]", "[[exceptions]]"),
        ] {
            assert!(Exceptions::parse(&good.replace(from, to)).is_err(), "{from} {to}");
        }
    }
}
