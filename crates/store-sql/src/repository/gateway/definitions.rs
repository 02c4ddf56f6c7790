use sealyard_store::StoreError;
use sealyard_store::model::GatewayModelDefinition;

use super::{DEFINITION, Result, SECRET, already_exists, not_found, one};
use crate::repository::Columns as _;
use crate::session::Session;
use crate::sql::{Row, Value};

/// The columns of a definition `d` with its secret `s`.
pub(super) const COLUMNS: &str =
    "d.id, d.name, s.id, s.name, d.provider, d.model_name, d.created, d.updated, d.created_by, d.updated_by";
/// Where they come from.
pub(super) const TABLES: &str = "gateway_model_definitions d LEFT JOIN gateway_secrets s ON s.number = d.secret";

pub(super) fn create(session: &Session<'_>, definition: &GatewayModelDefinition) -> Result<()> {
    let secret = secret_number(session, definition)?;
    let made = session.execute(
        "INSERT INTO gateway_model_definitions
             (id, name, secret, provider, model_name, created, updated, created_by, updated_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT DO NOTHING",
        (
            &definition.id,
            &definition.name,
            secret,
            &definition.provider,
            &definition.model_name,
            definition.created.as_millis(),
            definition.updated.as_millis(),
            &definition.created_by,
            &definition.updated_by,
        ),
    )?;
    if made == 0 { Err(already_exists(DEFINITION, &definition.name)) } else { Ok(()) }
}

fn secret_number(session: &Session<'_>, definition: &GatewayModelDefinition) -> Result<Option<i64>> {
    let Some(id) = &definition.secret_id else { return Ok(None) };
    let found: Option<i64> =
        session.optional("SELECT number FROM gateway_secrets WHERE id = ?1", [id], |row| row.get(0))?;
    found.map(Some).ok_or_else(|| not_found(SECRET, id))
}

pub(super) fn get(session: &Session<'_>, id: &str) -> Result<Option<GatewayModelDefinition>> {
    session.optional(&format!("SELECT {COLUMNS} FROM {TABLES} WHERE d.id = ?1"), [id], |row| read(row, 0))
}

pub(super) fn list(
    session: &Session<'_>,
    provider: Option<&str>,
    secret: Option<&str>,
) -> Result<Vec<GatewayModelDefinition>> {
    let (conditions, parameters) = narrowed(provider, secret);
    let sql = format!("SELECT {COLUMNS} FROM {TABLES} WHERE {conditions} ORDER BY d.name");
    session.all(&sql, parameters, |row| read(row, 0))
}

/// A condition on `d` and `s`, with its parameters.
pub(super) fn narrowed<'v>(provider: Option<&'v str>, secret: Option<&'v str>) -> (String, Vec<Value<'v>>) {
    let mut conditions = vec!["1 = 1".to_owned()];
    let mut parameters = Vec::new();
    for (column, wanted) in [("d.provider", provider), ("s.id", secret)] {
        if let Some(wanted) = wanted {
            parameters.push(Value::from(wanted));
            conditions.push(format!("{column} = ?{}", parameters.len()));
        }
    }
    (conditions.join(" AND "), parameters)
}

pub(super) fn update(session: &Session<'_>, definition: &GatewayModelDefinition) -> Result<()> {
    let secret = secret_number(session, definition)?;
    let taken = session.exists(
        "SELECT 1 FROM gateway_model_definitions WHERE name = ?1 AND id <> ?2",
        (&definition.name, &definition.id),
    )?;
    if taken {
        return Err(already_exists(DEFINITION, &definition.name));
    }
    let changed = session.execute(
        "UPDATE gateway_model_definitions
         SET name = ?2, secret = ?3, provider = ?4, model_name = ?5, updated = ?6, updated_by = ?7 WHERE id = ?1",
        (
            &definition.id,
            &definition.name,
            secret,
            &definition.provider,
            &definition.model_name,
            definition.updated.as_millis(),
            &definition.updated_by,
        ),
    )?;
    one(changed, DEFINITION, &definition.id)
}

pub(super) fn delete(session: &Session<'_>, id: &str) -> Result<()> {
    let used = session.exists(
        "SELECT 1 FROM gateway_endpoint_models m JOIN gateway_model_definitions d ON d.number = m.definition
         WHERE d.id = ?1 LIMIT 1",
        [id],
    )?;
    if used {
        let text =
            "Cannot delete model definition that is currently in use by endpoints. Detach it from all endpoints first.";
        return Err(StoreError::Conflict(text.to_owned()));
    }
    one(session.execute("DELETE FROM gateway_model_definitions WHERE id = ?1", [id])?, DEFINITION, id)
}

/// A definition from the columns that begin at `at`.
pub(super) fn read(row: &Row<'_>, at: usize) -> Result<GatewayModelDefinition> {
    Ok(GatewayModelDefinition {
        id: row.get(at)?,
        name: row.get(at + 1)?,
        secret_id: row.get(at + 2)?,
        secret_name: row.get(at + 3)?,
        provider: row.get(at + 4)?,
        model_name: row.get(at + 5)?,
        created: row.timestamp(at + 6)?,
        updated: row.timestamp(at + 7)?,
        created_by: row.get(at + 8)?,
        updated_by: row.get(at + 9)?,
    })
}
