//! What sends the ledger on keeps here how far it came.

use sealyard_identity::{Authorized, LedgerLog, Read};
use sealyard_ledger::{Act, Outcome};
use serde_json::Value;

use crate::{App, AppError, Caller};

/// Entries of one batch: at 64 KiB each, 16 MiB at most.
const BATCH: u32 = 250;

impl App {
    /// Entries from `from` on that are signed, for an export that the operator set up; with what is kept apart of them where it is to
    /// have that.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn entries_to_export(
        &self,
        from: u64,
        personal: bool,
    ) -> Result<Vec<(u64, Vec<u8>, Option<Value>)>, AppError> {
        let entries = self.some_entries(from, BATCH).await?;
        if personal {
            return self.find_personal(entries).await;
        }
        Ok(entries.into_iter().map(|(index, bytes)| (index, bytes, None)).collect())
    }

    /// The entry at `index`, if there is one: for an export that says what it has last.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn exported_entry(&self, index: u64) -> Result<Option<Vec<u8>>, AppError> {
        let found = self.some_entries(index, 1).await?;
        Ok(found.into_iter().find(|(at, _)| *at == index).map(|(_, bytes)| bytes))
    }

    async fn some_entries(&self, from: u64, most: u32) -> Result<Vec<(u64, Vec<u8>)>, AppError> {
        let entries = self.store().read(move |tx| Ok::<_, AppError>(tx.entries(from, most)?)).await?;
        Ok(entries.into_iter().map(|entry| (entry.index, entry.bytes)).collect())
    }

    /// The index that comes next for the export `name`; `None` before its first.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn export_cursor(&self, name: &str) -> Result<Option<u64>, AppError> {
        let key = cursor(name);
        let text = self.store().read(move |tx| Ok::<_, AppError>(tx.setting(&key)?)).await?;
        Ok(text.and_then(|text| text.parse().ok()))
    }

    /// Notes that the export `name` has everything before `next`.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn advance_export(&self, name: &str, next: u64) -> Result<(), AppError> {
        let key = cursor(name);
        self.store().write(move |tx| Ok::<_, AppError>(tx.put_setting(&key, &next.to_string())?)).await
    }

    /// Notes that entries are sent to `to` from `next` on, if that is not where they were sent to before.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn begin_export(&self, name: &str, to: String, next: u64) -> Result<(), AppError> {
        let key = format!("{}.to", cursor(name));
        let act = Act::LedgerExportBegun { export: name.to_owned(), to: to.clone(), next };
        let event = self.event(&Caller::system(), Outcome::Done, act);
        let wrote = self
            .store()
            .write(move |tx| {
                if tx.setting(&key)?.as_deref() == Some(to.as_str()) {
                    return Ok(false);
                }
                tx.put_setting(&key, &to)?;
                tx.record(&event)?;
                Ok::<_, AppError>(true)
            })
            .await?;
        if wrote {
            self.sequencer.notify();
        }
        Ok(())
    }

    /// Notes that entries could not be sent on for a while.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn record_stalled_export(&self, name: &str, next: u64, reason: &str) -> Result<(), AppError> {
        let reason = reason.chars().take(200).collect();
        let act = Act::LedgerExportStalled { export: name.to_owned(), next, reason };
        self.record(self.event(&Caller::system(), Outcome::Failed, act)).await
    }

    /// Notes that somebody takes entries out by hand, before the first of them is given out.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn record_export(
        &self,
        caller: &Caller,
        _authorized: &Authorized<Read, LedgerLog>,
        from: u64,
        to: Option<u64>,
    ) -> Result<(), AppError> {
        self.record(self.event(caller, Outcome::Done, Act::LedgerExported { from, to })).await
    }

    /// Notes what the server was started with, if that is not what it was the last time: which keys of it, and digests of the
    /// whole. `effective` has no secrets.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn record_configuration(&self, effective: Vec<(String, String)>) -> Result<(), AppError> {
        use std::collections::BTreeMap;

        use sealyard_core::Digest;
        let event = self.event(&Caller::system(), Outcome::Done, Act::ServerStarted { version: String::new() });
        let digests: BTreeMap<String, Digest> =
            effective.into_iter().map(|(key, value)| (key, Digest::of(value.as_bytes()))).collect();
        self.store()
            .write(move |tx| {
                let broken = |error| AppError::internal("the settings can't be written down", error);
                let text = serde_json::to_string(&digests).map_err(broken)?;
                let before = tx.setting(CONFIGURATION)?;
                if before.as_deref() == Some(text.as_str()) {
                    return Ok(());
                }
                let known: BTreeMap<String, Digest> =
                    before.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
                let mut changed: Vec<String> = digests
                    .iter()
                    .filter(|(key, value)| known.get(*key) != Some(value))
                    .map(|(key, _)| key.clone())
                    .collect();
                changed.extend(known.keys().filter(|key| !digests.contains_key(*key)).cloned());
                changed.sort();
                let act = Act::ConfigurationChanged {
                    configuration: Digest::of(text.as_bytes()),
                    before: before.map(|text| Digest::of(text.as_bytes())),
                    changed,
                };
                tx.put_setting(CONFIGURATION, &text)?;
                Ok::<_, AppError>(tx.record(&sealyard_ledger::Event { act, ..event })?)
            })
            .await?;
        self.sequencer.notify();
        Ok(())
    }
}

/// Where digests of the last start's settings are.
const CONFIGURATION: &str = "server.configuration";

fn cursor(name: &str) -> String {
    format!("ledger.export.{name}")
}
