//! Archives and compressed files: what is in them is found wherever it lies, and bombs end.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "these are helpers of tests, which are to panic"
)]

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::{GzEncoder, ZlibEncoder};
use sealyard_core::{ReadAt, Verdict};
use sealyard_scan::{FactKind, SubjectReport};
use sealyard_scan_model::Scanner;

const ATTACK: &[u8] = b"\x80\x04cos\nsystem\n\x8c\x02id\x85R.";
const PLAIN: &[u8] = b"\x80\x04K\x01.";

fn scan(name: &str, bytes: &[u8]) -> SubjectReport {
    Scanner::new().scan_file(name, &bytes.to_vec())
}

fn verdict(bytes: &[u8]) -> Verdict {
    scan("file", bytes).verdict
}

fn rules(bytes: &[u8]) -> Vec<String> {
    let mut rules: Vec<_> = scan("file", bytes).findings.into_iter().map(|finding| finding.rule).collect();
    rules.sort();
    rules.dedup();
    rules
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zip(members: &[(&str, &[u8])], method: zip::CompressionMethod) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        archive.start_file(*name, zip::write::SimpleFileOptions::default().compression_method(method)).unwrap();
        archive.write_all(content).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (name, content) in members {
        let mut block = vec![0; 512];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..135].copy_from_slice(format!("{:011o}", content.len()).as_bytes());
        block[156] = b'0';
        block[257..265].copy_from_slice(b"ustar\x0000");
        block[148..156].copy_from_slice(b"        ");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        bytes.extend(block);
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.extend([0; 1024]);
    bytes
}

#[test]
fn what_is_in_archives_in_archives_is_found() {
    let inner = zip(&[("a.txt", b"text"), ("model.pkl", ATTACK)], zip::CompressionMethod::Deflated);
    for bytes in [
        tar(&[("model.pkl", ATTACK)]),
        tar(&[("x.zip", &inner)]),
        gzip(&tar(&[("x.zip", &inner)])),
        zlib(&gzip(ATTACK)),
    ] {
        assert_eq!(verdict(&bytes), Verdict::Unsafe);
    }
    let plain = zip(&[("a.txt", b"text"), ("model.pkl", PLAIN)], zip::CompressionMethod::Stored);
    for bytes in
        [tar(&[("model.pkl", PLAIN)]), tar(&[("x.zip", &plain)]), gzip(&tar(&[("x.zip", &plain)])), zlib(&gzip(PLAIN))]
    {
        let report = scan("file", &bytes);
        assert_eq!(report.verdict, Verdict::Safe, "{report:?}");
    }
}

#[test]
fn what_follows_a_compressed_stream_is_looked_at() {
    for stream in [zlib(PLAIN), gzip(PLAIN)] {
        assert_eq!(verdict(&stream), Verdict::Safe);
        for more in [ATTACK.to_vec(), zip(&[("x.pkl", ATTACK)], zip::CompressionMethod::Stored)] {
            let report = scan("file.joblib", &[&stream[..], &more].concat());
            assert_eq!(report.verdict, Verdict::Unsafe, "{report:?}");
        }
        let more = [&stream[..], b"only text\n"].concat();
        assert_eq!((verdict(&more), rules(&more)), (Verdict::Suspicious, vec!["archive-trailing-data".to_owned()]));
    }
    // What its readers take for one stream is one.
    let (head, tail) = ATTACK.split_at(8);
    assert_eq!(verdict(&[zlib(head), zlib(tail)].concat()), Verdict::Unsafe);
    // The sum is wrong, but what comes before it has been given out.
    let mut wrong = zlib(ATTACK);
    *wrong.last_mut().unwrap() ^= 1;
    assert_eq!(verdict(&wrong), Verdict::Unsafe);
}

#[test]
fn a_member_that_says_it_is_encrypted_is_looked_at_or_told() {
    let mut bytes = zip(&[("model.pkl", ATTACK)], zip::CompressionMethod::Stored);
    for place in 0..bytes.len() - 4 {
        match &bytes[place..place + 4] {
            b"PK\x01\x02" => bytes[place + 8] |= 1,
            b"PK\x03\x04" => bytes[place + 6] |= 1,
            _ => {}
        }
    }
    assert_eq!(verdict(&bytes), Verdict::Unsafe);
    // Where the bytes are others, the flag is true.
    let place = bytes.windows(3).position(|at| at == b"cos").unwrap();
    bytes[place] ^= 0xff;
    assert!(rules(&bytes).contains(&"archive-encrypted".to_owned()));
    assert!(verdict(&bytes) >= Verdict::Suspicious);
}

#[test]
fn a_link_in_a_zip_that_leads_out_is_found() {
    for (target, expected) in
        [("/etc/passwd", Verdict::Unsafe), ("../../x", Verdict::Unsafe), ("other.txt", Verdict::Safe)]
    {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        archive.add_symlink("sub/link", target, zip::write::SimpleFileOptions::default()).unwrap();
        let bytes = archive.finish().unwrap().into_inner();
        assert_eq!(verdict(&bytes), expected, "{target}");
    }
}

/// Something of which almost all is zeros that nobody has written.
struct Sparse {
    parts: Vec<(u64, Vec<u8>)>,
    size: u64,
    read: std::sync::atomic::AtomicU64,
}

impl ReadAt for Sparse {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = &mut buffer[..count];
        buffer.fill(0);
        for (start, bytes) in &self.parts {
            for (place, byte) in buffer.iter_mut().enumerate() {
                if let Some(value) = (offset + place as u64).checked_sub(*start).and_then(|at| bytes.get(at as usize)) {
                    *byte = *value;
                }
            }
        }
        self.read.fetch_add(count as u64, std::sync::atomic::Ordering::Relaxed);
        Ok(count)
    }
}

/// A zip64 archive of `data.pkl` and one storage of `size` bytes.
fn checkpoint(size: u64) -> Sparse {
    let pickle = b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\x000X\x03\0\0\0cpuK\x01tQK\0K\x01\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR.";
    let mut crc = flate2::Crc::new();
    crc.update(pickle);
    let local = |name: &[u8], crc: u32, size: u64| {
        let mut header = b"PK\x03\x04\x2d\0\0\0\0\0\0\0\0\0".to_vec();
        header.extend(crc.to_le_bytes());
        header.extend([0xff; 8]);
        header.extend((name.len() as u16).to_le_bytes());
        header.extend(20_u16.to_le_bytes());
        header.extend(name);
        header.extend(b"\x01\0\x10\0");
        header.extend(size.to_le_bytes());
        header.extend(size.to_le_bytes());
        header
    };
    let central = |name: &[u8], crc: u32, size: u64, offset: u64| {
        let mut entry = b"PK\x01\x02\x2d\x03\x2d\0\0\0\0\0\0\0\0\0".to_vec();
        entry.extend(crc.to_le_bytes());
        entry.extend([0xff; 8]);
        entry.extend((name.len() as u16).to_le_bytes());
        entry.extend(28_u16.to_le_bytes());
        entry.extend([0; 10]);
        entry.extend([0xff; 4]);
        entry.extend(name);
        entry.extend(b"\x01\0\x18\0");
        entry.extend(size.to_le_bytes());
        entry.extend(size.to_le_bytes());
        entry.extend(offset.to_le_bytes());
        entry
    };
    let mut start = local(b"m/data.pkl", crc.sum(), pickle.len() as u64);
    start.extend(pickle);
    let second = start.len() as u64;
    start.extend(local(b"m/data/0", 0, size));
    let directory = start.len() as u64 + size;
    let mut end = central(b"m/data.pkl", crc.sum(), pickle.len() as u64, 0);
    end.extend(central(b"m/data/0", 0, size, second));
    let length = end.len() as u64;
    let end64 = directory + length;
    end.extend(b"PK\x06\x06\x2c\0\0\0\0\0\0\0\x2d\x03\x2d\0\0\0\0\0\0\0\0\0");
    for number in [2, 2, length, directory] {
        end.extend(number.to_le_bytes());
    }
    end.extend(b"PK\x06\x07\0\0\0\0");
    end.extend(end64.to_le_bytes());
    end.extend(b"\x01\0\0\0PK\x05\x06\0\0\0\0");
    end.extend([0xff; 12]);
    end.extend([0; 2]);
    let size = directory + end.len() as u64;
    Sparse { parts: vec![(0, start), (directory, end)], size, read: 0.into() }
}

#[test]
fn a_checkpoint_of_any_size_costs_what_its_pickle_costs() {
    let read: Vec<u64> = [1 << 30, 100 << 30]
        .into_iter()
        .map(|size| {
            let data = checkpoint(size);
            let report = Scanner::new().scan_file("m.pt", &data);
            assert_eq!((report.verdict, report.kind.as_str()), (Verdict::Safe, "torch"), "{report:?}");
            data.read.into_inner()
        })
        .collect();
    assert!(read[0] < 1 << 20 && read[1] < read[0] + (1 << 16), "{read:?}");
}

#[test]
fn a_storage_that_is_a_pickle_is_no_storage() {
    let data = b"\x80\x02N.";
    let numbers = [0x80, 0x02, 0x3f, 0x80, 0x02, 0x40, 0x80, 0x3f].repeat(64);
    let numbers = zip(&[("m/data.pkl", data), ("m/data/0", &numbers)], zip::CompressionMethod::Stored);
    assert_eq!(verdict(&numbers), Verdict::Safe);
    let pickle = zip(&[("m/data.pkl", data), ("m/data/0", ATTACK)], zip::CompressionMethod::Stored);
    assert_eq!(verdict(&pickle), Verdict::Unsafe);
}

#[test]
fn large_arrays_of_numbers_are_not_expanded() {
    let header = b"\x93NUMPY\x01\0\x46\0{'descr': '<f8', 'fortran_order': False, 'shape': (9437184,), }      \n";
    let mut array = header.to_vec();
    array.resize(header.len() + (72 << 20), 0);
    let bytes = zip(&[("a.npy", &array)], zip::CompressionMethod::Deflated);
    let report = scan("a.npz", &bytes);
    assert_eq!((report.verdict, report.kind.as_str()), (Verdict::Safe, "npz"), "{report:?}");
}

#[test]
fn bombs_end_within_the_budget() {
    // 600 MB of zeros, packed and packed again: over the budget on expansion when it is there four times.
    let zeros = gzip(&vec![0; 600 << 20]);
    let bomb = zip(&[("a", &zeros), ("b", &zeros), ("c", &zeros), ("d", &zeros)], zip::CompressionMethod::Deflated);
    assert_eq!(verdict(&bomb), Verdict::NotAssessed);
    // More members than are looked at, in archives that may be empty otherwise.
    let many = [&tar(&[("x", b"")])[..512].repeat(100_001), &[0; 1024][..]].concat();
    let report = scan("many.tar", &many);
    assert!(
        report.not_assessed.iter().any(|missed| missed.reason.contains("number of members")),
        "{:?}",
        report.not_assessed
    );
    let mut nested = tar(&[("a.txt", b"text")]);
    for _ in 0..12 {
        nested = gzip(&tar(&[("x.tar.gz", &nested)]));
    }
    assert_eq!(verdict(&nested), Verdict::NotAssessed);
    assert_eq!(verdict(&zlib(b"").repeat(200_000)), Verdict::NotAssessed);
}

#[test]
fn archives_tell_what_they_hold() {
    let report = scan(
        "model.nemo",
        &tar(&[("model_config.yaml", b"target: nemo.collections.asr.models.X\nnemo_version: 2.0.0\n")]),
    );
    assert_eq!((report.verdict, report.kind.as_str()), (Verdict::Safe, "nemo"), "{report:?}");
    let facts: Vec<_> = report.facts.iter().map(|fact| (fact.kind, fact.name.as_str())).collect();
    assert!(facts.contains(&(FactKind::Framework, "nemo")), "{facts:?}");
    assert!(facts.contains(&(FactKind::Architecture, "nemo.collections.asr.models.X")), "{facts:?}");
}

#[test]
fn code_for_a_server_that_reaches_out_is_unsafe() {
    let manifest = br#"{"model": {"modelName": "m", "handler": "handler.py"}}"#;
    let mar = |code: &[u8]| {
        zip(&[("MAR-INF/MANIFEST.json", manifest), ("handler.py", code)], zip::CompressionMethod::Deflated)
    };
    assert_eq!(verdict(&mar(b"import os\n\nos.system('id')\n")), Verdict::Unsafe);
    assert_eq!(verdict(&mar(b"import something\n")), Verdict::Suspicious);
    assert_eq!(verdict(&mar(b"import torch\n\n\ndef handle(data, context):\n    return data\n")), Verdict::Safe);
}

#[test]
fn no_change_of_an_archive_makes_it_panic() {
    let seeds = [
        tar(&[("a.pkl", PLAIN), ("model_config.yaml", b"target: a.b\n")]),
        include_bytes!("../../../formats/tests/fixtures/lzma2.7z").to_vec(),
        include_bytes!("../../../../corpus/benign/torchscript-2.15.0/script.pt").to_vec(),
        include_bytes!("../../../../corpus/benign/torch-0.1-by-hand/tar.pt").to_vec(),
        include_bytes!("../../../../corpus/mar-code/ok/model.mar").to_vec(),
        gzip(&tar(&[("a.pkl", PLAIN)])),
    ];
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for round in 0..1500 {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=random(6) {
            let place = random(bytes.len());
            bytes[place] = u8::try_from(random(256)).unwrap();
        }
        bytes.truncate(1 + random(bytes.len() * 4));
        let report = scan("file", &bytes);
        assert!(report.verdict != Verdict::Safe || report.not_assessed.is_empty());
    }
}

#[test]
fn a_program_of_any_length_ends() {
    let code = b"torch.relu(x)\n".repeat(3 << 20);
    let bytes = zip(
        &[("m/data.pkl", b"\x80\x02N."), ("m/constants.pkl", b"\x80\x02)."), ("m/code/__torch__.py", &code)],
        zip::CompressionMethod::Deflated,
    );
    assert_eq!(verdict(&bytes), Verdict::NotAssessed);
}
