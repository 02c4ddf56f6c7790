//! The AI gateway's registry: keys of model providers, the models they are for, endpoints that put models under one name,
//! and which scorers use them. Nothing here asks a model.
//!
//! A key goes one way: it is sealed before it reaches the catalog, and no function in here gives it back. Using what is
//! another's takes USE on that very thing: a definition USE on its secret, an endpoint USE on its definitions, a scorer USE
//! on its endpoint. So nobody gets to use a key through something of their own.

mod access;
mod bindings;
mod definitions;
mod endpoints;
mod models;
mod providers;
mod scorers;
mod scoring;
mod secrets;

use std::collections::{BTreeMap, BTreeSet};

use sealyard_store::Transaction;

pub use access::{GatewayId, MayCreateInGateway};
pub use bindings::SearchBindings;
pub use definitions::{DefinitionChange, NewDefinition};
pub use endpoints::{EndpointChange, NewEndpoint};
pub use models::{GivenModel, UsableModels};
pub use providers::{AuthMode, ProviderConfig, ProviderField, provider_config, supported_providers};
pub(crate) use scorers::{bind_scorer, endpoint_of, release_scorer, show_names, with_endpoint};
pub use secrets::{NewSecret, SecretValues};

use crate::AppError;

/// Secrets, definitions and endpoints that there can be, of each; so that lists of them need no pages.
const MOST: u64 = 1000;
/// Characters of a name, a provider, and a model's name.
const NAME_CHARS: usize = 255;
const PROVIDER_CHARS: usize = 64;
const MODEL_CHARS: usize = 256;

fn text(what: &str, text: &str, chars: usize) -> Result<(), AppError> {
    if text.trim().is_empty() {
        return Err(AppError::Invalid(format!("Missing value for required parameter '{what}'.")));
    }
    if text.chars().count() > chars || text.chars().any(char::is_control) {
        return Err(AppError::Invalid(format!(
            "'{what}' has at most {chars} characters, none of them a control character"
        )));
    }
    Ok(())
}

/// Of these experiments, those that can be found from here. A scorer is named by its id alone, and its experiment's id means
/// something else elsewhere.
fn found_experiments<'a>(
    tx: &mut dyn Transaction,
    ids: impl Iterator<Item = &'a str>,
) -> Result<BTreeSet<String>, AppError> {
    let ids: BTreeSet<&str> = ids.collect();
    let mut found = BTreeSet::new();
    for id in ids {
        if tx.experiment(id)?.is_some() {
            found.insert(id.to_owned());
        }
    }
    Ok(found)
}

fn room(count: u64, what: &str) -> Result<(), AppError> {
    if count >= MOST {
        return Err(AppError::Invalid(format!("there are {MOST} {what} already")));
    }
    Ok(())
}

/// Pairs of at most `most`, each key and value within its bound. The value never stands in the message.
fn pairs<'a>(
    what: &str,
    pairs: impl ExactSizeIterator<Item = (&'a String, &'a String)>,
    most: usize,
    bytes: usize,
) -> Result<(), AppError> {
    if pairs.len() > most {
        return Err(AppError::Invalid(format!("'{what}' has at most {most} fields")));
    }
    for (key, value) in pairs {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
        if key.is_empty() || key.len() > 100 || !key.bytes().all(plain) {
            return Err(AppError::Invalid(format!(
                "the name of a field of '{what}' is 1 to 100 letters, digits, underscores, dashes or dots"
            )));
        }
        if value.len() > bytes {
            return Err(AppError::Invalid(format!("a field of '{what}' has at most {bytes} bytes")));
        }
    }
    Ok(())
}

/// What is not secret of how a provider is asked. What the providers' table calls a secret is refused here: this is stored
/// and shown as it is.
fn auth_config(config: &BTreeMap<String, String>) -> Result<(), AppError> {
    pairs("auth_config", config.iter(), 50, 8000)?;
    match config.keys().find(|key| providers::is_secret_field(key)) {
        Some(key) => Err(AppError::Invalid(format!(
            "'{key}' is a secret: it belongs into 'secret_value', not into 'auth_config', which is stored as it is"
        ))),
        None => Ok(()),
    }
}
