use std::collections::HashSet;

use sealyard_core::Timestamp;
use sealyard_identity::{Grant, IdPattern, Resource, ResourceKind, WorkspaceName};
use sealyard_store::model::{DEFAULT_WORKSPACE, Workspace, WorkspaceDeletion};
use sealyard_store::{Identities as _, Roles as _, StoreError, Workspaces};

use super::convert::{Columns as _, already_exists, experiment_number, not_found};
use super::objects::workspace_of_objects;
use crate::error::corrupt;
use crate::seals::{ARTIFACTS, EVIDENCE, REGISTERED_MODELS, WORKSPACES};
use crate::session::Session;
use crate::sql::Row;

/// In the order of [`WORKSPACES`], with the seal.
const WORKSPACE: &str = "SELECT number, name, seal, description, created FROM workspaces";
/// Tables that have a workspace of their own, in the order in which MLflow looks at them.
const HOLDING: [&str; 4] = ["registered_models", "experiments", "evaluation_datasets", "webhooks"];
/// The experiments of a workspace.
const EXPERIMENTS: &str = "(SELECT number FROM experiments WHERE workspace = ?1)";

impl Workspaces for Session<'_> {
    fn create_workspace(
        &mut self,
        name: &str,
        description: Option<&str>,
        now: Timestamp,
    ) -> Result<Workspace, StoreError> {
        let number = self
            .insert(
                "INSERT INTO workspaces (name, description, created) VALUES (?1, ?2, ?3)
                 ON CONFLICT DO NOTHING RETURNING number",
                (name, description, now.as_millis()),
            )?
            .ok_or_else(|| already_exists("workspace", name))?;
        self.seal(&WORKSPACES, (number, name))?;
        Ok(Workspace { number, name: name.to_owned(), description: description.map(str::to_owned), created: now })
    }

    fn workspace_named(&mut self, name: &str) -> Result<Option<Workspace>, StoreError> {
        self.optional(&format!("{WORKSPACE} WHERE name = ?1"), [name], |row| {
            if self.is_workspace(row)? && row.text(1)? == name {
                return read(row);
            }
            Err(StoreError::Damaged { table: WORKSPACES.name, row: name.to_owned() })
        })
    }

    fn workspaces(&mut self) -> Result<Vec<Workspace>, StoreError> {
        let found = self.all(&format!("{WORKSPACE} ORDER BY name"), [], |row| {
            Ok(if self.is_workspace(row)? { Some(read(row)?) } else { None })
        })?;
        Ok(found.into_iter().flatten().collect())
    }

    fn describe_workspace(&mut self, name: &str, description: Option<&str>) -> Result<Workspace, StoreError> {
        self.execute(
            "UPDATE workspaces SET description = coalesce(?2, description) WHERE name = ?1",
            (name, description),
        )?;
        self.workspace_named(name)?.ok_or_else(|| not_found("workspace", name))
    }

    fn delete_workspace(&mut self, name: &str, how: WorkspaceDeletion) -> Result<(), StoreError> {
        let number = self.workspace_named(name)?.ok_or_else(|| not_found("workspace", name))?.number;
        if number == DEFAULT_WORKSPACE {
            return Err(StoreError::Conflict(format!("Cannot delete the reserved '{name}' workspace")));
        }
        let moved = match how {
            WorkspaceDeletion::Restrict => {
                self.check_empty(number, name)?;
                HashSet::new()
            }
            WorkspaceDeletion::Cascade => {
                self.empty(number, name)?;
                HashSet::new()
            }
            WorkspaceDeletion::SetDefault => self.move_to_default(number, name)?,
        };
        // Also where nothing is left to judge: a later workspace of this name must not begin with rights from this one's time.
        self.move_grants(name, &moved)?;
        for role in self.all("SELECT number FROM roles WHERE workspace = ?1", [name], |row| row.get::<i64>(0))? {
            self.delete_role(role)?;
        }
        self.remove(&WORKSPACES, "number = ?1", [number])?;
        Ok(())
    }
}

impl Session<'_> {
    /// What is unique among the experiments, or the registered models, of all workspaces. The number ends at the first '/'.
    pub(super) fn key_of(&self, name: &str) -> String {
        format!("{}/{name}", self.workspace())
    }

    /// Whether a row of [`WORKSPACE`] is as it was written. The default one's number and name are fixed, and have no seal.
    fn is_workspace(&self, row: &Row<'_>) -> Result<bool, StoreError> {
        let (number, name): (i64, &str) = (row.get(0)?, row.text(1)?);
        match (number == DEFAULT_WORKSPACE, name == WorkspaceName::default().as_str()) {
            (true, true) => Ok(true),
            (false, false) => self.is_intact(&WORKSPACES, row, 0),
            _ => Ok(false),
        }
    }

    /// That the workspace has not been deleted since it was looked up: nothing comes to be in one that is gone.
    pub(super) fn check_workspace(&self) -> Result<(), StoreError> {
        let number = self.workspace();
        if number == DEFAULT_WORKSPACE || self.exists("SELECT 1 FROM workspaces WHERE number = ?1", [number])? {
            return Ok(());
        }
        Err(not_found("workspace", number.to_string()))
    }

    /// Those of the experiments that are in this workspace, in their order.
    pub(super) fn experiments_here(&self, ids: &[String]) -> Result<Vec<i64>, StoreError> {
        let mut numbers: Vec<i64> = ids.iter().filter_map(|id| experiment_number(id)).collect();
        let here = if let [only] = numbers.as_slice() {
            let sql = "SELECT number FROM experiments WHERE number = ?1 AND workspace = ?2";
            self.all(sql, (*only, self.workspace()), |row| row.get::<i64>(0))?
        } else {
            let list = serde_json::to_string(&numbers).map_err(crate::error::backend)?;
            let among = self.dialect().integers("?1");
            let sql = format!("SELECT number FROM experiments WHERE number IN {among} AND workspace = ?2");
            self.all(&sql, (list, self.workspace()), |row| row.get::<i64>(0))?
        };
        let here: HashSet<i64> = here.into_iter().collect();
        numbers.retain(|number| here.contains(number));
        Ok(numbers)
    }

    fn check_empty(&self, number: i64, name: &str) -> Result<(), StoreError> {
        for table in HOLDING {
            let sql = format!("SELECT count(*) FROM {table} WHERE workspace = ?1");
            let count = self.optional(&sql, [number], |row| row.unsigned(0))?.unwrap_or(0);
            if count > 0 {
                return Err(StoreError::Conflict(format!(
                    "Cannot delete workspace '{name}': table '{table}' still contains {count} resource(s). Remove or reassign \
                     them before deleting the workspace."
                )));
            }
        }
        if self.exists("SELECT 1 FROM artifacts WHERE owner_kind = 'loose' AND owner = ?1", [number.to_string()])? {
            return Err(StoreError::Conflict(format!(
                "Cannot delete workspace '{name}': it still contains files outside of every experiment."
            )));
        }
        Ok(())
    }

    /// Deletes all that is in a workspace. The bytes of files are nobody's then, for the housekeeping to find.
    fn empty(&self, number: i64, name: &str) -> Result<(), StoreError> {
        let published: Option<String> = self.optional(
            "SELECT m.name FROM registered_models m JOIN model_versions v ON v.model = m.number
             WHERE m.workspace = ?1 AND v.published IS NOT NULL LIMIT 1",
            [number],
            |row| row.get(0),
        )?;
        if let Some(model) = published {
            return Err(StoreError::Conflict(format!(
                "Cannot delete workspace '{name}': registered model {model:?} has published versions"
            )));
        }
        let delete = |what: &str| self.execute(&format!("DELETE FROM {what}"), [number]).map(drop);
        let models = "SELECT number FROM registered_models WHERE workspace = ?1";
        for model in self.all(models, [number], |row| row.get::<i64>(0))? {
            self.remove_model(model)?;
        }
        self.execute("DELETE FROM artifacts WHERE owner_kind = 'loose' AND owner = ?1", [number.to_string()])?;
        for (kind, table) in [("run", "runs"), ("model", "logged_models"), ("trace", "traces")] {
            let owners = format!("(SELECT id FROM {table} WHERE experiment IN {EXPERIMENTS})");
            delete(&format!("artifacts WHERE owner_kind = '{kind}' AND owner IN {owners}"))?;
            if kind != "trace" {
                delete(&format!("uploads WHERE owner_kind = '{kind}' AND owner IN {owners}"))?;
            }
        }
        for (column, table) in [("run_id", "runs"), ("trace_id", "traces")] {
            delete(&format!(
                "trace_runs WHERE {column} IN (SELECT id FROM {table} WHERE experiment IN {EXPERIMENTS})"
            ))?;
        }
        delete(&format!("evaluation_dataset_experiments WHERE experiment IN {EXPERIMENTS}"))?;
        for table in ["issues", "traces", "scorers", "logged_models", "runs"] {
            delete(&format!("{table} WHERE experiment IN {EXPERIMENTS}"))?;
        }
        self.remove(&EVIDENCE, "workspace = ?1", [number])?;
        for table in ["evaluation_datasets", "webhooks", "experiments"] {
            delete(&format!("{table} WHERE workspace = ?1"))?;
        }
        Ok(())
    }

    /// Gives the kinds and ids of what moved and can have grants of its own.
    fn move_to_default(&self, number: i64, name: &str) -> Result<HashSet<(ResourceKind, String)>, StoreError> {
        let mut taken = Vec::new();
        for table in ["registered_models", "experiments"] {
            let sql = format!(
                "SELECT a.name FROM {table} a JOIN {table} b ON b.name = a.name AND b.workspace = 0
                 WHERE a.workspace = ?1 ORDER BY a.name LIMIT 100"
            );
            taken.extend(self.all(&sql, [number], |row| Ok(format!("  - {table}: {:?}", row.get::<String>(0)?)))?);
        }
        if !taken.is_empty() {
            return Err(StoreError::Conflict(format!(
                "Cannot reassign resources from workspace '{name}' to 'default': the following names already exist in the \
                 default workspace and would cause conflicts:\n{}\nRename or remove the conflicting resources before retrying.",
                taken.join("\n")
            )));
        }
        let loose = "SELECT 1 FROM artifacts a JOIN artifacts b ON b.owner_kind = 'loose' AND b.owner = ''
                 AND (b.path = a.path OR b.path LIKE a.path || '/%' OR a.path LIKE b.path || '/%')
             WHERE a.owner_kind = 'loose' AND a.owner = ?1 LIMIT 1";
        if self.exists(loose, [number.to_string()])? {
            return Err(StoreError::Conflict(format!(
                "Cannot reassign files of workspace '{name}' to 'default': there are some of the same paths."
            )));
        }
        let paths = "SELECT path FROM artifacts WHERE owner_kind = 'loose' AND owner = ?1";
        let owner = number.to_string();
        for path in self.all(paths, [&owner], |row| row.get::<String>(0))? {
            self.change(&ARTIFACTS, ("loose", &owner, path), &[("owner", "".into())])?;
        }
        let mut moved = HashSet::new();
        let models = self.all("SELECT name FROM registered_models WHERE workspace = ?1", [number], |row| row.get(0))?;
        for name in models {
            let name: String = name;
            moved.insert((ResourceKind::Prompt, name.clone()));
            moved.insert((ResourceKind::RegisteredModel, name));
        }
        let datasets =
            self.all("SELECT id FROM evaluation_datasets WHERE workspace = ?1", [number], |row| row.get(0))?;
        moved.extend(datasets.into_iter().map(|id: String| (ResourceKind::Dataset, id)));
        let experiments =
            self.all("SELECT number FROM experiments WHERE workspace = ?1", [number], |row| row.get(0))?;
        moved.extend(experiments.into_iter().map(|number: i64| (ResourceKind::Experiment, number.to_string())));
        let models = "SELECT number, name FROM registered_models WHERE workspace = ?1";
        let models = self.all(models, [number], |row| Ok((row.get::<i64>(0)?, row.get::<String>(1)?)))?;
        for (model, name) in models {
            let changes = [("workspace", DEFAULT_WORKSPACE.into()), ("key", format!("0/{name}").into())];
            self.change(&REGISTERED_MODELS, [model], &changes)?;
        }
        self.execute("UPDATE experiments SET workspace = 0, key = '0/' || name WHERE workspace = ?1", [number])?;
        for table in ["evaluation_datasets", "webhooks"] {
            self.execute(&format!("UPDATE {table} SET workspace = 0 WHERE workspace = ?1"), [number])?;
        }
        self.remove(
            &EVIDENCE,
            "workspace = ?1 AND EXISTS (SELECT 1 FROM evidence other
                 WHERE other.digest = evidence.digest AND other.subject = evidence.subject AND other.workspace = 0)",
            [number],
        )?;
        let evidence = "SELECT number FROM evidence WHERE workspace = ?1";
        for one in self.all(evidence, [number], |row| row.get::<i64>(0))? {
            self.change(&EVIDENCE, [one], &[("workspace", DEFAULT_WORKSPACE.into())])?;
        }
        self.execute(
            "UPDATE stored_objects SET workspace = ?2 WHERE workspace = ?1",
            (workspace_of_objects(number), workspace_of_objects(DEFAULT_WORKSPACE)),
        )?;
        Ok(moved)
    }

    /// Ends the grants on a workspace and on what is in it. Those on one thing that moved go with it. Those on all that begins
    /// with something would come to speak of other things, and so would those on a thing that never was in the workspace.
    fn move_grants(&mut self, name: &str, moved: &HashSet<(ResourceKind, String)>) -> Result<(), StoreError> {
        let gone = WorkspaceName::new(name).map_err(|_| corrupt("name of a workspace"))?;
        let itself = sealyard_identity::ResourcePattern::exact(&gone, &Resource::Workspace(gone.clone()));
        let all = self.grants()?;
        for grant in &all {
            let within = grant.pattern.kind().is_in_workspace() && *grant.pattern.workspace() == gone;
            if grant.pattern.kind() == ResourceKind::Workspace && grant.pattern == itself {
                self.remove_grant(grant)?;
            }
            if !within {
                continue;
            }
            self.remove_grant(grant)?;
            let one = match grant.pattern.id() {
                IdPattern::Exact(id) => Some((grant.pattern.kind(), id.clone())),
                IdPattern::Prefix(_) => None,
            };
            if one.is_some_and(|one| moved.contains(&one)) {
                let pattern = grant.pattern.clone().in_workspace(WorkspaceName::default());
                let moved = Grant { pattern, ..grant.clone() };
                // Nobody loses what is said of the name there already, such as a denial.
                if !all.iter().any(|there| there.grantee == moved.grantee && there.pattern == moved.pattern) {
                    self.set_grant(&moved)?;
                }
            }
        }
        Ok(())
    }
}

fn read(row: &Row<'_>) -> Result<Workspace, StoreError> {
    Ok(Workspace { number: row.get(0)?, name: row.get(1)?, description: row.get(3)?, created: row.timestamp(4)? })
}
