use std::collections::BTreeMap;

use sealyard_core::{FileEntry, FileTree, Timestamp};
use sealyard_store::StoreError;
use sealyard_store::model::{ModelVersion, NewModelVersion, VersionFile, VersionStatus};

use super::batch::ByNumber;
use super::convert::{Columns as _, integer, not_found};
use super::pairs::MODEL_VERSION_TAGS;
use crate::error::{backend, corrupt};
use crate::seals::{ALIASES, MODEL_VERSIONS, REGISTERED_MODELS, VERSION_FILES};
use crate::session::Session;
use crate::sql::{Row, ToValue as _};

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
        self.seal(
            &MODEL_VERSIONS,
            (
                number,
                model,
                version,
                &new.source,
                &new.run_id,
                &new.model_id,
                &new.experiment_id,
                "READY",
                "None",
                &new.created_by,
                new.tree.digest().as_bytes(),
                new.verdict.to_string(),
                None::<&str>,
                &new.location,
            ),
        )?;
        let mut files = Vec::with_capacity(new.files.len());
        for entry in new.tree.entries() {
            let size = integer(entry.size)?;
            let object = objects.get(&entry.path);
            let (path, digest) = (entry.path.as_str(), entry.digest.as_bytes());
            let seal = self.seal_for(&VERSION_FILES, (number, path, object, digest, size, entry.executable));
            files.push((number, path, object, digest, size, entry.executable, seal));
        }
        self.execute_many(
            "INSERT INTO version_files (version, path, object, digest, size, executable, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            files,
        )?;
        self.put_pairs(MODEL_VERSION_TAGS, number, &new.tags)?;
        self.load_model_version(number)
    }

    /// The number of the next version. It is never used again, whatever becomes of the version.
    pub(super) fn next_version(&self, model: i64, now: Timestamp) -> Result<u32, StoreError> {
        let last = "SELECT last_version FROM registered_models WHERE number = ?1";
        let last: Option<u32> = self.optional(last, [model], |row| row.get(0))?;
        let next = last.map(|last| last.checked_add(1).ok_or_else(|| corrupt("last version"))).transpose()?;
        let next = next.ok_or_else(|| not_found("registered model", model.to_string()))?;
        let changes = [("last_version", next.to_value()), ("updated", now.as_millis().into())];
        self.change(&REGISTERED_MODELS, [model], &changes)?;
        Ok(next)
    }

    /// The frozen manifest. It must still hash to the version's identity, or it was changed behind our back.
    pub(super) fn version_files(&self, number: i64) -> Result<(FileTree, Vec<VersionFile>), StoreError> {
        self.check_version(number)?;
        let rows = self.all(
            &format!("SELECT {} FROM version_files AS t WHERE version = ?1 ORDER BY path", VERSION_FILES.list("t")),
            [number],
            |row| {
                self.check(&VERSION_FILES, row, 0)?;
                let path = row.tree_path(1)?;
                let file = VersionFile { path: path.clone(), object: row.get(2)? };
                let entry = FileEntry { path, digest: row.digest(3)?, size: row.unsigned(4)?, executable: row.get(5)? };
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
        let (sealed, model) = (MODEL_VERSIONS.list("t"), REGISTERED_MODELS.list("m"));
        let behind = 19 + MODEL_VERSIONS.width();
        let rows = self.all_of(
            numbers,
            |among| {
                format!(
                    "SELECT t.number, m.name, t.version, t.description, t.source, t.run_id, t.model_id, t.experiment, t.status,
                         t.message, t.stage, t.created, t.updated, t.created_by, t.tree, t.verdict, t.published, t.location,
                         (SELECT count(*) FROM version_files f WHERE f.version = t.number), {sealed}, {model}
                     FROM model_versions t JOIN registered_models m ON m.number = t.model WHERE t.number {among}"
                )
            },
            |row| {
                let intact =
                    self.is_intact(&MODEL_VERSIONS, row, 19)? && self.is_intact(&REGISTERED_MODELS, row, behind)?;
                Ok(if intact { Some(read(row)?) } else { None })
            },
        )?;
        let mut versions = ByNumber::new(rows.into_iter().flatten().collect());
        versions.add(self.pairs_of(MODEL_VERSION_TAGS, numbers)?, |version, pair| version.tags.push(pair));
        let alias = ALIASES.list("a");
        let aliases = self.all_of(
            numbers,
            |among| {
                format!(
                    "SELECT t.number, {alias} FROM model_versions t JOIN aliases a ON a.model = t.model AND a.version = t.version
                     WHERE t.number {among} ORDER BY t.number, a.alias"
                )
            },
            |row| Ok(if self.is_intact(&ALIASES, row, 1)? { Some((row.get(0)?, row.get(2)?)) } else { None }),
        )?;
        let aliases = aliases.into_iter().flatten().collect();
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
