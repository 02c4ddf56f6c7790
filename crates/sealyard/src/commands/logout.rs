use std::path::Path;

use anyhow::{Context as _, anyhow};

use super::login::own_token_file;
use crate::cli::Common;
use crate::exit::{Exit, Failure, Result};
use crate::output;
use crate::remote::{self, Login};

/// Forgets the remembered server. A token that `sealyard login --user` made is ended and deleted; a token file that you
/// named stays.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {}

impl Arguments {
    pub(crate) fn run(self, common: &Common) -> Result {
        let Self {} = self;
        let login = Login::load();
        // A damaged file is forgotten too: that is what was asked for.
        let known = login.as_ref().ok().and_then(Option::as_ref);
        if matches!(login, Ok(None)) {
            output::say(common.quiet, "nobody was logged in");
            return Ok(Exit::Fine);
        }
        let ended = match known.map(|login| (login, &login.token_id)) {
            Some((login, Some(id))) => end_token(login, id),
            _ => Ok(()),
        };
        remove(&Login::path()?)?;
        let own = own_token_file()?;
        if known.is_none_or(|login| login.token_file == own) {
            remove(&own)?;
        }
        if let Err(failure) = ended {
            let error = failure.error.context("this machine forgot the server, but the token could not be ended there");
            return Err(Failure::could_not(error)
                .hint("it ends by itself when it expires; `sealyard tokens revoke ID` ends it sooner"));
        }
        output::say(common.quiet, "logged out");
        Ok(Exit::Fine)
    }
}

/// Tells the server, with what was remembered and nothing else.
fn end_token(login: &Login, id: &str) -> Result<()> {
    let connection = sealyard_client::Connection {
        url: login.url.clone(),
        certificate: login.ca.clone(),
        token: Some(remote::read_token(&login.token_file)?),
        basic: None,
    };
    let client = remote::client(&connection)?;
    remote::block_on(async { client.revoke_token(id, None).await.map_err(remote::failure) })
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(anyhow!(error)).with_context(|| format!("could not remove {}", path.display())).map_err(Into::into)
        }
        _ => Ok(()),
    }
}
