//! What a token must be to be believed. Each test changes one thing of a token that is believed.

use aws_lc_rs::hmac;
use sealyard_identity_oidc::{OidcError, Providers};
use serde_json::{Value, json};

use crate::fake::{Fake, Key, NOW, base64};

async fn rule(providers: &Providers, token: &str) -> Option<&'static str> {
    providers.machine(token).await.err().map(|error| error.rule().unwrap_or("unavailable"))
}

/// The rule that refuses a token with these claims changed.
async fn changed(fake: &Fake, changes: Value) -> Option<&'static str> {
    let mut claims = fake.machine_claims();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    rule(&fake.machines(), &fake.key.token("ES256", "k1", &claims)).await
}

#[tokio::test]
async fn every_allowed_algorithm_is_understood() {
    let rsa = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
    let all =
        [(Key::rsa(), &rsa[..]), (Key::p256(), &["ES256"]), (Key::p384(), &["ES384"]), (Key::ed25519(), &["EdDSA"])];
    for (key, algorithms) in all {
        let fake = Fake::start(key).await;
        for algorithm in algorithms {
            let token = fake.key.token(algorithm, "k1", &fake.machine_claims());
            let machine = fake.machines().machine(&token).await.unwrap();
            assert_eq!((machine.provider.as_str(), machine.account.as_str()), ("ci", "publisher"), "{algorithm}");
            assert_eq!(machine.subject, "repo:org/repo:ref:refs/heads/main");
            // Any other signature is none, and so is a text that was changed after it was signed.
            let (signed, signature) = token.rsplit_once('.').unwrap();
            let other = fake.key.token(algorithm, "k1", &json!({"other": 1}));
            let other = format!("{signed}.{}", other.rsplit_once('.').unwrap().1);
            assert_eq!(rule(&fake.machines(), &other).await, Some("oidc.signature"), "{algorithm}");
            let mut claims = fake.machine_claims();
            claims["sub"] = json!("somebody else");
            let header = signed.split_once('.').unwrap().0;
            let forged = format!("{header}.{}.{signature}", base64(claims.to_string()));
            assert_eq!(rule(&fake.machines(), &forged).await, Some("oidc.signature"), "{algorithm}");
        }
    }
}

#[tokio::test]
async fn algorithm_none() {
    let fake = Fake::start(Key::p256()).await;
    let claims = base64(fake.machine_claims().to_string());
    for name in ["none", "None", "NONE", ""] {
        let header = base64(json!({"alg": name, "kid": "k1"}).to_string());
        for token in [format!("{header}.{claims}."), format!("{header}.{claims}.AAAA")] {
            assert_eq!(rule(&fake.machines(), &token).await, Some("oidc.algorithm"), "{name}");
        }
    }
    let header = base64(json!({"alg": "ES256", "kid": "k1"}).to_string());
    assert_eq!(rule(&fake.machines(), &format!("{header}.{claims}.")).await, Some("oidc.signature"));
    assert_eq!(rule(&fake.machines(), &format!("{header}.{claims}")).await, Some("oidc.token"));
}

#[tokio::test]
async fn key_confusion_hmac_with_the_public_key() {
    let fake = Fake::start(Key::rsa()).await;
    let secrets = [fake.key.public(), fake.key.jwk("k1").to_string().into_bytes(), Vec::new()];
    for secret in secrets {
        let header = base64(json!({"alg": "HS256", "kid": "k1"}).to_string());
        let signed = format!("{header}.{}", base64(fake.machine_claims().to_string()));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &secret), signed.as_bytes());
        assert_eq!(rule(&fake.machines(), &format!("{signed}.{}", base64(tag))).await, Some("oidc.algorithm"));
    }
    // Nor is a secret taken that somebody published among the keys.
    fake.change(|state| state.keys = vec![json!({"kty": "oct", "kid": "k1", "k": base64([1; 32]), "alg": "HS256"})]);
    let token = fake.key.token("RS256", "k1", &fake.machine_claims());
    assert_eq!(rule(&fake.machines(), &token).await, Some("oidc.unknown-key"));
}

#[tokio::test]
async fn key_confusion_between_kinds_of_keys() {
    let fake = Fake::start(Key::p256()).await;
    // An EC key's token that says it is RSA's, and the other way round.
    for name in ["RS256", "PS256", "ES384", "EdDSA"] {
        let header = json!({"alg": name, "kid": "k1"}).to_string();
        let token = fake.key.token_of("ES256", &header, &fake.machine_claims().to_string());
        assert_eq!(rule(&fake.machines(), &token).await, Some("oidc.unknown-key"), "{name}");
    }
    // A key that says which algorithm it is for is for no other.
    let rsa = Fake::start(Key::rsa()).await;
    rsa.change(|state| state.keys[0]["alg"] = json!("PS256"));
    assert_eq!(
        rule(&rsa.machines(), &rsa.key.token("RS256", "k1", &rsa.machine_claims())).await,
        Some("oidc.unknown-key")
    );
    assert_eq!(rule(&rsa.machines(), &rsa.key.token("PS256", "k1", &rsa.machine_claims())).await, None);
}

#[tokio::test]
async fn keys_that_a_token_brings_along_are_not_used() {
    let fake = Fake::start(Key::p256()).await;
    let own = Key::p256();
    let url = format!("{}/keys", fake.issuer);
    let header = json!({"alg": "ES256", "kid": "k1", "jwk": own.jwk("k1"), "jku": url, "x5u": url});
    let token = own.token_of("ES256", &header.to_string(), &fake.machine_claims().to_string());
    assert_eq!(rule(&fake.machines(), &token).await, Some("oidc.signature"));
    let header = json!({"alg": "ES256", "kid": "mine", "jwk": own.jwk("mine")});
    let token = own.token_of("ES256", &header.to_string(), &fake.machine_claims().to_string());
    assert_eq!(rule(&fake.machines(), &token).await, Some("oidc.unknown-key"));
}

#[tokio::test]
async fn unknown_key() {
    let fake = Fake::start(Key::p256()).await;
    for id in ["k2", "../k1", ""] {
        let token = fake.key.token("ES256", id, &fake.machine_claims());
        assert_eq!(rule(&fake.machines(), &token).await, Some("oidc.unknown-key"), "{id}");
    }
    let long = fake.key.token("ES256", &"k".repeat(300), &fake.machine_claims());
    assert_eq!(rule(&fake.machines(), &long).await, Some("oidc.token"));
    let header = json!({"alg": "ES256", "kid": 1}).to_string();
    let token = fake.key.token_of("ES256", &header, &fake.machine_claims().to_string());
    assert_eq!(rule(&fake.machines(), &token).await, Some("oidc.token"));
}

#[tokio::test]
async fn a_token_without_key_id_needs_one_key_that_can_be_meant() {
    let fake = Fake::start(Key::p256()).await;
    let token = fake.key.token_of("ES256", r#"{"alg":"ES256"}"#, &fake.machine_claims().to_string());
    assert_eq!(rule(&fake.machines(), &token).await, None);
    fake.change(|state| state.keys.push(Key::p256().jwk("k2")));
    assert_eq!(rule(&fake.machines(), &token).await, Some("oidc.unknown-key"));
}

#[tokio::test]
async fn key_of_another_provider() {
    let (fake, other) = (Fake::start(Key::p256()).await, Fake::start(Key::p256()).await);
    let mut settings = other.machine_settings();
    settings.name = "other".to_owned();
    let both = vec![fake.provider_with(fake.machine_settings()), other.provider_with(settings)];
    let providers = Providers::new(both, fake.state_key.clone(), fake.clock.clone()).unwrap();
    // Each is known under its own name, and by its own key only.
    assert_eq!(rule(&providers, &other.key.token("ES256", "k1", &other.machine_claims())).await, None);
    assert_eq!(rule(&providers, &other.key.token("ES256", "k1", &fake.machine_claims())).await, Some("oidc.signature"));
    fake.change(|state| state.keys = vec![fake.key.jwk("only-here")]);
    let token = fake.key.token("ES256", "only-here", &other.machine_claims());
    assert_eq!(rule(&providers, &token).await, Some("oidc.unknown-key"));
}

#[tokio::test]
async fn expired() {
    let fake = Fake::start(Key::p256()).await;
    assert_eq!(changed(&fake, json!({"exp": NOW - 20})).await, None, "clocks differ a little");
    for exp in [json!(NOW - 30), json!(NOW - 3600), json!(0), json!(-1), json!("soon"), json!(1e300), json!(null)] {
        assert_eq!(changed(&fake, json!({"exp": exp})).await, Some("oidc.time"), "{exp}");
    }
    // Also one that was right a moment ago.
    let providers = fake.machines();
    let mut claims = fake.machine_claims();
    claims["exp"] = json!(NOW + 20);
    let token = fake.key.token("ES256", "k1", &claims);
    assert_eq!(rule(&providers, &token).await, None);
    fake.later(51);
    assert_eq!(rule(&providers, &token).await, Some("oidc.time"));
}

#[tokio::test]
async fn not_yet_valid() {
    let fake = Fake::start(Key::p256()).await;
    for name in ["nbf", "iat"] {
        assert_eq!(changed(&fake, json!({name: NOW + 30})).await, None, "clocks differ a little");
        for time in [json!(NOW + 31), json!(NOW + 3600), json!("now"), json!([])] {
            assert_eq!(changed(&fake, json!({name: time})).await, Some("oidc.time"), "{name} {time}");
        }
    }
}

#[tokio::test]
async fn wrong_audience() {
    let fake = Fake::start(Key::p256()).await;
    let ours = "https://ml.example.org";
    assert_eq!(changed(&fake, json!({"aud": ["x", ours]})).await, None);
    let many = vec![ours; 17];
    for aud in [
        json!(null),
        json!(""),
        json!("https://ml.example.org/"),
        json!("https://ml.example.org.evil.example"),
        json!([]),
        json!(["x"]),
        json!([ours, 7]),
        json!({"x": ours}),
        json!(many),
    ] {
        assert_eq!(changed(&fake, json!({"aud": aud})).await, Some("oidc.audience"), "{aud}");
    }
}

#[tokio::test]
async fn wrong_issuer() {
    let fake = Fake::start(Key::p256()).await;
    let asked = fake.asked("GET");
    let mut all = vec![json!(null), json!(""), json!(7), json!("https://evil.example"), json!([fake.issuer])];
    all.extend(["/", "/x", "?", "#"].map(|end| json!(format!("{}{end}", fake.issuer))));
    all.push(json!(fake.issuer.to_uppercase()));
    for issuer in all {
        assert_eq!(changed(&fake, json!({"iss": issuer})).await, Some("oidc.issuer"), "{issuer}");
    }
    assert_eq!(fake.asked("GET"), asked, "nothing is fetched for a stranger's token");
}

#[tokio::test]
async fn no_subject() {
    let fake = Fake::start(Key::p256()).await;
    for subject in [json!(null), json!(""), json!(7), json!("x".repeat(256))] {
        assert_eq!(changed(&fake, json!({"sub": subject})).await, Some("oidc.claims"), "{subject}");
    }
}

#[tokio::test]
async fn oversized_and_malformed() {
    let fake = Fake::start(Key::p256()).await;
    let right = fake.key.token("ES256", "k1", &fake.machine_claims());
    let mut claims = fake.machine_claims();
    claims["filler"] = json!("x".repeat(16 * 1024));
    let large = fake.key.token("ES256", "k1", &claims);
    assert!(!fake.machines().could_know(&large));
    let (signed, signature) = right.rsplit_once('.').unwrap();
    let tokens = [
        large,
        String::new(),
        "a.b".into(),
        format!("{right}.x"),
        format!("{right}="),
        format!(" {right}"),
        format!("{signed}.{signature}!"),
        fake.key.token_of("ES256", r#"["ES256"]"#, "{}"),
        fake.key.token_of("ES256", r#"{"alg":"ES256","kid":"k1"}"#, "7"),
        fake.key.token_of("ES256", r#"{"alg":"ES256","kid":"k1","crit":["exp"]}"#, &fake.machine_claims().to_string()),
        fake.key.token_of("ES256", r#"{"alg":"ES256","kid":"k1","b64":false}"#, &fake.machine_claims().to_string()),
        fake.key.token_of(
            "ES256",
            r#"{"alg":"ES256","kid":"k1","typ":"dpop+jwt"}"#,
            &fake.machine_claims().to_string(),
        ),
    ];
    for token in tokens {
        let shown: String = token.chars().take(60).collect();
        assert_eq!(rule(&fake.machines(), &token).await, Some("oidc.token"), "{shown}");
    }
}

#[tokio::test]
async fn duplicated_claims() {
    let fake = Fake::start(Key::p256()).await;
    let text = fake.machine_claims().to_string();
    let twice = format!("{{\"sub\":\"somebody else\",{}", &text[1..]);
    let token = fake.key.token_of("ES256", r#"{"alg":"ES256","kid":"k1"}"#, &twice);
    assert_eq!(rule(&fake.machines(), &token).await, Some("oidc.token"));
    let token = fake.key.token_of("ES256", r#"{"alg":"none","alg":"ES256","kid":"k1"}"#, &text);
    assert_eq!(rule(&fake.machines(), &token).await, Some("oidc.token"));
}

#[tokio::test]
async fn tokens_for_other_uses() {
    let fake = Fake::start(Key::p256()).await;
    assert_eq!(changed(&fake, json!({"nonce": "n"})).await, Some("oidc.token"), "the ID token of a log-in");
    let event = json!({"http://schemas.openid.net/event/backchannel-logout": {}});
    assert_eq!(changed(&fake, json!({"events": event})).await, Some("oidc.token"), "a log-out token");
    let header = json!({"alg": "ES256", "kid": "k1", "typ": "logout+jwt"}).to_string();
    let token = fake.key.token_of("ES256", &header, &fake.machine_claims().to_string());
    assert_eq!(rule(&fake.machines(), &token).await, Some("oidc.token"));
    let header = json!({"alg": "ES256", "kid": "k1", "typ": "at+jwt"}).to_string();
    let token = fake.key.token_of("ES256", &header, &fake.machine_claims().to_string());
    assert_eq!(rule(&fake.machines(), &token).await, None, "RFC 9068");
    // A provider of people lets no bearer token in.
    let people = Providers::new(vec![fake.people()], fake.state_key.clone(), fake.clock.clone()).unwrap();
    let token = fake.key.token("ES256", "k1", &fake.machine_claims());
    assert!(!people.could_know(&token));
    assert!(matches!(people.machine(&token).await, Err(OidcError::Refused { rule: "oidc.issuer", .. })));
}
