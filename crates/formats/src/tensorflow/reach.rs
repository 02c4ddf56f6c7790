use std::collections::{BTreeMap, BTreeSet};

use super::{Graphs, Node};

/// Operators that make a text of texts, choose among them or hand them on.
const HAND_ON: &[&str] = &[
    "AsString",
    "BatchFunction",
    "Bitcast",
    "Case",
    "Cast",
    "Concat",
    "ConcatV2",
    "ConcatenateDataset",
    "DecodeBase64",
    "EncodeBase64",
    "EnsureShape",
    "Enter",
    "Exit",
    "ExpandDims",
    "FIFOQueueV2",
    "Fill",
    "FlatMapDataset",
    "Gather",
    "GatherNd",
    "GatherV2",
    "Identity",
    "IdentityN",
    "If",
    "InterleaveDataset",
    "LegacyParallelInterleaveDatasetV2",
    "MapDataset",
    "Merge",
    "NextIteration",
    "Pack",
    "ParallelInterleaveDataset",
    "ParallelInterleaveDatasetV2",
    "ParallelInterleaveDatasetV3",
    "ParallelInterleaveDatasetV4",
    "ParallelMapDataset",
    "ParallelMapDatasetV2",
    "PartitionedCall",
    "PlaceholderWithDefault",
    "PrefetchDataset",
    "QueueEnqueueManyV2",
    "QueueEnqueueV2",
    "ReduceJoin",
    "RegexReplace",
    "RepeatDataset",
    "Reshape",
    "Select",
    "SelectV2",
    "ShardDataset",
    "ShardedFilename",
    "ShardedFilespec",
    "ShuffleDataset",
    "ShuffleDatasetV3",
    "Slice",
    "Snapshot",
    "Split",
    "SplitV",
    "Squeeze",
    "StatefulPartitionedCall",
    "StatelessCase",
    "StatelessIf",
    "StatelessWhile",
    "StaticRegexReplace",
    "StopGradient",
    "StridedSlice",
    "StringFormat",
    "StringJoin",
    "StringLower",
    "StringStrip",
    "StringUpper",
    "Substr",
    "Switch",
    "TakeDataset",
    "TensorDataset",
    "TensorSliceDataset",
    "Tile",
    "Transpose",
    "UnicodeEncode",
    "Unpack",
    "UnsortedSegmentJoin",
    "While",
];

/// Whether an operator hands texts on.
pub(super) fn hands_on(operator: &str) -> bool {
    HAND_ON.binary_search(&operator).is_ok()
}

/// Whether an operator is a constant.
pub(super) fn is_constant(operator: &str) -> bool {
    matches!(operator, "Const" | "HostConst")
}

/// Where nodes are by name, who calls a function, and which argument has which name.
#[derive(Debug, Default)]
pub(super) struct Index {
    /// By function, empty for the graph itself.
    nodes: BTreeMap<String, BTreeMap<String, Vec<usize>>>,
    callers: BTreeMap<String, Vec<usize>>,
    arguments: BTreeMap<String, BTreeMap<String, usize>>,
}

impl Index {
    pub(super) fn of(nodes: &[Node], functions: &BTreeMap<String, Vec<String>>) -> Self {
        let mut index = Self::default();
        for (place, node) in nodes.iter().enumerate() {
            let scope = index.nodes.entry(node.function.clone().unwrap_or_default()).or_default();
            scope.entry(node.name.clone()).or_default().push(place);
            for call in &node.calls {
                index.callers.entry(call.clone()).or_default().push(place);
            }
        }
        for (name, arguments) in functions {
            let places = arguments.iter().enumerate().map(|(place, argument)| (argument.clone(), place)).collect();
            index.arguments.insert(name.clone(), places);
        }
        index
    }
}

/// The input of a caller that is an argument of the function that it calls.
fn given(caller: &Node, argument: usize) -> Option<&str> {
    // The first input of these says which function is called.
    let first = usize::from(matches!(caller.operator.as_str(), "If" | "StatelessIf" | "Case" | "StatelessCase"));
    let mut inputs = caller.inputs.iter().filter(|name| !name.starts_with('^'));
    inputs.nth(first + argument).map(String::as_str)
}

/// The texts that reach an input of a node.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Texts<'g> {
    /// The texts with the names of the nodes that hold them.
    pub texts: BTreeSet<(&'g str, &'g str)>,
    /// Whether others may reach it: from outside the graph, or out of what was not followed.
    pub is_open: bool,
}

impl Graphs {
    /// The text of the constant that is the input number `input` of `node`, with nothing between them.
    #[must_use]
    pub fn constant_into<'g>(&'g self, node: &Node, input: usize) -> Option<&'g str> {
        let name = node.inputs.iter().filter(|name| !name.starts_with('^')).nth(input)?;
        let scope = self.index.nodes.get(node.function.as_deref().unwrap_or_default())?;
        let places = scope.get(name.split(':').next().unwrap_or_default())?;
        let mut constants = places.iter().filter_map(|place| self.nodes.get(*place));
        constants.find(|node| is_constant(&node.operator))?.texts().next()
    }

    /// The texts that may reach `node`, by its input number `input` or by any. Each node that is passed takes one of
    /// `steps`.
    #[must_use]
    pub fn texts_into<'g>(&'g self, node: &'g Node, input: Option<usize>, steps: &mut u64) -> Texts<'g> {
        let mut texts = Texts::default();
        let mut seen = BTreeSet::new();
        let mut pending: Vec<(&str, &str)> = Vec::new();
        let scope = |node: &'g Node| node.function.as_deref().unwrap_or_default();
        let mut inputs = node.inputs.iter().filter(|name| !name.starts_with('^'));
        match input {
            Some(input) => pending.extend(inputs.nth(input).map(|name| (scope(node), name.as_str()))),
            None => pending.extend(inputs.map(|name| (scope(node), name.as_str()))),
        }
        while let Some((function, name)) = pending.pop() {
            let name = name.split(':').next().unwrap_or_default();
            if name.starts_with('^') || !seen.insert((function, name)) {
                continue;
            }
            let Some(left) = steps.checked_sub(1) else {
                texts.is_open = true;
                break;
            };
            *steps = left;
            let found = self.index.nodes.get(function).and_then(|nodes| nodes.get(name));
            match found {
                Some(places) => {
                    for node in places.iter().filter_map(|place| self.nodes.get(*place)) {
                        texts.is_open |= node.is_cut || !(hands_on(&node.operator) || is_constant(&node.operator));
                        texts.texts.extend(node.texts().map(|text| (node.name.as_str(), text)));
                        pending.extend(node.inputs.iter().map(|name| (scope(node), name.as_str())));
                    }
                }
                // An argument: what callers give is it.
                None => {
                    texts.is_open = true;
                    let argument = self.index.arguments.get(function).and_then(|names| names.get(name));
                    let callers = self.index.callers.get(function).into_iter().flatten();
                    if let Some(argument) = argument {
                        let callers = callers.filter_map(|place| self.nodes.get(*place));
                        pending.extend(callers.filter_map(|node| Some((scope(node), given(node, *argument)?))));
                    }
                }
            }
        }
        texts
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_list_is_sorted() {
        assert!(super::HAND_ON.is_sorted());
    }
}
