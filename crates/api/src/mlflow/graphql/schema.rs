//! Which fields there are: MLflow's, under MLflow's names. The answers of the REST endpoints are the same messages with
//! names in snake case, so a field is the name of a member of such an answer and how it is shown.

/// How a field is shown.
#[derive(Debug, Clone, Copy)]
pub(super) enum Shape {
    Text,
    /// A number; `NaN` and the infinities, which JSON lacks, are `null`.
    Float,
    /// A 64-bit integer, as text.
    Long,
    Flag,
    /// The name of a value of an enumeration.
    Name,
    Texts,
    Object(&'static Type),
    Objects(&'static Type),
    /// The experiment of a run, read for it.
    ExperimentOfRun,
    /// The versions that were made of a run, searched for it.
    VersionsOfRun,
    /// Always `null`: what fails is in `errors`.
    Nothing(&'static Type),
}

/// A type of the schema.
#[derive(Debug)]
pub(super) struct Type {
    pub(super) name: &'static str,
    pub(super) fields: &'static [(&'static str, Shape)],
}

impl Type {
    /// The field of this name as queries write it, with its name in the REST answer.
    pub(super) fn field(&self, name: &str) -> Option<(&'static str, Shape)> {
        self.fields.iter().copied().find(|(member, _)| camel(member) == name)
    }
}

/// `run_id` as `runId`.
pub(super) fn camel(member: &str) -> String {
    let mut text = String::with_capacity(member.len());
    let mut raise = false;
    for character in member.chars() {
        if character == '_' {
            raise = true;
        } else if std::mem::take(&mut raise) {
            text.push(character.to_ascii_uppercase());
        } else {
            text.push(character);
        }
    }
    text
}

/// A field of `Query` or `Mutation`.
#[derive(Debug)]
pub(super) struct Root {
    pub(super) field: &'static str,
    pub(super) answer: &'static Type,
    /// What its `input` may hold, by the names of the REST request.
    pub(super) input: &'static [&'static str],
    pub(super) endpoint: Endpoint,
}

/// What answers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Endpoint {
    GetExperiment,
    GetRun,
    SearchRuns,
    SearchModelVersions,
    ListArtifacts,
    HistoryBulkInterval,
    SearchDatasets,
    Echo,
}

use Shape::{ExperimentOfRun, Flag, Float, Long, Name, Nothing, Object, Objects, Text, Texts, VersionsOfRun};

static KEY_VALUE: &[(&str, Shape)] = &[("key", Text), ("value", Text)];
static ERROR_DETAIL: Type = Type { name: "ErrorDetail", fields: &[("field", Text), ("message", Text)] };
static API_ERROR: Type = Type {
    name: "ApiError",
    fields: &[
        ("code", Text),
        ("message", Text),
        ("help_url", Text),
        ("trace_id", Text),
        ("error_details", Objects(&ERROR_DETAIL)),
    ],
};
const NO_ERROR: (&str, Shape) = ("api_error", Nothing(&API_ERROR));

static EXPERIMENT_TAG: Type = Type { name: "MlflowExperimentTag", fields: KEY_VALUE };
pub(super) static EXPERIMENT: Type = Type {
    name: "MlflowExperiment",
    fields: &[
        ("experiment_id", Text),
        ("name", Text),
        ("artifact_location", Text),
        ("lifecycle_stage", Text),
        ("last_update_time", Long),
        ("creation_time", Long),
        ("tags", Objects(&EXPERIMENT_TAG)),
    ],
};
static GET_EXPERIMENT: Type =
    Type { name: "MlflowGetExperimentResponse", fields: &[("experiment", Object(&EXPERIMENT)), NO_ERROR] };

static METRIC: Type = Type {
    name: "MlflowMetricExtension",
    fields: &[
        ("key", Text),
        ("value", Float),
        ("timestamp", Long),
        ("step", Long),
        ("dataset_name", Text),
        ("dataset_digest", Text),
        ("model_id", Text),
        ("run_id", Text),
    ],
};
static PARAM: Type = Type { name: "MlflowParam", fields: KEY_VALUE };
static RUN_TAG: Type = Type { name: "MlflowRunTag", fields: KEY_VALUE };
static RUN_DATA: Type = Type {
    name: "MlflowRunData",
    fields: &[("metrics", Objects(&METRIC)), ("params", Objects(&PARAM)), ("tags", Objects(&RUN_TAG))],
};
static RUN_INFO: Type = Type {
    name: "MlflowRunInfo",
    fields: &[
        ("run_id", Text),
        ("run_uuid", Text),
        ("run_name", Text),
        ("experiment_id", Text),
        ("user_id", Text),
        ("status", Name),
        ("start_time", Long),
        ("end_time", Long),
        ("artifact_uri", Text),
        ("lifecycle_stage", Text),
    ],
};
static INPUT_TAG: Type = Type { name: "MlflowInputTag", fields: KEY_VALUE };
static DATASET: Type = Type {
    name: "MlflowDataset",
    fields: &[
        ("name", Text),
        ("digest", Text),
        ("source_type", Text),
        ("source", Text),
        ("schema", Text),
        ("profile", Text),
    ],
};
static DATASET_INPUT: Type =
    Type { name: "MlflowDatasetInput", fields: &[("tags", Objects(&INPUT_TAG)), ("dataset", Object(&DATASET))] };
static MODEL_INPUT: Type = Type { name: "MlflowModelInput", fields: &[("model_id", Text)] };
static RUN_INPUTS: Type = Type {
    name: "MlflowRunInputs",
    fields: &[("dataset_inputs", Objects(&DATASET_INPUT)), ("model_inputs", Objects(&MODEL_INPUT))],
};
static MODEL_OUTPUT: Type = Type { name: "MlflowModelOutput", fields: &[("model_id", Text), ("step", Long)] };
static RUN_OUTPUTS: Type = Type { name: "MlflowRunOutputs", fields: &[("model_outputs", Objects(&MODEL_OUTPUT))] };
static RUN: Type = Type {
    name: "MlflowRunExtension",
    fields: &[
        ("info", Object(&RUN_INFO)),
        ("data", Object(&RUN_DATA)),
        ("inputs", Object(&RUN_INPUTS)),
        ("outputs", Object(&RUN_OUTPUTS)),
        ("experiment", ExperimentOfRun),
        ("model_versions", VersionsOfRun),
    ],
};
static GET_RUN: Type = Type { name: "MlflowGetRunResponse", fields: &[("run", Object(&RUN)), NO_ERROR] };
static SEARCH_RUNS: Type =
    Type { name: "MlflowSearchRunsResponse", fields: &[("runs", Objects(&RUN)), ("next_page_token", Text), NO_ERROR] };

static VERSION_TAG: Type = Type { name: "MlflowModelVersionTag", fields: KEY_VALUE };
pub(super) static MODEL_VERSION: Type = Type {
    name: "MlflowModelVersion",
    fields: &[
        ("name", Text),
        ("version", Text),
        ("creation_timestamp", Long),
        ("last_updated_timestamp", Long),
        ("user_id", Text),
        ("current_stage", Text),
        ("description", Text),
        ("source", Text),
        ("run_id", Text),
        ("status", Name),
        ("status_message", Text),
        ("tags", Objects(&VERSION_TAG)),
        ("run_link", Text),
        ("aliases", Texts),
        ("model_id", Text),
    ],
};
static SEARCH_VERSIONS: Type = Type {
    name: "MlflowSearchModelVersionsResponse",
    fields: &[("model_versions", Objects(&MODEL_VERSION)), ("next_page_token", Text), NO_ERROR],
};

static FILE: Type = Type { name: "MlflowFileInfo", fields: &[("path", Text), ("is_dir", Flag), ("file_size", Long)] };
static LIST_ARTIFACTS: Type = Type {
    name: "MlflowListArtifactsResponse",
    fields: &[("root_uri", Text), ("files", Objects(&FILE)), ("next_page_token", Text), NO_ERROR],
};

static POINT: Type = Type {
    name: "MlflowMetricWithRunId",
    fields: &[("key", Text), ("value", Float), ("timestamp", Long), ("step", Long), ("run_id", Text)],
};
static HISTORY: Type =
    Type { name: "MlflowGetMetricHistoryBulkIntervalResponse", fields: &[("metrics", Objects(&POINT)), NO_ERROR] };

static DATASET_SUMMARY: Type = Type {
    name: "MlflowDatasetSummary",
    fields: &[("experiment_id", Text), ("name", Text), ("digest", Text), ("context", Text)],
};
static SEARCH_DATASETS: Type = Type {
    name: "MlflowSearchDatasetsResponse",
    fields: &[("dataset_summaries", Objects(&DATASET_SUMMARY)), NO_ERROR],
};

static ECHO: Type = Type { name: "Test", fields: &[("output", Text)] };

const SEARCH_RUNS_ROOT: Root = Root {
    field: "mlflowSearchRuns",
    answer: &SEARCH_RUNS,
    input: &["experiment_ids", "filter", "run_view_type", "max_results", "order_by", "page_token"],
    endpoint: Endpoint::SearchRuns,
};

/// The fields of `Query`.
pub(super) static QUERY: &[Root] = &[
    Root {
        field: "mlflowGetExperiment",
        answer: &GET_EXPERIMENT,
        input: &["experiment_id"],
        endpoint: Endpoint::GetExperiment,
    },
    Root { field: "mlflowGetRun", answer: &GET_RUN, input: &["run_id", "run_uuid"], endpoint: Endpoint::GetRun },
    SEARCH_RUNS_ROOT,
    Root {
        field: "mlflowSearchModelVersions",
        answer: &SEARCH_VERSIONS,
        input: &["filter", "max_results", "order_by", "page_token"],
        endpoint: Endpoint::SearchModelVersions,
    },
    Root {
        field: "mlflowListArtifacts",
        answer: &LIST_ARTIFACTS,
        input: &["run_id", "run_uuid", "path", "page_token"],
        endpoint: Endpoint::ListArtifacts,
    },
    Root {
        field: "mlflowGetMetricHistoryBulkInterval",
        answer: &HISTORY,
        input: &["run_ids", "metric_key", "start_step", "end_step", "max_results"],
        endpoint: Endpoint::HistoryBulkInterval,
    },
    Root { field: "test", answer: &ECHO, input: &[], endpoint: Endpoint::Echo },
];

/// The fields of `Mutation`. MLflow calls these searches so; nothing is changed by any of them.
pub(super) static MUTATION: &[Root] = &[
    SEARCH_RUNS_ROOT,
    Root {
        field: "mlflowSearchDatasets",
        answer: &SEARCH_DATASETS,
        input: &["experiment_ids"],
        endpoint: Endpoint::SearchDatasets,
    },
    Root { field: "testMutation", answer: &ECHO, input: &[], endpoint: Endpoint::Echo },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_mlflows() {
        assert_eq!(camel("run_uuid"), "runUuid");
        assert_eq!(camel("last_updated_timestamp"), "lastUpdatedTimestamp");
        assert!(RUN.field("modelVersions").is_some() && GET_RUN.field("apiError").is_some());
        assert!(RUN.field("model_versions").is_none());
    }
}
