use sealyard_formats::hdf5::{Storage, Target};
use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports what makes a reader of an HDF5 file open other files: external links, data sets with external storage, and
    /// virtual data sets.
    ///
    /// # Why it matters
    /// The reader follows them without asking. A model's weights may then be any file of the machine that loads it, and
    /// are given back to whoever asks the model; and what is loaded has not been scanned.
    ///
    /// # What to do
    /// Write the model again into one file.
    id: "hdf5-outside-data",
    name: "HDF5 data in other files",
    severity: High,
    summary: "An HDF5 file makes its reader open other files.",
    help: "Write the model again into one file.",
    references: [
        "https://nvd.nist.gov/vuln/detail/CVE-2026-1669",
        "https://docs.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html",
    ],
}

pub(super) fn check(file: &Artifact<'_>, sink: &mut Sink) {
    for link in &file.links {
        let message = match &link.target {
            Target::External { file, path } => format!("{} is a link to {path} in the file {file}", link.path),
            Target::UserDefined(kind) => format!("{} is a link of the kind {kind}, which a program defines", link.path),
            _ => continue,
        };
        sink.push(Finding::new(&METADATA, sink.location(), message));
    }
    for object in &file.objects {
        let message = match object.dataset.as_ref().map(|dataset| &dataset.storage) {
            Some(Storage::External(files)) => format!("the data of {} lie in {}", object.path, files.join(", ")),
            Some(Storage::Virtual(file)) => format!("the data of {} lie in data sets of {file:?}", object.path),
            _ => continue,
        };
        sink.push(Finding::new(&METADATA, sink.location(), message));
    }
}
