use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use sealyard_core::{Clock as _, SystemClock, durable};
use sealyard_scan::{Baseline, Exceptions, NOT_ASSESSED, Report, accept};
use sealyard_scan_model::Scanner;

use crate::exit::{Failure, Result};
use crate::{keys, output};

/// No file of exceptions and no baseline is larger.
const LARGEST: u64 = 64 << 20;

#[derive(Debug, clap::Args)]
pub(super) struct AcceptedArguments {
    /// Findings that no longer count: by file, rule, reason and end. They stay in the report.
    #[arg(long, value_name = "FILE")]
    exceptions: Option<PathBuf>,
    /// Findings of an earlier scan no longer count, in files that have not changed since.
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Write what is found as a baseline for later scans.
    #[arg(long, value_name = "FILE", conflicts_with = "baseline")]
    write_baseline: Option<PathBuf>,
}

/// What is accepted.
pub(super) struct Accepting {
    exceptions: Exceptions,
    baseline: Baseline,
    has_baseline: bool,
    write: Option<PathBuf>,
}

impl AcceptedArguments {
    pub(super) fn read(self) -> Result<Accepting> {
        let has_baseline = self.baseline.is_some();
        let exceptions = match self.exceptions {
            Some(path) => Exceptions::parse(&text(&path)?).with_context(|| unusable(&path))?,
            None => Exceptions::default(),
        };
        for rule in exceptions.rules() {
            // A rule that is misspelt would accept nothing, and nobody would see why.
            if rule != NOT_ASSESSED && !Scanner::rules().any(|known| known.id == rule) {
                return Err(Failure::could_not(anyhow!("there is no rule {rule:?}, which an exception names"))
                    .hint("the report names the rule of each finding"));
            }
        }
        let baseline = match self.baseline {
            Some(path) => Baseline::parse(&text(&path)?).with_context(|| unusable(&path))?,
            None => Baseline::default(),
        };
        Ok(Accepting { exceptions, baseline, has_baseline, write: self.write_baseline })
    }
}

impl Accepting {
    /// Whether the files' digests have to be known.
    pub(super) fn need_digests(&self) -> bool {
        self.has_baseline || self.write.is_some() || self.exceptions.need_digests()
    }

    /// Takes out what is accepted, and writes a baseline of the rest if one is asked for.
    pub(super) fn apply(self, report: Report, quiet: bool) -> Result<Report> {
        let (report, notes) = accept(report, &self.exceptions, &self.baseline, SystemClock.now());
        for note in notes {
            output::say(quiet, &format!("note: {note}"));
        }
        if let Some(path) = self.write {
            let baseline = Baseline::of(&report);
            durable::write(&path, baseline.to_json().as_bytes(), 0o644)
                .with_context(|| format!("could not write {}", path.display()))?;
            output::say(quiet, &format!("{} findings are in {}", baseline.count(), path.display()));
        }
        Ok(report)
    }
}

fn text(path: &Path) -> Result<String> {
    let bytes = keys::read_bounded(path, LARGEST)?.ok_or_else(|| anyhow!("there is no file {}", path.display()))?;
    Ok(String::from_utf8(bytes).map_err(|_| anyhow!("{} is not text", path.display()))?)
}

fn unusable(path: &Path) -> String {
    format!("{} can't be used", path.display())
}
