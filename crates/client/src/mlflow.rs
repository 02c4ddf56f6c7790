//! The few of MLflow's own calls that the commands need.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{Client, ClientError, segment};

#[derive(Deserialize)]
struct ExperimentAnswer {
    experiment: Experiment,
}

#[derive(Deserialize)]
struct Experiment {
    experiment_id: String,
}

#[derive(Deserialize)]
struct Created {
    experiment_id: String,
}

impl Client {
    /// The id of the experiment called `name`, which is made if there is none.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn experiment(&self, name: &str) -> Result<String, ClientError> {
        let path = format!("/api/2.0/mlflow/experiments/get-by-name?experiment_name={}", segment(name));
        match self.get::<ExperimentAnswer>(&path).await {
            Ok(found) => Ok(found.experiment.experiment_id),
            Err(ClientError::Answer { code, .. }) if code == "RESOURCE_DOES_NOT_EXIST" => {
                let body = json!({ "name": name });
                let made: Created = self.call(Method::POST, "/api/2.0/mlflow/experiments/create", &body).await?;
                Ok(made.experiment_id)
            }
            Err(error) => Err(error),
        }
    }

    /// A run with its data.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn run(&self, id: &str) -> Result<Value, ClientError> {
        let answer: Value = self.get(&format!("/api/2.0/mlflow/runs/get?run_id={}", segment(id))).await?;
        Ok(answer.get("run").cloned().unwrap_or_default())
    }

    /// Registers a logged model as the next version of `name`, which is made if there is none. Gives the number.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn register(&self, name: &str, source: &str, run_id: Option<&str>) -> Result<u32, ClientError> {
        #[derive(Deserialize)]
        struct Answer {
            model_version: Version,
        }
        #[derive(Deserialize)]
        struct Version {
            version: String,
        }
        let body = json!({ "name": name });
        match self.call::<_, Value>(Method::POST, "/api/2.0/mlflow/registered-models/create", &body).await {
            Ok(_) => {}
            Err(ClientError::Answer { code, .. }) if code == "RESOURCE_ALREADY_EXISTS" => {}
            Err(error) => return Err(error),
        }
        let model_id = source.strip_prefix("models:/");
        let body = json!({ "name": name, "source": source, "run_id": run_id, "model_id": model_id });
        let answer: Answer = self.call(Method::POST, "/api/2.0/mlflow/model-versions/create", &body).await?;
        answer.model_version.version.parse().map_err(|_| ClientError::Answer {
            status: 200,
            code: "MALFORMED".to_owned(),
            message: "the server named no version".to_owned(),
            rules: Vec::new(),
        })
    }

    /// Ids of the logged models that a run made.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn logged_models_of(&self, experiment: &str, run_id: &str) -> Result<Vec<String>, ClientError> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            models: Vec<Model>,
        }
        #[derive(Deserialize)]
        struct Model {
            info: Info,
        }
        #[derive(Deserialize)]
        struct Info {
            model_id: String,
        }
        let body = json!({
            "experiment_ids": [experiment],
            "filter": format!("source_run_id = '{run_id}'"),
            "max_results": 50,
        });
        let answer: Answer = self.call(Method::POST, "/api/2.0/mlflow/logged-models/search", &body).await?;
        Ok(answer.models.into_iter().map(|model| model.info.model_id).collect())
    }
}
