use sealyard_app::AppError;
use sealyard_core::Digest;
use sealyard_ledger::{Act, Outcome};

use crate::gates::denied_by;
use crate::harness::{POLICY, TestApp, is_conflict, model, refused_by, start};

const CHAMPION: &str = "champion";

impl TestApp {
    async fn points_at(&self, alias: &'static str) -> Option<u32> {
        self.write(move |tx| tx.version_by_alias("m", alias)).await
    }

    async fn set(&self, caller: &sealyard_app::Caller, alias: &str) -> Result<(), AppError> {
        self.app.set_alias(caller, model("m"), alias.to_owned(), 1).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_alias_takes_the_right_the_gate_and_a_published_version() {
    let test = TestApp::new().await;
    test.version_without("").await;
    let eve = test.user("eve", &[("registered-model:m", "EDIT")]).await;
    let ada = test.user("ada", &[("registered-model:m", "READ"), ("registered-model:m", "act:promote")]).await;
    refused_by(test.set(&eve, CHAMPION).await, "authorization");
    refused_by(test.set(&ada, CHAMPION).await, "alias.unpublished");
    assert_eq!(test.points_at(CHAMPION).await, None);
    test.publish().await.unwrap();
    refused_by(test.set(&eve, CHAMPION).await, "authorization");
    test.set(&ada, CHAMPION).await.unwrap();
    assert_eq!(test.points_at(CHAMPION).await, Some(1));
    refused_by(test.app.delete_alias(&eve, model("m"), CHAMPION.into()).await, "authorization");
    assert_eq!(test.points_at(CHAMPION).await, Some(1));
    test.app.delete_alias(&ada, model("m"), CHAMPION.into()).await.unwrap();
    assert_eq!(test.points_at(CHAMPION).await, None);

    // Another alias is anybody's who may edit.
    test.set(&eve, "candidate").await.unwrap();
    refused_by(test.set(&ada, "candidate").await, "authorization");
    test.app.delete_alias(&eve, model("m"), "candidate".into()).await.unwrap();

    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::AliasSet { .. })).await, 2);
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::AliasDeleted { .. })).await, 2);
    let unpublished = |act: &Act| matches!(act, Act::AccessDenied { rule, .. } if rule == "alias.unpublished");
    assert_eq!(test.count(Outcome::Refused, unpublished).await, 1);
    let decided = |act: &Act| matches!(act, Act::GateDecided { stage, .. } if stage == "publish");
    assert_eq!(test.count(Outcome::Done, decided).await, 3);
}

/// It was let through once; now the policy has another mind, or its evidence is gone.
#[tokio::test(flavor = "multi_thread")]
async fn the_publish_gate_is_asked_again_for_a_protected_alias() {
    let test = TestApp::new().await;
    test.version_without("").await;
    test.publish().await.unwrap();
    test.sql("DELETE FROM evidence WHERE predicate_type LIKE '%provenance%'");
    let error = test.set(&test.admin, CHAMPION).await.unwrap_err();
    assert!(matches!(&error, AppError::GateDenied(_)) && error.rules()[0].starts_with("provenance."), "{error}");
    assert_eq!(test.points_at(CHAMPION).await, None);
    let denied = |act: &Act| matches!(act, Act::GateDecided { allowed: false, .. });
    assert_eq!(test.count(Outcome::Refused, denied).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mark_alone_does_not_make_a_champion() {
    let test = TestApp::new().await;
    test.version_without("signature").await;
    test.write(|tx| tx.mark_published("m", 1, Digest::of(b"no attestation"), start())).await;
    denied_by(test.set(&test.admin, CHAMPION).await, &["signature.signer", "signature.covers-tree"]);
}

/// A policy that knows environments is asked about the one that the version was published for.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_published_for_an_environment_can_become_champion() {
    let policy = POLICY.replace("[deploy]", "environments = [\"production\"]\n[deploy]");
    let test = TestApp::with_policy(Some(&policy)).await;
    test.version_without("").await;
    denied_by(test.publish().await, &["policy.environment"]);
    denied_by(test.set(&test.admin, CHAMPION).await, &["policy.environment"]);
    let may = test.app.authorize(&test.admin, sealyard_identity::Publish, crate::harness::entry("m")).await.unwrap();
    let environment = Some("production".to_owned());
    let request = sealyard_app::PublishRequest { name: "m".into(), version: 1, environment };
    test.app.publish(&test.admin, &may, request).await.unwrap();
    test.set(&test.admin, CHAMPION).await.unwrap();
    assert_eq!(test.points_at(CHAMPION).await, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_changes_while_the_gate_decides_does_not_become_champion() {
    let test = TestApp::new().await;
    test.version_without("").await;
    test.publish().await.unwrap();
    test.store.before_next_write(|tx| {
        tx.mark_published("m", 1, Digest::of(b"another attestation"), start()).unwrap();
    });
    is_conflict(test.set(&test.admin, CHAMPION).await);
    assert!(test.store.has_meddled());
    assert_eq!(test.points_at(CHAMPION).await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn aliases_point_at_versions_that_are_there() {
    let test = TestApp::new().await;
    test.version_without("").await;
    for (alias, version) in [("candidate", 9), (CHAMPION, 9)] {
        let result = test.app.set_alias(&test.admin, model("m"), alias.into(), version).await;
        assert!(matches!(result, Err(AppError::NotFound { .. })), "{result:?}");
    }
    for alias in ["v1", "latest", "", "a b"] {
        assert!(matches!(test.set(&test.admin, alias).await, Err(AppError::Invalid(_))));
    }
}
