//! Nothing but what was verified is loaded, and nothing that is ambiguous.

use sealyard_core::{FileTree, TreePath};
use sealyard_serving::{FileSource, Folder, LoadError, Model, Runtime};

use crate::verified::{Files, description, fixture};

fn ridge() -> Files {
    Files::model(&fixture("ridge/pickle4.pkl"), None)
}

#[test]
fn a_file_changed_after_verification_ends_the_load() {
    for name in ["MLmodel", "model.bin"] {
        let verified = ridge().verified();
        let mut grown = ridge();
        grown.0.get_mut(name).unwrap().push(b'\n');
        let mut flipped = ridge();
        *flipped.0.get_mut(name).unwrap().last_mut().unwrap() ^= 1;
        let mut cut = ridge();
        cut.0.get_mut(name).unwrap().pop();
        for files in [grown, flipped, cut] {
            let error = Model::load(&verified, &files).unwrap_err();
            let LoadError::FileDigest { path, expected, found } = &error else { panic!("{error}") };
            assert_eq!(path.as_str(), name);
            assert_ne!(expected, found);
            assert_eq!(error.rule(), Some("load.file-digest"));
        }
    }
}

#[test]
fn files_outside_the_manifest_are_never_opened() {
    struct Watched(Files);
    impl FileSource for Watched {
        fn open(&self, path: &TreePath) -> std::io::Result<Box<dyn std::io::Read + '_>> {
            assert_ne!(path.as_str(), "other.bin", "opened a file that is not in the manifest");
            self.0.open(path)
        }
    }
    let mut files = ridge();
    files.0.insert("MLmodel".to_owned(), description("other.bin", None));
    let verified = files.verified();
    files.0.insert("other.bin".to_owned(), fixture("ridge/pickle4.pkl"));
    let error = Model::load(&verified, &Watched(files)).unwrap_err();
    assert!(matches!(error, LoadError::NotInManifest(_)), "{error}");
}

#[test]
fn a_listed_file_that_is_missing_ends_the_load() {
    for name in ["MLmodel", "model.bin"] {
        let mut files = ridge();
        let verified = files.verified();
        files.0.remove(name);
        let error = Model::load(&verified, &files).unwrap_err();
        assert!(matches!(&error, LoadError::Missing(path) if path.as_str() == name), "{error}");
    }
}

#[test]
fn a_folder_gives_out_plain_files_only() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in &ridge().0 {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    assert_eq!(FileTree::of_directory(folder.path()).unwrap(), *ridge().verified().tree());
    let source = Folder(folder.path().to_owned());
    assert!(matches!(Model::load(&ridge().verified(), &source).unwrap().runtime(), Runtime::Native { .. }));
    std::fs::remove_file(folder.path().join("model.bin")).unwrap();
    std::fs::create_dir(folder.path().join("model.bin")).unwrap();
    assert!(matches!(Model::load(&ridge().verified(), &source), Err(LoadError::Read { .. })));
}

#[test]
fn a_description_without_end_is_not_read() {
    let mut files = ridge();
    files.0.insert("MLmodel".to_owned(), vec![b' '; (4 << 20) + 1]);
    assert!(matches!(files.load(), Err(LoadError::TooLarge { .. })));
}

#[test]
fn broken_and_ambiguous_model_files_are_refused() {
    let whole = fixture("ridge/pickle4.pkl");
    let joblib = fixture("ridge/plain.joblib");
    let zlib = fixture("ridge/zlib.joblib");
    let skops = fixture("ridge/model.skops");
    for (what, bytes) in [
        ("cut", whole[..whole.len() - 1].to_vec()),
        ("trailing", [&whole[..], b"tail"].concat()),
        ("second stream", [&whole[..], b"cos\nsystem\n."].concat()),
        ("cut joblib", joblib[..joblib.len() - 60].to_vec()),
        ("behind zlib", [&zlib[..], b"tail"].concat()),
        ("cut zlib", zlib[..zlib.len() - 5].to_vec()),
        ("behind the zip", [&skops[..], b"tail"].concat()),
        ("before the zip", [b"prefix", &skops[..]].concat()),
        ("text", b"hello".to_vec()),
        ("a number", b"\x80\x04K\x01.".to_vec()),
    ] {
        let error = Files::model(&bytes, None).load().unwrap_err();
        assert!(matches!(error, LoadError::Format(_)), "{what}: {error}");
    }
}

/// A pickle of a Ridge whose state is given in opcodes.
fn forged(state: &[u8]) -> Result<Model, LoadError> {
    let bytes = [&b"\x80\x03csklearn.linear_model._ridge\nRidge\n)\x81}("[..], state, b"ub."].concat();
    Files::model(&bytes, None).load()
}

#[test]
fn attributes_that_make_no_sense_are_refused() {
    let array = |shape: &str, numbers: &[f64]| {
        let mut bytes = b"cnumpy._core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntC\x01btR(K\x01(".to_vec();
        bytes.extend(shape.as_bytes());
        bytes.extend(b"tcnumpy\ndtype\n(U\x02f8I00\nI01\ntR\x89C");
        bytes.push((numbers.len() * 8) as u8);
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        bytes.extend(b"tb");
        bytes
    };
    let state = |coefficients: &[u8], intercept: &[u8], features: &[u8]| {
        [b"U\x05coef_", coefficients, b"U\x0aintercept_", intercept, b"U\x0en_features_in_", features].concat()
    };
    let good = array("I2\n", &[1.0, 2.0]);
    assert!(forged(&state(&good, b"F1.5\n", b"K\x02")).is_ok());
    for (what, state) in [
        ("a number that is not finite", state(&array("I2\n", &[1.0, f64::NAN]), b"F1.5\n", b"K\x02")),
        ("an infinite intercept", state(&good, b"Finf\n", b"K\x02")),
        ("a shape that lies", state(&array("I3\n", &[1.0, 2.0]), b"F1.5\n", b"K\x02")),
        ("a huge shape", state(&array("I4611686018427387904\nI4\n", &[1.0, 2.0]), b"F1.5\n", b"K\x02")),
        ("no features", state(&array("I0\n", &[]), b"F1.5\n", b"K\x00")),
        ("another width", state(&good, b"F1.5\n", b"K\x03")),
        ("three dimensions", state(&array("I1\nI1\nI2\n", &[1.0, 2.0]), b"F1.5\n", b"K\x02")),
        ("two intercepts", state(&good, &good, b"K\x02")),
        ("a computed array", state(b"cos\nsystem\n(U\x02idtR", b"F1.5\n", b"K\x02")),
        ("text", state(b"U\x02id", b"F1.5\n", b"K\x02")),
        ("nothing", b"U\x01aN".to_vec()),
    ] {
        let error = forged(&state).expect_err(what);
        assert!(matches!(error, LoadError::Attribute { .. }), "{what}: {error}");
    }
}

#[test]
fn attributes_that_hide_methods_are_refused() {
    let state = b"U\x07predictcsklearn.metrics._regression\nr2_score\n";
    let error = forged(state).unwrap_err();
    assert!(matches!(error, LoadError::Attribute { name: "predict", .. }), "{error}");
}

#[test]
fn files_that_loaders_read_differently_are_refused() {
    let whole = fixture("ridge/pickle2.pkl");
    let skops = fixture("ridge/model.skops");
    // `pickle.load` would run the raw bytes, which drop the wrapper, and give the first model.
    let wrapper = b"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}(U\x05shapeK\x02\x85U\x05orderU\x01CU\x05dtype\
        cnumpy\ndtype\n(U\x02u1I00\nI01\ntRub";
    let model = &whole[..whole.len() - 1];
    let both = [model, wrapper, b"0.", b"00", &whole[2..]].concat();
    let archive = [
        &b"\x80\x03C"[..],
        &[0],
        &whole[2..whole.len() - 1],
        &b"B"[..],
        &(skops.len() as u32).to_le_bytes(),
        &skops,
        b"0.",
    ];
    for (what, bytes) in [("joblib would", both), ("an archive", archive.concat())] {
        let error = Files::model(&bytes, None).load().unwrap_err();
        assert!(matches!(&error, LoadError::Format(why) if why.contains(what)), "{what}: {error}");
    }
}
