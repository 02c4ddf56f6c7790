use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports bytes behind the end of a compressed stream or of an archive that are no padding. They are looked at like a
    /// file of their own.
    ///
    /// # Why it matters
    /// Readers stop at the end of the stream or go on behind it, so that two of them may see different contents.
    ///
    /// # What to do
    /// Save the model again with the library that made it.
    id: "archive-trailing-data",
    name: "Data behind a compressed stream",
    severity: Medium,
    summary: "Bytes follow the end of a compressed stream or of an archive.",
    help: "Save the model again with the library that made it.",
    references: ["https://docs.python.org/3/library/zlib.html#zlib.Decompress.unused_data"],
}

pub(super) fn check(concern: &Artifact, sink: &mut Sink) {
    if let Artifact::Trailing(count) = concern {
        sink.push(Finding::new(&METADATA, sink.location(), format!("{count} bytes follow its end")));
    }
}
