use sealyard_app::{AppError, Credentials, NewSession};
use sealyard_core::Redacted;
use sealyard_identity::{PasswordHash, Via};
use sealyard_ledger::{Act, Outcome};

use crate::harness::{PASSWORD, TestApp, password, start};

const OTHER: &str = "Marl-Siskin-Threnody-73";
const HOUR: i64 = 60 * 60;

async fn begin(test: &TestApp, name: &str, secret: &str) -> Result<NewSession, AppError> {
    test.app.log_in(name.to_owned(), password(secret), None, None, None).await
}

async fn valid(test: &TestApp, secret: &Redacted<String>) -> bool {
    match test.app.authenticate(Credentials::Session(secret.clone()), None, None).await {
        Ok(caller) => {
            assert_eq!(caller.principal().unwrap().via, Via::Session);
            true
        }
        Err(error) => {
            assert!(matches!(error, AppError::Unauthenticated), "{error:?}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_begins_one_and_logging_out_ends_it() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    assert!(matches!(begin(&test, "ada", OTHER).await, Err(AppError::Unauthenticated)));
    let session = begin(&test, "ada", PASSWORD).await.unwrap();
    assert!(valid(&test, &session.secret).await);
    assert!(!valid(&test, &Redacted::new("x".repeat(43))).await);
    assert!(!valid(&test, &Redacted::new(String::new())).await);
    test.app.log_out(&session.secret, None, None).await.unwrap();
    assert!(!valid(&test, &session.secret).await);
    test.app.log_out(&session.secret, None, None).await.unwrap();
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::SessionStarted { .. })).await, 1);
    assert_eq!(test.count(Outcome::Done, |act| matches!(act, Act::SessionEnded { .. })).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unused_one_ends() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    let session = begin(&test, "ada", PASSWORD).await.unwrap();
    test.clock.set(start().plus_seconds(2 * HOUR - 1));
    assert!(valid(&test, &session.secret).await);
    test.clock.set(start().plus_seconds(4 * HOUR - 2));
    assert!(valid(&test, &session.secret).await, "the use before counts");
    test.clock.set(start().plus_seconds(6 * HOUR - 2));
    assert!(!valid(&test, &session.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_one_ends_too() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    let session = begin(&test, "ada", PASSWORD).await.unwrap();
    for hour in 1..12 {
        test.clock.set(start().plus_seconds(hour * HOUR));
        assert!(valid(&test, &session.secret).await, "{hour}");
    }
    test.clock.set(start().plus_seconds(12 * HOUR));
    assert!(!valid(&test, &session.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn logging_in_again_makes_another_and_ends_the_first() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    let first = begin(&test, "ada", PASSWORD).await.unwrap();
    let log_in = test.app.log_in("ada".to_owned(), password(PASSWORD), Some(&first.secret), None, None);
    let second = log_in.await.unwrap();
    assert_ne!(first.secret.expose(), second.secret.expose());
    assert!(!valid(&test, &first.secret).await);
    assert!(valid(&test, &second.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_ends_them_all() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    let session = begin(&test, "ada", PASSWORD).await.unwrap();
    let hash = PasswordHash::create(&password(OTHER), test.app.rng()).unwrap().as_phc().to_owned();
    test.write(move |tx| tx.set_user_password("ada", Some(&hash))).await;
    assert!(!valid(&test, &session.secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_oldest_makes_room() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    let mut sessions = Vec::new();
    for second in 0..51 {
        test.clock.set(start().plus_seconds(second));
        sessions.push(begin(&test, "ada", PASSWORD).await.unwrap());
    }
    assert!(!valid(&test, &sessions[0].secret).await);
    assert!(valid(&test, &sessions[1].secret).await);
    assert!(valid(&test, &sessions[50].secret).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_catalog_does_not_hold_the_secret() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    let session = begin(&test, "ada", PASSWORD).await.unwrap();
    let rows = test.write(|tx| tx.sessions_of("ada")).await;
    assert_eq!(rows.len(), 1);
    assert!(!format!("{rows:?}").contains(session.secret.expose().as_str()));
    assert!(!format!("{session:?}").contains(session.secret.expose().as_str()));
}
