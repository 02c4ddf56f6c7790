use std::sync::Arc;

use sealyard_core::{ReadAt, TreePath, Verdict};
use sealyard_scan_model::Scanner;

fn verdict(bytes: &[u8]) -> Verdict {
    Scanner::new().scan_file("file", &bytes.to_vec()).verdict
}

/// An image with a comment.
fn png(comment: &[u8]) -> Vec<u8> {
    let chunk =
        |kind: &[u8], content: &[u8]| [&(content.len() as u32).to_be_bytes()[..], kind, content, &[0; 4]].concat();
    let header = chunk(b"IHDR", b"\0\0\0\x01\0\0\0\x01\x08\0\0\0\0");
    [b"\x89PNG\r\n\x1a\n".to_vec(), header, chunk(b"tEXt", comment), chunk(b"IEND", b"")].concat()
}

#[test]
fn what_can_not_be_read_is_not_assessed() {
    for bytes in [
        &b"\x89HDF\r\n\x1a\n"[..],
        b"GGUF\x03\0\0\0",
        b"\0\x01\x02\x03",
        b"PK\x03\x04broken",
        b"\x93NUMPY\x01\0",
        b"\x1f\x8b\x08broken",
        b"<?xml version=\"1.0\"?><PMML>",
        b"saved_model_schema_version: 1\nmeta_graphs {\n",
        b"{\"class_name\": \"Sequential\", \"config\": {",
    ] {
        assert_eq!(verdict(bytes), Verdict::NotAssessed, "{bytes:?}");
    }
}

#[test]
fn an_opaque_file_that_begins_with_an_extension_code_is_no_pickle() {
    assert_eq!(verdict(b"\x82\x10\xff\xfe\xfd\xfc and so on"), Verdict::NotAssessed);
    // Called, it is an act of whoever registered the code.
    assert_eq!(verdict(b"\x82\x10)R\xff\xfe"), Verdict::Unsafe);
}

#[test]
fn what_holds_no_model_is_safe() {
    for bytes in [&b""[..], b"a,b\n1,2\n", b"{\"a\": 1}", &png(&[]), "caf\u{e9}\n".as_bytes()] {
        assert_eq!(verdict(bytes), Verdict::Safe, "{bytes:?}");
    }
}

#[test]
fn a_failing_read_is_not_assessed() {
    struct Broken;
    impl ReadAt for Broken {
        fn size(&self) -> u64 {
            100
        }
        fn read_at(&self, _: u64, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("authentication failed"))
        }
    }
    let report = Scanner::new().scan_file("x.pkl", &Broken);
    assert_eq!(report.verdict, Verdict::NotAssessed);
    assert!(report.not_assessed[0].reason.contains("authentication failed"));
}

#[test]
fn no_truncation_of_an_attack_panics_or_turns_it_into_something_clean() {
    let attack = b"\x80\x03cposix\nsystem\nq\x00X\x0e\x00\x00\x00env > pwnd.txtq\x01\x85q\x02Rq\x03.";
    for length in 2..attack.len() {
        assert_ne!(verdict(&attack[..length]), Verdict::Safe, "{length}");
    }
    // From the call on, the break does not matter.
    let call = attack.iter().position(|byte| *byte == b'R').unwrap();
    for length in call + 1..attack.len() {
        assert_eq!(verdict(&attack[..length]), Verdict::Unsafe, "{length}");
    }
}

#[test]
fn names_are_hidden_by_no_flood() {
    let mut bytes = b"\x80\x02".to_vec();
    for name in 0..10_000 {
        bytes.extend(format!("cmy.package\nname{name}\n0").as_bytes());
    }
    bytes.extend(b"cos\nsystem\nX\x01\0\0\0x\x85R.");
    assert_eq!(verdict(&bytes), Verdict::Unsafe);
}

#[test]
fn deep_and_wide_streams_end_in_bounds() {
    // Ten million marks and one: over the bound on the stack, before the missing STOP is met.
    let deep = [b"\x80\x02".as_slice(), &b"(".repeat(10_000_001)].concat();
    let nested = [b"\x80\x02".as_slice(), &b"]".repeat(1_000_000), &b"a".repeat(999_999), b"."].concat();
    let bomb = {
        // Each list holds the one before ten times: the text of it would have 10^200 parts.
        let mut bytes = b"\x80\x02]q\x000".to_vec();
        for level in 0..200_u8 {
            bytes.push(b'(');
            bytes.extend([b'h', level].repeat(10));
            bytes.extend([b'l', b'q', level + 1, b'0']);
        }
        bytes.extend(b"cmy.package\nf\nh\xc8\x85R.");
        bytes
    };
    assert_eq!(verdict(&deep), Verdict::NotAssessed);
    assert_eq!(verdict(&nested), Verdict::Safe);
    assert_eq!(verdict(&bomb), Verdict::Unsafe);
}

#[test]
fn a_folder_is_one_report() {
    let file = |path: &str, bytes: &[u8]| -> (TreePath, Arc<dyn ReadAt>) {
        (TreePath::new(path).unwrap(), Arc::new(bytes.to_vec()))
    };
    let loader = b"flavors:\n  python_function:\n    loader_module: my_code\n";
    let report = Scanner::new().scan_folder(&[
        file("model/MLmodel", loader),
        file("model/requirements.txt", b"scikit-learn==1.9.1\n"),
        file("model/model.pkl", b"\x80\x04N."),
    ]);
    assert_eq!(report.verdict(), Verdict::Unsafe);
    assert_eq!(report.findings().count(), 1);
    assert_eq!(report.summary.safe, 2);
    assert_eq!(report.findings().next().unwrap().location.path, "model/MLmodel");
}

#[test]
fn a_model_script_is_no_silent_matter() {
    let text = b"flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.model\n    model_code_path: model.py\n";
    assert_eq!(Scanner::new().scan_file("a/MLmodel", &text.to_vec()).verdict, Verdict::Suspicious);
    // As `log_model(python_model="…/model.py")` writes it: by a loader of MLflow, with the path on the author's machine.
    for path in ["/home/ada/model.py", "'C:\\Users\\ada\\model.py'"] {
        let text = format!(
            "flavors:\n  python_function:\n    loader_module: mlflow.pyfunc.loaders.code_model\n    model_code_path: {path}\n"
        );
        let report = Scanner::new().scan_file("a/MLmodel", &text.into_bytes());
        assert_eq!(report.verdict, Verdict::Suspicious, "{path}: {report:?}");
    }
}

#[test]
fn digests_only_when_asked_for() {
    let bytes = b"a".to_vec();
    assert_eq!(Scanner::new().scan_file("a", &bytes).digest, None);
    let digest = Scanner::new().with_digests(true).scan_file("a", &bytes).digest;
    assert_eq!(digest, Some(sealyard_core::Digest::of(b"a")));
}

#[test]
fn text_is_told_from_pickles_without_magic() {
    for text in ["cos\nsin\ntan\n", "code\nsystem\nmore text\n", "Notes.\n", "(a) first\n", "N\n"] {
        assert_eq!(verdict(text.as_bytes()), Verdict::Safe, "{text}");
    }
    // It breaks before it calls, but it is no text.
    assert_eq!(verdict(b"cbuiltins\nexec\n(X\x20\0\0\0cut"), Verdict::Unsafe);
}

#[test]
fn text_named_as_a_model_is_not_assessed() {
    // It imports a module of the attacker's choice and breaks; as text alone that means nothing.
    let text = b"collected\nnotes\nsome text\n".to_vec();
    assert_eq!(Scanner::new().scan_file("notes.txt", &text).verdict, Verdict::Safe);
    assert_eq!(Scanner::new().scan_file("model/Model.PKL", &text).verdict, Verdict::NotAssessed);
}

#[test]
fn archives_nest_only_so_deep() {
    let zip = |name: &str, content: &[u8]| {
        let mut out = std::io::Cursor::new(Vec::new());
        let mut archive = zip::ZipWriter::new(&mut out);
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        std::io::Write::write_all(&mut archive, content).unwrap();
        archive.finish().unwrap();
        out.into_inner()
    };
    let mut nested = zip("a.txt", b"only text");
    assert_eq!(verdict(&nested), Verdict::Safe);
    for _ in 0..10 {
        nested = zip("a.zip", &nested);
    }
    assert_eq!(verdict(&nested), Verdict::NotAssessed);
}

#[test]
fn long_shared_arguments_cost_nothing_each_time() {
    // One tuple of 200,000 numbers, given to 200,000 calls: looking at each would take hours.
    let mut bytes = b"\x80\x02(".to_vec();
    bytes.extend(b"K\x01".repeat(200_000));
    bytes.extend(b"tq\x000cdatetime\ndate\nq\x010");
    bytes.extend(b"h\x01h\x00R0".repeat(200_000));
    bytes.extend(b"N.");
    let (sent, finished) = std::sync::mpsc::channel();
    std::thread::spawn(move || sent.send(verdict(&bytes)));
    assert_eq!(finished.recv_timeout(std::time::Duration::from_secs(60)), Ok(Verdict::Unsafe));
}

#[test]
fn no_change_of_a_fixture_makes_it_panic() {
    let mut fixtures = Vec::new();
    for rule in Scanner::rules() {
        for path in crate::corpus::entries(&crate::corpus::root().join(rule.id).join("bad")) {
            fixtures.extend(std::fs::read(path));
        }
    }
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % below as u64).unwrap()
    };
    for _ in 0..3000 {
        let mut bytes = fixtures[random(fixtures.len())].clone();
        for _ in 0..=random(4) {
            let place = random(bytes.len());
            bytes[place] = u8::try_from(random(256)).unwrap();
        }
        bytes.truncate(1 + random(bytes.len() * 2));
        let report = Scanner::new().scan_file("file", &bytes);
        assert!(report.verdict != Verdict::Safe || report.not_assessed.is_empty());
    }
}

#[test]
fn words_that_are_a_constant_and_a_stop_are_text() {
    for text in [&b"MIT. The license.\n"[..], b"Git v2.30.4 Release Notes\n=====\n", b"GIT v1.6.2.2 Notes\n"] {
        assert_eq!(verdict(text), Verdict::Safe, "{text:?}");
    }
    assert_eq!(verdict(b"MIT.cos\nsystem\n(S'true'\ntR."), Verdict::Unsafe);
    assert_eq!(verdict(b"MIT.\xff\xfe\0\x01"), Verdict::Suspicious);
}

#[test]
fn what_is_two_formats_is_not_safe_as_one() {
    // A comment that reaches over the place where HDF5 may begin.
    let plain = png(&[b' '; 600]);
    assert_eq!(verdict(&plain), Verdict::Safe);
    let mut both = plain;
    both[512..520].copy_from_slice(b"\x89HDF\r\n\x1a\n");
    assert_eq!(verdict(&both), Verdict::NotAssessed);
}

#[test]
fn what_follows_an_image_is_looked_at() {
    assert_eq!(verdict(&[png(&[]), b"a comment\n".to_vec()].concat()), Verdict::Safe);
    assert_eq!(verdict(&[png(&[]), b"\x80\x02cos\nsystem\nX\x01\0\0\0x\x85R.".to_vec()].concat()), Verdict::Unsafe);
    let cut = png(&[]);
    assert_eq!(verdict(&cut[..cut.len() - 1]), Verdict::NotAssessed);
}

#[test]
fn a_second_end_of_an_archive_is_told() {
    let plain = std::fs::read(crate::corpus::root().join("zip-mismatch/ok/plain.zip")).unwrap();
    let end = b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let (records, _) = plain.split_at(plain.len() - 2);
    let bytes = [records, &[22, 0], end].concat();
    let report = Scanner::new().scan_file("a.zip", &bytes);
    assert!(report.findings.iter().any(|finding| finding.message.contains("more than one end")), "{report:?}");
}

#[test]
fn a_name_alone_can_act() {
    // Importing these modules runs them, so it does not matter that the stream breaks right after.
    for text in ["cantigravity\nfly\nmore text\n", "cidlelib.idle\nx\n", "csome_package.__main__\nmain\n"] {
        assert_ne!(verdict(text.as_bytes()), Verdict::Safe, "{text}");
    }
}

#[test]
fn text_that_goes_on_for_too_long_is_not_assessed() {
    let mut text = b"N0".repeat(10_100_000);
    text.extend(b"cos\nsystem\n(S'id'\ntR.");
    assert_eq!(verdict(&text), Verdict::NotAssessed);
}

#[test]
fn a_model_that_is_no_model_is_not_assessed() {
    let description = b"flavors: {sklearn: {pickled_model: ./model.txt, serialization_format: pickle}}\n".to_vec();
    let folder = |text: &[u8]| {
        let files: [(TreePath, Arc<dyn ReadAt>); 2] = [
            (TreePath::new("MLmodel").unwrap(), Arc::new(description.clone())),
            (TreePath::new("model.txt").unwrap(), Arc::new(text.to_vec())),
        ];
        Scanner::new().scan_folder(&files).verdict()
    };
    // Its first two lines import a module of the attacker's choice.
    assert_eq!(folder(b"collected\nnotes\nsome text\n"), Verdict::NotAssessed);
    assert_eq!(folder(b"\x80\x04K\x01."), Verdict::Safe);
}

#[test]
fn long_texts_cost_nothing_each_time() {
    let text = |text: &[u8]| [b"X", &(text.len() as u32).to_le_bytes()[..], text].concat();
    // A long argument, and a long module whose every dot could end the name of a dangerous package.
    for (module, argument) in [(&b"zz"[..], vec![b'a'; 1 << 20]), (&b"z.".repeat(1 << 19)[..], b"x".to_vec())] {
        let head = [b"\x80\x04", &text(&argument)[..], b"\x85\x940", &text(module), &text(b"f"), b"\x93\x940"].concat();
        let bytes = [head, b"h\x01h\x00R0".repeat(20_000), b"N.".to_vec()].concat();
        // Without the bounds this would go on for hours.
        assert_eq!(verdict(&bytes), Verdict::Unsafe);
    }
}

#[test]
fn a_length_that_is_an_opcode_is_no_pickle() {
    // The header's length begins with the byte of a text whose length would be that of a galaxy.
    let tensor = |end: usize| format!(r#"{{"x":{{"dtype":"U8","shape":[{end}],"data_offsets":[0,{end}]}}}}"#);
    let body = 2 << 20;
    let header = format!("{:<141}", tensor(body));
    let mut bytes = 141_u64.to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.resize(bytes.len() + body, 0);
    assert_eq!(bytes[0], 0x8d);
    assert_eq!(verdict(&bytes), Verdict::Safe);
    // What claims no more than there is goes on behind it.
    let long = [b"X\0\0\x20\0".as_slice(), &vec![b'a'; 2 << 20], b"0cos\nsystem\n(S'id'\ntR."].concat();
    assert_eq!(verdict(&long), Verdict::Unsafe);
}

#[test]
fn a_program_or_a_tensor_file_that_is_a_pickle_too_is_unsafe() {
    // `G` takes eight bytes, `M` two: what follows is run by an unpickler.
    let attack = b"0cos\nsystem\n(S'id'\ntR.";
    for start in [b"GGUF\x03\0\0\0\x01".as_slice(), b"MZ\x90"] {
        let mut bytes = [start, attack].concat();
        bytes.resize(600, 0);
        assert_eq!(verdict(&bytes), Verdict::Unsafe, "{start:?}");
    }
}
