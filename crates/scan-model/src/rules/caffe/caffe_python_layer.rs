use sealyard_core::Severity;
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::allow::is_dangerous;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports layers of Caffe's nets that are classes of Python. One that names a module known to run commands or to
    /// reach out is unsafe.
    ///
    /// # Why it matters
    /// Making the net imports the module that it names, from wherever Python finds one, and makes an object of the class
    /// with the parameters of the layer.
    ///
    /// # What to do
    /// Find out which code the module is, and read it.
    id: "caffe-python-layer",
    name: "Python layer in a net of Caffe",
    severity: Medium,
    summary: "A net of Caffe imports a module of Python when it is made.",
    help: "Find out which code the module is, and read it.",
    references: ["https://caffe.berkeleyvision.org/tutorial/layers.html"],
}

pub(super) fn check(layers: &Artifact, sink: &mut Sink) {
    for layer in layers {
        let value = |key: &str| {
            let rest =
                layer.parameters.split(['{', ' ', ';', ',']).skip_while(|word| word.trim_end_matches(':') != key);
            rest.skip(1)
                .map(|word| word.trim_matches(['"', '\'', ':']))
                .find(|word| !word.is_empty())
                .unwrap_or_default()
        };
        let is_harmful = is_dangerous(value("module"), value("layer"));
        let severity = if is_harmful { Severity::High } else { Severity::Medium };
        let mut location = sink.location();
        location.line = Some(layer.line);
        let message = format!("a layer is a class of Python: {}", layer.parameters);
        sink.push(Finding::new(&METADATA, location, message).severity(severity));
    }
}
