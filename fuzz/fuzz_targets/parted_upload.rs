//! Uploads in parts: a folder in a URI, a part in another, a capability in a header, a body. A file must be in its folder, and
//! parts that are not in order must not be put together.
#![no_main]

libfuzzer_sys::fuzz_target!(|lines: &str| {
    let mut lines = lines.splitn(4, '\n');
    let mut next = || lines.next().unwrap_or_default();
    let (folder, part, capability, body) = (next(), next(), next(), next());
    sealyard_app::fuzzing::capability(capability);
    if let Some(path) = sealyard_api::fuzzing::parted_upload(folder, part, body.as_bytes()) {
        assert!(path.split('/').all(|part| !part.is_empty() && part != "." && part != ".."), "{path:?}");
    }
});
