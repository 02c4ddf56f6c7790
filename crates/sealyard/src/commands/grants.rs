use clap::Subcommand;
use sealyard_identity::{PrincipalName, ResourcePattern, Right};
use serde_json::json;

use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Gives and takes rights. Takes an administrator.
///
/// Rights: READ, USE, EDIT, MANAGE, each with those before it; NO; act:publish, act:deploy, act:promote, act:approve on
/// models; DENY, which wins over everything. Resources: experiment:ID, registered-model:NAME, gateway-secret:ID,
/// gateway-model-definition:ID, gateway-endpoint:ID, each ending in * for all that begin so; server, ledger, policies, users.
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
  sealyard grants set ci act:publish 'registered-model:fraud-*'")]
    Set(Grant),
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
    resource: ResourcePattern,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let json = remote::wants_json(common)?;
        let client = remote::connect(common)?;
        let (set, Grant { user, right, resource }) = match self.command {
            Command::Set(grant) => (true, grant),
            Command::Remove(grant) => (false, grant),
        };
        let (name, right, resource) = (user.as_str(), right.to_string(), resource.to_string());
        remote::block_on(async {
            let result = if set {
                client.set_grant(name, &right, &resource).await
            } else {
                client.remove_grant(name, &right, &resource).await
            };
            result.map_err(remote::failure)
        })?;
        if json {
            output::json(&json!({"user": name, "right": right, "resource": resource, "granted": set}))?;
        } else {
            let verb = if set { "has" } else { "no longer has" };
            output::say(common.quiet, &format!("{name} {verb} {right} on {resource}"));
        }
        Ok(Exit::Fine)
    }
}
