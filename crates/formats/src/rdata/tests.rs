use proptest::prelude::*;

use super::*;

/// Files of R 4.2.2, without compression: a `glm` with its functions, and a workspace with a promise that was never asked
/// for, `system('touch marker')`.
const GLM: &[u8] = include_bytes!("../../tests/fixtures/glm.rds");
const PROMISE: &[u8] = include_bytes!("../../tests/fixtures/promise.RData");

/// Makes serializations as XDR.
#[derive(Default)]
struct Writer(Vec<u8>);

impl Writer {
    fn new() -> Self {
        let mut writer = Self(b"X\n".to_vec());
        writer.number(2).number(0x40202).number(0x20300);
        writer
    }

    fn number(&mut self, number: i32) -> &mut Self {
        self.0.extend(number.to_be_bytes());
        self
    }

    fn characters(&mut self, text: &str) -> &mut Self {
        self.number(9).number(i32::try_from(text.len()).unwrap());
        self.0.extend(text.as_bytes());
        self
    }

    fn symbol(&mut self, name: &str) -> &mut Self {
        self.number(1).characters(name)
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.number(16).number(1).characters(text)
    }

    /// A call of a function with one text.
    fn call(&mut self, name: &str, argument: &str) -> &mut Self {
        self.number(6).symbol(name).number(2).text(argument).number(254)
    }

    fn read(&self) -> Result<RData, RDataError> {
        RData::read(&self.0, &RDataLimits::default())
    }
}

#[test]
fn a_real_model_is_read() {
    let file = RData::read(GLM, &RDataLimits::default()).unwrap();
    assert_eq!((file.version, file.writer.as_str(), file.is_workspace), (2, "4.2.2", false));
    assert_eq!(file.root_classes, ["glm", "lm"]);
    assert_eq!(file.classes.get("family"), Some(&1));
    assert!(file.namespaces.contains(&"stats".to_owned()));
    assert_eq!(file.trailing, 0);
    let functions: Vec<_> = file.codes.iter().filter(|code| code.kind == CodeKind::Function).collect();
    assert!(functions.iter().any(|code| code.calls.contains(&".Call".to_owned())), "{functions:?}");
    assert!(!file.codes.iter().any(|code| matches!(code.kind, CodeKind::Promise { is_variable: false })));
}

#[test]
fn a_promise_is_seen_with_its_calls() {
    let file = RData::read(PROMISE, &RDataLimits::default()).unwrap();
    assert!(file.is_workspace);
    assert_eq!(file.variables, ["pr"]);
    let [code] = file.codes.as_slice() else { panic!("{:?}", file.codes) };
    assert_eq!(code.kind, CodeKind::Promise { is_variable: false });
    assert_eq!((code.calls.as_slice(), code.variable.as_str()), (["system".to_owned()].as_slice(), "pr"));
    assert!(code.words.contains(&"touch marker".to_owned()));
}

#[test]
fn text_and_native_forms_are_read_alike() {
    let text =
        b"A\n3\n262658\n197888\n5\nUTF-8\n19\n3\n14\n1\n1.5\n10\n1\nNA\n16\n1\n262153\n6\na\\040b\\n\\\\c\n".to_vec();
    let file = RData::read(&text, &RDataLimits::default()).unwrap();
    assert_eq!(file.vectors.get("double"), Some(&(1, 1)));
    assert_eq!(file.trailing, 0);
    let mut native = b"B\n".to_vec();
    for number in [2, 0x40202, 0x20300, 13, 2, 1, 2] {
        native.extend(i32::to_le_bytes(number));
    }
    assert_eq!(RData::read(&native, &RDataLimits::default()).unwrap().vectors.get("integer"), Some(&(1, 2)));
}

#[test]
fn where_a_promise_is_decides_what_it_is() {
    // A list of one unasked promise: code 5, no value, a call.
    let mut list = Writer::new();
    list.number(19).number(1).number(5).number(252).call("system", "id");
    let file = list.read().unwrap();
    assert_eq!(file.codes[0].kind, CodeKind::Promise { is_variable: false });
    // One with a value is no promise any more, but its code is a call still.
    let mut forced = Writer::new();
    forced.number(19).number(1).number(5).text("done").call("system", "id");
    assert_eq!(forced.read().unwrap().codes[0].kind, CodeKind::Language);
    // In an environment: not locked, no parent, a frame of one variable, no table, no attributes.
    let mut variable = Writer::new();
    variable.number(4).number(0).number(242).number(2 | 1 << 10).symbol("x").number(5).number(252).call("f", "a");
    variable.number(254).number(254).number(254);
    assert_eq!(variable.read().unwrap().codes[0].kind, CodeKind::Promise { is_variable: true });
    // A list that is a variable's value is data again.
    let mut inner = Writer::new();
    inner.number(4).number(0).number(242).number(2 | 1 << 10).symbol("x");
    inner.number(19).number(1).number(5).number(252).call("f", "a").number(254).number(254).number(254);
    assert_eq!(inner.read().unwrap().codes[0].kind, CodeKind::Promise { is_variable: false });
}

#[test]
fn a_value_inside_a_forced_promise_is_looked_at() {
    let mut writer = Writer::new();
    // The promise's value is a function; its code is nothing.
    writer.number(19).number(1).number(5).number(3).number(254).call("system", "id").number(254);
    let file = writer.read().unwrap();
    assert!(file.codes.iter().any(|code| code.calls == ["system"]), "{:?}", file.codes);
}

#[test]
fn active_bindings_and_packages_are_told() {
    let mut active = Writer::new();
    active.number(4).number(0).number(242).number(2 | 1 << 10 | 1 << 27).symbol("x");
    active.number(3).number(254).number(6).number(6).symbol("::").number(2).symbol("base").number(2);
    active.symbol("system").number(254).number(254).number(254).number(254).number(254);
    let file = active.read().unwrap();
    assert_eq!(file.codes[0].kind, CodeKind::ActiveBinding);
    assert!(file.codes[0].calls.contains(&"system".to_owned()), "{:?}", file.codes);
}

#[test]
fn references_name_what_was_read_before() {
    let mut writer = Writer::new();
    writer.number(19).number(2).symbol("system").number(6).number(255 | 1 << 8).number(254);
    assert_eq!(writer.read().unwrap().codes[0].calls, ["system"]);
    let mut missing = Writer::new();
    missing.number(255 | 9 << 8);
    assert_eq!(missing.read(), Err(RDataError::Broken("a reference")));
}

#[test]
fn no_nesting_is_too_deep_for_the_stack() {
    type Step = fn(&mut Writer);
    let steps: &[Step] = &[
        |writer| _ = writer.number(19).number(1),
        |writer| _ = writer.number(2),
        |writer| _ = writer.number(6),
        |writer| _ = writer.number(6).symbol("f").number(2),
        |writer| _ = writer.number(3),
        |writer| _ = writer.number(5 | 1 << 10),
        |writer| _ = writer.number(4).number(0),
        |writer| _ = writer.number(4).number(0).number(242),
        // Attributes of a symbol's cell, and of an empty vector.
        |writer| _ = writer.number(2 | 1 << 9).number(2),
        |writer| _ = writer.number(10 | 1 << 9).number(0).number(2),
        |writer| _ = writer.number(16 | 1 << 9).number(0).number(2 | 1 << 10).symbol("class"),
        |writer| _ = writer.number(22),
        |writer| _ = writer.number(238),
        |writer| _ = writer.number(1),
        |writer| _ = writer.number(21).number(1),
        |writer| _ = writer.number(21).number(1).number(254).number(1).number(21).number(254).number(1).number(19),
        |writer| _ = writer.number(21).number(1).number(254).number(1).number(6).number(254),
        |writer| _ = writer.number(9 | 1 << 9).number(-1).number(2),
        |writer| _ = writer.number(249).number(0).number(1),
    ];
    for step in steps {
        let mut writer = Writer::new();
        for _ in 0..5000 {
            step(&mut writer);
        }
        assert!(writer.read().is_err());
    }
    // A constant of compiled code that is a call of a call of a call.
    let mut writer = Writer::new();
    writer.number(21).number(1).number(254).number(1);
    for _ in 0..5000 {
        writer.number(6).number(254);
    }
    assert!(writer.read().is_err());
}

#[test]
fn bounds_and_lies_end_the_walk() {
    let mut deep = Writer::new();
    for _ in 0..100_000 {
        deep.number(19).number(1);
    }
    assert!(matches!(deep.read(), Err(RDataError::Bound(_))));
    let mut long = Writer::new();
    long.number(14).number(i32::MAX);
    assert_eq!(long.read(), Err(RDataError::Truncated));
    let mut texts = Writer::new();
    texts.number(16).number(i32::MAX);
    assert_eq!(texts.read(), Err(RDataError::Truncated));
    let mut list = Writer::new();
    for _ in 0..100_000 {
        list.number(2).number(254);
    }
    list.number(254);
    assert_eq!(list.read().unwrap().trailing, 0);
    let limits = RDataLimits { items: 1000, ..RDataLimits::default() };
    assert!(matches!(RData::read(&list.0, &limits), Err(RDataError::Bound(_))));
    assert!(matches!(RData::read(b"X\n\0\0\0\x09", &RDataLimits::default()), Err(RDataError::Truncated)));
    assert!(matches!(RData::read(b"hello", &RDataLimits::default()), Err(RDataError::NoHeader)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn nothing_panics(
        which in any::<bool>(),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut bytes = if which { GLM } else { PROMISE }.to_vec();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        let limits = RDataLimits { items: 100_000, ..RDataLimits::default() };
        let _ = RData::read(&bytes, &limits);
    }
}
