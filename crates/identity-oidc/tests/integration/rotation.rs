//! Keys come and go.

use crate::fake::{Fake, Key};

#[tokio::test]
async fn a_new_key_is_found_and_an_old_one_is_forgotten() {
    let fake = Fake::start(Key::p256()).await;
    let providers = fake.machines();
    let claims = fake.machine_claims();
    providers.machine(&fake.key.token("ES256", "k1", &claims)).await.unwrap();
    assert_eq!(fake.asked("/keys"), 1);
    let new = Key::p256();
    fake.change(|state| state.keys = vec![new.jwk("k2")]);
    fake.later(31);
    providers.machine(&new.token("ES256", "k2", &claims)).await.unwrap();
    assert_eq!(fake.asked("/keys"), 2);
    // The old key is gone from that moment on.
    let mut other = claims.clone();
    other["jti"] = serde_json::json!("j2");
    let error = providers.machine(&fake.key.token("ES256", "k1", &other)).await.unwrap_err();
    assert_eq!(error.rule(), Some("oidc.unknown-key"));
}

#[tokio::test]
async fn a_key_that_was_taken_back_is_refused_after_five_minutes() {
    let fake = Fake::start(Key::p256()).await;
    let providers = fake.machines();
    let mut claims = fake.machine_claims();
    claims["exp"] = serde_json::json!(crate::fake::NOW + 100_000);
    let token = fake.key.token("ES256", "k1", &claims);
    providers.machine(&token).await.unwrap();
    // One of the same id, to show that it is not the id that is believed.
    fake.change(|state| state.keys = vec![Key::p256().jwk("k1")]);
    fake.later(299);
    providers.machine(&token).await.unwrap();
    fake.later(299 + 60);
    assert_eq!(providers.machine(&token).await.unwrap_err().rule(), Some("oidc.signature"));
}

#[tokio::test]
async fn unknown_keys_make_no_flood_of_requests() {
    let fake = Fake::start(Key::p256()).await;
    let providers = fake.machines();
    let claims = fake.machine_claims();
    providers.machine(&fake.key.token("ES256", "k1", &claims)).await.unwrap();
    for round in 0..50 {
        let token = fake.key.token("ES256", &format!("junk{round}"), &claims);
        assert_eq!(providers.machine(&token).await.unwrap_err().rule(), Some("oidc.unknown-key"));
    }
    assert_eq!(fake.asked("/keys"), 1, "it was asked a moment ago");
    fake.later(31);
    for round in 0..50 {
        let token = fake.key.token("ES256", &format!("junk{round}"), &claims);
        assert_eq!(providers.machine(&token).await.unwrap_err().rule(), Some("oidc.unknown-key"));
    }
    assert_eq!(fake.asked("/keys"), 2, "once in half a minute");
}

#[tokio::test]
async fn a_provider_that_is_away_is_done_without_for_an_hour() {
    let fake = Fake::start(Key::p256()).await;
    let providers = fake.machines();
    let mut claims = fake.machine_claims();
    claims["exp"] = serde_json::json!(crate::fake::NOW + 100_000);
    let token = fake.key.token("ES256", "k1", &claims);
    providers.machine(&token).await.unwrap();
    fake.change(|state| state.down = true);
    fake.later(3500);
    providers.machine(&token).await.unwrap();
    fake.later(3700);
    let error = providers.machine(&token).await.unwrap_err();
    assert_eq!(error.rule(), None, "{error}");
    fake.change(|state| state.down = false);
    fake.later(3702);
    providers.machine(&token).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_wants_a_token_is_shown_one() {
    let fake = Fake::start(Key::p256()).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("token");
    let mut settings = fake.machine_settings();
    settings.token_file = Some(file.clone());
    let provider = fake.provider_with(settings);
    assert!(provider.probe().await.is_err(), "it is missing");
    std::fs::write(&file, "of-the-cluster\n").unwrap();
    fake.later(2);
    assert_eq!(provider.probe().await.unwrap(), 1);
    assert_eq!(fake.asked("authorization: Bearer of-the-cluster\r\n"), 2, "by its description and its keys");
}

#[tokio::test]
async fn many_at_once_ask_once() {
    let fake = Fake::start(Key::p256()).await;
    let providers = std::sync::Arc::new(fake.machines());
    let tasks: Vec<_> = (0..20)
        .map(|round| {
            let mut claims = fake.machine_claims();
            claims["jti"] = serde_json::json!(round);
            let (providers, token) = (std::sync::Arc::clone(&providers), fake.key.token("ES256", "k1", &claims));
            tokio::spawn(async move { providers.machine(&token).await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!((fake.asked("/keys"), fake.asked("openid-configuration")), (1, 1));
}

#[tokio::test]
async fn who_hangs_up_does_not_keep_the_keys_from_others() {
    let fake = Fake::start(Key::p256()).await;
    let providers = fake.machines();
    let token = fake.key.token("ES256", "k1", &fake.machine_claims());
    // Polled once, which begins to fetch, and dropped.
    let hung_up = tokio::time::timeout(std::time::Duration::ZERO, providers.machine(&token)).await;
    assert!(hung_up.is_err());
    providers.machine(&token).await.unwrap();
    assert_eq!(fake.asked("/keys"), 1);
}
