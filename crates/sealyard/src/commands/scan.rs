use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use sealyard_core::durable;
use sealyard_scan::{Report, Threshold, render};
use sealyard_scan_model::Scanner;

use crate::cli::{Common, Format};
use crate::exit::{Exit, Failure, Result};
use crate::output;

/// Kinds of scan that the command reference names and this build has no scanner for.
const OTHERS: [&str; 5] = ["code", "deps", "image", "data", "secrets"];

/// Looks at model files and says what loading them could do. Nothing is executed.
///
/// Exit codes: 0 nothing was found; 1 something at or above --fail-on was found; 2 something could not be assessed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard scan model.pkl                       one file
  sealyard scan ./model --fail-on high          a model folder; pass unless something is high or critical
  sealyard scan model ./a ./b --format json     several, for programs
  sealyard scan ./model --format sarif --output findings.sarif")]
pub(crate) struct Arguments {
    /// What to look at: files and folders. The word `model` or `auto` in front is allowed.
    #[arg(required = true, value_name = "[model] PATH")]
    paths: Vec<PathBuf>,
    /// Fail from here on: suspicious or unsafe, or info, low, medium, unknown, high, critical.
    #[arg(long, value_name = "LEVEL", default_value = "suspicious")]
    fail_on: Threshold,
    /// Put each file's SHA-256 into the report, which means reading every byte.
    #[arg(long)]
    digest: bool,
    /// Write the report to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let Self { mut paths, fail_on, digest, output } = self;
        if let [first, _, ..] = paths.as_slice() {
            let word = first.to_str().unwrap_or_default();
            if OTHERS.contains(&word) && !first.exists() {
                return Err(Failure::could_not(anyhow!("this build has no scanner for {word}"))
                    .hint("`sealyard scan model PATH` looks at model files"));
            }
            if matches!(word, "auto" | "model") {
                paths.remove(0);
            }
        }
        let scanner = Scanner::new().with_digests(digest);
        let progress = output::Progress::new(common.quiet || !std::io::stderr().is_terminal());
        let mut report: Option<Report> = None;
        for path in &paths {
            progress.now(&format!("scanning {}", path.display()));
            let one = scanner.scan_path(path);
            report = Some(match report {
                None => one,
                Some(Report { tool, mut subjects, .. }) => {
                    subjects.extend(one.subjects);
                    Report::new(tool, subjects)
                }
            });
        }
        progress.done();
        let report = report.ok_or_else(|| anyhow!("there is nothing to scan"))?;
        let color = output.is_none() && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let mut text = match common.format {
            Format::Text => render::text(&report, color),
            Format::Json => render::json(&report)?,
            Format::Sarif => render::sarif(&report, Scanner::rules())?,
        };
        if !text.ends_with('\n') {
            text.push('\n');
        }
        match output {
            Some(path) => durable::write(&path, text.as_bytes(), 0o644)
                .with_context(|| format!("could not write {}", path.display()))?,
            None => output::data(&text)?,
        }
        Ok(match fail_on.exit_code(&report) {
            0 => Exit::Fine,
            1 => Exit::No,
            _ => Exit::CouldNot,
        })
    }
}
