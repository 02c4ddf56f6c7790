use std::collections::HashMap;

use sealyard_store::model::{
    GatewayEndpoint, GatewayFallback, GatewayLinkage, GatewayMapping, NewGatewayMapping, Pair,
};

use super::{DEFINITION, ENDPOINT, Result, already_exists, definitions, not_found, one};
use crate::repository::Columns as _;
use crate::session::Session;
use crate::sql::Row;

const FROM: &str =
    "SELECT e.number, e.id, e.name, e.routing_strategy, e.fallback, e.fallback_strategy, e.fallback_attempts,
                           e.experiment, e.usage_tracking, e.created, e.updated, e.created_by, e.updated_by
                    FROM gateway_endpoints e";

pub(super) fn create(session: &Session<'_>, endpoint: &GatewayEndpoint) -> Result<()> {
    let fallback = endpoint.fallback.clone().unwrap_or_default();
    let made = session.execute(
        "INSERT INTO gateway_endpoints
             (id, name, routing_strategy, fallback, fallback_strategy, fallback_attempts, experiment, usage_tracking, created,
              updated, created_by, updated_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12) ON CONFLICT DO NOTHING",
        (
            &endpoint.id,
            &endpoint.name,
            &endpoint.routing_strategy,
            endpoint.fallback.is_some(),
            fallback.strategy,
            fallback.max_attempts,
            &endpoint.experiment_id,
            endpoint.usage_tracking,
            endpoint.created.as_millis(),
            endpoint.updated.as_millis(),
            &endpoint.created_by,
            &endpoint.updated_by,
        ),
    )?;
    if made == 0 { Err(already_exists(ENDPOINT, &endpoint.name)) } else { Ok(()) }
}

pub(super) fn update(session: &Session<'_>, endpoint: &GatewayEndpoint) -> Result<()> {
    let taken = session
        .exists("SELECT 1 FROM gateway_endpoints WHERE name = ?1 AND id <> ?2", (&endpoint.name, &endpoint.id))?;
    if taken {
        return Err(already_exists(ENDPOINT, &endpoint.name));
    }
    let fallback = endpoint.fallback.clone().unwrap_or_default();
    let changed = session.execute(
        "UPDATE gateway_endpoints
         SET name = ?2, routing_strategy = ?3, fallback = ?4, fallback_strategy = ?5, fallback_attempts = ?6, experiment = ?7,
             usage_tracking = ?8, updated = ?9, updated_by = ?10
         WHERE id = ?1",
        (
            &endpoint.id,
            &endpoint.name,
            &endpoint.routing_strategy,
            endpoint.fallback.is_some(),
            fallback.strategy,
            fallback.max_attempts,
            &endpoint.experiment_id,
            endpoint.usage_tracking,
            endpoint.updated.as_millis(),
            &endpoint.updated_by,
        ),
    )?;
    one(changed, ENDPOINT, &endpoint.id)
}

pub(super) fn get(session: &Session<'_>, id: &str) -> Result<Option<GatewayEndpoint>> {
    let found = session.optional(&format!("{FROM} WHERE e.id = ?1"), [id], read)?;
    let Some((number, mut endpoint)) = found else { return Ok(None) };
    let sql = format!("{} WHERE m.endpoint = ?1 ORDER BY m.number", mappings());
    endpoint.models = session.all(&sql, [number], |row| Ok(read_mapping(row)?.1))?;
    endpoint.tags = session.all(
        "SELECT key, value FROM gateway_endpoint_tags WHERE endpoint = ?1 ORDER BY key",
        [number],
        |row| Ok(Pair { key: row.get(0)?, value: row.get(1)? }),
    )?;
    Ok(Some(endpoint))
}

pub(super) fn list(
    session: &Session<'_>,
    provider: Option<&str>,
    secret: Option<&str>,
) -> Result<Vec<GatewayEndpoint>> {
    let found = if provider.is_none() && secret.is_none() {
        session.all(&format!("{FROM} ORDER BY e.name"), [], read)?
    } else {
        let (conditions, parameters) = definitions::narrowed(provider, secret);
        let tables = definitions::TABLES;
        let sql = format!(
            "{FROM} WHERE e.number IN (SELECT m.endpoint FROM gateway_endpoint_models m JOIN ({tables}) ON d.number = m.definition
                                       WHERE {conditions}) ORDER BY e.name"
        );
        session.all(&sql, parameters, read)?
    };
    let places: HashMap<i64, usize> = found.iter().enumerate().map(|(place, (number, _))| (*number, place)).collect();
    let mut endpoints: Vec<GatewayEndpoint> = found.into_iter().map(|(_, endpoint)| endpoint).collect();
    // There are no more than the application's bound allows; so all are read at once.
    for (number, mapping) in session.all(&format!("{} ORDER BY m.number", mappings()), [], read_mapping)? {
        if let Some(endpoint) = places.get(&number).and_then(|place| endpoints.get_mut(*place)) {
            endpoint.models.push(mapping);
        }
    }
    let tags =
        session.all("SELECT endpoint, key, value FROM gateway_endpoint_tags ORDER BY endpoint, key", [], |row| {
            Ok((row.get::<i64>(0)?, Pair { key: row.get(1)?, value: row.get(2)? }))
        })?;
    for (number, tag) in tags {
        if let Some(endpoint) = places.get(&number).and_then(|place| endpoints.get_mut(*place)) {
            endpoint.tags.push(tag);
        }
    }
    Ok(endpoints)
}

pub(super) fn add_mapping(session: &Session<'_>, endpoint: &str, mapping: &NewGatewayMapping) -> Result<()> {
    let number = number(session, endpoint)?;
    let definition: Option<i64> = session.optional(
        "SELECT number FROM gateway_model_definitions WHERE id = ?1",
        [&mapping.definition_id],
        |row| row.get(0),
    )?;
    let definition = definition.ok_or_else(|| not_found(DEFINITION, &mapping.definition_id))?;
    let made = session.execute(
        "INSERT INTO gateway_endpoint_models
             (id, endpoint, definition, weight, linkage, fallback_order, created, created_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
        (
            &mapping.id,
            number,
            definition,
            mapping.weight,
            mapping.linkage.as_str(),
            mapping.fallback_order,
            mapping.created.as_millis(),
            &mapping.created_by,
        ),
    )?;
    if made == 0 { Err(already_exists("GatewayEndpointModelMapping", &mapping.definition_id)) } else { Ok(()) }
}

pub(super) fn remove_mappings(session: &Session<'_>, endpoint: &str, definition: Option<&str>) -> Result<u64> {
    let number = number(session, endpoint)?;
    let removed = match definition {
        Some(definition) => session.execute(
            "DELETE FROM gateway_endpoint_models
             WHERE endpoint = ?1 AND definition = (SELECT number FROM gateway_model_definitions WHERE id = ?2)",
            (number, definition),
        )?,
        None => session.execute("DELETE FROM gateway_endpoint_models WHERE endpoint = ?1", [number])?,
    };
    Ok(removed as u64)
}

pub(super) fn number(session: &Session<'_>, id: &str) -> Result<i64> {
    let found = session.optional("SELECT number FROM gateway_endpoints WHERE id = ?1", [id], |row| row.get(0))?;
    found.ok_or_else(|| not_found(ENDPOINT, id))
}

fn mappings() -> String {
    format!(
        "SELECT m.endpoint, m.id, e.id, m.weight, m.linkage, m.fallback_order, m.created, m.created_by, {}
         FROM gateway_endpoint_models m JOIN gateway_endpoints e ON e.number = m.endpoint
         JOIN gateway_model_definitions d ON d.number = m.definition
         LEFT JOIN gateway_secrets s ON s.number = d.secret",
        definitions::COLUMNS
    )
}

fn read_mapping(row: &Row<'_>) -> Result<(i64, GatewayMapping)> {
    let mapping = GatewayMapping {
        id: row.get(1)?,
        endpoint_id: row.get(2)?,
        weight: row.get(3)?,
        linkage: row.named(4, GatewayLinkage::from_text)?,
        fallback_order: row.get(5)?,
        created: row.timestamp(6)?,
        created_by: row.get(7)?,
        definition: definitions::read(row, 8)?,
    };
    Ok((row.get(0)?, mapping))
}

fn read(row: &Row<'_>) -> Result<(i64, GatewayEndpoint)> {
    let fallback = GatewayFallback { strategy: row.get(5)?, max_attempts: row.get(6)? };
    let endpoint = GatewayEndpoint {
        id: row.get(1)?,
        name: row.get(2)?,
        routing_strategy: row.get(3)?,
        fallback: row.get::<bool>(4)?.then_some(fallback),
        experiment_id: row.get(7)?,
        usage_tracking: row.get(8)?,
        models: Vec::new(),
        tags: Vec::new(),
        created: row.timestamp(9)?,
        updated: row.timestamp(10)?,
        created_by: row.get(11)?,
        updated_by: row.get(12)?,
    };
    Ok((row.get(0)?, endpoint))
}
