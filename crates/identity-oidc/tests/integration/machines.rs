//! Which machine is which account.

use sealyard_core::{Rng, SystemRng};
use sealyard_identity_oidc::{MachineRule, Provider, Providers};
use serde_json::json;
use std::sync::Arc;

use crate::fake::{Fake, Key, NOW};

fn rule(account: &str, claims: &[(&str, &str)]) -> MachineRule {
    let claims = claims.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    MachineRule { account: account.to_owned(), claims }
}

#[tokio::test]
async fn a_machine_that_no_rule_means_is_nobody() {
    let fake = Fake::start(Key::p256()).await;
    let providers = fake.machines();
    for (name, value) in [("repository", "org/other"), ("repository", "org/repo2"), ("ref", "refs/tags/v1")] {
        let mut claims = fake.machine_claims();
        claims[name] = json!(value);
        let error = providers.machine(&fake.key.token("ES256", "k1", &claims)).await.unwrap_err();
        assert_eq!(error.rule(), Some("oidc.machine"), "{name} {value}");
    }
}

#[tokio::test]
async fn kubernetes_service_accounts_are_told_apart_with_keys_from_a_file() {
    let fake = Fake::start(Key::rsa()).await;
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("keys.json");
    std::fs::write(&file, json!({"keys": [fake.key.jwk("k1")]}).to_string()).unwrap();
    let mut settings = fake.machine_settings();
    settings.issuer = "https://kubernetes.default.svc.cluster.local".to_owned();
    settings.keys_file = Some(file.clone());
    settings.machines = vec![
        rule("trainer", &[("kubernetes.io.namespace", "ml"), ("kubernetes.io.serviceaccount.name", "trainer")]),
        rule("reader", &[("sub", "system:serviceaccount:ml:*")]),
    ];
    let provider = fake.provider_with(settings);
    let providers = Providers::new(vec![provider], fake.state_key.clone(), fake.clock.clone()).unwrap();
    let claims = |namespace: &str, name: &str| {
        json!({
            "iss": "https://kubernetes.default.svc.cluster.local", "aud": ["https://ml.example.org"],
            "sub": format!("system:serviceaccount:{namespace}:{name}"), "iat": NOW, "nbf": NOW, "exp": NOW + 3600,
            "kubernetes.io": {"namespace": namespace, "serviceaccount": {"name": name, "uid": "u"}},
        })
    };
    let token = |namespace, name| fake.key.token("RS256", "k1", &claims(namespace, name));
    assert_eq!(providers.machine(&token("ml", "trainer")).await.unwrap().account, "trainer");
    assert_eq!(providers.machine(&token("ml", "other")).await.unwrap().account, "reader");
    let error = providers.machine(&token("mlx", "trainer")).await.unwrap_err();
    assert_eq!(error.rule(), Some("oidc.machine"));
    assert_eq!(fake.asked("GET"), 0, "nothing is fetched");
    // A new key in the file is found, the old one is gone.
    let new = Key::rsa();
    std::fs::write(&file, json!({"keys": [new.jwk("k2")]}).to_string()).unwrap();
    fake.later(31);
    assert_eq!(
        providers.machine(&new.token("RS256", "k2", &claims("ml", "trainer"))).await.unwrap().account,
        "trainer"
    );
    let error = providers.machine(&token("ml", "new")).await.unwrap_err();
    assert_eq!(error.rule(), Some("oidc.unknown-key"));
}

#[tokio::test]
async fn a_token_is_checked_once_in_a_minute() {
    let fake = Fake::start(Key::p256()).await;
    let providers = fake.machines();
    let token = fake.key.token("ES256", "k1", &fake.machine_claims());
    assert!(providers.machine(&token).await.unwrap().first);
    assert!(!providers.machine(&token).await.unwrap().first);
    fake.later(60);
    assert!(providers.machine(&token).await.unwrap().first);
    // A clock that is set back makes it good for no longer.
    fake.later(-3600);
    assert!(providers.machine(&token).await.is_err());
}

#[tokio::test]
async fn settings_that_would_let_in_strangers_are_refused() {
    let fake = Fake::start(Key::p256()).await;
    let rng: Arc<dyn Rng> = Arc::new(SystemRng);
    let refused = |change: &dyn Fn(&mut sealyard_identity_oidc::ProviderSettings)| {
        let mut settings = fake.machine_settings();
        change(&mut settings);
        Provider::new(settings, Fake::outbound(), fake.clock.clone(), rng.clone()).map(|_| ()).unwrap_err().reason
    };
    assert!(refused(&|settings| settings.audiences.clear()).contains("audiences"));
    assert!(refused(&|settings| settings.machines.clear()).contains("machine"));
    assert!(refused(&|settings| settings.machines = vec![rule("ci", &[])]).contains("no claim"));
    assert!(refused(&|settings| settings.machines = vec![rule("ci", &[("sub", "*")])]).contains("no text"));
    assert!(refused(&|settings| settings.name = "../x".to_owned()).contains("name"));
    assert!(refused(&|settings| settings.issuer = "http://id.example.org".to_owned()).contains("http"));
    assert!(refused(&|settings| settings.issuer = "https://10.0.0.1".to_owned()).contains("public internet"));
    let github = |settings: &mut sealyard_identity_oidc::ProviderSettings| {
        settings.issuer = "https://token.actions.githubusercontent.com".to_owned();
        settings.machines = vec![rule("ci", &[("ref", "refs/heads/main")])];
    };
    assert!(refused(&github).contains("every workflow of GitHub"));
    // Two with one issuer: it would not be clear whose rules hold.
    let mut second = fake.machine_settings();
    second.name = "second".to_owned();
    let both = vec![fake.provider_with(fake.machine_settings()), fake.provider_with(second)];
    assert!(Providers::new(both, fake.state_key.clone(), fake.clock.clone()).is_err());
}
