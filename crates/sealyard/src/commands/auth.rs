use clap::Subcommand;
use reqwest::Method;
use sealyard_client::segment;
use sealyard_identity::{ActionKind, PrincipalName, Resource};
use serde_json::Value;

use crate::cli::Common;
use crate::commands::resources;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Explains decisions of the authorizer.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Whether a user may do something, and each rule that led to it. Of yourself, or of anybody for administrators.
    ///
    /// Exit codes: 0 allowed; 1 denied; 2 the server could not be asked.
    #[command(after_help = "Examples:
  sealyard auth explain alice promote models:/fraud
  sealyard auth explain alice edit experiment:7
  sealyard auth explain alice edit prompts:/greeting
  sealyard auth explain alice read team-a/registered-model:fraud")]
    Explain {
        /// Who would do it.
        user: PrincipalName,
        /// read, use, edit, manage, promote, approve, deploy, publish, break-glass, provision or administer.
        action: ActionKind,
        /// Such as models:/fraud, prompts:/greeting, dataset:d-1f, experiment:7, server, ledger or users; in another workspace with its name in front.
        #[arg(value_parser = place)]
        resource: Place,
    },
}

/// A resource, and the workspace it is in.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    workspace: Option<String>,
    resource: Resource,
}

fn place(text: &str) -> std::result::Result<Place, String> {
    let text = resources::named(text);
    let text = text.as_str();
    let kind = text.split(':').next().unwrap_or_default();
    let (workspace, rest) = match kind.split_once('/') {
        Some((workspace, _)) => (Some(workspace.to_owned()), text.get(workspace.len() + 1..).unwrap_or_default()),
        None => (None, text),
    };
    let resource = rest.parse().map_err(|error: sealyard_identity::ResourceIdError| error.to_string())?;
    Ok(Place { workspace, resource })
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let client = remote::connect(common)?;
        let Command::Explain { user, action, resource: Place { workspace, resource } } = self.command;
        let path = format!(
            "/api/sealyard/v1/access/explanation?user={}&action={}&resource={}",
            segment(user.as_str()),
            segment(&action.to_string()),
            segment(&resource.to_string())
        );
        let answer: Value = remote::block_on(async {
            let mut request = client.request(Method::GET, &path);
            if let Some(workspace) = &workspace {
                request = request.header("X-MLFLOW-WORKSPACE", workspace);
            }
            client.ask(request).await.map_err(remote::failure)
        })?;
        if json {
            output::json(&answer)?;
        } else {
            output::data(&tree(&answer))?;
        }
        Ok(if answer.get("allowed") == Some(&Value::Bool(true)) { Exit::Fine } else { Exit::No })
    }
}

/// The decision, and below it what led to it.
fn tree(answer: &Value) -> String {
    let text = |value: &Value, name: &str| remote::plain(value.get(name).and_then(Value::as_str).unwrap_or("?"));
    let allowed = answer.get("allowed") == Some(&Value::Bool(true));
    let verb = if allowed { "may" } else { "may not" };
    let (who, action, what) = (text(answer, "user"), text(answer, "action"), text(answer, "resource"));
    let mut lines = format!("{who} {verb} {action} {what}");
    let workspace = text(answer, "workspace");
    if workspace != "default" {
        lines.push_str(&format!(" in the workspace {workspace}"));
    }
    lines.push('\n');
    let considered = answer.get("considered").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for (position, rule) in considered.iter().enumerate() {
        let branch = if position + 1 == considered.len() { "└─" } else { "├─" };
        let effect = match rule.get("effect").and_then(Value::as_str) {
            Some("allows") => "allowed by",
            Some("denies") => "denied by",
            _ => "not enough:",
        };
        lines.push_str(&format!("{branch} {effect} {}\n", text(rule, "rule")));
    }
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_place_is_a_resource_a_model_or_one_of_a_workspace() {
        let read = |text: &str| place(text).map(|place| (place.workspace, place.resource.to_string()));
        assert_eq!(read("experiment:7"), Ok((None, "experiment:7".to_owned())));
        assert_eq!(read("ledger"), Ok((None, "ledger".to_owned())));
        for text in ["models:/fraud", "models:/fraud/3", "models:/fraud@champion"] {
            assert_eq!(read(text), Ok((None, "registered-model:fraud".to_owned())), "{text}");
        }
        assert_eq!(read("prompts:/greeting/2"), Ok((None, "prompt:greeting".to_owned())));
        assert_eq!(read("datasets:/d-1f"), Ok((None, "dataset:d-1f".to_owned())));
        let there = Ok((Some("team-a".to_owned()), "registered-model:a b".to_owned()));
        assert_eq!(read("team-a/registered-model:a b"), there);
        for text in ["", "models:/", "experiment", "moon:1", "a/b/experiment:7", "experiment:*"] {
            assert!(place(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_decision_is_a_tree() {
        let answer = json!({
            "user": "ada", "action": "deploy", "resource": "registered-model:m", "workspace": "default", "allowed": false,
            "considered": [{"effect": "denies", "rule": "DENY \u{1b}[2J"}, {"effect": "allows", "rule": "MANAGE"}],
        });
        let text = tree(&answer);
        assert_eq!(
            text,
            "ada may not deploy registered-model:m\n├─ denied by DENY \u{fffd}[2J\n└─ allowed by MANAGE\n"
        );
    }
}
