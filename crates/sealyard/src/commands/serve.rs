use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use sealyard_api::RouterConfig;
use sealyard_api::inference::{ModelHandle, ServingState};
use sealyard_client::ModelUri;
use sealyard_server::{InferenceServer, TlsMode, open_tls};
use sealyard_serving::{Folder, Model};

use crate::cli::Common;
use crate::commands::up::{Stop, server_failure};
use crate::exit::{Exit, Failure, Result};
use crate::{output, remote, verified};

/// Serve a model on MLflow's scoring protocol.
///
/// Nothing is loaded that the load gate did not allow: the policy and its keys are files of this machine, each file of the
/// model is hashed as it is read, and the model is evaluated natively. No pickle is ever executed.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  sealyard serve -m models:/diabetes@champion --policy policy.toml

Then, with one row of ten numbers:
  curl http://127.0.0.1:5001/invocations \\
    -H 'Content-Type: application/json' \\
    -d '{\"inputs\": [[0.1, 0, 0, 0, 0, 0, 0, 0, 0, 0]]}'")]
pub(crate) struct Arguments {
    /// models:/NAME/VERSION or models:/NAME@ALIAS.
    #[arg(short, long, value_name = "URI")]
    model: ModelUri,
    /// Where to listen. Elsewhere than on loopback it takes TLS.
    #[arg(long, default_value = "127.0.0.1:5001", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// The load policy of this machine, with its keys beside it.
    #[arg(long, env = "SEALYARD_POLICY", value_name = "FILE")]
    policy: PathBuf,
    /// The environment this server runs in, where the policy knows some.
    #[arg(long, value_name = "NAME")]
    environment: Option<String>,
    /// CERTIFICATE,KEY as two PEM files, or off.
    #[arg(long, default_value = "off", value_name = "MODE", value_parser = super::up::tls_mode)]
    tls: TlsMode,
    /// Answer only to who shows the token in this file, mode 0600. Elsewhere than on loopback it takes one.
    #[arg(long, value_name = "FILE")]
    serving_token_file: Option<PathBuf>,
    /// A further host name that clients may use.
    #[arg(long = "host", value_name = "NAME")]
    hosts: Vec<String>,
    /// Gets {"url"} once the model is served.
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let policy = verified::read_policy(&self.policy)?;
        let token = self.serving_token_file.as_deref().map(remote::read_token).transpose()?;
        if token.is_none() && !self.listen.ip().is_loopback() {
            return Err(Failure::could_not(anyhow::anyhow!("{} can be reached by others", self.listen))
                .hint("give --serving-token-file, or listen on 127.0.0.1"));
        }
        let client = remote::connect(common)?;
        let identity = match &self.tls {
            TlsMode::Automatic => {
                return Err(Failure::could_not(anyhow::anyhow!("--tls auto is for `sealyard up`"))
                    .hint("give CERTIFICATE,KEY, or listen on loopback with --tls off"));
            }
            mode => open_tls(mode, std::path::Path::new("."), &[], &[], None).map_err(server_failure)?,
        };
        remote::block_on(async {
            let mut stop = Stop::catch()?;
            let fetched = verified::fetch(&client, &self.model, &policy, self.environment.clone()).await?;
            let model = load(&fetched)?;
            let mut state = ServingState::new(ModelHandle::new(model), self.router_config());
            if let Some(token) = &token {
                state = state.with_token(token);
            }
            let router = sealyard_api::inference::router(state);
            let server = InferenceServer::start(self.listen, identity, router).await.map_err(server_failure)?;
            output::say(
                common.quiet,
                &format!("{} passed the load gate ({})", self.model, fetched.model.subject().digest),
            );
            output::say(common.quiet, &format!("Serving at {}/invocations. Ctrl-C stops it.", server.url()));
            if let Some(path) = &self.ready_file {
                let text = serde_json::json!({"url": server.url()}).to_string();
                sealyard_core::durable::write(path, text.as_bytes(), 0o600)?;
            }
            stop.wait().await;
            server.stop().await;
            Ok(Exit::Fine)
        })
    }
}

impl Arguments {
    fn router_config(&self) -> RouterConfig {
        let own = (!self.listen.ip().is_unspecified()).then(|| self.listen.to_string());
        own.iter().chain(&self.hosts).fold(RouterConfig::loopback(), |config, host| config.with_host(host))
    }
}

/// Takes a fetched model into memory.
pub(crate) fn load(fetched: &verified::Fetched) -> Result<Model> {
    Model::load(&fetched.model, &Folder(fetched.files.path().to_owned())).map_err(|error| {
        // A file that is not what was decided on is a no; a model that this release can't evaluate is not.
        if error.rule().is_some() { Failure::no(error) } else { Failure::could_not(error) }
    })
}
