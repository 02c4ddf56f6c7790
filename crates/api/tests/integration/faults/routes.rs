use axum::body::Body;
use http::Method;
use sealyard_api::Takes;

use super::{Target, all_routes, raw};
use crate::test_app::{NOBODY, User};

#[tokio::test]
async fn fault_05_routes_without_authorisation() {
    let target = Target::new().await;
    let test = &target.test;
    let stranger = test.user("stranger", &[]).await;
    let forged = User::with_token("sy_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    for (method, endpoint) in all_routes() {
        if endpoint.takes == Takes::Nobody {
            continue;
        }
        let path = target.fill(&endpoint.path, None);
        // The same place in other spellings is no way around either.
        let spellings = [
            path.clone(),
            format!("{path}/"),
            format!("/{path}"),
            format!("{path}?x=/health"),
            format!("{path}%20"),
            path.replacen("/api", "/%61pi", 1),
            path.replacen("/ajax-api", "/ajax-api/.", 1),
            path.to_uppercase(),
        ];
        for spelling in &spellings {
            for nobody in [&NOBODY, &forged] {
                let answer = test.call(nobody, method.clone(), spelling, Body::from("{}")).await;
                assert!(matches!(answer.status.as_u16(), 401 | 404), "{method} {spelling}: {}", answer.status);
                if spelling == &path {
                    assert_eq!(answer.status.as_u16(), 401, "{method} {spelling}");
                }
            }
        }
        // Somebody without a grant gets nothing done, and learns nothing: the matrix has the exact answers.
        if endpoint.takes > Takes::Somebody {
            let answer = test.call(&stranger, method.clone(), &path, Body::from("{}")).await;
            let status = answer.status.as_u16();
            // A search that names nothing finds nothing.
            let found = String::from_utf8_lossy(&answer.bytes.unwrap_or_default()).into_owned();
            let nothing = status == 200 && !found.contains(&target.run) && !found.contains(&target.model);
            assert!((400..500).contains(&status) || nothing, "{method} {path}: {status} {found}");
        }
        // HEAD runs what GET runs.
        if method == Method::GET {
            let answer = test.call(&NOBODY, Method::HEAD, &path, Body::empty()).await;
            assert_eq!(answer.status.as_u16(), 401, "HEAD {path}");
        }
    }
    for upstream in [
        "/graphql",
        "/get-artifact",
        "/model-versions/get-artifact",
        "/v1/traces",
        "/signup",
        "/metrics",
        "/api/3.0/jobs/",
        "/ajax-api/3.0/jobs/search",
        "/api/2.0/mlflow-artifacts/mpu/create/1/1/artifacts/x",
        "/api/2.0/mlflow-artifacts/presigned/1/1/artifacts/x",
        "/ajax-api/2.0/mlflow/get-trace-artifact",
        "/ajax-api/2.0/mlflow/upload-artifact",
        "/api/2.0/mlflow/users/create",
    ] {
        for method in [Method::GET, Method::POST, Method::PUT, Method::DELETE] {
            let answer = test.call(&NOBODY, method.clone(), upstream, Body::from("{}")).await;
            assert!(matches!(answer.status.as_u16(), 401 | 404), "{method} {upstream}: {}", answer.status);
        }
    }
    target.is_untouched().await;
}

/// `DELETE artifacts/.` empties nothing, and neither does anything like it.
#[tokio::test]
async fn fault_05_deletion_of_everything() {
    let target = Target::new().await;
    let (experiment, run) = (&target.experiment, &target.run);
    for root in ["/api/2.0", "/ajax-api/2.0"] {
        for end in [
            "",
            "/",
            "/.",
            "/./",
            "//",
            "/%2e",
            "/..",
            "/*",
            &format!("/{experiment}"),
            &format!("/{experiment}/"),
            &format!("/{experiment}/{run}"),
            &format!("/{experiment}/{run}/artifacts"),
            &format!("/{experiment}/{run}/artifacts/"),
            &format!("/{experiment}/{run}/artifacts/."),
            &format!("/{experiment}/{run}/artifacts/%2e"),
            &format!("/{experiment}/models"),
            &format!("/{experiment}/models/{}/artifacts", target.model),
        ] {
            let path = format!("{root}/mlflow-artifacts/artifacts{end}");
            let Some(answer) = raw(&target.test, &target.test.admin, &Method::DELETE, &path, "").await else {
                continue;
            };
            assert!((400..500).contains(&answer.status.as_u16()), "{path}: {}", answer.status);
        }
    }
    target.is_untouched().await;
}
