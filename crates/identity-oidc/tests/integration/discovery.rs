//! What a provider says of itself.

use serde_json::json;

use crate::fake::{Fake, Key};

#[tokio::test]
async fn a_description_that_can_not_be_trusted_is_not_used() {
    let cases = [
        ("issuer", json!("https://evil.example")),
        ("issuer", json!(null)),
        ("jwks_uri", json!(null)),
        ("jwks_uri", json!("http://169.254.169.254/latest/meta-data")),
        ("jwks_uri", json!("https://10.0.0.1/keys")),
        ("jwks_uri", json!("file:///etc/passwd")),
        ("token_endpoint", json!("http://id.example.org/token")),
        ("token_endpoint", json!(7)),
        ("authorization_endpoint", json!("javascript:alert(1)")),
        ("authorization_endpoint", json!("https://id.example.org/a#b")),
        ("authorization_endpoint", json!("https://id.example.org/a\r\nset-cookie: x=y")),
    ];
    for (name, value) in cases {
        let fake = Fake::start(Key::p256()).await;
        fake.change(|state| state.metadata[name] = value.clone());
        let error = fake.people().begin(&fake.state_key, "/").await.unwrap_err();
        assert_eq!(error.rule(), None, "{name} {value}");
        assert_eq!(fake.asked("/token"), 0);
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let fake = Fake::start(Key::p256()).await;
    fake.change(|state| state.metadata["filler"] = json!("x".repeat(300 * 1024)));
    let error = fake.people().begin(&fake.state_key, "/").await.unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");
    let fake = Fake::start(Key::p256()).await;
    fake.change(|state| state.keys[0]["filler"] = json!("x".repeat(300 * 1024)));
    let error = fake.machines().machine(&fake.key.token("ES256", "k1", &fake.machine_claims())).await.unwrap_err();
    assert!(error.to_string().contains("longer than"), "{error}");
}

#[tokio::test]
async fn an_inner_host_is_asked_only_if_the_operator_named_it() {
    use sealyard_core::{Rng, SystemRng};
    use sealyard_identity_oidc::Provider;
    use sealyard_outbound::{AllowList, Outbound};
    let fake = Fake::start(Key::p256()).await;
    let rng: std::sync::Arc<dyn Rng> = std::sync::Arc::new(SystemRng);
    let nothing = Outbound::new(AllowList::default());
    assert!(Provider::new(fake.settings(), nothing, fake.clock.clone(), rng).is_err());
}
