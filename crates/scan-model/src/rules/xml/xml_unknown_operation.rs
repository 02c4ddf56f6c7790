use sealyard_formats::xml::Element;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports layers of an OpenVINO graph that are of none of OpenVINO's own sets of operations, nor of its tokenizers.
    ///
    /// # Why it matters
    /// Such a layer is native code in a library that has to be given together with the graph.
    ///
    /// # What to do
    /// Find out where the library comes from, or convert the model without the operation.
    id: "xml-unknown-operation",
    name: "Operation of an extension",
    severity: Medium,
    summary: "A graph of OpenVINO needs an operation out of a library of its own.",
    help: "Find out where the library comes from.",
    references: ["https://docs.openvino.ai/2024/documentation/openvino-extensibility.html"],
}

/// Operations of OpenVINO's tokenizers.
const TOKENIZERS: &[&str] = &[
    "BPETokenizer",
    "BytesToChars",
    "CaseFold",
    "CharsMapNormalization",
    "CharsToBytes",
    "CombineSegments",
    "EqualStr",
    "FuzeRagged",
    "NormalizeUnicode",
    "RaggedTensorPack",
    "RaggedToDense",
    "RaggedToRagged",
    "RaggedToSparse",
    "RegexNormalization",
    "RegexSplit",
    "SentencepieceDetokenizer",
    "SentencepieceStreamDetokenizer",
    "SentencepieceTokenizer",
    "SpecialTokensSplit",
    "StringTensorPack",
    "StringTensorUnpack",
    "StringToHashBucket",
    "TrieTokenizer",
    "Truncate",
    "UTF8Validate",
    "UnigramTokenizer",
    "VocabDecoder",
    "VocabEncoder",
    "WordpieceTokenizer",
];

pub(super) fn is_telling(element: &Element) -> bool {
    let (Some(kind), Some(version)) = (element.attribute("type"), element.attribute("version")) else { return false };
    element.name == "layer" && matches!(version, "extension" | "custom" | "user") && !TOKENIZERS.contains(&kind)
}

pub(super) fn check(document: &Artifact, sink: &mut Sink) {
    for element in document.elements.iter().filter(|element| is_telling(element)) {
        let kind = element.attribute("type").unwrap_or_default();
        sink.push(Finding::new(&METADATA, sink.location(), format!("a layer is a {kind} of an extension")));
    }
}
