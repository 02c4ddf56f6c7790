mod accepted;
mod inputs;

use std::io::IsTerminal as _;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::builder::PossibleValuesParser;
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
  sealyard scan model ./a './runs/**/*.joblib'  several, and those of a pattern
  curl -s https://models.example/m.pt | sealyard scan -
  sealyard scan ./model --explain               also what the files hold, and what the rules that found something are about
  sealyard scan ./model --format sarif --output findings.sarif
  sealyard scan ./model --format cyclonedx --digest --output model.cdx.json
  sealyard scan ./model --write-baseline known.json     take what is found for known
  sealyard scan ./model --baseline known.json           count what is new
  sealyard scan ./model --exceptions exceptions.toml    count what nobody has accepted

A file of exceptions:
  [[exception]]
  digest = \"sha256:...\"                         # or path = \"models/**/old.pkl\"
  rule = \"pickle-unlisted-global\"               # or not-assessed
  reason = \"our own class, reviewed in #12\"
  expires = 2027-03-01")]
pub(crate) struct Arguments {
    /// What to look at: files, folders, patterns, or - for standard input. The word `model` or `auto` in front is allowed.
    #[arg(required = true, value_name = "[model] PATH")]
    paths: Vec<PathBuf>,
    /// Fail from here on: suspicious or unsafe, or info, low, medium, unknown, high, critical.
    #[arg(long, value_name = "LEVEL", default_value = "suspicious")]
    fail_on: Threshold,
    /// Only findings of this rule count; may be given several times.
    #[arg(long, value_name = "ID", conflicts_with = "write_baseline", value_parser = PossibleValuesParser::new(Scanner::rules().map(|rule| rule.id)), hide_possible_values = true)]
    rule: Vec<String>,
    /// Leave out files and folders of this name or, with a slash in it, path below the folder; may be given several times.
    #[arg(long, value_name = "PATTERN")]
    exclude: Vec<String>,
    /// Say also what the files hold, and what the rules that found something are about.
    #[arg(long)]
    explain: bool,
    /// Put each file's SHA-256 into the report, which means reading every byte.
    #[arg(long)]
    digest: bool,
    #[command(flatten)]
    accepted: accepted::AcceptedArguments,
    /// Write the report to a file instead of standard output.
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let Self { mut paths, fail_on, rule, exclude, explain, digest, accepted, output } = self;
        if let [first, _, ..] = paths.as_slice() {
            let word = first.to_str().unwrap_or_default();
            if OTHERS.contains(&word) && !first.exists() {
                return Err(Failure::could_not(anyhow!("this build has no scanner for {word}"))
                    .hint("`sealyard scan model PATH` looks at model files"));
            }
            if matches!(word, "auto" | "model") {
                // Which of the two is meant must not be guessed: what is left out would not be looked at.
                if first.exists() {
                    return Err(Failure::could_not(anyhow!(
                        "{word} is a file or folder here, and also the name of a scan"
                    ))
                    .hint(format!("write ./{word} for the one, and leave the word out for the other")));
                }
                paths.remove(0);
            }
        }
        let accepting = accepted.read()?;
        let scanner = Scanner::new().with_digests(digest || accepting.need_digests());
        let scanner = scanner.excluding(&exclude).map_err(|error| anyhow!("--exclude can't be understood: {error}"))?;
        let inputs = inputs::find(&paths, &scanner)?;
        let progress = output::Progress::new(common.quiet || !std::io::stderr().is_terminal());
        let mut subjects = Vec::new();
        for input in &inputs {
            progress.now(&format!("scanning {}", input.name()));
            subjects.extend(input.scan(&scanner).subjects);
        }
        progress.done();
        let mut report = Report::new(Scanner::tool(), subjects);
        if !rule.is_empty() {
            report = report.only(&rule);
        }
        let report = accepting.apply(report, common.quiet)?;
        if report.subjects.is_empty() {
            output::say(common.quiet, "note: nothing was found to look at");
        }
        let color = output.is_none() && std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none();
        let mut text = match common.format {
            Format::Text if explain => render::explained(&report, Scanner::rules(), color),
            Format::Text => render::text(&report, color),
            Format::Json => render::json(&report)?,
            Format::Sarif => render::sarif(&report, Scanner::rules())?,
            Format::Junit => render::junit(&report)?,
            Format::Cyclonedx => render::cyclonedx(&report)?,
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
