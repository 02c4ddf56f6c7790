//! The AI gateway's tables: one file for each kind of thing, and the trait that hands out to them.

mod bindings;
mod definitions;
mod endpoints;
mod scoring;
mod secrets;

use std::collections::BTreeMap;

use sealyard_core::Timestamp;
use sealyard_store::model::{
    GatewayBinding, GatewayBindingQuery, GatewayEndpoint, GatewayModelDefinition, GatewaySecret, NewGatewayMapping,
    OnlineScoring,
};
use sealyard_store::{Gateway, StoreError};

use super::convert::{already_exists, not_found};
use crate::error::{backend, corrupt};
use crate::session::Session;
use crate::sql::Row;

type Result<T> = std::result::Result<T, StoreError>;

const SECRET: &str = "GatewaySecret";
const DEFINITION: &str = "GatewayModelDefinition";
const ENDPOINT: &str = "GatewayEndpoint";
const BINDING: &str = "GatewayEndpointBinding";

impl Gateway for Session<'_> {
    fn create_gateway_secret(&mut self, secret: &GatewaySecret, sealed: &[u8]) -> Result<()> {
        secrets::create(self, secret, sealed)
    }

    fn gateway_secret(&mut self, id: &str) -> Result<Option<GatewaySecret>> {
        secrets::get(self, id)
    }

    fn sealed_gateway_secret(&mut self, id: &str) -> Result<Option<Vec<u8>>> {
        self.optional("SELECT sealed FROM gateway_secrets WHERE id = ?1", [id], |row| row.get(0))
    }

    fn gateway_secrets(&mut self, provider: Option<&str>) -> Result<Vec<GatewaySecret>> {
        secrets::list(self, provider)
    }

    fn count_gateway_secrets(&mut self) -> Result<u64> {
        count(self, "SELECT count(*) FROM gateway_secrets")
    }

    fn update_gateway_secret(&mut self, secret: &GatewaySecret, sealed: Option<&[u8]>) -> Result<()> {
        secrets::update(self, secret, sealed)
    }

    fn delete_gateway_secret(&mut self, id: &str) -> Result<()> {
        one(self.execute("DELETE FROM gateway_secrets WHERE id = ?1", [id])?, SECRET, id)
    }

    fn create_gateway_model_definition(&mut self, definition: &GatewayModelDefinition) -> Result<()> {
        definitions::create(self, definition)
    }

    fn gateway_model_definition(&mut self, id: &str) -> Result<Option<GatewayModelDefinition>> {
        definitions::get(self, id)
    }

    fn gateway_model_definitions(
        &mut self,
        provider: Option<&str>,
        secret: Option<&str>,
    ) -> Result<Vec<GatewayModelDefinition>> {
        definitions::list(self, provider, secret)
    }

    fn count_gateway_model_definitions(&mut self) -> Result<u64> {
        count(self, "SELECT count(*) FROM gateway_model_definitions")
    }

    fn update_gateway_model_definition(&mut self, definition: &GatewayModelDefinition) -> Result<()> {
        definitions::update(self, definition)
    }

    fn delete_gateway_model_definition(&mut self, id: &str) -> Result<()> {
        definitions::delete(self, id)
    }

    fn create_gateway_endpoint(&mut self, endpoint: &GatewayEndpoint) -> Result<()> {
        endpoints::create(self, endpoint)
    }

    fn gateway_endpoint(&mut self, id: &str) -> Result<Option<GatewayEndpoint>> {
        endpoints::get(self, id)
    }

    fn gateway_endpoint_id(&mut self, name: &str) -> Result<Option<String>> {
        self.optional("SELECT id FROM gateway_endpoints WHERE name = ?1", [name], |row| row.get(0))
    }

    fn gateway_endpoint_name(&mut self, id: &str) -> Result<Option<String>> {
        self.optional("SELECT name FROM gateway_endpoints WHERE id = ?1", [id], |row| row.get(0))
    }

    fn gateway_endpoints(&mut self, provider: Option<&str>, secret: Option<&str>) -> Result<Vec<GatewayEndpoint>> {
        endpoints::list(self, provider, secret)
    }

    fn count_gateway_endpoints(&mut self) -> Result<u64> {
        count(self, "SELECT count(*) FROM gateway_endpoints")
    }

    fn update_gateway_endpoint(&mut self, endpoint: &GatewayEndpoint) -> Result<()> {
        endpoints::update(self, endpoint)
    }

    fn delete_gateway_endpoint(&mut self, id: &str) -> Result<()> {
        one(self.execute("DELETE FROM gateway_endpoints WHERE id = ?1", [id])?, ENDPOINT, id)
    }

    fn add_gateway_mapping(&mut self, endpoint: &str, mapping: &NewGatewayMapping) -> Result<()> {
        endpoints::add_mapping(self, endpoint, mapping)
    }

    fn remove_gateway_mappings(&mut self, endpoint: &str, definition: Option<&str>) -> Result<u64> {
        endpoints::remove_mappings(self, endpoint, definition)
    }

    fn touch_gateway_endpoint(&mut self, id: &str, now: Timestamp, by: &str) -> Result<()> {
        let sql = "UPDATE gateway_endpoints SET updated = ?2, updated_by = ?3 WHERE id = ?1";
        one(self.execute(sql, (id, now.as_millis(), by))?, ENDPOINT, id)
    }

    fn set_gateway_endpoint_tag(&mut self, endpoint: &str, key: &str, value: &str) -> Result<()> {
        let sql = "INSERT INTO gateway_endpoint_tags (endpoint, key, value)
                   SELECT number, ?2, ?3 FROM gateway_endpoints WHERE id = ?1
                   ON CONFLICT (endpoint, key) DO UPDATE SET value = excluded.value";
        one(self.execute(sql, (endpoint, key, value))?, ENDPOINT, endpoint)
    }

    fn delete_gateway_endpoint_tag(&mut self, endpoint: &str, key: &str) -> Result<bool> {
        let sql = "DELETE FROM gateway_endpoint_tags
                   WHERE endpoint = (SELECT number FROM gateway_endpoints WHERE id = ?1) AND key = ?2";
        Ok(self.execute(sql, (endpoint, key))? > 0)
    }

    fn create_gateway_binding(&mut self, binding: &GatewayBinding) -> Result<()> {
        bindings::create(self, binding)
    }

    fn delete_gateway_binding(&mut self, endpoint: &str, resource_type: &str, resource: &str) -> Result<()> {
        bindings::delete(self, endpoint, resource_type, resource)
    }

    fn release_gateway_bindings(&mut self, resource_type: &str, resource: &str) -> Result<Vec<String>> {
        bindings::release(self, resource_type, resource)
    }

    fn gateway_bindings(&mut self, query: &GatewayBindingQuery, limit: u32) -> Result<Vec<GatewayBinding>> {
        bindings::list(self, query, limit)
    }

    fn count_gateway_bindings(&mut self, endpoint: &str) -> Result<u64> {
        bindings::count(self, endpoint)
    }

    fn set_online_scoring(&mut self, scoring: &OnlineScoring) -> Result<()> {
        scoring::set(self, scoring)
    }

    fn online_scoring(&mut self, scorers: &[String]) -> Result<Vec<OnlineScoring>> {
        scoring::list(self, scorers)
    }
}

fn count(session: &Session<'_>, sql: &str) -> Result<u64> {
    Ok(session.optional(sql, [], |row| row.get(0))?.unwrap_or(0))
}

/// A change of one thing that must be there.
fn one(changed: usize, kind: &'static str, id: &str) -> Result<()> {
    if changed == 0 { Err(not_found(kind, id)) } else { Ok(()) }
}

fn to_json(map: &BTreeMap<String, String>) -> Result<String> {
    serde_json::to_string(map).map_err(backend)
}

fn from_json(row: &Row<'_>, index: usize) -> Result<BTreeMap<String, String>> {
    serde_json::from_str(row.text(index)?).map_err(|_| corrupt("map"))
}
