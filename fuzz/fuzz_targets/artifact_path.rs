//! A path of the artifact proxy, as it was sent. What is let through must be a plain relative path, however often it is decoded.
#![no_main]

use percent_encoding::percent_decode_str;

libfuzzer_sys::fuzz_target!(|raw: &str| {
    let Some(mut path) = sealyard_api::fuzzing::artifact_path(raw) else { return };
    let shape = |path: &str| path.bytes().filter(|byte| b"/\\.".contains(byte)).count();
    let first = shape(&path);
    // Each round takes away at least two bytes.
    loop {
        assert!(
            !path.starts_with('/') && !path.contains('\\') && !path.chars().any(char::is_control),
            "{raw:?}: {path:?}"
        );
        assert!(path.split('/').all(|part| !part.is_empty() && part != "." && part != ".."), "{raw:?}: {path:?}");
        assert_eq!(shape(&path), first, "{raw:?}: {path:?}");
        let again = percent_decode_str(&path).decode_utf8_lossy().into_owned();
        if again == path {
            return;
        }
        path = again;
    }
});
