use std::sync::Arc;

use sealyard_app::AppError;
use sealyard_identity::{Edit, Read, ResourcePattern};
use sealyard_ledger::{Act, Outcome};

use crate::harness::{TestApp, name, refused_by};

#[tokio::test(flavor = "multi_thread")]
async fn grants_take_effect_at_once() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let pattern = format!("experiment:{experiment}");
    let ada = test.user("ada", &[]).await;
    refused_by(test.app.authorize(&ada, Read, experiment.clone()).await, "authorization");
    test.grant("ada", &pattern, "EDIT").await.unwrap();
    assert!(test.app.authorize(&ada, Edit, experiment.clone()).await.is_ok());
    test.grant("ada", &pattern, "READ").await.unwrap();
    refused_by(test.app.authorize(&ada, Edit, experiment.clone()).await, "authorization");
    assert!(test.app.may(&ada, Read, experiment.clone()));
    let may = test.administer().await;
    let parsed: ResourcePattern = pattern.parse().unwrap();
    test.app.remove_grant(&test.admin, &may, &name("ada"), parsed, "READ".parse().unwrap()).await.unwrap();
    assert!(!test.app.may(&ada, Read, experiment));
    assert!(matches!(test.grant("nobody", &pattern, "READ").await, Err(AppError::NotFound { .. })));
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::GrantSet { .. })).await, 2);
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::GrantRemoved { .. })).await, 1);
    assert_eq!(test.count(Outcome::Refused, |act| matches!(act, Act::AccessDenied { .. })).await, 2);
}

/// An administrator who takes a right away and hangs up has taken it away.
#[tokio::test(flavor = "multi_thread")]
async fn a_grant_whose_administrator_hangs_up_takes_effect_too() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let pattern = format!("experiment:{experiment}");
    let ada = test.user("ada", &[(&pattern, "EDIT")]).await;
    for (round, right) in ["READ", "EDIT", "READ", "EDIT", "READ"].into_iter().enumerate() {
        let may = test.administer().await;
        let (app, admin) = (Arc::clone(&test.app), test.admin.clone());
        let parsed: ResourcePattern = pattern.parse().unwrap();
        let right = right.parse().unwrap();
        // Polled once, so that the change is handed in, and dropped.
        let mut change = Box::pin(async move { app.set_grant(&admin, &may, &name("ada"), parsed, right).await });
        let _ = futures::poll!(&mut change);
        drop(change);
        let wanted = round % 2 == 1;
        let begun = std::time::Instant::now();
        while test.app.may(&ada, Edit, experiment.clone()) != wanted {
            assert!(begun.elapsed().as_secs() < 5, "the grant has no effect");
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
    }
}
