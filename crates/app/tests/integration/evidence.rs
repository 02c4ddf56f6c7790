use sealyard_app::AppError;
use sealyard_core::{Digest, Subject};
use sealyard_evidence::{Bundle, Statement, oms};
use sealyard_identity::{Edit, Read};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::model::EvidenceRecord;

use crate::gates::{provenance, sign};
use crate::harness::{TestApp, key, refused_by};

#[tokio::test(flavor = "multi_thread")]
async fn evidence_is_kept_as_it_came_and_told_of() {
    let test = TestApp::new().await;
    let (_, _, version) = test.good_version().await;
    let may = test.app.authorize(&test.admin, Edit, crate::harness::entry("m")).await.unwrap();
    let (tree, _) = test.write(|tx| tx.model_version_files("m", 1)).await;
    let signature = oms::sign(&tree, "m", &key("release")).unwrap();
    let by_root = test.app.add_evidence(&test.admin, &may, 1, signature.text().as_bytes().to_vec()).await.unwrap();
    let by_tree = sign(&provenance(), version.tree, "runner");
    let by_tree = test.app.add_evidence(&test.admin, &may, 1, by_tree.text().as_bytes().to_vec()).await.unwrap();
    let may_read = test.app.authorize(&test.admin, Read, crate::harness::entry("m")).await.unwrap();
    let found = test.app.version_evidence(&may_read, 1).await.unwrap();
    for added in [by_root, by_tree] {
        assert_eq!(found.iter().filter(|one| one.digest == added.digest && one.bundle == added.bundle).count(), 1);
        assert_eq!(added.added_by, "admin");
    }
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::EvidenceAdded { .. })).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_speaks_of_something_else_or_not_at_all_is_refused() {
    let test = TestApp::new().await;
    let (_, _, version) = test.good_version().await;
    let may = test.app.authorize(&test.admin, Edit, crate::harness::entry("m")).await.unwrap();
    let add = |bytes: &[u8]| test.app.add_evidence(&test.admin, &may, 1, bytes.to_vec());
    let other = sign(&provenance(), Digest::of(b"other"), "runner");
    refused_by(add(other.text().as_bytes()).await, "evidence.subject");
    for bytes in [b"".as_slice(), b"{}", b"not json", &[0xff; 100], "[".repeat(100_000).as_bytes()] {
        refused_by(add(bytes).await, "evidence.bundle");
    }
    refused_by(add(&vec![b' '; (8 << 20) + 1]).await, "evidence.size");
    let long = serde_json::json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "m", "digest": {"sha256": version.tree.to_hex()}}],
        "predicateType": format!("https://example.org/{}", "x".repeat(1024)),
        "predicate": {},
    });
    let long = Bundle::sign(&Statement::parse(long.to_string().as_bytes()).unwrap(), &key("runner")).unwrap();
    refused_by(add(long.text().as_bytes()).await, "evidence.size");
    let good = sign(&provenance(), version.tree, "runner");
    let result = test.app.add_evidence(&test.admin, &may, 9, good.text().as_bytes().to_vec()).await;
    assert!(matches!(result, Err(AppError::NotFound { .. })), "{result:?}");
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::EvidenceAdded { .. })).await, 0);
}

/// Each gate verifies all of it.
#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_limit_to_how_much_is_taken() {
    let test = TestApp::new().await;
    let (_, _, version) = test.good_version().await;
    let may = test.app.authorize(&test.admin, Edit, crate::harness::entry("m")).await.unwrap();
    let subject = version.tree;
    let first = test.write(move |tx| tx.evidence_for(&subject)).await.remove(0);
    test.write(move |tx| {
        for number in 0..1000_u32 {
            let mut more = first.clone();
            more.digest = Digest::of(&number.to_be_bytes());
            tx.add_evidence(&more)?;
        }
        Ok(())
    })
    .await;
    let more = Statement::new(&[Subject { name: "m".into(), digest: subject }], &provenance()).unwrap();
    let more = Bundle::sign(&more, &key("runner")).unwrap();
    refused_by(test.app.add_evidence(&test.admin, &may, 1, more.text().as_bytes().to_vec()).await, "evidence.size");
}

/// All of it is one answer, which clients must be able to take.
#[tokio::test(flavor = "multi_thread")]
async fn few_large_bundles_are_too_much_as_well() {
    let test = TestApp::new().await;
    let (_, _, version) = test.good_version().await;
    let may = test.app.authorize(&test.admin, Edit, crate::harness::entry("m")).await.unwrap();
    let subject = version.tree;
    let first = test.write(move |tx| tx.evidence_for(&subject)).await.remove(0);
    test.write(move |tx| {
        for number in 0..3_u32 {
            let digest = Digest::of(&number.to_be_bytes());
            tx.add_evidence(&EvidenceRecord { digest, bundle: "\"".repeat(8 << 20), ..first.clone() })?;
        }
        Ok(())
    })
    .await;
    let more = sign(&provenance(), version.tree, "runner");
    refused_by(test.app.add_evidence(&test.admin, &may, 1, more.text().as_bytes().to_vec()).await, "evidence.size");
    let may_read = test.app.authorize(&test.admin, Read, crate::harness::entry("m")).await.unwrap();
    let all = test.app.version_evidence(&may_read, 1).await.unwrap();
    assert!(serde_json::to_vec(&all).unwrap().len() < 64 << 20);
}
