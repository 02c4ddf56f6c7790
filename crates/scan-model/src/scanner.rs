use std::path::Path;
use std::sync::Arc;

use sealyard_core::{Digest, ReadAt, TreePath};
use sealyard_scan::{Report, RuleMetadata, SubjectReport, Tool};

use crate::exclude::Exclude;
use crate::{allow, inspect, parallel, rules, walk};

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

    /// Looks at a file or at everything below a directory. Symbolic links, devices and what cannot be read are
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
