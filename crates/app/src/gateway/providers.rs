//! The model providers, and how each wants to be asked for its models. A table of facts; see `providers.json` for where they
//! are from.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use serde::{Deserialize, Serialize};

use crate::AppError;

const TABLE: &str = include_str!("providers.json");
const PROVIDER_CHARS: usize = 64;

/// A field of a way to authenticate.
#[derive(Debug, Clone, Serialize)]
pub struct ProviderField {
    /// Its name in a secret or its configuration.
    pub name: String,
    /// `string`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// For people.
    pub description: String,
    /// Whether it can't be left out.
    pub required: bool,
    /// What it is when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default: Option<String>,
}

/// A way to authenticate.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct AuthMode {
    pub mode: String,
    pub display_name: String,
    pub description: String,
    pub secret_fields: Vec<ProviderField>,
    pub config_fields: Vec<ProviderField>,
}

/// What a provider wants.
#[derive(Debug, Clone, Serialize)]
#[allow(missing_docs, reason = "the names are MLflow's")]
pub struct ProviderConfig {
    pub auth_modes: Vec<AuthMode>,
    pub default_mode: String,
}

#[derive(Debug, Default, Deserialize)]
struct Table {
    providers: Vec<String>,
    aliases: BTreeMap<String, String>,
    modes: BTreeMap<String, Vec<Mode>>,
}

#[derive(Debug, Deserialize)]
struct Mode {
    mode: String,
    title: String,
    text: String,
    fields: Vec<Field>,
}

#[derive(Debug, Deserialize)]
struct Field {
    name: String,
    text: String,
    #[serde(default)]
    secret: bool,
    #[serde(default)]
    required: bool,
    #[serde(default)]
    default: Option<String>,
}

/// The table is a part of the program, and a test reads it.
fn table() -> &'static Table {
    static PARSED: OnceLock<Table> = OnceLock::new();
    PARSED.get_or_init(|| serde_json::from_str(TABLE).unwrap_or_default())
}

/// The names of the providers, sorted.
#[must_use]
pub fn supported_providers() -> &'static [String] {
    &table().providers
}

/// What the provider wants; one that is not in the table wants a key, as most do.
///
/// # Errors
/// [`AppError::Invalid`] for what can't be a provider's name.
pub fn provider_config(provider: &str) -> Result<ProviderConfig, AppError> {
    super::text("provider", provider, PROVIDER_CHARS)?;
    let provider = provider.to_lowercase();
    let table = table();
    let provider = table.aliases.get(&provider).unwrap_or(&provider);
    let auth_modes: Vec<AuthMode> = match table.modes.get(provider) {
        Some(modes) => modes.iter().map(AuthMode::from).collect(),
        None => vec![plain_key(provider)],
    };
    // The first is the usual one.
    let default_mode = auth_modes.first().map(|mode| mode.mode.clone()).unwrap_or_default();
    Ok(ProviderConfig { auth_modes, default_mode })
}

/// Whether a field of this name is a secret of any provider.
pub(super) fn is_secret_field(name: &str) -> bool {
    name == "api_key"
        || table()
            .modes
            .values()
            .flatten()
            .flat_map(|mode| &mode.fields)
            .any(|field| field.secret && field.name == name)
}

fn plain_key(provider: &str) -> AuthMode {
    let field = |name: &str, description: String, required| ProviderField {
        name: name.to_owned(),
        kind: "string",
        description,
        required,
        default: None,
    };
    AuthMode {
        mode: "api_key".to_owned(),
        display_name: "API Key".to_owned(),
        description: format!("A key of {provider}"),
        secret_fields: vec![field("api_key", format!("API key of {provider}"), true)],
        config_fields: vec![field("api_base", format!("Another address of {provider}'s API"), false)],
    }
}

impl From<&Mode> for AuthMode {
    fn from(mode: &Mode) -> Self {
        let fields = |secret: bool| mode.fields.iter().filter(move |field| field.secret == secret).map(Into::into);
        Self {
            mode: mode.mode.clone(),
            display_name: mode.title.clone(),
            description: mode.text.clone(),
            secret_fields: fields(true).collect(),
            config_fields: fields(false).collect(),
        }
    }
}

impl From<&Field> for ProviderField {
    fn from(field: &Field) -> Self {
        Self {
            name: field.name.clone(),
            kind: "string",
            description: field.text.clone(),
            required: field.required,
            default: field.default.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read() {
        let table: Table = serde_json::from_str(TABLE).unwrap();
        assert!(table.providers.len() > 50 && table.providers.is_sorted());
        for (name, modes) in &table.modes {
            assert!(!modes.is_empty() && modes.iter().all(|mode| !mode.fields.is_empty()), "{name}");
        }
        for provider in table.aliases.values() {
            assert!(table.modes.contains_key(provider), "{provider}");
        }
    }

    #[test]
    fn an_unknown_provider_wants_a_key() {
        let config = provider_config("Something").unwrap();
        assert_eq!(config.default_mode, "api_key");
        assert_eq!(config.auth_modes[0].secret_fields[0].name, "api_key");
        assert!(provider_config("").is_err() && provider_config(&"a".repeat(99)).is_err());
    }

    #[test]
    fn secrets_are_known_by_name() {
        for name in ["api_key", "aws_secret_access_key", "client_secret", "vertex_credentials"] {
            assert!(is_secret_field(name), "{name}");
        }
        for name in ["auth_mode", "aws_region_name", "api_base", "client_id"] {
            assert!(!is_secret_field(name), "{name}");
        }
    }
}
