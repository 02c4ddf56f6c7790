use sealyard_core::{Digest, FileTree, Timestamp};

use crate::StoreError;
use crate::model::{
    Condition, Cursor, ModelVersion, NewModelVersion, OrderBy, Page, Pair, RegisteredModel, VersionFile,
};

type Result<T> = std::result::Result<T, StoreError>;

/// Registered models, versions and aliases.
#[allow(
    missing_docs,
    clippy::missing_errors_doc,
    reason = "each does what its name says and fails as `StoreError` says"
)]
pub trait Registry {
    fn create_registered_model(
        &mut self,
        name: &str,
        description: &str,
        tags: &[Pair],
        created_by: &str,
        now: Timestamp,
    ) -> Result<RegisteredModel>;
    fn registered_model(&mut self, name: &str) -> Result<Option<RegisteredModel>>;
    fn rename_registered_model(&mut self, name: &str, to: &str, now: Timestamp) -> Result<RegisteredModel>;
    fn describe_registered_model(&mut self, name: &str, description: &str, now: Timestamp) -> Result<RegisteredModel>;
    /// With all its versions and aliases.
    fn delete_registered_model(&mut self, name: &str) -> Result<()>;
    fn set_registered_model_tag(&mut self, name: &str, key: &str, value: &str) -> Result<()>;
    fn delete_registered_model_tag(&mut self, name: &str, key: &str) -> Result<()>;
    /// Attribute: `name`. `visible` limits to what the asking principal may see; `None` is all.
    fn search_registered_models(
        &mut self,
        filter: &[Condition],
        order: &[OrderBy],
        visible: Option<&[String]>,
        limit: u32,
        after: Option<&Cursor>,
    ) -> Result<Page<RegisteredModel>>;

    fn create_model_version(&mut self, new: &NewModelVersion) -> Result<ModelVersion>;
    fn model_version(&mut self, name: &str, version: u32) -> Result<Option<ModelVersion>>;
    /// The frozen file tree and where each file is kept.
    fn model_version_files(&mut self, name: &str, version: u32) -> Result<(FileTree, Vec<VersionFile>)>;
    fn describe_model_version(
        &mut self,
        name: &str,
        version: u32,
        description: &str,
        now: Timestamp,
    ) -> Result<ModelVersion>;
    fn set_model_version_stage(
        &mut self,
        name: &str,
        version: u32,
        stage: &str,
        now: Timestamp,
    ) -> Result<ModelVersion>;
    /// A published version is a `Conflict`.
    fn delete_model_version(&mut self, name: &str, version: u32) -> Result<()>;
    fn set_model_version_tag(&mut self, name: &str, version: u32, key: &str, value: &str) -> Result<()>;
    fn delete_model_version_tag(&mut self, name: &str, version: u32, key: &str) -> Result<()>;
    /// Attributes: `name`, `run_id`, `source_path`, `version_number`.
    fn search_model_versions(
        &mut self,
        filter: &[Condition],
        order: &[OrderBy],
        visible: Option<&[String]>,
        limit: u32,
        after: Option<&Cursor>,
    ) -> Result<Page<ModelVersion>>;
    fn mark_published(&mut self, name: &str, version: u32, attestation: Digest, now: Timestamp) -> Result<()>;

    /// Moves an alias that is there.
    fn set_alias(&mut self, name: &str, alias: &str, version: u32, now: Timestamp) -> Result<()>;
    fn delete_alias(&mut self, name: &str, alias: &str) -> Result<()>;
    fn version_by_alias(&mut self, name: &str, alias: &str) -> Result<Option<u32>>;
}
