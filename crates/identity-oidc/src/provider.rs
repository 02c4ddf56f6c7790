use std::fmt;
use std::sync::Arc;

use sealyard_core::{Clock, Redacted, Rng, Timestamp};
use sealyard_outbound::{Ask, Outbound};
use tokio::sync::Semaphore;

use crate::cached::{Ages, Cached};
use crate::discovery::{self, Metadata};
use crate::jws::Unverified;
use crate::keys::{Checked, KeySet, LONGEST_SET};
use crate::verify::{self, Use, Verified};
use crate::{OidcError, ProviderSettings, SettingsError};

/// A key that the provider took back is refused after five minutes. If it does not answer meanwhile, the keys that it had
/// are good for an hour in all.
const KEYS: Ages = Ages { fresh: 5 * 60, usable: 60 * 60, apart: 30 };
const METADATA: Ages = Ages { fresh: 60 * 60, usable: 24 * 60 * 60, apart: 10 };
/// Log-ins that may be at the provider's token endpoint at the same time.
const EXCHANGES: usize = 16;

/// Whom a provider speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// People, in a browser.
    People,
    /// Machines, with bearer tokens.
    Machines,
}

/// One identity provider.
pub struct Provider {
    pub(crate) settings: ProviderSettings,
    pub(crate) outbound: Outbound,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) exchanges: Semaphore,
    metadata: Cached<Metadata>,
    keys: Cached<KeySet>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Provider {
    /// A provider that is asked through `outbound`, which must let requests go to its issuer.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn new(
        settings: ProviderSettings,
        outbound: Outbound,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Arc<Self>, SettingsError> {
        settings.check()?;
        outbound.check(&settings.issuer).map_err(|error| SettingsError {
            provider: settings.name.clone(),
            reason: format!("`issuer` can't be used: {error}"),
        })?;
        Ok(Arc::new(Self {
            settings,
            outbound,
            clock,
            rng,
            exchanges: Semaphore::new(EXCHANGES),
            metadata: Cached::new(METADATA),
            keys: Cached::new(KEYS),
        }))
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.settings.name
    }

    /// What people read.
    #[must_use]
    pub fn display(&self) -> &str {
        &self.settings.display
    }

    /// Whom it speaks for.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.settings.kind
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Whether the provider can be asked, and its keys be read.
    ///
    /// # Errors
    /// [`OidcError::Unavailable`].
    pub async fn probe(self: &Arc<Self>) -> Result<usize, OidcError> {
        Ok(self.renewed_keys(None).await?.len())
    }

    pub(crate) async fn metadata(self: &Arc<Self>) -> Result<Arc<Metadata>, OidcError> {
        if let Some(metadata) = self.metadata.fresh(self.now()) {
            return Ok(metadata);
        }
        let this = Arc::clone(self);
        // To its end, also when who asked for it hangs up: or nobody would get to see it.
        spawned(&self.settings.name, async move { this.renewed_metadata().await }).await
    }

    async fn renewed_metadata(&self) -> Result<Arc<Metadata>, OidcError> {
        let fetch = async { discovery::discover(&self.settings, &self.outbound, self.headers().await?).await };
        self.metadata.renew(self.now(), None, &self.settings.name, fetch).await
    }

    async fn renewed_keys(self: &Arc<Self>, wanting: Option<Arc<KeySet>>) -> Result<Arc<KeySet>, OidcError> {
        let this = Arc::clone(self);
        let name = self.settings.name.clone();
        spawned(&name, async move {
            this.keys.renew(this.now(), wanting.as_ref(), &this.settings.name, this.fetch_keys()).await
        })
        .await
    }

    async fn fetch_keys(&self) -> Result<KeySet, OidcError> {
        let name = &self.settings.name;
        let unreadable = |reason: String| OidcError::unavailable(name, reason);
        if let Some(path) = &self.settings.keys_file {
            let read = tokio::fs::read(path).await;
            let bytes = read.map_err(|error| unreadable(format!("{}: {error}", path.display())))?;
            return KeySet::parse(&bytes).map_err(unreadable);
        }
        let metadata = self.renewed_metadata().await?;
        let ask = Ask { url: &metadata.keys, headers: self.headers().await?, body: None, most: LONGEST_SET };
        let answer = self.outbound.ask(ask).await;
        let answer = answer.map_err(|error| OidcError::outgoing(name, "its keys could not be fetched", &error))?;
        if answer.status != 200 {
            return Err(unreadable(format!("its keys were answered with status {}", answer.status)));
        }
        KeySet::parse(&answer.body).map_err(unreadable)
    }

    async fn headers(&self) -> Result<Vec<(&'static str, String)>, OidcError> {
        let mut headers = vec![("accept", "application/json".to_owned())];
        if let Some(path) = &self.settings.token_file {
            // Read each time: Kubernetes replaces it. And it decides who may read it.
            let read = tokio::fs::read_to_string(path).await.map(Redacted::new).ok();
            let text = read.as_ref().map(|text| text.expose().trim());
            let text = text.filter(|text| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic()));
            let text = text.ok_or_else(|| OidcError::unavailable(&self.settings.name, "`token_file` can't be read"))?;
            headers.push(("authorization", format!("Bearer {text}")));
        }
        Ok(headers)
    }

    /// Checks everything about a token but what its use asks for beyond that.
    pub(crate) async fn verify(self: &Arc<Self>, text: &str, what: Use) -> Result<Verified, OidcError> {
        let token = Unverified::parse(text)?;
        // Before anything is fetched for it.
        verify::check_kind(&token, &self.settings, what)?;
        let keys = match self.keys.fresh(self.now()) {
            Some(keys) => keys,
            None => self.renewed_keys(None).await?,
        };
        let mut checked = keys.check(&token);
        if checked == Checked::NoKey {
            // It may have a new one.
            checked = self.renewed_keys(Some(keys)).await?.check(&token);
        }
        match checked {
            Checked::Signed => verify::check_claims(token, &self.settings, what, self.now()),
            Checked::Forged => Err(OidcError::refused("oidc.signature", "the token's signature is wrong")),
            Checked::NoKey => Err(OidcError::refused("oidc.unknown-key", "the provider has no such key")),
        }
    }
}

async fn spawned<T: Send + 'static>(
    provider: &str,
    work: impl Future<Output = Result<T, OidcError>> + Send + 'static,
) -> Result<T, OidcError> {
    tokio::spawn(work).await.unwrap_or_else(|_| Err(OidcError::unavailable(provider, "the server stops")))
}
