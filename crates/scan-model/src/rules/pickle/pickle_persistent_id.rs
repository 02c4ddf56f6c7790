use sealyard_scan::rule;

use super::{Artifact, concern};
use crate::judge::Wrong;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports `PERSID` and `BINPERSID` outside the formats that define them.
    ///
    /// # Why it matters
    /// What an id stands for is up to the loader: some import or open what it names. `pickle.load` itself refuses.
    ///
    /// # What to do
    /// Find out which program wrote the file and use a format that holds all of the model.
    id: "pickle-persistent-id",
    name: "Persistent id",
    severity: Medium,
    summary: "A pickle asks its loader for an object by id.",
    help: "Find out which program wrote the file and use a format that holds all of the model.",
    references: ["https://docs.python.org/3/library/pickle.html#persistence-of-external-objects"],
}

pub(super) fn check(artifact: &Artifact<'_>, sink: &mut Sink) {
    concern::report(Wrong::PersistentId, &METADATA, artifact, sink);
}
