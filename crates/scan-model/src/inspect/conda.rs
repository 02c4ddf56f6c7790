use sealyard_core::ReadAt;
use sealyard_scan::FactKind;
use serde_json::Value;

use super::text;
use crate::context::Context;
use crate::rules::requirements::{self, Artifact};

/// Largest environment.
const MAX_BYTES: u64 = 1 << 20;

/// An environment of conda.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let kind = text::inspect_as("conda", data, context);
    let Some(bytes) = context.read(data, MAX_BYTES) else { return kind };
    let document: Value = match serde_saphyr::from_slice(&bytes) {
        Ok(document) => document,
        Err(_) => {
            context.miss("the environment of conda is not the YAML that conda reads");
            return kind;
        }
    };
    let text = String::from_utf8_lossy(&bytes);
    let line =
        |word: &str| (1..).zip(text.lines()).find(|(_, line)| line.contains(word)).map_or(0, |(number, _)| number);
    let mut artifact = Artifact::default();
    let items = |key: &str| document.get(key).and_then(Value::as_array).into_iter().flatten();
    for channel in items("channels").filter_map(Value::as_str) {
        artifact.channels.push((line(channel), channel.to_owned()));
    }
    for dependency in items("dependencies") {
        if let Some(name) = dependency.as_str() {
            context.fact(FactKind::Dependency, name, Value::Null);
            // A channel may stand before a package's name.
            if name.contains("://") {
                artifact.channels.push((line(name), name.to_owned()));
            }
        }
        for package in dependency.get("pip").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            context.fact(FactKind::Dependency, package, Value::Null);
            artifact.lines.push((line(package), package.to_owned()));
        }
    }
    requirements::run(&artifact, context.sink());
    kind
}
