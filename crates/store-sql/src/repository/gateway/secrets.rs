use sealyard_store::model::GatewaySecret;

use super::{Result, SECRET, already_exists, from_json, one, to_json};
use crate::repository::Columns as _;
use crate::session::Session;
use crate::sql::Row;

const FROM: &str = "SELECT id, name, provider, masked, auth_config, created, updated, created_by, updated_by
                    FROM gateway_secrets";

pub(super) fn create(session: &Session<'_>, secret: &GatewaySecret, sealed: &[u8]) -> Result<()> {
    let made = session.execute(
        "INSERT INTO gateway_secrets
             (id, name, provider, sealed, masked, auth_config, created, updated, created_by, updated_by)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10) ON CONFLICT DO NOTHING",
        (
            &secret.id,
            &secret.name,
            &secret.provider,
            sealed,
            to_json(&secret.masked)?,
            to_json(&secret.auth_config)?,
            secret.created.as_millis(),
            secret.updated.as_millis(),
            &secret.created_by,
            &secret.updated_by,
        ),
    )?;
    if made == 0 { Err(already_exists(SECRET, &secret.name)) } else { Ok(()) }
}

pub(super) fn get(session: &Session<'_>, id: &str) -> Result<Option<GatewaySecret>> {
    session.optional(&format!("{FROM} WHERE id = ?1"), [id], read)
}

pub(super) fn list(session: &Session<'_>, provider: Option<&str>) -> Result<Vec<GatewaySecret>> {
    match provider {
        Some(provider) => session.all(&format!("{FROM} WHERE provider = ?1 ORDER BY name"), [provider], read),
        None => session.all(&format!("{FROM} ORDER BY name"), [], read),
    }
}

pub(super) fn update(session: &Session<'_>, secret: &GatewaySecret, sealed: Option<&[u8]>) -> Result<()> {
    let changed = session.execute(
        "UPDATE gateway_secrets SET sealed = coalesce(?2, sealed), masked = ?3, auth_config = ?4, updated = ?5,
             updated_by = ?6
         WHERE id = ?1",
        (
            &secret.id,
            sealed,
            to_json(&secret.masked)?,
            to_json(&secret.auth_config)?,
            secret.updated.as_millis(),
            &secret.updated_by,
        ),
    )?;
    one(changed, SECRET, &secret.id)
}

fn read(row: &Row<'_>) -> Result<GatewaySecret> {
    Ok(GatewaySecret {
        id: row.get(0)?,
        name: row.get(1)?,
        provider: row.get(2)?,
        masked: from_json(row, 3)?,
        auth_config: from_json(row, 4)?,
        created: row.timestamp(5)?,
        updated: row.timestamp(6)?,
        created_by: row.get(7)?,
        updated_by: row.get(8)?,
    })
}
