use sealyard_store::StoreError;
use sealyard_store::import::SourceWebhook;

use super::database::Cell;
use super::source::MlflowSource;
use super::tracking::{list, time};

type Result<T> = std::result::Result<T, StoreError>;

impl MlflowSource {
    /// Secrets are not read: they are encrypted with a key of the old server's.
    pub(super) fn read_webhooks(&mut self, after: &str, limit: u32) -> Result<Vec<SourceWebhook>> {
        if !self.has("webhooks") {
            return Ok(Vec::new());
        }
        let rows = self.database.rows(
            "SELECT webhook_id, name, description, url, CAST(creation_timestamp AS BIGINT),
                 CAST(coalesce(last_updated_timestamp, creation_timestamp) AS BIGINT)
             FROM webhooks WHERE deleted_timestamp IS NULL AND webhook_id > ?1 ORDER BY webhook_id LIMIT ?2",
            &[after.into(), i64::from(limit).into()],
        )?;
        let ids: Vec<Cell> = rows.iter().map(|row| row.text(0).map(Cell::Text)).collect::<Result<_>>()?;
        let mut events = Vec::new();
        if !ids.is_empty() {
            let sql = format!(
                "SELECT webhook_id, entity, action FROM webhook_events WHERE webhook_id IN {}
                 ORDER BY webhook_id, entity, action LIMIT 100000",
                list(ids.len())
            );
            for row in self.database.rows(&sql, &ids)? {
                events.push((row.text(0)?, format!("{}.{}", row.text(1)?, row.text(2)?)));
            }
        }
        rows.iter()
            .map(|row| {
                let id = row.text(0)?;
                let of_this = events.iter().filter(|(webhook, _)| *webhook == id);
                Ok(SourceWebhook {
                    name: row.text(1)?,
                    description: row.text(2)?,
                    url: row.text(3)?,
                    events: of_this.map(|(_, event)| event.clone()).collect(),
                    created: time(row, 4)?,
                    updated: time(row, 5)?,
                    id,
                })
            })
            .collect()
    }
}
