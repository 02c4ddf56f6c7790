use anyhow::anyhow;
use clap::Subcommand;
use reqwest::Method;
use sealyard_client::{Client, segment};
use sealyard_identity::{PrincipalName, ResourcePattern, Right, WorkspaceName};
use serde_json::{Value, json};

use crate::cli::Common;
use crate::commands::grants::{self, list};
use crate::commands::resources;
use crate::exit::{Exit, Failure, Result};
use crate::{output, remote};

/// Makes roles: names for sets of rights. Takes an administrator, or MANAGE on the workspace.
///
/// A role gives rights in its own workspace alone. Rights and resources are those of `sealyard grants`.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The workspace that the role belongs to.
    #[arg(long, global = true, value_name = "NAME", default_value_t)]
    workspace: WorkspaceName,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a role, which gives nothing yet.
    #[command(after_help = "Examples:
  sealyard roles create release-managers --description 'who may move champion'
  sealyard roles grant release-managers act:promote 'registered-model:*'
  sealyard roles assign release-managers alice")]
    Create {
        /// What it is called.
        role: String,
        /// What it is for.
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// List the workspace's roles.
    List,
    /// Show what a role gives, and who has it.
    Show {
        /// Which.
        role: String,
    },
    /// Delete a role; whoever had it has its rights no more.
    Delete {
        /// Which.
        role: String,
    },
    /// Give a role to a user.
    Assign(Member),
    /// Take a role from a user.
    Unassign(Member),
    /// Add a right to a role, in place of a level it had on the same resource.
    Grant {
        #[command(flatten)]
        right: RoleRight,
        /// What the resource names need not be there yet.
        #[arg(long)]
        absent_ok: bool,
    },
    /// Take a right from a role.
    Revoke(RoleRight),
}

#[derive(Debug, clap::Args)]
struct Member {
    /// Which role.
    role: String,
    /// Which user.
    user: PrincipalName,
}

#[derive(Debug, clap::Args)]
struct RoleRight {
    /// Which role.
    role: String,
    /// Such as READ, EDIT or act:promote.
    right: Right,
    /// Such as experiment:7 or registered-model:fraud-*.
    #[arg(value_parser = resources::pattern)]
    resource: ResourcePattern,
}

const ROOT: &str = "/api/3.0/mlflow/roles";

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let client = remote::connect(common)?;
        let Self { workspace, command } = self;
        let workspace = workspace.as_str();
        let (value, text) = remote::block_on(command.run(&client, workspace))?;
        if json {
            output::json(&value)?;
        } else {
            match text {
                Text::Data(text) => output::data(&text)?,
                Text::Said(text) => output::say(common.quiet, &text),
            }
        }
        Ok(Exit::Fine)
    }
}

enum Text {
    Data(String),
    Said(String),
}

impl Command {
    async fn run(self, client: &Client, workspace: &str) -> Result<(Value, Text)> {
        let done = async |method: Method, path: &str, body: Value| -> Result<Value> {
            client.call(method, &format!("{ROOT}{path}"), &body).await.map_err(remote::failure)
        };
        Ok(match self {
            Self::Create { role, description } => {
                let body = json!({"workspace": workspace, "name": role, "description": description});
                let made = done(Method::POST, "/create", body).await?;
                let made = made.get("role").cloned().unwrap_or_default();
                (made, Text::Said(format!("made the role {role}, which gives nothing yet")))
            }
            Self::List => {
                let roles = roles(client, workspace).await?;
                let line = |role: &Value| {
                    let text = |name: &str| remote::plain(role.get(name).and_then(Value::as_str).unwrap_or_default());
                    format!("{}  {}\n", text("name"), text("description"))
                };
                let lines = roles.iter().map(line).collect();
                (Value::Array(roles), Text::Data(lines))
            }
            Self::Show { role } => show(client, workspace, &role).await?,
            Self::Delete { role } => {
                let id = find(client, workspace, &role).await?;
                done(Method::DELETE, "/delete", json!({"role_id": id})).await?;
                (json!({"id": id, "name": role, "deleted": true}), Text::Said(format!("deleted the role {role}")))
            }
            Self::Assign(Member { role, user }) => {
                let id = find(client, workspace, &role).await?;
                done(Method::POST, "/assign", json!({"role_id": id, "username": user.as_str()})).await?;
                let value = json!({"role": role, "user": user.as_str(), "assigned": true});
                (value, Text::Said(format!("{user} has the role {role}")))
            }
            Self::Unassign(Member { role, user }) => {
                let id = find(client, workspace, &role).await?;
                done(Method::DELETE, "/unassign", json!({"role_id": id, "username": user.as_str()})).await?;
                let value = json!({"role": role, "user": user.as_str(), "assigned": false});
                (value, Text::Said(format!("{user} no longer has the role {role}")))
            }
            Self::Grant { right, absent_ok } => right.put(client, workspace, Some(absent_ok)).await?,
            Self::Revoke(right) => right.put(client, workspace, None).await?,
        })
    }
}

impl RoleRight {
    /// Gives the right, or takes it with `None`.
    async fn put(self, client: &Client, workspace: &str, absent_ok: Option<bool>) -> Result<(Value, Text)> {
        let Self { role, right, resource } = self;
        let id = find(client, workspace, &role).await?;
        let resource = resource.in_workspace(WorkspaceName::new(workspace).map_err(Failure::could_not)?);
        let (right, resource) = (right.to_string(), resource.to_string());
        let mut body = json!({"role": id, "right": right, "resource": resource});
        let method = match absent_ok {
            Some(absent) => {
                if let Some(body) = body.as_object_mut() {
                    body.insert("absent".to_owned(), absent.into());
                }
                Method::POST
            }
            None => Method::DELETE,
        };
        grants::call(client, method, &body).await?;
        let value = json!({"role": role, "right": right, "resource": resource, "granted": absent_ok.is_some()});
        let verb = if absent_ok.is_some() { "gives" } else { "no longer gives" };
        Ok((value, Text::Said(format!("{role} {verb} {right} on {resource}"))))
    }
}

async fn show(client: &Client, workspace: &str, role: &str) -> Result<(Value, Text)> {
    let id = find(client, workspace, role).await?;
    let grants = list(client, &format!("role={id}")).await?;
    let members: Value = client.get(&format!("{ROOT}/users/list?role_id={id}")).await.map_err(remote::failure)?;
    let users: Value = client.get("/api/2.0/mlflow/users/list").await.map_err(remote::failure)?;
    let number = |value: &Value, name: &str| value.get(name).and_then(Value::as_i64);
    let users = users.get("users").and_then(Value::as_array).cloned().unwrap_or_default();
    let members = members.get("assignments").and_then(Value::as_array).cloned().unwrap_or_default();
    let named = |member: &Value| {
        let user = users.iter().find(|user| number(user, "id") == number(member, "user_id"))?;
        Some(user.get("username")?.as_str()?.to_owned())
    };
    let members: Vec<String> = members.iter().filter_map(named).collect();
    let mut text = format!("role {}\n", remote::plain(role));
    for grant in &grants {
        text.push_str(&format!("  gives {}\n", grants::right(grant)));
    }
    for member in &members {
        text.push_str(&format!("  {} has it\n", remote::plain(member)));
    }
    let value = json!({"id": id, "name": role, "workspace": workspace, "grants": grants, "users": members});
    Ok((value, Text::Data(text)))
}

async fn roles(client: &Client, workspace: &str) -> Result<Vec<Value>> {
    let path = format!("{ROOT}/list?workspace={}", segment(workspace));
    let answer: Value = client.get(&path).await.map_err(remote::failure)?;
    Ok(answer.get("roles").and_then(Value::as_array).cloned().unwrap_or_default())
}

/// The number of the role of this name.
pub(crate) async fn find(client: &Client, workspace: &str, name: &str) -> Result<i64> {
    let all = roles(client, workspace).await?;
    let found = all.iter().find(|role| role.get("name").and_then(Value::as_str) == Some(name));
    let id = found.and_then(|role| role.get("id").and_then(Value::as_i64));
    id.ok_or_else(|| {
        Failure::could_not(anyhow!("there is no role {:?} in the workspace {workspace}", remote::plain(name)))
            .hint("`sealyard roles list` shows those there are")
    })
}
