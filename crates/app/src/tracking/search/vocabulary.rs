use sealyard_store::model::{Comparison, Field};

use super::Searched;
use crate::AppError;

/// What a field holds, and so how it can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    /// A column of text.
    Text,
    /// A parameter's or tag's text, which may be absent.
    OptionalText,
}

impl Kind {
    pub(super) const fn allows(self, comparison: Comparison) -> bool {
        use Comparison::{
            Equal, Greater, GreaterOrEqual, ILike, In, IsNotNull, IsNull, Less, LessOrEqual, Like, NotEqual, NotIn,
        };
        match self {
            Self::Number => matches!(comparison, Equal | NotEqual | Less | LessOrEqual | Greater | GreaterOrEqual),
            Self::Text => matches!(comparison, Equal | NotEqual | Like | ILike | In | NotIn),
            Self::OptionalText => matches!(comparison, Equal | NotEqual | Like | ILike | IsNull | IsNotNull),
        }
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "an attribute's text",
            Self::OptionalText => "a parameter or tag",
        }
    }
}

/// An attribute: how clients write it, the catalog's name of it, what it holds, whether a filter may name it (others
/// only an order).
type Attribute = (&'static [&'static str], &'static str, Kind, bool);

const RUNS: &[Attribute] = &[
    (&["run_id"], "run_id", Kind::Text, true),
    (&["run_name", "run name", "Run name", "Run Name"], "run_name", Kind::Text, true),
    (&["status"], "status", Kind::Text, true),
    (&["user_id"], "user_id", Kind::Text, true),
    (&["artifact_uri"], "artifact_uri", Kind::Text, true),
    (&["start_time", "created", "Created"], "start_time", Kind::Number, true),
    (&["end_time"], "end_time", Kind::Number, true),
];

const EXPERIMENTS: &[Attribute] = &[
    (&["name"], "name", Kind::Text, true),
    (&["creation_time"], "creation_time", Kind::Number, true),
    (&["last_update_time"], "last_update_time", Kind::Number, true),
    (&["experiment_id"], "experiment_id", Kind::Number, false),
];

const LOGGED_MODELS: &[Attribute] = &[
    (&["name"], "name", Kind::Text, true),
    (&["model_id"], "model_id", Kind::Text, true),
    (&["model_type"], "model_type", Kind::Text, true),
    (&["status"], "status", Kind::Text, true),
    (&["source_run_id"], "source_run_id", Kind::Text, true),
    (&["creation_timestamp", "creation_time", "creation_timestamp_ms"], "creation_timestamp", Kind::Number, true),
    (
        &["last_updated_timestamp", "last_updated_time", "last_updated_timestamp_ms"],
        "last_updated_timestamp",
        Kind::Number,
        true,
    ),
];

const REGISTERED_MODELS: &[Attribute] = &[
    (&["name"], "name", Kind::Text, true),
    (&["last_updated_timestamp", "timestamp"], "last_updated_timestamp", Kind::Number, false),
    (&["creation_timestamp"], "creation_timestamp", Kind::Number, false),
];

const MODEL_VERSIONS: &[Attribute] = &[
    (&["name"], "name", Kind::Text, true),
    (&["run_id"], "run_id", Kind::Text, true),
    (&["source_path", "source"], "source_path", Kind::Text, true),
    (&["version_number", "version"], "version_number", Kind::Number, true),
    (&["last_updated_timestamp", "timestamp"], "last_updated_timestamp", Kind::Number, false),
    (&["creation_timestamp"], "creation_timestamp", Kind::Number, false),
];

/// The closed list of what a search may name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vocabulary {
    attributes: &'static [Attribute],
    metrics: bool,
    params: bool,
    datasets: bool,
}

impl Vocabulary {
    pub(super) const fn of(searched: Searched) -> Self {
        let (attributes, metrics, params, datasets) = match searched {
            Searched::Runs => (RUNS, true, true, true),
            Searched::Experiments => (EXPERIMENTS, false, false, false),
            Searched::LoggedModels => (LOGGED_MODELS, true, true, false),
            Searched::RegisteredModels => (REGISTERED_MODELS, false, false, false),
            Searched::ModelVersions => (MODEL_VERSIONS, false, false, false),
        };
        Self { attributes, metrics, params, datasets }
    }

    /// What `kind.key` means.
    pub(super) fn field(self, kind: Option<&str>, key: String, ordering: bool) -> Result<(Field, Kind), AppError> {
        match kind {
            None | Some("attribute" | "attributes" | "attr" | "run") => {
                let found = self
                    .attributes
                    .iter()
                    .find(|(names, _, _, filterable)| names.contains(&key.as_str()) && (ordering || *filterable));
                match found {
                    Some((_, name, kind, _)) => Ok((Field::Attribute(name), *kind)),
                    None => Err(self.unknown_attribute(&key, ordering)),
                }
            }
            Some("metric" | "metrics") if self.metrics => Ok((Field::Metric(key), Kind::Number)),
            Some("param" | "params" | "parameter" | "parameters") if self.params => {
                Ok((Field::Parameter(key), Kind::OptionalText))
            }
            Some("tag" | "tags") => Ok((Field::Tag(key), Kind::OptionalText)),
            Some("dataset" | "datasets") if self.datasets && !ordering => {
                let name = ["name", "digest", "context"].into_iter().find(|name| *name == key);
                let name = name.ok_or_else(|| {
                    AppError::Invalid("Invalid dataset key specified. Valid keys are name, digest, context".to_owned())
                })?;
                Ok((Field::Dataset(name), Kind::Text))
            }
            Some(other) => Err(AppError::Invalid(format!(
                "Invalid entity type '{}'. Valid values are {}",
                other.chars().take(40).collect::<String>(),
                self.kinds()
            ))),
        }
    }

    fn unknown_attribute(self, key: &str, ordering: bool) -> AppError {
        let names: Vec<_> = self
            .attributes
            .iter()
            .filter(|(_, _, _, filterable)| ordering || *filterable)
            .map(|(_, name, _, _)| *name)
            .collect();
        let key: String = key.chars().take(80).collect();
        AppError::Invalid(format!("Invalid attribute key '{key}' specified. Valid keys are {}", names.join(", ")))
    }

    fn kinds(self) -> &'static str {
        match (self.params, self.datasets) {
            (true, true) => "metric, parameter, tag, attribute, dataset",
            (true, false) => "metrics, params, tags, attributes",
            _ => "attribute, tag",
        }
    }
}
