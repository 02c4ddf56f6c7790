use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::{BoxFuture, FutureExt as _};
use sealyard_core::{Clock, Digest, Redacted, Timestamp};
use sealyard_vault::KeyId;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::http::{Service, json};
use crate::{MasterKey, MasterKeyError, context};

const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Who we are to AWS.
#[derive(Debug, Clone)]
pub struct AwsCredentials {
    /// The access key's id.
    pub id: String,
    /// The access key itself.
    pub secret: Redacted<String>,
    /// Of temporary credentials, their token.
    pub session: Option<Redacted<String>>,
}

/// Where a KMS with Amazon's API is.
#[derive(Debug, Clone)]
pub struct AwsKmsConfig {
    /// Such as `eu-central-1`.
    pub region: String,
    /// The key: an id, an ARN, or `alias/…`.
    pub key: String,
    /// In place of Amazon's own endpoint of the region.
    pub endpoint: Option<String>,
    /// Who we are.
    pub credentials: AwsCredentials,
    /// Whom to trust for the server's certificate, in place of the system's authorities.
    pub ca: Option<PathBuf>,
}

/// A key of a KMS.
#[derive(Debug)]
pub struct AwsKms {
    config: AwsKmsConfig,
    url: String,
    service: Service,
    clock: Arc<dyn Clock>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypt<'a> {
    key_id: &'a str,
    plaintext: &'a str,
    encryption_context: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypt<'a> {
    key_id: &'a str,
    ciphertext_blob: String,
    encryption_context: BTreeMap<&'static str, String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Encrypted {
    ciphertext_blob: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Decrypted {
    plaintext: String,
}

impl AwsKms {
    /// # Errors
    /// [`MasterKeyError::Setting`] when it can't be asked as it is described.
    pub fn new(config: AwsKmsConfig, clock: Arc<dyn Clock>) -> Result<Self, MasterKeyError> {
        let provider = format!("aws-kms {}", config.key);
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
        if !plain(&config.region) || config.region.contains(['/', '.']) || !plain(&config.key) {
            let problem = "it needs a region and a key".to_owned();
            return Err(MasterKeyError::Setting { provider, problem });
        }
        let url = match &config.endpoint {
            Some(url) => format!("{}/", url.trim_end_matches('/')),
            None => format!("https://kms.{}.amazonaws.com/", config.region),
        };
        let service = Service::new(&url, config.ca.as_deref(), &provider)?;
        Ok(Self { config, url, service, clock })
    }

    async fn ask<T: for<'de> Deserialize<'de>>(&self, act: &str, body: Vec<u8>) -> Result<T, MasterKeyError> {
        let request = Request { host: &self.service.host, target: &format!("TrentService.{act}"), body: &body };
        let headers = request.sign(&self.config.region, &self.config.credentials, self.clock.now());
        self.service.post(&self.url, &headers, body).await
    }

    fn encryption_context(id: KeyId) -> BTreeMap<&'static str, String> {
        BTreeMap::from([("sealyard", context(id))])
    }
}

impl MasterKey for AwsKms {
    fn name(&self) -> String {
        format!("aws-kms {}", self.config.key)
    }

    fn wrap<'a>(&'a self, id: KeyId, key: &'a Redacted<[u8; 32]>) -> BoxFuture<'a, Result<Vec<u8>, MasterKeyError>> {
        async move {
            let plaintext = Zeroizing::new(STANDARD.encode(key.expose()));
            let encryption_context = Self::encryption_context(id);
            let request = Encrypt { key_id: &self.config.key, plaintext: &plaintext, encryption_context };
            let Encrypted { ciphertext_blob } = self.ask("Encrypt", json(&request, &self.name())?).await?;
            STANDARD.decode(ciphertext_blob).map_err(|_| MasterKeyError::Unavailable {
                provider: self.name(),
                problem: "its answer can't be understood".to_owned(),
            })
        }
        .boxed()
    }

    fn unwrap<'a>(&'a self, id: KeyId, wrapped: &'a [u8]) -> BoxFuture<'a, Result<Redacted<[u8; 32]>, MasterKeyError>> {
        async move {
            let wrong = || MasterKeyError::Wrong { provider: self.name() };
            let encryption_context = Self::encryption_context(id);
            let ciphertext_blob = STANDARD.encode(wrapped);
            let request = Decrypt { key_id: &self.config.key, ciphertext_blob, encryption_context };
            let Decrypted { plaintext } = self.ask("Decrypt", json(&request, &self.name())?).await?;
            let plaintext = Zeroizing::new(plaintext);
            let key = Zeroizing::new(STANDARD.decode(plaintext.as_bytes()).map_err(|_| wrong())?);
            key.as_slice().try_into().map(Redacted::new).map_err(|_| wrong())
        }
        .boxed()
    }
}

/// A POST to `/`, as it is signed.
struct Request<'a> {
    host: &'a str,
    target: &'a str,
    body: &'a [u8],
}

impl Request<'_> {
    /// AWS Signature Version 4.
    fn sign(&self, region: &str, credentials: &AwsCredentials, now: Timestamp) -> Vec<(&'static str, String)> {
        let moment = basic(now);
        let day = moment.get(..8).unwrap_or_default();
        let mut headers = vec![
            ("content-type", CONTENT_TYPE.to_owned()),
            ("host", self.host.to_owned()),
            ("x-amz-date", moment.clone()),
        ];
        if let Some(session) = &credentials.session {
            headers.push(("x-amz-security-token", session.expose().clone()));
        }
        headers.push(("x-amz-target", self.target.to_owned()));
        let signed: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
        let signed = signed.join(";");
        let lines: String = headers.iter().map(|(name, value)| format!("{name}:{}\n", value.trim())).collect();
        let canonical = format!("POST\n/\n\n{lines}\n{signed}\n{}", Digest::of(self.body).to_hex());
        let scope = format!("{day}/{region}/kms/aws4_request");
        let to_sign = format!("AWS4-HMAC-SHA256\n{moment}\n{scope}\n{}", Digest::of(canonical.as_bytes()).to_hex());
        let first = Zeroizing::new(format!("AWS4{}", credentials.secret.expose()));
        let mut key = mac(first.as_bytes(), day.as_bytes());
        for part in [region, "kms", "aws4_request"] {
            key = mac(key.as_ref(), part.as_bytes());
        }
        let signature = hex::encode(mac(key.as_ref(), to_sign.as_bytes()));
        let id = &credentials.id;
        headers.push((
            "authorization",
            format!("AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}"),
        ));
        // The client writes the host itself.
        headers.retain(|(name, _)| *name != "host");
        headers
    }
}

fn mac(key: &[u8], message: &[u8]) -> hmac::Tag {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message)
}

/// `20150830T123600Z`.
fn basic(time: Timestamp) -> String {
    let text = time.to_rfc3339();
    let seconds = text.get(..19).unwrap_or_default();
    format!("{}Z", seconds.replace(['-', ':'], ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The signature was computed by botocore's signer for the same request.
    #[test]
    fn the_signature_is_amazons() {
        let credentials = AwsCredentials {
            id: "AKIDEXAMPLE".to_owned(),
            secret: Redacted::new("wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_owned()),
            session: Some(Redacted::new("session-token".to_owned())),
        };
        let request = Request { host: "kms.eu-central-1.amazonaws.com", target: "TrentService.Encrypt", body: b"{}" };
        let now = Timestamp::from_rfc3339("2015-08-30T12:36:00Z").unwrap();
        let headers = request.sign("eu-central-1", &credentials, now);
        let of = |wanted: &str| headers.iter().find(|(name, _)| *name == wanted).map(|(_, value)| value.as_str());
        assert_eq!(of("x-amz-date"), Some("20150830T123600Z"));
        assert_eq!(
            of("authorization"),
            Some(
                "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/eu-central-1/kms/aws4_request, SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, Signature=dfe66b34ba8073ec380c56fc02035e77f37b5457de9f7340dc8b584329d7d7d3"
            )
        );
    }
}
