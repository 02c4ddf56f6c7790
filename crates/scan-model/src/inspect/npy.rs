use sealyard_core::ReadAt;
use sealyard_formats::npy::Npy;

use super::pickle;
use crate::judge::Persistence;
use crate::rules;
use crate::sink::Sink;

/// More than the longest header that numpy reads.
const HEADER: u64 = 16 << 10;

/// Looks at an array: at its header, and at the pickle behind it when its elements are objects.
pub(super) fn inspect(data: &dyn ReadAt, sink: &mut Sink) -> &'static str {
    let length = usize::try_from(data.size().min(HEADER)).unwrap_or_default();
    let mut head = vec![0; length];
    if let Err(error) = data.read_exact_at(0, &mut head) {
        sink.miss(format!("could not be read: {error}"));
        return "npy";
    }
    let array = match Npy::parse(&head) {
        Ok(array) => array,
        Err(error) => {
            sink.miss(format!("the array can't be read: {error}"));
            return "npy";
        }
    };
    rules::npy::run(&array, sink);
    if array.has_objects() {
        match data.read_all(pickle::MAX_BYTES) {
            Ok(bytes) => {
                let start = usize::try_from(array.data_offset).unwrap_or(usize::MAX);
                let objects = bytes.get(start..).unwrap_or_default();
                sink.inside("objects", |sink| pickle::inspect_bytes(objects, Persistence::Refused, sink));
            }
            Err(error) => sink.miss(format!("could not be read: {error}")),
        }
    }
    "npy"
}
