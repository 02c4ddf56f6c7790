//! MLflow's search language. The first byte says what is searched.
#![no_main]

use sealyard_app::Searched;

const ALL: [Searched; 5] =
    [Searched::Runs, Searched::Experiments, Searched::LoggedModels, Searched::RegisteredModels, Searched::ModelVersions];

libfuzzer_sys::fuzz_target!(|input: (u8, &str)| {
    let (which, text) = input;
    let searched = ALL[which as usize % ALL.len()];
    let _ = sealyard_app::filter(searched, text);
});
