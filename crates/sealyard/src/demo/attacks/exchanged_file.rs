//! Somebody who has the disk and the master key exchanges the model for another, properly encrypted.

use std::io::Write as _;
use std::sync::Arc;

use reqwest::Method;
use sealyard_core::SystemRng;
use sealyard_serving::LoadError;
use sealyard_vault::{Keyring, Vault};

use super::versions::{download_path, stored_model};
use super::{Refusal, went_through};
use crate::commands::serve;
use crate::demo::context::{ALIAS, Context, MODEL};
use crate::exit::{Failure, Result};
use crate::verified;

pub(super) async fn carry_out(demo: &Context) -> Result<Refusal> {
    let stored = stored_model(demo)?;
    let keyring = Keyring::open(&demo.data_directory().join("keys/master.key"))?;
    let vault = Vault::open_or_create(&demo.data_directory().join("vault"), keyring, Arc::new(SystemRng))?;
    let mut content = Vec::new();
    vault.open(&stored.object)?.copy_to(&mut content)?;
    let good = std::fs::read(&stored.file)?;
    // The same size, one other byte, at the end of the archive. The vault can't tell; the digest must.
    if let Some(byte) = content.last_mut() {
        *byte ^= 1;
    }
    vault.delete(&stored.object)?;
    let mut pending = vault.begin_with_id(stored.object)?;
    pending.write_all(&content)?;
    vault.commit(&pending.seal()?)?;

    let outcome = try_both(demo, &stored.path).await;
    std::fs::write(&stored.file, good)?;
    outcome
}

/// A stock client must not get the other bytes, and the model server must not load them.
async fn try_both(demo: &Context, path: &str) -> Result<Refusal> {
    let answer = demo.admin.send(demo.admin.request(Method::GET, &download_path(demo, path)?)).await;
    if let Ok(answer) = answer
        && answer.bytes().await.is_ok()
    {
        return Err(went_through("a stock client was given the exchanged file"));
    }
    let fetched =
        verified::fetch(&demo.admin, &format!("models:/{MODEL}@{ALIAS}").parse()?, &demo.policy, None).await?;
    match serve::load(&fetched) {
        Ok(_) => Err(went_through("the model server loaded the exchanged file")),
        Err(failure) => match failure.error.downcast_ref::<LoadError>().and_then(LoadError::rule) {
            Some(rule) => Ok(Refusal::new(rule, &failure.error)),
            None => Err(Failure::could_not(failure.error)),
        },
    }
}
