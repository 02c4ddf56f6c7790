use std::path::Path;

use serde_json::Value;

use super::Home;

fn corpus(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../corpus").join(path);
    path.canonicalize().unwrap().to_str().unwrap().to_owned()
}

#[test]
fn a_dangerous_file_is_found() {
    let home = Home::new();
    let path = corpus("pickle-dangerous-global/bad/nt.pkl");
    for words in [&["scan"][..], &["scan", "model"], &["scan", "auto"]] {
        let report = home.run(&[words, &[&path, "--format", "json"]].concat()).ends(1).json();
        assert_eq!(report["schema"], "sealyard.scan/1");
        assert_eq!(report["summary"]["verdict"], "unsafe");
        assert_eq!(report["subjects"][0]["path"], path.as_str());
        assert_eq!(report["subjects"][0]["findings"][0]["rule"], "pickle-dangerous-global");
        assert_eq!(report["subjects"][0]["digest"], Value::Null);
    }
    home.run(&["scan", &path]).ends(1).prints("pickle-dangerous-global");
}

#[test]
fn all_subjects_are_reported_and_the_threshold_decides() {
    let home = Home::new();
    let model = home.model();
    let report = home.run(&["scan", &model, "--format", "json", "--digest"]).fine().json();
    assert_eq!(report["summary"]["subjects"], 2);
    assert!(report["subjects"][0]["digest"].as_str().unwrap().starts_with("sha256:"));
    let bad = corpus("pickle-dangerous-global/bad/nt.pkl");
    let report = home.run(&["scan", &model, &bad, "--format", "json"]).ends(1).json();
    assert_eq!((report["summary"]["subjects"].as_u64(), report["summary"]["unsafe"].as_u64()), (Some(3), Some(1)));
    home.run(&["scan", &bad, "--fail-on", "critical"]).ends(1);
    home.run(&["scan", &bad, "--fail-on", "sometimes"]).ends(2);
}

#[test]
fn what_was_not_assessed_is_never_fine_and_findings_win() {
    let home = Home::new();
    home.run(&["scan", "absent"]).ends(2).prints("not_assessed");
    std::fs::create_dir(home.join("empty")).unwrap();
    home.run(&["scan", "empty"]).ends(2);
    let model = home.model();
    std::os::unix::fs::symlink("/etc/passwd", home.join("model/link")).unwrap();
    home.run(&["scan", &model]).ends(2).prints("symbolic link");
    home.run(&["scan", &model, &corpus("pickle-dangerous-global/bad/nt.pkl")]).ends(1);
    home.run(&["scan", "code", "."]).ends(2).says("no scanner for code");
}

#[test]
fn sarif_goes_to_a_file() {
    let home = Home::new();
    let path = corpus("pickle-dangerous-global/bad/nt.pkl");
    let ended = home.run(&["scan", &path, "--format", "sarif", "--output", "out.sarif"]).ends(1);
    assert!(ended.stdout.is_empty());
    let sarif: Value = serde_json::from_slice(&std::fs::read(home.join("out.sarif")).unwrap()).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    assert_eq!(sarif["runs"][0]["results"][0]["ruleId"], "pickle-dangerous-global");
    home.run(&["scan", &path, "--output", "absent/out.txt"]).ends(2).says("could not write");
}
