//! Arbitrary bytes must never panic, and never cost more than their size allows.

use proptest::prelude::*;
use sealyard_formats::columnar::Table;
use sealyard_formats::decompress::{Codec, expand};
use sealyard_formats::image::Image;
use sealyard_formats::npy::Npy;
use sealyard_formats::pickle::{Limits, Opcode, Options, interpret};
use sealyard_formats::protobuf::Fields;
use sealyard_formats::skops::Skops;
use sealyard_formats::sniff::{Format, sniff};
use sealyard_formats::zip::{Archive, ZipLimits};

/// Bytes that are mostly opcodes, with short arguments, so that the machine gets far.
fn opcodes() -> impl Strategy<Value = Vec<u8>> {
    let all: Vec<u8> = (0..=255).filter(|byte| Opcode::of(*byte).is_some()).collect();
    let opcode = prop::sample::select(all);
    let argument = prop_oneof![
        8 => Just(Vec::new()),
        2 => prop::collection::vec(any::<u8>(), 1..9),
        1 => Just(b"os\nsystem\n".to_vec()),
        1 => Just(b"12\n".to_vec()),
        1 => Just(vec![1, 0, 0, 0, 0, 0, 0, 0]),
    ];
    prop::collection::vec((opcode, argument), 0..200)
        .prop_map(|steps| steps.into_iter().flat_map(|(opcode, argument)| [vec![opcode], argument].concat()).collect())
}

fn check(input: &[u8]) {
    let options = Options { limits: Limits { opcodes: 10_000, ..Limits::default() }, joblib: true };
    let pickle = interpret(input, &options);
    assert!(pickle.trailing <= input.len() as u64);
    // Everything that is kept is paid for by an opcode.
    assert!(pickle.graph.len() <= 4 * input.len() + 1);
    for stream in &pickle.streams {
        assert!(stream.start <= stream.end && stream.end <= input.len() as u64);
    }
    if let Some(value) = pickle.value() {
        assert!(pickle.graph.reachable(value).len() <= pickle.graph.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pickles(input in opcodes()) {
        check(&input);
    }

    #[test]
    fn bytes(input in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&input);
        let _ = sniff(&input);
        let _ = Npy::parse(&input);
        for format in [Format::Png, Format::Jpeg, Format::Gif, Format::Webp] {
            if let Ok(image) = Image::walk(&input, format) {
                prop_assert!(image.end <= input.len() as u64);
            }
        }
        let fields = Fields::of(&input).filter_map(Result::ok).count();
        prop_assert!(fields <= input.len());
        let length = (input.len() as u32).to_le_bytes();
        let _ = Table::parquet(&[b"PAR1", &input[..], &length, b"PAR1"].concat());
        let _ = Skops::parse(&input);
        let _ = Archive::open(&input, &ZipLimits::default());
        if let Some(codec) = Codec::of(&input) {
            prop_assert!(expand(codec, &input, 1 << 16).bytes.len() <= 1 << 16);
        }
    }

    #[test]
    fn compressed(head in prop::sample::select(vec![
        &b"\x78\x9c"[..], b"\x1f\x8b\x08\0", b"BZh9", b"\xfd7zXZ\0", b"\x5d\0\0\x80\0", b"\x04\x22\x4d\x18", b"ZF0x10",
    ]), tail in prop::collection::vec(any::<u8>(), 0..300)) {
        let input = [head, &tail].concat();
        if let Some(codec) = Codec::of(&input) {
            prop_assert!(expand(codec, &input, 1 << 16).bytes.len() <= 1 << 16);
        }
    }

    #[test]
    fn array_headers(header in "[\\[\\](){}'\":,<>|a-zA-Z0-9_ \\-]{0,200}") {
        let mut input = b"\x93NUMPY\x01\x00".to_vec();
        input.extend((header.len() as u16).to_le_bytes());
        input.extend(header.as_bytes());
        if let Ok(npy) = Npy::parse(&input) {
            let _ = npy.read(&input);
        }
    }

    #[test]
    fn archives(places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8)) {
        let mut input = include_bytes!("../fixtures/small.zip").to_vec();
        for (place, byte) in places {
            let place = place.index(input.len());
            input[place] = byte;
        }
        let _ = sniff(&input);
        if let Ok(archive) = Archive::open(&input, &ZipLimits::default()) {
            for member in archive.members() {
                if let Ok(content) = archive.read(member, 1 << 16) {
                    prop_assert!(content.bytes.len() <= 1 << 16);
                }
            }
        }
    }
}
