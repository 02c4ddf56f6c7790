use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports what makes readers of a tar or 7z archive see different members: a name twice, members behind the
    /// archive's end, sizes of members that have no bytes, bytes that are not those of their CRC.
    ///
    /// # Why it matters
    /// A file on which readers differ shows a scanner one model and the loader another. Every member that any reader could
    /// find has been looked at.
    ///
    /// # What to do
    /// Pack the archive again.
    id: "archive-ambiguous",
    name: "Ambiguous archive",
    severity: Medium,
    summary: "Readers of this archive could see different contents.",
    help: "Pack the archive again.",
    references: ["https://www.gnu.org/software/tar/manual/html_node/Standard.html"],
}

pub(super) fn check(concern: &Artifact, sink: &mut Sink) {
    if let Artifact::Ambiguous(message) = concern {
        sink.push(Finding::new(&METADATA, sink.location(), message.as_str()));
    }
}
