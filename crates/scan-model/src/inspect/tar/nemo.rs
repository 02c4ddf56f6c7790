use sealyard_core::ReadAt;
use sealyard_formats::tar::Tar;
use sealyard_scan::FactKind;
use serde_json::Value;

use super::yaml::Yaml;
use crate::context::Context;
use crate::inspect::zip::is_called;
use crate::rules;

/// Largest configuration.
const MAX_BYTES: u64 = 4 << 20;
/// Deepest nesting of it.
const MAX_DEPTH: usize = 64;

/// A class or function that restoring the model imports and calls.
#[derive(Debug)]
pub(crate) struct Target {
    /// Where it stands, as keys with dots between.
    pub(crate) place: String,
    /// Its dotted name.
    pub(crate) name: String,
}

/// Whether NeMo restores models from such an archive.
pub(super) fn is(tar: &Tar) -> bool {
    tar.members.iter().any(|member| is_configuration(&member.name))
}

/// Whether NeMo reads the member as the model's configuration.
pub(super) fn is_configuration(name: &str) -> bool {
    is_called(name, "model_config.yaml")
}

/// Looks at the configuration of a model: what it names as `_target_` is imported and called, and `target` says the
/// class that is restored.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) {
    let Some(bytes) = context.read(data, MAX_BYTES) else { return };
    let Ok(text) = std::str::from_utf8(&bytes) else { return context.miss("the configuration is not UTF-8") };
    let Some(document) = Yaml::parse(text) else {
        return context.miss("the configuration is not the YAML that NeMo writes");
    };
    let mut targets = Vec::new();
    if !collect(&document, "", 0, &mut targets) {
        context.miss("the configuration is nested too deeply");
    }
    for target in &targets {
        context.fact(FactKind::Layer, &target.name, Value::Null);
        rules::nemo::run(target, context.sink());
    }
    if let Some(class) = document.text("target") {
        context.fact(FactKind::Architecture, class, Value::Null);
    }
    if let Some(version) = document.text("nemo_version") {
        context.fact(FactKind::Framework, "nemo", version);
    }
}

/// Keys whose value NeMo itself imports.
fn is_import(key: &str) -> bool {
    matches!(key, "target" | "cls")
}

/// Collects all targets; false if there is more than is looked at.
fn collect(value: &Yaml, place: &str, depth: usize, targets: &mut Vec<Target>) -> bool {
    if depth > MAX_DEPTH {
        return false;
    }
    let below = |key: &str| if place.is_empty() { key.to_owned() } else { format!("{place}.{key}") };
    let mut is_whole = true;
    match value {
        Yaml::Table(entries) => {
            for (key, value) in entries {
                // Hydra calls what stands at `_target_`; NeMo imports what stands at `target` and `cls`, if it is a dotted
                // name.
                match value {
                    Yaml::Text(name) if key == "_target_" || is_import(key) && name.contains('.') => {
                        targets.push(Target { place: below(key), name: name.clone() });
                    }
                    // Hydra refuses what is no text; nobody writes that.
                    Yaml::Other | Yaml::List(_) | Yaml::Table(_) if key == "_target_" => {
                        targets.push(Target { place: below(key), name: "no text".to_owned() });
                    }
                    _ => {}
                }
                is_whole &= collect(value, &below(key), depth + 1, targets);
            }
        }
        Yaml::List(items) => {
            for item in items {
                is_whole &= collect(item, place, depth + 1, targets);
            }
        }
        _ => {}
    }
    is_whole
}
