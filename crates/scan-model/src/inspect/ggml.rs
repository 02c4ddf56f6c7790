use sealyard_core::ReadAt;
use sealyard_scan::FactKind;

use crate::context::Context;
use crate::rules::gguf::{self, Artifact};

/// Bytes of a head: the letters, a version, seven numbers.
const HEAD: u64 = 36;
/// Largest of a model's sizes.
const MOST: u32 = 1 << 24;

/// What llama.cpp read before GGUF: sizes, a vocabulary, tensors. It holds no text that is run.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    let Some(head) = context.head(data, HEAD) else { return "ggml" };
    let number = |place: usize| {
        head.get(place..).and_then(|rest| rest.first_chunk::<4>()).map(|bytes| u32::from_le_bytes(*bytes))
    };
    // The oldest form has no version. Forms of other programs than llama.cpp have other numbers behind the first.
    let (name, start) = match head.get(..4) {
        Some(b"lmgg") => ("ggml", 4),
        Some(b"fmgg") => ("ggmf", 8),
        Some(b"tjgg") => ("ggjt", 8),
        _ => ("ggla", 8),
    };
    let version = if start == 8 { number(4) } else { None };
    context.fact(FactKind::Format, name, version.map_or(serde_json::Value::Null, Into::into));
    let mut flaws = Vec::new();
    if version.is_some_and(|version| !(1..=3).contains(&version)) {
        context.miss(format!("the version of the {name} file is not known"));
    }
    match number(start) {
        Some(words) if words <= MOST => context.fact(FactKind::Hyperparameter, "vocab_size", words),
        Some(_) => flaws.push((start as u64, "the vocabulary has more words than there can be".to_owned())),
        None => flaws.push((start as u64, "the file ends within its head".to_owned())),
    }
    gguf::run(&Artifact { flaws }, context.sink());
    "ggml"
}
