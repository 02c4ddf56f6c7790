use clap::Subcommand;
use reqwest::Method;
use sealyard_client::{Client, ClientError, segment};
use sealyard_identity::{PrincipalName, ResourcePattern, Right};
use serde_json::{Value, json};

use crate::cli::Common;
use crate::commands::resources;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Gives and takes rights. Takes an administrator.
///
/// Rights: READ, USE, EDIT, MANAGE, each with those before it; NO; act:publish, act:deploy, act:promote, act:approve and
/// act:break-glass on models; DENY, which wins over everything. Resources: experiment:ID, registered-model:NAME, prompt:NAME,
/// dataset:ID, gateway-secret:ID, gateway-model-definition:ID, gateway-endpoint:ID, each ending in * for all that begin so; server,
/// ledger, policies, users.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Give a user a right, in place of what they had on the same resource.
    #[command(after_help = "Examples:
  sealyard grants set alice EDIT experiment:7
  sealyard grants set ci act:publish 'registered-model:fraud-*'
  sealyard grants set bob EDIT 'prompts:/support-*'")]
    Set {
        #[command(flatten)]
        grant: Grant,
        /// What the resource names need not be there yet.
        #[arg(long)]
        absent_ok: bool,
    },
    /// List grants: all, or those to a user by name, or on exactly one resource.
    #[command(after_help = "Examples:
  sealyard grants list --user alice
  sealyard grants list --resource registered-model:fraud --format json")]
    List {
        /// Those to this user; what its roles give is not among them.
        #[arg(long, value_name = "NAME")]
        user: Option<PrincipalName>,
        /// Those on exactly this.
        #[arg(long, value_name = "RESOURCE", value_parser = resources::pattern)]
        resource: Option<ResourcePattern>,
    },
    /// Take a right away.
    Remove(Grant),
}

#[derive(Debug, clap::Args)]
struct Grant {
    /// Whose.
    user: PrincipalName,
    /// Such as READ, EDIT or act:publish.
    right: Right,
    /// Such as experiment:7 or registered-model:fraud-*.
    #[arg(value_parser = resources::pattern)]
    resource: ResourcePattern,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let client = remote::connect(common)?;
        let (Grant { user, right, resource }, absent) = match self.command {
            Command::List { user, resource } => {
                let user = user.map(|user| format!("user={}", segment(user.as_str())));
                let resource = resource.map(|resource| format!("resource={}", segment(&resource.to_string())));
                let query: Vec<_> = user.into_iter().chain(resource).collect();
                let found = remote::block_on(list(&client, &query.join("&")))?;
                if json {
                    output::json(&found)?;
                } else {
                    let text = |grant: &Value, name: &str| {
                        remote::plain(grant.get(name).and_then(Value::as_str).unwrap_or_default())
                    };
                    let line = |grant: &Value| {
                        format!("{} {}  {}\n", text(grant, "kind"), text(grant, "to"), self::right(grant))
                    };
                    output::data(&found.iter().map(line).collect::<String>())?;
                }
                return Ok(Exit::Fine);
            }
            Command::Set { grant, absent_ok } => (grant, Some(absent_ok)),
            Command::Remove(grant) => (grant, None),
        };
        let (name, right, resource) = (user.as_str(), right.to_string(), resource.to_string());
        let mut body = json!({"user": name, "right": right, "resource": resource});
        let method = match absent {
            Some(absent) => {
                if let Some(body) = body.as_object_mut() {
                    body.insert("absent".to_owned(), absent.into());
                }
                Method::POST
            }
            None => Method::DELETE,
        };
        remote::block_on(call(&client, method, &body))?;
        if json {
            output::json(&json!({"user": name, "right": right, "resource": resource, "granted": absent.is_some()}))?;
        } else {
            let verb = if absent.is_some() { "has" } else { "no longer has" };
            output::say(common.quiet, &format!("{name} {verb} {right} on {resource}"));
        }
        Ok(Exit::Fine)
    }
}

/// Gives or takes a right.
pub(crate) async fn call(client: &Client, method: Method, body: &Value) -> Result<()> {
    let giving = method == Method::POST;
    let done: std::result::Result<Value, ClientError> = client.call(method, "/api/sealyard/v1/grants", body).await;
    match done {
        Ok(_) => Ok(()),
        Err(error) => {
            let missing = matches!(&error, ClientError::Answer { status: 404, .. });
            let hint =
                "a pattern that ends in * is for whatever comes; --absent-ok gives a right on what is not there yet";
            Err(remote::failure(error).maybe_hint((giving && missing).then_some(hint)))
        }
    }
}

/// Grants, by a query.
pub(crate) async fn list(client: &Client, query: &str) -> Result<Vec<Value>> {
    let answer: Value = client.get(&format!("/api/sealyard/v1/grants?{query}")).await.map_err(remote::failure)?;
    Ok(answer.get("grants").and_then(Value::as_array).cloned().unwrap_or_default())
}

/// `EDIT on experiment:7`.
pub(crate) fn right(grant: &Value) -> String {
    let text = |name: &str| remote::plain(grant.get(name).and_then(Value::as_str).unwrap_or_default());
    format!("{} on {}", text("right"), text("resource"))
}
