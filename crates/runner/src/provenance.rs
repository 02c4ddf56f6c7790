//! SLSA provenance of a training run.

use std::collections::BTreeMap;

use sealyard_core::Subject;
use sealyard_evidence::predicate::{
    BuildDefinition, BuildMetadata, Builder, Provenance, ResourceDescriptor, RunDetails,
};
use sealyard_evidence::{Statement, StatementError};
use serde_json::{Map, Value, json};

use crate::{BUILD_TYPE, BUILDER_ID, Source, TrainingRecord};

/// A byproduct up to this size is in the provenance itself.
const MAX_CONTENT: usize = 16 << 10;

impl TrainingRecord {
    /// The provenance of `subject` as a statement, to be signed outside the sandbox.
    ///
    /// # Errors
    /// Those of [`Statement::new`].
    pub fn into_statement(self, subject: &Subject) -> Result<Statement, StatementError> {
        Statement::new(std::slice::from_ref(subject), &self.provenance())
    }

    /// The provenance: what was asked for, all that went in, what held.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        Provenance {
            build_definition: BuildDefinition {
                build_type: BUILD_TYPE.to_owned(),
                external_parameters: self.external_parameters(),
                internal_parameters: self.internal_parameters(),
                resolved_dependencies: self.resolved_dependencies(),
            },
            run_details: RunDetails {
                builder: Builder {
                    id: BUILDER_ID.to_owned(),
                    version: BTreeMap::from([("sealyard".to_owned(), self.runner_version.clone())]),
                    builder_dependencies: Vec::new(),
                },
                metadata: BuildMetadata {
                    invocation_id: self.invocation.clone(),
                    started_on: Some(self.started),
                    finished_on: Some(self.finished),
                },
                byproducts: self.byproducts(),
            },
        }
    }

    fn external_parameters(&self) -> Map<String, Value> {
        let data: BTreeMap<&String, Value> =
            self.data.iter().map(|(name, data)| (name, json!({"path": data.path, "digest": data.digest}))).collect();
        object(json!({
            "project": self.project,
            "entryPoint": self.entry_point,
            "parameters": self.parameters,
            "source": self.source,
            "data": data,
            "lock": self.lock_digest,
        }))
    }

    fn internal_parameters(&self) -> Map<String, Value> {
        let mut parameters = object(json!({
            "command": self.command,
            "sandbox": self.sandbox,
            "environment": self.environment_digest,
            "interpreter": self.interpreter,
        }));
        // Said only where it is true: a run that logs to a server is not hermetic.
        if self.is_hermetic() {
            parameters.insert("hermetic".to_owned(), Value::Bool(true));
        }
        parameters
    }

    fn resolved_dependencies(&self) -> Vec<ResourceDescriptor> {
        let mut dependencies = Vec::with_capacity(self.wheels.len() + self.data.len() + 4);
        if let Source::Git { commit, dirty, directory, remote } = &self.source {
            let uri = remote.as_ref().map_or_else(|| "git+file:".to_owned(), |remote| format!("git+{remote}"));
            let mut resource = ResourceDescriptor::git_commit(uri, commit);
            resource.name = "source".to_owned();
            resource.annotations = object(json!({"dirty": dirty, "directory": directory}));
            dependencies.push(resource);
        }
        dependencies.push(ResourceDescriptor::sha256("project", self.project_digest));
        dependencies.push(ResourceDescriptor::sha256("lock", self.lock_digest));
        for (name, data) in &self.data {
            let mut resource = ResourceDescriptor::sha256(format!("data:{name}"), data.digest);
            resource.annotations = object(json!({"copied": data.copied}));
            dependencies.push(resource);
        }
        let interpreter = &self.interpreter;
        let mut python = ResourceDescriptor::sha256(
            format!("{}-{}", interpreter.implementation, interpreter.version),
            interpreter.digest,
        );
        python.annotations = object(json!({"path": interpreter.path, "platform": interpreter.platform}));
        dependencies.push(python);
        for wheel in &self.wheels {
            let mut resource = ResourceDescriptor::sha256(&wheel.filename, wheel.digest);
            resource.uri = format!("pkg:pypi/{}@{}", wheel.name, wheel.version);
            dependencies.push(resource);
        }
        dependencies
    }

    fn byproducts(&self) -> Vec<ResourceDescriptor> {
        let mut log = ResourceDescriptor::sha256("training.log", self.output.digest);
        log.media_type = "text/plain; charset=utf-8".to_owned();
        log.annotations = object(json!({"size": self.output.size}));
        let mut egress = ResourceDescriptor::sha256("egress.json", self.egress_digest());
        egress.media_type = "application/json".to_owned();
        egress.annotations = object(json!({
            "allowed": self.egress.iter().filter(|entry| entry.allowed).count(),
            "refused": self.egress.iter().filter(|entry| !entry.allowed).count(),
            "dropped": self.egress_dropped,
        }));
        let bytes = serde_json::to_vec(&self.egress).unwrap_or_default();
        if bytes.len() <= MAX_CONTENT {
            egress.content = bytes;
        }
        vec![log, egress]
    }
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
