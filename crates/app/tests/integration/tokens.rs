use sealyard_app::{AppError, NewToken};
use sealyard_identity::{Edit, Read, Scope};
use sealyard_ledger::{Act, Outcome};

use crate::harness::{TestApp, refused_by, start};

fn all(expires: Option<sealyard_core::Timestamp>) -> NewToken {
    NewToken { scopes: vec![Scope::All], expires }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_what_its_scopes_and_its_owner_may() {
    let test = TestApp::new().await;
    let (mine, other) = (test.experiment("mine").await, test.experiment("other").await);
    let ada = test.user("ada", &[(&format!("experiment:{mine}"), "EDIT")]).await;
    let wide = test.token(&ada, &[&format!("experiment:{mine}:manage"), &format!("experiment:{other}:edit")]).await;
    let wide = test.with_token(&wide).await.unwrap();
    assert!(test.app.authorize(&wide, Edit, mine.clone()).await.is_ok());
    refused_by(test.app.authorize(&wide, Read, other.clone()).await, "authorization");
    refused_by(test.app.authorize(&wide, sealyard_identity::Manage, mine.clone()).await, "authorization");
    let reading = test.token(&ada, &["read"]).await;
    let reading = test.with_token(&reading).await.unwrap();
    assert!(test.app.authorize(&reading, Read, mine.clone()).await.is_ok());
    refused_by(test.app.authorize(&reading, Edit, mine).await, "authorization");
    assert_eq!(test.count(Outcome::Refused, |act| matches!(act, Act::AccessDenied { .. })).await, 3);
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::TokenCreated { .. })).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limited_token_makes_sees_and_ends_no_other() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let limited = test.token(&ada, &["read"]).await;
    let limited = test.with_token(&limited).await.unwrap();
    test.token(&ada, &["all"]).await;
    refused_by(test.app.create_token(&limited, all(None)).await.map(|_| ()), "authorization");
    refused_by(test.app.tokens(&limited).await, "authorization");
    let tokens = test.app.tokens(&ada).await.unwrap();
    let id = |scope: &str| tokens.iter().find(|token| token.scopes == [scope]).unwrap().id.clone();
    refused_by(test.app.revoke_token(&limited, &id("all")).await, "authorization");
    test.app.revoke_token(&limited, &id("read")).await.unwrap();
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::TokenRevoked { .. })).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_or_revoked_token_is_none() {
    let test = TestApp::new().await;
    let experiment = test.experiment("e").await;
    let ada = test.user("ada", &[(&format!("experiment:{experiment}"), "READ")]).await;
    let (token, summary) = test.app.create_token(&ada, all(Some(start().plus_seconds(60)))).await.unwrap();
    let caller = test.with_token(&token).await.unwrap();
    assert!(test.app.authorize(&caller, Read, experiment.clone()).await.is_ok());
    // One that is made by a token does not outlive it.
    let (_, child) = test.app.create_token(&caller, all(Some(start().plus_seconds(3600)))).await.unwrap();
    assert_eq!(child.expires, summary.expires);
    let (_, child) = test.app.create_token(&caller, all(None)).await.unwrap();
    assert_eq!(child.expires, summary.expires);

    test.clock.set(start().plus_seconds(60));
    assert!(matches!(test.with_token(&token).await, Err(AppError::Unauthenticated)));
    assert!(matches!(test.app.authorize(&caller, Read, experiment.clone()).await, Err(AppError::Unauthenticated)));
    assert!(!test.app.may(&caller, Read, experiment));
    assert!(matches!(test.app.create_token(&caller, all(None)).await, Err(AppError::Unauthenticated)));
    assert!(matches!(test.app.tokens(&caller).await, Err(AppError::Unauthenticated)));
    assert!(matches!(test.app.create_token(&ada, all(Some(start()))).await, Err(AppError::Invalid(_))));

    let (token, summary) = test.app.create_token(&ada, all(None)).await.unwrap();
    test.with_token(&token).await.unwrap();
    test.app.revoke_token(&ada, &summary.id).await.unwrap();
    assert!(matches!(test.with_token(&token).await, Err(AppError::Unauthenticated)));
}

/// A stolen token must not make itself a successor while it is being revoked.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_revoked_meanwhile_makes_no_other() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let (token, summary) = test.app.create_token(&ada, all(None)).await.unwrap();
    let stolen = test.with_token(&token).await.unwrap();
    test.store.before_next_write(move |tx| tx.revoke_token(&summary.id).unwrap());
    assert!(matches!(test.app.create_token(&stolen, all(None)).await, Err(AppError::Unauthenticated)));
    assert!(test.store.has_meddled());
    assert_eq!(test.app.tokens(&ada).await.unwrap().len(), 1);
    test.store.before_next_write(|tx| tx.delete_user("ada").unwrap());
    assert!(matches!(test.app.create_token(&ada, all(None)).await, Err(AppError::Unauthenticated)));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_of_others_are_not_there() {
    let test = TestApp::new().await;
    let (ada, eve) = (test.user("ada", &[]).await, test.user("eve", &[]).await);
    let (token, summary) = test.app.create_token(&ada, all(None)).await.unwrap();
    assert!(test.app.tokens(&eve).await.unwrap().is_empty());
    assert!(matches!(test.app.revoke_token(&eve, &summary.id).await, Err(AppError::NotFound { .. })));
    test.with_token(&token).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_or_was_altered_is_refused() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let token = test.token(&ada, &["all"]).await;
    let mut altered = token.expose().clone();
    let last = altered.pop().unwrap();
    altered.push(if last == 'a' { 'b' } else { 'a' });
    for text in [altered, String::new(), "x".repeat(100_000), "Bearer".into()] {
        let result = test.with_token(&sealyard_core::Redacted::new(text)).await;
        assert!(matches!(result, Err(AppError::Unauthenticated)), "{result:?}");
    }
    let none = NewToken { scopes: vec![], expires: None };
    assert!(matches!(test.app.create_token(&ada, none).await, Err(AppError::Invalid(_))));
    let many = NewToken { scopes: vec![Scope::Read; 101], expires: None };
    assert!(matches!(test.app.create_token(&ada, many).await, Err(AppError::Invalid(_))));
}

/// A scope of a newer release gives nothing rather than everything.
#[tokio::test(flavor = "multi_thread")]
async fn a_scope_that_is_not_known_gives_nothing() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let token = test.token(&ada, &["all"]).await;
    test.sql_as_the_server("UPDATE tokens SET scopes = '[\"all\",\"from-the-future\"]'").await;
    assert!(matches!(test.with_token(&token).await, Err(AppError::Unauthenticated)));
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_limit_to_the_tokens_in_use() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    test.token(&ada, &["read"]).await;
    test.sql_as_the_server(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 999)
         INSERT INTO tokens (id, user, hash, scopes, created, expires, revoked)
             SELECT 'x' || n, user, 'h' || n, scopes, created, expires, revoked FROM tokens, number",
    )
    .await;
    assert!(matches!(test.app.create_token(&ada, all(None)).await, Err(AppError::Invalid(_))));
    test.app.revoke_token(&ada, "x7").await.unwrap();
    test.app.create_token(&ada, all(None)).await.unwrap();
}
