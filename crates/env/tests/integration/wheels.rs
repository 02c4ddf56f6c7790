use std::io::{Cursor, Write as _};

use base64::Engine as _;
use sealyard_core::Digest;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// How honest a wheel's RECORD is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Record {
    True,
    WrongDigest,
    Incomplete,
    Absent,
}

/// A wheel of `name` 1.0 with `files`.
pub(crate) fn wheel(name: &str, files: &[(&str, &str)], record: Record) -> Vec<u8> {
    let information = format!("{name}-1.0.dist-info");
    let metadata = format!("Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n");
    let mut all: Vec<(String, String)> =
        files.iter().map(|(path, content)| ((*path).to_owned(), (*content).to_owned())).collect();
    all.push((format!("{information}/METADATA"), metadata));
    all.push((
        format!("{information}/WHEEL"),
        "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned(),
    ));
    let mut lines = String::new();
    for (index, (path, content)) in all.iter().enumerate() {
        if index == 0 && record == Record::Incomplete {
            continue;
        }
        let wrong = index == 0 && record == Record::WrongDigest;
        let digest = Digest::of(if wrong { b"other" } else { content.as_bytes() });
        let encoded = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(digest.as_bytes());
        lines.push_str(&format!("{path},sha256={encoded},{}\n", content.len()));
    }
    lines.push_str(&format!("{information}/RECORD,,\n"));
    if record != Record::Absent {
        all.push((format!("{information}/RECORD"), lines));
    }
    zipped(&all)
}

/// A zip file of `all`.
pub(crate) fn zipped(all: &[(String, String)]) -> Vec<u8> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    for (path, content) in all {
        writer.start_file(path.as_str(), SimpleFileOptions::default()).unwrap();
        writer.write_all(content.as_bytes()).unwrap();
    }
    writer.finish().unwrap().into_inner()
}
