//! Rules of TensorFlow Lite files: they look at operators that are not of the schema, and at files of buffers.

use sealyard_formats::tensorflow::Graphs;
use sealyard_formats::tflite::Tflite;

/// What the rules look at.
pub(crate) struct Artifact<'t> {
    pub(crate) model: &'t Tflite,
    /// Nodes of TensorFlow that operators stand for, with where the operator lies.
    pub(crate) nodes: Vec<(u64, Graphs)>,
}

group! { Artifact<'_>;
    tflite_custom_operator,
    tflite_outside_path,
    tflite_tensorflow_operator,
}
