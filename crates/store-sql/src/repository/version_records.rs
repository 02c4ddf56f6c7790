use sealyard_core::{Timestamp, Verdict};
use sealyard_store::model::{ModelVersion, NewVersionRecord};
use sealyard_store::{StoreError, VersionRecords};

use super::pairs::MODEL_VERSION_TAGS;
use crate::error::corrupt;
use crate::seals::MODEL_VERSIONS;
use crate::session::Session;

impl VersionRecords for Session<'_> {
    fn record_model_version(&mut self, new: &NewVersionRecord) -> Result<ModelVersion, StoreError> {
        let model = self.registered_model_key(&new.name)?;
        let version = self.next_version(model, new.created)?;
        let number = self
            .insert(
                "INSERT INTO model_versions (model, version, description, source, run_id, model_id, experiment, status,
                     created, updated, created_by, tree, verdict, location)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, '', 'READY', ?7, ?7, ?8, ?9, ?10, ?11) RETURNING number",
                (
                    model,
                    version,
                    &new.description,
                    &new.source,
                    &new.run_id,
                    &new.model_id,
                    new.created.as_millis(),
                    &new.created_by,
                    new.placeholder.as_bytes(),
                    // What was never looked at is not safe.
                    Verdict::NotAssessed.to_string(),
                    &new.location,
                ),
            )?
            .ok_or_else(|| corrupt("number of a new version"))?;
        self.seal(
            &MODEL_VERSIONS,
            (
                number,
                model,
                version,
                &new.source,
                &new.run_id,
                &new.model_id,
                "",
                "READY",
                "None",
                &new.created_by,
                new.placeholder.as_bytes(),
                Verdict::NotAssessed.to_string(),
                None::<&str>,
                &new.location,
            ),
        )?;
        self.put_pairs(MODEL_VERSION_TAGS, number, &new.tags)?;
        self.load_model_version(number)
    }

    fn registered_model_changed(&mut self, name: &str, now: Timestamp) -> Result<(), StoreError> {
        let model = self.registered_model_key(name)?;
        self.touch_registered_model(model, now)
    }
}
