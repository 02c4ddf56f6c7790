use proptest::prelude::*;

use super::*;

/// A file as the documentation describes it.
#[derive(Clone)]
struct Maker {
    version: u32,
    entries: Vec<(String, u32, Vec<u8>)>,
    tensors: Vec<(String, Vec<u64>, u32, u64)>,
    body: usize,
}

impl Maker {
    fn good() -> Self {
        let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
        let list = [&8_u32.to_le_bytes()[..], &2_u64.to_le_bytes(), &text("a"), &text("b")].concat();
        Self {
            version: 3,
            entries: vec![
                ("general.architecture".into(), 8, text("llama")),
                ("tokenizer.chat_template".into(), 8, text("{{ messages }}")),
                ("tokenizer.ggml.tokens".into(), 9, list),
                ("llama.block_count".into(), 4, 2_u32.to_le_bytes().into()),
            ],
            tensors: vec![("a".into(), vec![8], 0, 0), ("b".into(), vec![32, 2], 8, 32)],
            body: 32 + 68,
        }
    }

    fn make(&self) -> Vec<u8> {
        let mut out = b"GGUF".to_vec();
        out.extend(self.version.to_le_bytes());
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.entries.len() as u64).to_le_bytes());
        let name = |out: &mut Vec<u8>, name: &str| {
            out.extend((name.len() as u64).to_le_bytes());
            out.extend(name.as_bytes());
        };
        for (key, kind, value) in &self.entries {
            name(&mut out, key);
            out.extend(kind.to_le_bytes());
            out.extend(value);
        }
        for (key, shape, kind, offset) in &self.tensors {
            name(&mut out, key);
            out.extend(u32::try_from(shape.len()).unwrap().to_le_bytes());
            shape.iter().for_each(|size| out.extend(size.to_le_bytes()));
            out.extend(kind.to_le_bytes());
            out.extend(offset.to_le_bytes());
        }
        out.resize(out.len().next_multiple_of(32) + self.body, 0);
        out
    }
}

#[test]
fn a_good_file_is_read_without_flaws() {
    let gguf = Gguf::read(&Maker::good().make()).unwrap();
    assert_eq!((gguf.version, &gguf.flaws), (3, &vec![]));
    assert_eq!(gguf.get("llama.block_count"), Some(&Value::Integer(2)));
    assert_eq!(
        gguf.templates().map(|(key, _, text)| (key, text)).collect::<Vec<_>>(),
        [("tokenizer.chat_template", "{{ messages }}")]
    );
    assert_eq!(gguf.tensors[1].bytes(), Some(68));
}

#[test]
fn flaws_of_the_tensors_are_told() {
    let check = |change: fn(&mut Maker), word: &str| {
        let mut maker = Maker::good();
        change(&mut maker);
        let gguf = Gguf::read(&maker.make()).unwrap();
        assert!(gguf.flaws.iter().any(|(_, what)| what.contains(word)), "{word}: {:?}", gguf.flaws);
    };
    check(|maker| maker.tensors[1].3 = 0, "overlap");
    check(|maker| maker.tensors[1].0 = "a".into(), "two tensors");
    check(|maker| maker.tensors[1].3 = 16, "no multiple");
    check(|maker| maker.body -= 1, "past the end");
    check(|maker| maker.tensors[1].3 = u64::MAX - 31, "past the end");
    check(|maker| maker.tensors[0].1 = vec![u64::MAX, 2], "more than can be counted");
    check(|maker| maker.entries.push(maker.entries[0].clone()), "occurs twice");
    check(|maker| maker.entries.push(("general.alignment".into(), 4, vec![0; 4])), "alignment");
}

#[test]
fn lies_about_lengths_allocate_nothing() {
    let good = Maker::good().make();
    for place in [8, 16, 24] {
        let mut bytes = good.clone();
        bytes[place..place + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(matches!(Gguf::read(&bytes), Err(GgufError::Lie(..))), "{place}");
    }
    let mut maker = Maker::good();
    maker.entries[2].2[4..12].copy_from_slice(&(1_u64 << 60).to_le_bytes());
    assert!(matches!(Gguf::read(&maker.make()), Err(GgufError::Lie(..))));
    maker.version = 9;
    assert!(matches!(Gguf::read(&maker.make()), Err(GgufError::Version(9))));
}

#[test]
fn the_first_version_and_the_other_byte_order_are_read() {
    let mut one = b"GGUF\x01\0\0\0\0\0\0\0\x01\0\0\0".to_vec();
    one.extend(b"\x01\0\0\0a\x08\0\0\0\x02\0\0\0hi");
    let gguf = Gguf::read(&one).unwrap();
    assert_eq!((gguf.version, gguf.get("a")), (1, Some(&Value::Text("hi".into()))));
    let mut big = b"GGUF\0\0\0\x03".to_vec();
    big.extend(0_u64.to_be_bytes());
    big.extend(1_u64.to_be_bytes());
    big.extend(1_u64.to_be_bytes());
    big.extend(b"a\0\0\0\x04\0\0\0\x07");
    let gguf = Gguf::read(&big).unwrap();
    assert_eq!((gguf.is_big_endian, gguf.get("a")), (true, Some(&Value::Integer(7))));
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(place in 0_usize..400, byte: u8, cut in 0_usize..500) {
        let mut bytes = Maker::good().make();
        if let Some(at) = bytes.get_mut(place) {
            *at = byte;
        }
        bytes.truncate(cut);
        let _ = Gguf::read(&bytes);
    }
}
