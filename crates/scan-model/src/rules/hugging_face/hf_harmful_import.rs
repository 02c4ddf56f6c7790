use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};
use serde_json::Value;

use super::{Artifact, texts, walk};
use crate::allow;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports configurations that name a module to import (`auto_mapping` of an adapter, `_target_`) which is not one of
    /// the libraries that models are made of, and code in place of a class's name.
    ///
    /// # Why it matters
    /// The loader imports the module and calls what is named in it, with arguments from the same file and without asking.
    ///
    /// # What to do
    /// Do not load the model before you know why that module is named.
    id: "hf-harmful-import",
    name: "Configuration that imports another module",
    severity: Medium,
    summary: "A configuration names a module to import that no model needs.",
    help: "Do not load the model before you know why that module is named.",
    references: ["https://huggingface.co/docs/peft/package_reference/config", "https://hydra.cc/docs/advanced/instantiate_objects/overview/"],
}

/// Libraries that models are made of.
const LIBRARIES: &[&str] = &[
    "transformers",
    "diffusers",
    "peft",
    "timm",
    "torch",
    "torchvision",
    "torchaudio",
    "sentence_transformers",
    "nemo",
    "pytorch_lightning",
    "lightning",
    "open_clip",
    "ldm",
    "sgm",
    "numpy",
    "keras",
    "tensorflow",
    "flax",
    "omegaconf",
    "hydra",
];
/// Fields whose value is the name of a class.
const CLASSES: &[&str] = &[
    "processor_class",
    "feature_extractor_type",
    "image_processor_type",
    "tokenizer_class",
    "model_type",
    "architectures",
    "feature_extractor_class",
    "image_processor_class",
    "video_processor_type",
];

pub(super) fn check(document: &Artifact, sink: &mut Sink) {
    let mut find = |severity: Severity, message: String| {
        sink.push(Finding::new(&METADATA, sink.location(), message).severity(severity));
    };
    walk(document, &mut |key, value| match (key, value) {
        ("auto_mapping", Value::Object(entries)) => {
            let library = entries.get("parent_library").and_then(Value::as_str).unwrap_or_default();
            let top = library.split('.').next().unwrap_or_default();
            if !library.is_empty() && !LIBRARIES.contains(&top) {
                let class = entries.get("base_model_class").and_then(Value::as_str).unwrap_or_default();
                let severity =
                    if is_harmful(&format!("{library}.{class}")) { Severity::Critical } else { Severity::Medium };
                find(severity, format!("the adapter imports {library} for {class}"));
            }
        }
        ("_target_", Value::String(target)) if is_harmful(target) => {
            find(Severity::Critical, format!("it calls {target}"));
        }
        (key, value) if CLASSES.contains(&key) => {
            for text in texts(value) {
                let is_name = text.chars().all(|letter| letter.is_alphanumeric() || "_-.+ ".contains(letter));
                if is_harmful(text) {
                    find(Severity::High, format!("{key} names {text}"));
                } else if !is_name {
                    find(Severity::Medium, format!("{key} is no name of a class: {text:?}"));
                }
            }
        }
        _ => {}
    });
}

/// Whether a dotted path leads to a function that the pickle rules know for its harm, or into a module of such.
fn is_harmful(path: &str) -> bool {
    const MODULES: &[&str] = &[
        "os",
        "posix",
        "nt",
        "subprocess",
        "builtins",
        "pty",
        "shutil",
        "socket",
        "runpy",
        "ctypes",
        "importlib",
        "sys",
    ];
    let Some((module, name)) = path.rsplit_once('.') else { return false };
    MODULES.contains(&module.split('.').next().unwrap_or_default()) || allow::is_dangerous(module, name)
}
