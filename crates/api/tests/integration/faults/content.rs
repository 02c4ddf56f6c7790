use http::Method;
use serde_json::json;

use super::{Target, all_routes};
use crate::test_app::TestApp;

#[tokio::test]
async fn fault_09_scripts_in_content() {
    let target = Target::new().await;
    let (test, admin) = (&target.test, &target.test.admin);
    let script = "<html><script>alert(1)</script>";
    let root = format!("{}/{}/artifacts", target.experiment, target.run);
    for name in ["page.html", "image.svg", "page.xhtml", "noext", "a.js", "x.pdf"] {
        test.upload(admin, &format!("{root}/{name}"), script).await.ok();
        let places = [
            format!("/api/2.0/mlflow-artifacts/artifacts/{root}/{name}"),
            format!("/ajax-api/2.0/mlflow-artifacts/artifacts/{root}/{name}"),
            format!("/get-artifact?run_id={}&run_uuid={}&path={name}", target.run, target.run),
            format!("/ajax-api/2.0/mlflow/get-artifact?run_id={}&path={name}", target.run),
            format!("/ajax-api/2.0/mlflow/logged-models/{}/artifacts/files?artifact_file_path=MLmodel", target.model),
        ];
        for place in places {
            let answer = test.get(admin, &place).await;
            let header = |name: &str| answer.headers.get(name).map_or("", |value| value.to_str().unwrap());
            assert_eq!(header("x-content-type-options"), "nosniff", "{place}");
            if answer.status.is_success() {
                assert!(header("content-disposition").starts_with("attachment"), "{place}");
                let kind = header("content-type");
                assert!(!["html", "xml", "svg", "javascript"].iter().any(|bad| kind.contains(bad)), "{place}: {kind}");
            }
        }
    }
    // What a request says comes back as JSON or not at all, on every route.
    for (method, endpoint) in all_routes() {
        let path = format!(
            "{}?x=%3Cscript%3Ealert(1)%3C/script%3E&experiment_id=%3Cscript%3E",
            target.fill(&endpoint.path, None)
        );
        let answer = test
            .call(
                admin,
                method.clone(),
                &path,
                json!({"experiment_id": "<script>alert(1)</script>", "run_id": "<script>"}).to_string(),
            )
            .await;
        let kind = answer.headers.get("content-type").map_or("", |value| value.to_str().unwrap()).to_owned();
        let bytes = answer.bytes.unwrap_or_default();
        let reflected = String::from_utf8_lossy(&bytes).contains("<script>");
        assert!(
            !reflected
                || kind.starts_with("application/json")
                || kind.starts_with("text/plain")
                || kind == "application/octet-stream",
            "{method} {path}: {kind}"
        );
        assert_eq!(answer.headers["x-content-type-options"], "nosniff", "{method} {path}");
    }
}

/// A pickle that calls `os.system` when it is loaded, in the forms that models come in.
fn unsafe_files() -> Vec<(&'static str, Vec<u8>)> {
    let plain = b"cposix\nsystem\n(S'id'\ntR.".to_vec();
    let framed = b"\x80\x04\x95\x1d\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94\x8c\x06system\x94\x93\x94\x8c\x02id\x94\x85\x94R\x94.".to_vec();
    let builtins = b"c__builtin__\neval\n(S'1'\ntR.".to_vec();
    vec![
        ("model.pkl", plain.clone()),
        ("model.joblib", plain.clone()),
        ("model.bin", plain.clone()),
        ("data.txt", plain.clone()),
        ("noext", framed.clone()),
        ("python_model.pkl", framed),
        ("x.dill", builtins),
        ("deep/er/model.pkl", plain),
    ]
}

#[tokio::test]
async fn fault_11_unsafe_deserialisation() {
    let target = Target::new().await;
    let (test, admin) = (&target.test, &target.test.admin);
    let new = json!({"experiment_id": target.experiment, "name": "bad"});
    let made = test.mlflow(admin, "logged-models", new).await.ok();
    let model = made["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    for (name, content) in unsafe_files() {
        for root in [
            format!("{}/{}/artifacts", target.experiment, target.run),
            format!("{}/models/{model}/artifacts", target.experiment),
        ] {
            let path = format!("{root}/{name}");
            let message = test.upload(admin, &path, content.clone()).await.error(400, "INVALID_PARAMETER_VALUE");
            assert!(message.contains("scan:"), "{path}: {message}");
            // It is not there, for nobody.
            test.get(admin, &format!("/api/2.0/mlflow-artifacts/artifacts/{path}"))
                .await
                .error(404, "RESOURCE_DOES_NOT_EXIST");
        }
    }
    let ledger = test.ledger().await;
    assert!(TestApp::has(&ledger, &json!({"act": "artifact-refused", "outcome": "refused"})));
    // No file of the server may be read by others while it works: the pending area neither.
    use std::os::unix::fs::PermissionsExt as _;
    let mut folders = vec![test.folder().join("vault")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let mode = std::fs::symlink_metadata(&path).unwrap().permissions().mode();
            if path.is_dir() {
                assert_eq!(mode & 0o077, 0, "{}", path.display());
                folders.push(path);
            } else {
                assert_eq!(mode & 0o022, 0, "{}", path.display());
            }
        }
    }
}

/// A model's own requirements and environment files are text to the server: it installs nothing and runs nothing.
#[tokio::test]
async fn fault_12_commands_in_a_models_own_files() {
    let target = Target::new().await;
    let (test, admin) = (&target.test, &target.test.admin);
    let marker = test.folder().join("executed");
    let command = format!("touch {}", marker.display());
    let new = json!({"experiment_id": target.experiment, "name": "commands"});
    let made = test.mlflow(admin, "logged-models", new).await.ok();
    let model = made["model"]["info"]["model_id"].as_str().unwrap().to_owned();
    let files = [
        ("MLmodel", format!("flavors:\n  python_function:\n    loader_module: os\n    env: \"$({command})\"\n")),
        (
            "requirements.txt",
            format!(
                "numpy; {command}\n--index-url http://127.0.0.1/$({command})\n`{command}`\n-e git+ext::sh -c {command}\n"
            ),
        ),
        ("conda.yaml", format!("dependencies:\n- pip:\n  - '$({command})'\n  - '; {command} #'\n")),
        ("python_env.yaml", format!("python: '3.11; {command}'\nbuild_dependencies: ['$({command})']\n")),
        ("code/setup.py", format!("import os\nos.system('{command}')\n")),
    ];
    for (name, content) in files {
        let _ = test.upload(admin, &format!("{}/models/{model}/artifacts/{name}", target.experiment), content).await;
    }
    let _ = test.finalise(admin, &model).await;
    let _ = test
        .mlflow(admin, "model-versions/create", json!({"name": "target", "source": format!("models:/{model}")}))
        .await;
    let body = json!({"name": "target", "version": 2, "stage": "publish"}).to_string();
    let _ = test.call(admin, Method::POST, "/api/sealyard/v1/decisions", body).await;
    assert!(!marker.exists());
}
