//! What a client asks for at once is bounded by its bytes, whatever its number.

use http::Method;
use sealyard_core::{Digest, Timestamp};
use sealyard_store::model::{Assessment, AssessmentKind, DatasetRecord, Issue, NewTrace, Trace, TraceState};
use sealyard_store::{Store, StoreError, Transaction};
use serde_json::{Value, json};

use crate::test_app::{Answer, TestApp};

const ROOT: &str = "/api/3.0/mlflow";
/// What an answer may have: a page, and one thing more.
const MOST: usize = (48 << 20) + LARGE + 100_000;
const LARGE: usize = 10 << 20;

/// Puts large things there, past the limits of single ones: many requests would do the same.
async fn put(test: &TestApp, work: impl FnOnce(&mut dyn Transaction) -> Result<(), StoreError> + Send + 'static) {
    let store: &dyn Store = &*test.store;
    store.write(work).await.unwrap();
}

fn text() -> String {
    "x".repeat(LARGE)
}

fn length(answer: &Answer) -> usize {
    answer.bytes.as_ref().unwrap().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_large_issues_ends_early_and_the_rest_follows() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "e").await;
    for number in 0..6 {
        let issue = Issue {
            id: format!("iss-{number}"),
            experiment_id: experiment.clone(),
            name: "slow".to_owned(),
            description: text(),
            status: "pending".to_owned(),
            severity: None,
            root_causes: Vec::new(),
            categories: Vec::new(),
            source_run_id: None,
            said_by: None,
            created_by: "admin".to_owned(),
            created: Timestamp::from_millis(number),
            updated: Timestamp::from_millis(number),
        };
        put(&test, move |tx| tx.create_issue(&issue)).await;
    }
    let (mut found, mut token) = (Vec::new(), String::new());
    let mut pages = Vec::new();
    loop {
        let ask = json!({"experiment_id": experiment, "max_results": 1000, "page_token": token});
        let answer = test.post(&test.admin, &format!("{ROOT}/issues/search"), ask).await;
        assert!(length(&answer) < MOST, "{}", length(&answer));
        let page = answer.ok();
        let issues = page["issues"].as_array().unwrap();
        pages.push(issues.len());
        found.extend(issues.iter().map(|issue| issue["issue_id"].as_str().unwrap().to_owned()));
        token = page["next_page_token"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    assert_eq!(pages, [5, 1]);
    assert_eq!(found, ["iss-5", "iss-4", "iss-3", "iss-2", "iss-1", "iss-0"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_large_traces_ends_early_and_the_rest_follows() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "e").await;
    let mut ids = Vec::new();
    for number in 0..6 {
        let id = format!("tr-{number:032x}");
        let assessment = Assessment {
            id: format!("a-{number}"),
            trace_id: id.clone(),
            name: "good".to_owned(),
            kind: AssessmentKind::Feedback,
            value: "1".to_owned(),
            error: None,
            created: 1,
            updated: 1,
            source_type: "HUMAN".to_owned(),
            source_id: None,
            run_id: None,
            span_id: None,
            rationale: Some(text()),
            overrides: None,
            valid: true,
            metadata: Vec::new(),
            created_by: "admin".to_owned(),
        };
        let trace = Trace {
            id: id.clone(),
            experiment_id: experiment.clone(),
            client_request_id: None,
            started: -number,
            duration: None,
            state: TraceState::Ok,
            request_preview: None,
            response_preview: None,
            metadata: Vec::new(),
            tags: Vec::new(),
            assessments: vec![assessment],
            spans: 0,
        };
        let new = NewTrace { trace, created_by: "admin".to_owned(), finalised: true, metrics: Vec::new() };
        put(&test, move |tx| tx.put_trace(&new).map(drop)).await;
        ids.push(id);
    }
    let (mut found, mut token) = (Vec::new(), String::new());
    let mut pages = Vec::new();
    loop {
        let ask = json!({"locations": [{"mlflow_experiment": {"experiment_id": experiment}}], "max_results": 500,
            "page_token": token});
        let answer = test.post(&test.admin, &format!("{ROOT}/traces/search"), ask).await;
        assert!(length(&answer) < MOST, "{}", length(&answer));
        let page = answer.ok();
        let traces = page["traces"].as_array().unwrap();
        pages.push(traces.len());
        found.extend(traces.iter().map(|trace| trace["trace_id"].as_str().unwrap().to_owned()));
        let Some(next) = page["next_page_token"].as_str() else { break };
        token = next.to_owned();
    }
    assert_eq!((found, pages), (ids.clone(), vec![5, 1]));
    let message = test
        .post(&test.admin, &format!("{ROOT}/traces/batchGetInfos"), json!({"trace_ids": ids}))
        .await
        .error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("ask for fewer"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_scorers_of_an_experiment_fit_into_one_answer_and_hold_no_code() {
    let test = TestApp::new().await;
    let experiment = test.experiment(&test.admin, "e").await;
    let register = async |name: &str, scorer: Value| {
        let new = json!({"experiment_id": experiment, "name": name, "serialized_scorer": scorer.to_string()});
        test.post(&test.admin, &format!("{ROOT}/scorers/register"), new).await
    };
    let code = json!({"call_source": "import os", "call_signature": "()", "original_func_name": "f"});
    for scorer in [code.clone(), json!({"memory_augmented_judge_data": {"base_judge": code}})] {
        let message = register("code", scorer).await.error(400, "INVALID_PARAMETER_VALUE");
        assert!(message.starts_with("Custom scorers"), "{message}");
    }
    let of = experiment.clone();
    put(&test, move |tx| tx.register_scorer(&of, "many", "s-1", &"z".repeat((48 << 20) - 1000), 1).map(drop)).await;
    register("fits", json!({"instructions": "z".repeat(500)})).await.ok();
    let message = register("more", json!({"instructions": "z".repeat(500)})).await;
    let message = message.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("all versions together"), "{message}");
    let listed = test.get(&test.admin, &format!("{ROOT}/scorers/list?experiment_id={experiment}")).await;
    assert!(length(&listed) < MOST);
    assert_eq!(listed.ok()["scorers"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_assessments_of_a_trace_are_bounded_together() {
    let test = TestApp::new().await;
    test.trace(&test.admin, "0", "tr-1").await;
    test.trace(&test.admin, "0", "tr-2").await;
    let judged = |value: Value| json!({"assessment": {"assessment_name": "q", "feedback": {"value": value}}});
    let large = || Value::from("x".repeat(1_000_000));
    let path = format!("{ROOT}/traces/tr-1/assessments");
    for _ in 0..16 {
        test.post(&test.admin, &path, judged(large())).await.ok();
    }
    let message = test.post(&test.admin, &path, judged(large())).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("16777216 bytes"), "{message}");
    let small = test.post(&test.admin, &path, judged(json!(1))).await.ok();
    let small = format!("{path}/{}", small["assessment"]["assessment_id"].as_str().unwrap());
    let mut update = judged(large());
    update["update_mask"] = json!("feedback");
    let message = test.call(&test.admin, Method::PATCH, &small, update.to_string()).await;
    let message = message.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("16777216 bytes"), "{message}");
    assert_eq!(test.get(&test.admin, &small).await.ok()["assessment"]["feedback"]["value"], 1, "nothing is left of it");
    // What comes with a whole trace counts with what is there.
    let whole = |id: &str, assessments: Vec<Value>| {
        json!({"trace": {"trace_info": {"trace_id": id, "request_time": "2026-01-01T00:00:00Z", "state": "OK",
            "trace_location": {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}},
            "assessments": assessments}}})
    };
    let one = |value: Value| judged(value)["assessment"].clone();
    let message = test.post(&test.admin, &format!("{ROOT}/traces"), whole("tr-1", vec![one(large())])).await;
    let message = message.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("16777216 bytes"), "{message}");
    let many = || (0..999).map(|_| one(json!(1))).collect::<Vec<_>>();
    test.post(&test.admin, &format!("{ROOT}/traces"), whole("tr-2", many())).await.ok();
    let path = format!("{ROOT}/traces/tr-2/assessments");
    test.post(&test.admin, &path, judged(json!(1))).await.ok();
    for (path, body) in [(path, judged(json!(1))), (format!("{ROOT}/traces"), whole("tr-2", many()))] {
        let message = test.post(&test.admin, &path, body).await.error(400, "INVALID_PARAMETER_VALUE");
        assert!(message.contains("at most 1000 assessments"), "{message}");
    }
}

/// What is there already from before there were bounds is not read to be refused.
#[tokio::test(flavor = "multi_thread")]
async fn a_trace_that_is_too_large_is_not_given_out() {
    let test = TestApp::new().await;
    test.trace(&test.admin, "0", "tr-1").await;
    let judged = json!({"assessment": {"assessment_name": "q", "feedback": {"value": 1}}});
    let path = format!("{ROOT}/traces/tr-1/assessments");
    let made = test.post(&test.admin, &path, judged.clone()).await.ok()["assessment"]["assessment_id"].clone();
    let id = made.as_str().unwrap().to_owned();
    put(&test, move |tx| {
        let large = tx.assessment("tr-1", &id)?.unwrap();
        for number in 0..5 {
            let large = Assessment { id: format!("a-{number}"), rationale: Some(text()), ..large.clone() };
            tx.create_assessment(&large)?;
        }
        Ok(())
    })
    .await;
    for path in ["traces/tr-1", "traces/get?trace_id=tr-1"] {
        let message = test.get(&test.admin, &format!("{ROOT}/{path}")).await.error(400, "INVALID_PARAMETER_VALUE");
        assert!(message.contains("given at once"), "{message}");
    }
    test.post(&test.admin, &path, judged).await.error(400, "INVALID_PARAMETER_VALUE");
    let less = json!({"assessment": {"rationale": "short"}, "update_mask": "rationale"}).to_string();
    test.call(&test.admin, Method::PATCH, &format!("{path}/a-0"), less).await.ok();
    test.call(&test.admin, Method::DELETE, &format!("{path}/a-1"), "").await.ok();
    test.get(&test.admin, &format!("{ROOT}/traces/tr-1")).await.ok();
}

/// The catalog's only writer merges each record of a request once, and only so many bytes of them.
#[tokio::test(flavor = "multi_thread")]
async fn a_request_merges_large_records_of_a_data_set_once() {
    let test = TestApp::new().await;
    let new = json!({"name": "large", "experiment_ids": ["0"]});
    let made = test.post(&test.admin, &format!("{ROOT}/datasets/create"), new).await.ok();
    let id = made["dataset"]["dataset_id"].as_str().unwrap().to_owned();
    let path = format!("{ROOT}/datasets/{id}/records");
    put(&test, move |tx| {
        for number in 0..22 {
            let inputs = json!({"n": number}).to_string();
            let record = DatasetRecord {
                id: format!("dr-{number}"),
                input_hash: Digest::of(inputs.as_bytes()).to_hex(),
                inputs,
                outputs: None,
                expectations: Some(json!({"large": "x".repeat(3 << 20)}).to_string()),
                tags: None,
                source: None,
                source_id: None,
                source_type: None,
                created: 1,
                updated: 1,
                created_by: None,
                updated_by: None,
            };
            tx.put_dataset_records(&id, &[record])?;
        }
        Ok(())
    })
    .await;
    let send = async |records: Vec<Value>| {
        test.post(&test.admin, &path, json!({"records": Value::from(records).to_string()})).await
    };
    // Each of them by itself would be 30 GB to read, and as many to write.
    let same = (0..10_000).map(|number| json!({"inputs": {"n": 5}, "expectations": {"e": number}})).collect();
    assert_eq!(send(same).await.ok(), json!({"inserted_count": 0, "updated_count": 10_000}));
    let each = |count: u64| (0..count).map(|n| json!({"inputs": {"n": n}, "expectations": {"e": 1}})).collect();
    assert_eq!(send(each(20)).await.ok(), json!({"inserted_count": 0, "updated_count": 20}));
    let message = send(each(22)).await.error(400, "INVALID_PARAMETER_VALUE");
    assert!(message.contains("send fewer"), "{message}");
}
