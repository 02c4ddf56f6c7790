use sealyard_app::RegisteredModelWithLatest;
use sealyard_store::model::{ModelVersion, Pair, RegisteredModel, VersionStatus};
use serde::Serialize;

/// A version of an answer. What clients show as tags tells whether it was published: they know no such field.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct ModelVersionView {
    name: String,
    version: String,
    creation_timestamp: i64,
    last_updated_timestamp: i64,
    current_stage: String,
    description: String,
    source: String,
    run_id: String,
    status: &'static str,
    #[serde(skip_serializing_if = "String::is_empty")]
    status_message: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
    run_link: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    model_id: Option<String>,
}

impl From<ModelVersion> for ModelVersionView {
    fn from(version: ModelVersion) -> Self {
        Self {
            name: version.name,
            version: version.version.to_string(),
            creation_timestamp: version.created.as_millis(),
            last_updated_timestamp: version.updated.as_millis(),
            current_stage: version.stage,
            description: version.description,
            source: version.source,
            run_id: version.run_id.unwrap_or_default(),
            status: match version.status {
                VersionStatus::Pending => "PENDING_REGISTRATION",
                VersionStatus::Ready => "READY",
                VersionStatus::Failed => "FAILED_REGISTRATION",
            },
            status_message: version.status_message,
            tags: version.tags,
            run_link: "",
            aliases: version.aliases,
            model_id: version.model_id,
        }
    }
}

/// A registered model of an answer.
#[derive(Debug, Serialize)]
pub(in crate::mlflow) struct RegisteredModelView {
    name: String,
    creation_timestamp: i64,
    last_updated_timestamp: i64,
    #[serde(skip_serializing_if = "String::is_empty")]
    description: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    latest_versions: Vec<ModelVersionView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Pair>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<Alias>,
}

#[derive(Debug, Serialize)]
struct Alias {
    alias: String,
    version: String,
}

impl From<RegisteredModel> for RegisteredModelView {
    fn from(model: RegisteredModel) -> Self {
        RegisteredModelWithLatest { model, latest: Vec::new() }.into()
    }
}

impl From<RegisteredModelWithLatest> for RegisteredModelView {
    fn from(found: RegisteredModelWithLatest) -> Self {
        let RegisteredModelWithLatest { model, latest } = found;
        let alias = |(alias, version): (String, u32)| Alias { alias, version: version.to_string() };
        Self {
            name: model.name,
            creation_timestamp: model.created.as_millis(),
            last_updated_timestamp: model.updated.as_millis(),
            description: model.description,
            latest_versions: latest.into_iter().map(ModelVersionView::from).collect(),
            tags: model.tags,
            aliases: model.aliases.into_iter().map(alias).collect(),
        }
    }
}
