use http::Method;
use serde_json::{Value, json};

use crate::test_app::{TestApp, User};

const ROOT: &str = "/api/3.0/mlflow/datasets";

async fn create(test: &TestApp, user: &User, name: &str, experiments: &[&str]) -> String {
    let body = json!({"name": name, "experiment_ids": experiments, "tags": "{\"team\": \"ml\"}"});
    let made = test.post(user, &format!("{ROOT}/create"), body).await.ok();
    made["dataset"]["dataset_id"].as_str().unwrap().to_owned()
}

async fn names(test: &TestApp, user: &User, body: Value) -> Vec<String> {
    let found = test.post(user, &format!("{ROOT}/search"), body).await.ok();
    let datasets = found["datasets"].as_array().cloned().unwrap_or_default();
    datasets.iter().map(|dataset| dataset["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn records_are_merged_by_their_inputs() {
    let test = TestApp::new().await;
    let id = create(&test, &test.admin, "qa", &["0"]).await;
    let path = format!("{ROOT}/{id}/records");
    let records = json!([{"inputs": {"q": 1, "r": 2}, "expectations": {"a": 1}}, {"inputs": {"q": 2}}]).to_string();
    let done = test.post(&test.admin, &path, json!({"records": records})).await.ok();
    assert_eq!(done, json!({"inserted_count": 2, "updated_count": 0}));
    let records = json!([{"inputs": {"r": 2, "q": 1}, "expectations": {"b": 2}, "outputs": "x"}]).to_string();
    let done = test.post(&test.admin, &path, json!({"records": records})).await.ok();
    assert_eq!(done, json!({"inserted_count": 0, "updated_count": 1}));
    let page = test.get(&test.admin, &format!("{path}?max_results=1")).await.ok();
    let rest = format!("{path}?max_results=1&page_token={}", page["next_page_token"].as_str().unwrap());
    let rest = test.get(&test.admin, &rest).await.ok();
    assert_eq!(rest["next_page_token"], Value::Null);
    let read = |page: &Value| serde_json::from_str::<Value>(page["records"].as_str().unwrap()).unwrap()[0].clone();
    let both = [read(&page), read(&rest)];
    let merged = both.iter().find(|record| record["outputs"] == "x").unwrap();
    assert_eq!(merged["expectations"], json!({"a": 1, "b": 2}));
    let dataset = test.get(&test.admin, &format!("{ROOT}/{id}")).await.ok()["dataset"].clone();
    let schema: Value = serde_json::from_str(dataset["schema"].as_str().unwrap()).unwrap();
    assert_eq!(schema["inputs"], json!({"q": "integer", "r": "integer"}));
    assert_eq!(dataset["profile"], "{\"num_records\":2}");
    let gone = json!({"dataset_record_ids": [merged["dataset_record_id"], "dr-x"]}).to_string();
    let gone = test.call(&test.admin, Method::DELETE, &path, gone).await.ok();
    assert_eq!(gone["deleted_count"], 1);
    for bad in [json!({"records": "{}"}), json!({"records": "[5]"}), json!({}), json!({"records": "[{\"inputs\": 5}]"})]
    {
        test.post(&test.admin, &path, bad).await.error(400, "INVALID_PARAMETER_VALUE");
    }
}

/// New ones are written together; one that comes twice in a request is merged with itself all the same.
#[tokio::test]
async fn many_records_of_one_request_are_each_what_they_would_be_alone() {
    let test = TestApp::new().await;
    let id = create(&test, &test.admin, "qa", &["0"]).await;
    let path = format!("{ROOT}/{id}/records");
    let mut records: Vec<Value> = (0..1100).map(|number| json!({"inputs": {"q": number}, "outputs": number})).collect();
    for again in [0, 700, 1099] {
        records.push(json!({"inputs": {"q": again}, "expectations": {"a": again}}));
    }
    records.push(json!({"inputs": {"q": 1099}, "outputs": "last"}));
    let send = json!({"records": Value::from(records).to_string()});
    let done = test.post(&test.admin, &path, send.clone()).await.ok();
    assert_eq!(done, json!({"inserted_count": 1100, "updated_count": 4}));
    let (mut found, mut token) = (Vec::new(), String::new());
    loop {
        let page = test.get(&test.admin, &format!("{path}?page_token={token}")).await.ok();
        found.extend(serde_json::from_str::<Vec<Value>>(page["records"].as_str().unwrap()).unwrap());
        let Some(next) = page["next_page_token"].as_str() else { break };
        token = next.to_owned();
    }
    assert_eq!(found.len(), 1100);
    for record in found {
        let number = record["inputs"]["q"].as_u64().unwrap();
        assert_eq!(record["outputs"], if number == 1099 { json!("last") } else { json!(number) });
        let expected = [0, 700, 1099].contains(&number);
        assert_eq!(record["expectations"]["a"], if expected { json!(number) } else { Value::Null });
    }
    assert_eq!(test.post(&test.admin, &path, send).await.ok(), json!({"inserted_count": 0, "updated_count": 1104}));
}

#[tokio::test]
async fn all_experiments_are_needed_to_change_and_one_to_read() {
    let test = TestApp::new().await;
    let (first, second) = (test.experiment(&test.admin, "first").await, test.experiment(&test.admin, "second").await);
    let id = create(&test, &test.admin, "shared", &[&first, &second]).await;
    let one = format!("{ROOT}/{id}");
    let both = |right| [(format!("experiment:{first}"), right), (format!("experiment:{second}"), right)];
    let half = test.user("half", &[(&format!("experiment:{first}"), "MANAGE")]).await;
    let rights = both("EDIT");
    let rights: Vec<(&str, &str)> = rights.iter().map(|(name, right)| (name.as_str(), *right)).collect();
    let whole = test.user("whole", &rights).await;
    let none = test.user("none", &[]).await;
    test.get(&half, &one).await.ok();
    test.get(&none, &one).await.error(403, "PERMISSION_DENIED");
    let tags = json!({"tags": "{\"a\": \"b\"}"}).to_string();
    test.call(&half, Method::PATCH, &format!("{one}/tags"), tags.clone()).await.error(403, "PERMISSION_DENIED");
    test.post(&half, &format!("{one}/records"), json!({"records": "[]"})).await.error(403, "PERMISSION_DENIED");
    let out = json!({"experiment_ids": [second]});
    test.post(&half, &format!("{one}/remove-experiments"), out.clone()).await.error(403, "PERMISSION_DENIED");
    test.call(&half, Method::DELETE, &one, "").await.error(403, "PERMISSION_DENIED");
    test.call(&whole, Method::PATCH, &format!("{one}/tags"), tags).await.ok();
    test.call(&whole, Method::DELETE, &one, "").await.error(403, "PERMISSION_DENIED");
    // Nobody brings a data set into an experiment that they may not edit.
    let third = test.experiment(&test.admin, "third").await;
    let into = json!({"experiment_ids": [third]});
    test.post(&whole, &format!("{one}/add-experiments"), into).await.error(403, "PERMISSION_DENIED");
    assert_eq!(names(&test, &half, json!({})).await, ["shared"]);
    assert!(names(&test, &none, json!({})).await.is_empty());
    test.post(&half, &format!("{ROOT}/search"), json!({"experiment_ids": [second]}))
        .await
        .error(403, "PERMISSION_DENIED");
    // Whoever could take it out could delete it then.
    test.post(&whole, &format!("{one}/remove-experiments"), out.clone()).await.error(403, "PERMISSION_DENIED");
    test.post(&test.admin, &format!("{one}/remove-experiments"), out).await.ok();
    test.call(&half, Method::DELETE, &one, "").await.ok();
    let ledger = test.ledger().await;
    for act in ["evaluation-dataset-created", "evaluation-dataset-changed", "evaluation-dataset-deleted"] {
        assert!(TestApp::has(&ledger, &json!({"act": act, "dataset": id})), "{act}");
    }
}

#[tokio::test]
async fn one_of_no_experiment_is_its_makers() {
    let test = TestApp::new().await;
    let ada = test.user("ada", &[("server", "EDIT")]).await;
    let eve = test.user("eve", &[("server", "EDIT"), ("experiment:*", "MANAGE")]).await;
    let id = create(&test, &ada, "alone", &[]).await;
    let one = format!("{ROOT}/{id}");
    test.get(&ada, &one).await.ok();
    test.get(&test.admin, &one).await.ok();
    test.get(&eve, &one).await.error(403, "PERMISSION_DENIED");
    assert!(names(&test, &eve, json!({})).await.is_empty());
    // A credential that is limited to experiments says nothing of it.
    let limited = test.token_of("ada", "read").await;
    test.get(&limited, &one).await.error(403, "PERMISSION_DENIED");
    let nobody = test.user("nobody", &[]).await;
    test.post(&nobody, &format!("{ROOT}/create"), json!({"name": "x"})).await.error(403, "PERMISSION_DENIED");
    test.call(&ada, Method::DELETE, &one, "").await.ok();
    let missing = test.get(&test.admin, &one).await.error(404, "RESOURCE_DOES_NOT_EXIST");
    assert!(missing.contains("not found"), "{missing}");
}

#[tokio::test]
async fn searches_filter_order_and_page() {
    let test = TestApp::new().await;
    for name in ["b", "a", "c"] {
        create(&test, &test.admin, name, &["0"]).await;
    }
    assert_eq!(names(&test, &test.admin, json!({"order_by": ["name ASC"]})).await, ["a", "b", "c"]);
    assert_eq!(names(&test, &test.admin, json!({"filter_string": "name LIKE 'a%' AND tags.team = 'ml'"})).await, ["a"]);
    let body = json!({"order_by": ["name ASC"], "max_results": 2});
    let page = test.post(&test.admin, &format!("{ROOT}/search"), body).await.ok();
    let body = json!({"order_by": ["name ASC"], "max_results": 2, "page_token": page["next_page_token"]});
    assert_eq!(names(&test, &test.admin, body).await, ["c"]);
    for bad in [json!({"filter_string": "password = 'x'"}), json!({"page_token": "x"}), json!({"max_results": -1})] {
        test.post(&test.admin, &format!("{ROOT}/search"), bad).await.error(400, "INVALID_PARAMETER_VALUE");
    }
}

#[tokio::test]
async fn scorers_are_versioned_and_never_code() {
    let test = TestApp::new().await;
    let root = "/api/3.0/mlflow/scorers";
    let register = |text: &str| json!({"experiment_id": "0", "name": "judge", "serialized_scorer": text});
    let first = test.post(&test.admin, &format!("{root}/register"), register("{\"a\": 1}")).await.ok();
    assert_eq!((&first["version"], &first["serialized_scorer"]), (&json!(1), &json!("{\"a\": 1}")));
    test.post(&test.admin, &format!("{root}/register"), register("{}")).await.ok();
    let code = register("{\"call_source\": \"import os\"}");
    test.post(&test.admin, &format!("{root}/register"), code).await.error(400, "INVALID_PARAMETER_VALUE");
    test.post(&test.admin, &format!("{root}/register"), register("{")).await.error(400, "INVALID_PARAMETER_VALUE");
    let list = test.get(&test.admin, &format!("{root}/list?experiment_id=0")).await.ok();
    assert_eq!(list["scorers"][0]["scorer_version"], 2);
    let got = test.get(&test.admin, &format!("{root}/get?experiment_id=0&name=judge&version=1")).await.ok();
    assert_eq!(got["scorer"]["scorer_version"], 1);
    let gone = json!({"experiment_id": "0", "name": "judge"}).to_string();
    test.call(&test.admin, Method::DELETE, &format!("{root}/delete"), gone.clone()).await.ok();
    let missing = test.call(&test.admin, Method::DELETE, &format!("{root}/delete"), gone).await;
    assert!(missing.error(404, "RESOURCE_DOES_NOT_EXIST").contains("not found"));
}

/// A page has bytes as well as records; what does not fit is on the next ones.
#[tokio::test]
async fn a_page_of_large_records_ends_early() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "x").await;
    let body = json!({"name": "large", "experiment_ids": [experiment]});
    let made = test.post(&test.admin, &format!("{ROOT}/create"), body).await.ok();
    let path = format!("{ROOT}/{}/records", made["dataset"]["dataset_id"].as_str().unwrap());
    for number in 0..40 {
        let records = json!([{"inputs": {"n": number}, "outputs": "x".repeat(1 << 20)}]).to_string();
        test.post(&test.admin, &path, json!({"records": records})).await.ok();
    }
    let (mut seen, mut pages, mut token) = (0, 0, String::new());
    loop {
        let page = test.get(&test.admin, &format!("{path}?page_token={token}")).await.ok();
        seen += serde_json::from_str::<Vec<Value>>(page["records"].as_str().unwrap()).unwrap().len();
        pages += 1;
        let Some(next) = page["next_page_token"].as_str() else { break };
        token = next.to_owned();
    }
    assert_eq!((seen, pages), (40, 3));
}

/// Rights on data sets themselves, beside those of their experiments.
#[tokio::test]
async fn a_data_set_has_rights_of_its_own() {
    let test = TestApp::new().await;
    let (open, shut) = (test.experiment(&test.admin, "open").await, test.experiment(&test.admin, "shut").await);
    let one = create(&test, &test.admin, "one", &[&shut]).await;
    let two = create(&test, &test.admin, "two", &[&shut]).await;
    let alone = create(&test, &test.admin, "alone", &[]).await;
    let (of_one, of_alone) = (format!("dataset:{one}"), format!("dataset:{alone}"));
    let (open_too, shut_off) = (format!("experiment:{open}"), format!("experiment:{shut}"));
    let ada = test.user("ada", &[(&of_one, "EDIT"), (&of_alone, "READ"), (&open_too, "READ")]).await;
    let bob = test.user("bob", &[("dataset:*", "MANAGE"), (&shut_off, "DENY"), (&open_too, "READ")]).await;
    let cyd = test.user("cyd", &[(&shut_off, "MANAGE"), (&of_one, "DENY")]).await;
    let path = |id: &str, rest: &str| format!("{ROOT}/{id}{rest}");
    let records = json!({"records": "[{\"inputs\": {\"q\": 1}}]"});

    test.get(&ada, &path(&one, "")).await.ok();
    test.get(&ada, &path(&one, "/records")).await.ok();
    test.post(&ada, &path(&one, "/records"), records.clone()).await.ok();
    test.call(&ada, Method::DELETE, &path(&one, ""), String::new()).await.error(403, "PERMISSION_DENIED");
    test.get(&ada, &path(&alone, "")).await.ok();
    test.post(&ada, &path(&alone, "/records"), records.clone()).await.error(403, "PERMISSION_DENIED");
    test.get(&ada, &path(&two, "")).await.error(403, "PERMISSION_DENIED");
    test.get(&ada, &format!("/api/2.0/mlflow/experiments/get?experiment_id={shut}"))
        .await
        .error(403, "PERMISSION_DENIED");
    let mut seen = names(&test, &ada, json!({})).await;
    seen.sort_unstable();
    assert_eq!(seen, ["alone", "one"]);

    // A denial on its experiment takes away what was given on the data set, and one on the data set what its experiment gives.
    test.get(&bob, &path(&one, "")).await.error(403, "PERMISSION_DENIED");
    test.get(&bob, &path(&alone, "")).await.ok();
    assert_eq!(names(&test, &bob, json!({})).await, ["alone"]);
    test.get(&cyd, &path(&one, "")).await.error(403, "PERMISSION_DENIED");
    test.get(&cyd, &path(&two, "")).await.ok();
    assert_eq!(names(&test, &cyd, json!({"experiment_ids": [shut]})).await, ["two"]);

    // The explanation says what the endpoints do.
    let asks = [("read", "", Method::GET), ("manage", "", Method::DELETE)];
    for (who, user) in [("ada", &ada), ("bob", &bob), ("cyd", &cyd)] {
        for id in [&one, &two, &alone] {
            for (action, rest, method) in &asks {
                let query =
                    format!("/api/sealyard/v1/access/explanation?user={who}&action={action}&resource=dataset:{id}");
                let told = test.get(&test.admin, &query).await.ok()["allowed"] == json!(true);
                if *action == "manage" && told {
                    continue;
                }
                let done = test.call(user, method.clone(), &path(id, rest), String::new()).await.status == 200;
                assert_eq!(told, done, "{who} {action} {id}");
            }
        }
    }
    // With the data set its grants end.
    test.call(&bob, Method::DELETE, &path(&alone, ""), String::new()).await.ok();
    let left = test.get(&test.admin, &format!("/api/sealyard/v1/grants?resource=dataset:{alone}")).await.ok();
    assert_eq!(left["grants"], json!([]));
}
