//! Gates: an allowed and a denied decision are both answers.

use reqwest::{Method, RequestBuilder};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Client, ClientError, bounded, parse};

/// What a refusal carries besides its message.
#[derive(Deserialize)]
struct Denied {
    decision: Option<Value>,
}

impl Client {
    /// Asks a gate: `publish`, `deployments`, or `decisions` for a dry run. The answer is a `sealyard.decision/1`, also
    /// when it is a denial; whoever reads it looks at its `decision`.
    ///
    /// # Errors
    /// [`ClientError`] when the gate gave no decision.
    pub async fn decision(
        &self,
        endpoint: &str,
        name: &str,
        version: u32,
        stage: Option<&str>,
        environment: Option<&str>,
        break_glass: Option<&str>,
    ) -> Result<Value, ClientError> {
        let mut body = json!({"name": name, "version": version});
        if let Some(object) = body.as_object_mut() {
            object.extend(environment.map(|environment| ("environment".to_owned(), environment.into())));
            object.extend(break_glass.map(|reason| ("break_glass".to_owned(), reason.into())));
            object.extend(stage.map(|stage| ("stage".to_owned(), stage.into())));
        }
        let answer = self.gate(endpoint).json(&body).send().await.map_err(ClientError::Transport)?;
        let status = answer.status();
        let bytes = bounded(answer).await?;
        if status.is_success() {
            return parse(&bytes);
        }
        let denied = serde_json::from_slice(&bytes).ok().and_then(|Denied { decision }| decision);
        denied.filter(Value::is_object).ok_or_else(|| ClientError::answer(status.as_u16(), &bytes))
    }

    /// Has a version pass a gate, `publish` or `deployments`. Gives the decision that allowed it.
    ///
    /// # Errors
    /// [`ClientError`]; a denial is an answer with status 403 and the rules that refused.
    pub async fn pass_gate(&self, endpoint: &str, name: &str, version: u32) -> Result<Value, ClientError> {
        let body = json!({"name": name, "version": version});
        parse(&bounded(self.send(self.gate(endpoint).json(&body)).await?).await?)
    }

    fn gate(&self, endpoint: &str) -> RequestBuilder {
        self.request(Method::POST, &format!("/api/sealyard/v1/{endpoint}"))
    }
}
