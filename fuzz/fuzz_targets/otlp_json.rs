//! OpenTelemetry's export in its JSON form, up to what is kept of its spans.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| sealyard_api::fuzzing::trace_export(bytes, true, None));
