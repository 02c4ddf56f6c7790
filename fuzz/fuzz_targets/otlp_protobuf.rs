//! OpenTelemetry's export in protobuf, up to what is kept of its spans. The first byte says how it is compressed.
#![no_main]

use sealyard_formats::decompress::Codec;

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| {
    let codec = [None, Some(Codec::Gzip), Some(Codec::Zlib)][input.0 as usize % 3];
    sealyard_api::fuzzing::trace_export(input.1, false, codec);
});
