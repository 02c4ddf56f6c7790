use super::super::facts::Facts;
use super::super::{Check, Findings};

pub(super) const CHECK: Check =
    Check { id: "encryption", title: "Nothing stored can be read by others", controls: &["A7", "C6"], look };

fn look(facts: &Facts, findings: &mut Findings) {
    if !facts.files_bad.is_empty() {
        let shown: Vec<&str> = facts.files_bad.iter().take(10).map(String::as_str).collect();
        findings.bad(shown.join("; "), "restore these files from a backup; they are not given out meanwhile");
    } else if facts.files_sampled > 0 {
        findings.good(format!(
            "{} stored files were decrypted (AES-256-GCM) and have the digests that were recorded",
            facts.files_sampled
        ));
    } else {
        findings.good("no model is stored yet; what will be is encrypted with AES-256-GCM before it reaches the disk");
    }
    let Some(deployment) = &facts.deployment else {
        return findings.unknown("what protects the keys is not known", "ask the server that is running");
    };
    if deployment.open_files.is_empty() {
        findings.good("nobody but its owner can read the data directory's files");
    } else {
        findings.bad(
            format!("others can read {}", deployment.open_files.join(", ")),
            "chmod 600 them, and replace the keys if anybody may have seen them",
        );
    }
    findings.good(format!(
        "the master key is kept by: {}; artifacts lie in {}",
        deployment.master_key, deployment.artifacts
    ));
}
