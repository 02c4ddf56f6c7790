use sealyard_scan::rule;

use super::{Artifact, concern};
use crate::judge::Wrong;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports `EXT1`, `EXT2`, `EXT4`, and `copyreg.add_extension` and its kin.
    ///
    /// # Why it matters
    /// An extension code stands for a name that is not in the file: it lies in the loading process, or an earlier stream put
    /// it there.
    ///
    /// # What to do
    /// Do not load it.
    id: "pickle-extension-registry",
    name: "Extension registry",
    severity: High,
    summary: "A pickle uses or changes the registry of extension codes.",
    help: "Do not load it.",
    references: ["https://docs.python.org/3/library/copyreg.html", "https://peps.python.org/pep-0307/#the-extension-registry"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    concern::report(Wrong::ExtensionRegistry, &METADATA, artifact, sink);
}
