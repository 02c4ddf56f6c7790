//! Sort orders of a search, one key in each line. The first byte says what is searched.
#![no_main]

use sealyard_app::fuzzing;
use sealyard_app::search::{self, LoggedModelOrder, Searched};

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
        Some(searched) => drop(search::order(*searched, text.lines())),
        None if which % 2 == 0 => fuzzing::trace_order(&text.lines().map(str::to_owned).collect::<Vec<_>>()),
        None => {
            let key = |field: &str| LoggedModelOrder { field: field.to_owned(), ..LoggedModelOrder::default() };
            let _ = search::logged_models("", Vec::new(), &text.lines().map(key).collect::<Vec<_>>());
        }
    }
});
