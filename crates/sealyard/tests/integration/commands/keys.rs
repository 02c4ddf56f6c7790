use super::{Home, listing, mode_of};

#[test]
fn a_key_is_private_and_listed_and_its_public_half_is_shown() {
    let home = Home::new();
    home.run(&["keys", "list"]).fine().says("sealyard keys create");
    for (name, curve) in [("one", "p256"), ("two", "p384"), ("three", "p521")] {
        home.run(&["keys", "create", name, "--curve", curve]).fine();
        assert_eq!(mode_of(&home.configuration(&format!("keys/{name}.key"))), 0o600);
    }
    assert_eq!(mode_of(&home.configuration("keys")), 0o700);
    let listed = home.run(&["keys", "list", "--format", "json"]).fine().json();
    let curves: Vec<_> = listed.as_array().unwrap().iter().map(|key| key["curve"].as_str().unwrap()).collect();
    assert_eq!(curves, ["P-256", "P-521", "P-384"]);
    let shown = home.run(&["keys", "show", "two"]).fine();
    assert!(shown.stdout.starts_with("-----BEGIN PUBLIC KEY-----"));
    assert!(!shown.stdout.contains("PRIVATE"));
}

#[test]
fn a_key_is_never_replaced() {
    let home = Home::new();
    home.run(&["keys", "create", "release"]).fine();
    let before = std::fs::read(home.configuration("keys/release.key")).unwrap();
    home.run(&["keys", "create", "release"]).ends(2).says("exists already");
    assert_eq!(std::fs::read(home.configuration("keys/release.key")).unwrap(), before);
}

#[test]
fn a_key_may_be_put_elsewhere_and_used_by_its_file() {
    let home = Home::new();
    home.run(&["keys", "create", "ci", "--output", "here"]).fine().prints("here/ci.pub");
    assert_eq!(listing(&home.join("here")), ["ci.key", "ci.pub"]);
    let model = home.model();
    home.run(&["sign", &model, "--key", "here/ci.key"]).fine();
    home.run(&["verify", "model", &model, "--key", "here/ci.pub"]).fine();
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    let home = Home::new();
    for name in ["../x", "a/b", "..", "a b", ".x", ""] {
        home.run(&["keys", "create", name]).ends(2);
    }
    assert!(!home.join("config").exists());
}

#[test]
fn a_damaged_key_does_not_hide_the_others() {
    let home = Home::new();
    home.run(&["keys", "create", "good"]).fine();
    home.file("config/sealyard/keys/bad.pub", "nonsense");
    home.run(&["keys", "list"]).ends(2).prints("good").says("bad.pub");
}
