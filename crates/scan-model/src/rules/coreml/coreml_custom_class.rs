use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports layers and models in a Core ML file that are a class of the application (`CustomLayer`, `CustomModel`).
    ///
    /// # Why it matters
    /// Core ML looks the class up by the name in the file and makes an instance of it with parameters and weights from the
    /// file. The model chooses the class, among all of the application; without code of its author it does not run.
    ///
    /// # What to do
    /// Convert the model again with Core ML's own layers, or review the class and what it does with the parameters.
    id: "coreml-custom-class",
    name: "Class of the application",
    severity: Medium,
    summary: "A Core ML model makes an instance of a class that it names.",
    help: "Convert the model again without custom layers, or review the class.",
    references: ["https://developer.apple.com/documentation/coreml/mlcustomlayer"],
}

pub(super) fn check(model: &Artifact, sink: &mut Sink) {
    for class in &model.classes {
        let message = format!("a {} is the class {:?} of the application", class.by, class.name);
        sink.push(Finding::new(&METADATA, sink.at(class.offset), message));
    }
}
