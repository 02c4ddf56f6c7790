//! Bad input: one clear error, the right exit code, nothing half-written.

use super::{Home, listing, mode};

#[test]
fn a_private_key_that_others_may_read_is_refused() {
    let home = Home::new();
    let model = home.model();
    home.run(&["keys", "create", "release"]).fine();
    for wide in [0o640, 0o604, 0o660] {
        mode(&home.configuration("keys/release.key"), wide);
        home.run(&["sign", &model, "--key", "release"]).ends(2).says("can be read by others");
    }
    assert_eq!(listing(&home.join("model")), ["MLmodel", "data"]);
}

#[test]
fn unusable_keys_say_what_they_are() {
    let home = Home::new();
    let model = home.model();
    home.run(&["keys", "create", "good"]).fine();
    let pem = std::fs::read_to_string(home.configuration("keys/good.key")).unwrap();
    let public = std::fs::read_to_string(home.configuration("keys/good.pub")).unwrap();
    let cut = &pem[..pem.len() / 2];
    let keys = [
        ("empty.key", "", "no PEM"),
        ("text.key", "hunter2\n", "no PEM"),
        ("cut.key", cut, "cut off or corrupt"),
        ("public.key", public.as_str(), "public key"),
        (
            "encrypted.key",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n-----END ENCRYPTED PRIVATE KEY-----\n",
            "encrypted",
        ),
        ("certificate.key", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", "CERTIFICATE"),
    ];
    for (name, content, says) in keys {
        let path = home.secret(name, content);
        let ended = home.run(&["sign", &model, "--key", &path]).ends(2).says(says);
        assert!(!ended.stderr.contains("hunter2"), "{ended:?}");
    }
    home.run(&["sign", &model, "--key", "none"]).ends(2).says("sealyard keys create none");
    home.run(&["sign", &model, "--key", "./none.key"]).ends(2).says("none.key");
    home.run(&["sign", &model, "--key", "/dev/zero"]).ends(2);
    assert_eq!(listing(&home.join("model")), ["MLmodel", "data"]);
}

#[test]
fn what_can_not_be_verified_is_neither_verified_nor_refused() {
    let home = Home::new();
    let model = home.signed_model();
    let verify = |arguments: &[&str]| home.run(&[&["verify", "model"], arguments].concat());
    let broken =
        [home.file("empty.sig", ""), home.file("text.sig", "{}"), home.file("large.sig", vec![b' '; (32 << 20) + 1])];
    for signature in &broken {
        verify(&[&model, "--key", "release", "--signature", signature]).ends(2);
    }
    verify(&[&model, "--key", "release", "--signature", "absent"]).ends(2).says("there is no signature");
    verify(&[&model, "--key", "release", "--signature", "/dev/zero"]).ends(2).says("not a regular file");
    verify(&["absent", "--key", "release", "--signature", "model/model.sig"]).ends(2).says("could not read the model");
    verify(&[&model, "--key", "absent"]).ends(2).says("there is no key");
    let private = home.configuration("keys/release.key");
    verify(&[&model, "--key", private.to_str().unwrap()]).ends(2).says("private key");
    verify(&[&model, "--certificate-chain", "absent.pem"]).ends(2).says("there is no certificate");
    let text = home.file("roots.pem", "text");
    verify(&[&model, "--certificate-chain", &text]).ends(2);
    // Nobody to trust, or two answers to who that is.
    verify(&[&model]).ends(2);
    verify(&[&model, "--key", "release", "--certificate-chain", &text]).ends(2);
}

#[test]
fn what_can_not_be_signed_leaves_nothing() {
    let home = Home::new();
    home.run(&["keys", "create", "release"]).fine();
    let sign = |target: &str| home.run(&["sign", target, "--key", "release"]);
    sign("absent").ends(2).says("is no folder");
    let file = home.file("file", "x");
    sign(&file).ends(2).says("is no folder");
    std::fs::create_dir(home.join("empty")).unwrap();
    sign("empty").ends(2);
    let model = home.model();
    std::os::unix::fs::symlink("/etc/passwd", home.join("model/link")).unwrap();
    sign(&model).ends(2).says("link");
    assert_eq!(listing(&home.join("model")), ["MLmodel", "data", "link"]);
    assert!(listing(&home.join("empty")).is_empty());
    for uri in ["models:/", "models:/a", "models:/a/0", "models:/../1", "models:a"] {
        sign(uri).ends(2).says("names no model version");
    }
}

#[test]
fn a_file_of_the_model_is_not_overwritten_by_its_signature() {
    let home = Home::new();
    let model = home.model();
    home.run(&["keys", "create", "release"]).fine();
    let ended = home.run(&["sign", &model, "--key", "release", "--signature", "model/MLmodel"]).ends(2);
    ended.says("is no signature");
    assert_eq!(std::fs::read_to_string(home.join("model/MLmodel")).unwrap(), "flavors: {}\n");
}

#[test]
fn usage_errors_end_with_two() {
    let home = Home::new();
    let commands: [&[&str]; 12] = [
        &[],
        &["no-such-command"],
        &["scan"],
        &["scan", ".", "--fail-on", "safe"],
        &["sign", "x"],
        &["gate", "check", "models:/a/1"],
        &["gate", "check", "models:/a/1", "--stage", "launch"],
        &["publish", "diabetes"],
        &["tokens", "create"],
        &["tokens", "create", "--scope", "everything"],
        &["grants", "set", "alice", "ROOT", "experiment:1"],
        &["grants", "set", "alice", "EDIT", "*"],
    ];
    for command in commands {
        home.run(command).ends(2);
    }
}

#[test]
fn no_server_is_could_not_with_advice() {
    let home = Home::new();
    let commands: [&[&str]; 8] = [
        &["whoami"],
        &["publish", "models:/a/1"],
        &["deploy", "models:/a/1"],
        &["gate", "check", "models:/a/1", "--stage", "publish"],
        &["promote", "models:/a/1", "--alias", "champion"],
        &["tokens", "list"],
        &["users", "create", "alice"],
        &["ledger", "verify"],
    ];
    for command in commands {
        home.run(command).ends(2).says("sealyard login");
        let away = [command, &["--server", "http://127.0.0.1:9"]].concat();
        home.run(&away).ends(2).says("could not be reached");
    }
}

#[test]
fn settings_that_can_not_be_meant_end_the_start() {
    let home = Home::new();
    let cases = [
        ("[listener]\n", "unknown field `listener`"),
        ("[server]\nlisten_on = \"127.0.0.1:0\"\n", "unknown field `listen_on`"),
        ("[server]\ntls = \"none\"\n", "expected tls"),
        ("[server]\nkey = \"tls.key\"\n", "expected tls"),
        ("[server]\ndatabase = \"postgresql://ada:hush@db/x\"\n", "database_password_file"),
        ("[server]\ndatabase_password_file = \"absent\"\n", "needs database"),
        ("[server]\nartifacts = \"ftp://x\"\n", "[server]"),
    ];
    for (text, says) in cases {
        let file = home.file("sealyard.toml", text);
        let ended = home.run(&["up", "--config", &file, "--data-dir", "data"]).ends(2).says(says);
        assert!(!ended.stderr.contains("hush"), "{ended:?}");
        assert!(!home.join("data").exists(), "{text}");
    }
    home.run(&["up", "--config", "absent.toml"]).ends(2).says("absent.toml");
}
