use sealyard_client::ModelUri;
use sealyard_gate::Stage;

use crate::cli::Common;
use crate::commands::gate::{Endpoint, ask};
use crate::exit::Result;

/// Asks the publish gate to let a model version out.
///
/// The server's policy decides over the evidence there is: scan, provenance, signature. When it allows, the gate signs a
/// publish attestation. `sealyard gate check` asks without changing anything.
///
/// Exit codes: 0 published; 1 denied, with the rules that refused; 2 the gate could not be asked.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:
  sealyard publish models:/diabetes/1
  sealyard publish models:/diabetes/1 --environment production --format json")]
pub(crate) struct Arguments {
    /// models:/NAME/VERSION or models:/NAME@ALIAS.
    uri: ModelUri,
    /// The environment to publish for, where the policy knows some.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        ask(common, Endpoint::Publish, Stage::Publish, &self.uri, self.environment.as_deref(), None)
    }
}
