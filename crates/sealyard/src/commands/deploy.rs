use sealyard_client::ModelUri;
use sealyard_gate::Stage;

use crate::cli::Common;
use crate::commands::gate::{Endpoint, ask};
use crate::exit::Result;

/// Asks the deployment gate whether a model version may go to an environment.
///
/// When the server's policy allows it, the gate signs a deployment attestation. `sealyard gate check` asks without
/// changing anything.
///
/// Exit codes: 0 allowed; 1 denied, with the rules that refused; 2 the gate could not be asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard deploy models:/diabetes/1
  sealyard deploy models:/diabetes@champion --environment production")]
pub(crate) struct Arguments {
    /// models:/NAME/VERSION or models:/NAME@ALIAS.
    uri: ModelUri,
    /// The environment to deploy to, where the policy knows some.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// Deploy although the gate's rules are not content, for this reason. Takes the right act:break-glass and a policy that lets
    /// glass be broken; it stands in the ledger for ever.
    #[arg(long, value_name = "REASON")]
    break_glass: Option<String>,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        ask(
            common,
            Endpoint::Deployments,
            Stage::Deploy,
            &self.uri,
            self.environment.as_deref(),
            self.break_glass.as_deref(),
        )
    }
}
