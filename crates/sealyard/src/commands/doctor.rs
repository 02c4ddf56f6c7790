use serde_json::Value;

use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Grades a running deployment against what secure MLflow deployments and pipelines are asked for.
///
/// Each check says pass, fail, or not assessed, with what shows it and what to do. It needs an administrator, looks and
/// changes nothing; that it looked is in the ledger.
///
/// Exit codes: 0 every check passed; 1 one failed; 2 none failed, but one could not be told.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard doctor
  sealyard doctor --format json | jq '.checks[] | select(.grade != \"pass\")'")]
pub(crate) struct Arguments {}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let Self {} = self;
        let json = remote::wants_json(common)?;
        let client = remote::connect(common)?;
        let report = remote::block_on(async { client.doctor().await.map_err(remote::failure) })?;
        if json {
            output::json(&report)?;
        } else {
            output::data(&text(&report))?;
        }
        let count = |grade: &str| report.pointer(&format!("/summary/{grade}")).and_then(Value::as_u64);
        Ok(match (count("fail"), count("not_assessed")) {
            (Some(0), Some(0)) => Exit::Fine,
            (Some(0), _) | (None, _) => Exit::CouldNot,
            _ => Exit::No,
        })
    }
}

/// The checks, each with its grade, then what was found and what to do.
fn text(report: &Value) -> String {
    let word = |value: Option<&Value>| remote::plain(value.and_then(Value::as_str).unwrap_or("?"));
    let list = |check: &Value, key: &str| -> Vec<String> {
        let items = check.get(key).and_then(Value::as_array);
        items.into_iter().flatten().map(|item| word(Some(item))).collect()
    };
    let mut text = String::new();
    for check in report.get("checks").and_then(Value::as_array).into_iter().flatten() {
        let sign = match check.get("grade").and_then(Value::as_str) {
            Some("pass") => "pass",
            Some("fail") => "FAIL",
            _ => "?   ",
        };
        let controls = list(check, "controls").join(" ");
        text.push_str(&format!("{sign}  {}  ({controls})\n", word(check.get("title"))));
        for found in list(check, "found") {
            text.push_str(&format!("        {found}\n"));
        }
        for advice in list(check, "advice") {
            text.push_str(&format!("      → {advice}\n"));
        }
    }
    let count = |grade: &str| report.pointer(&format!("/summary/{grade}")).and_then(Value::as_u64).unwrap_or(0);
    text.push_str(&format!(
        "\n{} passed, {} failed, {} not assessed\n",
        count("pass"),
        count("fail"),
        count("not_assessed")
    ));
    text
}
