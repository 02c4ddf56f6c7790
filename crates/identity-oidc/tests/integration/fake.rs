//! An identity provider of the tests, on loopback. Tests of `sealyard-api` use it too.
#![allow(dead_code, reason = "not all tests need all of it")]

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512, RsaKeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sealyard_core::{FixedClock, Redacted, Rng, SystemRng, Timestamp};
use sealyard_identity_oidc::{Kind, MachineRule, Provider, ProviderSettings, Providers, StateKey};
use sealyard_outbound::{AllowList, Outbound};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// The moment of the tests, in seconds.
pub(crate) const NOW: i64 = 1_800_000_000;

pub(crate) fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key that signs.
pub(crate) enum Key {
    Rsa(RsaKeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Key {
    pub(crate) fn rsa() -> Self {
        Self::Rsa(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())
    }

    pub(crate) fn p256() -> Self {
        Self::P256(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn p384() -> Self {
        Self::P384(EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap())
    }

    pub(crate) fn ed25519() -> Self {
        Self::Ed25519(Ed25519KeyPair::generate().unwrap())
    }

    /// The bytes of the public key.
    pub(crate) fn public(&self) -> Vec<u8> {
        match self {
            Self::Rsa(key) => key.public_key().as_ref().to_vec(),
            Self::P256(key) | Self::P384(key) => key.public_key().as_ref().to_vec(),
            Self::Ed25519(key) => key.public_key().as_ref().to_vec(),
        }
    }

    pub(crate) fn jwk(&self, id: &str) -> Value {
        let public = self.public();
        let half = public.len().saturating_sub(1) / 2;
        match self {
            // SEQUENCE { INTEGER n, INTEGER e } of 2048 bits.
            Self::Rsa(_) => json!({"kty": "RSA", "kid": id, "use": "sig", "n": base64(&public[9..265]), "e": "AQAB"}),
            Self::P256(_) | Self::P384(_) => json!({
                "kty": "EC", "kid": id, "crv": if half == 32 { "P-256" } else { "P-384" },
                "x": base64(&public[1..=half]), "y": base64(&public[half + 1..]),
            }),
            Self::Ed25519(_) => json!({"kty": "OKP", "kid": id, "crv": "Ed25519", "x": base64(&public)}),
        }
    }

    pub(crate) fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let encoding: &'static dyn aws_lc_rs::signature::RsaEncoding = match algorithm {
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    _ => &RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(encoding, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256(key) | Self::P384(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    /// A token with this header and these claims, given as text.
    pub(crate) fn token_of(&self, algorithm: &str, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", base64(header), base64(claims));
        let signature = self.sign(algorithm, signed.as_bytes());
        format!("{signed}.{}", base64(signature))
    }

    pub(crate) fn token(&self, algorithm: &str, id: &str, claims: &Value) -> String {
        let header = json!({"alg": algorithm, "kid": id, "typ": "JWT"});
        self.token_of(algorithm, &header.to_string(), &claims.to_string())
    }
}

/// What the provider on loopback answers, and what it was asked.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) metadata: Value,
    pub(crate) keys: Vec<Value>,
    /// Answers of the token endpoint, each for one time.
    pub(crate) tokens: VecDeque<(u16, Value)>,
    pub(crate) userinfo: Value,
    pub(crate) down: bool,
    pub(crate) asked: Vec<String>,
}

pub(crate) struct Fake {
    pub(crate) issuer: String,
    pub(crate) state: Arc<Mutex<State>>,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) key: Key,
    pub(crate) state_key: StateKey,
}

impl Fake {
    /// With one key, called `k1`.
    pub(crate) async fn start(key: Key) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://127.0.0.1:{}", listener.local_addr().unwrap().port());
        let metadata = json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
            "token_endpoint": format!("{issuer}/token"),
            "jwks_uri": format!("{issuer}/keys"),
            "userinfo_endpoint": format!("{issuer}/userinfo"),
            "end_session_endpoint": format!("{issuer}/logout"),
        });
        let state = State { metadata, keys: vec![key.jwk("k1")], ..State::default() };
        let state = Arc::new(Mutex::new(state));
        tokio::spawn(serve(listener, Arc::clone(&state)));
        let clock = Arc::new(FixedClock::at(Timestamp::from_millis(NOW * 1000)));
        Self { issuer, state, clock, key, state_key: StateKey::new(Redacted::new([7; 32])) }
    }

    pub(crate) fn outbound() -> Outbound {
        // Without TLS there is nothing to trust; to read the system's authorities for each provider takes a while.
        Outbound::new(AllowList::parse(["127.0.0.1"]).unwrap()).with_roots(rustls::RootCertStore::empty())
    }

    pub(crate) fn settings(&self) -> ProviderSettings {
        let mut settings = ProviderSettings::new("corp", Kind::People, &self.issuer);
        settings.client_id = "sealyard".to_owned();
        settings.client_secret = Some(Redacted::new("s3cret".to_owned()));
        settings.redirect_base = "https://ml.example.org".to_owned();
        settings.groups_claim = Some("groups".to_owned());
        settings
    }

    pub(crate) fn machine_settings(&self) -> ProviderSettings {
        let mut settings = ProviderSettings::new("ci", Kind::Machines, &self.issuer);
        settings.audiences = vec!["https://ml.example.org".to_owned()];
        let claims = [("repository".to_owned(), "org/repo".to_owned()), ("ref".to_owned(), "refs/heads/*".to_owned())];
        let rule = MachineRule { account: "publisher".to_owned(), claims: claims.into() };
        settings.machines = vec![rule];
        settings
    }

    pub(crate) fn provider_with(&self, settings: ProviderSettings) -> Arc<Provider> {
        let rng: Arc<dyn Rng> = Arc::new(SystemRng);
        Provider::new(settings, Self::outbound(), self.clock.clone(), rng).unwrap()
    }

    pub(crate) fn people(&self) -> Arc<Provider> {
        self.provider_with(self.settings())
    }

    pub(crate) fn machines(&self) -> Providers {
        let provider = self.provider_with(self.machine_settings());
        Providers::new(vec![provider], self.state_key.clone(), self.clock.clone()).unwrap()
    }

    /// Claims of a machine that is let in.
    pub(crate) fn machine_claims(&self) -> Value {
        json!({
            "iss": self.issuer, "aud": "https://ml.example.org", "sub": "repo:org/repo:ref:refs/heads/main",
            "iat": NOW, "nbf": NOW, "exp": NOW + 300, "jti": "j1",
            "repository": "org/repo", "ref": "refs/heads/main",
        })
    }

    pub(crate) fn later(&self, seconds: i64) {
        self.clock.set(Timestamp::from_millis((NOW + seconds) * 1000));
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
    }

    /// How often this path was asked for.
    pub(crate) fn asked(&self, path: &str) -> usize {
        self.state.lock().unwrap().asked.iter().filter(|asked| asked.contains(path)).count()
    }
}

async fn serve(listener: TcpListener, state: Arc<Mutex<State>>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let state = Arc::clone(&state);
        tokio::spawn(async move {
            let (mut request, mut piece) = (Vec::new(), [0; 4096]);
            loop {
                let read = stream.read(&mut piece).await.unwrap_or(0);
                request.extend_from_slice(&piece[..read]);
                let text = String::from_utf8_lossy(&request).into_owned();
                if let Some((head, body)) = text.split_once("\r\n\r\n") {
                    let length = head.lines().find_map(|line| {
                        line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse::<usize>().ok()
                    });
                    if body.len() >= length.unwrap_or(0) {
                        break;
                    }
                }
                if read == 0 {
                    return;
                }
            }
            let request = String::from_utf8_lossy(&request).into_owned();
            let (status, body) = answer(&mut state.lock().unwrap(), &request);
            let body = body.to_string();
            let text = format!(
                "HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
                body.len()
            );
            let _ = stream.write_all(text.as_bytes()).await;
        });
    }
}

fn answer(state: &mut State, request: &str) -> (u16, Value) {
    state.asked.push(request.to_owned());
    if state.down {
        return (503, json!({}));
    }
    let path = request.split(' ').nth(1).unwrap_or_default();
    match path {
        "/.well-known/openid-configuration" => (200, state.metadata.clone()),
        "/keys" => (200, json!({"keys": state.keys})),
        "/userinfo" => (200, state.userinfo.clone()),
        // As a provider does: a code is good for one time.
        "/token" => state.tokens.pop_front().unwrap_or((400, json!({"error": "invalid_grant"}))),
        _ => (404, json!({})),
    }
}
