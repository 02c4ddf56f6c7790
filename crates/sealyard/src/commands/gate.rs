use anyhow::anyhow;
use clap::Subcommand;
use sealyard_client::ModelUri;
use sealyard_gate::Stage;
use serde::Deserialize;
use serde_json::Value;

use crate::cli::Common;
use crate::exit::{Exit, Failure, Result};
use crate::{output, remote};

/// Asks a gate without changing anything.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What the gate would say of a model version now, with its reasons. Nothing is signed or recorded as published.
    ///
    /// Exit codes: 0 it would be allowed; 1 it would be denied; 2 the gate could not be asked.
    #[command(after_help = "Examples:
  sealyard gate check models:/diabetes/1 --stage publish
  sealyard gate check models:/diabetes@champion --stage deploy --environment production --format json")]
    Check {
        /// models:/NAME/VERSION or models:/NAME@ALIAS.
        uri: ModelUri,
        /// publish, deploy, admit or load.
        #[arg(long, value_name = "STAGE")]
        stage: Stage,
        /// The environment, where the policy knows some.
        #[arg(long, value_name = "NAME")]
        environment: Option<String>,
    },
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let Command::Check { uri, stage, environment } = self.command;
        ask(common, Endpoint::Decisions, stage, &uri, environment.as_deref(), None)
    }
}

/// Where a gate is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Endpoint {
    /// A dry run.
    Decisions,
    /// The publish gate.
    Publish,
    /// The deployment gate.
    Deployments,
}

/// What is read of a decision; the rest goes through as it is.
#[derive(Debug, Deserialize)]
struct Decision {
    schema: String,
    stage: String,
    subject: Subject,
    decision: String,
    reasons: Vec<Reason>,
    #[serde(default)]
    rejected: Vec<Rejected>,
    #[serde(default)]
    attestation: Option<String>,
    #[serde(default)]
    broke_glass: bool,
}

#[derive(Debug, Deserialize)]
struct Subject {
    name: String,
    digest: String,
}

#[derive(Debug, Deserialize)]
struct Reason {
    rule: String,
    ok: bool,
    detail: String,
}

#[derive(Debug, Deserialize)]
struct Rejected {
    digest: String,
    reason: String,
}

/// Asks the gate about one version and shows what it says.
pub(crate) fn ask(
    common: &Common,
    endpoint: Endpoint,
    stage: Stage,
    uri: &ModelUri,
    environment: Option<&str>,
    break_glass: Option<&str>,
) -> Result {
    let json = remote::wants_json(common)?;
    let client = remote::connect(common)?;
    let (value, asked) = remote::block_on(async {
        let (name, version) = client.resolve(uri).await.map_err(remote::failure)?;
        let (path, stage) = match endpoint {
            Endpoint::Decisions => ("decisions", Some(stage.as_str())),
            Endpoint::Publish => ("publish", None),
            Endpoint::Deployments => ("deployments", None),
        };
        let answer =
            client.decision(path, &name, version, stage, environment, break_glass).await.map_err(remote::failure)?;
        Ok((answer, format!("models:/{name}/{version}")))
    })?;
    let decision = Decision::read(&value, stage, &asked)?;
    let exit = if decision.allows() { Exit::Fine } else { Exit::No };
    if exit == Exit::Fine && endpoint != Endpoint::Decisions && decision.attestation.is_none() {
        return Err(anyhow!("the gate allowed {asked} but signed nothing").into());
    }
    if json {
        output::json(&value)?;
    } else {
        output::data(&decision.text())?;
    }
    Ok(exit)
}

impl Decision {
    /// An answer that is not about what was asked is no answer.
    fn read(value: &Value, stage: Stage, asked: &str) -> Result<Self> {
        let wrong = |why: &str| {
            Failure::could_not(anyhow!("the server's answer is no decision on this question: {why}"))
                .hint("client and server may be of different versions: compare `sealyard --version`")
        };
        let decision = Self::deserialize(value).map_err(|error| wrong(&remote::plain(&error.to_string())))?;
        if decision.schema != "sealyard.decision/1" {
            return Err(wrong("it is of another schema"));
        }
        if decision.stage != stage.as_str() || decision.subject.name != asked {
            return Err(wrong("it is about another stage or subject"));
        }
        Ok(decision)
    }

    /// As the gate counts: it says so, and there are rules, and every one is content, or glass was broken.
    fn allows(&self) -> bool {
        let content = !self.reasons.is_empty() && self.reasons.iter().all(|reason| reason.ok);
        let glass =
            self.broke_glass && self.reasons.iter().any(|reason| reason.ok && reason.rule == "policy.break-glass");
        self.decision == "allow" && (content || glass)
    }

    fn text(&self) -> String {
        let Self { stage, subject, reasons, rejected, attestation, .. } = self;
        let mut text = format!("{stage} {}  {}\n", remote::plain(&subject.name), remote::plain(&subject.digest));
        let width = reasons.iter().map(|reason| reason.rule.chars().count()).max().unwrap_or_default().min(40);
        for Reason { rule, ok, detail } in reasons {
            let mark = if *ok { "ok    " } else { "FAILED" };
            text.push_str(&format!("  {mark}  {:<width$}  {}\n", remote::plain(rule), remote::plain(detail)));
        }
        for Rejected { digest, reason } in rejected {
            text.push_str(&format!(
                "  evidence {} counts for nothing: {}\n",
                remote::plain(digest),
                remote::plain(reason)
            ));
        }
        let end = match (self.allows(), attestation) {
            (true, Some(attestation)) => format!("allowed; attestation {}\n", remote::plain(attestation)),
            (true, None) => "allowed\n".to_owned(),
            (false, _) => {
                let failed = reasons.iter().filter(|reason| !reason.ok).map(|reason| remote::plain(&reason.rule));
                format!("DENIED by {}\n", failed.collect::<Vec<_>>().join(", "))
            }
        };
        text + &end
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Value {
        json!({"schema": "sealyard.decision/1", "stage": "publish", "subject": {"name": "models:/m/1", "digest": "sha256:0"},
            "decision": "allow", "reasons": [{"rule": "scan.verdict", "ok": true, "detail": "safe"}]})
    }

    #[test]
    fn only_an_allow_with_content_rules_is_one() {
        let read = |value: &Value| Decision::read(value, Stage::Publish, "models:/m/1");
        assert!(read(&sample()).unwrap().allows());
        let mut denied = sample();
        denied["decision"] = "deny".into();
        assert!(!read(&denied).unwrap().allows());
        let mut contradicts = sample();
        contradicts["reasons"][0]["ok"] = false.into();
        assert!(!read(&contradicts).unwrap().allows());
        let mut empty = sample();
        empty["reasons"] = json!([]);
        assert!(!read(&empty).unwrap().allows());
    }

    #[test]
    fn an_answer_to_another_question_is_none() {
        for (pointer, value) in [
            ("schema", json!("sealyard.decision/2")),
            ("stage", json!("deploy")),
            ("subject", json!({"name": "models:/m/2", "digest": "sha256:0"})),
            ("reasons", json!("none")),
        ] {
            let mut other = sample();
            other[pointer] = value;
            assert!(Decision::read(&other, Stage::Publish, "models:/m/1").is_err(), "{pointer}");
        }
    }
}
