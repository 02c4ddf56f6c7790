//! A path of the artifact proxy, as it was sent. What is let through must be a plain relative path, however often it is decoded.
#![no_main]

libfuzzer_sys::fuzz_target!(|raw: &str| {
    if let Some(path) = sealyard_api::fuzzing::artifact_path(raw) {
        assert!(!path.starts_with('/') && !path.contains('\\') && !path.contains('\0'), "{path:?}");
        assert!(path.split('/').all(|part| !part.is_empty() && part != "." && part != ".."), "{path:?}");
    }
});
