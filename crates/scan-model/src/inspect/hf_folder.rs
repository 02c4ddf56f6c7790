use std::collections::BTreeSet;

use sealyard_core::ReadAt;
use sealyard_formats::json_bounds::JsonBounds;
use sealyard_formats::tar::leaves;
use sealyard_scan::{Fact, FactKind};
use serde_json::Value;

use super::Folder;
use crate::sink::Sink;

/// Largest index of shards.
const MAX_BYTES: u64 = 64 << 20;
/// Most that one may hold.
const BOUNDS: JsonBounds = JsonBounds { objects: 100_000, values: 5_000_000 };
/// Shards that are named in a report.
const MAX_NAMED: usize = 20;
/// Weights as pickles, and the same without.
const PAIRS: &[(&str, &str)] = &[
    ("pytorch_model.bin", "model.safetensors"),
    ("pytorch_model.bin.index.json", "model.safetensors.index.json"),
    ("adapter_model.bin", "adapter_model.safetensors"),
    ("diffusion_pytorch_model.bin", "diffusion_pytorch_model.safetensors"),
];

/// Looks at a folder as Hugging Face's loaders do: at each index of shards together with the shards that it names, and at
/// weights that are there twice.
pub(super) fn folder(folder: &mut Folder<'_>) {
    let paths: BTreeSet<&str> = folder.files.iter().map(|(path, _)| path.as_str()).collect();
    let indexes: Vec<_> =
        folder.files.iter().filter(|(path, _)| path.file_name().ends_with(".index.json")).cloned().collect();
    for (path, data) in indexes {
        let Some(shards) = shards(&data) else { continue };
        let root = path.as_str().rsplit_once('/').map(|(root, _)| format!("{root}/")).unwrap_or_default();
        let mut sink = Sink::new(path.as_str());
        let mut missing = Vec::new();
        for name in shards {
            if leaves(&name) || name.contains("://") {
                // Told by the look at the file.
                continue;
            }
            let shard = format!("{root}{}", name.trim_start_matches("./"));
            if !paths.contains(shard.as_str()) {
                missing.push(name);
            }
        }
        if !missing.is_empty() {
            missing.truncate(MAX_NAMED);
            sink.miss(format!("it names shards that are not in the folder: {}", missing.join(", ")));
        }
        folder.add(path.as_str(), sink);
    }
    for (pickle, tensors) in PAIRS {
        for (path, _) in folder.named(pickle) {
            let root = path.as_str().strip_suffix(pickle).unwrap_or_default();
            let other = format!("{root}{tensors}");
            if folder.subject(&other).is_none() {
                continue;
            }
            if let Some(subject) = folder.subject(path.as_str()) {
                // Which of the two is loaded depends on the library and its version.
                subject.facts.push(Fact::new(FactKind::Property, "the same weights without a pickle", *tensors));
            }
        }
    }
}

/// The names of the shards; none if it is no index. What does not parse has been reported by the look at the file.
fn shards(data: &dyn ReadAt) -> Option<BTreeSet<String>> {
    let bytes = data.read_all(MAX_BYTES).ok()?;
    if !BOUNDS.hold(&bytes) {
        return None;
    }
    let document: Value = serde_json::from_slice(&bytes).ok()?;
    let map = document.get("weight_map")?.as_object()?;
    Some(map.values().filter_map(Value::as_str).map(str::to_owned).collect())
}
