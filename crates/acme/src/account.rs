use instant_acme::{Account, AccountCredentials, NewAccount};
use sealyard_core::{Redacted, durable};
use serde::{Deserialize, Serialize};

use crate::client::Guarded;
use crate::{Acme, AcmeError};

/// An account as it is kept. Its key is a secret.
#[derive(Serialize, Deserialize)]
struct Kept {
    /// An account is one of this directory and of no other.
    directory: String,
    credentials: AccountCredentials,
}

impl Acme {
    /// The account: the one that is kept, or a new one.
    pub(crate) async fn account(&self) -> Result<Account, AcmeError> {
        let path = self.settings.account();
        let failed = |what| {
            let path = path.clone();
            move |source| AcmeError::File { what, path, source }
        };
        let builder = || Account::builder_with_http(Box::new(Guarded(self.outbound.clone())));
        if let Some(text) = durable::read_private(&path).map_err(failed("read the ACME account"))?
            && let Ok(kept) = serde_json::from_slice::<Kept>(&text)
            && kept.directory == self.settings.directory
        {
            return Ok(builder().from_credentials(kept.credentials).await?);
        }
        let contact: Vec<_> = self.settings.contact.iter().map(String::as_str).collect();
        // Whoever writes the directory's URL into the settings agrees to its terms; the book says so.
        let new = NewAccount { contact: &contact, terms_of_service_agreed: true, only_return_existing: false };
        let directory = self.settings.directory.clone();
        let (account, credentials) = builder().create(&new, directory.clone(), None).await?;
        let text = serde_json::to_string(&Kept { directory, credentials }).map_err(instant_acme::Error::from)?;
        let text = Redacted::new(text);
        durable::write(&path, text.expose().as_bytes(), 0o600).map_err(failed("write the ACME account"))?;
        Ok(account)
    }
}
