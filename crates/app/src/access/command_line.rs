//! Log-ins of a command line by a browser: what somebody allows on a page becomes a token, which only the command line that asked
//! can take.
//!
//! The command line keeps a random verifier and says its digest, the challenge (PKCE, RFC 7636). The browser brings back a code: the new
//! token, encrypted and bound to the challenge and to the next two minutes. A code that somebody sees on its way is worth nothing to
//! them, and nothing is stored for a log-in under way.

use sealyard_core::{Digest, Redacted, Timestamp};
use sealyard_identity::Scope;
use serde::{Deserialize, Serialize};

use crate::{App, AppError, Caller, NewToken};

/// The purpose that codes are sealed for.
const PURPOSE: &str = "command-line-log-in";
/// How long such a token lives: a working day.
const TOKEN_SECONDS: i64 = 12 * 60 * 60;
/// How long a code is good.
const CODE_SECONDS: i64 = 120;
/// Characters of a code at most.
const LONGEST_CODE: usize = 4096;

/// The digest of a verifier that a command line keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogInChallenge(Digest);

impl LogInChallenge {
    /// That of a verifier.
    #[must_use]
    pub fn of(verifier: &Redacted<String>) -> Self {
        Self(Digest::of(verifier.expose().as_bytes()))
    }

    /// From 64 hexadecimal digits.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Digest::from_hex(text).ok().map(Self)
    }

    /// As it is written.
    #[must_use]
    pub fn to_hex(self) -> String {
        self.0.to_hex()
    }

    /// What the command line shows and people type on the page: whoever is sent to it by a link of somebody else has nothing to
    /// type.
    #[must_use]
    pub fn shown(self) -> String {
        let digits: String = self.0.to_hex().chars().take(8).collect();
        let (one, two) = digits.split_at(4);
        format!("{one}-{two}")
    }

    /// Whether that was typed; small and large letters, spaces and the dash don't matter.
    #[must_use]
    pub fn is_shown_as(self, typed: &str) -> bool {
        let plain = |text: &str| -> String {
            text.chars()
                .filter(char::is_ascii_alphanumeric)
                .map(|letter| letter.to_ascii_lowercase())
                .take(64)
                .collect()
        };
        plain(typed) == plain(&self.shown())
    }
}

/// A token for a command line.
#[derive(Debug, Serialize, Deserialize)]
pub struct CommandLineToken {
    /// The token.
    pub token: String,
    /// What it is listed and revoked by.
    pub id: String,
    /// What it is limited to.
    pub scopes: Vec<String>,
    /// When it ends.
    pub expires: Option<Timestamp>,
}

#[derive(Serialize, Deserialize)]
struct Sealed {
    until: i64,
    made: CommandLineToken,
}

impl App {
    /// Makes a token of the caller's own and gives the code for it, which whoever knows the challenge's verifier can change into it.
    ///
    /// # Errors
    /// As [`App::create_token`].
    pub async fn allow_command_line(
        &self,
        caller: &Caller,
        challenge: LogInChallenge,
    ) -> Result<Redacted<String>, AppError> {
        let seconds = self.rules.longest_token_seconds.map_or(TOKEN_SECONDS, |longest| longest.min(TOKEN_SECONDS));
        let expires = Some(self.now().plus_seconds(seconds));
        let (token, summary) = self.create_token(caller, NewToken { scopes: vec![Scope::All], expires }).await?;
        let made = CommandLineToken {
            token: token.expose().clone(),
            id: summary.id,
            scopes: summary.scopes,
            expires: summary.expires,
        };
        let until = self.now().plus_seconds(CODE_SECONDS).as_millis();
        let odd = |error: serde_json::Error| AppError::internal("a code could not be made", error);
        let plain = Redacted::new(serde_json::to_vec(&Sealed { until, made }).map_err(odd)?);
        let sealed = self.sealer(PURPOSE).seal(&challenge.to_hex(), plain.expose())?;
        Ok(Redacted::new(hex::encode(sealed)))
    }

    /// Changes a code into its token.
    ///
    /// # Errors
    /// [`AppError::Unauthenticated`] for a code that is not one, is another command line's, or came too late.
    pub fn redeem_command_line(
        &self,
        code: &Redacted<String>,
        verifier: &Redacted<String>,
    ) -> Result<CommandLineToken, AppError> {
        if code.expose().len() > LONGEST_CODE || verifier.expose().len() != 64 {
            return Err(AppError::Unauthenticated);
        }
        let challenge = LogInChallenge::of(verifier).to_hex();
        let sealed = hex::decode(code.expose()).map_err(|_| AppError::Unauthenticated)?;
        let plain = self.sealer(PURPOSE).open(&challenge, &sealed).map_err(|_| AppError::Unauthenticated)?;
        let read: Sealed = serde_json::from_slice(plain.expose()).map_err(|_| AppError::Unauthenticated)?;
        if self.now().as_millis() > read.until {
            return Err(AppError::Unauthenticated);
        }
        Ok(read.made)
    }
}
