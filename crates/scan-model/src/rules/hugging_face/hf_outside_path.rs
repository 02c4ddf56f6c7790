use sealyard_scan::{Finding, rule};

use super::{Artifact, texts, walk};
use crate::path::leaves;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports configurations that name their base model, weights or vocabulary by a URL, a share of another host, a way
    /// out of the folder, or a place of the system.
    ///
    /// # Why it matters
    /// The loader follows the name. What lies there is not what was scanned, can change, and can be of a kind that runs
    /// code; a share tells the reader's password hash to its owner.
    ///
    /// # What to do
    /// Put the file into the folder, or name a model that is reviewed.
    id: "hf-outside-path",
    name: "Configuration that leads outside of the model",
    severity: Medium,
    summary: "A configuration makes its loader read what lies outside of the model.",
    help: "Put the file into the folder, or name a model that is reviewed.",
    references: ["https://huggingface.co/docs/peft/package_reference/config"],
}

/// Fields whose value is loaded.
const LOADED: &[&str] = &[
    "base_model_name_or_path",
    "vocab_file",
    "merges_file",
    "tokenizer_file",
    "weight_map",
    "pretrained_model_name_or_path",
];
/// Places that no model is kept at.
const PLACES: &[&str] = &["/etc/", "/proc/", "/dev/", "/tmp/", "/var/tmp/", "/sys/", "/root/.", "c:\\windows", "file:"];

/// Caches of the libraries that write their places into configurations.
const CACHES: &[&str] = &["/root/.cache/huggingface/", "/root/.cache/modelscope/", "/root/.cache/torch/", "~/.cache/"];

pub(super) fn check(document: &Artifact, sink: &mut Sink) {
    walk(document, &mut |key, value| {
        if !LOADED.contains(&key) {
            return;
        }
        for text in texts(value).into_iter().filter(|text| leads_outside(text, key == "weight_map")) {
            let finding = Finding::new(&METADATA, sink.location(), format!("{key} is {text:?}"));
            if !sink.findings.contains(&finding) {
                sink.push(finding);
            }
        }
    });
}

fn leads_outside(path: &str, is_strict: bool) -> bool {
    let lower = path.to_ascii_lowercase();
    let is_url = ["http:", "https:", "ftp:", "s3:", "gs:"].iter().any(|scheme| lower.starts_with(scheme));
    // A model that was trained beside its base has one such step; a way to the system has more.
    let ups = lower.split(['/', '\\']).filter(|part| *part == "..").count();
    // Libraries write down where they had cached a file; nothing is loaded from there by others.
    let is_cache = ups == 0 && CACHES.iter().any(|cache| lower.starts_with(cache));
    let is_place = !is_cache && (PLACES.iter().any(|place| lower.starts_with(place)) || lower.starts_with("~/."));
    let is_hub = lower.starts_with("https://huggingface.co/");
    (is_url && !is_hub)
        || lower.starts_with("\\\\")
        || lower.starts_with("//")
        || is_place
        || ups > 2
        || (is_strict && leaves(path))
}
