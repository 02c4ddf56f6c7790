//! TensorFlow's graphs: `SavedModel`, `MetaGraphDef`, `GraphDef`, a single `NodeDef`, and the metadata that Keras keeps
//! beside them. All nodes are walked, those of the function library too; tensors are stepped over.
//!
//! Field numbers are those of <https://github.com/tensorflow/tensorflow/tree/master/tensorflow/core/protobuf>, and
//! `core/framework` beside it.

mod checkpoint;
mod keras;
mod reach;
mod reader;
mod tensor;
pub mod text;

use std::collections::BTreeMap;
use std::ops::Range;

use sealyard_core::ReadAt;

use crate::message::{Limits, MessageError, Walk};
use crate::onnx::Uses;
use crate::window::Window;
use reader::Reader;

pub use checkpoint::{Checkpoint, CheckpointError};
pub use keras::KerasObject;
pub use reach::Texts;
pub use tensor::data_type;

/// Which message fills a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// `saved_model.pb`.
    SavedModel,
    /// The `.meta` file of a checkpoint.
    MetaGraph,
    /// A frozen graph.
    GraphDef,
    /// One node, as TensorFlow Lite keeps it for an operator of TensorFlow.
    Node,
    /// `keras_metadata.pb`.
    KerasMetadata,
}

/// What a file of TensorFlow holds.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Graphs {
    /// Versions of TensorFlow that wrote the graphs, as they say.
    pub versions: BTreeMap<String, u64>,
    /// Version of the schema of `SavedModel`.
    pub schema: u64,
    /// Version of the graphs' producer.
    pub producer: u64,
    /// Tags of the graphs.
    pub tags: BTreeMap<String, u64>,
    /// Operators, and how many nodes there are of each.
    pub operators: BTreeMap<String, Uses>,
    /// Functions of the library, with the names of their arguments.
    pub functions: BTreeMap<String, Vec<String>>,
    /// Nodes that the caller asked for, and nodes that hold texts.
    pub nodes: Vec<Node>,
    /// Files that the loader looks up in the folder of assets.
    pub assets: Vec<Asset>,
    /// Objects of Keras, with their configuration.
    pub keras: Vec<KerasObject>,
    /// Names of signatures with the inputs' and outputs' types and shapes.
    pub signatures: Vec<(String, String)>,
    /// By element type: how many constants, and how many numbers in them.
    pub tensors: BTreeMap<u64, (u64, u64)>,
    /// Fields that were looked at.
    pub fields: u64,
    /// Why the file was not walked to its end.
    pub broken: Option<MessageError>,
    index: reach::Index,
}

/// A node of a graph.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Node {
    /// The function that it belongs to; none for the graph itself.
    pub function: Option<String>,
    /// Its name, unique within the graph or function.
    pub name: String,
    /// What it does.
    pub operator: String,
    /// Nodes that it takes from, with `:` and a number behind; those with `^` before are only waited for.
    pub inputs: Vec<String>,
    /// Attributes that are texts, or tensors of such, and functions' names.
    pub attributes: Vec<(String, Vec<String>)>,
    /// Functions that it calls.
    pub calls: Vec<String>,
    /// Whether a text of it was left out or cut.
    pub is_cut: bool,
    /// Where it lies.
    pub offset: u64,
}

impl Node {
    /// The texts of an attribute.
    #[must_use]
    pub fn attribute(&self, name: &str) -> &[String] {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, texts)| texts.as_slice()).unwrap_or_default()
    }

    /// All texts of all attributes.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.attributes.iter().flat_map(|(_, texts)| texts).map(String::as_str)
    }
}

/// A file that the loader looks up in the folder of assets.
#[derive(Debug)]
#[non_exhaustive]
pub struct Asset {
    /// Its name.
    pub file: String,
    /// The tensor that gets its path.
    pub tensor: String,
    /// Where it is named.
    pub offset: u64,
}

impl Graphs {
    /// Walks a file. The nodes for whose operator `keeps` is true are kept, and those that hold texts or hand them on.
    #[must_use]
    pub fn parse(source: &dyn ReadAt, root: Root, limits: Limits, keeps: &dyn Fn(&str) -> bool) -> Self {
        Self::parse_within(source, 0..source.size(), root, limits, keeps)
    }

    /// Walks a part of a file.
    #[must_use]
    pub fn parse_within(
        source: &dyn ReadAt,
        range: Range<u64>,
        root: Root,
        limits: Limits,
        keeps: &dyn Fn(&str) -> bool,
    ) -> Self {
        let window = Window::new(source);
        let mut walk = Walk::new(&window, limits);
        let mut reader = Reader { graphs: Self::default(), keeps };
        let result = match root {
            Root::SavedModel => reader.saved_model(&mut walk, range),
            Root::MetaGraph => reader.meta_graph(&mut walk, range),
            Root::GraphDef => reader.graph(&mut walk, range),
            Root::Node => reader.node(&mut walk, range.clone(), range.start, None),
            Root::KerasMetadata => reader.keras_metadata(&mut walk, range),
        };
        let mut graphs = reader.graphs;
        graphs.broken = result.err();
        graphs.fields = walk.fields();
        graphs.index = reach::Index::of(&graphs.nodes, &graphs.functions);
        graphs
    }
}

#[cfg(test)]
mod tests;
