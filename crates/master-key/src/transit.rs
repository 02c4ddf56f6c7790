use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::{BoxFuture, FutureExt as _};
use sealyard_core::Redacted;
use sealyard_vault::KeyId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::http::{Service, json};
use crate::{MasterKey, MasterKeyError, context};

/// Where a transit engine of OpenBao or HashiCorp Vault is.
#[derive(Debug, Clone)]
pub struct TransitConfig {
    /// Such as `https://bao.example:8200`.
    pub url: String,
    /// The key's name. It must be one that authenticates additional data, such as `aes256-gcm96`.
    pub key: String,
    /// The engine's path, `transit` mostly.
    pub mount: String,
    /// The namespace, where there are such.
    pub namespace: Option<String>,
    /// Who we are.
    pub token: Redacted<String>,
    /// Whom to trust for the server's certificate, in place of the system's authorities.
    pub ca: Option<PathBuf>,
}

/// A key of a transit engine.
#[derive(Debug)]
pub struct Transit {
    config: TransitConfig,
    service: Service,
}

#[derive(Serialize)]
struct Encrypt<'a> {
    plaintext: &'a str,
    associated_data: String,
}

#[derive(Serialize)]
struct Decrypt<'a> {
    ciphertext: &'a str,
    associated_data: String,
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Encrypted {
    ciphertext: String,
}

#[derive(Deserialize)]
struct Decrypted {
    plaintext: String,
}

impl Transit {
    /// # Errors
    /// [`MasterKeyError::Setting`] when it can't be asked as it is described.
    pub fn new(config: TransitConfig) -> Result<Self, MasterKeyError> {
        let is_name = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte))
        };
        if !is_name(&config.key) || config.key.contains('/') || !is_name(&config.mount) || config.mount.contains("..") {
            return Err(MasterKeyError::Setting {
                provider: "transit".to_owned(),
                problem: "its key and mount are letters, digits, `-`, `_` and `.`".to_owned(),
            });
        }
        let service = Service::new(&config.url, config.ca.as_deref(), &format!("transit {}", config.key))?;
        Ok(Self { config, service })
    }

    async fn ask<T: for<'de> Deserialize<'de>>(&self, act: &str, body: Vec<u8>) -> Result<T, MasterKeyError> {
        let TransitConfig { url, key, mount, .. } = &self.config;
        let url = format!("{}/v1/{}/{act}/{key}", url.trim_end_matches('/'), mount.trim_matches('/'));
        let mut headers = vec![
            ("X-Vault-Token", self.config.token.expose().clone()),
            ("X-Vault-Request", "true".to_owned()),
            ("Content-Type", "application/json".to_owned()),
        ];
        if let Some(namespace) = &self.config.namespace {
            headers.push(("X-Vault-Namespace", namespace.clone()));
        }
        let answer: Answer<T> = self.service.post(&url, &headers, body).await?;
        Ok(answer.data)
    }
}

impl MasterKey for Transit {
    fn name(&self) -> String {
        format!("transit {}", self.config.key)
    }

    fn wrap<'a>(&'a self, id: KeyId, key: &'a Redacted<[u8; 32]>) -> BoxFuture<'a, Result<Vec<u8>, MasterKeyError>> {
        async move {
            let plaintext = Zeroizing::new(STANDARD.encode(key.expose()));
            let body =
                json(&Encrypt { plaintext: &plaintext, associated_data: STANDARD.encode(context(id)) }, &self.name())?;
            let Encrypted { ciphertext } = self.ask("encrypt", body).await?;
            Ok(ciphertext.into_bytes())
        }
        .boxed()
    }

    fn unwrap<'a>(&'a self, id: KeyId, wrapped: &'a [u8]) -> BoxFuture<'a, Result<Redacted<[u8; 32]>, MasterKeyError>> {
        async move {
            let wrong = || MasterKeyError::Wrong { provider: self.name() };
            let ciphertext = str::from_utf8(wrapped).map_err(|_| wrong())?;
            let body = json(&Decrypt { ciphertext, associated_data: STANDARD.encode(context(id)) }, &self.name())?;
            let Decrypted { plaintext } = self.ask("decrypt", body).await?;
            let plaintext = Zeroizing::new(plaintext);
            let key = Zeroizing::new(STANDARD.decode(plaintext.as_bytes()).map_err(|_| wrong())?);
            key.as_slice().try_into().map(Redacted::new).map_err(|_| wrong())
        }
        .boxed()
    }
}
