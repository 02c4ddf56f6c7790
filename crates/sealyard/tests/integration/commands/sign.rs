//! Signing a registered model: what is signed is what was downloaded and hashed.

use sealyard_core::{Digest, FileEntry, FileTree, TreePath};
use serde_json::json;

use super::Home;
use super::fake::Fake;

const FILES: &str = "/api/sealyard/v1/models/diabetes/versions/3/files/";

fn tree(content: &[u8]) -> FileTree {
    let entry = |path: &str, content: &[u8]| FileEntry {
        path: TreePath::new(path).unwrap(),
        size: content.len() as u64,
        digest: Digest::of(content),
        executable: false,
    };
    FileTree::new([entry("MLmodel", content), entry("data/w", b"123")]).unwrap()
}

/// A server with the tree of `listed` that hands out `sent`.
fn server(listed: &[u8], digest: Option<Digest>, version: u32, sent: &str) -> Fake {
    let tree = tree(listed);
    let digest = digest.unwrap_or_else(|| tree.digest());
    let manifest = json!({"name": "diabetes", "version": version, "digest": digest, "files": tree});
    let path = |rest: &str| -> &'static str { Box::leak(format!("GET {FILES}{rest}").into_boxed_str()) };
    Fake::start(vec![
        (path("MLmodel"), 200, sent.to_owned()),
        (path("data/w"), 200, "123".to_owned()),
        ("GET /api/sealyard/v1/models/diabetes/versions/3/manifest", 200, manifest.to_string()),
        ("POST /api/sealyard/v1/models/diabetes/versions/3/evidence", 200, "{}".to_owned()),
    ])
}

fn sign(home: &Home, fake: &Fake) -> super::Ended {
    home.run(&["sign", "models:/diabetes/3", "--key", "release", "--server", &fake.url])
}

fn uploads(fake: &Fake) -> usize {
    fake.lines().iter().filter(|line| line.starts_with("POST")).count()
}

#[test]
fn the_bundle_that_is_uploaded_is_over_the_files() {
    let home = Home::new();
    home.run(&["keys", "create", "release"]).fine();
    let fake = server(b"flavors", None, 3, "flavors");
    // The fake's answer names no digest, so the upload is not believed.
    sign(&home, &fake).ends(2);
    assert_eq!(fake.lines().iter().filter(|line| line.contains("/files/")).count(), 2);
    let sent = fake.asked().into_iter().find(|asked| asked.line.starts_with("POST")).unwrap().body;
    // What was sent verifies against a folder with the same files.
    home.file("copy/MLmodel", "flavors");
    home.file("copy/data/w", "123");
    let signature = home.file("sent.sig", sent);
    home.run(&["verify", "model", "copy", "--signature", &signature, "--key", "release"]).fine();
}

#[test]
fn files_that_are_not_the_listed_ones_are_not_signed() {
    let home = Home::new();
    home.run(&["keys", "create", "release"]).fine();
    for sent in ["flavorz", "", "flavor", "flavors and more"] {
        let fake = server(b"flavors", None, 3, sent);
        sign(&home, &fake).ends(1).says("MLmodel").says("nothing was signed");
        assert_eq!(uploads(&fake), 0, "{sent}");
    }
}

#[test]
fn a_list_that_contradicts_itself_is_not_signed() {
    let home = Home::new();
    home.run(&["keys", "create", "release"]).fine();
    for (digest, version) in [(Some(Digest::of(b"other")), 3), (None, 2)] {
        let fake = server(b"flavors", digest, version, "flavors");
        sign(&home, &fake).ends(1).says("nothing was signed");
        assert_eq!(uploads(&fake), 0);
    }
}

#[test]
fn a_list_that_leaves_the_folder_is_not_read() {
    let home = Home::new();
    home.run(&["keys", "create", "release"]).fine();
    let digest = Digest::of(b"x");
    let files = json!([{"path": "../../x", "size": 1, "digest": digest}]);
    let manifest = json!({"name": "diabetes", "version": 3, "digest": digest, "files": files}).to_string();
    let fake = Fake::start(vec![("GET /api/sealyard/v1/models/diabetes/versions/3/manifest", 200, manifest)]);
    sign(&home, &fake).ends(2);
    assert_eq!(fake.lines().len(), 1);
}
