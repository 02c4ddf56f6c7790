/// What is searched: its main table is called `t` in the statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Target {
    /// What the statement selects from.
    pub(crate) from: &'static str,
    /// Expression of a known attribute.
    pub(super) attribute: fn(&str) -> Option<&'static str>,
    pub(super) metrics: Option<Side>,
    pub(super) params: Option<Side>,
    pub(super) tags: Option<Side>,
    pub(super) datasets: Option<Side>,
    /// Attributes that decide where the asked order does not, and whether they ascend.
    pub(super) fallback: &'static [(&'static str, bool)],
    /// Unique expression that makes every order total.
    pub(super) tie: &'static str,
}

/// A table whose rows belong to a row of the main one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Side {
    pub(super) table: &'static str,
    /// Its column that refers to `t.number`.
    pub(super) owner: &'static str,
}

pub(crate) const EXPERIMENTS: Target = Target {
    from: "experiments t",
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
    tags: Some(Side { table: "experiment_tags", owner: "experiment" }),
    datasets: None,
    fallback: &[("last_update_time", false)],
    tie: "t.number DESC",
};

pub(crate) const RUNS: Target = Target {
    from: "runs t",
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
    metrics: Some(Side { table: "latest_metrics", owner: "run" }),
    params: Some(Side { table: "run_params", owner: "run" }),
    tags: Some(Side { table: "run_tags", owner: "run" }),
    datasets: Some(Side { table: "run_datasets", owner: "run" }),
    fallback: &[("start_time", false)],
    tie: "t.id",
};

pub(crate) const LOGGED_MODELS: Target = Target {
    from: "logged_models t",
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
    metrics: Some(Side { table: "logged_model_metrics", owner: "model" }),
    params: Some(Side { table: "logged_model_params", owner: "model" }),
    tags: Some(Side { table: "logged_model_tags", owner: "model" }),
    datasets: None,
    fallback: &[("creation_timestamp", false)],
    tie: "t.id",
};

pub(crate) const REGISTERED_MODELS: Target = Target {
    from: "registered_models t",
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
    tags: Some(Side { table: "registered_model_tags", owner: "model" }),
    datasets: None,
    fallback: &[("name", true)],
    tie: "t.number",
};

pub(crate) const MODEL_VERSIONS: Target = Target {
    from: "model_versions t JOIN registered_models m ON m.number = t.model",
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
    tags: Some(Side { table: "model_version_tags", owner: "version" }),
    datasets: None,
    fallback: &[("last_updated_timestamp", false), ("name", true), ("version_number", false)],
    tie: "t.number",
};
