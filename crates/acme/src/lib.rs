//! Certificates from an ACME directory (RFC 8555): an account, an order, the proof that the names are ours by `http-01` or
//! `tls-alpn-01`, and renewal before the end.
//!
//! The server serves with whatever it has meanwhile. What was got is kept beside the other keys and used at the next start; a failure
//! changes nothing but when it is tried again.
#![forbid(unsafe_code)]

mod account;
mod challenge;
mod client;
mod error;
mod order;
mod schedule;
mod settings;

use std::sync::Arc;

use sealyard_core::{Clock, Rng, with_causes};
use sealyard_outbound::{AllowList, Outbound};
use sealyard_transport::{CertificateNames, KeyPairFiles, TlsSlot};

pub use challenge::HttpChallenges;
pub use error::AcmeError;
pub use settings::{AcmeSettings, Challenge};

/// Gets certificates and renews them.
#[derive(Debug)]
pub struct Acme {
    settings: AcmeSettings,
    outbound: Arc<Outbound>,
    slots: Vec<Arc<TlsSlot>>,
    http: Arc<HttpChallenges>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl Acme {
    /// For the listeners of `slots`, which get what comes of it.
    ///
    /// # Errors
    /// [`AcmeError`]: settings that can't be.
    pub fn new(
        settings: AcmeSettings,
        slots: Vec<Arc<TlsSlot>>,
        http: Arc<HttpChallenges>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, AcmeError> {
        let host = settings.check()?;
        // The operator named the directory, wherever it is. Where it sends us on is for the guard to look at.
        let allow = AllowList::parse([host]).map_err(|error| AcmeError::Settings(error.to_string()))?;
        let mut outbound = Outbound::new(allow);
        if let Some(roots) = settings.roots()? {
            outbound = outbound.with_roots(roots);
        }
        Ok(Self { settings, outbound: Arc::new(outbound), slots, http, clock, rng })
    }

    /// Uses what an earlier start got, if it is still good.
    pub fn resume(&self) {
        if self.names().is_some()
            && let Err(error) = self.install()
        {
            tracing::warn!(error = %with_causes(&error), "the certificate of an earlier start can't be used");
        }
    }

    /// Gets a certificate when there is none or it nears its end, for ever.
    pub async fn run(self) {
        let mut failures = 0;
        loop {
            let now = self.clock.now().as_millis() / 1000;
            let due = self.names().map_or(now, |names| schedule::due(names.begins(), names.expires(), &*self.rng));
            if due > now {
                // In steps, as a machine may sleep or its clock be set.
                let step = u64::try_from(due - now).unwrap_or(1).min(3600);
                tokio::time::sleep(std::time::Duration::from_secs(step.max(1))).await;
                if self.clock.now().as_millis() / 1000 < due {
                    continue;
                }
            }
            match self.obtain().await {
                Ok(()) => {
                    failures = 0;
                    let fingerprint = self.slots.first().map(|slot| slot.fingerprint()).unwrap_or_default();
                    tracing::info!(%fingerprint, "a certificate was got from the ACME directory");
                    // One that is not good yet, as by a clock that is behind, must not be ordered again and again.
                    tokio::time::sleep(self.settings.retry).await;
                }
                Err(error) => {
                    failures += 1;
                    let pause = schedule::pause(self.settings.retry, failures, &*self.rng);
                    let error = with_causes(&error);
                    tracing::error!(%error, again_in = ?pause, "no certificate was got; the one in use stays");
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    /// The names in the certificate that is kept, if it is one for all of ours.
    fn names(&self) -> Option<CertificateNames> {
        let names = self.settings.kept_leaf()?;
        let now = self.clock.now().as_millis() / 1000;
        let ours = self.settings.covers(&names) && names.begins() <= now && now < names.expires();
        ours.then_some(names)
    }

    /// Lets the listeners use what is kept.
    fn install(&self) -> Result<(), AcmeError> {
        let path = self.settings.certificate();
        for slot in &self.slots {
            slot.exchange(KeyPairFiles { certificate: path.clone(), key: path.clone() })?;
        }
        Ok(())
    }
}
