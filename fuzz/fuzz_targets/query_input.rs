//! Query parameters into a typed request.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| sealyard_api::fuzzing::query_input(text));
