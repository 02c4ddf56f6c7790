//! Every fixture predicts what scikit-learn predicted.

use sealyard_serving::protocol::mlflow::{self, Limits};
use sealyard_serving::{Model, Runtime};
use serde_json::{Value, json};

use crate::verified::{Files, fixture};

fn close(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len() && found.iter().zip(expected).all(|(a, b)| close(a, b))
        }
        (Value::Number(found), Value::Number(expected)) => {
            let (found, expected) = (found.as_f64().unwrap(), expected.as_f64().unwrap());
            (found - expected).abs() <= 1e-9 * expected.abs().max(1.0)
        }
        _ => found == expected,
    }
}

fn answer(model: &Model, body: &Value) -> (u16, Value) {
    let body = serde_json::to_vec(body).unwrap();
    let response = mlflow::invoke(model, Some("application/json"), &body, &Limits::default());
    (response.status, serde_json::from_slice(&response.body).unwrap())
}

#[test]
fn every_form_of_every_native_model_gives_the_same_numbers() {
    let few = ["pickle4.pkl", "plain.joblib", "model.skops"];
    let many = [
        "pickle0.pkl",
        "pickle1.pkl",
        "pickle2.pkl",
        "pickle3.pkl",
        "pickle4.pkl",
        "pickle5.pkl",
        "cloudpickle.pkl",
        "plain.joblib",
        "zlib.joblib",
        "gzip.joblib",
        "bz2.joblib",
        "xz.joblib",
        "lzma.joblib",
        "model.skops",
    ];
    for (folder, files) in [
        ("ridge", &many[..]),
        ("linear-regression", &few),
        ("ridge-cv", &few),
        ("lasso", &few),
        ("elastic-net", &few),
        ("two-targets", &few),
        ("no-intercept", &few),
        ("logistic", &few),
        ("logistic-binary", &few),
        ("logistic-names", &few),
        ("ridge-classifier", &few),
    ] {
        let expected: Value = serde_json::from_slice(&fixture(&format!("{folder}/expected.json"))).unwrap();
        for file in files {
            let model = Files::model(&fixture(&format!("{folder}/{file}")), None).load();
            let model = model.unwrap_or_else(|error| panic!("{folder}/{file}: {error}"));
            let Runtime::Native { class, .. } = model.runtime() else { panic!("{folder}/{file} is not native") };
            assert_eq!(class, expected["class"].as_str().unwrap());
            let (status, found) = answer(&model, &json!({ "inputs": expected["rows"] }));
            assert_eq!(status, 200, "{folder}/{file}: {found}");
            assert!(close(&found["predictions"], &expected["predictions"]), "{folder}/{file}: {found}");
        }
    }
}

#[test]
fn names_of_features_order_the_columns() {
    let expected: Value = serde_json::from_slice(&fixture("named-columns/expected.json")).unwrap();
    for file in ["pickle4.pkl", "plain.joblib", "model.skops"] {
        let model = Files::model(&fixture(&format!("named-columns/{file}")), None).load().unwrap();
        let names: Vec<&str> = model.feature_names().unwrap().iter().map(String::as_str).collect();
        assert_eq!(names, ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]);
        let records: Vec<Value> = expected["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| {
                let cells = names.iter().zip(row.as_array().unwrap()).rev();
                Value::Object(cells.map(|(name, cell)| ((*name).to_owned(), cell.clone())).collect())
            })
            .collect();
        let (status, found) = answer(&model, &json!({ "dataframe_records": records }));
        assert_eq!(status, 200, "{found}");
        assert!(close(&found["predictions"], &expected["predictions"]));
    }
}

#[test]
fn other_classes_are_not_native() {
    for file in ["pickle4.pkl", "plain.joblib", "model.skops"] {
        let model = Files::model(&fixture(&format!("forest/{file}")), None).load().unwrap();
        let Runtime::NotNative { class } = model.runtime() else { panic!("{file} is native") };
        assert_eq!(class, "sklearn.ensemble._forest.RandomForestRegressor");
        let (status, found) = answer(&model, &json!({ "inputs": [[1, 2, 3, 4]] }));
        assert_eq!((status, found["error_code"].as_str()), (501, Some("NOT_IMPLEMENTED")));
    }
}

#[test]
fn folders_that_mlflow_saved() {
    for (folder, file) in [
        ("mlflow-pickle", "model.pkl"),
        ("mlflow-cloudpickle", "model.pkl"),
        ("mlflow-skops", "model.skops"),
        ("mlflow-tensor", "model.pkl"),
    ] {
        let expected: Value = serde_json::from_slice(&fixture(&format!("{folder}/expected.json"))).unwrap();
        let files = ["MLmodel", file].map(|name| (name.to_owned(), fixture(&format!("{folder}/{name}"))));
        let model = Files(files.into_iter().collect()).load().unwrap_or_else(|error| panic!("{folder}: {error}"));
        assert!(model.signature().is_some());
        let (status, found) = answer(&model, &json!({ "dataframe_split": { "data": expected["rows"] } }));
        assert_eq!(status, 200, "{folder}: {found}");
        assert!(close(&found["predictions"], &expected["predictions"]), "{folder}");
        let (status, found) = answer(&model, &json!({ "instances": [{ "age": 1 }] }));
        assert_eq!((status, &found["error_code"]), (400, &json!("INVALID_PARAMETER_VALUE")), "{folder}");
    }
}
