//! Where a webhook sends to. Many receivers know their callers by a secret in the path, so it is kept sealed.

use sealyard_core::Redacted;
use sealyard_store::model::Webhook;
use sealyard_vault::Sealer;

use crate::{App, AppError};

/// Webhooks that are looked at in one go.
const AT_ONCE: u32 = 100;

impl App {
    fn webhook_urls(&self) -> Sealer {
        self.vault.sealer("webhook-url")
    }

    /// As it is kept.
    pub(crate) fn sealed_webhook_url(&self, id: &str, url: &str) -> Result<String, AppError> {
        Ok(self.webhook_urls().seal_text(id, url)?)
    }

    /// Where a webhook sends to.
    pub(crate) fn webhook_url(&self, webhook: &Webhook) -> Result<Redacted<String>, AppError> {
        Ok(self.webhook_urls().open_text(&webhook.id, &webhook.url)?)
    }

    /// Seals what a release before this one kept as it was given, in all workspaces.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn seal_plain_webhook_urls(&self) -> Result<(), AppError> {
        let workspaces = self.store().read(|tx| Ok::<_, AppError>(tx.workspaces()?)).await?;
        let numbers = workspaces.into_iter().map(|workspace| workspace.number);
        for number in numbers.chain([sealyard_store::model::DEFAULT_WORKSPACE]) {
            let mut after = 0;
            loop {
                let app = self.clone();
                let last = self
                    .store()
                    .write(move |tx| {
                        tx.enter(number);
                        let found = tx.webhooks(after, AT_ONCE)?;
                        let last = found.last().map(|webhook| webhook.number);
                        for webhook in found.into_iter().filter(|webhook| Sealer::from_text(&webhook.url).is_none()) {
                            let url = app.sealed_webhook_url(&webhook.id, &webhook.url)?;
                            tx.update_webhook(&Webhook { url, ..webhook })?;
                        }
                        Ok::<_, AppError>(last)
                    })
                    .await?;
                let Some(last) = last else { break };
                after = last;
            }
        }
        Ok(())
    }
}
