use sealyard_app::{AppError, Credentials};
use sealyard_ledger::{Act, Outcome};

use crate::harness::{PASSWORD, TestApp, password, refused_by};

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_row_is_told_once_and_lets_nobody_in() {
    let test = TestApp::new().await;
    let bob = test.user("bob", &[]).await;
    let token = test.token(&bob, &["all"]).await;
    test.user("ada", &[]).await;
    assert!(test.app.look_for_damaged_rows().await.unwrap().is_empty());
    test.sql("UPDATE users SET admin = 1 WHERE name = 'bob'");
    for _ in 0..2 {
        let found = test.app.look_for_damaged_rows().await.unwrap();
        assert_eq!((found.len(), found[0].table), (1, "users"));
    }
    let told = |act: &Act| matches!(act, Act::CatalogDamaged { table, .. } if table == "users");
    assert_eq!(test.count(Outcome::Failed, told).await, 1);
    let proof = |name: &str| Credentials::Password { name: name.into(), password: password(PASSWORD) };
    refused_by(test.app.authenticate(proof("bob"), None, None).await, "catalog.damaged");
    refused_by(test.app.authenticate(Credentials::Token(token), None, None).await, "catalog.damaged");
    test.app.authenticate(proof("ada"), None, None).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_was_widened_is_none() {
    let test = TestApp::new().await;
    let experiment = test.experiment("one").await;
    let bob = test.user("bob", &[(&format!("experiment:{}", experiment.as_str()), "READ")]).await;
    let ada = test.user("ada", &[(&format!("experiment:{}", experiment.as_str()), "READ")]).await;
    test.sql("UPDATE grants SET permission = 'MANAGE' WHERE grantee = 'principal:u2'");
    test.app.reload_grants().await.unwrap();
    let read = async |caller| test.app.authorize(caller, sealyard_identity::Read, experiment.clone()).await;
    assert!(matches!(read(&bob).await, Err(AppError::Denied { .. })));
    assert!(read(&ada).await.is_ok());
}
