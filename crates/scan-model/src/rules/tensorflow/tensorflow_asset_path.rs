use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::path::leaves;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Looks at the names of assets, which the loader joins with the model's folder `assets`. Absolute names and `..` are
    /// findings.
    ///
    /// # Why it matters
    /// Loading the model reads its assets, such as tables of words. With a name that leaves the folder it reads any file,
    /// and lookups give its lines away.
    ///
    /// # What to do
    /// Save the model again with `tf.saved_model.save`, which copies assets into the folder.
    id: "tensorflow-asset-path",
    name: "Asset outside of the model's folder",
    severity: High,
    summary: "A TensorFlow SavedModel names an asset outside of its folder.",
    help: "Save the model again, so that its assets are copied.",
    references: ["https://www.tensorflow.org/api_docs/python/tf/saved_model/Asset"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    for asset in artifact.graphs.assets.iter().filter(|asset| leaves(&asset.file)) {
        let message = format!("an asset lies outside of the model's folder: {}", asset.file);
        sink.push(Finding::new(&METADATA, sink.at(asset.offset), message));
    }
}
