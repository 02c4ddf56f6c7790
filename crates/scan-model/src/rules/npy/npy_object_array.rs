use sealyard_scan::{Finding, rule};

use super::Artifact;
use crate::sink::Sink;

rule! {
    /// # What it does
    /// Reports `.npy` arrays, alone or in an `.npz`, whose elements are Python objects.
    ///
    /// # Why it matters
    /// Such an array is a pickle behind a header. `numpy.load` refuses it unless `allow_pickle=True`, so a model that
    /// needs it asks its user to lower that guard. The pickle itself is judged by the other rules.
    ///
    /// # What to do
    /// Store strings with a string dtype and other objects in a format of their own.
    id: "npy-object-array",
    name: "Array of pickled objects",
    severity: Low,
    summary: "A numpy array file holds a pickle.",
    help: "Store the array with a dtype that is not object.",
    references: ["https://numpy.org/doc/stable/reference/generated/numpy.load.html"],
}

pub(super) fn check(array: &Artifact, sink: &mut Sink) {
    if array.has_objects() {
        let message = "the elements of the array are pickled objects";
        sink.push(Finding::new(&METADATA, sink.location(), message));
    }
}
