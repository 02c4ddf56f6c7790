use proptest::prelude::*;

use super::*;

/// Written by py7zr: a text of 280 bytes and a short one, in one folder.
const ARCHIVES: [(&str, &[u8]); 5] = [
    ("lzma2 and bcj", include_bytes!("../../tests/fixtures/lzma2.7z")),
    ("lzma", include_bytes!("../../tests/fixtures/lzma.7z")),
    ("bzip2", include_bytes!("../../tests/fixtures/bzip2.7z")),
    ("deflate", include_bytes!("../../tests/fixtures/deflate.7z")),
    ("copy", include_bytes!("../../tests/fixtures/copy.7z")),
];
const ENCRYPTED: &[u8] = include_bytes!("../../tests/fixtures/encrypted.7z");

#[test]
fn every_coder_gives_the_files() {
    for (name, bytes) in ARCHIVES {
        let source = bytes.to_vec();
        let archive = SevenZip::open(&source, &SevenZipLimits::default()).unwrap();
        let files: Vec<_> = archive.files().iter().map(|file| (file.name.as_str(), file.size, file.folder)).collect();
        assert_eq!(files, [("a.txt", 280, Some(0)), ("d/b.pkl", 2, Some(0)), ("d/empty", 0, Some(0))], "{name}");
        let mut content = Vec::new();
        archive.folder(0).unwrap().take(282).read_to_end(&mut content).unwrap();
        assert_eq!(content, [b"a model".repeat(40), b"N.".to_vec()].concat(), "{name}");
        let mut crc = flate2::Crc::new();
        crc.update(&content[..280]);
        assert_eq!(archive.files()[0].crc32, Some(crc.sum()), "{name}");
        assert_eq!(archive.tail(), 0);
    }
}

#[test]
fn encrypted_and_broken_ones_are_told() {
    let encrypted = ENCRYPTED.to_vec();
    let found = SevenZip::open(&encrypted, &SevenZipLimits::default()).unwrap();
    assert!(matches!(found.folder(0), Err(SevenZipError::Encrypted)));
    let source = ARCHIVES[0].1.to_vec();
    for length in 0..source.len() {
        let cut = source[..length].to_vec();
        assert!(SevenZip::open(&cut, &SevenZipLimits::default()).is_err(), "{length}");
    }
    let few = SevenZipLimits { items: 2, ..SevenZipLimits::default() };
    assert!(matches!(SevenZip::open(&source, &few), Err(SevenZipError::Bound(_))));
    let small = SevenZipLimits { directory: 20, ..SevenZipLimits::default() };
    assert!(matches!(SevenZip::open(&source, &small), Err(SevenZipError::Bound(_))));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(which in 0_usize..5, changes in prop::collection::vec((any::<usize>(), any::<u8>()), 1..6)) {
        let mut bytes = ARCHIVES[which].1.to_vec();
        for (place, byte) in changes {
            let place = place % bytes.len();
            bytes[place] = byte;
        }
        if let Ok(archive) = SevenZip::open(&bytes, &SevenZipLimits::default()) {
            for folder in 0..archive.folders().min(4) {
                if let Ok(reader) = archive.folder(folder) {
                    let _ = reader.take(1 << 16).read_to_end(&mut Vec::new());
                }
            }
        }
    }
}
