use std::collections::BTreeMap;

use sealyard_scan::{Finding, rule};

use super::{Artifact, tflite_tensorflow_operator};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports operators that neither the schema of TensorFlow Lite nor a known library has.
    ///
    /// # Why it matters
    /// Such an operator runs only with a native library that is registered for it. Whoever gives the model gives that
    /// library too, and it runs as soon as it is loaded.
    ///
    /// # What to do
    /// Find out which library the operator is from, and take that from a source of your own.
    id: "tflite-custom-operator",
    name: "Operator of an unknown library",
    severity: Medium,
    summary: "A TensorFlow Lite model needs a native library for an unknown operator.",
    help: "Find out which library the operator is from before you load one for it.",
    references: ["https://ai.google.dev/edge/litert/models/ops_custom"],
}

/// Operators of the runtime itself, of MediaPipe, TensorFlow Text and of accelerators' compilers.
const KNOWN: &[&str] = &[
    "AssignVariable",
    "AudioSpectrogram",
    "Complex64",
    "ComplexAbs",
    "Convolution2DTransposeBias",
    "HashTableFindV2",
    "HashTableImportV2",
    "HashTableSizeV2",
    "HashTableV2",
    "Imag",
    "Irfft2d",
    "Landmarks2TransformMatrix",
    "MaxPoolingWithArgmax2D",
    "MaxUnpooling2D",
    "Mfcc",
    "Multinomial",
    "NumericVerify",
    "RandomStandardNormal",
    "RandomUniform",
    "ReadVariable",
    "Real",
    "Resampler",
    "Rfft2d",
    "Roll",
    "SentencepieceTokenizeOp",
    "TFLite_Detection_PostProcess",
    "TFSentencepieceDetokenizeOp",
    "TFSentencepieceTokenizeOp",
    "TransformLandmarks",
    "TransformTensorBilinear",
    "VarHandle",
    "WhitespaceTokenizeWithOffsets",
    "aeq.hadamard_rotation",
    "edgetpu-custom-op",
    "ethos-u",
    "odml.rms_norm",
    "odml.scaled_dot_product_attention",
    "odml.update_external_kv_cache",
    "odml.update_kv_cache",
    "sentencepiece_tokenizer",
];
/// Beginnings of the names of libraries' operators.
const FAMILIES: &[&str] = &["TFText>", "tftext:"];

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    let mut unknown: BTreeMap<&str, (u64, u64)> = BTreeMap::new();
    for custom in &artifact.model.custom {
        let name: &str = &custom.name;
        let is_known = KNOWN.binary_search(&name).is_ok() || FAMILIES.iter().any(|family| name.starts_with(family));
        if !is_known && !name.starts_with(tflite_tensorflow_operator::PREFIX) {
            unknown.entry(name).or_insert((0, custom.offset)).0 += 1;
        }
    }
    for (name, (count, offset)) in unknown {
        let message = format!("{count} operators are {name:?}, which no known library has");
        sink.push(Finding::new(&METADATA, sink.at(offset), message));
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        assert!(super::KNOWN.is_sorted());
    }
}
