//! Page tokens, which clients only hand back, and attackers make.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = sealyard_app::PageToken::parse(Some(text));
});
