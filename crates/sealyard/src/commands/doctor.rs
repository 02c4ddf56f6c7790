use serde_json::Value;

use crate::cli::Common;
use crate::exit::{Exit, Failure, Result};
use crate::{output, remote};

/// Grades a running deployment against what secure MLflow deployments and pipelines are asked for.
///
/// Each check says pass, fail, or not assessed, with what shows it and what to do. It needs an administrator, looks and
/// changes nothing; that it looked is in the ledger.
///
/// Exit codes: 0 every check passed; 1 one failed; 2 none failed, but one could not be told. Whoever looks elsewhere after a check
/// that the server can't tell, such as updates, says so with `--unassessed-ok`; what failed stays failed.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard doctor
  sealyard doctor --unassessed-ok updates --unassessed-ok scanning
  sealyard doctor --format json | jq '.checks[] | select(.grade != \"pass\")'")]
pub(crate) struct Arguments {
    /// A check that may be "not assessed", by its id in the JSON; may be repeated
    #[arg(long, value_name = "ID")]
    unassessed_ok: Vec<String>,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let client = remote::connect(common)?;
        let report = remote::block_on(async { client.doctor().await.map_err(remote::failure) })?;
        if json {
            output::json(&report)?;
        } else {
            output::data(&text(&report))?;
        }
        judge(&report, &self.unassessed_ok)
    }
}

/// How the command ends.
fn judge(report: &Value, unassessed_ok: &[String]) -> Result {
    let checks = report.get("checks").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let id = |check: &Value| check.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    if let Some(unknown) = unassessed_ok.iter().find(|name| !checks.iter().any(|check| id(check) == **name)) {
        let known = checks.iter().map(id).collect::<Vec<_>>().join(", ");
        return Err(
            Failure::could_not(anyhow::anyhow!("no check has the id {unknown:?}")).hint(format!("one of: {known}"))
        );
    }
    let mut exit = if checks.is_empty() { Exit::CouldNot } else { Exit::Fine };
    for check in checks {
        match check.get("grade").and_then(Value::as_str) {
            Some("pass") => {}
            Some("fail") => return Ok(Exit::No),
            Some("not_assessed") if unassessed_ok.contains(&id(check)) => {}
            _ => exit = Exit::CouldNot,
        }
    }
    Ok(exit)
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
    if let Some(why) = report.get("unrecorded") {
        text.push_str(&format!("\nThat this was asked is not in the ledger: {}\n", word(Some(why))));
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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_was_named_may_be_unknown_and_nothing_may_fail() {
        let report = |grades: &[(&str, &str)]| {
            let checks: Vec<_> = grades.iter().map(|(id, grade)| json!({"id": id, "grade": grade})).collect();
            json!({"checks": checks})
        };
        let ends = |grades: &[(&str, &str)], ok: &[&str]| {
            let ok: Vec<_> = ok.iter().map(|id| (*id).to_owned()).collect();
            judge(&report(grades), &ok).ok()
        };
        assert_eq!(ends(&[("a", "pass")], &[]), Some(Exit::Fine));
        assert_eq!(ends(&[("a", "pass"), ("b", "not_assessed")], &[]), Some(Exit::CouldNot));
        assert_eq!(ends(&[("a", "pass"), ("b", "not_assessed")], &["b"]), Some(Exit::Fine));
        assert_eq!(ends(&[("a", "not_assessed"), ("b", "not_assessed")], &["b"]), Some(Exit::CouldNot));
        assert_eq!(ends(&[("b", "fail")], &["b"]), Some(Exit::No));
        assert_eq!(ends(&[("b", "not_assessed"), ("a", "fail")], &["b"]), Some(Exit::No));
        assert_eq!(ends(&[("b", "odd")], &["b"]), Some(Exit::CouldNot));
        assert_eq!(ends(&[], &[]), Some(Exit::CouldNot));
        // A name that is none is told, and not passed over.
        assert_eq!(ends(&[("a", "pass")], &["b"]), None);
    }
}
