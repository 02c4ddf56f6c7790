//! Files that hold the numbers of tensors and nothing else. Only the file beside them says where which tensor is, so that
//! their content tells nothing: they are told by their name, by the model that names them, or by the header that some have.

use sealyard_core::ReadAt;
use sealyard_scan::{Fact, FactKind, SubjectReport};
use serde_json::Value;

use super::Folder;
use crate::path::leaves;

/// What such a file is called.
pub(super) const KIND: &str = "tensor-data";
/// Why a file of no known format is not assessed.
pub(super) use super::unknown::REASON as UNKNOWN;
/// Core ML's weights: the version of the form, and what the first description of a tensor begins with.
const BLOB_VERSION: u32 = 2;
const BLOB_MARK: u32 = 0xdead_beef;
const BLOB_PLACE: u64 = 64;

/// Whether a file of no known format is named as TensorFlow and ONNX name the numbers of a model. Their readers take
/// nothing but numbers from it.
pub(super) fn is_named(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_shard =
        name.rsplit_once(".data-").and_then(|(_, shard)| shard.split_once("-of-")).is_some_and(|(number, count)| {
            [number, count].iter().all(|part| part.len() == 5 && part.bytes().all(|byte| byte.is_ascii_digit()))
        });
    is_shard || name.ends_with(".onnx.data") || name.ends_with(".onnx_data")
}

/// Whether it is a file of weights of Core ML.
pub(super) fn is_blob(data: &dyn ReadAt) -> bool {
    let number = |place| {
        let mut bytes = [0; 4];
        data.read_exact_at(place, &mut bytes).is_ok().then_some(u32::from_le_bytes(bytes))
    };
    number(4) == Some(BLOB_VERSION) && number(BLOB_PLACE) == Some(BLOB_MARK)
}

/// Takes files of no known format for what the models of the folder name them: their tensors.
pub(super) fn folder(folder: &mut Folder<'_>) {
    let mut named = Vec::new();
    for subject in folder.subjects().filter(|subject| subject.kind == "onnx") {
        let parent = subject.path.rsplit_once('/').map(|(parent, _)| format!("{parent}/")).unwrap_or_default();
        let files = subject.facts.iter().filter(|fact| fact.kind == FactKind::Dependency && fact.member.is_none());
        named.extend(files.filter(|fact| !leaves(&fact.name)).map(|fact| {
            let file = fact.name.strip_prefix("./").unwrap_or(&fact.name);
            format!("{parent}{file}")
        }));
    }
    for path in named {
        let Some(subject) = folder.subject(&path) else { continue };
        let is_unknown =
            subject.findings.is_empty() && subject.not_assessed.iter().all(|missed| missed.reason == UNKNOWN);
        if subject.kind == "unknown" && is_unknown {
            let fact = Fact::new(FactKind::Format, KIND, Value::Null);
            let digest = subject.digest;
            *subject = SubjectReport::new(&path, KIND, Vec::new(), Vec::new()).with_facts(vec![fact]);
            subject.digest = digest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_tensors_are_taken() {
        for name in ["variables/variables.data-00000-of-00001", "a.onnx.data", "b/a.onnx_data"] {
            assert!(is_named(name), "{name}");
        }
        for name in
            ["a.data", "a.data-0-of-1", "a.data-0000x-of-00001", "a.onnx.data/b", "a.bin", "data-00000-of-00001"]
        {
            assert!(!is_named(name), "{name}");
        }
    }
}
