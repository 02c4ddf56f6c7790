//! Somebody changes a byte of a wheel in the cache; the next environment would run it.

use std::path::Path;

use sealyard_env::{BuildRequest, Interpreter, Lock};

use super::{Refusal, went_through};
use crate::demo::context::Context;
use crate::exit::{Failure, Result};
use crate::training;

/// A small wheel of the example's lock, without dependencies.
const PACKAGE: &str = "six";

pub(super) async fn carry_out(demo: &Context) -> Result<Refusal> {
    let scratch = demo.scratch("wheel-byte")?;
    let text = std::fs::read_to_string(demo.project().join("requirements.txt"))?;
    let lock = requirement(&text, PACKAGE).ok_or_else(|| anyhow::anyhow!("the lock has no {PACKAGE}"))?;
    let lock = Lock::parse("requirements.txt", lock.as_bytes())?;
    tokio::task::spawn_blocking(move || {
        let interpreter = Interpreter::find(None)?;
        let mut tampered = false;
        for locked in lock.requirements() {
            for digest in &locked.hashes {
                let below = Path::new("wheels/sha256").join(digest.to_hex());
                let from = training::cache_directory().join(&below);
                if from.is_dir() {
                    tampered |= copy_changed(&from, &scratch.join(&below))?;
                }
            }
        }
        if !tampered {
            return Err(Failure::could_not(anyhow::anyhow!("there is no wheel of {PACKAGE} in the cache to change")));
        }
        let request = BuildRequest { lock: &lock, interpreter: &interpreter, cache: &scratch, prefix: "/env" };
        match sealyard_env::build(&request, &mut |_| {}) {
            Ok(_) => Err(went_through("an environment was built of a changed wheel")),
            Err(error) => match error.rule() {
                Some(rule) => Ok(Refusal::new(rule, error)),
                None => Err(Failure::could_not(error)),
            },
        }
    })
    .await?
}

/// Copies the wheels of `from`, the byte in the middle changed. Gives whether there was one.
fn copy_changed(from: &Path, to: &Path) -> Result<bool> {
    std::fs::create_dir_all(to)?;
    let mut changed = false;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let mut bytes = std::fs::read(entry.path())?;
        let middle = bytes.len() / 2;
        if let Some(byte) = bytes.get_mut(middle) {
            *byte ^= 1;
            changed = true;
        }
        std::fs::write(to.join(entry.file_name()), bytes)?;
    }
    Ok(changed)
}

/// The lines of one requirement of a lock.
pub(super) fn requirement(lock: &str, package: &str) -> Option<String> {
    let mut lines = lock.lines().skip_while(|line| !line.starts_with(&format!("{package}==")));
    let mut text = lines.next()?.to_owned();
    for line in lines.take_while(|line| line.starts_with(' ')) {
        text.push('\n');
        text.push_str(line);
    }
    text.push('\n');
    Some(text)
}
