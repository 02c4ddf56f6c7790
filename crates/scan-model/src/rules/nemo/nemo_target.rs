use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Compares each `_target_` in the `model_config.yaml` of a NeMo archive with the packages that NeMo's own models are
    /// made of. What runs commands, reads or writes files, or lies in another package is unsafe; what is in these packages,
    /// but no class or a loader, is suspicious.
    ///
    /// # Why it matters
    /// Restoring a model imports what each `_target_` names and calls it with the values beside it. Older versions of NeMo
    /// took any name: `os.system` too.
    ///
    /// # What to do
    /// Do not restore it. Have the model saved from NeMo's own classes.
    id: "nemo-target",
    name: "Configuration calls what is no part of NeMo",
    severity: High,
    summary: "The configuration of a NeMo model names a function or class outside NeMo and PyTorch.",
    help: "Do not restore it.",
    references: ["https://nvd.nist.gov/vuln/detail/CVE-2025-23304", "https://hydra.cc/docs/advanced/instantiate_objects/overview/"],
}

/// Packages whose classes NeMo's own configurations name.
const PACKAGES: &[&str] = &[
    "nemo",
    "torch",
    "torchaudio",
    "torchmetrics",
    "torchvision",
    "pytorch_lightning",
    "lightning",
    "transformers",
    "megatron",
    "apex",
    "transformer_engine",
];
/// Parts of names in these packages that load, compile, or run what they are given.
const ACTIVE: &[&str] = &[
    "hub",
    "load",
    "load_library",
    "cpp_extension",
    "jit",
    "package",
    "distributed",
    "multiprocessing",
    "_inductor",
    "_dynamo",
    "from_pretrained",
    "from_file",
    "save",
    "save_to",
    "restore_from",
    "from_config_file",
    "exec",
    "eval",
    "compile",
    "utils",
    "load_from_checkpoint",
    "pipeline",
    "run",
    "launch",
];

pub(super) fn check(target: &Artifact, sink: &mut Sink) {
    let parts: Vec<&str> = target.name.split('.').collect();
    let is_plain = parts.iter().all(|part| {
        !part.is_empty() && part.chars().all(|character| character.is_ascii_alphanumeric() || character == '_')
    });
    let is_known = is_plain && parts.first().is_some_and(|first| PACKAGES.contains(first));
    // Classes of NeMo and PyTorch have capitals; a function is what it is.
    let is_class = parts.last().is_some_and(|last| last.starts_with(|first: char| first.is_ascii_uppercase()));
    let is_active = parts.iter().any(|part| ACTIVE.contains(part));
    let severity = match (is_known, is_class && !is_active) {
        (true, true) => return,
        // Optimizers, datasets and tokenizers of NeMo are functions here and there.
        (true, false) if parts.first() == Some(&"nemo") && !is_active => return,
        (true, false) => Severity::Medium,
        (false, _) => Severity::High,
    };
    let message = format!("{} is {:?}", target.place, target.name);
    sink.push(Finding::new(&METADATA, sink.location(), message).severity(severity));
}
