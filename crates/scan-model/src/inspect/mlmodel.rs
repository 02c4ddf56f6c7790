use std::collections::BTreeSet;
use std::sync::Arc;

use sealyard_core::{ReadAt, TreePath};
use serde_json::Value;

use super::{Folder, is_no_model_kind};
use crate::context::Context;
use crate::rules::mlmodel;
use crate::sink::Sink;

/// Largest `MLmodel` file.
const MAX_BYTES: u64 = 1 << 20;

/// An `MLmodel` file and, when the folder is known, the names that its code directories bring.
#[derive(Debug)]
pub(crate) struct MlModel {
    /// The YAML document.
    pub(crate) document: Value,
    /// Top-level module names found below the `code` directories; none when only the file is looked at.
    pub(crate) modules: Option<BTreeSet<String>>,
    /// What files beside it have a loader import, or install; empty when only the file is looked at.
    pub(crate) beside: Vec<Beside>,
}

/// A line in a file beside the `MLmodel` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Beside {
    /// A module that the loader of a flavor imports.
    Module { file: String, name: String },
    /// A requirement of the environment.
    Requirement { file: String, line: String },
}

impl MlModel {
    /// The flavors by name.
    pub(crate) fn flavors(&self) -> impl Iterator<Item = (&String, &Value)> {
        self.document.get("flavors").and_then(Value::as_object).into_iter().flatten()
    }

    /// Files that loading unpickles.
    pub(crate) fn pickles(&self) -> BTreeSet<&str> {
        self.flavors()
            .flat_map(|(_, flavor)| ["pickled_model", "python_model"].map(|key| flavor.get(key)))
            .filter_map(|name| name?.as_str())
            .collect()
    }

    /// Files of the folder that say what the model's environment is made of, from `env` of its flavors.
    pub(crate) fn environments(&self) -> BTreeSet<&str> {
        let named = self.flavors().filter_map(|(_, flavor)| flavor.get("env"));
        named
            .flat_map(|env| match env {
                Value::Object(files) => files.values().filter_map(Value::as_str).collect(),
                Value::String(file) => vec![file.as_str()],
                _ => Vec::new(),
            })
            .collect()
    }

    /// Directories that loading puts at the front of `sys.path`.
    pub(crate) fn code(&self) -> BTreeSet<&str> {
        self.flavors().filter_map(|(_, flavor)| flavor.get("code")?.as_str()).collect()
    }
}

/// Whether a file is an `MLmodel` file for MLflow.
pub(crate) fn is_named(path: &str) -> bool {
    path.rsplit('/').next() == Some("MLmodel")
}

/// Looks at the file alone.
pub(super) fn inspect(data: &dyn ReadAt, context: &mut Context) -> &'static str {
    match parse(data) {
        Ok(document) => mlmodel::run(&MlModel { document, modules: None, beside: Vec::new() }, context.sink()),
        Err(reason) => context.miss(reason),
    }
    "mlmodel"
}

/// Looks at each `MLmodel` file together with the code directories it names.
pub(super) fn folder(folder: &mut Folder<'_>) {
    for (path, data) in folder.named("MLmodel") {
        // A document that does not parse has been reported by the look at the file.
        let Ok(document) = parse(&data) else { continue };
        let mut model = MlModel { document, modules: None, beside: Vec::new() };
        let root = path.as_str().strip_suffix("MLmodel").unwrap_or_default();
        let directories: Vec<String> =
            model.code().into_iter().map(|code| format!("{root}{}/", code.trim_matches('/'))).collect();
        let mut modules = BTreeSet::new();
        for (file, _) in folder.files {
            let below = directories.iter().find_map(|directory| file.as_str().strip_prefix(directory.as_str()));
            if let Some(top) = below.and_then(|below| below.split(['/', '.']).next()) {
                modules.insert(top.to_owned());
            }
        }
        model.modules = Some(modules);
        for named in model.pickles() {
            let named = format!("{root}{}", named.strip_prefix("./").unwrap_or(named));
            // An unpickler would begin to read these too, importing what their first lines name.
            if let Some(subject) = folder.subject(&named)
                && is_no_model_kind(&subject.kind)
            {
                subject.miss("MLmodel names it as the model, but its content is none");
            }
        }
        model.beside = beside(&model, root, folder.files);
        let mut sink = Sink::new(path.as_str());
        mlmodel::run(&model, &mut sink);
        folder.add(path.as_str(), sink);
    }
}

/// Files in which flavors keep the name of a module that their loader imports.
const MODULE_FILES: &[&str] = &["pickle_module_info.txt", "keras_module.txt"];
/// Largest file of these, and of an environment.
const MAX_BESIDE: u64 = 1 << 20;

/// What the files beside an `MLmodel` file have its loader import or install.
fn beside(model: &MlModel, root: &str, files: &[(TreePath, Arc<dyn ReadAt>)]) -> Vec<Beside> {
    let mut found = Vec::new();
    let environments: Vec<String> = model.environments().into_iter().map(|file| format!("{root}{file}")).collect();
    for (path, data) in files.iter().filter(|(path, _)| path.as_str().starts_with(root)) {
        let is_module = MODULE_FILES.contains(&path.file_name());
        let is_environment =
            path.file_name() == "python_env.yaml" || environments.iter().any(|file| file == path.as_str());
        if !is_module && !is_environment {
            continue;
        }
        // What can't be read has been reported by the look at the file.
        let Ok(bytes) = data.read_all(MAX_BESIDE) else { continue };
        let text = String::from_utf8_lossy(&bytes);
        let file = path.as_str().strip_prefix(root).unwrap_or_default().to_owned();
        if is_module {
            found.push(Beside::Module { file, name: text.trim().to_owned() });
        } else if let Ok(document) = serde_saphyr::from_str::<Value>(&text) {
            let lists =
                ["build_dependencies", "dependencies"].into_iter().filter_map(|key| document.get(key)?.as_array());
            for line in lists.flatten().filter_map(Value::as_str) {
                found.push(Beside::Requirement { file: file.clone(), line: line.to_owned() });
            }
        }
    }
    found
}

fn parse(data: &dyn ReadAt) -> Result<Value, String> {
    let bytes = data.read_all(MAX_BYTES).map_err(|error| format!("could not be read: {error}"))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "the MLmodel file is not UTF-8".to_owned())?;
    let document: Value =
        serde_saphyr::from_str(text).map_err(|_| "the MLmodel file is not the YAML that MLflow writes".to_owned())?;
    match document.get("flavors") {
        Some(Value::Object(flavors)) if flavors.values().all(Value::is_object) => Ok(document),
        _ => Err("the MLmodel file has no table of flavors".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_mlflow_would_read_otherwise_is_not_assessed() {
        for text in ["flavors: [", "a: 1", "flavors: {x: 1}", "flavors: {}\nflavors: {}", "- 1"] {
            assert!(parse(&text.as_bytes().to_vec()).is_err(), "{text}");
        }
        assert!(parse(&b"flavors:\n  sklearn:\n    code: null\n".to_vec()).is_ok());
    }
}
