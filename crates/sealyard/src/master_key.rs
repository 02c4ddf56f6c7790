//! The vault's master key, where the environment gives it.

use std::io::{Read as _, Write as _};
use std::os::unix::process::CommandExt as _;

use sealyard_core::Redacted;

use crate::exit::{Failure, Result};

const VARIABLE: &str = "SEALYARD_MASTER_KEY";
/// What stands in the variable when the key is to be read from standard input.
const INPUT: &str = "-";
/// No key is longer.
const LONGEST: u64 = 4096;

/// The key as it stands in the variable, for commands that end soon.
pub(crate) fn of_environment() -> Option<Redacted<String>> {
    std::env::var(VARIABLE).ok().filter(|value| !value.is_empty() && value != INPUT).map(Redacted::new)
}

/// Takes the key out of this process's environment, which everybody can read in `/proc` who may look at the process, for as
/// long as it runs. Nothing can change what the kernel shows there but a new program: so the process becomes this program once
/// more, with the key in a pipe.
pub(crate) fn take() -> Result<Option<Redacted<String>>> {
    let Some(value) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty()) else { return Ok(None) };
    if value == INPUT {
        let mut text = String::with_capacity(256);
        std::io::stdin().take(LONGEST).read_to_string(&mut text)?;
        return Ok(Some(Redacted::new(text)));
    }
    let key = of_environment().ok_or_else(|| Failure::could_not(anyhow::anyhow!("{VARIABLE} is not text")))?;
    if key.expose().len() as u64 > LONGEST {
        return Err(Failure::could_not(anyhow::anyhow!("{VARIABLE} is too long to be a key")));
    }
    let (reader, mut writer) = std::io::pipe()?;
    // It fits into the pipe's buffer, so that nobody need read meanwhile.
    writer.write_all(key.expose().as_bytes())?;
    drop(writer);
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let mut again = std::process::Command::new(std::env::current_exe()?);
    again.arg0(name).args(arguments).env(VARIABLE, INPUT).stdin(reader);
    Err(again.exec().into())
}
