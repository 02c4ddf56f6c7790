use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check =
    Check { id: "scanning", title: "Models and what they need are scanned", controls: &["C5"], look };

fn look(facts: &Facts, findings: &mut Findings) {
    let unsafe_ones = facts.versions.iter().filter(|version| version.verdict == sealyard_core::Verdict::Unsafe).count();
    let unknown: Vec<String> = facts
        .versions
        .iter()
        .filter(|version| version.verdict == sealyard_core::Verdict::NotAssessed && !version.is_record)
        .map(|version| format!("models:/{}/{}", version.name, version.version))
        .take(10)
        .collect();
    if unsafe_ones > 0 {
        findings.bad(format!("{unsafe_ones} versions are unsafe"), "delete them; they are not given out");
    }
    if unknown.is_empty() {
        findings.good(format!("{} versions were scanned before anybody could see them", facts.versions.len()));
    } else {
        findings.unknown(
            format!("not assessed: {}", unknown.join(", ")),
            "log them in a format that is read, such as ONNX or safetensors",
        );
    }
    findings.unknown(
        "vulnerabilities of what models need are not looked for by the server",
        "scan their requirements.txt with a scanner of dependencies",
    );
}
