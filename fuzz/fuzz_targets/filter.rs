//! MLflow's search language. The first byte says what is searched.
#![no_main]

use sealyard_app::fuzzing;
use sealyard_app::search::{self, Searched};

const ALL: [Searched; 6] = [
    Searched::Runs,
    Searched::Experiments,
    Searched::LoggedModels,
    Searched::RegisteredModels,
    Searched::ModelVersions,
    Searched::EvaluationDatasets,
];

libfuzzer_sys::fuzz_target!(|input: (u8, &str)| {
    let (which, text) = input;
    match ALL.get(which as usize % (ALL.len() + 2)) {
        Some(searched) => drop(search::filter(*searched, text)),
        None if which % 2 == 0 => fuzzing::trace_filter(text),
        None => fuzzing::issue_filter(text),
    }
});
