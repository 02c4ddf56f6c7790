use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::allow;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports operators of a TensorFlow graph that neither TensorFlow nor its known libraries have, unless the graph
    /// defines them itself, as a function.
    ///
    /// # Why it matters
    /// Such an operator runs only with a native library that is loaded for it (`tf.load_op_library`). Whoever gives the
    /// model gives that library too, and it runs as soon as it is loaded.
    ///
    /// # What to do
    /// Find out which library the operator is from, and take that from a source of your own.
    id: "tensorflow-custom-operator",
    name: "Operator that TensorFlow does not have",
    severity: Medium,
    summary: "A TensorFlow graph needs a native library for an operator that TensorFlow does not have.",
    help: "Find out which library the operator is from before you load one for it.",
    references: ["https://www.tensorflow.org/guide/create_op"],
}

/// How the names of operators begin that libraries of TensorFlow's makers have: tensorflow-text, decision forests, addons,
/// io, Neuron's and TensorRT's bridges.
const LIBRARIES: &[&str] = &[
    "Addons>",
    "Audio",
    "Horovod",
    "IO>",
    "Neuron",
    "Sentencepiece",
    "SimpleML",
    "TFText>",
    "TFL>",
    "TRTEngineOp",
    "Tpu",
    "Trax",
    "Yggdrasil",
    "_",
];
/// Operators of tensorflow-text without such a beginning, and of what was in TensorFlow before version 2.
const OTHERS: &[&str] = &[
    "CaseFoldUTF8",
    "ConstrainedSequence",
    "FastBertNormalize",
    "FastSentencepieceTokenize",
    "FastWordpieceTokenizeWithOffsets",
    "HashNgrams",
    "ImageConnectedComponents",
    "ImageProjectiveTransform",
    "MaxSpanningTree",
    "NgramsStringJoin",
    "NormalizeUTF8",
    "NormalizeUTF8WithOffsetsMap",
    "PeriodicResample",
    "PhraseTokenizeWithOffsets",
    "RegexSplitWithOffsets",
    "RougeL",
    "SentenceFragments",
    "SplitMergeTokenizeWithOffsets",
    "UnicodeScriptTokenizeWithOffsets",
    "UtfOffsets",
    "WhitespaceTokenizeWithOffsets",
    "WhitespaceTokenizeWithOffsetsV2",
    "WordpieceTokenizeWithOffsets",
];

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    if !artifact.is_own {
        return;
    }
    for (operator, uses) in &artifact.graphs.operators {
        let is_known = allow::is_tensorflow_operator(operator)
            || LIBRARIES.iter().any(|library| operator.starts_with(library))
            || OTHERS.binary_search(&operator.as_str()).is_ok()
            || artifact.graphs.functions.contains_key(operator);
        if !is_known {
            let message = format!("{} nodes are {operator}, which TensorFlow does not have", uses.count);
            sink.push(Finding::new(&METADATA, sink.at(uses.offset), message));
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        assert!(super::OTHERS.is_sorted());
    }
}
