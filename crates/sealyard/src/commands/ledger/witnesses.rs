use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use sealyard_core::{Clock as _, SystemClock};
use sealyard_ledger::{Cosigners, WitnessVerifier};

use super::read_text;
use crate::commands::tokens::seconds;
use crate::exit::{Failure, Result};

/// So old a cosignature may be: servers ask for them every few seconds, and renew those of a log in which nothing happens.
const MAX_AGE: &str = "1d";
/// A witness's clock may be so many seconds ahead of this one.
const AHEAD: i64 = 300;

/// Which witnesses must have cosigned what is verified.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// A witness's public key (witness.pub): its cosignatures must be right, and at least --quorum of them below one
    /// checkpoint. Can be given more than once.
    #[arg(long = "witness-key", value_name = "FILE")]
    witness_keys: Vec<PathBuf>,
    /// How many of the named witnesses must have cosigned [default: all of them].
    #[arg(long, value_name = "N", requires = "witness_keys")]
    quorum: Option<usize>,
    /// How old their cosignatures, and entries that they have not cosigned yet, may be [default: 1d; with --proof any age].
    /// For an old copy name the copy's age and a day, or any.
    #[arg(long, value_name = "AGE", requires = "witness_keys")]
    witness_max_age: Option<String>,
}

impl Arguments {
    /// The witnesses, and that what they signed must be new.
    pub(super) fn read(&self) -> Result<Cosigners> {
        self.within(Some(self.witness_max_age.as_deref().unwrap_or(MAX_AGE)))
    }

    /// The same for what is kept for years.
    pub(super) fn of_any_age(&self) -> Result<Cosigners> {
        self.within(self.witness_max_age.as_deref())
    }

    fn within(&self, age: Option<&str>) -> Result<Cosigners> {
        let mut keys = Vec::new();
        for path in &self.witness_keys {
            let key = read_text(path)?.trim().parse::<WitnessVerifier>();
            keys.push(key.with_context(|| format!("{} is no verifier key of a witness", path.display()))?);
        }
        let cosigners = Cosigners::new(keys, self.quorum).map_err(|error| {
            Failure::could_not(anyhow!(error)).hint("--witness-key names each witness once, --quorum at most as many")
        })?;
        let Some(age) = age.filter(|age| *age != "any") else { return Ok(cosigners) };
        let age = seconds(age).map_err(|_| {
            Failure::could_not(anyhow!("--witness-max-age {age:?} is not such as 90m, 12h or 7d, and not any"))
        })?;
        let now = SystemClock.now();
        Ok(cosigners.within(now.plus_seconds(-age), now.plus_seconds(AHEAD)))
    }
}
