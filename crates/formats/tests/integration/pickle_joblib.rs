use sealyard_formats::pickle::{Act, Bound, Fault, Limits, Node, Options, Stop, interpret};

/// A joblib wrapper of an array, as joblib 1.5 writes it, with the given dtype text, flags, shape and what follows.
fn wrapper(dtype: &str, flags: u8, shape: &[u8], after: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x80\x02cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(".to_vec();
    let text = |bytes: &mut Vec<u8>, text: &str| {
        bytes.push(b'X');
        bytes.extend((text.len() as u32).to_le_bytes());
        bytes.extend(text.as_bytes());
    };
    text(&mut bytes, "shape");
    bytes.extend(shape);
    text(&mut bytes, "order");
    text(&mut bytes, "C");
    text(&mut bytes, "dtype");
    bytes.extend(b"cnumpy\ndtype\n");
    text(&mut bytes, dtype);
    bytes.extend(b"\x89\x88\x87R(K\x03");
    text(&mut bytes, "<");
    bytes.extend(b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK");
    bytes.push(flags);
    bytes.extend(b"tb");
    text(&mut bytes, "numpy_array_alignment_bytes");
    bytes.extend(b"K\x10ub");
    bytes.extend(after);
    bytes
}

#[test]
fn raw_bytes_are_skipped_and_what_follows_is_run() {
    // The raw bytes would be opcodes to `pickle.load`; a payload follows them.
    let mut after = b"\x03\xff\xff\xff".to_vec();
    after.extend([b'.'; 16]);
    after.extend(b"0cos\nsystem\n(S'id'\ntR.");
    let bytes = wrapper("f8", 0, b"I2\n\x85", &after);
    let options = Options::default();
    let pickle = interpret(&bytes, &options);
    assert!(matches!(pickle.graph.get(pickle.value().unwrap()), Node::Call { .. }));
    assert!(pickle.is_clean(bytes.len() as u64));
    let array = pickle.events.iter().find_map(|event| match event.act {
        Act::ArrayRead(id) => Some(id),
        _ => None,
    });
    let Node::Array(array) = pickle.graph.get(array.unwrap()) else { panic!("no array") };
    assert_eq!((array.dtype.as_str(), array.len, array.shape.as_slice()), (Some("<f8"), 16, &[2][..]));
    assert_eq!(array.data, [b'.'; 16]);
    let plain = Options { joblib: false, ..Options::default() };
    assert!(interpret(&bytes, &plain).trailing < bytes.len() as u64);
}

#[test]
fn arrays_of_objects_are_pickles() {
    let bytes = wrapper("O8", 63, b"I1\n\x85", b"cos\nsystem\n(S'id'\ntR.K\x05\x86.");
    let options = Options::default();
    let pickle = interpret(&bytes, &options);
    assert!(pickle.value().is_some(), "{:?}", pickle.streams);
    assert_eq!(pickle.events.iter().filter(|event| matches!(event.act, Act::Called(_))).count(), 3);
}

#[test]
fn lying_wrappers_are_refused() {
    for (dtype, flags, shape) in [
        ("f8", 0, &b"I4611686018427387904\nI8\n\x86"[..]),
        ("f8", 0, b"I100\n\x85"),
        ("f8", 63, b"I1\n\x85"),
        ("O8", 0, b"I1\n\x85"),
        ("f8", 0, b"I-1\n\x85"),
        ("q99", 0, b"I1\n\x85"),
        ("f8", 0, b"N"),
    ] {
        let bytes = wrapper(dtype, flags, shape, &[0; 64]);
        let options = Options::default();
        let pickle = interpret(&bytes, &options);
        let stop = &pickle.streams[0].stop;
        assert!(matches!(stop, Stop::Fault { fault: Fault::BadArray, .. }), "{dtype} {shape:?}: {stop:?}");
    }
}

#[test]
fn nesting_is_bounded() {
    let bytes = wrapper("O8", 63, b"I1\n\x85", b"N..");
    let options = Options { limits: Limits { nested: 0, ..Limits::default() }, joblib: true };
    let pickle = interpret(&bytes, &options);
    assert!(matches!(pickle.streams[0].stop, Stop::Bound { bound: Bound::Nested, .. }));
}

#[test]
fn elements_are_read_by_a_plain_unpickler() {
    // joblib reads the elements with an unpickler that knows no wrappers: what follows the inner one is run.
    let hidden = b"0cos\nsystem\n(S'id'\ntR.";
    let inner = wrapper("f8", 0, b"I1\n\x85", hidden);
    let bytes = wrapper("O8", 63, b"I1\n\x85", &[&inner[..], b"."].concat());
    let options = Options::default();
    let pickle = interpret(&bytes, &options);
    let imported = |module: &str| {
        pickle.events.iter().any(|event| match event.act {
            Act::Imported(id) => {
                pickle.graph.global(id).and_then(|global| global.resolved()).is_some_and(|name| name.0 == module)
            }
            _ => false,
        })
    };
    assert!(imported("os"));
    assert_eq!(pickle.events.iter().filter(|event| matches!(event.act, Act::ArrayRead(_))).count(), 1);
}

#[test]
fn an_array_within_a_frame_is_refused() {
    // joblib would take the raw bytes from behind the frame, and then run the rest of the frame.
    let inner = wrapper("f8", 0, b"I1\n\x85", &[0; 32]);
    let inner = &inner[2..];
    let frame = |len: usize| [b"\x80\x04\x95", &(len as u64).to_le_bytes()[..], inner].concat();
    let options = Options::default();
    let stop = |bytes: &[u8]| interpret(bytes, &options).streams[0].stop.clone();
    let bytes = frame(inner.len());
    assert!(matches!(stop(&bytes), Stop::Fault { fault: Fault::BadArray, .. }));
    let bytes = frame(inner.len() - 32);
    assert!(!matches!(stop(&bytes), Stop::Fault { fault: Fault::BadArray, .. }));
    assert_eq!(interpret(&bytes, &options).notes, []);
}
