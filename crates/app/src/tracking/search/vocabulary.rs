use sealyard_store::model::{Comparison, Field};

use super::{Searched, shown};
use crate::AppError;

/// What a field holds, and so how it can be compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// MLflow's word for it: `metric`, `parameter`, `tag`, `attribute`, `dataset`.
    pub(super) entity: &'static str,
    pub(super) number: bool,
    /// Whether it can be compared with a list.
    pub(super) lists: bool,
    /// Whether it may be absent and a filter may ask for that.
    pub(super) nulls: bool,
}

impl Shape {
    pub(super) const fn allows(self, comparison: Comparison) -> bool {
        use Comparison::{
            Equal, Greater, GreaterOrEqual, ILike, In, IsNotNull, IsNull, Less, LessOrEqual, Like, NotEqual, NotIn,
            RLike, Without,
        };
        match comparison {
            Equal | NotEqual => true,
            Less | LessOrEqual | Greater | GreaterOrEqual => self.number,
            Like | ILike => !self.number,
            In | NotIn => self.lists,
            IsNull | IsNotNull => self.nulls,
            RLike | Without => false,
        }
    }
}

/// An attribute: how clients write it, the catalog's name of it, what it holds, whether a filter may name it (others
/// only an order).
#[derive(Debug, Clone, Copy)]
struct Attribute {
    names: &'static [&'static str],
    stored: &'static str,
    number: bool,
    lists: bool,
    filters: bool,
}

const fn text(names: &'static [&'static str], stored: &'static str) -> Attribute {
    Attribute { names, stored, number: false, lists: false, filters: true }
}

const fn listed(names: &'static [&'static str], stored: &'static str) -> Attribute {
    Attribute { names, stored, number: false, lists: true, filters: true }
}

const fn number(names: &'static [&'static str], stored: &'static str) -> Attribute {
    Attribute { names, stored, number: true, lists: false, filters: true }
}

const fn order_only(attribute: Attribute) -> Attribute {
    Attribute { filters: false, ..attribute }
}

const RUNS: &[Attribute] = &[
    listed(&["run_id"], "run_id"),
    text(&["run_name", "run name", "Run name", "Run Name"], "run_name"),
    text(&["status"], "status"),
    text(&["user_id"], "user_id"),
    text(&["artifact_uri"], "artifact_uri"),
    number(&["start_time", "created", "Created"], "start_time"),
    number(&["end_time"], "end_time"),
];

const EXPERIMENTS: &[Attribute] = &[
    text(&["name"], "name"),
    number(&["creation_time"], "creation_time"),
    number(&["last_update_time"], "last_update_time"),
    order_only(number(&["experiment_id"], "experiment_id")),
];

const LOGGED_MODELS: &[Attribute] = &[
    listed(&["name"], "name"),
    listed(&["model_id"], "model_id"),
    listed(&["model_type"], "model_type"),
    listed(&["status"], "status"),
    listed(&["source_run_id"], "source_run_id"),
    number(&["creation_timestamp", "creation_time", "creation_timestamp_ms"], "creation_timestamp"),
    number(&["last_updated_timestamp", "last_updated_time", "last_updated_timestamp_ms"], "last_updated_timestamp"),
    order_only(number(&["experiment_id"], "experiment_id")),
];

const REGISTERED_MODELS: &[Attribute] = &[
    text(&["name"], "name"),
    order_only(number(&["last_updated_timestamp", "timestamp"], "last_updated_timestamp")),
    order_only(number(&["creation_timestamp"], "creation_timestamp")),
];

const MODEL_VERSIONS: &[Attribute] = &[
    text(&["name"], "name"),
    listed(&["run_id"], "run_id"),
    text(&["source_path", "source"], "source_path"),
    number(&["version_number", "version"], "version_number"),
    order_only(number(&["last_updated_timestamp", "timestamp"], "last_updated_timestamp")),
    order_only(number(&["creation_timestamp"], "creation_timestamp")),
];

const EVALUATION_DATASETS: &[Attribute] = &[
    text(&["name"], "name"),
    number(&["created_time"], "created_time"),
    number(&["last_update_time"], "last_update_time"),
    text(&["created_by"], "created_by"),
    text(&["last_updated_by"], "last_updated_by"),
];

const DATASET_FIELDS: &[&str] = &["name", "digest", "context"];

/// The closed list of what a search may name, and the words in which MLflow refuses the rest.
#[derive(Debug, Clone, Copy)]
pub(super) struct Vocabulary {
    searched: Searched,
}

fn invalid(what: String) -> AppError {
    AppError::Invalid(what)
}

impl Vocabulary {
    pub(super) const fn of(searched: Searched) -> Self {
        Self { searched }
    }

    const fn attributes(self) -> &'static [Attribute] {
        match self.searched {
            Searched::Runs => RUNS,
            Searched::Experiments => EXPERIMENTS,
            Searched::LoggedModels => LOGGED_MODELS,
            Searched::RegisteredModels => REGISTERED_MODELS,
            Searched::ModelVersions => MODEL_VERSIONS,
            Searched::EvaluationDatasets => EVALUATION_DATASETS,
        }
    }

    /// MLflow's word for the kind that a client calls `entity`.
    fn entity(self, entity: &str) -> Option<&'static str> {
        let tracking = matches!(self.searched, Searched::Runs | Searched::LoggedModels);
        match entity {
            "attribute" | "attributes" | "attr" => Some("attribute"),
            "run" if self.searched == Searched::Runs => Some("attribute"),
            "tag" | "tags" => Some("tag"),
            "metric" | "metrics" if tracking => Some("metric"),
            "param" | "params" | "parameter" | "parameters" if tracking => Some("parameter"),
            "dataset" | "datasets" if self.searched == Searched::Runs => Some("dataset"),
            _ => None,
        }
    }

    /// What `entity.key` of a filter means.
    pub(super) fn field(self, entity: Option<&str>, key: String) -> Result<(Field, Shape), AppError> {
        let Some(entity) = self.entity(entity.unwrap_or("attribute")) else {
            return Err(self.unknown_entity(entity.unwrap_or_default()));
        };
        let lists = self.searched == Searched::LoggedModels;
        let nulls = !matches!(self.searched, Searched::RegisteredModels | Searched::ModelVersions);
        let shape = Shape { entity, number: false, lists, nulls };
        match entity {
            "metric" => Ok((Field::Metric(named(key)?), Shape { number: true, lists: false, nulls: false, ..shape })),
            "parameter" => Ok((Field::Parameter(named(key)?), shape)),
            "tag" => Ok((Field::Tag(named(key)?), shape)),
            "dataset" => {
                let name = DATASET_FIELDS.iter().find(|name| **name == key).ok_or_else(|| {
                    invalid(format!(
                        "Invalid dataset key '{}' specified. Valid keys are '{DATASET_FIELDS:?}'",
                        shown(&key)
                    ))
                })?;
                Ok((Field::Dataset(name), Shape { lists: true, nulls: false, ..shape }))
            }
            _ => {
                let attribute = self.attribute(&key, false)?;
                let Attribute { stored, number, lists, .. } = *attribute;
                Ok((Field::Attribute(stored), Shape { entity, number, lists, nulls: false }))
            }
        }
    }

    /// What `entity.key` of an order means.
    pub(super) fn order_field(self, entity: Option<&str>, key: String) -> Result<Field, AppError> {
        let Some(kind) = self.entity(entity.unwrap_or("attribute")) else {
            return Err(match self.searched {
                Searched::LoggedModels => self.unknown_order(&key),
                _ => self.unknown_entity(entity.unwrap_or_default()),
            });
        };
        match (kind, self.searched) {
            ("attribute", _) => Ok(Field::Attribute(self.attribute(&key, true)?.stored)),
            ("metric", _) => Ok(Field::Metric(named(key)?)),
            ("parameter", Searched::Runs) => Ok(Field::Parameter(named(key)?)),
            ("tag", Searched::Runs) => Ok(Field::Tag(named(key)?)),
            (_, Searched::LoggedModels) => Err(self.unknown_order(&key)),
            (other, _) => Err(invalid(format!("Invalid order_by entity: {other}"))),
        }
    }

    fn attribute(self, key: &str, ordering: bool) -> Result<&'static Attribute, AppError> {
        let usable = |attribute: &&Attribute| ordering || attribute.filters;
        if let Some(found) = self.attributes().iter().filter(usable).find(|attribute| attribute.names.contains(&key)) {
            return Ok(found);
        }
        let names: Vec<_> = self.attributes().iter().filter(usable).map(|attribute| attribute.stored).collect();
        let key = shown(key);
        Err(invalid(match (self.searched, ordering) {
            (Searched::RegisteredModels, true) => {
                format!("Invalid order by key '{key}' specified. Valid keys are '{names:?}'")
            }
            (Searched::LoggedModels, true) => format!("Invalid order by field name: {key}"),
            _ => format!("Invalid attribute key '{key}' specified. Valid keys are '{names:?}'"),
        }))
    }

    fn unknown_order(self, key: &str) -> AppError {
        invalid(format!("Invalid order by field name: {}. Only metrics are supported.", shown(key)))
    }

    fn unknown_entity(self, entity: &str) -> AppError {
        let entity = shown(entity);
        invalid(match self.searched {
            Searched::Runs => format!(
                "Invalid entity type '{entity}'. Valid values are ['metric', 'parameter', 'tag', 'attribute', 'dataset']"
            ),
            Searched::LoggedModels => {
                format!("Invalid entity type: '{entity}'. Expected one of ['attributes', 'metrics', 'params', 'tags'].")
            }
            _ => format!("Invalid entity type '{entity}'. Valid entity types are ('attribute', 'tag', 'tags')"),
        })
    }

    pub(super) fn invalid_clause(self, text: &str, what: &str) -> AppError {
        invalid(match self.searched {
            Searched::LoggedModels => format!(
                "Invalid filter string: '{}'. Expected a list of comparisons separated by 'AND' (e.g. 'metrics.loss > 0.1 AND \
                 params.lr = 0.01').",
                shown(text)
            ),
            _ => format!("Invalid clause(s) in filter string: '{}'", shown(what)),
        })
    }

    pub(super) fn no_nulls(self, shape: &Shape, key: &str) -> AppError {
        let (entity, key) = (shape.entity, shown(key));
        invalid(match self.searched {
            Searched::Experiments => {
                format!("IS NULL / IS NOT NULL is only supported for tags, not for attribute '{key}'")
            }
            _ => format!("IS NULL / IS NOT NULL is only supported for tags and params, not for '{entity}' '{key}'"),
        })
    }

    pub(super) fn no_lists(self, shape: &Shape) -> AppError {
        invalid(match shape.entity {
            "attribute" => {
                "Only the 'run_id' attribute supports comparison with a list of quoted string values.".to_owned()
            }
            entity => format!("Expected a quoted string value for {entity} (e.g. 'my-value'). Got a list"),
        })
    }

    pub(super) fn unquoted(self, shape: &Shape, text: &str) -> AppError {
        let text = shown(text);
        invalid(match (shape.entity, self.searched) {
            ("attribute", Searched::RegisteredModels | Searched::ModelVersions) => format!(
                "Expected a quoted string value or a list of quoted string values for attributes. Got value {text}"
            ),
            ("attribute", _) => format!("Expected a quoted string value for attributes. Got value {text}"),
            ("dataset", _) => format!("Expected a quoted string value for dataset attributes. Got value {text}"),
            (entity, _) => format!("Expected a quoted string value for {entity} (e.g. 'my-value'). Got value {text}"),
        })
    }

    pub(super) fn comparator(self, shape: &Shape, key: &str, sign: &str) -> AppError {
        let sign = shown(sign);
        let valid = match (shape.number, shape.lists, shape.nulls) {
            (true, _, _) => "{'=', '!=', '<', '<=', '>', '>='}",
            (false, true, _) => "{'=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN'}",
            (false, false, true) => "{'=', '!=', 'LIKE', 'ILIKE', 'IS NULL', 'IS NOT NULL'}",
            (false, false, false) => "{'=', '!=', 'LIKE', 'ILIKE'}",
        };
        invalid(match self.searched {
            Searched::LoggedModels => format!(
                "Invalid comparison operator for {}s.{}: '{sign}'. Expected one of ('=', '!=', 'LIKE', 'ILIKE', 'IN', 'NOT IN').",
                if shape.entity == "parameter" { "param" } else { shape.entity },
                shown(key)
            ),
            Searched::RegisteredModels | Searched::ModelVersions => {
                format!("Invalid comparator for {}: {sign}", shape.entity)
            }
            _ => format!("Invalid comparator '{sign}' not one of '{valid}'"),
        })
    }
}

fn named(key: String) -> Result<String, AppError> {
    if key.is_empty() {
        return Err(invalid("Invalid clause(s) in filter string: a key is empty".to_owned()));
    }
    Ok(key)
}
