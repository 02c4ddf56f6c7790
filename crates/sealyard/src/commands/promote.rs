use sealyard_client::ModelUri;
use serde_json::json;

use crate::cli::Common;
use crate::exit::{Exit, Result};
use crate::{output, remote};

/// Points an alias at a model version.
///
/// Aliases that the server's policy protects, such as champion, only take versions that the gate allows.
///
/// Exit codes: 0 done; 1 refused; 2 the server could not be asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard promote models:/diabetes/2 --alias champion
  sealyard promote models:/diabetes@challenger --alias champion")]
pub(crate) struct Arguments {
    /// models:/NAME/VERSION or models:/NAME@ALIAS.
    uri: ModelUri,
    /// The alias to point at it.
    #[arg(long, value_name = "ALIAS")]
    alias: String,
    /// Do it although the gate's rules are not content, for this reason. Takes the right act:break-glass and a policy that lets
    /// glass be broken; it stands in the ledger for ever.
    #[arg(long, value_name = "REASON")]
    break_glass: Option<String>,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let Self { uri, alias, break_glass } = self;
        let json = remote::wants_json(common)?;
        let client = remote::connect(common)?;
        let (name, version) = remote::block_on(async {
            let (name, version) = client.resolve(&uri).await.map_err(remote::failure)?;
            let done = match &break_glass {
                Some(reason) => client.break_glass(&name, &alias, version, reason).await,
                None => client.set_alias(&name, &alias, version).await,
            };
            done.map_err(remote::failure)?;
            Ok((name, version))
        })?;
        if json {
            output::json(&json!({"name": name, "version": version, "alias": alias}))?;
        } else {
            output::data(&format!("models:/{name}@{alias} is now version {version}\n"))?;
        }
        Ok(Exit::Fine)
    }
}
