/// What is searched: its main table is called `t` in the statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// The main table.
    pub(super) table: &'static str,
    /// What the statement selects from.
    pub(super) from: &'static str,
    /// The column that says in which workspace a row is; without one that is asked of its experiment before.
    pub(super) workspace: Option<&'static str>,
    /// Expression of a known attribute.
    pub(super) attribute: fn(&str) -> Option<&'static str>,
    pub(super) metrics: Option<Side>,
    pub(super) params: Option<Side>,
    pub(super) tags: Option<Side>,
    pub(super) datasets: Option<Side>,
    /// The order that nobody asked for.
    pub(super) usual: &'static [(&'static str, bool)],
    /// Attributes that decide where the order does not, and whether they ascend.
    pub(super) fallback: &'static [(&'static str, bool)],
    /// Whether the number ascends, which makes an order total that has no id.
    pub(super) tie_ascends: bool,
    /// Columns of the main table that begin an index.
    pub(super) indexed: &'static [&'static str],
    /// Whether indexes have the rows of an experiment in every order; see `walk`.
    pub(super) walks: bool,
}

/// A table whose rows belong to a row of the main one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Side {
    pub(super) table: &'static str,
    /// Its column that refers to `t.number`.
    pub(super) owner: &'static str,
    /// Whether it has the experiment and the start of its owner too.
    pub(super) knows_run: bool,
}

const fn side(table: &'static str, owner: &'static str) -> Option<Side> {
    Some(Side { table, owner, knows_run: false })
}

const fn of_run(table: &'static str) -> Option<Side> {
    Some(Side { table, owner: "run", knows_run: true })
}

/// Whether an attribute's expression may be NULL.
pub(super) fn is_nullable(expression: &str) -> bool {
    matches!(expression, "t.ended" | "t.source_run" | "t.run_id" | "t.model_id" | "t.created_by" | "t.updated_by")
}

/// Whether an attribute's expression is a whole number.
pub(super) fn is_number(expression: &str) -> bool {
    matches!(
        expression,
        "t.number" | "t.created" | "t.updated" | "t.started" | "t.ended" | "t.experiment" | "t.version"
    )
}

pub(crate) const EXPERIMENTS: Target = Target {
    table: "experiments",
    from: "experiments t",
    workspace: Some("t.workspace"),
    attribute: |name| {
        Some(match name {
            "name" => "t.name",
            "experiment_id" => "t.number",
            "creation_time" | "creation_timestamp" => "t.created",
            "last_update_time" | "last_updated_timestamp" => "t.updated",
            "lifecycle_stage" => "CASE t.deleted WHEN 0 THEN 'active' ELSE 'deleted' END",
            "artifact_location" => "'mlflow-artifacts:/' || t.number",
            _ => return None,
        })
    },
    metrics: None,
    params: None,
    tags: side("experiment_tags", "experiment"),
    datasets: None,
    usual: &[],
    fallback: &[],
    tie_ascends: false,
    indexed: &["t.name"],
    walks: false,
};

pub(crate) const RUNS: Target = Target {
    table: "runs",
    from: "runs t",
    workspace: None,
    attribute: |name| {
        Some(match name {
            "run_id" | "run_uuid" => "t.id",
            "run_name" => "t.name",
            "user_id" => "t.\"user\"",
            "status" => "t.status",
            "start_time" | "created" => "t.started",
            "end_time" => "t.ended",
            "experiment_id" => "t.experiment",
            "lifecycle_stage" => "CASE t.deleted WHEN 0 THEN 'active' ELSE 'deleted' END",
            "artifact_uri" => "'mlflow-artifacts:/' || t.experiment || '/' || t.id || '/artifacts'",
            _ => return None,
        })
    },
    metrics: of_run("latest_metrics"),
    params: of_run("run_params"),
    tags: of_run("run_tags"),
    datasets: side("run_datasets", "run"),
    usual: &[],
    fallback: &[("start_time", false), ("run_id", true)],
    tie_ascends: false,
    indexed: &["t.id", "t.name", "t.status", "t.\"user\"", "t.ended"],
    walks: true,
};

pub(crate) const LOGGED_MODELS: Target = Target {
    table: "logged_models",
    from: "logged_models t",
    workspace: None,
    attribute: |name| {
        Some(match name {
            "name" => "t.name",
            "model_id" => "t.id",
            "model_type" => "t.model_type",
            "status" => "t.status",
            "source_run_id" => "t.source_run",
            "experiment_id" => "t.experiment",
            "creation_timestamp" | "creation_time" => "t.created",
            "last_updated_timestamp" | "last_updated_time" => "t.updated",
            _ => return None,
        })
    },
    metrics: side("logged_model_metrics", "model"),
    params: side("logged_model_params", "model"),
    tags: side("logged_model_tags", "model"),
    datasets: None,
    usual: &[],
    fallback: &[("creation_timestamp", false)],
    tie_ascends: false,
    indexed: &["t.id", "t.source_run"],
    walks: false,
};

pub(crate) const REGISTERED_MODELS: Target = Target {
    table: "registered_models",
    from: "registered_models t",
    workspace: Some("t.workspace"),
    attribute: |name| {
        Some(match name {
            "name" => "t.name",
            "creation_timestamp" | "creation_time" => "t.created",
            "last_updated_timestamp" | "last_updated_time" | "timestamp" => "t.updated",
            _ => return None,
        })
    },
    metrics: None,
    params: None,
    tags: side("registered_model_tags", "model"),
    datasets: None,
    usual: &[],
    fallback: &[("name", true)],
    tie_ascends: true,
    indexed: &["t.name"],
    walks: false,
};

pub(crate) const MODEL_VERSIONS: Target = Target {
    table: "model_versions",
    from: "model_versions t JOIN registered_models m ON m.number = t.model",
    workspace: Some("m.workspace"),
    attribute: |name| {
        Some(match name {
            "name" => "m.name",
            "run_id" => "t.run_id",
            "model_id" => "t.model_id",
            "source_path" => "t.source",
            "version_number" | "version" => "t.version",
            "status" => "t.status",
            "creation_timestamp" | "creation_time" => "t.created",
            "last_updated_timestamp" | "last_updated_time" => "t.updated",
            _ => return None,
        })
    },
    metrics: None,
    params: None,
    tags: side("model_version_tags", "version"),
    datasets: None,
    usual: &[("last_updated_timestamp", false)],
    fallback: &[("name", true), ("version_number", false)],
    tie_ascends: true,
    indexed: &["t.run_id"],
    walks: false,
};

pub(crate) const EVALUATION_DATASETS: Target = Target {
    table: "evaluation_datasets",
    from: "evaluation_datasets t",
    workspace: Some("t.workspace"),
    attribute: |name| {
        Some(match name {
            "name" => "t.name",
            "created_time" => "t.created",
            "last_update_time" => "t.updated",
            "created_by" => "t.created_by",
            "last_updated_by" => "t.updated_by",
            _ => return None,
        })
    },
    metrics: None,
    params: None,
    tags: side("evaluation_dataset_tags", "dataset"),
    datasets: None,
    usual: &[],
    fallback: &[("created_time", false)],
    tie_ascends: false,
    indexed: &["t.name"],
    walks: false,
};
