//! A query of MLflow's pages, up to the operation that would be answered.
#![no_main]

libfuzzer_sys::fuzz_target!(|query: &str| sealyard_api::fuzzing::graphql(query));
