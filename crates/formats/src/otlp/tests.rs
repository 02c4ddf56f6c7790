use proptest::prelude::*;

use super::*;

/// Writes protobuf, for tests only.
#[derive(Default, Clone)]
struct Writer(Vec<u8>);

impl Writer {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push((value as u8) | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    fn bytes(mut self, field: u32, bytes: &[u8]) -> Self {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    fn number(mut self, field: u32, value: u64) -> Self {
        self.varint(u64::from(field) << 3);
        self.varint(value);
        self
    }

    fn fixed(mut self, field: u32, value: u64) -> Self {
        self.varint(u64::from(field) << 3 | 1);
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }
}

fn attribute(key: &str, value: Writer) -> Vec<u8> {
    Writer::default().bytes(1, key.as_bytes()).bytes(2, &value.0).0
}

fn text(value: &str) -> Writer {
    Writer::default().bytes(1, value.as_bytes())
}

fn span() -> Writer {
    Writer::default().bytes(1, &[1; 16]).bytes(2, &[2; 8]).bytes(5, b"step").fixed(7, 5).fixed(8, 9)
}

fn request(spans: &[Writer]) -> Vec<u8> {
    let scope = spans.iter().fold(Writer::default(), |scope, span| scope.bytes(2, &span.0));
    let resource = Writer::default().bytes(1, &attribute("service.name", text("shop")));
    Writer::default().bytes(1, &Writer::default().bytes(2, &scope.0).bytes(1, &resource.0).0).0
}

#[test]
fn a_span_is_read_whole() {
    let list = Writer::default().bytes(5, &Writer::default().bytes(1, &text("a").0).bytes(1, &[]).0);
    let double = Writer::default().fixed(4, 1.5f64.to_bits());
    let event =
        Writer::default().fixed(1, 7).bytes(2, b"token").bytes(3, &attribute("n", Writer::default().number(3, 4)));
    let whole = span()
        .bytes(4, &[3; 8])
        .bytes(9, &attribute("list", list))
        .bytes(9, &attribute("double", double))
        .bytes(11, &event.0)
        .bytes(15, &Writer::default().bytes(2, b"bad").number(3, 2).0)
        .number(99, 1);
    let found = from_protobuf(&request(&[whole]), Bounds::default()).unwrap();
    let [found] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!((found.trace_id, found.span_id, found.parent), ([1; 16], [2; 8], Some([3; 8])));
    assert_eq!((found.name.as_str(), found.start, found.end), ("step", 5, 9));
    assert_eq!((found.status, found.status_message.as_str()), (StatusCode::Error, "bad"));
    assert_eq!(found.attributes[0].value, AnyValue::List(vec![AnyValue::Text("a".into()), AnyValue::None]));
    assert_eq!(found.attributes[1].value, AnyValue::Double(1.5));
    assert_eq!(found.events[0].attributes[0].value, AnyValue::Integer(4));
    assert_eq!(found.service.as_deref(), Some("shop"));
}

#[test]
fn json_means_the_same() {
    let json =
        br#"{"resourceSpans":[{"resource":{"attributes":[{"key":"service.name","value":{"stringValue":"shop"}}]},
        "scopeSpans":[{"spans":[{"traceId":"01010101010101010101010101010101","spanId":"0202020202020202","name":"step",
        "startTimeUnixNano":"5","endTimeUnixNano":9,"kind":1,"new":{"a":[1]}}]}]}]}"#;
    let protobuf = from_protobuf(&request(&[span()]), Bounds::default()).unwrap();
    assert_eq!(from_json(json, Bounds::default()).unwrap(), protobuf);
}

#[test]
fn ids_are_there_and_have_their_length() {
    let bad = [
        Writer::default().bytes(2, &[2; 8]),
        Writer::default().bytes(1, &[1; 16]),
        Writer::default().bytes(1, &[1; 15]).bytes(2, &[2; 8]),
        Writer::default().bytes(1, &[1; 17]).bytes(2, &[2; 8]),
        Writer::default().bytes(1, &[]).bytes(2, &[]),
        span().bytes(4, &[3; 7]),
    ];
    for span in bad {
        assert!(matches!(from_protobuf(&request(&[span]), Bounds::default()), Err(OtlpError::Id(_))));
    }
    let zero = Writer::default().bytes(1, &[0; 16]).bytes(2, &[0; 8]);
    assert_eq!(from_protobuf(&request(&[zero]), Bounds::default()).unwrap()[0].span_id, [0; 8]);
    assert_eq!(from_protobuf(&request(&[span().bytes(4, &[0; 8])]), Bounds::default()).unwrap()[0].parent, None);
    for (trace, span) in [("01", "0202020202020202"), ("zz", "02"), ("é1", "02"), ("", "")] {
        let json = format!(
            r#"{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{{"traceId":"{trace}","spanId":"{span}"}}]}}]}}]}}"#
        );
        assert!(matches!(from_json(json.as_bytes(), Bounds::default()), Err(OtlpError::Id(_))), "{json}");
    }
}

#[test]
fn every_bound_holds() {
    let bounds = Bounds { spans: 2, attributes: 2, events: 2, depth: 3, values: 12, name: 12 };
    let refused = |span: Writer| from_protobuf(&request(&[span]), bounds).unwrap_err();
    let many = |field: u32, item: &[u8]| (0..3).fold(span(), |span, _| span.bytes(field, item));
    assert!(matches!(
        from_protobuf(&request(&[span(), span(), span()]), bounds),
        Err(OtlpError::TooMany { what: "spans", .. })
    ));
    assert!(matches!(refused(many(9, &attribute("k", text("v")))), OtlpError::TooMany { .. }));
    assert!(matches!(refused(many(11, &[])), OtlpError::TooMany { .. }));
    assert!(matches!(refused(span().bytes(5, &[b'x'; 13])), OtlpError::TooMany { .. }));
    let nested = (0..5).fold(text("v"), |inner, _| Writer::default().bytes(5, &Writer::default().bytes(1, &inner.0).0));
    assert!(matches!(refused(span().bytes(9, &attribute("k", nested))), OtlpError::TooMany { .. }));
    let wide = (0..20).fold(Writer::default(), |list, _| list.bytes(1, &[]));
    let wide = Writer::default().bytes(5, &wide.0);
    assert!(matches!(refused(span().bytes(9, &attribute("k", wide))), OtlpError::TooMany { what: "values", .. }));
}

#[test]
fn a_deep_bomb_ends_early() {
    let mut bomb = text("v").0;
    for _ in 0..5000 {
        bomb = Writer::default().bytes(5, &Writer::default().bytes(1, &bomb).0).0;
    }
    let bomb = span().bytes(9, &attribute("k", Writer(bomb)));
    assert!(from_protobuf(&request(&[bomb]), Bounds::default()).is_err());
    let json = format!("{{\"resourceSpans\":{}", "[".repeat(100_000));
    assert!(from_json(json.as_bytes(), Bounds::default()).is_err());
}

#[test]
fn values_are_written_as_python_does() {
    let pair = |key: &str, value| Attribute { key: key.into(), value };
    let value = AnyValue::Map(vec![
        pair(
            "a",
            AnyValue::List(vec![AnyValue::Integer(1), AnyValue::Double(2.0), AnyValue::Flag(true), AnyValue::None]),
        ),
        pair("é\n", AnyValue::Text("\"\\\u{1}".into())),
        pair("f", AnyValue::List([1e16, 1e-5, 123.456, f64::NAN].map(AnyValue::Double).into())),
    ]);
    let expected = r#"{"a": [1, 2.0, true, null], "é\n": "\"\\\u0001", "f": [1e+16, 1e-05, 123.456, NaN]}"#;
    assert_eq!(to_python_json(&value), expected);
}

proptest! {
    #[test]
    fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = from_protobuf(&bytes, Bounds::default());
        let _ = from_json(&bytes, Bounds::default());
    }

    /// Broken requests: a whole one with a few bytes changed, or cut.
    #[test]
    fn no_broken_request_panics(
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<proptest::sample::Index>(),
        name in "\\PC{0,20}",
    ) {
        let whole = span().bytes(9, &attribute(&name, text(&name))).bytes(11, &Writer::default().bytes(2, name.as_bytes()).0);
        let mut bytes = request(&[whole.clone(), whole]);
        for (index, byte) in changes {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = from_protobuf(&bytes, Bounds::default());
        bytes.truncate(cut.index(bytes.len() + 1));
        let _ = from_protobuf(&bytes, Bounds::default());
    }
}
