//! A log in by a browser: the server's page sends it back here, to a port of this machine's loopback, with a code that only this
//! command can change into a token.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow};
use sealyard_app::LogInChallenge;
use sealyard_core::{Digest, Redacted, Rng, SystemRng};

use crate::exit::{Failure, Result};

/// How long somebody has to log in.
const PATIENCE: Duration = Duration::from_secs(300);
/// Bytes of a request's head at most.
const LARGEST: usize = 16 * 1024;

const DONE: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nReferrer-Policy: no-referrer\r\n\
    Cache-Control: no-store\r\nConnection: close\r\n\r\n<!doctype html><title>Sealyard</title><p>You are logged in. This page can be closed.";
const NOT_FOUND: &str = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

/// A log in that waits for the browser.
pub(crate) struct BrowserLogin {
    listener: TcpListener,
    /// Tells this log in from any other page that comes here.
    state: String,
    /// What changes the code into a token; it never leaves this process but to the server.
    pub(crate) verifier: Redacted<String>,
}

impl BrowserLogin {
    pub(crate) fn begin() -> Result<Self> {
        let random = || Digest::from_bytes((&SystemRng as &dyn Rng).bytes()).to_hex();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("could not listen on loopback")?;
        listener.set_nonblocking(true).context("could not listen on loopback")?;
        Ok(Self { listener, state: random(), verifier: Redacted::new(random()) })
    }

    fn challenge(&self) -> LogInChallenge {
        LogInChallenge::of(&self.verifier)
    }

    /// What the page shows too.
    pub(crate) fn shown(&self) -> String {
        self.challenge().shown()
    }

    /// Where the browser is to go: to the provider's log in, and from there to the page that asks.
    pub(crate) fn address(&self, url: &str, provider: &str) -> Result<String> {
        let port = self.listener.local_addr().context("could not listen on loopback")?.port();
        let next =
            format!("/account/command-line?port={port}&challenge={}&state={}", self.challenge().to_hex(), self.state);
        Ok(format!(
            "{url}/auth/oidc/{}/login?next={}",
            sealyard_client::segment(provider),
            sealyard_client::segment(&next)
        ))
    }

    /// Waits until the browser brings the code.
    pub(crate) fn wait(&self) -> Result<Redacted<String>> {
        let end = Instant::now() + PATIENCE;
        while Instant::now() < end {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    if let Some(code) = self.serve(stream) {
                        return Ok(code);
                    }
                }
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(50));
                }
                Err(error) => return Err(anyhow!(error).context("could not listen on loopback").into()),
            }
        }
        Err(Failure::could_not(anyhow!("nobody logged in within {} minutes", PATIENCE.as_secs() / 60)))
    }

    /// Answers one request. Whatever else than our page sends a browser here gets nothing and ends nothing.
    fn serve(&self, mut stream: TcpStream) -> Option<Redacted<String>> {
        let _ = stream.set_nonblocking(false);
        let _ = stream.set_read_timeout(Some(Duration::from_secs(2)));
        let _ = stream.set_write_timeout(Some(Duration::from_secs(2)));
        let mut head = Vec::new();
        let mut part = [0; 2048];
        let end = Instant::now() + Duration::from_secs(5);
        while !head.windows(4).any(|window| window == b"\r\n\r\n") {
            let count = stream.read(&mut part).ok().filter(|count| *count > 0)?;
            head.extend_from_slice(part.get(..count)?);
            if head.len() > LARGEST || Instant::now() > end {
                return None;
            }
        }
        let code = std::str::from_utf8(&head).ok().and_then(|head| self.code_of(head));
        let _ = stream.write_all(if code.is_some() { DONE } else { NOT_FOUND }.as_bytes());
        code
    }

    fn code_of(&self, head: &str) -> Option<Redacted<String>> {
        let target = head.strip_prefix("GET /?")?.split(' ').next()?;
        let field = |name: &str| target.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        // By their digests: how far two agree tells nothing.
        let own = Digest::of(self.state.as_bytes()) == Digest::of(field("state")?.as_bytes());
        let code =
            field("code").filter(|code| !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
        own.then(|| Redacted::new(code.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask(login: &BrowserLogin, target: &str) -> (Option<Redacted<String>>, String) {
        let address = login.listener.local_addr().unwrap();
        let mut browser = TcpStream::connect(address).unwrap();
        browser.write_all(format!("GET {target} HTTP/1.1\r\nHost: {address}\r\n\r\n").as_bytes()).unwrap();
        let stream = loop {
            match login.listener.accept() {
                Ok((stream, _)) => break stream,
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        };
        let code = login.serve(stream);
        let mut answer = String::new();
        let _ = browser.read_to_string(&mut answer);
        (code, answer)
    }

    #[test]
    fn only_the_page_that_was_asked_ends_a_log_in() {
        let login = BrowserLogin::begin().unwrap();
        let state = login.state.clone();
        let other = BrowserLogin::begin().unwrap().state;
        for target in [
            "/".to_owned(),
            "/favicon.ico".to_owned(),
            "/?code=ab".to_owned(),
            format!("/?state={other}&code=ab"),
            format!("/?state={state}"),
            format!("/?state={state}&code="),
            format!("/?state={state}&code=<script>"),
            format!("/x?state={state}&code=ab"),
        ] {
            let (code, answer) = ask(&login, &target);
            assert!(code.is_none() && answer.starts_with("HTTP/1.1 404"), "{target}");
        }
        let (code, answer) = ask(&login, &format!("/?state={state}&code=00ff"));
        assert_eq!(code.unwrap().expose(), "00ff");
        assert!(answer.starts_with("HTTP/1.1 200") && !answer.contains("00ff"));
        let address = login.address("https://ml.example.org", "corp").unwrap();
        assert!(
            address.starts_with("https://ml.example.org/auth/oidc/corp/login?next=%2Faccount%2Fcommand%2Dline%3F"),
            "{address}"
        );
        assert!(!address.contains(login.verifier.expose()), "the verifier stays here");
    }
}
