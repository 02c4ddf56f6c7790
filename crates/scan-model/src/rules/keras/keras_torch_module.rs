use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports `TorchModuleWrapper` layers, whose module is a pickle in the description of the model. The pickle itself is
    /// judged by the rules of pickles too.
    ///
    /// # Why it matters
    /// The layer is made by `torch.load` with `weights_only=False`, in some versions whatever the safe mode says.
    ///
    /// # What to do
    /// Save the weights of the module apart, and make it from reviewed source.
    id: "keras-torch-module",
    name: "Pickled module in a Keras model",
    severity: High,
    summary: "A Keras model holds a module of PyTorch, which is a pickle.",
    help: "Save the weights of the module apart, and make it from reviewed source.",
    references: ["https://nvd.nist.gov/vuln/detail/CVE-2025-49655"],
}

pub(super) fn check(model: &Artifact<'_>, sink: &mut Sink) {
    for object in model.objects.iter().filter(|object| object.class == "TorchModuleWrapper") {
        let message = format!("{} is a pickled module of PyTorch", object.path);
        sink.push(Finding::new(&METADATA, sink.location(), message));
    }
}
