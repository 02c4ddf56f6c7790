use sealyard_core::Severity;
use serde_json::{Value, json};

use super::set;
use crate::accept::fingerprint;
use crate::{Finding, Location, NOT_ASSESSED, Report, RuleMetadata, SubjectReport};

/// The report as SARIF 2.1.0. `rules` describes the rules that ran, also those that found nothing.
///
/// # Errors
/// None of its own; serde's signature allows one.
pub fn sarif<'a>(
    report: &Report,
    rules: impl IntoIterator<Item = &'a RuleMetadata>,
) -> Result<String, serde_json::Error> {
    let rules: Vec<Value> = rules.into_iter().map(describe).collect();
    let results: Vec<Value> = report.subjects.iter().flat_map(results_of).collect();
    let missed: Vec<Value> = report
        .not_assessed()
        .map(|missed| {
            json!({
                "level": "error",
                "message": {"text": format!("not assessed: {}", missed.reason)},
                "locations": [place(&Location::file(&missed.path))],
            })
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": report.tool.name,
                "version": report.tool.version,
                "semanticVersion": report.tool.version,
                "properties": {"rules": report.tool.rules},
                "rules": rules,
            }},
            "invocations": [{
                "executionSuccessful": missed.is_empty() && !report.subjects.is_empty(),
                "toolExecutionNotifications": missed,
            }],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    let mut text = serde_json::to_string_pretty(&log)?;
    text.push('\n');
    Ok(text)
}

fn describe(rule: &RuleMetadata) -> Value {
    json!({
        "id": rule.id,
        "name": rule.name,
        "shortDescription": {"text": rule.summary},
        "help": {"text": rule.help, "markdown": rule.docs},
        "defaultConfiguration": {"level": level(rule.severity)},
        "properties": {"security-severity": score(rule.severity)},
    })
}

/// What was accepted is in the log too, marked as such.
fn results_of(subject: &SubjectReport) -> Vec<Value> {
    let counting = subject.findings.iter().map(|finding| result(subject, finding));
    let accepted = subject.accepted.iter().filter(|accepted| accepted.finding.rule != NOT_ASSESSED).map(|accepted| {
        let mut value = result(subject, &accepted.finding);
        set(&mut value, "suppressions", json!([{"kind": "external", "justification": accepted.reason}]));
        value
    });
    counting.chain(accepted).collect()
}

fn result(subject: &SubjectReport, finding: &Finding) -> Value {
    let mut value = json!({
        "ruleId": finding.rule,
        "level": level(finding.severity),
        "message": {"text": finding.message},
        "locations": [place(&finding.location)],
        "properties": {"severity": finding.severity, "trace": finding.trace},
    });
    // So that a service knows a finding again that it was shown before.
    if let Some(digest) = &subject.digest {
        set(&mut value, "partialFingerprints", json!({"sealyard/v1": fingerprint(digest, finding)}));
    }
    value
}

fn place(location: &Location) -> Value {
    let mut physical = serde_json::Map::new();
    physical.insert("artifactLocation".into(), json!({"uri": uri(&location.path)}));
    let mut region = serde_json::Map::new();
    if let Some(line) = location.line {
        region.insert("startLine".into(), line.into());
        if let Some(column) = location.column {
            region.insert("startColumn".into(), column.into());
        }
    } else if let Some(offset) = location.offset {
        region.insert("byteOffset".into(), offset.into());
        region.insert("byteLength".into(), 1.into());
    }
    // An offset inside a member is no offset of the file.
    if !region.is_empty() && location.member.is_none() {
        physical.insert("region".into(), Value::Object(region));
    }
    json!({
        "physicalLocation": physical,
        "logicalLocations": [{"fullyQualifiedName": location.display()}],
    })
}

/// Percent-encodes what a URI reference may not hold.
fn uri(path: &str) -> String {
    let mut encoded = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical | Severity::High => "error",
        Severity::Medium | Severity::Unknown => "warning",
        Severity::Low | Severity::Info => "note",
    }
}

fn score(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "9.5",
        Severity::High => "8.0",
        Severity::Medium | Severity::Unknown => "5.0",
        Severity::Low => "2.0",
        Severity::Info => "0.0",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::report::tests::{RULE, sample};

    #[test]
    fn results_rules_and_what_was_missed_are_in_it() {
        let log: Value = serde_json::from_str(&super::sarif(&sample(), [&RULE]).unwrap()).unwrap();
        assert_eq!(log["version"], "2.1.0");
        let run = &log["runs"][0];
        assert_eq!(run["tool"]["driver"]["rules"][0]["id"], "pickle-dangerous-global");
        assert_eq!(run["results"][0]["level"], "error");
        let place = &run["results"][0]["locations"][0];
        assert_eq!(place["physicalLocation"], json!({"artifactLocation": {"uri": "model/m.zip"}}));
        assert_eq!(place["logicalLocations"][0]["fullyQualifiedName"], "model/m.zip!data.pkl@0x2a");
        assert_eq!(run["invocations"][0]["executionSuccessful"], false);
    }

    #[test]
    fn paths_become_uris() {
        assert_eq!(super::uri("a b/é#.pkl"), "a%20b/%C3%A9%23.pkl");
    }
}
