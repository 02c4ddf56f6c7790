use std::path::Path;

use sealyard_store::StoreError;
use sealyard_store::import::SourceUser;

use super::database::Database as _;
use super::sqlite::Sqlite;

/// Users, and permissions of each kind, that are read; more are an error.
const MOST_USERS: i64 = 10_000;
const MOST_PERMISSIONS: i64 = 200_000;

/// Reads users and their permissions on single experiments and models from the database of MLflow's basic auth.
/// Passwords are not read.
///
/// # Errors
/// [`StoreError::Invalid`] for what is no such database, or holds more than anybody has.
pub fn read_mlflow_users(path: &Path) -> Result<Vec<SourceUser>, StoreError> {
    let mut database = Sqlite::open(path)?;
    let tables = database.tables()?;
    if !tables.iter().any(|table| table == "users") {
        return Err(StoreError::Invalid("the database of users is none of MLflow's basic auth".into()));
    }
    let permissions = [("experiment_permissions", "experiment_id"), ("registered_model_permissions", "name")];
    let mut kinds = Vec::new();
    for (table, what) in permissions {
        if tables.iter().any(|known| known == table) {
            // Since models have workspaces, permissions on them say which.
            let apart = database.columns(table)?.iter().any(|column| column == "workspace");
            kinds.push((table, what, apart));
        }
    }
    if kinds.is_empty() {
        let text = "the database of users has no permissions on single experiments and models where MLflow kept them, so what \
                    users had can't be read; import without it, and make the users anew";
        return Err(StoreError::Invalid(text.into()));
    }
    let mut rows = |sql: String, most: i64| {
        let rows = database.rows(&format!("{sql} LIMIT {}", most + 1), &[])?;
        if rows.len() as i64 > most {
            return Err(StoreError::Invalid(format!("the database of users has more than {most} rows of one kind")));
        }
        Ok(rows)
    };
    let mut users = Vec::new();
    let mut numbers = std::collections::BTreeMap::new();
    let sql = "SELECT id, substr(username, 1, 300), CASE WHEN is_admin THEN 1 ELSE 0 END FROM users ORDER BY username";
    for row in rows(sql.into(), MOST_USERS)? {
        numbers.insert(row.integer(0)?, users.len());
        let admin = row.integer(2)? != 0;
        users.push(SourceUser {
            name: row.text(1)?,
            admin,
            experiments: Vec::new(),
            models: Vec::new(),
            elsewhere: Vec::new(),
        });
    }
    for (table, what, apart) in kinds {
        let workspace = if apart { "substr(coalesce(workspace, ''), 1, 300)" } else { "'default'" };
        let sql = format!(
            "SELECT user_id, substr({what}, 1, 300), permission, {workspace} FROM {table} ORDER BY user_id, {what}"
        );
        for row in rows(sql, MOST_PERMISSIONS)? {
            let Some(user) = numbers.get(&row.integer(0)?).and_then(|index| users.get_mut(*index)) else { continue };
            let (given, workspace) = ((row.text(1)?, row.text(2)?), row.text(3)?);
            let is_model = what == "name";
            if workspace != "default" {
                let kind = if is_model { "models" } else { "experiments" };
                user.elsewhere.push((workspace, format!("{kind}/{}", given.0)));
            } else if is_model {
                user.models.push(given);
            } else {
                user.experiments.push(given);
            }
        }
    }
    Ok(users)
}
