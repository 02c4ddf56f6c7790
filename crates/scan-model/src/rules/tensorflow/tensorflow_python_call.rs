use sealyard_scan::{Finding, rule};

use super::{Act, Artifact, title};
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports operators of a TensorFlow graph that call a Python function (`PyFunc`, `PyFuncStateless`, `EagerPyFunc`).
    ///
    /// # Why it matters
    /// The graph names a function that must be registered in the process. Such a model runs only beside code of its
    /// author; in another process the number may mean a function of somebody else.
    ///
    /// # What to do
    /// Save the model again with TensorFlow's own operators in place of `tf.py_function` and `tf.numpy_function`.
    id: "tensorflow-python-call",
    name: "Graph that calls Python",
    severity: Medium,
    summary: "A TensorFlow graph calls a Python function of the process.",
    help: "Save the model again without tf.py_function and tf.numpy_function.",
    references: ["https://www.tensorflow.org/api_docs/python/tf/py_function"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    for (node, _) in artifact.effects().filter(|(_, effect)| effect.act == Act::Python) {
        let token = node.attribute("token").first().map(String::as_str).unwrap_or_default();
        let message = format!("{} calls the Python function {token:?}", title(node));
        sink.push(Finding::new(&METADATA, sink.at(node.offset), message));
    }
}
