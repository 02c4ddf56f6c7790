use sealyard_gate::Decision;
use sealyard_store::StoreError;
use sealyard_vault::VaultError;

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// No, or wrong, credentials. Says nothing of which.
    #[error("You are not authenticated: the name, password or token is not valid")]
    Unauthenticated,
    /// Too many failed log ins.
    #[error("too many failed attempts; try again in {0} s")]
    Throttled(u64),
    /// What anybody may do was done too often.
    #[error("this was done too often; try again in {0} s")]
    TooOften(u64),
    /// The principal may not do this.
    #[error("Permission denied: {action} on {resource} ({rule})")]
    Denied {
        /// The rule that said no.
        rule: &'static str,
        /// What was to be done.
        action: String,
        /// To what.
        resource: String,
    },
    /// A check of the content said no: a scan, a path, a frozen model.
    #[error("refused by {rule}: {reason}")]
    Refused {
        /// The rule that said no.
        rule: String,
        /// Why, for people.
        reason: String,
    },
    /// A gate said no; the decision has the reasons.
    #[error("the {} gate denied: {}", .0.stage(), refusing_rules(.0))]
    GateDenied(Box<Decision>),
    /// There is no such thing.
    #[error("{}", missing(kind, id))]
    NotFound {
        /// What was looked for.
        kind: &'static str,
        /// How it was named.
        id: String,
    },
    /// There is no such thing, said in the words that clients look for.
    #[error("{0}")]
    Missing(String),
    /// There is one already.
    #[error("{}", taken(kind, id))]
    AlreadyExists {
        /// What was to be made.
        kind: &'static str,
        /// How it was named.
        id: String,
    },
    /// The state forbids it.
    #[error("{0}")]
    Conflict(String),
    /// The request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// The file has none of the bytes that were asked for.
    #[error("the file has {size} bytes, and none of those that were asked for")]
    Unsatisfiable {
        /// How many it has.
        size: u64,
    },
    /// Somebody who has to be asked, such as a provider of identities, does not answer.
    #[error("{0}")]
    Unavailable(String),
    /// The catalog failed.
    #[error("the catalog failed")]
    Store(#[source] StoreError),
    /// The vault failed, or what it holds is not what was put in.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// Something else below broke.
    #[error("{what}")]
    Internal {
        /// What broke.
        what: &'static str,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl AppError {
    pub(crate) fn refused(rule: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::Refused { rule: rule.into(), reason: reason.into() }
    }

    pub(crate) fn internal(what: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal { what, source: source.into() }
    }

    /// The rule and its reason, when a check of the content refused: what the ledger is told.
    pub(crate) fn refusal(&self) -> Option<(String, String)> {
        match self {
            Self::Refused { rule, reason } => Some((rule.clone(), reason.clone())),
            Self::Vault(error) => error.rule().map(|rule| (rule.to_owned(), error.to_string())),
            _ => None,
        }
    }

    /// What of the database's schema no release made, if nothing is written for that.
    pub(crate) fn foreign_schema(&self) -> Option<&str> {
        if let Self::Store(StoreError::Schema(what)) = self { Some(what) } else { None }
    }

    /// Names of the rules that said no, if rules did.
    #[must_use]
    pub fn rules(&self) -> Vec<String> {
        match self {
            Self::Denied { rule, .. } => vec![(*rule).to_owned()],
            Self::Refused { rule, .. } => vec![rule.clone()],
            Self::GateDenied(decision) => decision.failures().map(|reason| reason.rule().to_owned()).collect(),
            Self::Vault(error) => error.rule().into_iter().map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }
}

/// In the words that MLflow's clients look for.
fn missing(kind: &str, id: &str) -> String {
    let shown = id.escape_debug();
    match kind {
        "run" => format!("Run with id={shown} not found"),
        "experiment" => format!("No Experiment with id={shown} exists"),
        "registered model" => format!("Registered Model with name={shown} not found"),
        "model version" => {
            let (name, version) = id.rsplit_once('/').unwrap_or((id, ""));
            format!("Model Version (name={}, version={}) not found", name.escape_debug(), version.escape_debug())
        }
        "logged model" => format!("Logged model with ID '{shown}' not found."),
        "logged model tag" => format!("No tag with key {shown} found."),
        "tag" => format!("No tag with name: {shown}"),
        "GatewaySecret" => format!("GatewaySecret not found (secret_id='{shown}')"),
        "GatewayModelDefinition" => format!("GatewayModelDefinition not found (model_definition_id='{shown}')"),
        "GatewayEndpoint" => format!("GatewayEndpoint not found (endpoint_id='{shown}')"),
        "GatewayEndpointBinding" => format!("GatewayEndpointBinding not found (resource_id='{shown}')"),
        _ => format!("{kind} {id:?} does not exist"),
    }
}

/// Likewise.
fn taken(kind: &str, id: &str) -> String {
    let shown = id.escape_debug();
    match kind {
        "experiment" => format!("Experiment(name={shown}) already exists."),
        "registered model" => format!("Registered Model (name={shown}) already exists."),
        "GatewaySecret" => format!("Secret with name '{shown}' already exists"),
        "GatewayModelDefinition" => format!("Model definition with name '{shown}' already exists"),
        "GatewayEndpoint" => format!("Endpoint with name '{shown}' already exists"),
        "GatewayEndpointModelMapping" => format!("Model definition '{shown}' is already attached to the endpoint"),
        "GatewayEndpointBinding" => format!("The resource '{shown}' is already bound to the endpoint"),
        _ => format!("{kind} {id:?} already exists"),
    }
}

fn refusing_rules(decision: &Decision) -> String {
    let reasons: Vec<_> =
        decision.failures().map(|reason| format!("{} ({})", reason.rule(), reason.detail())).collect();
    reasons.join("; ")
}

impl From<StoreError> for AppError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::NotFound { kind, id } => Self::NotFound { kind, id },
            StoreError::AlreadyExists { kind, id } => Self::AlreadyExists { kind, id },
            StoreError::Conflict(message) => Self::Conflict(message),
            StoreError::Invalid(message) => Self::Invalid(message),
            damaged @ StoreError::Damaged { .. } => Self::refused("catalog.damaged", damaged.to_string()),
            other => Self::Store(other),
        }
    }
}
