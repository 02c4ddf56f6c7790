//! Rules of TensorFlow's graphs: they look at operators, at the paths that reach them, at assets and at Keras's layers.

mod effect;

use std::cell::Cell;

use sealyard_formats::tensorflow::{Graphs, Node};
use serde_json::Value;

use crate::path::leaves;

pub(crate) use effect::{Act, Effect, effect};

/// Nodes that are passed on the way from operators to their paths.
const MAX_STEPS: u64 = 500_000;

/// What the rules look at.
pub(crate) struct Artifact<'g> {
    pub(crate) graphs: &'g Graphs,
    /// Descriptions of Keras's objects: place in the model, where it lies, and what it says.
    pub(crate) objects: Vec<(String, u64, Value)>,
    /// Whether the file is such a graph, and not one of another format that could be read as one.
    pub(crate) is_own: bool,
    steps: Cell<u64>,
}

group! { Artifact<'_>;
    tensorflow_asset_path,
    tensorflow_checkpoint_path,
    tensorflow_custom_operator,
    tensorflow_file_access,
    tensorflow_keras_code,
    tensorflow_native_call,
    tensorflow_network_access,
    tensorflow_python_call,
}

/// Whether the rules want to see the nodes of an operator.
pub(crate) fn is_of_interest(operator: &str) -> bool {
    effect(operator).is_some()
}

impl<'g> Artifact<'g> {
    pub(crate) fn new(graphs: &'g Graphs, objects: Vec<(String, u64, Value)>, is_own: bool) -> Self {
        Self { graphs, objects, is_own, steps: Cell::new(MAX_STEPS) }
    }

    /// Whether the ways to paths were too long to be followed all.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.steps.get() == 0
    }

    /// Nodes with what they do.
    fn effects(&self) -> impl Iterator<Item = (&'g Node, &'static Effect)> {
        self.graphs.nodes.iter().filter_map(|node| Some((node, effect(&node.operator)?)))
    }

    /// The first path of a node that leads out of the model, other than those of assets, which the loader puts in.
    fn outside(&self, node: &'g Node, effect: &Effect) -> Option<&'g str> {
        if let Some(path) = effect.attribute.and_then(|name| node.attribute(name).iter().find(|path| is_outside(path)))
        {
            return Some(path);
        }
        let mut steps = self.steps.get();
        let texts = effect.inputs.iter().map(|input| self.graphs.texts_into(node, Some(*input), &mut steps));
        let path = texts.flat_map(|texts| texts.texts).find(|(name, text)| is_outside(text) && !self.is_asset(name));
        self.steps.set(steps);
        path.map(|(_, path)| path)
    }

    fn is_asset(&self, constant: &str) -> bool {
        self.graphs.assets.iter().any(|asset| asset.tensor.split(':').next() == Some(constant))
    }
}

/// Whether a text is a path that leads out of the model. Messages and other binary texts are none.
fn is_outside(text: &str) -> bool {
    leaves(text) && (text.starts_with('/') || !text.contains(char::is_control))
}

/// What a node is called, with the function that it belongs to.
fn title(node: &Node) -> String {
    match &node.function {
        Some(function) => format!("the node {:?} ({}) of the function {function:?}", node.name, node.operator),
        None => format!("the node {:?} ({})", node.name, node.operator),
    }
}
