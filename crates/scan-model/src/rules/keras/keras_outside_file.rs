use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};
use serde_json::Value;

use super::Artifact;
use crate::inspect::KerasObject;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports arguments of layers that name files or addresses: the vocabulary of a lookup, the folder of a
    /// `TFSMLayer`, the handle of a hub layer, and others that hold a path out of the model or a URL.
    ///
    /// # Why it matters
    /// The loader opens them. The words of any file of the machine come back as the model's vocabulary; an address tells
    /// its owner who loads the model; a folder with a SavedModel is a program that has not been scanned.
    ///
    /// # What to do
    /// Save the model with the words themselves, and put everything that it needs into its file.
    id: "keras-outside-file",
    name: "Keras layer that opens a file",
    severity: High,
    summary: "A layer of a Keras model opens a file, a folder or an address that the model names.",
    help: "Save the model with the content instead of the path.",
    references: ["https://nvd.nist.gov/vuln/detail/CVE-2025-12058"],
}

/// Arguments that are paths.
const PATHS: &[&str] = &[
    "asset_dir",
    "cache_dir",
    "extract_dir",
    "file_path",
    "filename",
    "filepath",
    "fname",
    "handle",
    "log_dir",
    "origin",
    "path",
    "url",
    "vocab_file",
    "vocab_path",
    "vocabulary",
    "vocabulary_file",
    "idf_weights",
];

pub(super) fn check(model: &Artifact<'_>, sink: &mut Sink) {
    for object in &model.objects {
        let Value::Object(arguments) = object.config else { continue };
        for (key, value) in arguments {
            let Value::String(path) = value else { continue };
            if let Some(severity) = severity(object, key, path) {
                let message = format!("{} ({}) has {key}: {path}", object.path, object.class);
                sink.push(Finding::new(&METADATA, sink.location(), message).severity(severity));
            }
        }
    }
}

fn severity(object: &KerasObject<'_>, key: &str, path: &str) -> Option<Severity> {
    if !PATHS.contains(&key) || path.is_empty() {
        return None;
    }
    if object.class == "TFSMLayer" || is_outside(path) {
        return Some(Severity::High);
    }
    // A name of a file beside the model; the author's own is written like that too.
    (key == "vocabulary" || key == "idf_weights").then_some(Severity::Medium)
}

/// An address, an absolute path, or one that steps upward.
fn is_outside(path: &str) -> bool {
    let is_drive = path.get(1..3).is_some_and(|rest| matches!(rest, ":\\" | ":/"));
    path.contains("://")
        || path.starts_with(['/', '\\', '~'])
        || is_drive
        || path.split(['/', '\\']).any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_leaves_is_outside() {
        for path in ["/etc/passwd", "C:\\x", "~/.ssh/id", "a/../b", "https://host/x", "s3://b/k", "\\\\host\\x"] {
            assert!(super::is_outside(path), "{path}");
        }
        for path in ["vocab.txt", "assets/a..b", "a:b"] {
            assert!(!super::is_outside(path), "{path}");
        }
    }
}
