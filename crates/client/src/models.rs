//! What is known of a model version, unverified.

use reqwest::Method;
use sealyard_core::{Digest, FileTree};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Client, ClientError, ModelUri, segment};

/// The files of a version as the server says. The reader computes the digest again.
#[derive(Debug, Clone, Deserialize)]
pub struct Manifest {
    /// The registered model.
    pub name: String,
    /// The version.
    pub version: Option<u32>,
    /// Digest of the files, as the server says.
    pub digest: Digest,
    /// The files.
    pub files: FileTree,
}

/// A bundle as the server has it.
#[derive(Debug, Clone, Deserialize)]
pub struct EvidenceItem {
    /// Its digest, as the server says.
    pub digest: Digest,
    /// Its predicate type, as the server says.
    pub predicate_type: String,
    /// The bundle's text.
    pub bundle: String,
}

impl Client {
    fn version_path(name: &str, version: u32, rest: &str) -> String {
        format!("/api/sealyard/v1/models/{}/versions/{version}/{rest}", segment(name))
    }

    /// The name and number that a URI means now.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn resolve(&self, uri: &ModelUri) -> Result<(String, u32), ClientError> {
        match uri {
            ModelUri::Version { name, version } => Ok((name.clone(), *version)),
            ModelUri::Alias { name, alias } => {
                #[derive(Deserialize)]
                struct Answer {
                    model_version: Version,
                }
                #[derive(Deserialize)]
                struct Version {
                    version: String,
                }
                let path =
                    format!("/api/2.0/mlflow/registered-models/alias?name={}&alias={}", segment(name), segment(alias));
                let answer: Answer = self.get(&path).await.map_err(|error| match error {
                    // MLflow calls an alias that is not there an invalid parameter; it is absent, not refused.
                    ClientError::Answer { status: 400, message, rules, .. } if rules.is_empty() => {
                        let code = "RESOURCE_DOES_NOT_EXIST".to_owned();
                        ClientError::Answer { status: 404, code, message, rules }
                    }
                    other => other,
                })?;
                let version = answer.model_version.version.parse().map_err(|_| ClientError::Answer {
                    status: 200,
                    code: "MALFORMED".to_owned(),
                    message: "the server named no version".to_owned(),
                    rules: Vec::new(),
                })?;
                Ok((name.clone(), version))
            }
        }
    }

    /// The frozen files of a version.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn manifest(&self, name: &str, version: u32) -> Result<Manifest, ClientError> {
        self.get(&Self::version_path(name, version, "manifest")).await
    }

    /// All evidence about a version.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn evidence(&self, name: &str, version: u32) -> Result<Vec<EvidenceItem>, ClientError> {
        #[derive(Deserialize)]
        struct Answer {
            evidence: Vec<EvidenceItem>,
        }
        let answer: Answer = self.get(&Self::version_path(name, version, "evidence")).await?;
        Ok(answer.evidence)
    }

    /// Adds a bundle to a version's evidence.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn add_evidence(&self, name: &str, version: u32, bundle: &str) -> Result<EvidenceItem, ClientError> {
        let path = Self::version_path(name, version, "evidence");
        let request = self
            .request(Method::POST, &path)
            .header("content-type", "application/vnd.dev.sigstore.bundle.v0.3+json")
            .body(bundle.to_owned());
        let answer = self.send(request).await?;
        crate::parse(&crate::bounded(answer).await?)
    }

    /// Points an alias at a version.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn set_alias(&self, name: &str, alias: &str, version: u32) -> Result<(), ClientError> {
        let body = json!({"name": name, "alias": alias, "version": version.to_string()});
        self.call::<_, Value>(Method::POST, "/api/2.0/mlflow/registered-models/alias", &body).await.map(drop)
    }

    /// Points an alias at a version although the gate's rules are not content.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn break_glass(&self, name: &str, alias: &str, version: u32, reason: &str) -> Result<(), ClientError> {
        let path = format!("/api/sealyard/v1/models/{}/aliases/{}", segment(name), segment(alias));
        let body = json!({"version": version, "break_glass": reason});
        self.call::<_, Value>(Method::PUT, &path, &body).await.map(drop)
    }
}
