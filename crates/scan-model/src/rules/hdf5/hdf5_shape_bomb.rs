use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports data sets of HDF5 that claim more than 4 GiB of elements, and more than a thousand times the bytes of the
    /// whole file.
    ///
    /// # Why it matters
    /// HDF5 keeps nothing for elements that were never written, so a small file may claim any size. A reader makes room
    /// for them all at once, and takes the machine's memory.
    ///
    /// # What to do
    /// Do not load the file.
    id: "hdf5-shape-bomb",
    name: "HDF5 data set without its data",
    severity: Medium,
    summary: "A data set of an HDF5 file claims far more elements than the file holds.",
    help: "Do not load the file.",
    references: ["https://nvd.nist.gov/vuln/detail/CVE-2026-0897"],
}

/// What is no bomb, however little of it is stored.
const HARMLESS: u64 = 4 << 30;
/// How many times the file's bytes a data set may have: no compression does better on weights.
const FACTOR: u64 = 1000;

pub(super) fn check(file: &Artifact<'_>, sink: &mut Sink) {
    for object in &file.objects {
        let Some(dataset) = &object.dataset else { continue };
        let claimed = dataset.count().saturating_mul(u64::from(dataset.datatype.size));
        if claimed > HARMLESS && claimed / FACTOR > file.size() {
            let message = format!("{} claims {claimed} bytes, and the file has {}", object.path, file.size());
            sink.push(Finding::new(&METADATA, sink.location(), message));
        }
    }
}
