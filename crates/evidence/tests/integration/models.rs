use sealyard_core::{Digest, FileTree, Hasher, Subject};
use sealyard_evidence::oms::{self, OmsError};
use sealyard_evidence::predicate::{HashType, Method, ModelSignature, Resource, Serialization};
use sealyard_evidence::{Bundle, Predicate, Statement, Trust, TrustedKeys, VerifyError, verify};

use crate::{key, now, scan_bundle, tree, trust};

const FILES: [(&str, &str); 5] =
    [("a.b", "1"), ("a/b", "2"), ("sub/empty.txt", ""), ("sub/tok é.json", "3"), (".gitignore", "*.tmp")];

fn trusting(keys: TrustedKeys) -> Trust {
    Trust { keys, ..Trust::default() }
}

fn check(bundle: &Bundle, tree: &FileTree) -> Result<oms::Coverage, OmsError> {
    let trust = trusting(trust(&[("release", &key(1))]));
    oms::verify(bundle, tree, &trust, now()).map(|(_, coverage)| coverage)
}

fn signature(bundle: &Bundle) -> ModelSignature {
    match verify(bundle, &trust(&[("release", &key(1))])).unwrap().predicate() {
        Predicate::ModelSignature(signature) => signature.clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_signed_is_what_the_reference_signs() {
    let bundle = oms::sign(&tree(&FILES), "model", &key(1)).unwrap();
    let signature = signature(&bundle);
    let names: Vec<_> = signature.resources.iter().map(|resource| resource.name.as_str()).collect();
    // Path by path, component by component; `.gitignore` is left out.
    assert_eq!(names, ["a/b", "a.b", "sub/empty.txt", "sub/tok é.json"]);
    assert_eq!(signature.serialization.ignore_paths, oms::IGNORED);
    let mut root = Hasher::default();
    for content in ["2", "1", "", "3"] {
        root.update(Digest::of(content.as_bytes()).as_bytes());
    }
    let subjects = bundle.claimed_statement().unwrap().subjects().unwrap();
    assert_eq!(subjects, [Subject { name: "model".into(), digest: root.finish() }]);
}

#[test]
fn exactly_the_signed_files_verify() {
    let bundle = oms::sign(&tree(&FILES[..4]), "model", &key(1)).unwrap();
    assert!(check(&bundle, &tree(&FILES[..4])).unwrap().is_exact());

    let difference = |files: &[(&str, &str)]| match check(&bundle, &tree(files)) {
        Err(OmsError::Files(coverage)) => coverage,
        other => panic!("{other:?}"),
    };
    assert_eq!(difference(&FILES[..3]).missing, ["sub/tok é.json"]);
    let mut files = FILES;
    files[0].1 = "changed";
    assert_eq!(difference(&files[..4]).changed, ["a.b"]);
    files = FILES;
    files[4].0 = "sub/.gitignore";
    assert_eq!(difference(&files).unlisted, ["sub/.gitignore"]);
    // Contents exchanged under the same root digest: names are bound.
    let exchanged = [("a.b", "2"), ("a/b", "1"), FILES[2], FILES[3]];
    assert_eq!(difference(&exchanged).changed, ["a.b", "a/b"]);
    let renamed = [("a/b", "2"), ("a.c", "1"), FILES[2], FILES[3]];
    assert_eq!((difference(&renamed).missing, difference(&renamed).unlisted), (vec!["a.b".into()], vec!["a.c".into()]));
}

#[test]
fn ignored_files_are_reported_and_are_not_exact() {
    let bundle = oms::sign(&tree(&FILES), "model", &key(1)).unwrap();
    let mut files = FILES.to_vec();
    files.push((".git/hooks/post-checkout", "curl | sh"));
    let coverage = check(&bundle, &tree(&files)).unwrap();
    assert_eq!(coverage.ignored, [".git/hooks/post-checkout", ".gitignore"]);
    assert!(coverage.is_accepted() && !coverage.is_exact());
    // Only at the top, and not by prefix.
    files.push((".github2", ""));
    assert!(
        matches!(check(&bundle, &tree(&files)), Err(OmsError::Files(coverage)) if coverage.unlisted == [".github2"])
    );
    assert!(matches!(oms::sign(&tree(&FILES[4..]), "m", &key(1)), Err(OmsError::NothingToSign)));
}

#[test]
fn a_stranger_or_another_kind_of_evidence_is_refused() {
    let tree = tree(&FILES[..4]);
    let stranger = oms::sign(&tree, "model", &key(2)).unwrap();
    assert!(matches!(check(&stranger, &tree), Err(OmsError::Verify(VerifyError::UnknownKey(_)))));
    assert!(matches!(check(&scan_bundle(&key(1)), &tree), Err(OmsError::NotAModelSignature(_))));
}

/// Signs whatever list, with a root digest that fits unless told otherwise.
fn signed(method: Method, resources: &[(&str, &str)], edit: impl FnOnce(&mut ModelSignature)) -> Bundle {
    let mut root = Hasher::default();
    let resource = |&(name, content): &(&str, &str)| {
        root.update(Digest::of(content.as_bytes()).as_bytes());
        Resource { name: name.into(), algorithm: "sha256".into(), digest: Digest::of(content.as_bytes()).to_hex() }
    };
    let resources = resources.iter().map(resource).collect();
    let serialization = Serialization {
        method,
        hash_type: HashType::Sha256,
        allow_symlinks: false,
        ignore_paths: vec![],
        shard_size: None,
    };
    let mut signature = ModelSignature { resources, serialization };
    let subject = Subject { name: "m".into(), digest: root.finish() };
    edit(&mut signature);
    Bundle::sign(&Statement::new(&[subject], &signature).unwrap(), &key(1)).unwrap()
}

#[test]
fn signed_lists_that_make_no_sense_are_refused() {
    let tree = tree(&[("a", "1")]);
    let check = |resources: &[(&str, &str)], edit: fn(&mut ModelSignature)| {
        check(&signed(Method::Files, resources, edit), &tree)
    };
    assert!(check(&[("a", "1")], |_| {}).unwrap().is_exact());
    assert!(matches!(check(&[("a", "1"), ("a", "1")], |_| {}), Err(OmsError::Twice(_))));
    for path in ["../a", "/a", "a//b", ""] {
        assert!(matches!(check(&[(path, "1")], |_| {}), Err(OmsError::Path(_))), "{path}");
    }
    let root = |signature: &mut ModelSignature| signature.resources[0].digest = Digest::of(b"2").to_hex();
    assert!(matches!(check(&[("a", "1")], root), Err(OmsError::Root)));
    let algorithm = |signature: &mut ModelSignature| signature.resources[0].algorithm = "blake3".into();
    assert!(matches!(check(&[("a", "1")], algorithm), Err(OmsError::Hash)));
    let hash_type = |signature: &mut ModelSignature| signature.serialization.hash_type = HashType::Blake2b;
    assert!(matches!(check(&[("a", "1")], hash_type), Err(OmsError::Hash)));
    let short = |signature: &mut ModelSignature| signature.resources[0].digest = "ab".into();
    assert!(matches!(check(&[("a", "1")], short), Err(OmsError::Hash)));
}

#[test]
fn files_of_one_shard_are_compared() {
    let files = [("a", "one"), ("bb:c", "two")];
    let shards = [("a:0:3", "one"), ("bb:c:0:3", "two")];
    assert!(check(&signed(Method::Shards, &shards, |_| {}), &tree(&files)).unwrap().is_exact());
    let part = signed(Method::Shards, &[("a:0:2", "one"), shards[1]], |_| {});
    assert!(matches!(check(&part, &tree(&files)), Err(OmsError::Files(coverage)) if coverage.changed == ["a"]));
    for name in ["a:1:3", "a", "a:0", "a:0:x"] {
        let bundle = signed(Method::Shards, &[(name, "one")], |_| {});
        assert!(matches!(check(&bundle, &tree(&files)), Err(OmsError::Shards(_))), "{name}");
    }
    // Nobody signed the empty file, so it is reported.
    let empty = [files[0], files[1], ("empty", "")];
    assert_eq!(check(&signed(Method::Shards, &shards, |_| {}), &tree(&empty)).unwrap().ignored, ["empty"]);
}

#[test]
fn a_signature_inside_the_folder_is_no_part_of_the_model() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("sub")).unwrap();
    std::fs::write(folder.path().join("sub/weights"), "1").unwrap();
    let file = folder.path().join("model.sig");
    let trust = trusting(trust(&[("release", &key(1))]));
    for _ in 0..2 {
        let bundle = oms::sign_directory(folder.path(), Some(&file), &key(1)).unwrap();
        assert!(signature(&bundle).serialization.ignore_paths.contains(&"model.sig".to_owned()));
        std::fs::write(&file, bundle.text()).unwrap();
        let (evidence, coverage) = oms::verify_directory(&bundle, folder.path(), Some(&file), &trust, now()).unwrap();
        assert_eq!(evidence.signer_name(), Some("release"));
        assert!(coverage.is_exact());
    }
    let bundle = Bundle::parse(&std::fs::read(&file).unwrap()).unwrap();
    std::fs::write(folder.path().join("sub/more"), "2").unwrap();
    let refused = oms::verify_directory(&bundle, folder.path(), Some(&file), &trust, now());
    assert!(matches!(refused, Err(OmsError::Files(coverage)) if coverage.unlisted == ["sub/more"]));
}
