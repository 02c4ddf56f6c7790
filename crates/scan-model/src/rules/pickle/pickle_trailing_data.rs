use sealyard_core::Severity;
use sealyard_scan::rule;

use super::Artifact;
use crate::judge::end_of_storages;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports bytes behind the last complete stream of a pickle, and more than one stream.
    ///
    /// # Why it matters
    /// No library that is supported writes them. They hide other formats (a zip is read from its end), or further
    /// streams that a loader may be told to read.
    ///
    /// # What to do
    /// Save the model again with the library that made it.
    id: "pickle-trailing-data",
    name: "Data behind the pickle",
    severity: Medium,
    summary: "Bytes follow the end of a pickle.",
    help: "Save the model again with the library that made it.",
    references: ["https://docs.python.org/3/library/pickle.html"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    let Artifact::File(file) = artifact else { return };
    let pickle = file.pickle;
    if pickle.value().is_none() {
        return;
    }
    // What PyTorch wrote before 1.6 is five pickles and the raw bytes of the storages, and no more.
    let first = pickle.streams.first().map(|stream| stream.end);
    let Some(end) = end_of_storages(pickle).or(first) else { return };
    if end < file.size {
        let message = format!("{} bytes follow the end of the pickle", file.size - end);
        sink.find(&METADATA, Severity::Medium, end, message, []);
    }
}
