//! The `MLmodel` file: which flavour, which file, which signature.

use sealyard_core::TreePath;
use serde::Deserialize;

use crate::LoadError;

mod signature;

pub use signature::{Column, ColumnType, Inputs, Signature};

/// The file that describes an MLflow model, at the root of its folder.
pub const DESCRIPTION: &str = "MLmodel";
/// Largest description that is read.
pub(crate) const MAX_BYTES: u64 = 4 << 20;

/// What an `MLmodel` file says, as far as serving needs it.
#[derive(Debug, Clone, PartialEq)]
pub struct MlflowModel {
    /// The scikit-learn flavour, if there is one and the generic flavour does the same as it.
    pub sklearn: Option<SklearnFlavor>,
    /// Why there is none, or which other loader the model asks for.
    pub loader: String,
    /// What goes in.
    pub signature: Option<Signature>,
}

/// The flavour `sklearn`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SklearnFlavor {
    /// The model file.
    pub path: TreePath,
    /// `pickle`, `cloudpickle`, `joblib`, `skops`; the content decides how it is read.
    pub serialization_format: Option<String>,
    /// The version it was made with.
    pub version: Option<String>,
}

#[derive(Deserialize)]
struct File {
    flavors: Flavors,
    #[serde(default)]
    signature: Option<signature::Texts>,
}

#[derive(Deserialize)]
struct Flavors {
    #[serde(default)]
    sklearn: Option<Sklearn>,
    #[serde(default)]
    python_function: Option<PythonFunction>,
}

#[derive(Deserialize)]
struct Sklearn {
    pickled_model: String,
    #[serde(default)]
    serialization_format: Option<String>,
    #[serde(default)]
    sklearn_version: Option<String>,
}

#[derive(Deserialize)]
struct PythonFunction {
    #[serde(default)]
    loader_module: Option<String>,
    #[serde(default)]
    model_path: Option<String>,
    #[serde(default)]
    predict_fn: Option<String>,
}

impl MlflowModel {
    /// Reads the file's content.
    ///
    /// # Errors
    /// [`LoadError::Description`] when it is not YAML, too large, over the parser's budget, or not a model.
    pub fn parse(bytes: &[u8]) -> Result<Self, LoadError> {
        if bytes.len() as u64 > MAX_BYTES {
            return Err(LoadError::Description("it is larger than 4 MiB".to_owned()));
        }
        // The default budget bounds events, depth, aliases and anchors; duplicate keys are errors.
        let file: File = serde_saphyr::from_slice(bytes).map_err(|error| {
            // The error may quote the file, which may be anything: one line of it will do.
            LoadError::Description(error.to_string().lines().next().unwrap_or_default().chars().take(200).collect())
        })?;
        let signature = file.signature.map(|texts| texts.parse()).transpose()?.flatten();
        let (sklearn, loader) = file.flavors.choose()?;
        Ok(Self { sklearn, loader, signature })
    }
}

impl Flavors {
    /// The scikit-learn flavour, unless the generic one, which servers use, would do something else.
    fn choose(self) -> Result<(Option<SklearnFlavor>, String), LoadError> {
        let generic = self.python_function;
        let loader = generic.as_ref().and_then(|generic| generic.loader_module.clone());
        let Some(sklearn) = self.sklearn else {
            return Ok((None, loader.unwrap_or_else(|| "a flavour other than sklearn".to_owned())));
        };
        if let Some(generic) = &generic {
            let other_loader = generic.loader_module.as_deref().is_some_and(|loader| loader != "mlflow.sklearn");
            let other_file = generic.model_path.as_ref().is_some_and(|path| *path != sklearn.pickled_model);
            let other_function = generic.predict_fn.as_deref().is_some_and(|name| name != "predict");
            if other_loader || other_file {
                return Ok((None, loader.unwrap_or_else(|| "another file".to_owned())));
            }
            if other_function {
                return Ok((
                    None,
                    format!("mlflow.sklearn with {}", generic.predict_fn.as_deref().unwrap_or_default()),
                ));
            }
        }
        let path = TreePath::new(&sklearn.pickled_model).map_err(|error| LoadError::Description(error.to_string()))?;
        let flavor = SklearnFlavor {
            path,
            serialization_format: sklearn.serialization_format,
            version: sklearn.sklearn_version,
        };
        Ok((Some(flavor), "mlflow.sklearn".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
artifact_path: model
flavors:
  python_function:
    env: {conda: conda.yaml, virtualenv: python_env.yaml}
    loader_module: mlflow.sklearn
    model_path: model.pkl
    predict_fn: predict
    python_version: 3.11.7
  sklearn:
    code: null
    pickled_model: model.pkl
    serialization_format: cloudpickle
    sklearn_version: 1.9.1
mlflow_version: 3.6.0
signature:
  inputs: '[{"type": "double", "name": "age", "required": true}, {"type": "long", "name": "sex"}]'
  outputs: '[{"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1]}}]'
  params: null
"#;

    #[test]
    fn an_ordinary_file() {
        let model = MlflowModel::parse(FILE.as_bytes()).unwrap();
        let sklearn = model.sklearn.unwrap();
        assert_eq!(sklearn.path.as_str(), "model.pkl");
        assert_eq!(sklearn.serialization_format.as_deref(), Some("cloudpickle"));
        let Inputs::Columns(columns) = model.signature.unwrap().inputs else { panic!("no columns") };
        assert_eq!(columns[0], Column { name: Some("age".into()), kind: ColumnType::Double, required: true });
        assert_eq!(columns[1].kind, ColumnType::Long);
    }

    #[test]
    fn another_function_or_loader_is_not_native() {
        for (from, to) in [
            ("predict_fn: predict", "predict_fn: predict_proba"),
            ("loader_module: mlflow.sklearn", "loader_module: my_loader"),
            ("model_path: model.pkl", "model_path: other.pkl"),
        ] {
            let model = MlflowModel::parse(FILE.replace(from, to).as_bytes()).unwrap();
            assert_eq!(model.sklearn, None, "{to}");
        }
    }

    #[test]
    fn hostile_files_are_refused() {
        let bomb = format!(
            "a: &a [x]\n{}flavors: {{}}\n",
            (0..30).fold(String::new(), |text, level| {
                let before = if level == 0 { "a".to_owned() } else { format!("b{}", level - 1) };
                format!("{text}b{level}: &b{level} [{}]\n", vec![format!("*{before}"); 10].join(","))
            })
        );
        let deep = format!("flavors: {}{}", "[".repeat(100_000), "]".repeat(100_000));
        let outside = FILE.replace("model.pkl", "../model.pkl");
        for text in [bomb.as_str(), &deep, &outside, "[]", "", "flavors: 1", "\u{0}"] {
            let error = MlflowModel::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(error.len() < 400, "{error}");
        }
    }
}
