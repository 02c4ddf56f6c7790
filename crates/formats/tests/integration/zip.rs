use std::io::Write as _;

use sealyard_formats::decompress::ExpandEnd;
use sealyard_formats::zip::{Anomaly, Archive, Origin, ZipError, ZipLimits};

fn archive(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in members {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated);
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

#[test]
fn an_ordinary_archive_has_no_anomaly() {
    let bytes = archive(&[("a/data.pkl", b"N."), ("b", &[7; 10_000])]);
    let archive = Archive::open(&bytes, &ZipLimits::default()).unwrap();
    assert_eq!(archive.anomalies(), []);
    let member = archive.only("b").unwrap();
    assert_eq!(archive.read(member, 1 << 20).unwrap().intact().unwrap(), [7; 10_000]);
    assert_eq!(archive.read(member, 100).unwrap().end, ExpandEnd::Bound);
}

#[test]
fn prefix_tail_and_hidden_members_are_found() {
    let hidden = archive(&[("hidden.pkl", b"cos\nsystem\n.")]);
    let bytes = [&hidden[..], &archive(&[("a", b"1")]), b"tail"].concat();
    let archive = Archive::open(&bytes, &ZipLimits::default()).unwrap();
    assert!(archive.anomalies().contains(&Anomaly::Prefix(hidden.len() as u64)), "{archive:?}");
    assert!(archive.anomalies().contains(&Anomaly::Tail(4)));
    assert!(archive.anomalies().contains(&Anomaly::SeveralEnds));
    let found = archive.members().iter().find(|member| member.name == "hidden.pkl").unwrap();
    assert_eq!(found.origin, Origin::LocalOnly);
    assert_eq!(archive.read(found, 100).unwrap().bytes, b"cos\nsystem\n.");
}

#[test]
fn headers_that_disagree_are_reported() {
    let mut bytes = archive(&[("good.pkl", b"N."), ("other", b"2")]);
    bytes[30] = b'f';
    let anomalies = Archive::open(&bytes, &ZipLimits::default()).unwrap().anomalies().to_vec();
    assert!(matches!(&anomalies[..], [Anomaly::NameMismatch { local, .. }] if local == "food.pkl"), "{anomalies:?}");
    bytes[30] = b'g';
    bytes[8] = 99;
    let opened = Archive::open(&bytes, &ZipLimits::default()).unwrap();
    assert!(opened.anomalies().contains(&Anomaly::MethodMismatch("good.pkl".to_owned())));
}

#[test]
fn a_wrong_crc_is_not_intact() {
    let mut bytes = archive(&[("a", b"hello hello hello")]);
    let place = bytes.windows(4).rposition(|at| at == b"PK\x01\x02").unwrap();
    bytes[place + 16] ^= 1;
    let archive = Archive::open(&bytes, &ZipLimits::default()).unwrap();
    let content = archive.read(&archive.members()[0], 100).unwrap();
    assert!(!content.matches);
    assert!(content.intact().is_none());
}

#[test]
fn names_that_step_out_and_doubles_are_reported() {
    let mut bytes = archive(&[("../evil", b"1"), ("a", b"1"), ("b", b"2")]);
    for place in 0..bytes.len() - 46 {
        let name = match &bytes[place..place + 4] {
            b"PK\x01\x02" => place + 46,
            b"PK\x03\x04" => place + 30,
            _ => continue,
        };
        if bytes[name] == b'b' {
            bytes[name] = b'a';
        }
    }
    let archive = Archive::open(&bytes, &ZipLimits::default()).unwrap();
    assert!(archive.anomalies().contains(&Anomaly::UnsafeName("../evil".to_owned())));
    assert!(archive.anomalies().contains(&Anomaly::DuplicateName("a".to_owned())));
    assert!(archive.only("a").is_none());
}

#[test]
fn bounds_hold() {
    let bytes = archive(&[("a", b"1"), ("b", b"1"), ("c", b"1")]);
    let limits = ZipLimits { members: 2, ..ZipLimits::default() };
    assert!(matches!(Archive::open(&bytes, &limits), Err(ZipError::Bound(_))));
    let long = archive(&[(&"n".repeat(1000), b"1"), (&"m".repeat(1000), b"1")]);
    let limits = ZipLimits { headers: 1500, ..ZipLimits::default() };
    assert!(matches!(Archive::open(&long, &limits), Err(ZipError::Bound(_))));
    assert!(matches!(Archive::open(&b"PK".to_vec(), &limits), Err(ZipError::NoEnd)));
}

#[test]
fn every_method_of_the_usual_readers_is_read() {
    // The first two are written by Python: "a model" twenty times.
    for bytes in [
        &include_bytes!("../fixtures/bzip2.zip")[..],
        include_bytes!("../fixtures/lzma.zip"),
        include_bytes!("../fixtures/zstd.zip"),
    ] {
        let bytes = bytes.to_vec();
        let archive = Archive::open(&bytes, &ZipLimits::default()).unwrap();
        assert_eq!(archive.anomalies(), []);
        let content = archive.read(&archive.members()[0], 1000).unwrap();
        assert_eq!(content.intact().unwrap(), b"a model".repeat(20));
        assert!(archive.stored(&archive.members()[0]).is_none());
    }
}

#[test]
fn a_flag_that_lies_hides_nothing() {
    let mut bytes = archive(&[("a", b"hello hello hello")]);
    for place in 0..bytes.len() - 4 {
        match &bytes[place..place + 4] {
            b"PK\x01\x02" => bytes[place + 8] |= 1,
            b"PK\x03\x04" => bytes[place + 6] |= 1,
            _ => {}
        }
    }
    let archive = Archive::open(&bytes, &ZipLimits::default()).unwrap();
    let member = &archive.members()[0];
    assert!(matches!(archive.read(member, 100), Err(ZipError::Encrypted(_))));
    assert_eq!(archive.read_unmasked(member, 100).unwrap().intact().unwrap(), b"hello hello hello");
}
