//! What several attacks need: another version of the model, and the place where a file of the real one lies.

use std::path::{Path, PathBuf};

use reqwest::Method;
use sealyard_core::FileTree;
use sealyard_server::DataDirectory;
use sealyard_vault::ObjectId;
use serde_json::{Value, json};

use crate::demo::context::{Context, MODEL};
use crate::exit::{Failure, Result};
use crate::{remote, training};

/// Where the vault keeps the model's data file.
#[derive(Debug)]
pub(super) struct Stored {
    /// Path in the version.
    pub(super) path: String,
    pub(super) object: ObjectId,
    pub(super) file: PathBuf,
}

/// Finds it as somebody does who can read the server's disk.
pub(super) fn stored_model(demo: &Context) -> Result<Stored> {
    let root = demo.data_directory();
    let catalog = rusqlite::Connection::open(DataDirectory::catalog_in(&root))?;
    let (path, object): (String, String) = catalog.query_row(
        "SELECT path, object FROM version_files WHERE path LIKE 'model.%' ORDER BY version LIMIT 1",
        [],
        |row| Ok((row.get(0)?, row.get(1)?)),
    )?;
    let file = find(&root.join("vault"), &object)?
        .ok_or_else(|| Failure::could_not(anyhow::anyhow!("there is no file of object {object}")))?;
    Ok(Stored { path, object: object.parse()?, file })
}

fn find(folder: &Path, name: &str) -> Result<Option<PathBuf>> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if let Some(found) = find(&path, name)? {
                return Ok(Some(found));
            }
        } else if path.file_name().is_some_and(|file| file == name) {
            return Ok(Some(path));
        }
    }
    Ok(None)
}

/// Where a stock MLflow client downloads a file of the trained model.
pub(super) fn download_path(demo: &Context, path: &str) -> Result<String> {
    let model = demo.trained()?.models.first().cloned().unwrap_or_default();
    Ok(format!(
        "/api/2.0/mlflow-artifacts/artifacts/{}/models/{model}/artifacts/{}",
        demo.experiment,
        sealyard_client::path(path)
    ))
}

/// Logs the same model with one file more and registers it: a version that nobody signed.
pub(super) async fn another_version(demo: &Context, name: &str) -> Result<(u32, FileTree)> {
    let client = &demo.admin;
    let release = demo.release()?;
    let body = json!({"experiment_id": demo.experiment, "name": name, "model_type": ""});
    let made: Value =
        client.call(Method::POST, "/api/2.0/mlflow/logged-models", &body).await.map_err(remote::failure)?;
    let id = made
        .pointer("/model/info/model_id")
        .and_then(Value::as_str)
        .ok_or_else(|| Failure::could_not(anyhow::anyhow!("the server named no logged model")))?
        .to_owned();
    let upload = async |path: &str, bytes: Vec<u8>| {
        let place = format!(
            "/api/2.0/mlflow-artifacts/artifacts/{}/models/{id}/artifacts/{}",
            demo.experiment,
            sealyard_client::path(path)
        );
        client.send(client.request(Method::PUT, &place).body(bytes)).await.map_err(remote::failure)
    };
    for entry in release.tree.entries() {
        let place = download_path(demo, entry.path.as_str())?;
        let bytes = client.send(client.request(Method::GET, &place)).await.map_err(remote::failure)?.bytes().await?;
        upload(entry.path.as_str(), bytes.to_vec()).await?;
    }
    upload("notes.txt", format!("{name}\n").into_bytes()).await?;
    let body = json!({"model_id": id, "status": "LOGGED_MODEL_READY"});
    let path = format!("/api/2.0/mlflow/logged-models/{id}");
    let _: Value = client.call(Method::PATCH, &path, &body).await.map_err(remote::failure)?;
    let version = client.register(MODEL, &format!("models:/{id}"), None).await.map_err(remote::failure)?;
    Ok((version, training::own_tree(client, MODEL, version).await?))
}
