use sealyard_scan::rule;

use super::{Artifact, concern};
use crate::judge::Wrong;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports each import of a name from families that run code or reach out of the process: `os`, `posix`, `subprocess`,
    /// `builtins.eval` and its kin, `getattr`, `functools.partial`, `importlib`, loaders of other pickles, files, sockets.
    ///
    /// # Why it matters
    /// Loading a pickle calls what it imports. `posix.system` with a string is all an attacker needs. A name that is only
    /// stored, such as the function of a transformer, is called later, when the model predicts.
    ///
    /// # What to do
    /// Do not load it. Find out who made it and train the model again from source.
    id: "pickle-dangerous-global",
    name: "Dangerous global",
    severity: Critical,
    summary: "A pickle reaches a name that runs code, or reaches files, the network or the interpreter.",
    help: "Do not load it. Find out who made it and train the model again from source.",
    references: ["https://docs.python.org/3/library/pickle.html#restricting-globals"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    concern::report(Wrong::DangerousGlobal, &METADATA, artifact, sink);
}
