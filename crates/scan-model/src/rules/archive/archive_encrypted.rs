use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports encrypted members of archives.
    ///
    /// # Why it matters
    /// What is in them can be seen by nobody who has no password: a scanner neither, but whoever was sent the password
    /// together with the file. No library writes its models like that.
    ///
    /// # What to do
    /// Have the model sent as its library saves it, and encrypt it on the way instead.
    id: "archive-encrypted",
    name: "Encrypted archive",
    severity: Medium,
    summary: "A member of an archive is encrypted.",
    help: "Decrypt it and scan what is in it.",
    references: ["https://attack.mitre.org/techniques/T1027/013/"],
}

pub(super) fn check(concern: &Artifact, sink: &mut Sink) {
    if let Artifact::Encrypted = concern {
        sink.push(Finding::new(&METADATA, sink.location(), "it is encrypted"));
    }
}
