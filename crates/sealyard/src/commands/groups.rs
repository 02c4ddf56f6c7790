use clap::Subcommand;
use reqwest::Method;
use sealyard_client::{Client, segment};
use sealyard_identity::{PrincipalName, ResourcePattern, Right, WorkspaceName};
use serde_json::{Value, json};

use crate::cli::Common;
use crate::commands::resources;
use crate::commands::{grants, roles};
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Makes groups, says who is in them, and what they may. Takes an administrator.
///
/// A group that a provider of identities tells of is called PROVIDER/NAME. Who is in it is as the provider says at each log in;
/// rights and roles are given to it here.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a group of this server.
    #[command(after_help = "Examples:
  sealyard groups create risk
  sealyard groups add risk alice
  sealyard groups grant risk READ 'registered-model:*'
  sealyard groups assign corp/ml-engineers trainers")]
    Create {
        /// What it is called.
        group: String,
    },
    /// List all groups.
    List,
    /// Show who is in a group and what it was given.
    Show {
        /// Which.
        group: String,
    },
    /// Delete a group of this server, with what it was given.
    Delete {
        /// Which.
        group: String,
    },
    /// Put a user into a group of this server.
    Add(Member),
    /// Take a user out of a group of this server.
    Remove(Member),
    /// Give all of a group a role.
    Assign(GroupRole),
    /// Take a role from all of a group.
    Unassign(GroupRole),
    /// Give all of a group a right.
    Grant {
        #[command(flatten)]
        right: GroupRight,
        /// What the resource names need not be there yet.
        #[arg(long)]
        absent_ok: bool,
    },
    /// Take a right from all of a group.
    Revoke(GroupRight),
}

#[derive(Debug, clap::Args)]
struct Member {
    /// Which group.
    group: String,
    /// Which user.
    user: PrincipalName,
}

#[derive(Debug, clap::Args)]
struct GroupRole {
    /// Which group.
    group: String,
    /// Which role.
    role: String,
    /// The workspace that the role belongs to.
    #[arg(long, value_name = "NAME", default_value_t)]
    workspace: WorkspaceName,
}

#[derive(Debug, clap::Args)]
struct GroupRight {
    /// Which group.
    group: String,
    /// Such as READ, EDIT or act:promote.
    right: Right,
    /// Such as experiment:7 or registered-model:fraud-*.
    #[arg(value_parser = resources::pattern)]
    resource: ResourcePattern,
}

const ROOT: &str = "/api/sealyard/v1/groups";

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let client = remote::connect(common)?;
        let (value, said, data) = remote::block_on(self.command.run(&client))?;
        if json {
            output::json(&value)?;
        } else if let Some(data) = data {
            output::data(&data)?;
        } else {
            output::say(common.quiet, &said);
        }
        Ok(Exit::Fine)
    }
}

impl Command {
    /// The result for programs, what to say of it, and data for people.
    async fn run(self, client: &Client) -> Result<(Value, String, Option<String>)> {
        let one = |group: &str| format!("{ROOT}/{}", segment(group));
        let call = async |method: Method, path: &str, body: Value| -> Result<Value> {
            client.call(method, path, &body).await.map_err(remote::failure)
        };
        let done = |value: Value, said: String| Ok((value, said, None));
        match self {
            Self::Create { group } => {
                let made = call(Method::POST, ROOT, json!({"name": group})).await?;
                done(made, format!("made the group {group}"))
            }
            Self::List => {
                let answer: Value = client.get(ROOT).await.map_err(remote::failure)?;
                let groups = answer.get("groups").and_then(Value::as_array).cloned().unwrap_or_default();
                let lines = groups.iter().map(|group| format!("{}\n", text(group, "name"))).collect();
                Ok((Value::Array(groups), String::new(), Some(lines)))
            }
            Self::Show { group } => {
                let shown: Value = client.get(&one(&group)).await.map_err(remote::failure)?;
                let lines = details(&shown);
                Ok((shown, String::new(), Some(lines)))
            }
            Self::Delete { group } => {
                call(Method::DELETE, &one(&group), json!({})).await?;
                done(json!({"name": group, "deleted": true}), format!("deleted the group {group}"))
            }
            Self::Add(Member { group, user }) => {
                let path = format!("{}/members/{}", one(&group), segment(user.as_str()));
                call(Method::PUT, &path, json!({})).await?;
                let value = json!({"group": group, "user": user.as_str(), "member": true});
                done(value, format!("{user} is in the group {group}"))
            }
            Self::Remove(Member { group, user }) => {
                let path = format!("{}/members/{}", one(&group), segment(user.as_str()));
                call(Method::DELETE, &path, json!({})).await?;
                let value = json!({"group": group, "user": user.as_str(), "member": false});
                done(value, format!("{user} is not in the group {group}"))
            }
            Self::Assign(which) => which.put(client, Method::PUT).await,
            Self::Unassign(which) => which.put(client, Method::DELETE).await,
            Self::Grant { right, absent_ok } => right.put(client, Some(absent_ok)).await,
            Self::Revoke(right) => right.put(client, None).await,
        }
    }
}

impl GroupRole {
    async fn put(self, client: &Client, method: Method) -> Result<(Value, String, Option<String>)> {
        let Self { group, role, workspace } = self;
        let has = method == Method::PUT;
        let id = roles::find(client, workspace.as_str(), &role).await?;
        let path = format!("{ROOT}/{}/roles/{id}", segment(&group));
        let _: Value = client.call(method, &path, &json!({})).await.map_err(remote::failure)?;
        let verb = if has { "has" } else { "no longer has" };
        let value = json!({"group": group, "role": role, "workspace": workspace.as_str(), "assigned": has});
        Ok((value, format!("the group {group} {verb} the role {role}"), None))
    }
}

impl GroupRight {
    /// Gives the right, or takes it with `None`.
    async fn put(self, client: &Client, absent_ok: Option<bool>) -> Result<(Value, String, Option<String>)> {
        let Self { group, right, resource } = self;
        let (right, resource) = (right.to_string(), resource.to_string());
        let absent = absent_ok.unwrap_or_default();
        let body = json!({"group": group, "right": right, "resource": resource, "absent": absent});
        let method = if absent_ok.is_some() { Method::POST } else { Method::DELETE };
        grants::call(client, method, &body).await?;
        let verb = if absent_ok.is_some() { "has" } else { "no longer has" };
        let value = json!({"group": group, "right": right, "resource": resource, "granted": absent_ok.is_some()});
        Ok((value, format!("the group {group} {verb} {right} on {resource}"), None))
    }
}

fn details(group: &Value) -> String {
    let list = |name: &str| group.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
    let mut shown = format!("group {}\n", text(group, "name"));
    for user in list("users") {
        shown.push_str(&format!("  {} is in it\n", remote::plain(user.as_str().unwrap_or_default())));
    }
    for role in list("roles") {
        shown.push_str(&format!("  has the role {}\n", remote::plain(role.as_str().unwrap_or_default())));
    }
    for grant in list("grants") {
        shown.push_str(&format!("  has {}\n", grants::right(&grant)));
    }
    shown
}

fn text(value: &Value, name: &str) -> String {
    remote::plain(value.get(name).and_then(Value::as_str).unwrap_or_default())
}
