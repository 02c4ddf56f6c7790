use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use sealyard_core::{SystemClock, SystemRng};
use sealyard_server::{TlsMode, WitnessConfig, WitnessServer};

use super::{parse_key, read_text};
use crate::cli::Common;
use crate::commands::up::{Stop, server_failure, tls_mode};
use crate::exit::{Exit, Result};
use crate::{output, remote};

#[derive(Debug, clap::Args)]
#[command(after_help = "Example, on a machine that the servers' administrators can't change:
  sealyard ledger witness --listen 0.0.0.0:5002 --tls auto --name witness.example/1 --log ledger.pub

Then, in the settings of the server (`sealyard up --config FILE`), with what this prints:
  [ledger]
  witnesses = [{ name = \"one\", url = \"https://10.0.0.9:5002\", key = \"witness.example/1+…\", ca = \"witness.crt\" }]")]
pub(super) struct Arguments {
    /// Where to listen.
    #[arg(long, default_value = "127.0.0.1:5002", value_name = "ADDRESS:PORT")]
    listen: SocketAddr,
    /// auto (self-signed, STATE/tls.crt), off (loopback only), or CERTIFICATE,KEY as two PEM files.
    #[arg(long, default_value = "off", value_name = "MODE", value_parser = tls_mode)]
    tls: TlsMode,
    /// Where what was cosigned is kept, and the key that is made at the first start. Losing it makes this another witness.
    #[arg(long, default_value = "sealyard-witness", value_name = "DIR")]
    state: PathBuf,
    /// The witness's name, which stands in its cosignatures.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// A ledger's public key (keys/ledger.pub): its log is watched. Can be given more than once.
    #[arg(long = "log", required = true, value_name = "FILE")]
    logs: Vec<PathBuf>,
}

impl Arguments {
    pub(super) fn run(self, common: &Common) -> Result {
        let mut logs = Vec::new();
        for path in &self.logs {
            logs.push(parse_key(&read_text(path)?, &path.display().to_string())?);
        }
        let config = WitnessConfig { listen: self.listen, tls: self.tls, state: self.state, name: self.name, logs };
        remote::block_on(async {
            let mut stop = Stop::catch()?;
            let server = WitnessServer::start(config, Arc::new(SystemClock), Arc::new(SystemRng));
            let server = server.await.map_err(server_failure)?;
            output::say(common.quiet, &format!("The witness answers at {}", server.url()));
            output::data(&format!("{}\n", server.verifier()))?;
            stop.wait().await;
            server.stop().await;
            Ok(Exit::Fine)
        })
    }
}
