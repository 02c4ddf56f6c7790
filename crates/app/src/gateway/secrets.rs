use std::collections::BTreeMap;

use sealyard_core::{Redacted, Timestamp};
use sealyard_identity::{Authorized, Edit, GatewaySecretId, Manage, ProtectedResource as _, Read};
use sealyard_ledger::{Act, Outcome};
use sealyard_store::Transaction;
use sealyard_store::model::GatewaySecret;

use super::access::{forget_grants, give_manage};
use super::{GatewayId, MayCreateInGateway, NAME_CHARS, PROVIDER_CHARS, auth_config, pairs, room, text};
use crate::{App, AppError, Caller};

/// Fields of a secret, and bytes of one.
const MOST_FIELDS: usize = 50;
const FIELD_BYTES: usize = 64 * 1024;

/// What is secret, by the names of its fields.
pub type SecretValues = BTreeMap<String, Redacted<String>>;

/// A secret to be made.
#[derive(Debug)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct NewSecret {
    pub name: String,
    pub values: SecretValues,
    pub provider: Option<String>,
    pub auth_config: BTreeMap<String, String>,
}

/// What a secret is sealed for.
fn context(id: &str) -> String {
    format!("gateway-secret/{id}")
}

impl App {
    /// Keeps a secret; its maker gets MANAGE on it.
    ///
    /// # Errors
    /// [`AppError::Invalid`], [`AppError::AlreadyExists`].
    pub async fn create_gateway_secret(
        &self,
        caller: &Caller,
        may: &MayCreateInGateway<GatewaySecretId>,
        new: NewSecret,
    ) -> Result<GatewaySecret, AppError> {
        text("secret_name", &new.name, NAME_CHARS)?;
        new.provider.as_deref().map_or(Ok(()), |provider| text("provider", provider, PROVIDER_CHARS))?;
        auth_config(&new.auth_config)?;
        check(&new.values)?;
        let id = self.gateway_id::<GatewaySecretId>();
        let sealed = self.seal_gateway_secret(&id, &new.values)?;
        let resource = GatewaySecretId::parse(&id).ok_or_else(|| missing(&id))?.resource();
        let now = self.now();
        let secret = GatewaySecret {
            id: id.clone(),
            name: new.name,
            provider: new.provider,
            masked: masked(&new.values),
            auth_config: new.auth_config,
            created: now,
            updated: now,
            created_by: caller.actor().to_owned(),
            updated_by: caller.actor().to_owned(),
        };
        let act = Act::GatewaySecretCreated { id, name: secret.name.clone(), provider: secret.provider.clone() };
        let event = self.event(caller, Outcome::Done, act);
        let principal = may.principal().clone();
        self.change_grants(move |tx| {
            room(tx.count_gateway_secrets()?, "secrets")?;
            tx.create_gateway_secret(&secret, &sealed)?;
            tx.record(&event)?;
            give_manage(tx, &event, &principal, &resource)?;
            Ok(secret)
        })
        .await
    }

    /// A secret, masked.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn gateway_secret(&self, may: &Authorized<Read, GatewaySecretId>) -> Result<GatewaySecret, AppError> {
        let id = may.resource().to_string();
        self.store().read(move |tx| find(tx, &id)).await
    }

    /// Those that the caller may see, masked: of one provider, or all.
    ///
    /// # Errors
    /// [`AppError::Store`].
    pub async fn gateway_secrets(
        &self,
        caller: &Caller,
        provider: Option<String>,
    ) -> Result<Vec<GatewaySecret>, AppError> {
        let found = self.store().read(move |tx| Ok::<_, AppError>(tx.gateway_secrets(provider.as_deref())?)).await?;
        let seen =
            |secret: &GatewaySecret| GatewaySecretId::parse(&secret.id).is_some_and(|id| self.may(caller, Read, id));
        Ok(found.into_iter().filter(seen).collect())
    }

    /// Puts other values or another configuration in the place of what is there; `None` leaves it.
    ///
    /// # Errors
    /// [`AppError::NotFound`], [`AppError::Invalid`].
    pub async fn update_gateway_secret(
        &self,
        caller: &Caller,
        may: &Authorized<Edit, GatewaySecretId>,
        values: Option<SecretValues>,
        config: Option<BTreeMap<String, String>>,
    ) -> Result<GatewaySecret, AppError> {
        config.as_ref().map_or(Ok(()), auth_config)?;
        values.as_ref().map_or(Ok(()), check)?;
        let id = may.resource().to_string();
        let sealed = values.as_ref().map(|values| self.seal_gateway_secret(&id, values)).transpose()?;
        let mask = values.as_ref().map(masked);
        let changed: Vec<&str> = [("values", values.is_some()), ("configuration", config.is_some())]
            .into_iter()
            .filter_map(|(what, is)| is.then_some(what))
            .collect();
        let act = Act::GatewaySecretUpdated { id: id.clone(), change: changed.join(", ") };
        let event = self.event(caller, Outcome::Done, act);
        let (now, by) = (self.now(), caller.actor().to_owned());
        let secret = self
            .store()
            .write(move |tx| {
                let before = find(tx, &id)?;
                let secret = GatewaySecret {
                    masked: mask.unwrap_or(before.masked),
                    auth_config: config.unwrap_or(before.auth_config),
                    updated: later(now, before.updated),
                    updated_by: by,
                    ..before
                };
                tx.update_gateway_secret(&secret, sealed.as_deref())?;
                tx.record(&event)?;
                Ok::<_, AppError>(secret)
            })
            .await?;
        self.sequencer.notify();
        Ok(secret)
    }

    /// Deletes a secret. Definitions that used it use none then.
    ///
    /// # Errors
    /// [`AppError::NotFound`].
    pub async fn delete_gateway_secret(
        &self,
        caller: &Caller,
        may: &Authorized<Manage, GatewaySecretId>,
    ) -> Result<(), AppError> {
        let (id, resource) = (may.resource().to_string(), may.resource().resource());
        let event = self.event(caller, Outcome::Done, Act::GatewaySecretDeleted { id: id.clone() });
        self.change_grants(move |tx| {
            tx.delete_gateway_secret(&id)?;
            forget_grants(tx, &resource)?;
            Ok(tx.record(&event)?)
        })
        .await
    }

    fn seal_gateway_secret(&self, id: &str, values: &SecretValues) -> Result<Vec<u8>, AppError> {
        let plain: BTreeMap<&str, &str> =
            values.iter().map(|(name, value)| (name.as_str(), value.expose().as_str())).collect();
        let json = serde_json::to_string(&plain)
            .map_err(|error| AppError::internal("a secret could not be written", error))?;
        Ok(self.vault.seal_secret(&context(id), &Redacted::new(json))?)
    }
}

pub(super) fn find(tx: &mut dyn Transaction, id: &str) -> Result<GatewaySecret, AppError> {
    tx.gateway_secret(id)?.ok_or_else(|| missing(id))
}

fn missing(id: &str) -> AppError {
    AppError::NotFound { kind: GatewaySecretId::KIND, id: id.to_owned() }
}

/// Clients tell by it that something changed.
pub(super) fn later(now: Timestamp, before: Timestamp) -> Timestamp {
    now.max(Timestamp::from_millis(before.as_millis().saturating_add(1)))
}

fn check(values: &SecretValues) -> Result<(), AppError> {
    let fields = values.iter().map(|(name, value)| (name, value.expose()));
    pairs("secret_value", fields, MOST_FIELDS, FIELD_BYTES)
}

fn masked(values: &SecretValues) -> BTreeMap<String, String> {
    values.iter().map(|(name, value)| (name.clone(), mask(value.expose()))).collect()
}

/// As MLflow masks: three characters from the beginning and four from the end, so that people can tell their keys apart;
/// nothing of a short one.
fn mask(value: &str) -> String {
    let count = value.chars().count();
    if count < 8 {
        return "***".to_owned();
    }
    let beginning: String = value.chars().take(3).collect();
    let end: String = value.chars().skip(count - 4).collect();
    format!("{beginning}...{end}")
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn masks_are_mlflows() {
        for (value, shown) in [
            ("", "***"),
            ("1234567", "***"),
            ("12345678", "123...5678"),
            ("AKIATEST1234", "AKI...1234"),
            ("secret123abc", "sec...3abc"),
            ("äöüßäöüß", "äöü...äöüß"),
        ] {
            assert_eq!(mask(value), shown);
        }
    }
}
