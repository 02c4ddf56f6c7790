use std::path::Path;

use sealyard_core::{Rng, durable};
use sealyard_evidence::{Curve, SigningKey};

use crate::AppError;

/// The keys that the server signs with. None of them ever leaves it.
#[derive(Debug)]
pub struct ServerKeys {
    /// Signs publish and deployment attestations.
    pub gate: SigningKey,
    /// Signs scan reports.
    pub scanner: SigningKey,
}

impl ServerKeys {
    /// Reads `gate.key` and `scanner.key` in `directory`, making what is not there, and writes their public halves
    /// beside them as `.pub`.
    ///
    /// # Errors
    /// [`AppError::Internal`] for a file that can't be read, is open to others, or is no key.
    pub fn open_or_create(directory: &Path, rng: &dyn Rng) -> Result<Self, AppError> {
        Ok(Self {
            gate: open_or_create(&directory.join("gate.key"), rng)?,
            scanner: open_or_create(&directory.join("scanner.key"), rng)?,
        })
    }
}

fn open_or_create(path: &Path, rng: &dyn Rng) -> Result<SigningKey, AppError> {
    let failed = |error: &dyn std::fmt::Display| {
        AppError::internal("a signing key could not be opened", format!("{}: {error}", path.display()))
    };
    let key = match durable::read_private(path).map_err(|error| failed(&error))? {
        Some(pem) => {
            let pem = std::str::from_utf8(&pem).map_err(|error| failed(&error))?;
            SigningKey::from_pem(pem).map_err(|error| failed(&error))?
        }
        None => {
            let key = SigningKey::generate(Curve::P256, rng).map_err(|error| failed(&error))?;
            let pem = key.to_pkcs8_pem().map_err(|error| failed(&error))?;
            durable::write(path, pem.expose().as_bytes(), 0o600).map_err(|error| failed(&error))?;
            key
        }
    };
    // Policies are made of these files: one that is not of this key must not stay.
    let public = path.with_extension("pub");
    let pem = key.public_key().to_pem();
    if !std::fs::read(&public).is_ok_and(|found| found == pem.as_bytes()) {
        durable::write(&public, pem.as_bytes(), 0o644).map_err(|error| failed(&error))?;
    }
    Ok(key)
}
