//! The server that commands talk to.

mod login;

use std::future::Future;
use std::net::IpAddr;
use std::path::Path;

use anyhow::{Context as _, anyhow};
use sealyard_client::{Client, ClientError, Connection};
use sealyard_core::{Redacted, durable};

pub(crate) use login::Login;

use crate::cli::{Common, Format};
use crate::exit::{Failure, Result};
use crate::{keys, prompt};

/// Runs asynchronous work to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("could not start the runtime")?;
    let result = runtime.block_on(work);
    // Interrupted work may still hold a thread; what it began in the sandbox ends with this process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}

/// A client for the server that the options, the environment or the remembered log in name.
pub(crate) fn connect(common: &Common) -> Result<Client> {
    client(&connection(common)?)
}

/// How to reach that server. What is remembered of one server is never shown to another.
pub(crate) fn connection(common: &Common) -> Result<Connection> {
    let remembered = match (&common.server, &common.token_file, &common.ca) {
        // Everything is said: a damaged file elsewhere is no reason to stop.
        (Some(_), Some(_), Some(_)) => None,
        _ => Login::load()?,
    };
    let url = match (&common.server, &remembered) {
        (Some(url), _) => url.trim_end_matches('/').to_owned(),
        (None, Some(login)) => login.url.clone(),
        (None, None) => {
            return Err(Failure::could_not(anyhow!("no server is named"))
                .hint("name one with --server URL or SEALYARD_SERVER, or remember one with `sealyard login URL`"));
        }
    };
    let remembered = remembered.filter(|login| login.url == url);
    let certificate = match &common.ca {
        Some(path) => Some(read_certificate(path)?),
        None => remembered.as_ref().and_then(|login| login.ca.clone()),
    };
    let token_file = common.token_file.clone().or_else(|| remembered.map(|login| login.token_file));
    let token = token_file.as_deref().map(read_token).transpose()?;
    Ok(Connection { url, certificate, token, basic: None })
}

/// A client; refuses to send credentials where anybody could read them.
pub(crate) fn client(connection: &Connection) -> Result<Client> {
    let Connection { url, token, basic, .. } = connection;
    check_url(url, token.is_some() || basic.is_some())?;
    Client::new(connection).map_err(failure)
}

/// PEM of a certificate to trust.
pub(crate) fn read_certificate(path: &Path) -> Result<String> {
    keys::read_pem(path)?.ok_or_else(|| Failure::could_not(anyhow!("there is no certificate {}", path.display())))
}

/// A token from its file.
pub(crate) fn read_token(path: &Path) -> Result<Redacted<String>> {
    let token = read_secret(path, "token")?;
    let plain = token.expose().bytes().all(|byte| byte.is_ascii_graphic());
    if plain {
        return Ok(token);
    }
    Err(anyhow!("{} holds no token: a token is one word of ASCII letters, digits and signs", path.display()).into())
}

/// The one line of a private file; `-` is standard input, where a terminal does not show what is typed.
pub(crate) fn read_secret(path: &Path, what: &str) -> Result<Redacted<String>> {
    let text = if path == Path::new("-") && prompt::somebody_is_there() {
        prompt::hidden(what)?
    } else if path == Path::new("-") {
        let mut text = String::new();
        std::io::Read::read_to_string(&mut std::io::Read::take(std::io::stdin(), 1 << 16), &mut text)
            .with_context(|| format!("could not read the {what} from standard input"))?;
        Redacted::new(text)
    } else {
        let bytes = durable::read_private(path)
            .with_context(|| format!("could not read the {what} file {}", path.display()))?
            .ok_or_else(|| anyhow!("there is no {what} file {}", path.display()))?;
        let text = std::str::from_utf8(&bytes).map_err(|_| anyhow!("{} is not text", path.display()))?;
        Redacted::new(text.to_owned())
    };
    let line = text.expose().trim_end_matches(['\n', '\r']);
    if line.is_empty() || line.contains(['\n', '\r']) {
        return Err(anyhow!("expected one line with the {what} in {}", path.display()).into());
    }
    Ok(Redacted::new(line.to_owned()))
}

fn check_url(url: &str, secret: bool) -> Result<()> {
    let wrong = |why: &str| {
        Failure::could_not(anyhow!("{:?} can't be used as a server: {why}", plain(url)))
            .hint("expected such as https://sealyard.example.org:5000")
    };
    let (encrypted, rest) = match (url.strip_prefix("https://"), url.strip_prefix("http://")) {
        (Some(rest), _) => (true, rest),
        (_, Some(rest)) => (false, rest),
        _ => return Err(wrong("it does not start with https:// or http://")),
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.is_empty() || authority.contains(['@', '\\']) || authority.chars().any(|c| c.is_control() || c == ' ')
    {
        return Err(wrong("it needs a plain host name; credentials go into files"));
    }
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    };
    let loopback = host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback());
    if secret && !encrypted && !loopback {
        return Err(wrong("a token or password would cross the network for everybody to read; use https://"));
    }
    Ok(())
}

/// What a failed call means for the command: the server's "no" is a "no", everything else is "could not".
pub(crate) fn failure(error: ClientError) -> Failure {
    match &error {
        ClientError::Answer { status, message, rules, .. } => {
            let (status, mut said) = (*status, plain(message));
            if said.is_empty() {
                said = format!("the server answered {status}");
            }
            // The label says already that it was refused.
            if let Some(rest) = said.strip_prefix("refused by ") {
                said = rest.to_owned();
            }
            let unnamed: Vec<_> = rules.iter().map(|rule| plain(rule)).filter(|rule| !said.contains(rule)).collect();
            if !unnamed.is_empty() {
                said.push_str(&format!(" [{}]", unnamed.join(", ")));
            }
            let said = anyhow!(said);
            match status {
                401 => Failure::could_not(said)
                    .hint("log in with `sealyard login URL --token-file FILE`, or name a token with --token-file"),
                // Nothing was refused: it isn't there, or nobody looked.
                404 | 405 | 408 | 413 | 429 => Failure::could_not(said),
                400..=499 => Failure::no(said),
                _ => Failure::could_not(said).hint("the server's log has the rest"),
            }
        }
        ClientError::Transport(_) => Failure::could_not(error).hint(
            "check that the server runs and that its certificate is trusted: --ca FILE names the one it was started with",
        ),
        _ => Failure::could_not(error),
    }
}

/// Text from elsewhere, fit for a terminal: no control characters, no more than a screen of it.
pub(crate) fn plain(text: &str) -> String {
    text.chars().take(4000).map(|character| if is_hostile(character) { '\u{fffd}' } else { character }).collect()
}

/// Control characters, and those that turn the direction of what follows.
fn is_hostile(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}')
}

/// Whether the result is wanted as JSON.
pub(crate) fn wants_json(common: &Common) -> Result<bool> {
    match common.format {
        Format::Text => Ok(false),
        Format::Json => Ok(true),
        Format::Sarif | Format::Junit | Format::Cyclonedx => {
            Err(Failure::could_not(anyhow!("this command has no output of that format; `sealyard scan` has"))
                .hint("--format json is for programs"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::Exit;

    #[test]
    fn secrets_do_not_cross_a_network_in_the_clear() {
        for url in ["https://a.example:5000", "http://127.0.0.1:5000", "http://localhost", "http://[::1]:5000/x"] {
            assert!(check_url(url, true).is_ok(), "{url}");
        }
        for url in [
            "http://a.example",
            "http://10.0.0.1:5000",
            "http://localhost.evil.example",
            "http://127.0.0.1.evil.example",
        ] {
            assert!(check_url(url, true).is_err(), "{url}");
            assert!(check_url(url, false).is_ok(), "{url}");
        }
        for url in [
            "",
            "a.example",
            "ftp://a",
            "https://",
            "https://user:pw@a",
            "http://localhost@evil.example",
            "http://localhost\\@evil",
        ] {
            assert!(check_url(url, false).is_err(), "{url}");
        }
    }

    #[test]
    fn the_servers_no_is_no_and_all_else_could_not() {
        let answer = |status| {
            failure(ClientError::Answer {
                status,
                code: "X".into(),
                message: "said \u{1b}[2Jso".into(),
                rules: vec!["scan.verdict".into()],
            })
        };
        for (status, exit) in [
            (400, Exit::No),
            (403, Exit::No),
            (409, Exit::No),
            (401, Exit::CouldNot),
            (404, Exit::CouldNot),
            (429, Exit::CouldNot),
            (500, Exit::CouldNot),
            (503, Exit::CouldNot),
            (302, Exit::CouldNot),
        ] {
            assert_eq!(answer(status).exit, exit, "{status}");
        }
        let shown = answer(403).error.to_string();
        assert!(shown.contains("scan.verdict") && !shown.contains('\u{1b}'), "{shown}");
    }
}
