use std::borrow::Cow;

use sealyard_store::model::{Artifact, ArtifactOwner, DEFAULT_WORKSPACE};
use sealyard_store::{Artifacts, StoreError};

use super::convert::{Columns as _, integer, not_found};
use crate::doors::{elsewhere, here};
use crate::seals::ARTIFACTS;
use crate::session::Session;
use crate::sql::Row;

impl Artifacts for Session<'_> {
    fn put_artifact(&mut self, artifact: &Artifact) -> Result<Option<String>, StoreError> {
        self.check_owner_takes_files(&artifact.owner)?;
        let (kind, owner) = self.columns(&artifact.owner)?;
        let owner = owner.as_ref();
        let path = artifact.path.as_str();
        for (position, _) in path.match_indices('/') {
            let parent = path.get(..position).unwrap_or_default();
            if self.artifact_object(kind, owner, parent)?.is_some() {
                return Err(StoreError::Conflict(format!("{path:?} can't be written: {parent:?} is a file")));
            }
        }
        let below = self.exists(
            "SELECT 1 FROM artifacts WHERE owner_kind = ?1 AND owner = ?2 AND path > ?3 || '/' AND path < ?3 || '0'",
            [kind, owner, path],
        )?;
        if below {
            return Err(StoreError::Conflict(format!("{path:?} can't be written: it is a directory")));
        }
        self.check_not_frozen(kind, owner, path)?;
        self.use_object(&artifact.object, &artifact.digest, artifact.size, "new", artifact.created)?;
        let replaced = self.artifact_object(kind, owner, path)?;
        let (digest, size, verdict) =
            (artifact.digest.as_bytes(), integer(artifact.size)?, artifact.verdict.to_string());
        let meant = (kind, owner, path, &artifact.object, digest, size, &verdict, &artifact.created_by);
        let seal = self.seal_for(&ARTIFACTS, meant);
        self.execute(
            "INSERT INTO artifacts
                 (owner_kind, owner, path, object, digest, size, verdict, created, created_by, seal)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
             ON CONFLICT (owner_kind, owner, path) DO UPDATE SET object = excluded.object, digest = excluded.digest,
                 size = excluded.size, verdict = excluded.verdict, created = excluded.created,
                 created_by = excluded.created_by, seal = excluded.seal",
            (
                kind,
                owner,
                path,
                &artifact.object,
                digest,
                size,
                &verdict,
                artifact.created.as_millis(),
                &artifact.created_by,
                seal,
            ),
        )?;
        Ok(replaced)
    }

    fn artifact(&mut self, owner: &ArtifactOwner, path: &str) -> Result<Option<Artifact>, StoreError> {
        let (kind, name) = self.columns(owner)?;
        let name = name.as_ref();
        self.optional(
            &format!("SELECT {} FROM artifacts WHERE owner_kind = ?1 AND owner = ?2 AND path = ?3", columns()),
            [kind, name, path],
            |row| {
                self.check_asked(&ARTIFACTS, row, 1, name)?;
                self.check_asked(&ARTIFACTS, row, 2, path)?;
                read(row, owner)
            },
        )
    }

    fn artifacts_below(&mut self, owner: &ArtifactOwner, prefix: &str) -> Result<Vec<Artifact>, StoreError> {
        let (kind, name) = self.columns(owner)?;
        let name = name.as_ref();
        self.all(
            &format!(
                "SELECT {} FROM artifacts WHERE owner_kind = ?1 AND owner = ?2
                     AND (?3 = '' OR path = ?3 OR (path > ?3 || '/' AND path < ?3 || '0')) ORDER BY path",
                columns()
            ),
            [kind, name, prefix],
            |row| {
                // Not left out: what is made of the others would be another model.
                self.check_asked(&ARTIFACTS, row, 1, name)?;
                read(row, owner)
            },
        )
    }

    fn count_artifacts_below(&mut self, owner: &ArtifactOwner, prefix: &str) -> Result<u64, StoreError> {
        let (kind, name) = self.columns(owner)?;
        let name = name.as_ref();
        let count = self.optional(
            "SELECT count(*) FROM artifacts WHERE owner_kind = ?1 AND owner = ?2
                 AND (?3 = '' OR path = ?3 OR (path > ?3 || '/' AND path < ?3 || '0'))",
            [kind, name, prefix],
            |row| row.unsigned(0),
        )?;
        Ok(count.unwrap_or(0))
    }

    fn delete_artifacts_below(&mut self, owner: &ArtifactOwner, prefix: &str) -> Result<u64, StoreError> {
        self.check_owner_takes_files(owner)?;
        let (kind, name) = self.columns(owner)?;
        let name = name.as_ref();
        let frozen: Option<String> = self.optional(
            "SELECT a.path FROM artifacts a WHERE a.owner_kind = ?1 AND a.owner = ?2
                 AND (?3 = '' OR a.path = ?3 OR (a.path > ?3 || '/' AND a.path < ?3 || '0'))
                 AND EXISTS (SELECT 1 FROM version_files f WHERE f.object = a.object) LIMIT 1",
            [kind, name, prefix],
            |row| row.get(0),
        )?;
        if let Some(path) = frozen {
            return Err(part_of_a_version(&path));
        }
        let deleted = self.execute(
            "DELETE FROM artifacts WHERE owner_kind = ?1 AND owner = ?2
                 AND (?3 = '' OR path = ?3 OR (path > ?3 || '/' AND path < ?3 || '0'))",
            [kind, name, prefix],
        )?;
        Ok(deleted as u64)
    }

    fn object_is_referenced(&mut self, object: &str) -> Result<bool, StoreError> {
        self.is_in_use(object)
    }
}

impl Session<'_> {
    fn artifact_object(&self, kind: &str, owner: &str, path: &str) -> Result<Option<String>, StoreError> {
        self.optional(
            "SELECT object FROM artifacts WHERE owner_kind = ?1 AND owner = ?2 AND path = ?3",
            [kind, owner, path],
            |row| row.get(0),
        )
    }

    /// What files of an owner are found by: the one way to them, and it is shut for owners of other workspaces, which have
    /// none here. An owner that is gone, or in the bin, still has its files.
    pub(super) fn columns<'o>(&self, owner: &'o ArtifactOwner) -> Result<(&'static str, Cow<'o, str>), StoreError> {
        let (kind, id) = owner_columns(owner);
        let sql = match owner {
            // What lies loose in a workspace has its number, and nothing in the default one.
            ArtifactOwner::Loose if self.workspace() == DEFAULT_WORKSPACE => return Ok((kind, Cow::Borrowed(""))),
            ArtifactOwner::Loose => return Ok((kind, Cow::Owned(self.workspace().to_string()))),
            ArtifactOwner::Run(_) => elsewhere!("runs"),
            ArtifactOwner::LoggedModel(_) => elsewhere!("logged_models"),
            ArtifactOwner::Trace(_) => elsewhere!("traces"),
        };
        // No id is the empty text.
        Ok((kind, Cow::Borrowed(if self.exists(sql, (id, self.workspace()))? { "" } else { id })))
    }

    /// What a stock client downloads for a version is what was frozen and scanned: its files stay, and none is added to
    /// their directory.
    fn check_not_frozen(&self, kind: &str, owner: &str, path: &str) -> Result<(), StoreError> {
        let replaced = self.exists(
            "SELECT 1 FROM artifacts a JOIN version_files f ON f.object = a.object
             WHERE a.owner_kind = ?1 AND a.owner = ?2 AND a.path = ?3",
            [kind, owner, path],
        )?;
        // A version's directory is what the path of a file has before its path in the version. Only a run's can still get
        // files; looked for by the version's run, since a run may have many files and few versions.
        let added = kind == "run"
            && self.exists(
                "SELECT 1 FROM model_versions t
                 JOIN version_files f ON f.version = t.number
                 JOIN artifacts a ON a.object = f.object AND a.owner_kind = 'run' AND a.owner = ?1
                 WHERE t.run_id = ?1
                     AND substr(?2, 1, length(a.path) - length(f.path)) = substr(a.path, 1, length(a.path) - length(f.path))",
                [owner, path],
            )?;
        if replaced || added { Err(part_of_a_version(path)) } else { Ok(()) }
    }

    /// A run takes files unless it is in the bin, a logged model until it is finalised.
    pub(super) fn check_owner_takes_files(&self, owner: &ArtifactOwner) -> Result<(), StoreError> {
        match owner {
            ArtifactOwner::Loose => Ok(()),
            ArtifactOwner::Run(id) => self.active_run(id).map(|_| ()),
            ArtifactOwner::Trace(id) => self.trace_key(id).map(|_| ()),
            ArtifactOwner::LoggedModel(id) => {
                let sql = here!("SELECT status FROM logged_models WHERE id = ?1 AND deleted = 0");
                let status: Option<String> = self.optional(sql, (id, self.workspace()), |row| row.get(0))?;
                match status.as_deref() {
                    None => Err(not_found("logged model", id)),
                    Some("PENDING") => Ok(()),
                    Some(_) => {
                        Err(StoreError::Conflict(format!("logged model {id:?} is finalised: its files are frozen")))
                    }
                }
            }
        }
    }
}

fn part_of_a_version(path: &str) -> StoreError {
    StoreError::Conflict(format!("{path:?} belongs to a registered version: its files are frozen"))
}

/// Owners by their kind's name in the database.
pub(super) fn owner_columns(owner: &ArtifactOwner) -> (&'static str, &str) {
    match owner {
        ArtifactOwner::Run(id) => ("run", id),
        ArtifactOwner::LoggedModel(id) => ("model", id),
        ArtifactOwner::Trace(id) => ("trace", id),
        ArtifactOwner::Loose => ("loose", ""),
    }
}

/// What is sealed, the seal, and when it was stored.
fn columns() -> String {
    format!("{}, artifacts.created", ARTIFACTS.list("artifacts"))
}

fn read(row: &Row<'_>, owner: &ArtifactOwner) -> Result<Artifact, StoreError> {
    Ok(Artifact {
        owner: owner.clone(),
        path: row.tree_path(2)?,
        object: row.get(3)?,
        digest: row.digest(4)?,
        size: row.unsigned(5)?,
        verdict: row.verdict(6)?,
        created: row.timestamp(ARTIFACTS.width())?,
        created_by: row.get(7)?,
    })
}
