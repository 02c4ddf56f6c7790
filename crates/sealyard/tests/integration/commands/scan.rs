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
    home.run(&["scan", "absent"]).ends(2).says("there is no file or folder absent");
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

#[test]
fn what_somebody_accepted_does_not_count_until_it_changes() {
    let home = Home::new();
    let bad = std::fs::read(corpus("pickle-dangerous-global/bad/nt.pkl")).unwrap();
    home.file("m/a.pkl", "");
    std::fs::write(home.join("m/a.pkl"), &bad).unwrap();
    home.run(&["scan", "m", "--write-baseline", "known.json"]).ends(1).says("findings are in known.json");
    home.run(&["scan", "m", "--baseline", "known.json"]).fine().prints("accepted");
    std::fs::write(home.join("m/a.pkl"), [&bad[..], b"."].concat()).unwrap();
    home.run(&["scan", "m", "--baseline", "known.json"]).ends(1);
    std::fs::write(home.join("m/a.pkl"), &bad).unwrap();

    let report = home.run(&["scan", "m", "--digest", "--format", "json"]).ends(1).json();
    let rules: Vec<&str> =
        report["subjects"][0]["findings"].as_array().unwrap().iter().map(|one| one["rule"].as_str().unwrap()).collect();
    let digest = report["subjects"][0]["digest"].as_str().unwrap();
    let exceptions = |expires: &str| {
        let of = |rule: &&str| {
            format!("[[exception]]\ndigest = \"{digest}\"\nrule = \"{rule}\"\nreason = \"seen\"\nexpires = {expires}\n")
        };
        home.file("exceptions.toml", rules.iter().map(of).collect::<String>())
    };
    exceptions("2126-01-01");
    let report = home.run(&["scan", "m", "--exceptions", "exceptions.toml", "--format", "json"]).fine().json();
    assert_eq!(report["subjects"][0]["accepted"][0]["reason"], "seen");
    assert_eq!(report["subjects"][0]["findings"], serde_json::json!([]));
    exceptions("2026-01-01");
    home.run(&["scan", "m", "--exceptions", "exceptions.toml"]).ends(1).says("ended on 2026-01-01");
    home.file(
        "exceptions.toml",
        "[[exception]]\npath = \"m/a.pkl\"\nrule = \"no-such\"\nreason = \"x\"\nexpires = 2126-01-01\n",
    );
    home.run(&["scan", "m", "--exceptions", "exceptions.toml"]).ends(2).says("there is no rule \"no-such\"");
}

#[test]
fn what_is_looked_at_can_be_chosen() {
    let home = Home::new();
    let bad = std::fs::read(corpus("pickle-dangerous-global/bad/nt.pkl")).unwrap();
    home.file("m/sub/a.pkl", "");
    std::fs::write(home.join("m/sub/a.pkl"), &bad).unwrap();
    home.file("m/b.txt", "words\n");
    let names = |words: &[&str], exit| {
        let report = home.run(&[&["scan", "--format", "json"], words].concat()).ends(exit).json();
        let subjects = report["subjects"].as_array().unwrap();
        subjects.iter().map(|subject| subject["path"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(names(&["m"], 1), ["m/b.txt", "m/sub/a.pkl"]);
    assert_eq!(names(&["m", "--exclude", "*.pkl"], 0), ["m/b.txt"]);
    assert_eq!(names(&["m", "--exclude", "sub"], 0), ["m/b.txt"]);
    assert_eq!(names(&["m/**/*.pkl"], 1), ["m/sub/a.pkl"]);
    home.run(&["scan", "m/**/*.onnx"]).ends(2).says("nothing is there that the pattern");
    home.run(&["scan", "m", "--exclude", "***"]).ends(2).says("--exclude");
    home.run(&["scan", "m", "--rule", "pickle-dangerous-global"]).ends(1);
    home.run(&["scan", "m", "--rule", "npy-object-array"]).fine();
    home.run(&["scan", "m", "--rule", "pickle-dangerous-globl"]).ends(2).says("pickle-dangerous-global");
    // What lies in a folder that matches as well is looked at once.
    assert_eq!(names(&["m/**/*"], 1), ["m/b.txt", "m/sub/a.pkl"]);
    assert_eq!(names(&["m/*", "--exclude", "sub"], 0), ["m/b.txt"]);
    home.file("model/a.txt", "words\n");
    home.run(&["scan", "model", "m/b.txt"]).ends(2).says("write ./model");
    home.run(&["scan", "./model", "m/b.txt"]).fine();
    home.run(&["scan", "-", "-"]).ends(2).says("can be read once");
}

#[test]
fn other_formats_say_the_same() {
    let home = Home::new();
    let path = corpus("pickle-dangerous-global/bad/nt.pkl");
    home.run(&["scan", &path, "--format", "junit"]).ends(1).prints("<failure type=\"pickle-dangerous-global\"");
    let bom = home.run(&["scan", &path, "--digest", "--format", "cyclonedx"]).ends(1).json();
    assert_eq!((&bom["specVersion"], &bom["components"][0]["hashes"][0]["alg"]), (&"1.6".into(), &"SHA-256".into()));
    home.run(&["scan", &path, "--explain"]).ends(1).prints("pickle-dangerous-global: ");
    home.run(&["version", "--format", "junit"]).ends(2);
}
