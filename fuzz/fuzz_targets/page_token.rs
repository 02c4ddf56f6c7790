//! Page tokens of every kind: the bytes as what a client sent, and as what is inside of a token. What is read must be written
//! as it was.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sealyard_app::fuzzing::page_token(bytes));
