//! A request's body: JSON of any shape into the typed request of log-batch.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sealyard_api::fuzzing::json_input(bytes));
