use sealyard_formats::pickle::{
    Act, Bound, CallKind, Fault, Limits, Name, Node, NoteKind, Options, Pickle, Stop, interpret,
};

fn run(input: &[u8]) -> Pickle<'_> {
    static OPTIONS: std::sync::LazyLock<Options> = std::sync::LazyLock::new(Options::default);
    interpret(input, &OPTIONS)
}

fn fault(input: &[u8]) -> Option<Fault> {
    match run(input).streams.last()?.stop {
        Stop::Fault { fault, .. } => Some(fault),
        _ => None,
    }
}

fn value(input: &[u8]) -> Node<'_> {
    let pickle = run(input);
    pickle.graph.get(pickle.value().expect("a whole stream")).clone()
}

/// `module.name` of everything imported, with where.
fn imports(pickle: &Pickle<'_>) -> Vec<(u64, String)> {
    let imported = |act: &Act| if let Act::Imported(id) = act { Some(*id) } else { None };
    pickle
        .events
        .iter()
        .filter_map(|event| {
            let global = pickle.graph.global(imported(&event.act)?)?;
            let (module, name) = global.resolved().unwrap_or(("?", "?"));
            Some((event.offset, format!("{module}.{name}")))
        })
        .collect()
}

#[test]
fn a_call_is_seen_with_its_arguments_and_place() {
    let pickle = run(b"cposix\nsystem\n(S'id'\ntR.");
    assert_eq!(imports(&pickle), [(0, "posix.system".to_owned())]);
    let Act::Called(call) = pickle.events[1].act else { panic!("no call") };
    assert_eq!(pickle.events[1].offset, 22);
    let Node::Call { kind: CallKind::Reduce, args, .. } = pickle.graph.get(call) else { panic!("no REDUCE") };
    assert_eq!(pickle.graph.str(pickle.graph.sequence(*args).unwrap()[0]), Some("id"));
}

#[test]
fn everything_before_a_break_is_seen() {
    for tail in [&b""[..], b"!", b"\xff", b"0000", b"h\x07", b"\x80\x09", b"X\xff\xff\xff\xff"] {
        let mut input = b"cos\nsystem\n(S'id'\ntR".to_vec();
        input.extend(tail);
        let pickle = run(&input);
        assert_eq!(pickle.events.len(), 2, "{}", tail.escape_ascii());
        assert!(pickle.value().is_none());
        assert_eq!(pickle.trailing, 0);
    }
}

#[test]
fn numbers_that_only_c_reads() {
    assert_eq!(value(b"I0x10\n."), Node::Int(16));
    for (text, expected) in [(&b"I010\n."[..], 8), (b"I5\0junk\n.", 5)] {
        let pickle = run(text);
        assert_eq!(*pickle.graph.get(pickle.value().unwrap()), Node::Int(expected));
        assert_eq!(pickle.notes[0].kind, NoteKind::NumberOnlyInC);
    }
    assert_eq!(value(b"I00\n."), Node::Bool(false));
    assert_eq!(value(b"I01\n."), Node::Bool(true));
    assert_eq!(value(b"I1_0\n."), Node::Int(10));
    assert_eq!(value(b"L5L\n."), Node::Int(5));
    assert_eq!(value(b"F1\0x\n."), Node::Float(1.0));
    assert_eq!(value(b"FInFinity\n."), Node::Float(f64::INFINITY));
    for text in [&b"I0x\n."[..], b"L5L\0\n.", b"F1_0\n.", b"F1e999\n.", b"F 1\n.", b"F.\n.", b"LL\n."] {
        assert_eq!(fault(text), Some(Fault::BadNumber), "{}", text.escape_ascii());
    }
    for text in [&b"I\n."[..], b"L\n.", b"F\n.", b"I5"] {
        assert_eq!(fault(text), Some(Fault::Truncated), "{}", text.escape_ascii());
    }
    assert_eq!(run(b"F1_0\n.").notes[0].kind, NoteKind::NumberOnlyInPython);
    assert_eq!(value(b"\x8a\x01\xff."), Node::Int(-1));
    assert_eq!(value(b"\x8a\x00."), Node::Int(0));
    assert_eq!(value(b"J\xff\xff\xff\xff."), Node::Int(-1));
}

#[test]
fn strings() {
    assert_eq!(value(b"S'a\\q\\x41\\1010'\n."), Node::Str("a\\qAA0".into()));
    assert_eq!(fault(b"S'a\\x4'\n."), Some(Fault::BadString));
    assert_eq!(fault(b"Sab\n."), Some(Fault::BadString));
    assert_eq!(value(b"Vab\\u0041\\\\u0041\\\n."), Node::Str("abA\\\\u0041\\".into()));
    assert_eq!(fault(b"Vab\\u00\n."), Some(Fault::BadText));
    assert_eq!(fault(b"\x8c\x01\xff."), Some(Fault::BadText));
    let Node::Str(text) = value(b"\x8c\x03\xed\xa0\x80.") else { panic!("no string") };
    assert_eq!((text.as_str(), text.as_bytes()), (None, &b"\xed\xa0\x80"[..]));
}

#[test]
fn marks_guard_the_stack() {
    assert_eq!(fault(b"N(."), Some(Fault::UnexpectedMark));
    assert_eq!(fault(b"."), Some(Fault::StackUnderflow));
    assert_eq!(fault(b"t."), Some(Fault::NoMark));
    assert_eq!(value(b"N(0."), Node::None);
    assert_eq!(fault(b"NN(\x86."), Some(Fault::UnexpectedMark));
    assert_eq!(fault(b"(NNNd."), Some(Fault::OddItems));
    assert_eq!(fault(b"p0\n."), Some(Fault::StackUnderflow));
    assert_eq!(fault(b"h\x00."), Some(Fault::MemoMissing(0)));
    assert_eq!(value(b"I7\np 5 \n0g5\n."), Node::Int(7));
    // MEMOIZE counts entries, not the highest index.
    assert_eq!(value(b"I7\np9\n\x94h\x01."), Node::Int(7));
}

#[test]
fn unhashable_keys_and_wrong_targets_stop_it() {
    for (input, expected) in [
        (&b"}]Ns."[..], Fault::Unhashable),
        (b"}]\x85Ns.", Fault::Unhashable),
        (b"(]\x91.", Fault::Unhashable),
        (b")Na.", Fault::BadTarget),
        (b"]K\x00K\x01s.", Fault::BadTarget),
        (b"]}b.", Fault::BadTarget),
        (b"\x96\x01\0\0\0\0\0\0\0a]a.", Fault::BadTarget),
        (b"\x96\x01\0\0\0\0\0\0\0aK\x01K\x01s.", Fault::BadTarget),
        (b"K\x01)R.", Fault::NotCallable),
        (b"K\x01)\x81.", Fault::NotAClass),
        (b"K\x01K\x02\x93.", Fault::NameNotString),
        (b"\x82\x00.", Fault::BadExtension(0)),
        (b"\x80\x06.", Fault::UnsupportedProtocol(6)),
    ] {
        assert_eq!(fault(input), Some(expected), "{}", input.escape_ascii());
    }
    assert_eq!(value(b"]Nb."), Node::List(vec![]));
}

#[test]
fn a_call_that_only_python_makes_is_still_an_event() {
    let pickle = run(b"cos\nsystem\n(S'id'\nlR.");
    assert!(pickle.events.iter().any(|event| matches!(event.act, Act::Called(_))));
    assert!(pickle.notes.iter().any(|note| note.kind == NoteKind::ArgumentsOnlyInPython));
}

#[test]
fn methods_behind_items_and_appends_are_events() {
    let pickle = run(b"\x80\x02cm\nC\n)\x81(NNu(NeN\x85b.");
    let acts: Vec<_> = pickle.events.iter().map(|event| std::mem::discriminant(&event.act)).collect();
    assert_eq!(acts.len(), 5);
    let object = pickle.value().unwrap();
    let effects = pickle.graph.effects(object).unwrap();
    assert_eq!((effects.items.len(), effects.appended.len(), effects.states.len()), (1, 1, 1));
}

#[test]
fn names_of_python_2_are_mapped_below_protocol_3() {
    assert_eq!(imports(&run(b"c__builtin__\neval\n."))[0].1, "builtins.eval");
    assert_eq!(imports(&run(b"\x80\x04c__builtin__\neval\n."))[0].1, "__builtin__.eval");
}

#[test]
fn computed_names_are_visible() {
    let pickle = run(b"\x80\x04cm\nf\n)R\x8c\x06system\x93.");
    let global = pickle.graph.global(pickle.value().unwrap()).unwrap();
    assert!(matches!(global.module, Name::Computed(_)));
    assert_eq!(global.qualname.as_str(), Some("system"));
    assert_eq!(global.resolved(), None);
}

#[test]
fn extensions_that_the_file_registers_are_imports() {
    let pickle = run(b"ccopyreg\nadd_extension\n(S'os'\nS'system'\nI7\ntR0\x82\x07.");
    assert_eq!(imports(&pickle).last().unwrap().1, "os.system");
    let unknown = run(b"\x82\x08.");
    assert!(matches!(unknown.graph.get(unknown.value().unwrap()), Node::Extension(8)));
}

#[test]
fn streams_follow_each_other_and_the_rest_is_reported() {
    let pickle = run(b"N.cos\nsystem\n.rest of it");
    assert_eq!(pickle.streams.len(), 3);
    assert_eq!(pickle.trailing, 14);
    assert_eq!(pickle.events[0].stream, 1);
    assert!(!pickle.is_clean(25));
    assert!(run(b"N.").is_clean(2));
}

#[test]
fn frames_need_their_bytes_and_crossings_are_noted() {
    assert_eq!(fault(b"\x95\x10\0\0\0\0\0\0\0N."), Some(Fault::Truncated));
    assert!(run(b"\x95\x02\0\0\0\0\0\0\0N.").notes.is_empty());
    let crossing = run(b"\x95\x02\0\0\0\0\0\0\0\x8c\x02ab.");
    assert_eq!(crossing.notes[0].kind, NoteKind::FrameIgnored);
    let failing = run(b"\x95\x02\0\0\0\0\0\0\0Ixyz\n.");
    assert_eq!(failing.notes[0].kind, NoteKind::FrameIgnored);
}

#[test]
fn bounds_end_it_with_their_name() {
    let flood = [b"N0".repeat(1000), b"N.".to_vec()].concat();
    let bounded = |limits: Limits, input: &[u8]| {
        let options = Options { limits, joblib: true };
        let pickle = interpret(input, &options);
        match pickle.streams.last().unwrap().stop {
            Stop::Bound { bound, .. } => Some(bound),
            _ => None,
        }
    };
    let default = Limits::default;
    assert_eq!(bounded(Limits { opcodes: 100, ..default() }, &flood), Some(Bound::Opcodes));
    assert_eq!(bounded(Limits { bytes: 100, ..default() }, &flood), Some(Bound::Bytes));
    assert_eq!(bounded(Limits { nodes: 100, ..default() }, &b"]0".repeat(200)), Some(Bound::Nodes));
    assert_eq!(bounded(Limits { stack: 100, ..default() }, &b"(".repeat(200)), Some(Bound::Stack));
    assert_eq!(bounded(Limits { stack: 100, ..default() }, &b"N".repeat(200)), Some(Bound::Stack));
    assert_eq!(bounded(Limits { streams: 10, ..default() }, &b"N.".repeat(20)), Some(Bound::Streams));
    let memo = [b"N".to_vec(), b"\x94".repeat(200)].concat();
    assert_eq!(bounded(Limits { memo: 100, ..default() }, &memo), Some(Bound::Memo));
    assert_eq!(bounded(default(), &flood), None);
}

#[test]
fn cycles_and_memo_bombs_are_walked_once() {
    let cycle = run(b"]q\x00h\x00a.");
    assert_eq!(cycle.graph.reachable(cycle.value().unwrap()).len(), 1);
    let bomb = [b")".to_vec(), b"2\x86".repeat(200), b".".to_vec()].concat();
    let bomb = run(&bomb);
    assert_eq!(bomb.graph.reachable(bomb.value().unwrap()).len(), 201);
}
