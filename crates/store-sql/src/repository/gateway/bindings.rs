use sealyard_store::model::{GatewayBinding, GatewayBindingQuery};

use super::{BINDING, Result, already_exists, endpoints, one};
use crate::repository::Columns as _;
use crate::session::Session;
use crate::sql::{Row, Value};

pub(super) fn create(session: &Session<'_>, binding: &GatewayBinding) -> Result<()> {
    let endpoint = endpoints::number(session, &binding.endpoint_id)?;
    let made = session.execute(
        "INSERT INTO gateway_bindings (endpoint, resource_type, resource, created, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
        (endpoint, &binding.resource_type, &binding.resource_id, binding.created.as_millis(), &binding.created_by),
    )?;
    if made == 0 { Err(already_exists(BINDING, &binding.resource_id)) } else { Ok(()) }
}

pub(super) fn delete(session: &Session<'_>, endpoint: &str, resource_type: &str, resource: &str) -> Result<()> {
    let deleted = session.execute(
        "DELETE FROM gateway_bindings WHERE endpoint = (SELECT number FROM gateway_endpoints WHERE id = ?1)
             AND resource_type = ?2 AND resource = ?3",
        (endpoint, resource_type, resource),
    )?;
    one(deleted, BINDING, resource)
}

pub(super) fn release(session: &Session<'_>, resource_type: &str, resource: &str) -> Result<Vec<String>> {
    let endpoints = session.all(
        "SELECT e.id FROM gateway_bindings b JOIN gateway_endpoints e ON e.number = b.endpoint
         WHERE b.resource_type = ?1 AND b.resource = ?2 ORDER BY e.id",
        (resource_type, resource),
        |row| row.get(0),
    )?;
    if !endpoints.is_empty() {
        session.execute(
            "DELETE FROM gateway_bindings WHERE resource_type = ?1 AND resource = ?2",
            (resource_type, resource),
        )?;
    }
    Ok(endpoints)
}

pub(super) fn list(session: &Session<'_>, query: &GatewayBindingQuery, limit: u32) -> Result<Vec<GatewayBinding>> {
    let mut conditions = vec!["1 = 1".to_owned()];
    let mut parameters: Vec<Value<'_>> = vec![Value::from(i64::from(limit))];
    let wanted =
        [("e.id", &query.endpoint_id), ("b.resource_type", &query.resource_type), ("b.resource", &query.resource_id)];
    for (column, wanted) in wanted {
        if let Some(wanted) = wanted {
            parameters.push(Value::from(wanted.as_str()));
            conditions.push(format!("{column} = ?{}", parameters.len()));
        }
    }
    let sql = format!(
        "SELECT e.id, b.resource_type, b.resource, c.experiment, c.name, b.created, b.created_by
         FROM gateway_bindings b JOIN gateway_endpoints e ON e.number = b.endpoint
         LEFT JOIN scorers c ON c.id = b.resource AND b.resource_type = 'scorer'
         WHERE {} ORDER BY e.id, b.resource_type, b.resource LIMIT ?1",
        conditions.join(" AND ")
    );
    session.all(&sql, parameters, read)
}

pub(super) fn count(session: &Session<'_>, endpoint: &str) -> Result<u64> {
    let sql = "SELECT count(*) FROM gateway_bindings
               WHERE endpoint = (SELECT number FROM gateway_endpoints WHERE id = ?1)";
    Ok(session.optional(sql, [endpoint], |row| row.get(0))?.unwrap_or(0))
}

fn read(row: &Row<'_>) -> Result<GatewayBinding> {
    let scorer = row.get::<Option<i64>>(3)?.zip(row.get::<Option<String>>(4)?);
    Ok(GatewayBinding {
        endpoint_id: row.get(0)?,
        resource_type: row.get(1)?,
        resource_id: row.get(2)?,
        scorer: scorer.map(|(experiment, name)| (experiment.to_string(), name)),
        created: row.timestamp(5)?,
        created_by: row.get(6)?,
    })
}
