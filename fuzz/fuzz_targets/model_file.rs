//! A file as the scanner gets it, whatever it says it is: the first byte chooses a name.
#![no_main]

const NAMES: [&str; 14] = [
    "model.pkl",
    "model.joblib",
    "model.skops",
    "model.npy",
    "model.npz",
    "model.zip",
    "MLmodel",
    "x",
    "model.safetensors",
    "chat_template.jinja",
    "modeling.py",
    "requirements.txt",
    "convert.sh",
    "x.pth",
];

libfuzzer_sys::fuzz_target!(|input: (u8, &[u8])| {
    let (which, bytes) = input;
    let _ = sealyard_scan_model::Scanner::new().scan_file(NAMES[which as usize % NAMES.len()], &bytes.to_vec());
});
