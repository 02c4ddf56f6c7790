//! Sort orders of a search, one key in each line. The first byte says what is searched.
#![no_main]

use sealyard_app::Searched;

const ALL: [Searched; 5] =
    [Searched::Runs, Searched::Experiments, Searched::LoggedModels, Searched::RegisteredModels, Searched::ModelVersions];

libfuzzer_sys::fuzz_target!(|input: (u8, &str)| {
    let (which, text) = input;
    let _ = sealyard_app::order(ALL[which as usize % ALL.len()], text.lines());
});
