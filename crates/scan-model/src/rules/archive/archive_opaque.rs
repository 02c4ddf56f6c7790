use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports an archive of a form that no library reads models from, under the name of a model.
    ///
    /// # Why it matters
    /// Such files were published to get past scanners: they fail or pass over what they can't unpack, and whoever
    /// unpacks it by hand loads what nobody has looked at.
    ///
    /// # What to do
    /// Unpack it and scan what is in it.
    id: "archive-opaque",
    name: "Archive in place of a model",
    severity: Medium,
    summary: "A file with the name of a model is an archive that no library reads.",
    help: "Unpack it and scan what is in it.",
    references: ["https://www.reversinglabs.com/blog/rl-identifies-malware-ml-model-hosted-on-hugging-face"],
}

pub(super) fn check(concern: &Artifact, sink: &mut Sink) {
    if let Artifact::Opaque(form) = concern {
        let message = format!("its name is that of a model, but it is a {form} archive");
        sink.push(Finding::new(&METADATA, sink.location(), message));
    }
}
