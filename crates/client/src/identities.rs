//! Users, tokens, grants, and who the caller is.

use reqwest::Method;
use sealyard_core::{Redacted, Timestamp};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, json};

use crate::{Client, ClientError, bounded, segment};

/// A token that was just made; the only time that it is shown.
#[derive(Debug, Clone, Deserialize)]
pub struct CreatedToken {
    /// The token itself.
    #[serde(deserialize_with = "redacted")]
    pub token: Redacted<String>,
    /// What it is listed and revoked by.
    pub id: String,
    /// What it is limited to.
    pub scopes: Vec<String>,
    /// When it ends, in RFC 3339.
    pub expires: Option<String>,
}

/// A token without the token.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TokenSummary {
    /// What it is listed and revoked by.
    pub id: String,
    /// What it is limited to.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires: Option<Timestamp>,
    /// Whether it was revoked.
    pub revoked: bool,
    /// When it was last used, to the minute or so.
    #[serde(default)]
    pub used: Option<Timestamp>,
}

fn of(user: Option<&str>) -> String {
    user.map_or_else(String::new, |user| format!("?user={}", segment(user)))
}

/// Secrets go from the answer straight into what never prints them.
fn redacted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Redacted<String>, D::Error> {
    String::deserialize(deserializer).map(Redacted::new)
}

impl Client {
    /// Who the server thinks the caller is.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn whoami(&self) -> Result<Value, ClientError> {
        self.get("/api/sealyard/v1/whoami").await
    }

    /// Removes stored bytes that nothing refers to, or only counts them.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn collect_garbage(&self, dry_run: bool) -> Result<Value, ClientError> {
        self.call(Method::POST, "/api/sealyard/v1/artifacts/collect", &json!({ "dry_run": dry_run })).await
    }

    /// How the deployment stands.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn doctor(&self) -> Result<Value, ClientError> {
        self.get("/api/sealyard/v1/doctor").await
    }

    /// Makes a token of the caller's own.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_token(
        &self,
        scopes: &[String],
        expires: Option<Timestamp>,
    ) -> Result<CreatedToken, ClientError> {
        self.create_token_for(None, scopes, expires).await
    }

    /// Makes a token of the caller's own, who shows a password and a code of the second factor.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_token_with_code(
        &self,
        code: Option<&Redacted<String>>,
        scopes: &[String],
        expires: Option<Timestamp>,
    ) -> Result<CreatedToken, ClientError> {
        let body = json!({"scopes": scopes, "expires": expires.map(Timestamp::to_rfc3339)});
        let mut request = self.request(Method::POST, "/api/sealyard/v1/tokens").json(&body);
        if let Some(code) = code {
            request = request.header("x-sealyard-code", code.expose());
        }
        self.ask(request).await
    }

    /// Changes the code that a browser brought into a token.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn redeem_log_in(
        &self,
        code: &Redacted<String>,
        verifier: &Redacted<String>,
    ) -> Result<CreatedToken, ClientError> {
        let body = json!({"code": code.expose(), "verifier": verifier.expose()});
        self.call(Method::POST, "/api/sealyard/v1/account/command-line", &body).await
    }

    /// Makes a token of the caller's own, or of the machine's account `user`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_token_for(
        &self,
        user: Option<&str>,
        scopes: &[String],
        expires: Option<Timestamp>,
    ) -> Result<CreatedToken, ClientError> {
        let mut body = json!({"scopes": scopes, "expires": expires.map(Timestamp::to_rfc3339)});
        if let (Some(user), Some(body)) = (user, body.as_object_mut()) {
            body.insert("user".to_owned(), user.into());
        }
        self.call(Method::POST, "/api/sealyard/v1/tokens", &body).await
    }

    /// The caller's own tokens, or those of `user`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn tokens(&self, user: Option<&str>) -> Result<Vec<TokenSummary>, ClientError> {
        #[derive(Deserialize)]
        struct Answer {
            tokens: Vec<TokenSummary>,
        }
        self.get::<Answer>(&format!("/api/sealyard/v1/tokens{}", of(user))).await.map(|answer| answer.tokens)
    }

    /// Ends one of the caller's own tokens, or one of `user`.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn revoke_token(&self, id: &str, user: Option<&str>) -> Result<(), ClientError> {
        let path = format!("/api/sealyard/v1/tokens/{}{}", segment(id), of(user));
        let request = self.request(Method::DELETE, &path);
        self.done(request).await
    }

    /// Makes a user.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn create_user(&self, name: &str, password: &Redacted<String>, admin: bool) -> Result<(), ClientError> {
        let body = json!({"name": name, "password": password.expose(), "admin": admin});
        self.done(self.request(Method::POST, "/api/sealyard/v1/users").json(&body)).await
    }

    /// Sends what has no answer worth reading.
    async fn done(&self, request: reqwest::RequestBuilder) -> Result<(), ClientError> {
        bounded(self.send(request).await?).await.map(drop)
    }
}
