//! The provider says that somebody logged out.

use serde_json::{Value, json};

use crate::fake::{Fake, Key, NOW};

const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn claims(fake: &Fake) -> Value {
    json!({
        "iss": fake.issuer, "aud": "sealyard", "iat": NOW, "exp": NOW + 120, "jti": "l1",
        "sub": "s-ada", "sid": "p1", "events": {EVENT: {}},
    })
}

async fn changed(changes: Value) -> Option<&'static str> {
    let fake = Fake::start(Key::p256()).await;
    let mut claims = claims(&fake);
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    let found = fake.people().logout(&fake.key.token("ES256", "k1", &claims)).await;
    found.err().map(|error| error.rule().unwrap_or("unavailable"))
}

#[tokio::test]
async fn a_log_out_token_names_whose_sessions_end() {
    let fake = Fake::start(Key::p256()).await;
    let header = json!({"alg": "ES256", "kid": "k1", "typ": "logout+jwt"}).to_string();
    let token = fake.key.token_of("ES256", &header, &claims(&fake).to_string());
    let found = fake.people().logout(&token).await.unwrap();
    assert_eq!((found.subject.as_deref(), found.session.as_deref()), (Some("s-ada"), Some("p1")));
    for less in [json!({"sid": null}), json!({"sub": null}), json!({"exp": null}), json!({"typ": "x"})] {
        assert_eq!(changed(less).await, None);
    }
}

#[tokio::test]
async fn logout_token_with_nonce() {
    assert_eq!(changed(json!({"nonce": "n"})).await, Some("oidc.logout"));
}

#[tokio::test]
async fn logout_token_without_event() {
    for events in [
        json!(null),
        json!({}),
        json!({EVENT: null}),
        json!({EVENT: "yes"}),
        json!({"x": {EVENT: {}}}),
        json!([EVENT]),
        json!(EVENT),
    ] {
        assert_eq!(changed(json!({"events": events})).await, Some("oidc.logout"), "{events}");
    }
}

#[tokio::test]
async fn logout_token_replayed() {
    let fake = Fake::start(Key::p256()).await;
    let token = fake.key.token("ES256", "k1", &claims(&fake));
    let (one, two) = (fake.people().logout(&token).await.unwrap(), fake.people().logout(&token).await.unwrap());
    assert_eq!(one.once, two.once, "it is the same one, which whoever ends sessions can tell");
    // Once that is forgotten, its age refuses it.
    fake.later((one.once_until.as_millis() / 1000) - NOW);
    assert!(fake.people().logout(&token).await.is_err());
    let mut other = claims(&fake);
    fake.later(0);
    other["jti"] = json!("l2");
    assert_ne!(fake.people().logout(&fake.key.token("ES256", "k1", &other)).await.unwrap().once, one.once);
    for jti in [json!(null), json!(""), json!(7), json!("x".repeat(300))] {
        assert_eq!(changed(json!({"jti": jti})).await, Some("oidc.logout"), "{jti}");
    }
}

#[tokio::test]
async fn logout_tokens_of_others() {
    for (changes, rule) in [
        (json!({"aud": "other"}), "oidc.audience"),
        (json!({"aud": ["sealyard", "other"]}), "oidc.audience"),
        (json!({"iss": "https://evil.example"}), "oidc.issuer"),
        (json!({"exp": NOW - 31}), "oidc.time"),
        (json!({"iat": null}), "oidc.time"),
        (json!({"iat": NOW + 31}), "oidc.time"),
        (json!({"iat": NOW - 301}), "oidc.logout"),
        (json!({"sub": null, "sid": null}), "oidc.logout"),
        (json!({"sid": 7}), "oidc.logout"),
        (json!({"sub": 7}), "oidc.claims"),
    ] {
        assert_eq!(changed(changes.clone()).await, Some(rule), "{changes}");
    }
    let fake = Fake::start(Key::p256()).await;
    let forged = Key::p256().token("ES256", "k1", &claims(&fake));
    assert_eq!(fake.people().logout(&forged).await.unwrap_err().rule(), Some("oidc.signature"));
    for kind in ["at+jwt", "x"] {
        let header = json!({"alg": "ES256", "kid": "k1", "typ": kind}).to_string();
        let token = fake.key.token_of("ES256", &header, &claims(&fake).to_string());
        assert_eq!(fake.people().logout(&token).await.unwrap_err().rule(), Some("oidc.token"));
    }
}
