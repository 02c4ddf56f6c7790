use std::time::Instant;

use sealyard_app::{AppError, Credentials};
use sealyard_identity::PasswordHash;
use sealyard_ledger::{Act, Outcome};

use crate::harness::{PASSWORD, TestApp, password, start};

const OTHER: &str = "Marl-Siskin-Threnody-73";

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_and_an_unknown_name_are_one_answer() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    let mut answers = std::collections::BTreeSet::new();
    for (who, secret) in [("ada", OTHER), ("nobody", PASSWORD), ("", ""), ("ada\u{0}", PASSWORD), ("ADA", PASSWORD)] {
        let error = test.log_in(who, secret).await.unwrap_err();
        assert!(matches!(error, AppError::Unauthenticated), "{who}: {error:?}");
        answers.insert(error.to_string());
    }
    assert_eq!(answers.len(), 1);
    let told = |act: &Act| matches!(act, Act::LoginFailed { .. });
    assert_eq!(test.count(Outcome::Refused, told).await, 5);
}

/// An unknown name must go through a check too, or the time would tell which names there are.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_name_costs_as_much_as_a_known_one() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    let time = async |who: &str| {
        let begun = Instant::now();
        assert!(test.log_in(who, OTHER).await.is_err());
        begun.elapsed()
    };
    let (known, unknown) = (time("ada").await, time("nobody").await);
    // Without the check it is a hundredth.
    assert!(unknown * 5 > known, "{unknown:?} for an unknown name, {known:?} for a known one");
}

#[tokio::test(flavor = "multi_thread")]
async fn guessing_is_slowed_down_but_not_for_others() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    test.user("bob", &[]).await;
    for _ in 0..5 {
        assert!(matches!(test.log_in("ada", OTHER).await, Err(AppError::Unauthenticated)));
    }
    assert!(matches!(test.log_in("ada", PASSWORD).await, Err(AppError::Throttled(1..))));
    test.log_in("bob", PASSWORD).await.unwrap();
    test.clock.set(start().plus_seconds(2));
    test.log_in("ada", PASSWORD).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_password_is_wrong_from_then_on() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    test.log_in("ada", PASSWORD).await.unwrap();
    let hash = PasswordHash::create(&password(OTHER), test.app.rng()).unwrap().as_phc().to_owned();
    test.write(move |tx| tx.set_user_password("ada", Some(&hash))).await;
    assert!(matches!(test.log_in("ada", PASSWORD).await, Err(AppError::Unauthenticated)));
    test.log_in("ada", OTHER).await.unwrap();
    test.write(|tx| tx.set_user_password("ada", None)).await;
    assert!(matches!(test.log_in("ada", OTHER).await, Err(AppError::Unauthenticated)));
    test.write(|tx| tx.delete_user("ada")).await;
    assert!(matches!(test.log_in("ada", OTHER).await, Err(AppError::Unauthenticated)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_password_is_told_once_and_remembered() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    for _ in 0..3 {
        test.log_in("ada", PASSWORD).await.unwrap();
    }
    let told = |event: &&sealyard_ledger::Event| event.actor == "ada" && matches!(event.act, Act::LoggedIn { .. });
    assert_eq!(test.events().await.iter().filter(told).count(), 1);
    // For minutes, and not for as long as the server runs.
    test.clock.set(start().plus_seconds(299));
    test.log_in("ada", PASSWORD).await.unwrap();
    assert_eq!(test.events().await.iter().filter(told).count(), 1);
    test.clock.set(start().plus_seconds(300));
    test.log_in("ada", PASSWORD).await.unwrap();
    assert_eq!(test.events().await.iter().filter(told).count(), 2);
}

/// Another's remembered password must not let anybody in.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_remembered_is_of_one_name_only() {
    let test = TestApp::new().await;
    test.user("ada", &[]).await;
    let credentials = |who: &str| Credentials::Password { name: who.into(), password: password(PASSWORD) };
    test.app.authenticate(credentials("ada"), None, None).await.unwrap();
    let hash = PasswordHash::create(&password(OTHER), test.app.rng()).unwrap().as_phc().to_owned();
    test.write(move |tx| tx.set_user_password("admin", Some(&hash))).await;
    assert!(test.app.authenticate(credentials("admin"), None, None).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_line_of_waiting_passwords_has_an_end() {
    let test = TestApp::new().await;
    let mut flood = tokio::task::JoinSet::new();
    for number in 0..400 {
        let app = std::sync::Arc::clone(&test.app);
        let credentials = Credentials::Password { name: format!("u{number}"), password: password(OTHER) };
        flood.spawn(async move { app.authenticate(credentials, None, None).await.map(|_| ()) });
    }
    let mut turned_away = 0;
    while let Some(answer) = flood.join_next().await {
        turned_away += usize::from(matches!(answer.unwrap(), Err(AppError::Throttled(_))));
        if turned_away > 0 {
            break;
        }
    }
    assert!(turned_away > 0, "400 waited in line");
    flood.shutdown().await;
    test.user("ada", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_shown_anywhere() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[]).await;
    let token = test.token(&ada, &["all"]).await;
    let limited = test.with_token(&token).await.unwrap();
    let wrong = test.log_in("ada", OTHER).await.unwrap_err();
    let mut shown = test.entries().await;
    shown.push(format!("{wrong} {wrong:?} {:?} {limited:?} {ada:?}", test.app));
    shown.push(format!("{token:?} {:?}", Credentials::Token(token.clone())));
    let hash = test.write(|tx| tx.user("ada")).await.unwrap().password.unwrap();
    for secret in [PASSWORD, OTHER, token.expose().as_str(), hash.as_str()] {
        assert!(shown.iter().all(|text| !text.contains(secret)), "{secret} is shown");
    }
    let database = std::fs::read(test.root().join("catalog.db")).unwrap();
    let log = std::fs::read(test.root().join("catalog.db-wal")).unwrap_or_default();
    for secret in [PASSWORD, token.expose().as_str()] {
        let within = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!within(&database) && !within(&log), "{secret} is in the database");
    }
}
