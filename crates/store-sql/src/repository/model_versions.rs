use std::collections::BTreeMap;

use sealyard_core::{FileEntry, FileTree, Timestamp};
use sealyard_store::StoreError;
use sealyard_store::model::{ModelVersion, NewModelVersion, VersionFile, VersionStatus};

use super::batch::ByNumber;
use super::convert::{Columns as _, integer, not_found};
use super::pairs::MODEL_VERSION_TAGS;
use crate::error::{backend, corrupt};
use crate::seals::MODEL_VERSIONS;
use crate::session::Session;
use crate::sql::Row;

const STATUSES: [(VersionStatus, &str); 3] = [
    (VersionStatus::Pending, "PENDING_REGISTRATION"),
    (VersionStatus::Ready, "READY"),
    (VersionStatus::Failed, "FAILED_REGISTRATION"),
];

impl Session<'_> {
    /// Writes the version with its frozen manifest; the two lists of files must name the same paths.
    pub(super) fn insert_model_version(&self, new: &NewModelVersion) -> Result<ModelVersion, StoreError> {
        let objects: BTreeMap<_, _> = new.files.iter().map(|file| (&file.path, &file.object)).collect();
        let same = objects.len() == new.files.len()
            && objects.len() == new.tree.entries().len()
            && new.tree.entries().iter().all(|entry| objects.contains_key(&entry.path));
        if !same {
            return Err(StoreError::Invalid(format!(
                "a version of {:?} needs exactly one stored object for each file of its tree",
                new.name
            )));
        }
        let model = self.registered_model_key(&new.name)?;
        let version = self.next_version(model, new.created)?;
        let number = self
            .insert(
                "INSERT INTO model_versions (model, version, description, source, run_id, model_id, experiment, status,
                     created, updated, created_by, tree, verdict, location)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'READY', ?8, ?8, ?9, ?10, ?11, ?12) RETURNING number",
                (
                    model,
                    version,
                    &new.description,
                    &new.source,
                    &new.run_id,
                    &new.model_id,
                    &new.experiment_id,
                    new.created.as_millis(),
                    &new.created_by,
                    new.tree.digest().as_bytes(),
                    new.verdict.to_string(),
                    &new.location,
                ),
            )?
            .ok_or_else(|| corrupt("number of a new version"))?;
        self.seal(&MODEL_VERSIONS, [number])?;
        let mut files = Vec::with_capacity(new.files.len());
        for entry in new.tree.entries() {
            let size = integer(entry.size)?;
            let object = objects.get(&entry.path);
            files.push((number, entry.path.as_str(), object, entry.digest.as_bytes(), size, entry.executable));
        }
        self.execute_many(
            "INSERT INTO version_files (version, path, object, digest, size, executable)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            files,
        )?;
        self.put_pairs(MODEL_VERSION_TAGS, number, &new.tags)?;
        self.load_model_version(number)
    }

    /// The number of the next version. It is never used again, whatever becomes of the version.
    pub(super) fn next_version(&self, model: i64, now: Timestamp) -> Result<u32, StoreError> {
        self.optional(
            "UPDATE registered_models SET last_version = last_version + 1, updated = ?2 WHERE number = ?1
             RETURNING last_version",
            (model, now.as_millis()),
            |row| row.get(0),
        )?
        .ok_or_else(|| not_found("registered model", model.to_string()))
    }

    /// The frozen manifest. It must still hash to the version's identity, or it was changed behind our back.
    pub(super) fn version_files(&self, number: i64) -> Result<(FileTree, Vec<VersionFile>), StoreError> {
        self.check_version(number)?;
        let rows = self.all(
            "SELECT path, object, digest, size, executable FROM version_files WHERE version = ?1 ORDER BY path",
            [number],
            |row| {
                let path = row.tree_path(0)?;
                let file = VersionFile { path: path.clone(), object: row.get(1)? };
                let entry = FileEntry { path, digest: row.digest(2)?, size: row.unsigned(3)?, executable: row.get(4)? };
                Ok((entry, file))
            },
        )?;
        if rows.is_empty() {
            return Err(StoreError::Conflict("this version only notes where a model is; it has no files here".into()));
        }
        let (entries, files): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let tree = FileTree::new(entries).map_err(backend)?;
        let digest =
            self.optional("SELECT tree FROM model_versions WHERE number = ?1", [number], |row| row.digest(0))?;
        if digest != Some(tree.digest()) {
            return Err(corrupt("file manifest of a version"));
        }
        Ok((tree, files))
    }

    /// Fails for a version whose row was changed behind our back.
    pub(super) fn check_version(&self, number: i64) -> Result<(), StoreError> {
        let sql = format!("SELECT {} FROM model_versions AS t WHERE number = ?1", MODEL_VERSIONS.list("t"));
        self.optional(&sql, [number], |row| self.check(&MODEL_VERSIONS, row, 0))?;
        Ok(())
    }

    pub(super) fn load_model_version(&self, number: i64) -> Result<ModelVersion, StoreError> {
        self.check_version(number)?;
        self.load_model_versions(&[number])?.pop().ok_or_else(|| not_found("model version", number.to_string()))
    }

    /// Versions with their tags and aliases, in the order of `numbers`, but not those that were changed behind our back.
    pub(super) fn load_model_versions(&self, numbers: &[i64]) -> Result<Vec<ModelVersion>, StoreError> {
        let sealed = MODEL_VERSIONS.list("t");
        let rows = self.all_of(
            numbers,
            |among| {
                format!(
                    "SELECT t.number, m.name, t.version, t.description, t.source, t.run_id, t.model_id, t.experiment, t.status,
                         t.message, t.stage, t.created, t.updated, t.created_by, t.tree, t.verdict, t.published, t.location,
                         (SELECT count(*) FROM version_files f WHERE f.version = t.number), {sealed}
                     FROM model_versions t JOIN registered_models m ON m.number = t.model WHERE t.number {among}"
                )
            },
            |row| Ok(if self.is_intact(&MODEL_VERSIONS, row, 19)? { Some(read(row)?) } else { None }),
        )?;
        let mut versions = ByNumber::new(rows.into_iter().flatten().collect());
        versions.add(self.pairs_of(MODEL_VERSION_TAGS, numbers)?, |version, pair| version.tags.push(pair));
        let aliases = self.all_of(
            numbers,
            |among| {
                format!(
                    "SELECT t.number, a.alias FROM model_versions t JOIN aliases a ON a.model = t.model AND a.version = t.version
                     WHERE t.number {among} ORDER BY t.number, a.alias"
                )
            },
            |row| Ok((row.get(0)?, row.get(1)?)),
        )?;
        versions.add(aliases, |version, alias| version.aliases.push(alias));
        Ok(versions.in_order(numbers))
    }
}

fn read(row: &Row<'_>) -> Result<(i64, ModelVersion), StoreError> {
    let version = ModelVersion {
        name: row.get(1)?,
        version: row.get(2)?,
        description: row.get(3)?,
        source: row.get(4)?,
        run_id: row.get(5)?,
        model_id: row.get(6)?,
        experiment_id: row.get(7)?,
        status: row.named(8, status)?,
        status_message: row.get(9)?,
        stage: row.get(10)?,
        created: row.timestamp(11)?,
        updated: row.timestamp(12)?,
        created_by: row.get(13)?,
        tree: row.digest(14)?,
        verdict: row.verdict(15)?,
        published: row.optional_digest(16)?,
        location: row.get(17)?,
        // Every other version has at least one file.
        is_record: row.get::<i64>(18)? == 0,
        tags: Vec::new(),
        aliases: Vec::new(),
    };
    Ok((row.get(0)?, version))
}

pub(super) fn version_not_found(name: &str, version: u32) -> StoreError {
    not_found("model version", format!("{name}/{version}"))
}

fn status(text: &str) -> Option<VersionStatus> {
    STATUSES.iter().find(|(_, name)| *name == text).map(|(status, _)| *status)
}
